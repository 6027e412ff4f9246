/**
 * Backward of batch normalisation with the addition and ReLU behind it. With g the gradient that
 * arrives at the normalised value (masked by the ReLU), m = n h w, and all sums over n, h, w:
 *
 *   diff_bias = sum g,   diff_gain = invstd sum g (x - mean),
 *   diff_src = gain invstd (g - diff_bias / m - (x - mean) invstd diff_gain / m)
 *            = a g + b (x - mean) + c
 *
 * Without an addition the mask is made again from the source; with one it is the result's.
 * The loops know the mean in float; sum g (x - mean) and c make up for the rest of it.
 */
#ifndef ENGINE_CPU_BODY_BATCH_NORM_BACKWARD_H
#define ENGINE_CPU_BODY_BATCH_NORM_BACKWARD_H

#include "engine/cpu/body_batch_norm.h"

// What g is made from.
enum { BN_RELU = 1, BN_SECOND = 2, BN_ADD = 4 };

static int bn_variant(const rn_op_desc *desc)
{
    return (desc->relu ? BN_RELU : 0) | (desc->diff_dst2 ? BN_SECOND : 0) |
           (desc->add ? BN_ADD : 0);
}

// How the forward op normalised: all of it only where the ReLU's mask is made of it.
static block_norm bn_forward_norm(const batch_norm *bn, size_t block)
{
    float constants[3 * VEC];

    if (!bn->desc->relu || bn->desc->add)
        return (block_norm){.mean = vec_load(bn->saved_mean + block * VEC)};
    bn_saved_constants(bn, block, constants);
    return (block_norm){.mean = vec_load(constants),
                        .scale = vec_load(constants + VEC),
                        .bias = vec_load(constants + 2 * VEC)};
}

INLINE vec bn_incoming(const batch_norm *bn, size_t i, int variant, const block_norm *norm,
                       vec centred)
{
    vec g = act_load(bn->diff_dst + i);

    if (variant & BN_SECOND)
        g = vec_add(g, act_load(bn->diff_dst2 + i));
    if (!(variant & BN_RELU))
        return g;
    return vec_gate(g, variant & BN_ADD ? act_load(bn->gate + i)
                                        : vec_fma(centred, norm->scale, norm->bias));
}

// With BN_ADD g is what the other branch gets: stored here, it is all that the second pass reads.
INLINE void bn_reduce_pixel(const batch_norm *bn, size_t i, int variant, const block_norm *norm,
                            vec sums[2])
{
    vec centred = vec_sub(act_load(bn->src + i), norm->mean);
    vec g = bn_incoming(bn, i, variant, norm, centred);

    if (variant & BN_ADD) {
        g = act_round(g);
        act_store(bn->diff_src2 + i, g);
    }
    sums[0] = vec_add(sums[0], g);
    sums[1] = vec_fma(g, centred, sums[1]);
}

INLINE void bn_reduce_chunk(const batch_norm *bn, range floats, int variant, const block_norm *norm,
                            vec total[2])
{
    vec sums[BN_UNROLL][2];
    size_t i = floats.begin;

    for (int k = 0; k < BN_UNROLL; k++)
        sums[k][0] = sums[k][1] = vec_zero();
    for (; i + BN_UNROLL * VEC <= floats.end; i += BN_UNROLL * VEC)
        for (size_t k = 0; k < BN_UNROLL; k++)
            bn_reduce_pixel(bn, i + k * VEC, variant, norm, sums[k]);
    for (; i < floats.end; i += VEC)
        bn_reduce_pixel(bn, i, variant, norm, sums[0]);
    for (int s = 0; s < 2; s++)
        total[s] = vec_add(
            total[s], vec_add(vec_add(sums[0][s], sums[1][s]), vec_add(sums[2][s], sums[3][s])));
}

INLINE void bn_reduce_span(const batch_norm *bn, size_t item, int variant)
{
    size_t block = item % bn->blocks, begin = item * bn->area * VEC, end = begin + bn->area * VEC;
    block_norm norm = bn_forward_norm(bn, block);
    vec total[2] = {vec_zero(), vec_zero()};
    float *partials = bn_partials(bn, block, item / bn->blocks);

    for (size_t i = begin; i < end; i += BN_CHUNK * VEC) {
        size_t stop = end - i < BN_CHUNK * VEC ? end : i + BN_CHUNK * VEC;
        bn_reduce_chunk(bn, (range){i, stop}, variant, &norm, total);
    }
    vec_store(partials, total[0]);
    vec_store(partials + VEC, total[1]);
}

INLINE void bn_apply_span(const batch_norm *bn, size_t item, int variant)
{
    const float *constants = bn_constants(bn, item % bn->blocks);
    vec mean = vec_load(constants), a = vec_load(constants + VEC);
    vec b = vec_load(constants + 2 * VEC), c = vec_load(constants + 3 * VEC);
    block_norm norm = bn_forward_norm(bn, item % bn->blocks);
    size_t begin = item * bn->area * VEC, end = begin + bn->area * VEC;

    for (size_t i = begin; i < end; i += VEC) {
        vec centred = vec_sub(act_load(bn->src + i), mean);
        vec g = variant & BN_ADD ? act_load(bn->diff_src2 + i)
                                 : bn_incoming(bn, i, variant, &norm, centred);
        act_store(bn->diff_src + i, vec_fma(a, g, vec_fma(b, centred, c)));
    }
}

static void bn_reduce_item(const batch_norm *bn, size_t item)
{
    switch (bn_variant(bn->desc)) {
#define REDUCE_CASE(variant)                                                                       \
    case variant:                                                                                  \
        bn_reduce_span(bn, item, variant);                                                         \
        break
        REDUCE_CASE(0);
        REDUCE_CASE(BN_RELU);
        REDUCE_CASE(BN_SECOND);
        REDUCE_CASE(BN_RELU | BN_SECOND);
        REDUCE_CASE(BN_ADD);
        REDUCE_CASE(BN_ADD | BN_RELU);
        REDUCE_CASE(BN_ADD | BN_SECOND);
        REDUCE_CASE(BN_ADD | BN_RELU | BN_SECOND);
#undef REDUCE_CASE
    }
}

static void bn_apply_item(const batch_norm *bn, size_t item)
{
    int variant = bn_variant(bn->desc);

    if (variant & BN_ADD)
        bn_apply_span(bn, item, BN_ADD);
    else if (variant == (BN_RELU | BN_SECOND))
        bn_apply_span(bn, item, BN_RELU | BN_SECOND);
    else if (variant == BN_RELU)
        bn_apply_span(bn, item, BN_RELU);
    else if (variant == BN_SECOND)
        bn_apply_span(bn, item, BN_SECOND);
    else
        bn_apply_span(bn, item, 0);
}

// constants: mean, a, b, c.
static void bn_finish_gradients(const batch_norm *bn, size_t block)
{
    const float *partials = bn_partials(bn, block, 0);
    double sums[2 * VEC] = {0}, m = (double)bn->n * (double)bn->area;
    float *constants = bn_constants(bn, block);

    for (size_t n = 0; n < bn->n; n++)
        for (size_t l = 0; l < 2 * VEC; l++)
            sums[l] += partials[n * 2 * VEC + l];
    for (size_t l = 0; l < VEC; l++) {
        size_t channel = block * VEC + l;
        double invstd = (double)bn->saved_invstd[channel]; // 0 for padding
        double rest = (double)bn->saved_rest[channel], a = invstd * (double)bn->gain[channel];
        double diff_gain = invstd * (sums[VEC + l] - rest * sums[l]);
        double b = -a * invstd * diff_gain / m;
        constants[l] = bn->saved_mean[channel];
        constants[VEC + l] = (float)a;
        constants[2 * VEC + l] = (float)b;
        constants[3 * VEC + l] = (float)(-a * sums[l] / m - b * rest);
        bn->diff_gain[channel] = (float)diff_gain;
        bn->diff_bias[channel] = (float)sums[l];
    }
}

static rn_status batch_norm_backward(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    const batch_norm bn = batch_norm_of(desc, args);
    size_t items = bn.n * bn.blocks;

#pragma omp parallel if (bn_floats(&bn) > PARALLEL_FLOATS)
    {
        range part = thread_range(items);
        for (size_t item = part.begin; item < part.end; item++)
            bn_reduce_item(&bn, item);
#pragma omp barrier
#pragma omp for schedule(static)
        for (size_t block = 0; block < bn.blocks; block++)
            bn_finish_gradients(&bn, block);
        for (size_t item = part.end; bn.diff_src != NULL && item-- > part.begin;)
            bn_apply_item(&bn, item);
    }
    return RN_OK;
}

#endif
