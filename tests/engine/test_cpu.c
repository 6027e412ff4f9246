// The own kernels of every instruction set that this machine has, against the ref engine.
#include "cpu_harness.h"

static void check_batch_norm(rn_op_desc d, const harness_maker *maker)
{
    d.kind = RN_OP_BATCH_NORM_TRAIN;
    harness_check(&d, &ref, maker, 5e-6);
    if (d.add)
        harness_check_in_place(&d, &ref, maker, 5e-6, RN_ARG_DST, RN_ARG_SRC2);
    d.kind = RN_OP_BATCH_NORM_INFER;
    harness_check(&d, &ref, maker, 5e-6);
    if (d.add)
        harness_check_in_place(&d, &ref, maker, 5e-6, RN_ARG_DST, RN_ARG_SRC2);
}

static void check_batch_norm_backward(rn_op_desc d, const harness_maker *maker)
{
    d.kind = RN_OP_BATCH_NORM_BACKWARD;
    harness_check(&d, &ref, maker, 2e-5);
    harness_check_in_place(&d, &ref, maker, 2e-5, RN_ARG_DIFF_SRC, RN_ARG_SRC);
    if (d.add)
        harness_check_in_place(&d, &ref, maker, 2e-5, RN_ARG_DIFF_SRC2, RN_ARG_DIFF_DST);
    if (d.add && d.diff_dst2)
        harness_check_in_place(&d, &ref, maker, 2e-5, RN_ARG_DIFF_SRC2, RN_ARG_DIFF_DST2);
}

static void batch_norm_body(rn_isa isa, const harness_maker *maker)
{
    for (int i = 0; i < SHAPES; i++)
        for (int variant = 0; variant < 8; variant++) {
            rn_op_desc d = like(RN_OP_BATCH_NORM_TRAIN, shape_at(i, layout_of(isa)));
            d.relu = variant & 1;
            d.add = variant & 2;
            d.diff_dst2 = variant & 4;
            if (!d.diff_dst2)
                check_batch_norm(d, maker);
            check_batch_norm_backward(d, maker);
        }
}

static void batch_norm(void **state)
{
    (void)state;
    each_isa(batch_norm_body);
}

// Both gradients in place at once, as plans do.
static void in_place_twice_body(rn_isa isa, const harness_maker *maker)
{
    rn_op_desc d = like(RN_OP_BATCH_NORM_BACKWARD, shape_at(4, layout_of(isa)));
    harness_values expected, found, result;
    harness_op op;

    d.relu = d.add = d.diff_dst2 = true;
    rn_op_desc plain = harness_plain(&d);
    harness_draw(&expected, &plain, 5);
    harness_draw(&found, &d, 5);
    harness_draw(&result, &d, 6);
    harness_evaluate(&plain, &ref, &expected, RN_ARGS, RN_ARGS);
    harness_open(&op, maker, &d);
    harness_in_place(&op, RN_ARG_DIFF_SRC, RN_ARG_SRC);
    harness_in_place(&op, RN_ARG_DIFF_SRC2, RN_ARG_DIFF_DST2);
    harness_load(&op, &found);
    harness_execute(&op);
    harness_store(&op, &found, &result);
    harness_compare(&d, &expected, &result, 2e-5);
    harness_close(&op);
    harness_values_release(&expected);
    harness_values_release(&found);
    harness_values_release(&result);
}

static void in_place_twice(void **state)
{
    (void)state;
    each_isa(in_place_twice_body);
}

// SRC = mean + deviation * normal, its first value an outlier if asked for.
static void check_moments(rn_isa isa, const harness_maker *maker, const float moments[3])
{
    rn_op_desc d = like(RN_OP_BATCH_NORM_TRAIN, shape_at(5, layout_of(isa)));
    rn_op_desc plain = harness_plain(&d);
    size_t count = harness_count(&d, RN_ARG_SRC);
    harness_values v[2];

    for (int i = 0; i < 2; i++) {
        harness_draw(&v[i], &plain, 11);
        for (size_t k = 0; k < count; k++)
            v[i].arg[RN_ARG_SRC][k] = moments[0] + moments[1] * v[i].arg[RN_ARG_SRC][k];
        if (moments[2] != 0)
            v[i].arg[RN_ARG_SRC][0] = moments[2];
    }
    harness_evaluate(&plain, &ref, &v[0], RN_ARGS, RN_ARGS);
    harness_evaluate(&d, maker, &v[1], RN_ARGS, RN_ARGS);
    // An outlier's own rounding is coarse beside the mean that it leaves.
    harness_compare(&d, &v[0], &v[1], moments[2] != 0 ? 5e-5 : 1e-5);
    // Of the variance itself, not only of its largest: 1 / deviation of each channel.
    for (int c = 0; c < d.src.c; c++) {
        double expected = (double)v[0].arg[RN_ARG_SAVED][d.src.c + c];
        double found = (double)v[1].arg[RN_ARG_SAVED][d.src.c + c];
        assert_true(fabs(found - expected) <= 1e-5 * expected);
    }
    harness_values_release(&v[0]);
    harness_values_release(&v[1]);
}

static void moments_body(rn_isa isa, const harness_maker *maker)
{
    const float cases[][3] = {{1e4f, 1, 0}, {-1e6f, 1, 0},  {100, 1e-3f, 0},
                              {7, 0, 0},    {0, 1e-12f, 0}, {0, 1e15f, 0},
                              {0, 1, 1e4f}, {3, 1, -1e6f},  {1e4f, 1e-2f, 0}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_moments(isa, maker, cases[i]);
}

static void batch_norm_extreme_moments(void **state)
{
    (void)state;
    each_isa(moments_body);
}

static void elementwise_body(rn_isa isa, const harness_maker *maker)
{
    const rn_layout layouts[] = {layout_of(isa), RN_LAYOUT_NCHW};

    for (int i = 0; i < 2 * SHAPES; i++) {
        rn_op_desc d = like(RN_OP_RELU, shape_at(i / 2, layouts[i % 2]));
        harness_check(&d, &ref, maker, 0);
        harness_check_in_place(&d, &ref, maker, 0, RN_ARG_DST, RN_ARG_SRC);
        d.kind = RN_OP_RELU_BACKWARD;
        harness_check(&d, &ref, maker, 0);
        harness_check_in_place(&d, &ref, maker, 0, RN_ARG_DIFF_SRC, RN_ARG_DIFF_DST);
        d.diff_dst2 = true;
        harness_check(&d, &ref, maker, 0);
        harness_check_in_place(&d, &ref, maker, 0, RN_ARG_DIFF_SRC, RN_ARG_DIFF_DST2);
        d.kind = RN_OP_ADD;
        for (int relu = 0; relu < 2; relu++) {
            d.relu = relu;
            harness_check(&d, &ref, maker, 0);
            harness_check_in_place(&d, &ref, maker, 0, RN_ARG_DST, RN_ARG_SRC);
            harness_check_in_place(&d, &ref, maker, 0, RN_ARG_DST, RN_ARG_SRC2);
        }
    }
}

static void elementwise(void **state)
{
    (void)state;
    each_isa(elementwise_body);
}

static void shortcut_body(rn_isa isa, const harness_maker *maker)
{
    // src channels, dst channels, offset, stride; the last are the networks' own
    const int cases[][4] = {{3, 3, 0, 1},    {3, 11, 4, 2},   {5, 40, 0, 3},  {17, 40, 23, 2},
                            {24, 48, 12, 2}, {20, 64, 15, 2}, {16, 32, 8, 2}, {32, 64, 16, 2}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int size = 1; size < 20; size += 6) {
            int stride = cases[i][3], h = size, w = size + 3;
            rn_op_desc d = {.kind = RN_OP_SHORTCUT_PAD,
                            .src = {RN_FLOAT32, layout_of(isa), 3, cases[i][0], h, w},
                            .dst = {RN_FLOAT32, layout_of(isa), 3, cases[i][1],
                                    (h - 1) / stride + 1, (w - 1) / stride + 1},
                            .stride = stride,
                            .channel_offset = cases[i][2]};
            harness_check(&d, &ref, maker, 0);
            d.kind = RN_OP_SHORTCUT_PAD_BACKWARD;
            harness_check(&d, &ref, maker, 0);
        }
}

static void shortcut(void **state)
{
    (void)state;
    each_isa(shortcut_body);
}

static void average_pool_body(rn_isa isa, const harness_maker *maker)
{
    for (int i = 0; i < SHAPES; i++) {
        rn_op_desc d = like(RN_OP_AVERAGE_POOL, shape_at(i, layout_of(isa)));
        d.dst = (rn_tensor_desc){RN_FLOAT32, RN_LAYOUT_NC, d.src.n, d.src.c, 1, 1};
        harness_check(&d, &ref, maker, 2e-6);
        d.kind = RN_OP_AVERAGE_POOL_BACKWARD;
        harness_check(&d, &ref, maker, 1e-6);
    }
}

static void average_pool(void **state)
{
    (void)state;
    each_isa(average_pool_body);
}

static void cross_entropy_body(rn_isa isa, const harness_maker *maker)
{
    const int classes[] = {1, 2, 7, 10, 16, 17, 100, 1000};

    (void)isa;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        for (int s = 0; s < 3; s++) {
            rn_op_desc d = like(RN_OP_CROSS_ENTROPY,
                                (rn_tensor_desc){RN_FLOAT32, RN_LAYOUT_NC, 9, classes[i], 1, 1});
            d.label_smoothing = s == 1 ? 0.1f : 0.5f * (float)s;
            harness_check(&d, &ref, maker, 3e-6);
            d.mixed = true;
            harness_check(&d, &ref, maker, 3e-6);
        }
}

static void cross_entropy(void **state)
{
    (void)state;
    each_isa(cross_entropy_body);
}

static void odd_logits_body(rn_isa isa, const harness_maker *maker)
{
    enum { ROWS = 6, CLASSES = 10 };
    rn_op_desc d =
        like(RN_OP_CROSS_ENTROPY, (rn_tensor_desc){RN_FLOAT32, RN_LAYOUT_NC, ROWS, CLASSES, 1, 1});
    harness_values v[2];

    (void)isa;
    for (int i = 0; i < 2; i++) {
        harness_draw(&v[i], &d, 3);
        float(*x)[CLASSES] = (float(*)[CLASSES])v[i].arg[RN_ARG_SRC];
        for (int k = 0; k < CLASSES; k++) {
            x[0][k] = 0;                       // all equal: class 0
            x[1][k] = k == 4 ? 3e4f : -3e4f;   // saturated, right
            x[2][k] = k == 4 ? -1e30f : 1e30f; // saturated, hopeless
            x[3][k] = k == 5 ? -INFINITY : (float)k;
        }
        for (int n = 0; n < ROWS; n++)
            v[i].labels[n] = n == 3 ? 9 : 4;
        x[4][9] = x[4][4] = 50; // ties: the first counts
        x[5][3] = x[5][4] = 50;
        harness_evaluate(&d, i == 0 ? &ref : maker, &v[i], RN_ARGS, RN_ARGS);
    }
    assert_int_equal(v[0].loss.wrong, 3);
    harness_compare(&d, &v[0], &v[1], 3e-6);
    harness_values_release(&v[0]);
    harness_values_release(&v[1]);
}

// One label with the whole share is that label alone, in every bit; the other may even have a logit
// of minus infinity.
static void whole_shares_body(rn_isa isa, const harness_maker *maker)
{
    enum { ROWS = 9, CLASSES = 7 };
    rn_op_desc d =
        like(RN_OP_CROSS_ENTROPY, (rn_tensor_desc){RN_FLOAT32, RN_LAYOUT_NC, ROWS, CLASSES, 1, 1});
    harness_values v[3];

    (void)isa;
    for (int i = 0; i < 3; i++) {
        harness_draw(&v[i], &d, 4);
        d.mixed = i > 0;
        for (int n = 0; n < ROWS; n++) {
            v[i].labels[n] = i == 2 ? 6 : 2;
            v[i].labels_b[n] = i == 2 ? 2 : 6;
            v[i].shares[n] = i == 2 ? 0 : 1;
            v[i].arg[RN_ARG_SRC][n * CLASSES + 6] = -INFINITY;
        }
        harness_evaluate(&d, maker, &v[i], RN_ARGS, RN_ARGS);
        assert_true(v[i].loss.loss == v[0].loss.loss && v[i].loss.wrong == v[0].loss.wrong);
        assert_memory_equal(v[i].arg[RN_ARG_DIFF_SRC], v[0].arg[RN_ARG_DIFF_SRC],
                            sizeof(float) * ROWS * CLASSES);
    }
    for (int i = 0; i < 3; i++)
        harness_values_release(&v[i]);
}

static void whole_shares_are_one_label(void **state)
{
    (void)state;
    whole_shares_body(RN_ISA_AVX2, &ref);
    each_isa(whole_shares_body);
}

static void cross_entropy_odd_logits(void **state)
{
    (void)state;
    each_isa(odd_logits_body);
}

// NaN must show in the loss, count as wrong, and pass through ReLU and batch norm.
static void nan_body(rn_isa isa, const harness_maker *maker)
{
    rn_op_desc d =
        like(RN_OP_CROSS_ENTROPY, (rn_tensor_desc){RN_FLOAT32, RN_LAYOUT_NC, 2, 11, 1, 1});
    harness_values v;

    harness_draw(&v, &d, 3);
    v.arg[RN_ARG_SRC][10] = NAN;
    v.arg[RN_ARG_SRC][0] = 100;
    v.labels[0] = 0;
    v.labels[1] = 5;
    v.arg[RN_ARG_SRC][11 + 5] = 100;
    harness_evaluate(&d, maker, &v, RN_ARGS, RN_ARGS);
    assert_true(isnan(v.loss.loss));
    assert_int_equal(v.loss.wrong, 1);
    harness_values_release(&v);
    d = like(RN_OP_BATCH_NORM_TRAIN, shape_at(0, layout_of(isa)));
    d.relu = true;
    harness_draw(&v, &d, 3);
    v.arg[RN_ARG_SRC][20] = NAN; // channel 1 of 3
    harness_evaluate(&d, maker, &v, RN_ARGS, RN_ARGS);
    for (size_t i = 0; i < harness_count(&d, RN_ARG_DST); i++)
        assert_int_equal(isnan(v.arg[RN_ARG_DST][i]) != 0, i / 15 % 3 == 1);
    assert_true(isnan(v.arg[RN_ARG_RUNNING_MEAN][1]));
    harness_values_release(&v);
}

static void nan_is_not_hidden(void **state)
{
    (void)state;
    each_isa(nan_body);
}

static void expect_refusal(const harness_maker *maker, const rn_op_desc *d, const harness_values *v,
                           const char *message)
{
    harness_op op;

    harness_open(&op, maker, d);
    harness_load(&op, v);
    void *args[RN_ARGS];
    for (int a = 0; a < RN_ARGS; a++)
        args[a] = op.memory[a];
    assert_int_equal(op.kernel->run(op.kernel, args), RN_EINVAL);
    assert_string_equal(rn_error_message(), message);
    harness_close(&op);
}

static void bad_label_body(rn_isa isa, const harness_maker *maker)
{
    rn_op_desc d =
        like(RN_OP_CROSS_ENTROPY, (rn_tensor_desc){RN_FLOAT32, RN_LAYOUT_NC, 2, 3, 1, 1});
    harness_values v;

    (void)isa;
    harness_draw(&v, &d, 3);
    v.labels[1] = 3;
    expect_refusal(maker, &d, &v, "label 3 of sample 1, expected 0 to 2");
    harness_values_release(&v);
}

static void bad_label(void **state)
{
    (void)state;
    each_isa(bad_label_body);
}

static void bad_mixing_body(rn_isa isa, const harness_maker *maker)
{
    static const float shares[] = {-0.001f, 1.001f, NAN};
    static const char *const texts[] = {"-0.001", "1.001", "nan"};
    rn_op_desc d =
        like(RN_OP_CROSS_ENTROPY, (rn_tensor_desc){RN_FLOAT32, RN_LAYOUT_NC, 2, 3, 1, 1});
    harness_values v;

    (void)isa;
    d.mixed = true;
    harness_draw(&v, &d, 3);
    v.labels_b[1] = -1;
    expect_refusal(maker, &d, &v, "label -1 of sample 1, expected 0 to 2");
    v.labels_b[1] = 0;
    for (int i = 0; i < 3; i++) {
        char message[80];
        snprintf(message, sizeof message, "share %s of sample 1's label, expected 0 to 1",
                 texts[i]);
        v.shares[1] = shares[i];
        expect_refusal(maker, &d, &v, message);
    }
    harness_values_release(&v);
}

static void bad_mixing(void **state)
{
    (void)state;
    bad_mixing_body(RN_ISA_AVX2, &ref);
    each_isa(bad_mixing_body);
}

// The same bits with 1, 2 and 3 threads.
static void threads_body(rn_isa isa, const harness_maker *maker)
{
    const rn_op_kind kinds[] = {RN_OP_BATCH_NORM_TRAIN, RN_OP_BATCH_NORM_BACKWARD};
    int threads = rn_threads();

    for (int i = 0; i < 2; i++) {
        rn_op_desc d = like(kinds[i], shape_at(4, layout_of(isa)));
        harness_values v[3];
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

static bool refuse(size_t bytes, void *context)
{
    (void)bytes;
    (void)context;
    return false;
}

static void refuses(void **state)
{
    rn_kernel *kernel = (rn_kernel *)&ref;
    rn_op_desc d = like(RN_OP_BATCH_NORM_TRAIN, shape_at(0, RN_LAYOUT_NCHW8C));

    (void)state;
    rn_alloc_hook_set(refuse, NULL);
    assert_int_equal(rn_cpu_kernel(&kernel, RN_ISA_AVX2, &d), RN_ENOMEM);
    rn_alloc_hook_set(NULL, NULL);
    assert_null(kernel);
    // Sixteen channels need the wide registers, flat batch norm is not ours, shapes must agree.
    d.src.layout = d.dst.layout = RN_LAYOUT_NCHW16C;
    assert_int_equal(rn_cpu_kernel(&kernel, RN_ISA_AVX2, &d), RN_EUNSUPPORTED);
    assert_string_equal(rn_error_message(),
                        "cpu avx2 has no 'batch norm' of float32 for 2x3x5x3 -> 2x3x5x3, "
                        "channels in blocks of 16");
    d.src.layout = d.dst.layout = RN_LAYOUT_NCHW;
    assert_int_equal(rn_cpu_kernel(&kernel, RN_ISA_AVX2, &d), RN_EUNSUPPORTED);
    d.src.layout = d.dst.layout = RN_LAYOUT_NCHW8C;
    d.dst.c = 4;
    assert_int_equal(rn_cpu_kernel(&kernel, RN_ISA_AVX2, &d), RN_EUNSUPPORTED);
    d.kind = RN_OP_CONV;
    assert_int_equal(rn_cpu_kernel(&kernel, RN_ISA_AVX2, &d), RN_EUNSUPPORTED);
    d.kind = RN_OP_SHORTCUT_PAD;
    d.stride = 1;
    d.channel_offset = 2; // 3 + 2 > 4
    assert_int_equal(rn_cpu_kernel(&kernel, RN_ISA_AVX2, &d), RN_EUNSUPPORTED);
    assert_null(kernel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_norm),
        cmocka_unit_test(in_place_twice),
        cmocka_unit_test(batch_norm_extreme_moments),
        cmocka_unit_test(elementwise),
        cmocka_unit_test(shortcut),
        cmocka_unit_test(average_pool),
        cmocka_unit_test(cross_entropy),
        cmocka_unit_test(cross_entropy_odd_logits),
        cmocka_unit_test(whole_shares_are_one_label),
        cmocka_unit_test(nan_is_not_hidden),
        cmocka_unit_test(bad_label),
        cmocka_unit_test(bad_mixing),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(refuses),
    };

    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
