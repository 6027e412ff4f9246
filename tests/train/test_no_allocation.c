// A training step after planning allocates nothing: every malloc of the process is counted. The
// exceptions are oneDNN, whose execute calls make and drop a few small blocks of bookkeeping of
// their own, and OpenMP, which does so as a parallel region begins (LLVM's at each, GNU's where the
// team's size changes); they are told apart by the caller's address.
#include "train/training.h"

#include <dlfcn.h>
#include <stdatomic.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTING 0 // the sanitizers have put their own functions in this place
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTING 0
#endif
#endif
#ifndef COUNTING
#define COUNTING 1
#endif

enum { MAX_CALLERS = 4096 };

static atomic_long allocations;
static void *callers[MAX_CALLERS];

static bool from_their_bookkeeping(void *caller)
{
    Dl_info info;

    return dladdr(caller, &info) != 0 && info.dli_fname != NULL &&
           (strstr(info.dli_fname, "libdnnl") != NULL || strstr(info.dli_fname, "stdc++") != NULL ||
            strstr(info.dli_fname, "libomp") != NULL || strstr(info.dli_fname, "libgomp") != NULL);
}

// Allocations number first .. end - 1 that did not come from these.
static int count_ours(long first, long end)
{
    int count = 0;

    assert_true(end - first < MAX_CALLERS);
    for (long i = first; i < end; i++)
        count += !from_their_bookkeeping(callers[i % MAX_CALLERS]);
    return count;
}

#if COUNTING
static void note(void *caller)
{
    long index = atomic_fetch_add(&allocations, 1);

    callers[index % MAX_CALLERS] = caller;
}

// Visible, so that shared libraries call them too.
#pragma GCC visibility push(default)
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
    note(__builtin_return_address(0));
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    note(__builtin_return_address(0));
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    note(__builtin_return_address(0));
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    note(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    note(__builtin_return_address(0));
    *out = __libc_memalign(alignment, size);
    return *out == NULL ? 12 : 0;
}
#pragma GCC visibility pop
#endif

static void counter_counts(void **state)
{
    (void)state;
    if (!COUNTING)
        skip();
    long before = atomic_load(&allocations);
    void *volatile memory = malloc(10);
    free(memory);
    assert_int_equal(count_ours(before, atomic_load(&allocations)), 1);
}

static void steps_of(const char *engine_name)
{
    rn_graph *graph = NULL;
    rn_engine *engine = NULL;
    rn_plan *plan = NULL;
    rn_run *run = NULL;
    rn_sgd *sgd = NULL;
    rn_weights *weights = NULL;
    rn_plan_options options = {.batch = 4, .training = true};

    assert_int_equal(rn_graph_create(&graph, "resnet-8:shortcut=B", NULL), RN_OK);
    assert_int_equal(rn_engine_create(&engine, engine_name), RN_OK);
    assert_int_equal(rn_plan_create(&plan, graph, engine, &options), RN_OK);
    assert_int_equal(rn_run_create(&run, plan), RN_OK);
    assert_int_equal(rn_weights_create(&weights, graph), RN_OK);
    rn_weights_initialise(weights, 1);
    assert_int_equal(rn_run_load(run, weights), RN_OK);
    assert_int_equal(
        rn_sgd_create(&sgd, run, engine, &(rn_sgd_options){.momentum = 0.9, .ema = 0.9}), RN_OK);
    long before = 0;
    for (int step = 0; step < 4; step++) {
        if (step == 2) // the first steps may start threads
            before = atomic_load(&allocations);
        assert_int_equal(rn_run_forward(run), RN_OK);
        assert_int_equal(rn_run_backward(run), RN_OK);
        rn_sgd_step(sgd, 0.01);
    }
    assert_int_equal(count_ours(before, atomic_load(&allocations)), 0);
    rn_sgd_free(sgd);
    rn_weights_free(weights);
    rn_run_free(run);
    rn_plan_free(plan);
    rn_engine_free(engine);
    rn_graph_free(graph);
}

static void cpu_step_allocates_nothing(void **state)
{
    (void)state;
    if (!COUNTING)
        skip();
    steps_of("cpu");
}

static void ref_step_allocates_nothing(void **state)
{
    (void)state;
    if (!COUNTING)
        skip();
    steps_of("ref");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counter_counts),
        cmocka_unit_test(cpu_step_allocates_nothing),
        cmocka_unit_test(ref_step_allocates_nothing),
    };

    return cmocka_run_group_tests_name("no_allocation", tests, NULL, NULL);
}
