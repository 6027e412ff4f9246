// The widest layers at their full size: VGG's first linear layer, of which outputs here and there
// are compared with their sums (it has 103 million weights: 2 GB of memory), and the convolutions
// of ResNet-50's last stage against the ref engine. In both blocked layouts.
#include "onednn_harness.h"

enum { IN = 25088, OUT = 4096, SAMPLES = 500 };

/** The linear layer's arguments in canonical order, weights also in the kernel's. */
typedef struct layer {
    rn_op_desc desc;
    rn_kernel *forward;
    float *arg[RN_ARGS], *native;
} layer;

static float *allocate(size_t count)
{
    float *values = NULL;

    assert_int_equal(rn_alloc((void **)&values, count * sizeof *values, 1), RN_OK);
    return values;
}

static float *draw(size_t count, uint32_t which)
{
    float *values = allocate(count);
    rn_stream stream;

    rn_stream_init(&stream, 1, RN_PURPOSE_TEST, 0, which);
    for (size_t i = 0; i < count; i++)
        values[i] = 2 * rn_stream_uniform(&stream) - 1;
    return values;
}

static layer open_layer(int n)
{
    layer l = {.desc = {.src = row(n, IN), .dst = row(n, OUT)}};
    size_t rows = (size_t)n;

    l.forward = make(l.desc, RN_OP_LINEAR, NULL);
    l.arg[RN_ARG_SRC] = draw(rows * IN, 1);
    l.arg[RN_ARG_WEIGHTS] = draw((size_t)IN * OUT, 2);
    l.arg[RN_ARG_BIAS] = draw(OUT, 3);
    l.arg[RN_ARG_DIFF_DST] = draw(rows * OUT, 4);
    l.arg[RN_ARG_DST] = allocate(rows * OUT);
    l.arg[RN_ARG_DIFF_SRC] = allocate(rows * IN);
    l.arg[RN_ARG_DIFF_BIAS] = allocate(OUT);
    l.native = allocate(l.forward->native_count(l.forward, RN_ARG_WEIGHTS));
    assert_int_equal(l.forward->pack(l.forward, RN_ARG_WEIGHTS, l.arg[RN_ARG_WEIGHTS], l.native),
                     RN_OK);
    return l;
}

static void close_layer(layer *l)
{
    for (int a = 0; a < RN_ARGS; a++)
        rn_free(l->arg[a]);
    rn_free(l->native);
    rn_kernel_free(l->forward);
}

static void run_direction(layer *l, rn_op_kind kind)
{
    bool forward = kind == RN_OP_LINEAR;
    rn_kernel *kernel = make(l->desc, kind, forward ? NULL : l->forward);
    void *args[RN_ARGS];

    memcpy(args, l->arg, sizeof args);
    args[RN_ARG_WEIGHTS] = args[RN_ARG_DIFF_WEIGHTS] = l->native;
    args[RN_ARG_SCRATCH] =
        kernel->scratch_bytes > 0 ? allocate(kernel->scratch_bytes / 4 + 1) : NULL;
    if (kernel->run(kernel, args) != RN_OK)
        fail_msg("%s", rn_error_message());
    rn_free(args[RN_ARG_SCRATCH]);
    rn_kernel_free(kernel);
}

// One sum of products: count terms of a[i * a_step] b[i * b_step].
typedef struct sum {
    const float *a, *b;
    size_t a_step, b_step, count;
} sum;

static void check_sum(const char *what, float found, sum s, double start)
{
    double expected = start, bound = 2e-5 * sqrt((double)s.count); // of terms between -1 and 1

    for (size_t i = 0; i < s.count; i++)
        expected += (double)s.a[i * s.a_step] * (double)s.b[i * s.b_step];
    if (!(fabs((double)found - expected) <= bound))
        fail_msg("%s is %.8g, expected %.8g +- %.2g", what, (double)found, expected, bound);
}

static void check_layer(int n)
{
    layer l = open_layer(n);
    const float *src = l.arg[RN_ARG_SRC], *diff_dst = l.arg[RN_ARG_DIFF_DST];
    float *weights = l.arg[RN_ARG_WEIGHTS];
    size_t rows = (size_t)n;
    rn_stream at;

    rn_stream_init(&at, 2, RN_PURPOSE_TEST, 0, 0);
    run_direction(&l, RN_OP_LINEAR);
    run_direction(&l, RN_OP_LINEAR_BACKWARD_DATA);
    for (int k = 0; k < SAMPLES; k++) {
        size_t r = rn_stream_below(&at, (uint32_t)n), o = rn_stream_below(&at, OUT);
        size_t i = rn_stream_below(&at, IN);
        check_sum("dst", l.arg[RN_ARG_DST][r * OUT + o],
                  (sum){src + r * IN, weights + o * IN, 1, 1, IN}, (double)l.arg[RN_ARG_BIAS][o]);
        check_sum("diff_src", l.arg[RN_ARG_DIFF_SRC][r * IN + i],
                  (sum){diff_dst + r * OUT, weights + i, 1, IN, OUT}, 0);
    }
    run_direction(&l, RN_OP_LINEAR_BACKWARD_WEIGHTS); // in place of the weights
    assert_int_equal(l.forward->unpack(l.forward, RN_ARG_WEIGHTS, l.native, weights), RN_OK);
    for (int k = 0; k < SAMPLES; k++) {
        size_t o = rn_stream_below(&at, OUT), i = rn_stream_below(&at, IN);
        const float one = 1;
        check_sum("diff_weights", weights[o * IN + i], (sum){diff_dst + o, src + i, OUT, IN, rows},
                  0);
        check_sum("diff_bias", l.arg[RN_ARG_DIFF_BIAS][o], (sum){diff_dst + o, &one, OUT, 0, rows},
                  0);
    }
    close_layer(&l);
}

static void first_linear_layer_of_vgg(void **state)
{
    (void)state;
    check_layer(1);
    check_layer(3);
    check_layer(16);
}

static void last_stage_of_resnet_50(void **state)
{
    static const int cases[][5] = {{1024, 2048, 1, 2, 4}, {1024, 512, 1, 1, 4},
                                   {512, 512, 3, 2, 4},   {512, 512, 3, 1, 3},
                                   {512, 2048, 1, 1, 3},  {2048, 512, 1, 1, 3}};

    (void)state;
    for (int i = 0; i < 6; i++)
        for (rn_op_kind kind = RN_OP_CONV; kind <= RN_OP_CONV_BACKWARD_WEIGHTS; kind++) {
            const int *c = cases[i];
            rn_tensor_desc src = image(layout, 1 + i % 2, c[0], c[4]);
            check(conv(src, layout, c[1], c[2], c[3]), kind);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_linear_layer_of_vgg),
        cmocka_unit_test(last_stage_of_resnet_50),
    };

    return test_both(tests, sizeof tests / sizeof *tests);
}
