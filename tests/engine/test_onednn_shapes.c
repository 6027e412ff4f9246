// The layers of ImageNet networks and of VGG (their kernels, strides, channels and biases, on small
// images) against the ref engine, forward and backward, in both blocked layouts.
#include "onednn_harness.h"

static void stems(void **state)
{
    static const int sizes[] = {7, 8, 16};

    (void)state;
    for (int i = 0; i < 3; i++) {
        rn_tensor_desc src = image(RN_LAYOUT_NCHW, 1 + i % 2, 3, sizes[i]);
        check_conv(conv(src, layout, 64, 7, 2)); // ResNet
        check_conv(conv(src, layout, 64, 3, 1)); // VGG
    }
}

// in, out, kernel, stride, size
static const int convolutions[][5] = {
    {64, 256, 1, 1, 3},  {256, 64, 1, 1, 5},  {64, 128, 3, 2, 7},  {256, 128, 1, 2, 7},
    {256, 512, 1, 2, 3}, {128, 128, 3, 2, 2}, {128, 256, 3, 2, 2}, {512, 1024, 1, 2, 3},
    {256, 256, 3, 1, 1}, {2048, 96, 1, 1, 3}, {96, 2048, 1, 1, 2}, {1024, 512, 1, 2, 2},
};

enum { CONVOLUTIONS = sizeof convolutions / sizeof *convolutions };

static rn_op_desc convolution(int i, int n)
{
    const int *s = convolutions[i];

    return conv(image(layout, n, s[0], s[4]), layout, s[1], s[2], s[3]);
}

static void check_direct(rn_op_desc d, int index)
{
    d.bias = index % 2;
    for (rn_op_kind kind = RN_OP_CONV; kind <= RN_OP_CONV_BACKWARD_WEIGHTS; kind++)
        check(d, kind);
}

static void wide_convolutions(void **state)
{
    (void)state;
    for (int i = 0; i < CONVOLUTIONS; i++)
        check_direct(convolution(i, 1 + i % 2), i);
}

// Channels that fill no block, as widened and narrowed networks have.
static void odd_convolutions(void **state)
{
    static const int cases[][4] = {
        {100, 200, 1, 2}, {37, 75, 3, 2}, {160, 20, 3, 1}, {513, 9, 1, 1}};

    (void)state;
    for (int i = 0; i < 4; i++)
        for (int size = 1; size < 8; size += 3) {
            const int *c = cases[i];
            check_direct(conv(image(layout, 1 + i % 2, c[0], size), layout, c[1], c[2], c[3]), i);
        }
}

static void linears(void **state)
{
    static const int shapes[][3] = {{1, 25088, 7},  {16, 25088, 3}, {1, 40, 4096},
                                    {2, 67, 4096},  {16, 4096, 20}, {1, 2048, 100},
                                    {5, 1000, 313}, {16, 128, 1000}};

    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        rn_op_desc d = {.src = row(shapes[i][0], shapes[i][1]),
                        .dst = row(shapes[i][0], shapes[i][2])};
        for (rn_op_kind kind = RN_OP_LINEAR; kind <= RN_OP_LINEAR_BACKWARD_WEIGHTS; kind++)
            check(d, kind);
    }
}

// 3x3 with stride 2 and padding (ResNet), 2x2 with stride 2 and none (VGG: an odd edge is not
// read).
static void max_pools(void **state)
{
    static const int channels[] = {64, 192, 3, 72}, sizes[] = {4, 7, 11, 14};

    (void)state;
    for (int i = 0; i < 16; i++)
        for (int vgg = 0; vgg < 2; vgg++) {
            rn_op_desc d = conv(image(layout, 1 + i % 2, channels[i / 4], sizes[i % 4]), layout,
                                channels[i / 4], vgg ? 2 : 3, 2);
            d.pad = 1 - vgg;
            set_dst_size(&d);
            check(d, RN_OP_MAX_POOL);
            d.training = true;
            check(d, RN_OP_MAX_POOL);
            check(d, RN_OP_MAX_POOL_BACKWARD);
        }
}

// No layer falls back to plain loops or im2col, at the networks' own sizes.
static void uses_generated_code(void **state)
{
    static const int sizes[CONVOLUTIONS] = {56, 56, 56, 56, 56, 56, 14, 14, 14, 7, 7, 14};

    (void)state;
    for (int i = 0; i < CONVOLUTIONS; i++) {
        const int *s = convolutions[i];
        rn_tensor_desc src = image(layout, 2, s[0], sizes[i]);
        src.w = src.h;
        check_generated(conv(src, layout, s[1], s[2], s[3]));
    }
    rn_tensor_desc src = {RN_FLOAT32, RN_LAYOUT_NCHW, 2, 3, 224, 224};
    check_generated(conv(src, layout, 64, 7, 2));
    check_generated(conv(src, layout, 64, 3, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stems),
        cmocka_unit_test(wide_convolutions),
        cmocka_unit_test(odd_convolutions),
        cmocka_unit_test(linears),
        cmocka_unit_test(max_pools),
        cmocka_unit_test(uses_generated_code),
    };

    return test_both(tests, sizeof tests / sizeof *tests);
}
