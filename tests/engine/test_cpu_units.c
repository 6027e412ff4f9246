// What the units of both papers need beside batch norm (scaling, gates, batch norm again,
// flattening) of every instruction set that this machine has, against the ref engine.
#include "cpu_harness.h"

static rn_tensor_desc row(int n, int c)
{
    return (rn_tensor_desc){RN_FLOAT32, RN_LAYOUT_NC, n, c, 1, 1};
}

// The i-th of all layouts that an element by element op takes.
enum { ANY_LAYOUT = 3 * SHAPES };

static rn_tensor_desc any_layout(int i, rn_isa isa)
{
    rn_tensor_desc t = shape_at(i % SHAPES, i / SHAPES == 0 ? layout_of(isa) : RN_LAYOUT_NCHW);

    return i / SHAPES == 2 ? row(t.n, t.c * t.h * t.w) : t;
}

static void scale_body(rn_isa isa, const harness_maker *maker)
{
    for (int i = 0; i < ANY_LAYOUT; i++) {
        rn_op_desc d = like(RN_OP_SCALE, any_layout(i, isa));
        d.scale = 0.3f;
        harness_check(&d, &ref, maker, 0);
        harness_check_in_place(&d, &ref, maker, 0, RN_ARG_DST, RN_ARG_SRC);
        d.kind = RN_OP_RELU;
        harness_check(&d, &ref, maker, 0);
        d.kind = RN_OP_RELU_BACKWARD;
        harness_check(&d, &ref, maker, 0);
    }
}

static void scale_of_any_layout(void **state)
{
    (void)state;
    each_isa(scale_body);
}

static void gate_body(rn_isa isa, const harness_maker *maker)
{
    for (int i = 0; i < 2 * ANY_LAYOUT; i++) {
        rn_op_desc d = like(RN_OP_GATE, any_layout(i / 2, isa));
        d.complement = i % 2;
        harness_check(&d, &ref, maker, 3e-7);
        harness_check_in_place(&d, &ref, maker, 3e-7, RN_ARG_DST, RN_ARG_SRC);
        harness_check_in_place(&d, &ref, maker, 3e-7, RN_ARG_DST, RN_ARG_SRC2);
        d.kind = RN_OP_GATE_BACKWARD;
        harness_check(&d, &ref, maker, 5e-7);
        harness_check_in_place(&d, &ref, maker, 5e-7, RN_ARG_DIFF_SRC, RN_ARG_DIFF_DST);
    }
}

static void gate(void **state)
{
    (void)state;
    each_isa(gate_body);
}

// GATE and its backward op at given SRC2, SRC = DIFF_DST = 1: the logistic function and its slope.
typedef struct logistic {
    harness_values values;
    rn_op_desc desc;
} logistic;

enum { GRID = 1 << 16 };

static logistic logistic_of(const harness_maker *maker, bool complement, const float *z)
{
    logistic l = {.desc = like(RN_OP_GATE_BACKWARD, row(1, GRID))};
    const rn_arg ones[] = {RN_ARG_SRC, RN_ARG_DIFF_DST};
    harness_values forward;

    l.desc.complement = complement;
    harness_draw(&l.values, &l.desc, 1);
    harness_draw(&forward, &l.desc, 1);
    for (int a = 0; a < 2; a++)
        for (int i = 0; i < GRID; i++)
            l.values.arg[ones[a]][i] = forward.arg[ones[a]][i] = 1;
    memcpy(l.values.arg[RN_ARG_SRC2], z, GRID * sizeof *z);
    memcpy(forward.arg[RN_ARG_SRC2], z, GRID * sizeof *z);
    harness_evaluate(&l.desc, maker, &l.values, RN_ARGS, RN_ARGS);
    l.desc.kind = RN_OP_GATE;
    harness_evaluate(&l.desc, maker, &forward, RN_ARGS, RN_ARGS);
    memcpy(l.values.arg[RN_ARG_DST], forward.arg[RN_ARG_DST], GRID * sizeof *z);
    harness_values_release(&forward);
    return l;
}

static double relative(float found, double expected)
{
    return fabs((double)found - expected) / fabs(expected);
}

// Relative to each value itself, from where the result is least to where it is 1.
static void logistic_body(rn_isa isa, const harness_maker *maker)
{
    static float z[GRID];
    double worst[3] = {0};

    for (int i = 0; i < GRID; i++)
        z[i] = -86.9f + 173.8f * (float)i / (GRID - 1);
    for (int complement = 0; complement < 2; complement++) {
        logistic l = logistic_of(maker, complement, z);
        for (int i = 0; i < GRID; i++) {
            double u = complement ? -(double)z[i] : (double)z[i], sign = complement ? -1 : 1;
            double s = 1 / (1 + exp(-u)), slope = sign * s / (1 + exp(u));
            worst[0] = fmax(worst[0], relative(l.values.arg[RN_ARG_DST][i], s));
            worst[1] = fmax(worst[1], relative(l.values.arg[RN_ARG_DIFF_SRC][i], s));
            worst[2] = fmax(worst[2], relative(l.values.arg[RN_ARG_DIFF_SRC2][i], slope));
        }
        harness_values_release(&l.values);
    }
    print_message("%s: relative error of a gate %.3g, backward %.3g, its slope %.3g\n",
                  rn_isa_name(isa), worst[0], worst[1], worst[2]);
    assert_true(worst[0] < 2e-7);
    assert_true(worst[1] < 2e-7);
    assert_true(worst[2] < 4e-7);
}

static void gate_is_accurate(void **state)
{
    (void)state;
    each_isa(logistic_body);
}

// Beyond what float holds the gate is open or shut; NaN stays NaN.
static void saturation_body(rn_isa isa, const harness_maker *maker)
{
    static float z[GRID];
    const float odd[] = {INFINITY, 1e30f, 89, -89, -104, -1e30f, -INFINITY, NAN, 0.0f, -0.0f};
    const float expected[] = {1, 1, 1, 0, 0, 0, 0, NAN, 0.5f, 0.5f};
    enum { ODD = sizeof odd / sizeof *odd };

    (void)isa;
    memcpy(z, odd, sizeof odd);
    for (int complement = 0; complement < 2; complement++) {
        logistic l = logistic_of(maker, complement, z);
        for (int i = 0; i < ODD; i++) {
            float s = complement ? 1 - expected[i] : expected[i];
            float slope = (complement ? -1 : 1) * s * (1 - s);
            assert_memory_equal(&l.values.arg[RN_ARG_DST][i], &l.values.arg[RN_ARG_DIFF_SRC][i],
                                isnan(s) ? 0 : sizeof s);
            if (isnan(expected[i])) {
                assert_true(isnan(l.values.arg[RN_ARG_DST][i]));
                assert_true(isnan(l.values.arg[RN_ARG_DIFF_SRC][i]));
                assert_true(isnan(l.values.arg[RN_ARG_DIFF_SRC2][i]));
                continue;
            }
            assert_float_equal(l.values.arg[RN_ARG_DST][i], s, 0);
            assert_float_equal(l.values.arg[RN_ARG_DIFF_SRC2][i], slope, 0);
        }
        harness_values_release(&l.values);
    }
}

static void gate_saturates(void **state)
{
    (void)state;
    each_isa(saturation_body);
}

static void again_body(rn_isa isa, const harness_maker *maker)
{
    for (int i = 0; i < SHAPES; i++)
        for (int variant = 0; variant < 4; variant++) {
            rn_op_desc d = like(RN_OP_BATCH_NORM_AGAIN, shape_at(i, layout_of(isa)));
            d.relu = variant & 1;
            d.add = variant & 2;
            harness_check(&d, &ref, maker, 5e-6);
            if (d.add)
                harness_check_in_place(&d, &ref, maker, 5e-6, RN_ARG_DST, RN_ARG_SRC2);
        }
}

static void batch_norm_again(void **state)
{
    (void)state;
    each_isa(again_body);
}

// DST of BATCH_NORM_AGAIN from what BATCH_NORM_TRAIN saved, and from nothing else, is its DST.
static void check_same_bits(const harness_maker *maker, rn_op_desc d, float mean)
{
    size_t count = harness_count(&d, RN_ARG_SRC);
    harness_values trained, again;

    harness_draw(&trained, &d, 31);
    harness_draw(&again, &d, 31);
    for (size_t i = 0; i < count; i++)
        trained.arg[RN_ARG_SRC][i] = again.arg[RN_ARG_SRC][i] += mean;
    harness_evaluate(&d, maker, &trained, RN_ARGS, RN_ARGS);
    memcpy(again.arg[RN_ARG_SAVED], trained.arg[RN_ARG_SAVED],
           harness_count(&d, RN_ARG_SAVED) * sizeof(float));
    d.kind = RN_OP_BATCH_NORM_AGAIN;
    harness_evaluate(&d, maker, &again, RN_ARGS, RN_ARGS);
    for (size_t i = 0; i < count; i++)
        if (memcmp(&trained.arg[RN_ARG_DST][i], &again.arg[RN_ARG_DST][i], sizeof(float)) != 0)
            fail_msg("%s: DST[%zu] is %.9g, was %.9g", harness_name(&d), i,
                     (double)again.arg[RN_ARG_DST][i], (double)trained.arg[RN_ARG_DST][i]);
    harness_values_release(&trained);
    harness_values_release(&again);
}

static void same_bits_body(rn_isa isa, const harness_maker *maker)
{
    const float means[] = {0, 3, -1e4f};

    for (int i = 0; i < SHAPES; i++)
        for (int variant = 0; variant < 4; variant++)
            for (int m = 0; m < 3; m++) {
                rn_op_desc d = like(RN_OP_BATCH_NORM_TRAIN, shape_at(i, layout_of(isa)));
                d.relu = variant & 1;
                d.add = variant & 2;
                check_same_bits(maker, d, means[m]);
                d.src.layout = d.dst.layout = RN_LAYOUT_NCHW;
                check_same_bits(&ref, d, means[m]);
            }
}

static void batch_norm_again_has_the_same_bits(void **state)
{
    (void)state;
    each_isa(same_bits_body);
}

// With a mean far from 0 the gradients do not depend on what float loses of it.
static void far_mean_body(rn_isa isa, const harness_maker *maker)
{
    rn_op_desc d = like(RN_OP_BATCH_NORM_BACKWARD, shape_at(5, layout_of(isa)));
    rn_op_desc plain = harness_plain(&d);
    size_t channels = (size_t)d.src.c, count = harness_count(&d, RN_ARG_SRC);
    size_t area = (size_t)d.src.h * (size_t)d.src.w;
    harness_values v[2];

    for (int i = 0; i < 2; i++) {
        harness_draw(&v[i], &plain, 13);
        for (size_t k = 0; k < count; k++)
            v[i].arg[RN_ARG_DIFF_DST][k] += 1; // so that the sum of gradients matters
        for (size_t c = 0; c < channels; c++) {
            v[i].arg[RN_ARG_SAVED][c] += 1e-2f; // as if rounded that coarsely
            v[i].arg[RN_ARG_SAVED][2 * channels + c] -= 1e-2f;
        }
    }
    harness_evaluate(&plain, &ref, &v[0], RN_ARGS, RN_ARGS);
    harness_evaluate(&d, maker, &v[1], RN_ARGS, RN_ARGS);
    harness_compare(&d, &v[0], &v[1], 2e-5);
    // sum of diff_src over each channel is 0: section 3 of the 2015 paper of batch normalisation
    for (size_t c = 0; c < channels; c++) {
        double sum = 0;
        for (size_t k = 0; k < count; k++)
            sum += k / area % channels == c ? (double)v[1].arg[RN_ARG_DIFF_SRC][k] : 0;
        assert_true(fabs(sum) < 1e-3);
    }
    harness_values_release(&v[0]);
    harness_values_release(&v[1]);
}

static void backward_uses_the_whole_mean(void **state)
{
    (void)state;
    each_isa(far_mean_body);
}

static void flatten_body(rn_isa isa, const harness_maker *maker)
{
    const rn_layout layouts[] = {layout_of(isa), RN_LAYOUT_NCHW};

    for (int i = 0; i < 2 * SHAPES; i++) {
        rn_op_desc d = like(RN_OP_FLATTEN, shape_at(i / 2, layouts[i % 2]));
        d.dst = row(d.src.n, d.src.c * d.src.h * d.src.w);
        harness_check(&d, &ref, maker, 0);
        d.kind = RN_OP_FLATTEN_BACKWARD;
        harness_check(&d, &ref, maker, 0);
    }
}

static void flatten(void **state)
{
    (void)state;
    each_isa(flatten_body);
}

static void threads_body(rn_isa isa, const harness_maker *maker)
{
    const rn_op_kind kinds[] = {RN_OP_BATCH_NORM_AGAIN, RN_OP_SCALE,   RN_OP_GATE,
                                RN_OP_GATE_BACKWARD,    RN_OP_FLATTEN, RN_OP_FLATTEN_BACKWARD};
    int threads = rn_threads();

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        rn_op_desc d = like(kinds[i], shape_at(4, layout_of(isa)));
        harness_values v[3];
        if (d.kind == RN_OP_FLATTEN || d.kind == RN_OP_FLATTEN_BACKWARD)
            d.dst = row(d.src.n, d.src.c * d.src.h * d.src.w);
        d.scale = 0.7f;
        for (int t = 0; t < 3; t++) {
            assert_int_equal(rn_threads_set(t + 1), RN_OK);
            harness_draw(&v[t], &d, 21);
            harness_evaluate(&d, maker, &v[t], RN_ARGS, RN_ARGS);
            harness_compare(&d, &v[0], &v[t], 0);
        }
        for (int t = 0; t < 3; t++)
            harness_values_release(&v[t]);
    }
    assert_int_equal(rn_threads_set(threads), RN_OK);
}

static void threads_do_not_matter(void **state)
{
    (void)state;
    each_isa(threads_body);
}

static void refuses(void **state)
{
    rn_op_desc d = like(RN_OP_FLATTEN, shape_at(0, RN_LAYOUT_NCHW8C));
    rn_kernel *kernel = (rn_kernel *)&d;

    (void)state;
    d.dst = row(2, 44); // 3 x 5 x 3 is 45
    assert_int_equal(rn_cpu_kernel(&kernel, RN_ISA_AVX2, &d), RN_EUNSUPPORTED);
    assert_null(kernel);
    assert_int_equal(ref_engine->create(ref_engine, &kernel, &d), RN_EUNSUPPORTED);
    d.src.layout = RN_LAYOUT_NCHW;
    assert_int_equal(ref_engine->create(ref_engine, &kernel, &d), RN_EUNSUPPORTED);
    d.dst = row(2, 45);
    d.src.layout = RN_LAYOUT_NCHW16C; // wider than the registers
    assert_int_equal(rn_cpu_kernel(&kernel, RN_ISA_AVX2, &d), RN_EUNSUPPORTED);
    d = like(RN_OP_GATE, shape_at(0, RN_LAYOUT_NCHW8C));
    d.dst.c = 4;
    assert_int_equal(rn_cpu_kernel(&kernel, RN_ISA_AVX2, &d), RN_EUNSUPPORTED);
    d = like(RN_OP_BATCH_NORM_AGAIN, shape_at(0, RN_LAYOUT_NCHW));
    assert_int_equal(rn_cpu_kernel(&kernel, RN_ISA_AVX2, &d), RN_EUNSUPPORTED);
    assert_null(kernel);
}

// Kinds that name a forward kernel, as every engine and the plan rely on.
static void forward_kinds(void **state)
{
    (void)state;
    assert_int_equal(rn_op_forward_kind(RN_OP_BATCH_NORM_AGAIN), RN_OP_BATCH_NORM_TRAIN);
    assert_int_equal(rn_op_forward_kind(RN_OP_GATE_BACKWARD), RN_OP_GATE);
    assert_int_equal(rn_op_forward_kind(RN_OP_FLATTEN_BACKWARD), RN_OP_FLATTEN);
    for (int kind = 0; kind < RN_OP_KINDS; kind++) {
        bool backward = strstr(rn_op_kind_name((rn_op_kind)kind), "backward") != NULL ||
                        kind == RN_OP_BATCH_NORM_AGAIN;
        rn_op_kind forward = rn_op_forward_kind((rn_op_kind)kind);
        assert_int_equal(forward != (rn_op_kind)kind, backward);
        assert_int_equal(rn_op_forward_kind(forward), forward);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scale_of_any_layout),
        cmocka_unit_test(gate),
        cmocka_unit_test(gate_is_accurate),
        cmocka_unit_test(gate_saturates),
        cmocka_unit_test(batch_norm_again),
        cmocka_unit_test(batch_norm_again_has_the_same_bits),
        cmocka_unit_test(backward_uses_the_whole_mean),
        cmocka_unit_test(flatten),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(refuses),
        cmocka_unit_test(forward_kinds),
    };

    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
