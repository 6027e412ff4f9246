/**
 * What op_harness.h stands on: which arguments an op has, drawing them, and running one kernel with
 * them in its native layouts. Header only, for cmocka programs.
 */
#ifndef ENGINE_OP_ARGUMENTS_H
#define ENGINE_OP_ARGUMENTS_H

#include "base/memory.h"
#include "base/random.h"
#include "plan/op.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HARNESS_BIT(name) (1u << RN_ARG_##name)

/** Who makes the kernels: an engine, or one creator of an engine. */
typedef struct harness_maker {
    rn_status (*create)(void *context, rn_kernel **out, const rn_op_desc *desc);
    void *context;
} harness_maker;

/** `create` for a harness_maker whose context is an rn_engine. */
static inline rn_status harness_engine_create(void *context, rn_kernel **out,
                                              const rn_op_desc *desc)
{
    rn_engine *engine = context;

    return engine->create(engine, out, desc);
}

/** Arguments in canonical order: activations NCHW, parameters as in op.h, SAVED mean[c] invstd[c]
 *  rest[c]. */
typedef struct harness_values {
    float *arg[RN_ARGS];
    int32_t *labels, *labels_b;
    float *shares;
    rn_random random;
    rn_loss loss;
} harness_values;

/** A kernel, its forward kernel if it has one, and its arguments in native layout. */
typedef struct harness_op {
    rn_op_desc desc;
    rn_kernel *forward, *kernel;
    unsigned char *memory[RN_ARGS]; // each with a guard behind it
    size_t bytes[RN_ARGS];
    rn_arg source[RN_ARGS]; // the argument whose memory this one uses: itself unless in place
} harness_op;

enum { HARNESS_GUARD = 64, HARNESS_GUARD_BYTE = 0xa5, HARNESS_POISON = 0xff };

static inline const char *harness_arg_name(rn_arg arg)
{
    static const char *const names[RN_ARGS] = {
        [RN_ARG_SRC] = "SRC",
        [RN_ARG_SRC2] = "SRC2",
        [RN_ARG_DST] = "DST",
        [RN_ARG_DIFF_DST] = "DIFF_DST",
        [RN_ARG_DIFF_DST2] = "DIFF_DST2",
        [RN_ARG_DIFF_SRC] = "DIFF_SRC",
        [RN_ARG_DIFF_SRC2] = "DIFF_SRC2",
        [RN_ARG_WEIGHTS] = "WEIGHTS",
        [RN_ARG_BIAS] = "BIAS",
        [RN_ARG_DIFF_WEIGHTS] = "DIFF_WEIGHTS",
        [RN_ARG_DIFF_BIAS] = "DIFF_BIAS",
        [RN_ARG_RUNNING_MEAN] = "RUNNING_MEAN",
        [RN_ARG_RUNNING_VARIANCE] = "RUNNING_VARIANCE",
        [RN_ARG_SAVED] = "SAVED",
        [RN_ARG_GAIN] = "GAIN",
        [RN_ARG_SHIFT] = "SHIFT",
        [RN_ARG_PREPARED] = "PREPARED",
        [RN_ARG_STATISTICS] = "STATISTICS",
        [RN_ARG_WORKSPACE] = "WORKSPACE",
        [RN_ARG_SCRATCH] = "SCRATCH",
        [RN_ARG_RANDOM] = "RANDOM",
        [RN_ARG_LABELS] = "LABELS",
        [RN_ARG_LABELS_B] = "LABELS_B",
        [RN_ARG_SHARES] = "SHARES",
        [RN_ARG_LOSS] = "LOSS",
    };

    return names[arg];
}

/** "conv 2x3x7x7 -> 2x16x7x7 k3 s1 p1 bias", for messages; static storage. */
static inline const char *harness_name(const rn_op_desc *d)
{
    static char text[256];

    snprintf(text, sizeof text, "%s %dx%dx%dx%d/%d -> %dx%dx%dx%d/%d k%d s%d p%d%s%s%s%s%s%s%s",
             rn_op_kind_name(d->kind), d->src.n, d->src.c, d->src.h, d->src.w,
             rn_layout_block(d->src.layout), d->dst.n, d->dst.c, d->dst.h, d->dst.w,
             rn_layout_block(d->dst.layout), d->kernel, d->stride, d->pad, d->bias ? " bias" : "",
             d->relu ? " relu" : "", d->add ? " add" : "", d->diff_dst2 ? " diff_dst2" : "",
             d->whole ? " whole" : "", d->complement ? " complement" : "",
             d->mixed ? " mixed" : "");
    return text;
}

/** Bits of the arguments that the op reads; WORKSPACE comes from the forward kernel. */
static inline unsigned harness_inputs(const rn_op_desc *d)
{
    unsigned bias = d->bias ? HARNESS_BIT(BIAS) : 0, src2 = d->add ? HARNESS_BIT(SRC2) : 0;
    unsigned diff_dst = HARNESS_BIT(DIFF_DST) | (d->diff_dst2 ? HARNESS_BIT(DIFF_DST2) : 0);

    switch (d->kind) {
    case RN_OP_CONV:
        return HARNESS_BIT(SRC) | HARNESS_BIT(WEIGHTS) | bias | src2 |
               (d->fold ? HARNESS_BIT(GAIN) | HARNESS_BIT(SHIFT) | HARNESS_BIT(RUNNING_MEAN) |
                              HARNESS_BIT(RUNNING_VARIANCE)
                        : 0);
    case RN_OP_LINEAR:
        return HARNESS_BIT(SRC) | HARNESS_BIT(WEIGHTS) | HARNESS_BIT(BIAS);
    case RN_OP_CONV_BACKWARD_DATA:
    case RN_OP_LINEAR_BACKWARD_DATA:
        return HARNESS_BIT(DIFF_DST) | HARNESS_BIT(WEIGHTS);
    case RN_OP_CONV_BACKWARD_WEIGHTS:
    case RN_OP_LINEAR_BACKWARD_WEIGHTS:
        return HARNESS_BIT(SRC) | HARNESS_BIT(DIFF_DST);
    case RN_OP_BATCH_NORM_TRAIN:
    case RN_OP_BATCH_NORM_INFER:
        return HARNESS_BIT(SRC) | HARNESS_BIT(WEIGHTS) | HARNESS_BIT(BIAS) | src2 |
               HARNESS_BIT(RUNNING_MEAN) | HARNESS_BIT(RUNNING_VARIANCE);
    case RN_OP_BATCH_NORM_AGAIN:
        return HARNESS_BIT(SRC) | HARNESS_BIT(WEIGHTS) | HARNESS_BIT(BIAS) | src2 |
               HARNESS_BIT(SAVED);
    case RN_OP_BATCH_NORM_BACKWARD:
        return HARNESS_BIT(SRC) | diff_dst | HARNESS_BIT(WEIGHTS) | HARNESS_BIT(SAVED) |
               (!d->relu ? 0
                : d->add ? HARNESS_BIT(DST)
                         : HARNESS_BIT(BIAS));
    case RN_OP_RELU_BACKWARD:
        return HARNESS_BIT(DST) | diff_dst;
    case RN_OP_ADD:
    case RN_OP_GATE:
        return HARNESS_BIT(SRC) | HARNESS_BIT(SRC2);
    case RN_OP_GATE_BACKWARD:
        return HARNESS_BIT(SRC) | HARNESS_BIT(SRC2) | diff_dst;
    case RN_OP_DROPOUT:
        return HARNESS_BIT(SRC) | HARNESS_BIT(RANDOM);
    case RN_OP_FLATTEN_BACKWARD:
    case RN_OP_MAX_POOL_BACKWARD:
    case RN_OP_AVERAGE_POOL_BACKWARD:
    case RN_OP_SHORTCUT_PAD_BACKWARD:
        return HARNESS_BIT(DIFF_DST);
    case RN_OP_CROSS_ENTROPY:
        return HARNESS_BIT(SRC) | HARNESS_BIT(LABELS) |
               (d->mixed ? HARNESS_BIT(LABELS_B) | HARNESS_BIT(SHARES) : 0);
    default:
        return HARNESS_BIT(SRC);
    }
}

/** Bits of the arguments that the op writes and that are compared. */
static inline unsigned harness_outputs(const rn_op_desc *d)
{
    bool bias = d->bias || d->kind == RN_OP_LINEAR_BACKWARD_WEIGHTS;

    switch (d->kind) {
    case RN_OP_CONV_BACKWARD_WEIGHTS:
    case RN_OP_LINEAR_BACKWARD_WEIGHTS:
        return HARNESS_BIT(DIFF_WEIGHTS) | (bias ? HARNESS_BIT(DIFF_BIAS) : 0);
    case RN_OP_BATCH_NORM_TRAIN:
        return HARNESS_BIT(DST) | HARNESS_BIT(SAVED) | HARNESS_BIT(RUNNING_MEAN) |
               HARNESS_BIT(RUNNING_VARIANCE);
    case RN_OP_BATCH_NORM_BACKWARD:
        return HARNESS_BIT(DIFF_SRC) | HARNESS_BIT(DIFF_WEIGHTS) | HARNESS_BIT(DIFF_BIAS) |
               (d->add ? HARNESS_BIT(DIFF_SRC2) : 0);
    case RN_OP_BATCH_NORM_AGAIN:
        return HARNESS_BIT(DST);
    case RN_OP_GATE_BACKWARD:
        return HARNESS_BIT(DIFF_SRC) | HARNESS_BIT(DIFF_SRC2);
    case RN_OP_CROSS_ENTROPY:
        return HARNESS_BIT(DIFF_SRC) | HARNESS_BIT(LOSS);
    default:
        return rn_op_forward_kind(d->kind) == d->kind ? HARNESS_BIT(DST) : HARNESS_BIT(DIFF_SRC);
    }
}

/** The descriptor of an activation argument; NULL for the others. */
static inline const rn_tensor_desc *harness_tensor(const rn_op_desc *d, rn_arg arg)
{
    if (arg == RN_ARG_SRC2 && rn_op_forward_kind(d->kind) == RN_OP_CONV)
        return &d->dst;
    switch (arg) {
    case RN_ARG_SRC:
    case RN_ARG_SRC2:
    case RN_ARG_DIFF_SRC:
    case RN_ARG_DIFF_SRC2:
        return &d->src;
    case RN_ARG_DST:
    case RN_ARG_DIFF_DST:
    case RN_ARG_DIFF_DST2:
        return &d->dst;
    default:
        return NULL;
    }
}

/** The parameter that an argument is, or is the gradient of; RN_ARGS if neither. */
static inline rn_arg harness_parameter(rn_arg arg)
{
    switch (arg) {
    case RN_ARG_WEIGHTS:
    case RN_ARG_DIFF_WEIGHTS:
        return RN_ARG_WEIGHTS;
    case RN_ARG_BIAS:
    case RN_ARG_DIFF_BIAS:
        return RN_ARG_BIAS;
    case RN_ARG_RUNNING_MEAN:
    case RN_ARG_RUNNING_VARIANCE:
    case RN_ARG_GAIN:
    case RN_ARG_SHIFT:
        return arg;
    default:
        return RN_ARGS;
    }
}

/** Floats of an argument in canonical order. */
static inline size_t harness_count(const rn_op_desc *d, rn_arg arg)
{
    const rn_tensor_desc *t = harness_tensor(d, arg);
    rn_op_kind forward = rn_op_forward_kind(d->kind);

    if (t != NULL)
        return (size_t)t->n * (size_t)t->c * (size_t)t->h * (size_t)t->w;
    if (arg == RN_ARG_SAVED)
        return RN_SAVED_VECTORS * (size_t)d->src.c;
    if (harness_parameter(arg) == RN_ARG_WEIGHTS && forward == RN_OP_CONV)
        return (size_t)d->dst.c * (size_t)d->src.c * (size_t)(d->kernel * d->kernel);
    if (harness_parameter(arg) == RN_ARG_WEIGHTS && forward == RN_OP_LINEAR)
        return (size_t)d->dst.c * (size_t)d->src.c;
    return (size_t)d->dst.c;
}

static inline void harness_values_release(harness_values *v)
{
    for (int a = 0; a < RN_ARGS; a++)
        free(v->arg[a]);
    free(v->labels);
    free(v->labels_b);
    free(v->shares);
    *v = (harness_values){0};
}

static inline void harness_draw_arg(harness_values *v, const rn_op_desc *d, rn_arg arg,
                                    rn_stream *stream)
{
    size_t count = harness_count(d, arg);

    for (size_t i = 0; i < count; i++) {
        float x = rn_stream_normal(stream);
        if (arg == RN_ARG_RUNNING_VARIANCE)
            x = 0.5f + fabsf(x);
        if (arg == RN_ARG_DST) // what a ReLU left
            x = fmaxf(x, 0.0f);
        v->arg[arg][i] = x;
    }
}

// Batch mean, 1 / deviation and the mean's rest of SRC, as the forward op would have saved them.
static inline void harness_draw_saved(harness_values *v, const rn_op_desc *d)
{
    int area = d->src.h * d->src.w, c_count = d->src.c;
    double count = (double)d->src.n * area;

    for (int c = 0; c < c_count; c++) {
        double sum = 0, squares = 0;
        for (int n = 0; n < d->src.n; n++)
            for (int p = 0; p < area; p++) {
                double x = v->arg[RN_ARG_SRC][(n * c_count + c) * area + p];
                sum += x;
                squares += x * x;
            }
        double mean = sum / count, variance = squares / count - mean * mean;
        v->arg[RN_ARG_SAVED][c] = (float)mean;
        v->arg[RN_ARG_SAVED][c_count + c] = (float)(1 / sqrt(variance + (double)d->epsilon));
        v->arg[RN_ARG_SAVED][2 * c_count + c] = (float)(mean - (double)(float)mean);
    }
}

// Shares of 0, 1/2 and 1 are among those of four samples.
static inline void harness_draw_labels(harness_values *v, const rn_op_desc *d, rn_stream *stream)
{
    size_t n_count = (size_t)d->src.n;
    uint32_t classes = (uint32_t)d->src.c;

    v->labels = calloc(n_count, sizeof *v->labels);
    v->labels_b = calloc(n_count, sizeof *v->labels_b);
    v->shares = calloc(n_count, sizeof *v->shares);
    assert_true(v->labels != NULL && v->labels_b != NULL && v->shares != NULL);
    for (size_t n = 0; n < n_count; n++)
        v->labels[n] = (int32_t)rn_stream_below(stream, classes);
    for (size_t n = 0; n < n_count; n++) {
        v->labels_b[n] = (int32_t)rn_stream_below(stream, classes);
        v->shares[n] = n % 4 == 3 ? rn_stream_uniform(stream) : (float)(n % 4) / 2;
    }
}

/** Allocate all of an op's arguments and draw its inputs; harness_values_release() after use. */
static inline void harness_draw(harness_values *v, const rn_op_desc *d, uint32_t seed)
{
    unsigned inputs = harness_inputs(d);
    rn_stream stream;

    *v = (harness_values){0};
    rn_stream_init(&stream, seed, RN_PURPOSE_TEST, 0, 0);
    for (rn_arg a = 0; a < RN_ARG_WORKSPACE; a++) {
        v->arg[a] = calloc(harness_count(d, a) + 1, sizeof(float));
        assert_non_null(v->arg[a]);
        // SRC always: the forward run before a max pool's backward needs it
        if ((inputs >> a & 1) != 0 || a == RN_ARG_SRC)
            harness_draw_arg(v, d, a, &stream);
    }
    if ((inputs & HARNESS_BIT(SAVED)) != 0)
        harness_draw_saved(v, d);
    v->random = (rn_random){rn_stream_bits(&stream), rn_stream_bits(&stream)};
    harness_draw_labels(v, d, &stream);
}

// The forward kernel knows the native layout of parameters.
static inline const rn_kernel *harness_layouts(const harness_op *op)
{
    return op->forward != NULL ? op->forward : op->kernel;
}

static inline size_t harness_bytes(const harness_op *op, rn_arg arg)
{
    const rn_tensor_desc *tensor = harness_tensor(&op->desc, arg);
    const rn_kernel *layouts = harness_layouts(op);

    if (tensor != NULL)
        return rn_tensor_bytes(tensor);
    if (harness_parameter(arg) != RN_ARGS)
        return layouts->native_count(layouts, harness_parameter(arg)) * sizeof(float);
    switch (arg) {
    case RN_ARG_SAVED:
        return RN_SAVED_VECTORS * sizeof(float) * (size_t)rn_padded_channels(&op->desc.src);
    case RN_ARG_WORKSPACE:
        return layouts->workspace_bytes;
    case RN_ARG_RANDOM:
        return sizeof(rn_random);
    case RN_ARG_LABELS:
    case RN_ARG_LABELS_B:
        return sizeof(int32_t) * (size_t)op->desc.src.n;
    case RN_ARG_SHARES:
        return sizeof(float) * (size_t)op->desc.src.n;
    case RN_ARG_LOSS:
        return sizeof(rn_loss);
    default:
        return op->kernel->scratch_bytes;
    }
}

static inline void harness_allocate(harness_op *op, rn_arg arg)
{
    op->bytes[arg] = harness_bytes(op, arg);
    if (op->bytes[arg] == 0)
        return;
    assert_int_equal(rn_alloc((void **)&op->memory[arg], op->bytes[arg] + HARNESS_GUARD, 1), RN_OK);
}

/** Make the kernel (and first its forward kernel) and memory for all arguments; release after use.
 */
static inline void harness_open(harness_op *op, const harness_maker *maker, const rn_op_desc *d)
{
    rn_op_desc forward = *d;
    unsigned args = harness_inputs(d) | harness_outputs(d) | HARNESS_BIT(WORKSPACE);

    *op = (harness_op){.desc = *d};
    forward.kind = rn_op_forward_kind(d->kind);
    forward.forward = NULL;
    if (forward.kind == RN_OP_MAX_POOL && forward.kind != d->kind)
        forward.training = true;
    if (forward.kind != d->kind && maker->create(maker->context, &op->forward, &forward) != RN_OK)
        fail_msg("%s: %s", harness_name(&forward), rn_error_message());
    op->desc.forward = op->forward;
    if (maker->create(maker->context, &op->kernel, &op->desc) != RN_OK)
        fail_msg("%s: %s", harness_name(d), rn_error_message());
    assert_non_null(op->kernel);
    if (d->kind == RN_OP_MAX_POOL_BACKWARD) // its forward run
        args |= HARNESS_BIT(SRC) | HARNESS_BIT(DST);
    for (rn_arg a = 0; a < RN_ARGS; a++) {
        op->source[a] = a;
        if ((args >> a & 1) != 0)
            harness_allocate(op, a);
    }
    op->bytes[RN_ARG_PREPARED] = op->kernel->prepared_bytes;
    if (op->bytes[RN_ARG_PREPARED] != 0)
        assert_int_equal(rn_alloc((void **)&op->memory[RN_ARG_PREPARED],
                                  op->bytes[RN_ARG_PREPARED] + HARNESS_GUARD, 1),
                         RN_OK);
    op->bytes[RN_ARG_SCRATCH] = op->kernel->scratch_bytes;
    if (op->forward != NULL && op->forward->scratch_bytes > op->bytes[RN_ARG_SCRATCH])
        op->bytes[RN_ARG_SCRATCH] = op->forward->scratch_bytes;
    if (op->bytes[RN_ARG_SCRATCH] != 0)
        assert_int_equal(rn_alloc((void **)&op->memory[RN_ARG_SCRATCH],
                                  op->bytes[RN_ARG_SCRATCH] + HARNESS_GUARD, 1),
                         RN_OK);
}

static inline void harness_close(harness_op *op)
{
    for (int a = 0; a < RN_ARGS; a++)
        rn_free(op->memory[a]);
    rn_kernel_free(op->kernel);
    rn_kernel_free(op->forward);
}

/** Run in place: `out` uses the memory of `in`. */
static inline void harness_in_place(harness_op *op, rn_arg out, rn_arg in)
{
    assert_int_equal(op->bytes[out], op->bytes[in]);
    op->source[out] = in;
}

static inline void harness_pack(const harness_op *op, const harness_values *v, rn_arg arg,
                                void *native)
{
    const rn_tensor_desc *tensor = harness_tensor(&op->desc, arg);
    const rn_kernel *layouts = harness_layouts(op);
    size_t c = (size_t)op->desc.src.c, padded = (size_t)rn_padded_channels(&op->desc.src);

    if (tensor != NULL) {
        rn_tensor_pack(tensor, v->arg[arg], native);
    } else if (harness_parameter(arg) != RN_ARGS) {
        memset(native, HARNESS_POISON, op->bytes[arg]);
        if (layouts->pack(layouts, harness_parameter(arg), v->arg[arg], native) != RN_OK)
            fail_msg("%s: pack %s: %s", harness_name(&op->desc), harness_arg_name(arg),
                     rn_error_message());
    } else if (arg == RN_ARG_SAVED) {
        memset(native, 0, op->bytes[arg]);
        for (size_t i = 0; i < RN_SAVED_VECTORS; i++)
            memcpy((float *)native + i * padded, v->arg[arg] + i * c, c * sizeof(float));
    } else if (arg == RN_ARG_RANDOM) {
        memcpy(native, &v->random, sizeof v->random);
    } else if (arg == RN_ARG_LABELS) {
        memcpy(native, v->labels, op->bytes[arg]);
    } else if (arg == RN_ARG_LABELS_B) {
        memcpy(native, v->labels_b, op->bytes[arg]);
    } else if (arg == RN_ARG_SHARES) {
        memcpy(native, v->shares, op->bytes[arg]);
    }
}

static inline void harness_unpack(const harness_op *op, harness_values *v, rn_arg arg,
                                  const void *native)
{
    const rn_tensor_desc *tensor = harness_tensor(&op->desc, arg);
    const rn_kernel *layouts = harness_layouts(op);
    size_t c = (size_t)op->desc.src.c, padded = (size_t)rn_padded_channels(&op->desc.src);

    if (tensor != NULL) {
        rn_tensor_unpack(tensor, native, v->arg[arg]);
    } else if (harness_parameter(arg) != RN_ARGS) {
        if (layouts->unpack(layouts, harness_parameter(arg), native, v->arg[arg]) != RN_OK)
            fail_msg("%s: unpack %s: %s", harness_name(&op->desc), harness_arg_name(arg),
                     rn_error_message());
    } else if (arg == RN_ARG_SAVED) {
        for (size_t i = 0; i < RN_SAVED_VECTORS; i++)
            memcpy(v->arg[arg] + i * c, (const float *)native + i * padded, c * sizeof(float));
    } else if (arg == RN_ARG_LOSS) {
        memcpy(&v->loss, native, sizeof v->loss);
    }
}

/** Pack the inputs; outputs and scratch become NaN, guards are set. */
static inline void harness_load(harness_op *op, const harness_values *v)
{
    unsigned inputs = harness_inputs(&op->desc);

    for (rn_arg a = 0; a < RN_ARGS; a++) {
        if (op->memory[a] == NULL)
            continue;
        memset(op->memory[a], HARNESS_POISON, op->bytes[a]);
        memset(op->memory[a] + op->bytes[a], HARNESS_GUARD_BYTE, HARNESS_GUARD);
        if ((inputs >> a & 1) != 0 || a == RN_ARG_SRC)
            harness_pack(op, v, a, op->memory[a]);
    }
}

static inline bool harness_refuse_allocation(size_t bytes, void *context)
{
    (void)bytes;
    ++*(int *)context;
    return false;
}

// Only the arguments of this op are passed; run() must not allocate.
static inline void harness_run_kernel(harness_op *op, rn_kernel *kernel, unsigned args)
{
    void *pointers[RN_ARGS] = {0};
    int allocations = 0;

    for (rn_arg a = 0; a < RN_ARGS; a++)
        if ((args >> a & 1) != 0)
            pointers[a] = op->memory[op->source[a]];
    rn_alloc_hook_set(harness_refuse_allocation, &allocations);
    rn_status st = kernel->run(kernel, pointers);
    rn_alloc_hook_set(NULL, NULL);
    if (st != RN_OK)
        fail_msg("%s: %s", harness_name(&op->desc), rn_error_message());
    if (allocations != 0)
        fail_msg("%s: %d allocations in run", harness_name(&op->desc), allocations);
}

static inline void harness_prepare(harness_op *op)
{
    if (op->kernel->prepare(op->kernel, (void *const *)op->memory) != RN_OK)
        fail_msg("%s: prepare: %s", harness_name(&op->desc), rn_error_message());
}

/** Run the kernel once on what harness_load() packed; a max pool's backward after its forward. */
static inline void harness_execute(harness_op *op)
{
    unsigned extra = HARNESS_BIT(WORKSPACE) | HARNESS_BIT(SCRATCH) | HARNESS_BIT(PREPARED);

    if (op->kernel->prepared_bytes > 0)
        harness_prepare(op);
    if (op->desc.kind == RN_OP_MAX_POOL_BACKWARD)
        harness_run_kernel(op, op->forward, HARNESS_BIT(SRC) | HARNESS_BIT(DST) | extra);
    harness_run_kernel(op, op->kernel,
                       harness_inputs(&op->desc) | harness_outputs(&op->desc) | extra);
}

#endif
