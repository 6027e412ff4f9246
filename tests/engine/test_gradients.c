// Batch norm, element by element ops, flattening, shortcut and loss of the ref engine: gradients
// against finite differences, values against small sums worked by hand.
#include "engine/ref/ref.h"
#include "op_harness.h"

static rn_engine *engine;
static harness_maker ref = {harness_engine_create, NULL};

static rn_tensor_desc nchw(int n, int c, int h, int w)
{
    return (rn_tensor_desc){RN_FLOAT32, RN_LAYOUT_NCHW, n, c, h, w};
}

static rn_tensor_desc nc(int n, int c)
{
    return (rn_tensor_desc){RN_FLOAT32, RN_LAYOUT_NC, n, c, 1, 1};
}

static rn_op_desc like(rn_op_kind kind, rn_tensor_desc t)
{
    return (rn_op_desc){.kind = kind, .src = t, .dst = t, .epsilon = 1e-5f, .momentum = 0.1f};
}

static void batch_norm_gradients(void **state)
{
    (void)state;
    for (int variant = 0; variant < 8; variant++) {
        rn_op_desc d = like(RN_OP_BATCH_NORM_TRAIN, nchw(3, 2, 5, 3));
        d.relu = variant & 1;
        d.add = variant & 2;
        d.diff_dst2 = variant & 4;
        harness_check_gradients(&d, &ref, 2e-3);
    }
}

static void elementwise_gradients(void **state)
{
    rn_op_desc d = like(RN_OP_RELU, nchw(2, 3, 3, 5));

    (void)state;
    harness_check_gradients(&d, &ref, 1e-3);
    d.diff_dst2 = true;
    harness_check_gradients(&d, &ref, 1e-3);
    d = like(RN_OP_ADD, nchw(2, 3, 3, 5));
    d.relu = true;
    harness_check_gradients(&d, &ref, 1e-3);
}

static void scale_and_dropout_gradients(void **state)
{
    rn_op_desc d = like(RN_OP_SCALE, nchw(2, 3, 3, 5));

    (void)state;
    d.scale = -0.75f;
    harness_check_gradients(&d, &ref, 1e-4);
    d = like(RN_OP_DROPOUT, nchw(2, 19, 3, 5)); // more channels than share a place
    d.rate = 0.4f;
    d.scale = 1 / 0.6f;
    d.stream = 3;
    harness_check_gradients(&d, &ref, 1e-4);
    d.whole = true;
    harness_check_gradients(&d, &ref, 1e-4);
    d = (rn_op_desc){.kind = RN_OP_DROPOUT, .src = nc(3, 37), .dst = nc(3, 37), .scale = 2};
    d.rate = 0.5f;
    harness_check_gradients(&d, &ref, 1e-4);
}

static void gate_gradients(void **state)
{
    (void)state;
    for (int complement = 0; complement < 2; complement++) {
        rn_op_desc d = like(RN_OP_GATE, nchw(2, 3, 3, 5));
        d.complement = complement;
        harness_check_gradients(&d, &ref, 1e-3);
    }
}

static void flatten_gradients(void **state)
{
    rn_op_desc d = {.kind = RN_OP_FLATTEN, .src = nchw(2, 3, 5, 2), .dst = nc(2, 30)};

    (void)state;
    harness_check_gradients(&d, &ref, 1e-4);
}

static void shortcut_gradients(void **state)
{
    rn_op_desc d = like(RN_OP_SHORTCUT_PAD, nchw(2, 3, 5, 7));

    (void)state;
    d.dst = nchw(2, 8, 3, 4);
    d.stride = 2;
    d.channel_offset = 2;
    harness_check_gradients(&d, &ref, 1e-3);
}

static void cross_entropy_gradients(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        rn_op_desc d = like(RN_OP_CROSS_ENTROPY, nc(5, 7));
        d.label_smoothing = 0.5f * (float)i;
        harness_check_gradients(&d, &ref, 1e-3);
        d.mixed = true;
        harness_check_gradients(&d, &ref, 1e-3);
    }
}

// x = 1, 3 in one channel: mean 2, variance 1 (unbiased 2), normalised -1, 1.
static void batch_norm_by_hand(void **state)
{
    rn_op_desc d = like(RN_OP_BATCH_NORM_TRAIN, nchw(2, 1, 1, 1));
    float src[2] = {1, 3}, src2[2] = {0.5f, -7}, gain = 2, bias = 1, mean = 10, variance = 20;
    float dst[2], saved[RN_SAVED_VECTORS];
    void *args[RN_ARGS] = {
        [RN_ARG_SRC] = src,    [RN_ARG_SRC2] = src2,          [RN_ARG_WEIGHTS] = &gain,
        [RN_ARG_BIAS] = &bias, [RN_ARG_RUNNING_MEAN] = &mean, [RN_ARG_RUNNING_VARIANCE] = &variance,
        [RN_ARG_DST] = dst,    [RN_ARG_SAVED] = saved};
    rn_kernel *kernel = NULL;

    (void)state;
    d.epsilon = 0;
    d.momentum = 0.5f;
    d.add = d.relu = true;
    assert_int_equal(engine->create(engine, &kernel, &d), RN_OK);
    assert_int_equal(kernel->run(kernel, args), RN_OK);
    assert_float_equal(dst[0], 0, 0);    // 2 (-1) + 1 + 0.5 < 0
    assert_float_equal(dst[1], 0, 0);    // 2 + 1 - 7 < 0
    assert_float_equal(saved[0], 2, 0);  // mean
    assert_float_equal(saved[1], 1, 0);  // 1 / deviation
    assert_float_equal(saved[2], 0, 0);  // nothing lost
    assert_float_equal(mean, 6, 0);      // (10 + 2) / 2
    assert_float_equal(variance, 11, 0); // (20 + 2) / 2
    rn_kernel_free(kernel);
    d.kind = RN_OP_BATCH_NORM_INFER;
    variance = 4;
    assert_int_equal(engine->create(engine, &kernel, &d), RN_OK);
    assert_int_equal(kernel->run(kernel, args), RN_OK);
    assert_float_equal(dst[0], 0, 0); // 2 (1 - 6) / 2 + 1 + 0.5 < 0
    src2[1] = 7;
    assert_int_equal(kernel->run(kernel, args), RN_OK);
    assert_float_equal(dst[1], 5, 0); // 2 (3 - 6) / 2 + 1 + 7
    rn_kernel_free(kernel);
}

static void cross_entropy_by_hand(void **state)
{
    rn_op_desc d = like(RN_OP_CROSS_ENTROPY, nc(2, 2));
    float src[4] = {0, 0, 1000, 0}, diff[4];
    int32_t labels[2] = {1, 0};
    rn_loss loss;
    void *args[RN_ARGS] = {[RN_ARG_SRC] = src,
                           [RN_ARG_LABELS] = labels,
                           [RN_ARG_DIFF_SRC] = diff,
                           [RN_ARG_LOSS] = &loss};
    rn_kernel *kernel = NULL;

    (void)state;
    assert_int_equal(engine->create(engine, &kernel, &d), RN_OK);
    assert_int_equal(kernel->run(kernel, args), RN_OK);
    assert_float_equal((float)loss.loss, (float)(log(2) / 2), 1e-7f);
    assert_int_equal(loss.wrong, 1); // of equals the first is the answer
    assert_float_equal(diff[0], 0.25f, 0);
    assert_float_equal(diff[1], -0.25f, 0);
    assert_float_equal(diff[2], 0, 0);
    labels[1] = 2;
    assert_int_equal(kernel->run(kernel, args), RN_EINVAL);
    assert_string_equal(rn_error_message(), "label 2 of sample 1, expected 0 to 1");
    rn_kernel_free(kernel);
}

// Two classes, logits log 3 apart: p = 3/4, 1/4. A quarter of the first label is three of the
// second.
static void mixed_labels_by_hand(void **state)
{
    rn_op_desc d = like(RN_OP_CROSS_ENTROPY, nc(3, 2));
    float src[6] = {logf(3), 0, logf(3), 0, logf(3), 0}, diff[6], shares[3] = {0.25f, 0.75f, 0.5f};
    int32_t labels[3] = {0, 0, 0}, labels_b[3] = {1, 1, 1};
    rn_loss loss;
    void *args[RN_ARGS] = {
        [RN_ARG_SRC] = src,       [RN_ARG_LABELS] = labels, [RN_ARG_LABELS_B] = labels_b,
        [RN_ARG_SHARES] = shares, [RN_ARG_DIFF_SRC] = diff, [RN_ARG_LOSS] = &loss};
    rn_kernel *kernel = NULL;

    (void)state;
    d.mixed = true;
    assert_int_equal(engine->create(engine, &kernel, &d), RN_OK);
    assert_int_equal(kernel->run(kernel, args), RN_OK);
    assert_float_equal((float)loss.loss, (float)((log(4) + log(4.0 / 3)) / 2), 1e-6f);
    assert_int_equal(loss.wrong, 1); // equal shares: the first label
    assert_float_equal(diff[0], 0.5f / 3, 1e-7f);
    assert_float_equal(diff[1], -0.5f / 3, 1e-7f);
    assert_float_equal(diff[2], 0, 1e-7f);
    assert_float_equal(diff[4], 0.25f / 3, 1e-7f);
    rn_kernel_free(kernel);
}

static void sgd_by_hand(void **state)
{
    float value = 2, velocity = 1, gradient = 3, average = 4;
    rn_sgd_update update = {.value = &value,
                            .velocity = &velocity,
                            .gradient = &gradient,
                            .count = 1,
                            .lr = 0.5f,
                            .momentum = 0.5f,
                            .decay = 0.25f};

    (void)state;
    rn_ref_sgd(&update); // u = 3.5, v = 4
    assert_float_equal(velocity, 4, 0);
    assert_float_equal(value, 0, 0);
    update.nesterov = true;
    rn_ref_sgd(&update); // u = 3, v = 5, u + v / 2 = 5.5
    assert_float_equal(velocity, 5, 0);
    assert_float_equal(value, -2.75f, 0);
    rn_ref_ema(&average, &velocity, 1, 0.75f);
    assert_float_equal(average, 4.25f, 0);
}

static int open_engine(void **state)
{
    (void)state;
    ref.context = NULL;
    if (rn_ref_engine_create(&engine) != RN_OK)
        return -1;
    ref.context = engine;
    return 0;
}

static int close_engine(void **state)
{
    (void)state;
    engine->free(engine);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_norm_gradients),        cmocka_unit_test(elementwise_gradients),
        cmocka_unit_test(shortcut_gradients),          cmocka_unit_test(cross_entropy_gradients),
        cmocka_unit_test(batch_norm_by_hand),          cmocka_unit_test(cross_entropy_by_hand),
        cmocka_unit_test(mixed_labels_by_hand),        cmocka_unit_test(sgd_by_hand),
        cmocka_unit_test(scale_and_dropout_gradients), cmocka_unit_test(gate_gradients),
        cmocka_unit_test(flatten_gradients),
    };

    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
