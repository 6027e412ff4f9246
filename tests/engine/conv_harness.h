/**
 * The own convolutions in all three directions against the ref engine. Header only, for programs of
 * cpu_harness.h.
 */
#ifndef ENGINE_CONV_HARNESS_H
#define ENGINE_CONV_HARNESS_H

#include "cpu_harness.h"

/** A maker's context. */
typedef struct conv_maker {
    const rn_cpu_functions *functions;
    rn_conv_method method;
} conv_maker;

static inline rn_status create_conv(void *context, rn_kernel **out, const rn_op_desc *desc)
{
    const conv_maker *maker = context;

    return rn_conv_kernel(out, maker->functions, maker->method, desc);
}

/** Run body(layout, maker, norms' maker) for each instruction set of this machine. */
static inline void each_conv_isa(rn_conv_method method,
                                 void (*body)(rn_layout layout, const harness_maker *maker))
{
    for (rn_isa isa = RN_ISA_AVX2; isa <= rn_isa_supported(); isa++) {
        conv_maker context = {rn_cpu_functions_of(isa), method};
        const harness_maker maker = {create_conv, &context};
        body(layout_of(isa), &maker);
    }
}

/** A convolution: batch, input channels, height, width, output channels, kernel, stride, pad. */
typedef struct conv_case {
    int n, c, h, w, out, kernel, stride, pad;
    enum { BLOCKED, PLAIN } source; // NCHWc or NCHW is read
} conv_case;

static inline rn_op_desc conv_of(const conv_case *c, rn_layout layout)
{
    rn_layout from = c->source == PLAIN ? RN_LAYOUT_NCHW : layout;
    int height = (c->h + 2 * c->pad - c->kernel) / c->stride + 1;
    int width = (c->w + 2 * c->pad - c->kernel) / c->stride + 1;

    return (rn_op_desc){.kind = RN_OP_CONV,
                        .src = {RN_FLOAT32, from, c->n, c->c, c->h, c->w},
                        .dst = {RN_FLOAT32, layout, c->n, c->out, height, width},
                        .kernel = c->kernel,
                        .stride = c->stride,
                        .pad = c->pad};
}

/** All directions within `tolerance` of the largest value. */
static inline void check_conv(const conv_case *c, rn_layout layout, const harness_maker *maker,
                              double tolerance)
{
    rn_op_desc d = conv_of(c, layout);

    harness_check(&d, &ref, maker, tolerance);
    d.kind = RN_OP_CONV_BACKWARD_DATA;
    if (d.src.layout == layout) // nobody wants the gradient of a plain source, the picture
        harness_check(&d, &ref, maker, tolerance);
    d.kind = RN_OP_CONV_BACKWARD_WEIGHTS;
    harness_check(&d, &ref, maker, tolerance);
}

static inline void check_fused_conv(const conv_case *c, rn_layout layout,
                                    const harness_maker *maker, double tolerance)
{
    rn_op_desc d = conv_of(c, layout);

    harness_check_fused(&d, &ref, maker, tolerance);
}

/** Forward and backward data give the same bits with one thread and with three. */
static inline void check_threads(const conv_case *c, rn_layout layout, const harness_maker *maker)
{
    int before = rn_threads();

    for (int data = 0; data < 2; data++) {
        rn_op_desc d = conv_of(c, layout);
        rn_arg result = data ? RN_ARG_DIFF_SRC : RN_ARG_DST;
        harness_values v[2];
        d.kind = data ? RN_OP_CONV_BACKWARD_DATA : RN_OP_CONV;
        for (int k = 0; k < 2; k++) {
            assert_int_equal(rn_threads_set(1 + 2 * k), RN_OK);
            harness_draw(&v[k], &d, 4);
            harness_evaluate(&d, maker, &v[k], RN_ARGS, RN_ARGS);
        }
        assert_memory_equal(v[0].arg[result], v[1].arg[result],
                            harness_count(&d, result) * sizeof(float));
        harness_values_release(&v[0]);
        harness_values_release(&v[1]);
    }
    assert_int_equal(rn_threads_set(before), RN_OK);
}

static inline void *statistics_memory(size_t bytes)
{
    void *memory = NULL;

    assert_int_equal(rn_alloc(&memory, bytes + 64, 1), RN_OK);
    memset(memory, 0xff, bytes);
    return memory;
}

static inline void statistics_run(rn_kernel *kernel, void *memory[RN_ARGS])
{
    void *args[RN_ARGS];

    memcpy(args, memory, sizeof args);
    args[RN_ARG_SCRATCH] = statistics_memory(kernel->scratch_bytes);
    assert_int_equal(kernel->run(kernel, args), RN_OK);
    rn_free(args[RN_ARG_SCRATCH]);
}

// The batch norm of d's DST: SAVED and the running statistics into `found`, 5 vectors.
static inline void statistics_norm(rn_kernel *kernel, void *const conv[RN_ARGS], size_t padded,
                                   float *found)
{
    void *memory[RN_ARGS] = {
        [RN_ARG_SRC] = conv[RN_ARG_DST], [RN_ARG_STATISTICS] = conv[RN_ARG_STATISTICS]};
    const rn_arg vectors[] = {RN_ARG_WEIGHTS, RN_ARG_BIAS};

    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        memory[vectors[i]] = calloc(padded, sizeof(float));
    memory[RN_ARG_SAVED] = found;
    memory[RN_ARG_RUNNING_MEAN] = found + RN_SAVED_VECTORS * padded;
    memory[RN_ARG_RUNNING_VARIANCE] = found + (RN_SAVED_VECTORS + 1) * padded;
    memory[RN_ARG_DST] = conv[RN_ARG_DIFF_DST];
    statistics_run(kernel, memory);
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        free(memory[vectors[i]]);
}

// The convolution of normal values with normal weights times `scale`, into memory[].
static inline void statistics_conv(rn_kernel *conv, const rn_op_desc *d, float scale,
                                   void *memory[RN_ARGS])
{
    size_t weights = conv->native_count(conv, RN_ARG_WEIGHTS) * sizeof(float);
    harness_values v;

    harness_draw(&v, d, 3);
    for (size_t i = 0; i < harness_count(d, RN_ARG_WEIGHTS); i++)
        v.arg[RN_ARG_WEIGHTS][i] *= scale;
    memory[RN_ARG_SRC] = statistics_memory(rn_tensor_bytes(&d->src));
    memory[RN_ARG_DST] = statistics_memory(rn_tensor_bytes(&d->dst));
    memory[RN_ARG_DIFF_DST] = statistics_memory(rn_tensor_bytes(&d->dst)); // the batch norms' DST
    memory[RN_ARG_STATISTICS] = statistics_memory(conv->statistics_bytes);
    memory[RN_ARG_WEIGHTS] = statistics_memory(weights);
    rn_tensor_pack(&d->src, v.arg[RN_ARG_SRC], memory[RN_ARG_SRC]);
    assert_int_equal(
        conv->pack(conv, RN_ARG_WEIGHTS, v.arg[RN_ARG_WEIGHTS], memory[RN_ARG_WEIGHTS]), RN_OK);
    statistics_run(conv, memory);
    harness_values_release(&v);
}

// mean, 1 / deviation, what float loses of the mean; then the running mean and variance
static inline void statistics_compare(const rn_op_desc *d, const float *expected,
                                      const float *found, size_t padded)
{
    enum { INVSTD = 1, VARIANCE = RN_SAVED_VECTORS + 1 };

    for (size_t i = 0; i < (RN_SAVED_VECTORS + 2) * padded; i++) {
        bool square = i / padded == INVSTD || i / padded == VARIANCE;
        double deviation = 1 / fmax((double)expected[padded + i % padded], 1e-30);
        double unit = square ? fabs((double)expected[i]) : deviation;
        bool padding = i % padded >= (size_t)d->dst.c;
        double bound = padding ? 0 : 2e-6 * unit;
        if (!(fabs((double)expected[i] - (double)found[i]) <= bound))
            fail_msg("%s: statistics[%zu] of %zu are %.9g, expected %.9g", harness_name(d),
                     i % padded, i / padded, (double)found[i], (double)expected[i]);
    }
}

/** Batch norms from statistics and from the values themselves agree; `scale` is the weights'. */
static inline void check_statistics(const conv_case *c, rn_layout layout,
                                    const harness_maker *maker, float scale)
{
    rn_isa isa = layout == RN_LAYOUT_NCHW16C ? RN_ISA_AVX512 : RN_ISA_AVX2;
    rn_op_desc d = conv_of(c, layout), norm = like(RN_OP_BATCH_NORM_TRAIN, d.dst);
    rn_kernel *conv = NULL, *of_pixels = NULL, *of_parts = NULL;
    size_t padded = (size_t)rn_padded_channels(&d.dst), count = (RN_SAVED_VECTORS + 2) * padded;
    float *expected = calloc(count, sizeof *expected), *found = calloc(count, sizeof *found);
    void *memory[RN_ARGS] = {0};

    norm.momentum = 1;
    d.statistics = norm.statistics = true;
    assert_int_equal(maker->create(maker->context, &conv, &d), RN_OK);
    norm.parts = conv->statistics_parts;
    assert_int_equal(rn_cpu_kernel(&of_parts, isa, &norm), RN_OK);
    norm.statistics = false;
    assert_int_equal(rn_cpu_kernel(&of_pixels, isa, &norm), RN_OK);
    statistics_conv(conv, &d, scale, memory);
    statistics_norm(of_pixels, memory, padded, expected);
    statistics_norm(of_parts, memory, padded, found);
    statistics_compare(&d, expected, found, padded);
    for (int a = 0; a < RN_ARGS; a++)
        rn_free(memory[a]);
    free(expected);
    free(found);
    rn_kernel_free(conv);
    rn_kernel_free(of_parts);
    rn_kernel_free(of_pixels);
}

#endif
