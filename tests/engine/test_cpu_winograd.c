// Winograd convolutions of every instruction set that this machine has, against the ref engine.
#include "conv_harness.h"

// {n, c, h, w, out, kernel, stride, pad}: one pixel, less than a tile, tiles cut at both edges, odd
// counts of blocks, several chunks; channels and tiles for which threads share the work otherwise.
static const conv_case odd_cases[] = {
    {1, 8, 1, 1, 8, 3, 1, 1, BLOCKED},     {1, 3, 2, 3, 5, 3, 1, 1, BLOCKED},
    {2, 16, 4, 4, 16, 3, 1, 1, BLOCKED},   {3, 20, 5, 7, 9, 3, 1, 1, BLOCKED},
    {1, 24, 13, 10, 40, 3, 1, 1, BLOCKED}, {2, 16, 32, 32, 16, 3, 1, 1, BLOCKED},
    {2, 33, 17, 19, 25, 3, 1, 1, BLOCKED}, {2, 8, 9, 61, 16, 3, 1, 1, BLOCKED},
};
static const conv_case shared_cases[] = {
    {1, 177, 3, 5, 170, 3, 1, 1, BLOCKED},  // forward and backward data: by outputs
    {2, 520, 2, 3, 60, 3, 1, 1, BLOCKED},   //
    {1100, 72, 1, 1, 68, 3, 1, 1, BLOCKED}, // backward weights: more than one shared chunk
    {1, 72, 2, 4101, 68, 3, 1, 1, BLOCKED}  // a row longer than a shared chunk
};

enum {
    ODD_CASES = sizeof odd_cases / sizeof *odd_cases,
    SHARED_CASES = sizeof shared_cases / sizeof *shared_cases
};

// The bound on the error of F(4x4, 3x3): its transforms lose a digit of float's seven.
static const double error_bound = 1e-5;

static void odd_body(rn_layout layout, const harness_maker *maker)
{
    for (int i = 0; i < ODD_CASES; i++)
        check_conv(&odd_cases[i], layout, maker, error_bound);
}

static void odd_sizes(void **state)
{
    (void)state;
    each_conv_isa(RN_CONV_WINOGRAD, odd_body);
}

static void shared_body(rn_layout layout, const harness_maker *maker)
{
    for (int i = 0; i < SHARED_CASES; i++)
        check_conv(&shared_cases[i], layout, maker, error_bound);
}

static void shared_work(void **state)
{
    (void)state;
    each_conv_isa(RN_CONV_WINOGRAD, shared_body);
}

static void fused_body(rn_layout layout, const harness_maker *maker)
{
    for (int i = 0; i < 4; i++)
        check_fused_conv(&odd_cases[i], layout, maker, 2 * error_bound);
    check_fused_conv(&shared_cases[1], layout, maker, 2 * error_bound);
}

static void fused(void **state)
{
    (void)state;
    each_conv_isa(RN_CONV_WINOGRAD, fused_body);
}

static void deferred_body(rn_layout layout, const harness_maker *maker)
{
    for (int i = 1; i < ODD_CASES; i++) // not where a channel has one value
        if (odd_cases[i].source == BLOCKED && odd_cases[i].h > 1)
            check_deferred(&odd_cases[i], layout, maker);
    check_deferred(&shared_cases[0], layout, maker);
}

static void deferred_norms(void **state)
{
    (void)state;
    each_conv_isa(RN_CONV_WINOGRAD, deferred_body);
}

static void statistics_body(rn_layout layout, const harness_maker *maker)
{
    const float scales[] = {1.0f, 1e-15f, 1e12f};

    for (int i = 1; i < ODD_CASES; i++) // the first has one value a channel: no variance
        for (size_t s = 0; s < sizeof scales / sizeof *scales; s++)
            check_statistics(&odd_cases[i], layout, maker, scales[s], 0);
    for (int i = 0; i < SHARED_CASES; i++)
        check_statistics(&shared_cases[i], layout, maker, 1.0f, 0);
    check_statistics(&odd_cases[6], layout, maker, 1.0f, 1);
    for (int i = 1; i < ODD_CASES; i++)
        check_statistics(&odd_cases[i], layout, maker, 0.05f, 1000);
}

static void statistics(void **state)
{
    (void)state;
    each_conv_isa(RN_CONV_WINOGRAD, statistics_body);
}

// Values so small that products are denormal or 0: finite and small, at any rate.
static void denormal_body(rn_layout layout, const harness_maker *maker)
{
    rn_op_desc d = conv_of(&odd_cases[3], layout);
    const float scales[] = {1e-19f, 1e-21f, 1e-40f};

    for (size_t s = 0; s < sizeof scales / sizeof *scales; s++) {
        harness_values v;
        harness_draw(&v, &d, 9);
        for (size_t i = 0; i < harness_count(&d, RN_ARG_SRC); i++)
            v.arg[RN_ARG_SRC][i] *= scales[s];
        for (size_t i = 0; i < harness_count(&d, RN_ARG_WEIGHTS); i++)
            v.arg[RN_ARG_WEIGHTS][i] *= scales[s];
        harness_evaluate(&d, maker, &v, RN_ARGS, RN_ARGS);
        for (size_t i = 0; i < harness_count(&d, RN_ARG_DST); i++)
            if (!(fabsf(v.arg[RN_ARG_DST][i]) <= 1e4f * scales[s] * scales[s] + 1e-37f))
                fail_msg("scale %g: result %zu is %g", (double)scales[s], i,
                         (double)v.arg[RN_ARG_DST][i]);
        harness_values_release(&v);
    }
}

static void denormals(void **state)
{
    (void)state;
    each_conv_isa(RN_CONV_WINOGRAD, denormal_body);
}

// NaN and infinity come through: a training that diverges must show.
static void nan_body(rn_layout layout, const harness_maker *maker)
{
    rn_op_desc d = conv_of(&odd_cases[2], layout);
    const float values[] = {NAN, INFINITY};

    for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
        harness_values v;
        harness_draw(&v, &d, 9);
        v.arg[RN_ARG_SRC][0] = values[k]; // the corner of channel 0
        harness_evaluate(&d, maker, &v, RN_ARGS, RN_ARGS);
        for (int channel = 0; channel < d.dst.c; channel++)
            if (isfinite(v.arg[RN_ARG_DST][channel * d.dst.h * d.dst.w]))
                fail_msg("channel %d has lost %g", channel, (double)values[k]);
        harness_values_release(&v);
    }
}

static void nan_comes_through(void **state)
{
    (void)state;
    each_conv_isa(RN_CONV_WINOGRAD, nan_body);
}

// Results of each output do not depend on how many threads share the work.
static void threads_body(rn_layout layout, const harness_maker *maker)
{
    check_threads(&odd_cases[6], layout, maker);
    check_threads(&shared_cases[0], layout, maker);
}

static void any_threads(void **state)
{
    (void)state;
    each_conv_isa(RN_CONV_WINOGRAD, threads_body);
}

static void refuse_body(rn_layout layout, const harness_maker *maker)
{
    const conv_case five = {1, 8, 9, 9, 8, 5, 1, 2, BLOCKED};
    rn_op_desc d = conv_of(&five, layout);
    rn_kernel *kernel = NULL;

    assert_int_equal(maker->create(maker->context, &kernel, &d), RN_EUNSUPPORTED);
    assert_null(kernel);
    d = conv_of(&odd_cases[2], RN_LAYOUT_NCHW);
    assert_int_equal(maker->create(maker->context, &kernel, &d), RN_EUNSUPPORTED);
    assert_null(kernel);
}

static void others_refused(void **state)
{
    (void)state;
    each_conv_isa(RN_CONV_WINOGRAD, refuse_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_sizes),
        cmocka_unit_test(shared_work),
        cmocka_unit_test(fused),
        cmocka_unit_test(deferred_norms),
        cmocka_unit_test(statistics),
        cmocka_unit_test(denormals),
        cmocka_unit_test(nan_comes_through),
        cmocka_unit_test(any_threads),
        cmocka_unit_test(others_refused),
    };

    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
