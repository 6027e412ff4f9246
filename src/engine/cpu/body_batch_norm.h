/**
 * Batch normalisation (Ioffe & Szegedy 2015, section 3) with the addition and ReLU that follow it,
 * over NCHW<VEC>c. An item is one (n, block of channels): area x VEC floats in a row.
 *
 * Training makes two passes over x: partial sums of each item, and after merging them in double
 * the result. Partials belong to items, not threads, so that the sums do not depend on how many
 * threads there are; the second pass goes backwards, to begin with what the caches still hold.
 * With statistics from the convolution before it there is no first pass, and none at all if it is
 * deferred to the convolution behind it. BATCH_NORM_AGAIN is the second pass alone.
 */
#ifndef ENGINE_CPU_BODY_BATCH_NORM_H
#define ENGINE_CPU_BODY_BATCH_NORM_H

#include "engine/cpu/body_conv_source.h"
#include "engine/cpu/body_moments.h"
#include "engine/cpu/body_range.h"
#include "engine/cpu/kernels.h"

enum {
    BN_UNROLL = 4, // independent sums hide the latency of addition
    BN_CHUNK = 128 // pixels summed in float before sums are merged
};

typedef struct batch_norm {
    const rn_op_desc *desc;
    size_t n, blocks, area;
    const act *src, *src2, *gate, *diff_dst, *diff_dst2;
    act *dst, *diff_src, *diff_src2;
    const float *gain, *bias, *statistics;
    float *running_mean, *running_variance, *saved_mean, *saved_invstd, *saved_rest;
    float *diff_gain, *diff_bias;
    float *partials;  // [blocks][n][RN_CPU_BATCH_NORM_PARTIALS][VEC]
    float *constants; // [blocks][RN_CPU_BATCH_NORM_CONSTANTS][VEC]
} batch_norm;

static batch_norm batch_norm_of(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    size_t padded = (size_t)rn_padded_channels(&desc->src);
    bool infer = desc->kind == RN_OP_BATCH_NORM_INFER;
    batch_norm bn = {.desc = desc,
                     .n = (size_t)desc->src.n,
                     .blocks = padded / VEC,
                     .area = (size_t)desc->src.h * (size_t)desc->src.w,
                     .src = args[RN_ARG_SRC],
                     .src2 = args[RN_ARG_SRC2],
                     .gain = args[RN_ARG_WEIGHTS],
                     .bias = args[RN_ARG_BIAS],
                     .statistics = desc->statistics ? args[RN_ARG_STATISTICS] : NULL,
                     .dst = args[RN_ARG_DST],
                     .running_mean = args[RN_ARG_RUNNING_MEAN],
                     .running_variance = args[RN_ARG_RUNNING_VARIANCE],
                     .saved_mean = args[RN_ARG_SAVED],
                     .gate = args[RN_ARG_DST],
                     .diff_dst = args[RN_ARG_DIFF_DST],
                     .diff_dst2 = args[RN_ARG_DIFF_DST2],
                     .diff_src = args[RN_ARG_DIFF_SRC],
                     .diff_src2 = args[RN_ARG_DIFF_SRC2],
                     .diff_gain = args[RN_ARG_DIFF_WEIGHTS],
                     .diff_bias = args[RN_ARG_DIFF_BIAS],
                     .constants = args[RN_ARG_SCRATCH]};

    if (!infer) {
        bn.saved_invstd = bn.saved_mean + padded;
        bn.saved_rest = bn.saved_invstd + padded;
        bn.partials = bn.constants + padded * RN_CPU_BATCH_NORM_CONSTANTS;
    }
    if (desc->deferred && desc->kind == RN_OP_BATCH_NORM_TRAIN)
        bn.constants = args[RN_ARG_NORM]; // they are its result
    return bn;
}

static float *bn_constants(const batch_norm *bn, size_t block)
{
    return bn->constants + block * RN_CPU_BATCH_NORM_CONSTANTS * VEC;
}

// Partials of block b lie together, since merging reads them by block.
static float *bn_partials(const batch_norm *bn, size_t block, size_t n)
{
    return bn->partials + (block * bn->n + n) * RN_CPU_BATCH_NORM_PARTIALS * VEC;
}

static size_t bn_floats(const batch_norm *bn)
{
    return bn->n * bn->blocks * bn->area * VEC;
}

// Lanes of a block that are channels; the others are padding.
static size_t bn_lanes(const batch_norm *bn, size_t block)
{
    size_t left = (size_t)bn->desc->src.c - block * VEC;

    return left < VEC ? left : VEC;
}

// Mean, less `origin`, and sum of squared deviations of `count` pixels. Shifted by the first pixel:
// a mean far from zero then costs no digits, and one outlier only a few.
INLINE void bn_chunk_moments(const act *x, size_t count, vec origin, vec moments[2])
{
    vec shift = act_load(x), sum[BN_UNROLL], square[BN_UNROLL];
    size_t p = 0;

    for (int k = 0; k < BN_UNROLL; k++)
        sum[k] = square[k] = vec_zero();
    for (; p + BN_UNROLL <= count; p += BN_UNROLL)
        for (size_t k = 0; k < BN_UNROLL; k++) {
            vec d = vec_sub(act_load(x + (p + k) * VEC), shift);
            sum[k] = vec_add(sum[k], d);
            square[k] = vec_fma(d, d, square[k]);
        }
    for (; p < count; p++) {
        vec d = vec_sub(act_load(x + p * VEC), shift);
        sum[0] = vec_add(sum[0], d);
        square[0] = vec_fma(d, d, square[0]);
    }
    vec total = vec_add(vec_add(sum[0], sum[1]), vec_add(sum[2], sum[3]));
    vec squares = vec_add(vec_add(square[0], square[1]), vec_add(square[2], square[3]));
    vec offset = vec_mul(total, vec_all(1.0f / (float)count));
    moments[0] = vec_add(vec_sub(shift, origin), offset);
    moments[1] = vec_relu(vec_sub(squares, vec_mul(total, offset)));
}

// A value of each channel from which all means are counted, so that float holds them well.
INLINE vec bn_origin(const batch_norm *bn, size_t block)
{
    return act_load(bn->src + block * bn->area * VEC);
}

// Chan, Golub & LeVeque 1979: moments of two sets from those of each.
static void bn_item_moments(const batch_norm *bn, size_t item)
{
    size_t block = item % bn->blocks, n = item / bn->blocks, done = 0;
    const act *x = bn->src + item * bn->area * VEC;
    float *partials = bn_partials(bn, block, n);
    vec origin = bn_origin(bn, block), mean = vec_zero(), deviations = vec_zero();

    while (done < bn->area) {
        size_t count = bn->area - done < BN_CHUNK ? bn->area - done : BN_CHUNK;
        float weight = (float)count / (float)(done + count);
        vec chunk[2];
        bn_chunk_moments(x + done * VEC, count, origin, chunk);
        vec delta = vec_sub(chunk[0], mean);
        vec between = vec_mul(vec_mul(delta, delta), vec_all((float)done * weight));
        mean = done == 0 ? chunk[0] : vec_fma(delta, vec_all(weight), mean);
        deviations = vec_add(deviations, vec_add(chunk[1], between));
        done += count;
    }
    vec_store(partials, mean);
    vec_store(partials + VEC, deviations);
}

// Items have equal counts: the mean is the mean of means, the deviations add up with those of
// the means from it.
static void bn_merge_moments(const batch_norm *bn, size_t block, double mean[VEC],
                             double variance[VEC])
{
    const float *partials = bn_partials(bn, block, 0);
    float origin[VEC];
    const size_t step = RN_CPU_BATCH_NORM_PARTIALS * VEC;
    double area = (double)bn->area, count = (double)bn->n;

    vec_store(origin, bn_origin(bn, block));
    for (int l = 0; l < VEC; l++)
        mean[l] = variance[l] = 0;
    for (size_t n = 0; n < bn->n; n++)
        for (size_t l = 0; l < VEC; l++)
            mean[l] += (double)partials[n * step + l];
    for (int l = 0; l < VEC; l++)
        mean[l] /= count;
    for (size_t n = 0; n < bn->n; n++)
        for (size_t l = 0; l < VEC; l++) {
            double delta = (double)partials[n * step + l] - mean[l];
            variance[l] += (double)partials[n * step + VEC + l] + area * delta * delta;
        }
    for (int l = 0; l < VEC; l++) {
        mean[l] += (double)origin[l];
        variance[l] /= count * area;
    }
}

// constants: mean, scale, bias of y = scale (x - mean) + bias, where the bias makes up for what the
// mean has lost in float. From SAVED alone: whoever has it gets the same bits again.
static void bn_saved_constants(const batch_norm *bn, size_t block, float constants[3 * VEC])
{
    for (size_t l = 0; l < VEC; l++) {
        size_t c = block * VEC + l;
        double scale = (double)bn->saved_invstd[c] * (double)bn->gain[c]; // 0 for padding
        constants[l] = bn->saved_mean[c];
        constants[VEC + l] = (float)scale;
        constants[2 * VEC + l] = (float)fma(-scale, (double)bn->saved_rest[c], (double)bn->bias[c]);
    }
}

static void bn_use_saved(const batch_norm *bn, size_t block)
{
    bn_saved_constants(bn, block, bn_constants(bn, block));
}

static void bn_finish_statistics(const batch_norm *bn, size_t block)
{
    double mean[VEC], variance[VEC], momentum = (double)bn->desc->momentum;
    double count = (double)bn->n * (double)bn->area;
    double unbiased = count / (count > 1 ? count - 1 : 1); // one pixel: as it is
    size_t lanes = bn_lanes(bn, block);

    if (bn->statistics == NULL) {
        bn_merge_moments(bn, block, mean, variance);
    } else {
        size_t parts = (size_t)bn->desc->parts;
        moments_of_parts(bn->statistics + block * parts * MOMENTS * VEC, parts, mean, variance);
    }
    for (size_t l = 0; l < VEC; l++) {
        size_t c = block * VEC + l;
        double invstd = l < lanes ? 1 / sqrt(variance[l] + (double)bn->desc->epsilon) : 0;
        bn->saved_mean[c] = (float)mean[l];
        bn->saved_invstd[c] = (float)invstd;
        bn->saved_rest[c] = (float)(mean[l] - (double)bn->saved_mean[c]);
        bn->running_mean[c] =
            (float)((1 - momentum) * (double)bn->running_mean[c] + momentum * mean[l]);
        bn->running_variance[c] = (float)((1 - momentum) * (double)bn->running_variance[c] +
                                          momentum * unbiased * variance[l]);
    }
    bn_use_saved(bn, block);
}

static void bn_use_running_statistics(const batch_norm *bn, size_t block)
{
    float *constants = bn_constants(bn, block);
    size_t lanes = bn_lanes(bn, block);

    for (size_t l = 0; l < VEC; l++) {
        size_t c = block * VEC + l;
        double variance = (double)bn->running_variance[c] + (double)bn->desc->epsilon;
        constants[l] = bn->running_mean[c];
        constants[VEC + l] = l < lanes ? (float)((double)bn->gain[c] / sqrt(variance)) : 0.0f;
        constants[2 * VEC + l] = bn->bias[c];
    }
}

INLINE void bn_normalise_span(const batch_norm *bn, size_t item, bool add, bool relu)
{
    const float *constants = bn_constants(bn, item % bn->blocks);
    vec mean = vec_load(constants), scale = vec_load(constants + VEC);
    vec bias = vec_load(constants + 2 * VEC);
    size_t begin = item * bn->area * VEC, end = begin + bn->area * VEC;

    for (size_t i = begin; i < end; i += VEC) {
        vec y = vec_fma(vec_sub(act_load(bn->src + i), mean), scale, bias);
        if (add)
            y = vec_add(y, act_load(bn->src2 + i));
        act_store(bn->dst + i, relu ? vec_relu(y) : y);
    }
}

static void bn_normalise_item(const batch_norm *bn, size_t item)
{
    if (bn->desc->add && bn->desc->relu)
        bn_normalise_span(bn, item, true, true);
    else if (bn->desc->add)
        bn_normalise_span(bn, item, true, false);
    else if (bn->desc->relu)
        bn_normalise_span(bn, item, false, true);
    else
        bn_normalise_span(bn, item, false, false);
}

static rn_status batch_norm_train(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    const batch_norm bn = batch_norm_of(desc, args);
    size_t items = bn.n * bn.blocks;

#pragma omp parallel if (bn_floats(&bn) > PARALLEL_FLOATS)
    {
        range part = thread_range(items);
        for (size_t item = part.begin; bn.statistics == NULL && item < part.end; item++)
            bn_item_moments(&bn, item);
#pragma omp barrier
#pragma omp for schedule(static)
        for (size_t block = 0; block < bn.blocks; block++)
            bn_finish_statistics(&bn, block);
        for (size_t item = part.end; !desc->deferred && item-- > part.begin;)
            bn_normalise_item(&bn, item);
    }
    return RN_OK;
}

static void bn_normalise_all(const batch_norm *bn)
{
#pragma omp parallel if (bn_floats(bn) > PARALLEL_FLOATS)
    {
        range part = thread_range(bn->n * bn->blocks);
        for (size_t item = part.begin; item < part.end; item++)
            bn_normalise_item(bn, item);
    }
}

static rn_status batch_norm_infer(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    const batch_norm bn = batch_norm_of(desc, args);

    for (size_t block = 0; block < bn.blocks; block++)
        bn_use_running_statistics(&bn, block);
    bn_normalise_all(&bn);
    return RN_OK;
}

static rn_status batch_norm_again(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    const batch_norm bn = batch_norm_of(desc, args);

    for (size_t block = 0; block < bn.blocks; block++)
        bn_use_saved(&bn, block);
    bn_normalise_all(&bn);
    return RN_OK;
}

#endif
