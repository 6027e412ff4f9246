// Direct convolutions of every instruction set that this machine has, against the ref engine.
#include "conv_harness.h"

// {n, c, h, w, out, kernel, stride, pad, plain}: 1x1, strides that meet the edge and that do not,
// windows larger than the picture, fewer channels than a block, odd counts of blocks, plain
// sources; several pictures and several rows a chunk.
static const conv_case cases[] = {
    {1, 8, 1, 1, 8, 1, 1, 0, BLOCKED},      {3, 16, 7, 7, 32, 1, 1, 0, BLOCKED},
    {2, 20, 13, 5, 41, 1, 1, 0, BLOCKED},   {2, 24, 9, 9, 16, 1, 2, 0, BLOCKED},
    {2, 16, 8, 10, 64, 1, 2, 0, BLOCKED},   {3, 16, 32, 32, 32, 3, 2, 1, BLOCKED},
    {2, 33, 15, 9, 25, 3, 2, 1, BLOCKED},   {1, 8, 2, 2, 8, 3, 2, 1, BLOCKED},
    {1, 8, 1, 1, 8, 3, 2, 1, BLOCKED},      {4, 12, 6, 5, 40, 3, 1, 1, BLOCKED},
    {2, 8, 9, 9, 16, 3, 1, 0, BLOCKED},     {2, 8, 11, 7, 9, 5, 1, 2, BLOCKED},
    {2, 8, 11, 12, 9, 5, 2, 2, BLOCKED},    {1, 16, 5, 5, 8, 2, 2, 0, BLOCKED},
    {1, 16, 6, 6, 8, 2, 1, 1, BLOCKED},     {5, 3, 32, 32, 16, 3, 1, 1, PLAIN},
    {2, 3, 33, 30, 64, 7, 2, 3, PLAIN},     {3, 1, 28, 28, 16, 3, 1, 1, PLAIN},
    {2, 4, 9, 14, 5, 5, 1, 2, PLAIN},       {2, 1, 5, 3, 24, 7, 2, 3, PLAIN},
    {6, 512, 7, 7, 330, 1, 1, 0, BLOCKED},  {2, 170, 9, 8, 200, 3, 2, 1, BLOCKED},
    {3, 64, 56, 56, 128, 1, 2, 0, BLOCKED},
};

enum { CASES = sizeof cases / sizeof *cases };

static void direct_body(rn_layout layout, const harness_maker *maker)
{
    for (int i = 0; i < CASES; i++)
        check_conv(&cases[i], layout, maker, 5e-6);
}

static void shapes_and_sizes(void **state)
{
    (void)state;
    each_conv_isa(RN_CONV_DIRECT, direct_body);
}

static void fused_body(rn_layout layout, const harness_maker *maker)
{
    for (int i = 0; i < CASES - 3; i++)
        check_fused_conv(&cases[i], layout, maker, 1e-5);
}

static void fused(void **state)
{
    (void)state;
    each_conv_isa(RN_CONV_DIRECT, fused_body);
}

static void deferred_body(rn_layout layout, const harness_maker *maker)
{
    for (int i = 1; i < CASES; i++) // not where a channel has one value
        if (cases[i].source == BLOCKED && cases[i].h > 1)
            check_deferred(&cases[i], layout, maker);
}

static void deferred_norms(void **state)
{
    (void)state;
    each_conv_isa(RN_CONV_DIRECT, deferred_body);
}

static void statistics_body(rn_layout layout, const harness_maker *maker)
{
    for (int i = 0; i < CASES; i++)
        if (cases[i].n * cases[i].h > 4) // else one value a channel: no variance
            check_statistics(&cases[i], layout, maker, 1.0f, 0);
    check_statistics(&cases[5], layout, maker, 1e-15f, 0);
    check_statistics(&cases[5], layout, maker, 1e12f, 0);
    check_statistics(&cases[6], layout, maker, 1.0f, 1);
    check_statistics(&cases[6], layout, maker, 0.05f, 1000);
}

static void statistics(void **state)
{
    (void)state;
    each_conv_isa(RN_CONV_DIRECT, statistics_body);
}

// Results of each output do not depend on how many threads share the work.
static void threads_body(rn_layout layout, const harness_maker *maker)
{
    const conv_case *some[] = {&cases[5], &cases[6], &cases[20]};

    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        check_threads(some[i], layout, maker);
}

static void any_threads(void **state)
{
    (void)state;
    each_conv_isa(RN_CONV_DIRECT, threads_body);
}

static void refuse_body(rn_layout layout, const harness_maker *maker)
{
    const conv_case refused[] = {{1, 8, 9, 9, 8, 3, 3, 1, BLOCKED}, // stride
                                 {1, 40, 9, 9, 8, 3, 1, 1, PLAIN}}; // plain, with many channels

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        rn_op_desc d = conv_of(&refused[i], layout);
        rn_kernel *kernel = NULL;
        assert_int_equal(maker->create(maker->context, &kernel, &d), RN_EUNSUPPORTED);
        assert_null(kernel);
    }
}

static void others_refused(void **state)
{
    (void)state;
    each_conv_isa(RN_CONV_DIRECT, refuse_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_and_sizes), cmocka_unit_test(fused),
        cmocka_unit_test(deferred_norms),   cmocka_unit_test(statistics),
        cmocka_unit_test(any_threads),      cmocka_unit_test(others_refused),
    };

    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
