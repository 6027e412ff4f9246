/**
 * One way to test every op of plan/op.h: a kernel against another maker's (the ref engine's), and
 * gradients against finite differences. Header only, for cmocka programs; failures name op, shape
 * and argument.
 *
 *     harness_maker ref = {harness_engine_create, ref_engine}, cpu = {harness_engine_create, cpu};
 *     harness_check(&desc, &ref, &cpu, 1e-5); // desc in the tested layouts, also for backward ops
 *     harness_check_in_place(&desc, &ref, &cpu, 1e-5, RN_ARG_DST, RN_ARG_SRC);
 *     harness_check_gradients(&forward_desc, &ref, 1e-3);
 */
#ifndef ENGINE_OP_HARNESS_H
#define ENGINE_OP_HARNESS_H

#include "op_arguments.h"

/** The same op with all activations as the ref engine has them. */
static inline rn_op_desc harness_plain(const rn_op_desc *d)
{
    rn_op_desc plain = *d;

    if (plain.src.layout != RN_LAYOUT_NC)
        plain.src.layout = RN_LAYOUT_NCHW;
    if (plain.dst.layout != RN_LAYOUT_NC)
        plain.dst.layout = RN_LAYOUT_NCHW;
    plain.src.dtype = plain.dst.dtype = RN_FLOAT32;
    plain.forward = NULL;
    return plain;
}

// Element i of a native array.
static inline float harness_element(const rn_op_desc *d, rn_arg arg, const void *native, size_t i)
{
    const rn_tensor_desc *tensor = harness_tensor(d, arg);

    return tensor != NULL && tensor->dtype == RN_BFLOAT16
               ? rn_bf16_value(((const uint16_t *)native)[i])
               : ((const float *)native)[i];
}

// Padding of a native array holds 0: then packing what was unpacked gives the same bytes.
static inline void harness_check_padding(const harness_op *op, const harness_values *v, rn_arg arg)
{
    const rn_tensor_desc *tensor = harness_tensor(&op->desc, arg);
    const void *native = op->memory[op->source[arg]];
    size_t count = tensor != NULL ? rn_tensor_elements(tensor) : op->bytes[arg] / sizeof(float);
    void *packed = malloc(op->bytes[arg] + 1);

    assert_non_null(packed);
    harness_pack(op, v, arg, packed);
    for (size_t i = 0; i < count; i++) {
        float found = harness_element(&op->desc, arg, native, i);
        float again = harness_element(&op->desc, arg, packed, i);
        if (again != found && !(isnan(again) && isnan(found)))
            fail_msg("%s: %s has %g in native element %zu of %zu, expected %g (padding)",
                     harness_name(&op->desc), harness_arg_name(arg), (double)found, i, count,
                     (double)again);
    }
    free(packed);
}

static inline void harness_check_guards(const harness_op *op)
{
    for (rn_arg a = 0; a < RN_ARGS; a++)
        for (size_t i = 0; op->memory[a] != NULL && i < HARNESS_GUARD; i++)
            if (op->memory[a][op->bytes[a] + i] != HARNESS_GUARD_BYTE)
                fail_msg("%s: wrote past the end of %s (%zu bytes)", harness_name(&op->desc),
                         harness_arg_name(a), op->bytes[a]);
}

// An input that no output shares memory with stays as it was.
static inline void harness_check_inputs(const harness_op *op, const harness_values *v)
{
    unsigned inputs = harness_inputs(&op->desc), written = harness_outputs(&op->desc);

    for (rn_arg a = 0; a < RN_ARGS; a++)
        if ((written >> a & 1) != 0)
            written |= 1u << op->source[a];
    for (rn_arg a = 0; a < RN_ARG_WORKSPACE; a++)
        if ((inputs & ~written) >> a & 1)
            harness_check_padding(op, v, a);
}

/** Check guards, inputs and padding; unpack the outputs into `out`. */
static inline void harness_store(const harness_op *op, const harness_values *in,
                                 harness_values *out)
{
    unsigned outputs = harness_outputs(&op->desc);

    harness_check_guards(op);
    harness_check_inputs(op, in);
    for (rn_arg a = 0; a < RN_ARGS; a++) {
        if ((outputs >> a & 1) == 0)
            continue;
        harness_unpack(op, out, a, op->memory[op->source[a]]);
        if (a != RN_ARG_LOSS)
            harness_check_padding(op, out, a);
    }
}

static inline void harness_compare_arg(const rn_op_desc *d, rn_arg arg, const float *expected,
                                       const float *found, double tolerance)
{
    size_t count = harness_count(d, arg);
    double largest = 1e-30;

    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs((double)expected[i]));
    for (size_t i = 0; i < count; i++) {
        double difference = fabs((double)expected[i] - (double)found[i]);
        if (!(difference <= tolerance * largest)) // also where it is NaN
            fail_msg("%s: %s[%zu] of %zu is %.9g, expected %.9g: %.3g of the largest, bound %.3g",
                     harness_name(d), harness_arg_name(arg), i, count, (double)found[i],
                     (double)expected[i], difference / largest, tolerance);
    }
}

static inline void harness_compare(const rn_op_desc *d, const harness_values *expected,
                                   const harness_values *found, double tolerance)
{
    unsigned outputs = harness_outputs(d);

    for (rn_arg a = 0; a < RN_ARG_WORKSPACE; a++)
        if ((outputs >> a & 1) != 0)
            harness_compare_arg(d, a, expected->arg[a], found->arg[a], tolerance);
    if ((outputs & HARNESS_BIT(LOSS)) == 0)
        return;
    if (!(fabs(expected->loss.loss - found->loss.loss) <= tolerance * fabs(expected->loss.loss)) ||
        expected->loss.wrong != found->loss.wrong)
        fail_msg("%s: loss %.9g, %lld wrong; expected %.9g, %lld wrong", harness_name(d),
                 found->loss.loss, (long long)found->loss.wrong, expected->loss.loss,
                 (long long)expected->loss.wrong);
}

/** Outputs of one op for these inputs; `out` (where `in` = RN_ARGS: nothing) shares memory. */
static inline void harness_evaluate(const rn_op_desc *d, const harness_maker *maker,
                                    harness_values *v, rn_arg out, rn_arg in)
{
    harness_values result;
    harness_op op;

    harness_draw(&result, d, 1);
    harness_open(&op, maker, d);
    if (in != RN_ARGS)
        harness_in_place(&op, out, in);
    harness_load(&op, v);
    harness_execute(&op);
    harness_store(&op, v, &result);
    harness_close(&op);
    harness_values_release(v);
    *v = result;
}

/**
 * Compare a kernel with the reference on random arguments, every output within `tolerance` times
 * its largest magnitude; with `out` in the memory of `in`. Also checked: padding channels are 0,
 * nothing is written past an argument's end, inputs stay, run() allocates nothing.
 */
static inline void harness_check_in_place(const rn_op_desc *d, const harness_maker *reference,
                                          const harness_maker *tested, double tolerance, rn_arg out,
                                          rn_arg in)
{
    rn_op_desc plain = harness_plain(d);
    uint32_t seed = (uint32_t)(d->src.c * 1000 + d->src.h * 100 + d->dst.c + d->src.n);
    harness_values expected, found;

    harness_draw(&expected, &plain, seed);
    harness_draw(&found, &plain, seed);
    harness_evaluate(&plain, reference, &expected, RN_ARGS, RN_ARGS);
    harness_evaluate(d, tested, &found, out, in);
    harness_compare(d, &expected, &found, tolerance);
    harness_values_release(&expected);
    harness_values_release(&found);
}

static inline void harness_check(const rn_op_desc *d, const harness_maker *reference,
                                 const harness_maker *tested, double tolerance)
{
    harness_check_in_place(d, reference, tested, tolerance, RN_ARGS, RN_ARGS);
}

/** One gradient to check: d objective / d input, as `kind` computes it in `gradient`. An op that is
 *  its own backward op gives it in DST, with DIFF_DST as its SRC. */
typedef struct harness_gradient {
    rn_op_kind kind;
    rn_arg input, gradient;
} harness_gradient;

/** The gradients of a forward op; returns how many. */
static inline int harness_gradients(const rn_op_desc *d, harness_gradient out[4])
{
    int n = 0;

#define HARNESS_ADD(kind, input, gradient)                                                         \
    out[n++] = (harness_gradient)                                                                  \
    {                                                                                              \
        RN_OP_##kind, RN_ARG_##input, RN_ARG_##gradient                                            \
    }
    if (d->kind == RN_OP_CONV) {
        HARNESS_ADD(CONV_BACKWARD_DATA, SRC, DIFF_SRC);
        HARNESS_ADD(CONV_BACKWARD_WEIGHTS, WEIGHTS, DIFF_WEIGHTS);
        if (d->bias)
            HARNESS_ADD(CONV_BACKWARD_WEIGHTS, BIAS, DIFF_BIAS);
    } else if (d->kind == RN_OP_LINEAR) {
        HARNESS_ADD(LINEAR_BACKWARD_DATA, SRC, DIFF_SRC);
        HARNESS_ADD(LINEAR_BACKWARD_WEIGHTS, WEIGHTS, DIFF_WEIGHTS);
        HARNESS_ADD(LINEAR_BACKWARD_WEIGHTS, BIAS, DIFF_BIAS);
    } else if (d->kind == RN_OP_BATCH_NORM_TRAIN) {
        HARNESS_ADD(BATCH_NORM_BACKWARD, SRC, DIFF_SRC);
        HARNESS_ADD(BATCH_NORM_BACKWARD, WEIGHTS, DIFF_WEIGHTS);
        HARNESS_ADD(BATCH_NORM_BACKWARD, BIAS, DIFF_BIAS);
        if (d->add)
            HARNESS_ADD(BATCH_NORM_BACKWARD, SRC2, DIFF_SRC2);
    } else if (d->kind == RN_OP_RELU) {
        HARNESS_ADD(RELU_BACKWARD, SRC, DIFF_SRC);
    } else if (d->kind == RN_OP_ADD) { // without ReLU the gradient is diff_dst itself
        if (d->relu) {
            HARNESS_ADD(RELU_BACKWARD, SRC, DIFF_SRC);
            HARNESS_ADD(RELU_BACKWARD, SRC2, DIFF_SRC);
        }
    } else if (d->kind == RN_OP_SCALE) {
        HARNESS_ADD(SCALE, SRC, DST);
    } else if (d->kind == RN_OP_DROPOUT) {
        HARNESS_ADD(DROPOUT, SRC, DST);
    } else if (d->kind == RN_OP_GATE) {
        HARNESS_ADD(GATE_BACKWARD, SRC, DIFF_SRC);
        HARNESS_ADD(GATE_BACKWARD, SRC2, DIFF_SRC2);
    } else if (d->kind == RN_OP_FLATTEN) {
        HARNESS_ADD(FLATTEN_BACKWARD, SRC, DIFF_SRC);
    } else if (d->kind == RN_OP_SHORTCUT_PAD) {
        HARNESS_ADD(SHORTCUT_PAD_BACKWARD, SRC, DIFF_SRC);
    } else if (d->kind == RN_OP_MAX_POOL) {
        HARNESS_ADD(MAX_POOL_BACKWARD, SRC, DIFF_SRC);
    } else if (d->kind == RN_OP_AVERAGE_POOL) {
        HARNESS_ADD(AVERAGE_POOL_BACKWARD, SRC, DIFF_SRC);
    } else if (d->kind == RN_OP_CROSS_ENTROPY) {
        HARNESS_ADD(CROSS_ENTROPY, SRC, DIFF_SRC);
    }
#undef HARNESS_ADD
    return n;
}

// A forward op as a scalar function: sum(dst * (diff_dst [+ diff_dst2])), or the loss.
typedef struct harness_function {
    harness_op op;
    harness_values values; // of the forward op, and diff_dst, diff_dst2
    harness_values result;
} harness_function;

static inline double harness_objective(harness_function *f)
{
    const rn_op_desc *d = &f->op.desc;
    size_t count = harness_count(d, RN_ARG_DST);
    double sum = 0;

    harness_load(&f->op, &f->values);
    harness_execute(&f->op);
    harness_store(&f->op, &f->values, &f->result);
    if (d->kind == RN_OP_CROSS_ENTROPY)
        return f->result.loss.loss;
    for (size_t i = 0; i < count; i++) {
        double weight = (double)f->values.arg[RN_ARG_DIFF_DST][i];
        if (d->diff_dst2)
            weight += (double)f->values.arg[RN_ARG_DIFF_DST2][i];
        sum += (double)f->result.arg[RN_ARG_DST][i] * weight;
    }
    return sum;
}

// The slopes of the objective to the right and left of *x.
static inline void harness_slopes(harness_function *f, float *x, float step, double slopes[2])
{
    const float middle = *x;
    double here = harness_objective(f);

    for (int side = 0; side < 2; side++) {
        *x = side == 0 ? middle + step : middle - step;
        double width = (double)*x - (double)middle; // as rounded
        slopes[side] = (harness_objective(f) - here) / width;
    }
    *x = middle;
}

// Central difference. False at a kink (ReLU, max) within the step: where the function is smooth,
// half the step gives the same slope, and half the difference between the two sides.
static inline bool harness_slope(harness_function *f, float *x, double *slope, double bound)
{
    const float step = 1.0f / 64;
    double whole[2], half[2];

    harness_slopes(f, x, step, whole);
    harness_slopes(f, x, step / 2, half);
    *slope = (whole[0] + whole[1]) / 2;
    return fabs(*slope - (half[0] + half[1]) / 2) <= bound / 4 &&
           fabs(half[0] - half[1]) <= 0.6 * fabs(whole[0] - whole[1]) + bound / 2;
}

/** The backward op's output for the forward's inputs and results. */
static inline void harness_backward(const harness_function *f, const harness_maker *maker,
                                    rn_op_kind kind, harness_values *out)
{
    rn_op_desc d = f->op.desc;

    d.kind = kind;
    d.forward = NULL;
    harness_draw(out, &d, 1);
    for (rn_arg a = 0; a < RN_ARG_WORKSPACE; a++) {
        bool result = a == RN_ARG_DST || a == RN_ARG_SAVED;
        memcpy(out->arg[a], (result ? &f->result : &f->values)->arg[a],
               harness_count(&d, a) * sizeof(float));
    }
    if (kind == RN_OP_SCALE || kind == RN_OP_DROPOUT)
        memcpy(out->arg[RN_ARG_SRC], f->values.arg[RN_ARG_DIFF_DST],
               harness_count(&d, RN_ARG_DIFF_DST) * sizeof(float));
    out->random = f->values.random;
    memcpy(out->labels, f->values.labels, (size_t)d.src.n * sizeof *out->labels);
    memcpy(out->labels_b, f->values.labels_b, (size_t)d.src.n * sizeof *out->labels_b);
    memcpy(out->shares, f->values.shares, (size_t)d.src.n * sizeof *out->shares);
    harness_evaluate(&d, maker, out, RN_ARGS, RN_ARGS);
}

static inline void harness_check_gradient(harness_function *f, const harness_maker *maker,
                                          const harness_gradient *g, double tolerance)
{
    enum { ENTRIES = 40 };
    const rn_op_desc *d = &f->op.desc;
    size_t count = harness_count(d, g->input), checked = 0;
    size_t entries = count < ENTRIES ? count : ENTRIES;
    double largest = 1e-6;
    harness_values v;

    harness_objective(f);
    harness_backward(f, maker, g->kind, &v);
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs((double)v.arg[g->gradient][i]));
    for (size_t e = 0; e < entries; e++) {
        size_t i = count <= ENTRIES ? e : e * (count - 1) / (ENTRIES - 1);
        double slope, found = (double)v.arg[g->gradient][i];
        if (!harness_slope(f, &f->values.arg[g->input][i], &slope, tolerance * largest))
            continue;
        checked++;
        if (!(fabs(slope - found) <= tolerance * largest))
            fail_msg("%s: d/d%s[%zu] by '%s' is %.7g, by differences %.7g (largest %.3g)",
                     harness_name(d), harness_arg_name(g->input), i, rn_op_kind_name(g->kind),
                     found, slope, largest);
    }
    if (checked * 2 < entries)
        fail_msg("%s: only %zu of %zu entries of %s away from a kink", harness_name(d), checked,
                 entries, harness_arg_name(g->input));
    harness_values_release(&v);
}

/**
 * Check every backward op of a forward op (activations NCHW or NC) by central differences of
 * sum(dst * random) in double, up to 40 entries an input; `tolerance` relative to the gradient's
 * largest magnitude.
 */
static inline void harness_check_gradients(const rn_op_desc *forward, const harness_maker *maker,
                                           double tolerance)
{
    harness_gradient gradients[4];
    int count = harness_gradients(forward, gradients);
    harness_function f;
    rn_stream stream;

    rn_stream_init(&stream, 99, RN_PURPOSE_TEST, 0, 0);
    harness_draw(&f.values, forward, 7);
    harness_draw(&f.result, forward, 7);
    for (rn_arg a = RN_ARG_DIFF_DST; a <= RN_ARG_DIFF_DST2; a++)
        for (size_t i = 0; i < harness_count(forward, a); i++)
            f.values.arg[a][i] = rn_stream_normal(&stream);
    harness_open(&f.op, maker, forward);
    for (int i = 0; i < count; i++)
        harness_check_gradient(&f, maker, &gradients[i], tolerance);
    harness_close(&f.op);
    harness_values_release(&f.values);
    harness_values_release(&f.result);
}

/** All that may follow a convolution in inference; SRC2 also in place. */
static inline void harness_check_fused(const rn_op_desc *conv, const harness_maker *reference,
                                       const harness_maker *tested, double tolerance)
{
    for (int variant = 0; variant < 16; variant++) {
        rn_op_desc d = *conv;
        d.constant = true;
        d.bias = variant & 1;
        d.fold = variant & 2;
        d.add = variant & 4;
        d.relu = variant & 8;
        d.epsilon = 1e-5f;
        harness_check(&d, reference, tested, tolerance);
        if (d.add)
            harness_check_in_place(&d, reference, tested, tolerance, RN_ARG_DST, RN_ARG_SRC2);
    }
}

#endif
