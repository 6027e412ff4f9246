#include "resnet/base.h"

#include <errno.h>
#include <omp.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

enum { MAX_THREADS = 1024 };

// Denormals cost a hundred cycles an operation and carry nothing that training needs.
static void flush_denormals(void)
{
    const unsigned flush_to_zero = 0x8000, denormals_are_zero = 0x0040;

    __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | flush_to_zero | denormals_are_zero);
}

int rn_processors(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count < 1 ? 1 : count > MAX_THREADS ? MAX_THREADS : count;
}

static rn_status threads_from_environment(int *threads, const char *name)
{
    const char *text = getenv(name);
    char *end;

    if (text == NULL || *text == '\0')
        return RN_OK;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (*end == ',') // OMP_NUM_THREADS may list nesting levels; the first is ours
        end = "";
    if (errno != 0 || *end != '\0' || value < 1 || value > MAX_THREADS)
        return rn_error(RN_EINVAL, "environment variable %s is '%s', expected 1 to %d", name, text,
                        MAX_THREADS);
    *threads = (int)value;
    return RN_OK;
}

rn_status rn_threads_set(int threads)
{
    rn_status st = RN_OK;

    if (threads < 0 || threads > MAX_THREADS)
        return rn_error(RN_EINVAL, "%d threads, expected 0 to %d", threads, MAX_THREADS);
    if (threads == 0)
        RN_TRY(threads_from_environment(&threads, "RESNET_THREADS"));
    if (threads == 0)
        RN_TRY(threads_from_environment(&threads, "OMP_NUM_THREADS"));
    if (threads == 0)
        threads = rn_processors();
    omp_set_dynamic(0);
    omp_set_num_threads(threads);
    // LLVM's OpenMP gives every region the caller's control register and takes it back at the end;
    // GNU's leaves each thread its own.
    flush_denormals();
#pragma omp parallel
    flush_denormals();
out:
    return st;
}

int rn_threads(void)
{
    return omp_get_max_threads();
}

double rn_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
