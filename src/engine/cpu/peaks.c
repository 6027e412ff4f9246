// The machine's limits, measured in about half a second: best of many short runs, because
// whatever else goes on can only make one slower.
#include "engine/cpu/peaks.h"

#include "base/memory.h"
#include "engine/cpu/cache.h"
#include "engine/cpu/kernels.h"
#include "plan/stream.h"
#include "resnet/engine.h"

#include <omp.h>
#include <stdlib.h>

// Work short enough that a time slice holds several, long enough that waiting for the others does
// not count; and how long it is repeated.
#define RUN_SECONDS 0.3e-3
#define RATE_SECONDS 40e-3
#define MEMORY_SECONDS 60e-3

// Each of the three arrays: the last cache's size, within these bounds.
enum { LEAST_ARRAY = 64 << 20, MOST_ARRAY = 256 << 20 };

enum { LEAST_PASS = 8 << 20 }; // bytes between two looks at the clock

static bool has_bf16(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512bf16");
}

/** What every thread does between two looks at the clock. */
typedef struct work {
    const rn_peak_kernel *kernel;
    size_t rounds;       // of multiply_add(), shared among the threads; or 0, then
    const float *floats; // to read, each thread its part, `passes` times
    size_t count, passes;
} work;

static float do_work(const work *w, size_t thread, size_t threads)
{
    size_t begin = w->count * thread / threads, end = w->count * (thread + 1) / threads;
    float sum = 0;

    if (w->rounds > 0)
        return w->kernel->multiply_add(w->rounds / threads);
    for (size_t pass = 0; pass < w->passes; pass++)
        sum += w->kernel->read(w->floats + begin, end - begin);
    return sum;
}

typedef struct timer {
    double start, best, until;
    bool over;
} timer;

static void timer_stop(timer *t)
{
    double now = rn_clock(), took = now - t->start;

    t->best = took < t->best ? took : t->best;
    t->over = now > t->until;
}

// Seconds that the work takes at best. All happens in one parallel region: threads that are woken
// anew for each run on a busy machine get the same processor again and again.
static double best_time(const work *w, int threads, double seconds)
{
    timer t = {.best = 1e9, .until = rn_clock() + seconds};
    float sum = 0;

#pragma omp parallel num_threads(threads) reduction(+ : sum)
    do {
#pragma omp barrier
#pragma omp master
        t.start = rn_clock();
        sum += do_work(w, (size_t)omp_get_thread_num(), (size_t)omp_get_num_threads());
#pragma omp barrier
#pragma omp master
        timer_stop(&t);
#pragma omp barrier
    } while (!t.over);
    return t.best;
}

// Rounds that take one thread as long as a run should.
static work rounds_of_run(const rn_peak_kernel *kernel)
{
    work w = {.kernel = kernel, .rounds = 1024};

    while (best_time(&w, 1, 0) < RUN_SECONDS)
        w.rounds *= 2;
    return w;
}

static double measure_rate(work w, int threads)
{
    w.rounds *= (size_t)threads;
    return w.kernel->round_flops * (double)w.rounds / best_time(&w, threads, RATE_SECONDS);
}

static double higher(double a, double b)
{
    return a > b ? a : b;
}

// The higher of what is known already and what is measured now.
static void raise_rate(rn_peaks *peaks, const rn_peak_kernel *kernel)
{
    work w = rounds_of_run(kernel);
    rn_peak_rate *rate = &peaks->rates[peaks->rate_count++];

    rate->name = kernel->name;
    rate->one = higher(rate->one, measure_rate(w, 1));
    rate->all = higher(rate->all, rate->one); // if the others never get a processor
    if (peaks->threads > 1)
        rate->all = higher(rate->all, measure_rate(w, peaks->threads));
}

static void measure_rates(rn_peaks *peaks, rn_isa isa)
{
    peaks->rate_count = 0;
    raise_rate(peaks, &rn_peak_avx2);
    if (isa == RN_ISA_AVX512)
        raise_rate(peaks, &rn_peak_avx512);
    for (int i = 0; i < peaks->rate_count; i++)
        peaks->flops = higher(peaks->flops, peaks->rates[i].all);
    if (isa == RN_ISA_AVX512 && has_bf16())
        raise_rate(peaks, &rn_peak_avx512_bf16);
}

// Bytes a second of reading `bytes` again and again.
static double measure_read(const rn_peaks *peaks, const rn_peak_kernel *kernel, const float *floats,
                           size_t bytes)
{
    work w = {.kernel = kernel, .floats = floats, .count = bytes / sizeof *floats};

    w.passes = LEAST_PASS / bytes + 1;
    best_time(&w, peaks->threads, 0); // into the caches
    return (double)bytes * (double)w.passes / best_time(&w, peaks->threads, MEMORY_SECONDS);
}

static size_t array_bytes(size_t last_cache)
{
    if (last_cache < LEAST_ARRAY)
        return LEAST_ARRAY;
    return last_cache > MOST_ARRAY ? MOST_ARRAY : last_cache / 4096 * 4096;
}

static rn_status measure_memory(rn_peaks *peaks, rn_isa isa)
{
    rn_status st = RN_OK;
    const rn_peak_kernel *kernel = isa == RN_ISA_AVX512 ? &rn_peak_avx512 : &rn_peak_avx2;
    size_t l2 = rn_cache_bytes(2, peaks->threads), l3 = rn_cache_bytes(3, peaks->threads);
    size_t bytes = array_bytes(l3 > l2 ? l3 : l2);
    rn_op_desc op = rn_stream_op(bytes);
    rn_kernel *add = NULL;
    float *arrays = NULL;

    RN_TRY(rn_alloc((void **)&arrays, RN_STREAM_ARRAYS, bytes));
    RN_TRY(rn_cpu_kernel(&add, isa, &op));
    RN_TRY(rn_stream_measure(&peaks->add, add, arrays, bytes));
    peaks->read = measure_read(peaks, kernel, arrays, RN_STREAM_ARRAYS * bytes);
    if (l2 > 0 && l2 / 2 < bytes)
        peaks->l2_read = measure_read(peaks, kernel, arrays, l2 / 2);
    if (l3 / 4 > l2 && l3 / 4 < bytes)
        peaks->l3_read = measure_read(peaks, kernel, arrays, l3 / 4);
    peaks->memory = higher(peaks->read, peaks->add);
out:
    rn_kernel_free(add);
    rn_free(arrays);
    return st;
}

rn_status rn_peaks_measure(rn_peaks *peaks)
{
    rn_status st = RN_OK;
    rn_isa isa;

    *peaks = (rn_peaks){.threads = rn_threads()};
    RN_TRY(rn_isa_choose(&isa, rn_isa_supported(), getenv("RESNET_ISA")));
    measure_rates(peaks, isa);
    RN_TRY(measure_memory(peaks, isa));
    measure_rates(peaks, isa); // what disturbed the first time may have ended
out:
    if (st != RN_OK)
        *peaks = (rn_peaks){0};
    return st;
}
