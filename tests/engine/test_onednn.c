// Every kind of op that oneDNN computes against the ref engine, odd shapes, and what else is to be
// said of its kernels.
#include "onednn_harness.h"

static void convolutions(void **state)
{
    static const int channels[][2] = {{16, 16}, {32, 16}, {1, 5}, {17, 20}, {3, 32}};
    static const int kernels[] = {1, 3, 7}, sizes[] = {5, 8, 9, 1};

    (void)state;
    for (size_t c = 0; c < sizeof channels / sizeof *channels; c++)
        for (int k = 0; k < 3; k++)
            for (int stride = 1; stride <= 2; stride++) {
                size_t odd = c + (size_t)k;
                rn_tensor_desc src =
                    image(layout, 1 + (int)(odd % 3), channels[c][0], sizes[odd % 4]);
                check_conv(conv(src, layout, channels[c][1], kernels[k], stride));
            }
}

// The first layer: plain image in, blocked out, at 1, 3 and more channels.
static void stems(void **state)
{
    static const int channels[][2] = {{3, 16}, {1, 16}, {3, 20}, {5, 3}, {3, 64}};

    (void)state;
    for (size_t c = 0; c < sizeof channels / sizeof *channels; c++)
        for (int stride = 1; stride <= 2; stride++) {
            rn_tensor_desc src = image(RN_LAYOUT_NCHW, 2, channels[c][0], 7);
            check_conv(conv(src, layout, channels[c][1], 3, stride));
            check_conv(conv(src, layout, channels[c][1], 7, stride));
        }
}

// What may follow a convolution in inference.
static void fused(void **state)
{
    const rn_op_desc cases[] = {
        conv(image(layout, 2, 17, 5), layout, 20, 1, 1),
        conv(image(layout, 1, 16, 9), layout, 33, 3, 2),
        conv(image(layout, 3, 16, 1), layout, 16, 3, 1),
        conv(image(RN_LAYOUT_NCHW, 2, 3, 7), layout, 20, 7, 2),
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        harness_check_fused(&cases[i], &ref, &tested, 1e-5);
}

static void linears(void **state)
{
    static const int shapes[][3] = {
        {1, 1, 1}, {2, 64, 10}, {3, 17, 5}, {128, 16, 100}, {3, 32, 16}};

    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        rn_op_desc d = {.src = row(shapes[i][0], shapes[i][1]),
                        .dst = row(shapes[i][0], shapes[i][2])};
        for (rn_op_kind kind = RN_OP_LINEAR; kind <= RN_OP_LINEAR_BACKWARD_WEIGHTS; kind++)
            check(d, kind);
    }
}

static void max_pools(void **state)
{
    static const int channels[] = {1, 5, 16, 20, 32}, sizes[] = {5, 7, 8, 9};

    (void)state;
    for (int plain = 0; plain < 2; plain++)
        for (int i = 0; i < 5; i++)
            for (int j = 0; j < 4; j++) {
                rn_layout order = plain != 0 ? RN_LAYOUT_NCHW : layout;
                int kernel = 2 + j % 2;
                rn_op_desc d = conv(image(order, 1 + i % 3, channels[i], sizes[j]), order,
                                    channels[i], kernel, 1 + i % 2);
                check(d, RN_OP_MAX_POOL);
                d.training = true;
                check(d, RN_OP_MAX_POOL);
                check(d, RN_OP_MAX_POOL_BACKWARD);
            }
}

static void average_pools(void **state)
{
    static const int channels[] = {1, 5, 16, 20, 64}, sizes[] = {1, 7, 8};

    (void)state;
    for (int plain = 0; plain < 2; plain++)
        for (int i = 0; i < 5; i++)
            for (int j = 0; j < 3; j++) {
                rn_layout order = plain != 0 ? RN_LAYOUT_NCHW : layout;
                rn_op_desc d = {.src = image(order, 1 + i % 3, channels[i], sizes[j]),
                                .dst = row(1 + i % 3, channels[i])};
                check(d, RN_OP_AVERAGE_POOL);
                check(d, RN_OP_AVERAGE_POOL_BACKWARD);
            }
}

// No shape of the CIFAR networks falls back to plain loops or im2col.
static void uses_generated_code(void **state)
{
    static const int shapes[][5] = {{3, 16, 32, 3, 1},  {16, 16, 32, 3, 1}, {16, 32, 32, 3, 2},
                                    {32, 32, 16, 3, 1}, {32, 64, 16, 3, 2}, {64, 64, 8, 3, 1},
                                    {16, 32, 32, 1, 2}, {32, 64, 16, 1, 2}, {16, 16, 32, 1, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const int *s = shapes[i];
        rn_tensor_desc src = image(s[0] == 3 ? RN_LAYOUT_NCHW : layout, 8, s[0], s[2]);
        src.w = src.h;
        rn_op_desc d = conv(src, layout, s[1], s[3], s[4]);
        check_generated(d);
    }
}

// One kernel, two sets of arguments in turn: nothing stays from the first run.
static void runs_again(void **state)
{
    rn_op_desc d = conv(image(layout, 2, 16, 8), layout, 16, 3, 1);
    harness_values first, second, again;
    harness_op op;

    (void)state;
    d.kind = RN_OP_CONV_BACKWARD_DATA;
    harness_draw(&first, &d, 1);
    harness_draw(&second, &d, 2);
    harness_draw(&again, &d, 3);
    harness_open(&op, &tested, &d);
    for (int i = 0; i < 3; i++) {
        const harness_values *in = i == 1 ? &second : &first;
        harness_load(&op, in);
        harness_execute(&op);
        harness_store(&op, in, i == 2 ? &again : (harness_values *)in);
    }
    harness_compare(&d, &first, &again, 0);
    harness_close(&op);
    harness_values_release(&first);
    harness_values_release(&second);
    harness_values_release(&again);
}

// A kernel made for one number of threads runs with another.
static void thread_count_changes(void **state)
{
    int threads = rn_threads();

    (void)state;
    for (int made = 1; made <= 3; made++)
        for (rn_op_kind kind = RN_OP_CONV; kind <= RN_OP_CONV_BACKWARD_WEIGHTS; kind++) {
            rn_op_desc d = conv(image(layout, 3, 32, 8), layout, 32, 3, 1);
            harness_values in, expected;
            harness_op op;
            d.kind = kind;
            harness_draw(&in, &d, 1);
            harness_draw(&expected, &d, 1);
            assert_int_equal(rn_threads_set(made), RN_OK);
            harness_open(&op, &tested, &d);
            for (int used = 1; used <= 3; used++) {
                harness_values *out = used == 1 ? &expected : &in;
                assert_int_equal(rn_threads_set(used), RN_OK);
                harness_load(&op, &in);
                harness_execute(&op);
                harness_store(&op, &in, out);
                harness_compare(&d, &expected, out, 1e-5);
            }
            harness_close(&op);
            harness_values_release(&in);
            harness_values_release(&expected);
        }
    assert_int_equal(rn_threads_set(threads), RN_OK);
}

static void refuses(void **state)
{
    rn_op_desc d = conv(image(layout, 2, 16, 8), layout, 16, 3, 1);
    rn_onednn *other = NULL;
    rn_kernel *kernel = (rn_kernel *)&d;

    (void)state;
    d.kind = RN_OP_RELU;
    assert_int_equal(rn_onednn_kernel(onednn, &kernel, &d), RN_EUNSUPPORTED);
    assert_null(kernel);
    d.kind = RN_OP_LINEAR; // not rows
    assert_int_equal(rn_onednn_kernel(onednn, &kernel, &d), RN_EUNSUPPORTED);
    d.kind = RN_OP_CONV_BACKWARD_DATA; // no forward kernel
    assert_int_equal(rn_onednn_kernel(onednn, &kernel, &d), RN_EINVAL);
    d.kind = RN_OP_CONV;
    d.dst.h = 3; // does not follow from the rest
    assert_int_equal(rn_onednn_kernel(onednn, &kernel, &d), RN_ENGINE);
    assert_non_null(strstr(rn_error_message(), "2x16x8x9"));
    assert_non_null(strstr(rn_error_message(), "invalid_arguments"));
    assert_null(kernel);
    assert_int_equal(rn_onednn_create(&other, "mmx"), RN_EINVAL);
    assert_null(other);
    assert_int_equal(strncmp(rn_onednn_version(onednn), "oneDNN ", 7), 0);
}

// The limit stands for the process: the same again or less is fine, more is an error.
static void second_instance(void **state)
{
    rn_onednn *other = NULL;

    (void)state;
    assert_int_equal(rn_onednn_create(&other, isa), RN_OK);
    rn_onednn_free(other);
    assert_int_equal(rn_onednn_create(&other, "avx2"), RN_OK);
    rn_onednn_free(other);
    if (strcmp(isa, "avx2") == 0) {
        assert_int_equal(rn_onednn_create(&other, "avx512"), RN_ENGINE);
        assert_null(other);
    }
}

static bool fail_at(size_t bytes, void *context)
{
    (void)bytes;
    return (*(int *)context)-- != 0;
}

static void out_of_memory(void **state)
{
    rn_op_desc d = conv(image(layout, 1, 16, 5), layout, 16, 3, 1);
    rn_kernel *forward = make(d, RN_OP_CONV, NULL);
    rn_status st = RN_ENOMEM;
    int tries = 0;

    (void)state;
    for (; st != RN_OK; tries++) {
        rn_kernel *kernel = (rn_kernel *)&d;
        int countdown = tries;
        d.kind = RN_OP_CONV_BACKWARD_DATA;
        d.forward = forward;
        rn_alloc_hook_set(fail_at, &countdown);
        st = rn_onednn_kernel(onednn, &kernel, &d);
        rn_alloc_hook_set(NULL, NULL);
        if (st != RN_OK)
            assert_null(kernel);
        else
            rn_kernel_free(kernel);
    }
    assert_true(tries > 2);
    rn_kernel_free(forward);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions),
        cmocka_unit_test(stems),
        cmocka_unit_test(fused),
        cmocka_unit_test(linears),
        cmocka_unit_test(max_pools),
        cmocka_unit_test(average_pools),
        cmocka_unit_test(runs_again),
        cmocka_unit_test(uses_generated_code),
        cmocka_unit_test(refuses),
        cmocka_unit_test(second_instance),
        cmocka_unit_test(thread_count_changes),
        cmocka_unit_test(out_of_memory),
    };

    return test_both(tests, sizeof tests / sizeof *tests);
}
