// Every backward op of the ref engine against finite differences of its forward op, odd sizes.
#include "engine/ref/ref.h"
#include "op_harness.h"

static rn_status create(void *context, rn_kernel **out, const rn_op_desc *desc)
{
    (void)context;
    if (desc->kind <= RN_OP_CONV_BACKWARD_WEIGHTS)
        return rn_ref_conv_create(out, desc);
    if (desc->kind <= RN_OP_LINEAR_BACKWARD_WEIGHTS)
        return rn_ref_linear_create(out, desc);
    return rn_ref_pool_create(out, desc);
}

static const harness_maker ref = {create, NULL};

static rn_tensor_desc nchw(int n, int c, int h, int w)
{
    return (rn_tensor_desc){RN_FLOAT32, RN_LAYOUT_NCHW, n, c, h, w};
}

static rn_tensor_desc nc(int n, int c)
{
    return (rn_tensor_desc){RN_FLOAT32, RN_LAYOUT_NC, n, c, 1, 1};
}

static void check_conv(rn_tensor_desc src, int out, int kernel, int stride, int pad)
{
    int h = (src.h + 2 * pad - kernel) / stride + 1, w = (src.w + 2 * pad - kernel) / stride + 1;
    rn_op_desc d = {.kind = RN_OP_CONV,
                    .src = src,
                    .dst = nchw(src.n, out, h, w),
                    .kernel = kernel,
                    .stride = stride,
                    .pad = pad,
                    .bias = kernel == 3};

    harness_check_gradients(&d, &ref, 1e-3);
}

static void conv_gradients(void **state)
{
    (void)state;
    check_conv(nchw(2, 3, 5, 4), 2, 3, 1, 1);
    check_conv(nchw(1, 2, 7, 8), 3, 3, 2, 1);
    check_conv(nchw(3, 2, 5, 5), 3, 1, 2, 0);
    check_conv(nchw(2, 1, 9, 9), 2, 7, 2, 3);
    check_conv(nchw(1, 1, 1, 1), 1, 3, 1, 1);
}

static void linear_gradients(void **state)
{
    rn_op_desc d = {.kind = RN_OP_LINEAR, .src = nc(3, 5), .dst = nc(3, 4)};

    (void)state;
    harness_check_gradients(&d, &ref, 1e-3);
    d.src = nc(1, 1);
    d.dst = nc(1, 1);
    harness_check_gradients(&d, &ref, 1e-3);
}

static void pool_gradients(void **state)
{
    rn_op_desc d = {.kind = RN_OP_MAX_POOL,
                    .src = nchw(2, 3, 7, 5),
                    .dst = nchw(2, 3, 4, 3),
                    .kernel = 3,
                    .stride = 2,
                    .pad = 1,
                    .training = true};

    (void)state;
    harness_check_gradients(&d, &ref, 1e-3);
    d = (rn_op_desc){.kind = RN_OP_AVERAGE_POOL, .src = nchw(2, 3, 5, 4), .dst = nc(2, 3)};
    harness_check_gradients(&d, &ref, 1e-3);
}

// Worked by hand: a 2x2 image, a 3x3 kernel of 1 .. 9, padding 1.
static void conv_by_hand(void **state)
{
    rn_op_desc d = {.kind = RN_OP_CONV,
                    .src = nchw(1, 1, 2, 2),
                    .dst = nchw(1, 1, 2, 2),
                    .kernel = 3,
                    .stride = 1,
                    .pad = 1,
                    .bias = true};
    float src[4] = {1, 2, 3, 4}, weights[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, bias[1] = {0.5f};
    float dst[4], expected[4] = {77.5f, 67.5f, 47.5f, 37.5f}; // not flipped: cross-correlation
    void *args[RN_ARGS] = {
        [RN_ARG_SRC] = src, [RN_ARG_WEIGHTS] = weights, [RN_ARG_BIAS] = bias, [RN_ARG_DST] = dst};
    rn_kernel *kernel = NULL;

    (void)state;
    assert_int_equal(rn_ref_conv_create(&kernel, &d), RN_OK);
    assert_int_equal(kernel->run(kernel, args), RN_OK);
    assert_memory_equal(dst, expected, sizeof dst);
    rn_kernel_free(kernel);
}

static bool refuse(size_t bytes, void *context)
{
    (void)bytes;
    (void)context;
    return false;
}

static void refuses(void **state)
{
    rn_op_desc d = {.kind = RN_OP_CONV, .src = nchw(1, 8, 2, 2), .dst = nchw(1, 8, 2, 2)};
    rn_kernel *kernel = (rn_kernel *)&d;

    (void)state;
    assert_int_equal(rn_ref_pool_create(&kernel, &d), RN_EUNSUPPORTED);
    assert_null(kernel);
    d.kernel = d.stride = 1;
    rn_alloc_hook_set(refuse, NULL);
    assert_int_equal(rn_ref_conv_create(&kernel, &d), RN_ENOMEM);
    rn_alloc_hook_set(NULL, NULL);
    assert_null(kernel);
    d.src.layout = RN_LAYOUT_NCHW8C;
    assert_int_equal(rn_ref_conv_create(&kernel, &d), RN_EUNSUPPORTED);
    assert_non_null(strstr(rn_error_message(), "1x8x2x2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conv_gradients), cmocka_unit_test(linear_gradients),
        cmocka_unit_test(pool_gradients), cmocka_unit_test(conv_by_hand),
        cmocka_unit_test(refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
