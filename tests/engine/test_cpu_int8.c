// Convolutions in bytes, of every instruction set that this machine has, against the ref engine on
// the values that the bytes stand for.
#include "conv_harness.h"

#include <math.h>

static const conv_case cases[] = {
    {2, 16, 9, 7, 16, 1, 1, 0, BLOCKED},   {2, 20, 9, 8, 40, 1, 2, 0, BLOCKED},
    {3, 16, 11, 13, 70, 3, 2, 1, BLOCKED}, {1, 3, 2, 3, 5, 3, 1, 1, BLOCKED},
    {3, 20, 5, 7, 9, 3, 1, 1, BLOCKED},    {1, 80, 7, 7, 330, 1, 1, 0, BLOCKED},
    {2, 40, 12, 13, 24, 5, 2, 2, BLOCKED}, {2, 64, 4, 4, 64, 3, 1, 1, BLOCKED}};

static const float ranges[][2] = {
    {0, 3}, {-2.5f, 2}, {-1e-3f, 4}, {0, 0.5f}}; // the last cuts most values off

enum { CASES = sizeof cases / sizeof *cases, RANGES = sizeof ranges / sizeof *ranges };

static float of_byte(float x, const float range[2])
{
    float scale = rn_int8_scale(range);
    int zero = rn_int8_zero(range);
    long byte = lrintf(x * (1 / scale)) + zero;

    byte = byte < 0 ? 0 : byte > 255 ? 255 : byte;
    return scale * (float)(byte - zero);
}

// What the batch norm multiplies a channel by.
static double norm_scale(const rn_op_desc *d, const harness_values *v, size_t channel)
{
    double variance = (double)v->arg[RN_ARG_RUNNING_VARIANCE][channel];

    return d->fold ? (double)v->arg[RN_ARG_GAIN][channel] / sqrt(variance + (double)d->epsilon) : 1;
}

// Weights and sources become what their bytes stand for.
static void quantize(harness_values *v, const rn_op_desc *d)
{
    size_t each = (size_t)d->src.c * (size_t)(d->kernel * d->kernel);

    for (size_t i = 0; i < harness_count(d, RN_ARG_SRC); i++)
        v->arg[RN_ARG_SRC][i] = of_byte(v->arg[RN_ARG_SRC][i], d->range);
    for (size_t o = 0; o < (size_t)d->dst.c; o++) {
        float *w = v->arg[RN_ARG_WEIGHTS] + o * each, scale = (float)norm_scale(d, v, o);
        float largest = 0;
        for (size_t i = 0; i < each; i++)
            largest = fmaxf(largest, fabsf(w[i] * scale));
        for (size_t i = 0; i < each; i++)
            w[i] = (float)((double)lrintf(w[i] * scale / largest * 127) * (double)largest / 127 /
                           (double)scale);
    }
}

static void check(const rn_op_desc *d, const harness_maker *maker)
{
    rn_op_desc plain = harness_plain(d);
    harness_values expected, found;

    harness_draw(&expected, &plain, 8);
    harness_draw(&found, &plain, 8);
    quantize(&expected, &plain);
    harness_evaluate(&plain, &ref, &expected, RN_ARGS, RN_ARGS);
    harness_evaluate(d, maker, &found, RN_ARGS, RN_ARGS);
    harness_compare(d, &expected, &found, 1e-5);
    harness_values_release(&expected);
    harness_values_release(&found);
}

static void check_all(const rn_cpu_functions *functions, rn_layout layout)
{
    conv_maker context = {functions, RN_CONV_AUTO};
    const harness_maker maker = {create_conv, &context};

    for (int i = 0; i < CASES; i++)
        for (int variant = 0; variant < 16; variant++) {
            rn_op_desc d = conv_of(&cases[i], layout);
            d.constant = d.int8 = true;
            d.bias = variant & 1;
            d.fold = variant & 2;
            d.add = variant & 4;
            d.relu = variant & 8;
            d.epsilon = 1e-5f;
            memcpy(d.range, ranges[(i + variant) % RANGES], sizeof d.range);
            check(&d, &maker);
        }
}

static void fused_in_all_ways(void **state)
{
    (void)state;
    for (rn_isa isa = RN_ISA_AVX2; isa <= rn_isa_supported(); isa++) {
        rn_cpu_functions functions = *rn_cpu_functions_of(isa, RN_FLOAT32);
        check_all(&functions, layout_of(isa));
        functions.int8 = isa == RN_ISA_AVX512 ? &rn_int8_avx512 : &rn_int8_avx2;
        check_all(&functions, layout_of(isa)); // without the instructions made for it, too
    }
}

// Sums as large as they can be: all bytes 255, all weights 127.
static void largest_sums(void **state)
{
    (void)state;
    for (rn_isa isa = RN_ISA_AVX2; isa <= rn_isa_supported(); isa++) {
        conv_maker context = {rn_cpu_functions_of(isa, RN_FLOAT32), RN_CONV_AUTO};
        const harness_maker maker = {create_conv, &context};
        const conv_case c = {1, 512, 3, 3, 16, 3, 1, 1, BLOCKED};
        rn_op_desc d = conv_of(&c, layout_of(isa)), plain = harness_plain(&d);
        harness_values expected, found;
        d.constant = d.int8 = true;
        d.range[1] = 255;
        harness_draw(&expected, &plain, 8);
        harness_draw(&found, &plain, 8);
        for (size_t i = 0; i < harness_count(&d, RN_ARG_SRC); i++)
            expected.arg[RN_ARG_SRC][i] = found.arg[RN_ARG_SRC][i] = 255;
        for (size_t i = 0; i < harness_count(&d, RN_ARG_WEIGHTS); i++)
            expected.arg[RN_ARG_WEIGHTS][i] = found.arg[RN_ARG_WEIGHTS][i] = i % 2 ? 127 : 126;
        harness_evaluate(&plain, &ref, &expected, RN_ARGS, RN_ARGS);
        harness_evaluate(&d, &maker, &found, RN_ARGS, RN_ARGS);
        harness_compare(&d, &expected, &found, 1e-6);
        harness_values_release(&expected);
        harness_values_release(&found);
    }
}

// What reads the results finds their statistics itself then.
static void no_statistics_are_promised(void **state)
{
    (void)state;
    for (rn_isa isa = RN_ISA_AVX2; isa <= rn_isa_supported(); isa++) {
        conv_maker context = {rn_cpu_functions_of(isa, RN_FLOAT32), RN_CONV_AUTO};
        rn_op_desc d = conv_of(&cases[0], layout_of(isa));
        rn_kernel *kernel;
        d.constant = d.int8 = d.statistics = true;
        d.range[1] = 1;
        assert_int_equal(create_conv(&context, &kernel, &d), RN_OK);
        assert_int_equal(kernel->statistics_parts, 0);
        assert_int_equal(kernel->statistics_bytes, 0);
        rn_kernel_free(kernel);
    }
}

// However far beyond the range a value is, it counts as the end of the range; a NaN as the least.
static void beyond_the_range(void **state)
{
    static const float odd[][2] = {{INFINITY, 1}, {-INFINITY, -1}, {3e38f, 1},
                                   {-3e38f, -1},  {1e9f, 1},       {NAN, -1}};
    static const float whole[2][2] = {{0, 127}, {-127, 127}};
    const conv_case c = {1, 16, 3, 3, 16, 3, 1, 1, BLOCKED};

    (void)state;
    for (rn_isa isa = RN_ISA_AVX2; isa <= rn_isa_supported(); isa++)
        for (size_t k = 0; k < 2 * sizeof odd / sizeof *odd; k++) {
            conv_maker context = {rn_cpu_functions_of(isa, RN_FLOAT32), RN_CONV_AUTO};
            const harness_maker maker = {create_conv, &context};
            rn_op_desc d = conv_of(&c, layout_of(isa));
            harness_values v[2];
            d.constant = d.int8 = true;
            memcpy(d.range, whole[k % 2], sizeof d.range);
            for (int i = 0; i < 2; i++) {
                harness_draw(&v[i], &d, 8);
                v[i].arg[RN_ARG_SRC][4] = i == 0 ? odd[k / 2][0] : 1000 * odd[k / 2][1];
                harness_evaluate(&d, &maker, &v[i], RN_ARGS, RN_ARGS);
            }
            assert_memory_equal(v[0].arg[RN_ARG_DST], v[1].arg[RN_ARG_DST],
                                harness_count(&d, RN_ARG_DST) * sizeof(float));
            harness_values_release(&v[0]);
            harness_values_release(&v[1]);
        }
}

// A range of nothing, weights of nothing: the shift alone, no NaN.
static void nothing_to_multiply(void **state)
{
    (void)state;
    for (rn_isa isa = RN_ISA_AVX2; isa <= rn_isa_supported(); isa++)
        for (int weights = 0; weights < 2; weights++) {
            conv_maker context = {rn_cpu_functions_of(isa, RN_FLOAT32), RN_CONV_AUTO};
            const harness_maker maker = {create_conv, &context};
            rn_op_desc d = conv_of(&cases[4], layout_of(isa));
            harness_values v;
            d.constant = d.int8 = d.bias = true;
            d.range[1] = weights ? 1.0f : 0.0f;
            harness_draw(&v, &d, 8);
            for (size_t i = 0; weights && i < harness_count(&d, RN_ARG_WEIGHTS); i++)
                v.arg[RN_ARG_WEIGHTS][i] = 0;
            float bias = v.arg[RN_ARG_BIAS][3];
            harness_evaluate(&d, &maker, &v, RN_ARGS, RN_ARGS);
            assert_true(v.arg[RN_ARG_DST][3 * d.dst.h * d.dst.w] == bias);
            harness_values_release(&v);
        }
}

static bool taken(const rn_op_desc *d, rn_isa isa)
{
    conv_maker context = {rn_cpu_functions_of(isa, RN_FLOAT32), RN_CONV_DIRECT};
    rn_kernel *kernel = NULL;

    assert_int_equal(create_conv(&context, &kernel, d), RN_OK);
    bool taken = strstr(kernel->implementation, "int8") != NULL;
    rn_kernel_free(kernel);
    return taken;
}

// Where bytes do not fit it is an ordinary convolution.
static void left_to_floats(void **state)
{
    const conv_case wide = {1, 9000, 1, 1, 8, 3, 1, 1, BLOCKED};
    const conv_case picture = {1, 3, 9, 9, 8, 3, 1, 1, PLAIN};

    (void)state;
    for (rn_isa isa = RN_ISA_AVX2; isa <= rn_isa_supported(); isa++) {
        rn_op_desc d = conv_of(&cases[0], layout_of(isa));
        d.constant = d.int8 = true;
        d.range[1] = 1;
        assert_true(taken(&d, isa));
        d.constant = false;
        assert_false(taken(&d, isa));
        d.constant = true;
        d.range[1] = INFINITY;
        assert_false(taken(&d, isa));
        d = conv_of(&wide, layout_of(isa));
        d.constant = d.int8 = true;
        d.range[1] = 1;
        assert_false(taken(&d, isa));
        d = conv_of(&picture, layout_of(isa));
        d.constant = d.int8 = true;
        d.range[1] = 1;
        assert_false(taken(&d, isa));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fused_in_all_ways), cmocka_unit_test(largest_sums),
        cmocka_unit_test(beyond_the_range),  cmocka_unit_test(nothing_to_multiply),
        cmocka_unit_test(left_to_floats),    cmocka_unit_test(no_statistics_are_promised)};

    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
