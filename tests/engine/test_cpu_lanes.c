// The convolution bodies as they are for 16 lanes, on whatever machine this is, against the ref
// engine: their cutting and their layouts are other than those for 8.
#include "portable_vec.h"

#include "engine/cpu/body_direct_weights.h"
#include "engine/cpu/body_winograd_weights.h"

#include "conv_harness.h"

static const rn_cpu_functions portable = {
    .name = "cpu portable",
    .block = VEC,
    .winograd_name = "cpu portable winograd",
    .winograd = winograd_conv,
    .winograd_weights = winograd_weights,
    .winograd_prepare = winograd_prepare,
    .direct_name = "cpu portable direct",
    .direct = direct_conv,
    .direct_weights = direct_weights,
    .direct_prepare = direct_prepare,
};

static void check_cases(rn_conv_method method, const conv_case *cases, size_t count)
{
    conv_maker context = {&portable, method};
    const harness_maker maker = {create_conv, &context};

    for (size_t i = 0; i < count; i++)
        check_conv(&cases[i], RN_LAYOUT_NCHW16C, &maker, 1e-5);
    check_fused_conv(&cases[1], RN_LAYOUT_NCHW16C, &maker, 2e-5);
}

static void winograd_of_16(void **state)
{
    const conv_case cases[] = {
        {1, 16, 1, 1, 16, 3, 1, 1, BLOCKED},   {2, 3, 5, 3, 20, 3, 1, 1, BLOCKED},
        {3, 40, 9, 13, 33, 3, 1, 1, BLOCKED},  {2, 16, 32, 17, 16, 3, 1, 1, BLOCKED},
        {1, 180, 5, 7, 190, 3, 1, 1, BLOCKED},
    };

    (void)state;
    check_cases(RN_CONV_WINOGRAD, cases, sizeof cases / sizeof *cases);
}

static void direct_of_16(void **state)
{
    const conv_case cases[] = {
        {2, 16, 9, 7, 16, 1, 1, 0, BLOCKED},   {2, 20, 9, 8, 40, 1, 2, 0, BLOCKED},
        {3, 16, 11, 13, 70, 3, 2, 1, BLOCKED}, {2, 33, 8, 6, 50, 3, 1, 1, BLOCKED},
        {2, 3, 12, 13, 16, 3, 1, 1, PLAIN},    {1, 3, 21, 19, 64, 7, 2, 3, PLAIN},
        {1, 80, 7, 7, 330, 1, 1, 0, BLOCKED},
    };

    (void)state;
    check_cases(RN_CONV_DIRECT, cases, sizeof cases / sizeof *cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(winograd_of_16),
                                       cmocka_unit_test(direct_of_16)};

    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
