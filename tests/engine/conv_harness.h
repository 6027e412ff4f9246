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
        conv_maker context = {rn_cpu_functions_of(isa, RN_FLOAT32), method};
        const harness_maker maker = {create_conv, &context};
        body(layout_of(isa), &maker);
    }
}

/** A convolution: batch, input channels, height, width, output channels, kernel, stride, pad. */
typedef struct conv_case {
    int n, c, h, w, out, kernel, stride, pad;
    enum { BLOCKED, PLAIN, BLOCKED_BF16 } source; // NCHWc or NCHW is read; of bfloat16 all is
} conv_case;

static inline rn_op_desc conv_of(const conv_case *c, rn_layout layout)
{
    rn_layout from = c->source == PLAIN ? RN_LAYOUT_NCHW : layout;
    rn_dtype type = c->source == BLOCKED_BF16 ? RN_BFLOAT16 : RN_FLOAT32;
    int height = (c->h + 2 * c->pad - c->kernel) / c->stride + 1;
    int width = (c->w + 2 * c->pad - c->kernel) / c->stride + 1;

    return (rn_op_desc){.kind = RN_OP_CONV,
                        .src = {type, from, c->n, c->c, c->h, c->w},
                        .dst = {type, layout, c->n, c->out, height, width},
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

// The convolution of normal values with normal weights times `scale`, into memory[]; of what is
// added the mean is `added`.
static inline void statistics_conv(rn_kernel *conv, const rn_op_desc *d, float scale, float added,
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
    if (d->add) {
        for (size_t i = 0; i < harness_count(d, RN_ARG_SRC2); i++)
            v.arg[RN_ARG_SRC2][i] += added;
        memory[RN_ARG_SRC2] = statistics_memory(rn_tensor_bytes(&d->dst));
        rn_tensor_pack(&d->dst, v.arg[RN_ARG_SRC2], memory[RN_ARG_SRC2]);
    }
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
        double rounding = fabs((double)expected[i % padded]) / 16; // of the mean, to a float
        double unit = square ? fabs((double)expected[i]) : deviation + rounding;
        bool padding = i % padded >= (size_t)d->dst.c;
        double bound = padding ? 0 : 2e-6 * unit;
        if (!(fabs((double)expected[i] - (double)found[i]) <= bound))
            fail_msg("%s: statistics[%zu] of %zu are %.9g, expected %.9g", harness_name(d),
                     i % padded, i / padded, (double)found[i], (double)expected[i]);
    }
}

/** Batch norms from statistics and from the values themselves agree; `scale` is the weights',
 * `added` the mean of what is added to the convolution, or 0: nothing is. */
static inline void check_statistics(const conv_case *c, rn_layout layout,
                                    const harness_maker *maker, float scale, float added)
{
    rn_isa isa = layout == RN_LAYOUT_NCHW16C ? RN_ISA_AVX512 : RN_ISA_AVX2;
    rn_op_desc d = conv_of(c, layout), norm = like(RN_OP_BATCH_NORM_TRAIN, d.dst);
    rn_kernel *conv = NULL, *of_pixels = NULL, *of_parts = NULL;
    size_t padded = (size_t)rn_padded_channels(&d.dst), count = (RN_SAVED_VECTORS + 2) * padded;
    float *expected = calloc(count, sizeof *expected), *found = calloc(count, sizeof *found);
    void *memory[RN_ARGS] = {0};

    norm.momentum = 1;
    d.statistics = norm.statistics = true;
    d.add = added != 0;
    assert_int_equal(maker->create(maker->context, &conv, &d), RN_OK);
    norm.parts = conv->statistics_parts;
    assert_int_equal(rn_cpu_kernel(&of_parts, isa, &norm), RN_OK);
    norm.statistics = false;
    assert_int_equal(rn_cpu_kernel(&of_pixels, isa, &norm), RN_OK);
    statistics_conv(conv, &d, scale, added, memory);
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

// ---- deferred batch norms

// One op on memory[]; scratch is its own.
static inline void deferred_run(rn_op_desc d, const harness_maker *maker, void *memory[RN_ARGS])
{
    rn_isa isa = rn_layout_block(d.dst.layout) == 16 ? RN_ISA_AVX512 : RN_ISA_AVX2;
    rn_kernel *kernel = NULL;

    rn_status st = d.kind >= RN_OP_CONV && d.kind <= RN_OP_CONV_BACKWARD_WEIGHTS
                       ? maker->create(maker->context, &kernel, &d)
                       : rn_cpu_kernel(&kernel, isa, &d);
    if (st != RN_OK)
        fail_msg("%s: %s", harness_name(&d), rn_error_message());
    statistics_run(kernel, memory);
    rn_kernel_free(kernel);
}

static inline float *deferred_random(size_t count, uint32_t seed)
{
    float *values = statistics_memory(count * sizeof *values);
    rn_stream stream;

    rn_stream_init(&stream, seed, RN_PURPOSE_TEST, 0, 0);
    for (size_t i = 0; i < count; i++)
        values[i] = rn_stream_normal(&stream);
    return values;
}

// A tensor, padding and all, of values that bfloat16 can hold.
static inline void *deferred_tensor(const rn_tensor_desc *desc, uint32_t seed)
{
    size_t count = rn_tensor_elements(desc);
    float *values = deferred_random(count, seed);
    uint16_t *rounded = statistics_memory(count * sizeof *rounded);

    for (size_t i = 0; i < count; i++) {
        rounded[i] = rn_bf16_of(values[i]);
        values[i] = rn_bf16_value(rounded[i]);
    }
    rn_free(desc->dtype == RN_FLOAT32 ? (void *)rounded : (void *)values);
    return desc->dtype == RN_FLOAT32 ? (void *)values : (void *)rounded;
}

// Forward, gradients of weights and of the batch norm's source, in memory[]. With `deferred` SRC
// and DST of the batch norm stay empty.
static inline void deferred_chain(const conv_case *c, rn_layout layout, const harness_maker *maker,
                                  bool relu, bool deferred, void *results[4])
{
    rn_op_desc conv = conv_of(c, layout), norm = like(RN_OP_BATCH_NORM_TRAIN, conv.src);
    size_t src = rn_tensor_bytes(&conv.src), dst = rn_tensor_bytes(&conv.dst);
    size_t padded = (size_t)rn_padded_channels(&conv.src);
    size_t weights =
        padded * (size_t)rn_padded_channels(&conv.dst) * (size_t)(conv.kernel * conv.kernel);
    void *m[RN_ARGS] = {[RN_ARG_SRC] = deferred_tensor(&conv.src, 1),
                        [RN_ARG_WEIGHTS] = deferred_random(padded, 2),
                        [RN_ARG_BIAS] = deferred_random(padded, 3),
                        [RN_ARG_RUNNING_MEAN] = deferred_random(padded, 4),
                        [RN_ARG_RUNNING_VARIANCE] = deferred_random(padded, 5),
                        [RN_ARG_SAVED] = statistics_memory(RN_SAVED_VECTORS * padded * 4),
                        [RN_ARG_NORM] = statistics_memory(RN_NORM_VECTORS * padded * 4),
                        [RN_ARG_DST] = statistics_memory(src)};

    norm.relu = relu;
    norm.deferred = deferred;
    deferred_run(norm, maker, m);
    conv.norm = deferred;
    conv.norm_relu = deferred && relu;
    void *k[RN_ARGS] = {[RN_ARG_SRC] = deferred ? NULL : m[RN_ARG_DST],
                        [RN_ARG_RAW] = deferred ? m[RN_ARG_SRC] : NULL,
                        [RN_ARG_NORM] = deferred ? m[RN_ARG_NORM] : NULL,
                        [RN_ARG_WEIGHTS] = deferred_random(weights, 6),
                        [RN_ARG_DIFF_DST] = deferred_tensor(&conv.dst, 7),
                        [RN_ARG_DST] = results[0] = statistics_memory(dst),
                        [RN_ARG_DIFF_WEIGHTS] = results[1] = statistics_memory(weights * 4)};
    deferred_run(conv, maker, k);
    conv.kind = RN_OP_CONV_BACKWARD_WEIGHTS;
    deferred_run(conv, maker, k);
    m[RN_ARG_DIFF_DST] = deferred_tensor(&conv.src, 8);
    m[RN_ARG_DIFF_SRC] = results[2] = statistics_memory(src);
    m[RN_ARG_DIFF_WEIGHTS] = results[3] = statistics_memory(padded * 4);
    m[RN_ARG_DIFF_BIAS] = statistics_memory(padded * 4);
    if (deferred) {
        rn_free(m[RN_ARG_DST]);
        m[RN_ARG_DST] = NULL;
    }
    norm.kind = RN_OP_BATCH_NORM_BACKWARD;
    deferred_run(norm, maker, m);
    rn_free(k[RN_ARG_WEIGHTS]);
    rn_free(k[RN_ARG_DIFF_DST]);
    m[RN_ARG_DIFF_SRC] = m[RN_ARG_DIFF_WEIGHTS] = NULL; // results
    for (int a = 0; a < RN_ARGS; a++)
        rn_free(m[a]);
}

/** A batch norm deferred to the convolution gives the same bits as one of its own. */
static inline void check_deferred(const conv_case *c, rn_layout layout, const harness_maker *maker)
{
    rn_op_desc conv = conv_of(c, layout);
    size_t padded = (size_t)rn_padded_channels(&conv.src);
    const size_t bytes[4] = {rn_tensor_bytes(&conv.dst),
                             padded * (size_t)rn_padded_channels(&conv.dst) *
                                 (size_t)(conv.kernel * conv.kernel) * 4,
                             rn_tensor_bytes(&conv.src), padded * 4};

    for (int relu = 0; relu < 2; relu++) {
        void *apart[4], *deferred[4];
        deferred_chain(c, layout, maker, relu, false, apart);
        deferred_chain(c, layout, maker, relu, true, deferred);
        for (int i = 0; i < 4; i++) {
            if (memcmp(apart[i], deferred[i], bytes[i]) != 0)
                fail_msg("%s, relu %d: result %d differs", harness_name(&conv), relu, i);
            rn_free(apart[i]);
            rn_free(deferred[i]);
        }
    }
}

#endif
