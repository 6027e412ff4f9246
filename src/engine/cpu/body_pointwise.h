/**
 * Direct convolutions with 1x1 windows, and their backward data, as products of matrices: points of
 * the grid x channels read by channels read x channels written. What a product reads lies in the
 * order in which it does so: points as [group][block read][point of the group][VEC], weights as
 * [group of blocks written][channel read][block of the group][VEC].
 */
#ifndef ENGINE_CPU_BODY_POINTWISE_H
#define ENGINE_CPU_BODY_POINTWISE_H

#include "engine/cpu/body_direct_store.h"
#include "engine/cpu/body_group_product.h"

// Points of a chunk: where their results go, POINTWISE_NOWHERE for those beyond the picture.
typedef struct pointwise_points {
    size_t groups;
    size_t target[RN_POINTWISE_MOST];
} pointwise_points;

#define POINTWISE_NOWHERE SIZE_MAX

static size_t pointwise_group_floats(const rn_direct *d)
{
    return (size_t)d->in * DIRECT_POINTS * VEC;
}

// One block of all points of a chunk; the slots behind the last hold zeroes.
INLINE void pointwise_copy_block(const rn_direct *d, const direct_chunk *chunk, const act *data,
                                 const block_norm *norm, float *to)
{
    size_t line = (size_t)d->in_w * VEC, plane = (size_t)d->in_h * line, step = (size_t)d->step_in;
    size_t group = pointwise_group_floats(d), t = 0;

    for (int n = 0; n < chunk->pictures; n++, data += (size_t)d->in * plane)
        for (int y = 0; y < chunk->rows; y++) {
            const act *from = data + (size_t)(chunk->row + y) * step * line;
            for (int x = 0; x < d->columns; x++, from += step * VEC) {
                vec value = act_load(from);
                vec_store(to + t * VEC, norm != NULL ? conv_normalise(norm, value) : value);
                t = t + 1 < DIRECT_POINTS ? t + 1 : 0;
                to += t == 0 ? group : 0;
            }
        }
    for (; t > 0 && t < DIRECT_POINTS; t++)
        vec_store(to + t * VEC, vec_zero());
}

static void pointwise_copy(const rn_direct *d, const conv_source *src, const direct_chunk *chunk,
                           float *buffer)
{
    size_t in = (size_t)d->in, plane = (size_t)d->in_h * (size_t)d->in_w * VEC;

    for (size_t b = 0; b < in; b++, buffer += DIRECT_POINTS * VEC) {
        const act *data = src->data + ((size_t)chunk->picture * in + b) * plane;
        if (src->norm == NULL) {
            pointwise_copy_block(d, chunk, data, NULL, buffer);
        } else {
            block_norm norm = block_norm_of(src, b);
            pointwise_copy_block(d, chunk, data, &norm, buffer);
        }
    }
}

// Backward data reads OIhw<VEC>i<VEC>o from output to input.
static void pointwise_turn_block(const float *block, float *to, size_t step)
{
    for (size_t o = 0; o < VEC; o++)
        for (size_t i = 0; i < VEC; i++)
            to[o * step + i] = block[i * VEC + o];
}

// Weights of `blocks` blocks written, from block `first` on.
static void pointwise_pack(const rn_direct *d, const float *weights, int first, int blocks,
                           float *packed)
{
    size_t in = (size_t)d->in, out = (size_t)d->out, step = (size_t)blocks * VEC;

    packed += (size_t)first * d->out_weights;
    for (size_t q = 0; q < (size_t)blocks; q++)
        for (size_t b = 0; b < in; b++) {
            size_t written = (size_t)first + q;
            float *to = packed + b * VEC * step + q * VEC;
            if (d->transposed) {
                pointwise_turn_block(weights + (b * out + written) * VEC * VEC, to, step);
                continue;
            }
            const float *from = weights + (written * in + b) * VEC * VEC;
            for (size_t c = 0; c < VEC; c++)
                vec_store(to + c * step, vec_load(from + c * VEC));
        }
}

// Of all groups of blocks, shared by the threads of a parallel region.
static const float *pointwise_pack_all(const rn_direct *d, const float *weights, float *packed)
{
#pragma omp for schedule(static)
    for (int first = 0; first < d->out; first += DIRECT_BLOCKS)
        pointwise_pack(d, weights, first, direct_least(DIRECT_BLOCKS, d->out - first), packed);
    return packed;
}

// Where a class of results goes.
static void pointwise_targets(const rn_direct *d, const rn_direct_class *class,
                              const direct_chunk *chunk, pointwise_points *points)
{
    size_t picture = (size_t)d->out * (size_t)d->out_h * (size_t)d->out_w, count = 0;

    for (int n = 0; n < chunk->pictures; n++)
        for (int row = 0; row < chunk->rows; row++)
            for (int column = 0; column < d->columns; column++) {
                int y = (chunk->row + row) * d->step_out + class->y;
                int x = column * d->step_out + class->x;
                points->target[count++] = y < d->out_h && x < d->out_w
                                              ? ((size_t)(chunk->picture + n) * picture +
                                                 (size_t)y * (size_t)d->out_w + (size_t)x) *
                                                    VEC
                                              : POINTWISE_NOWHERE;
            }
    while (count % DIRECT_POINTS != 0)
        points->target[count++] = POINTWISE_NOWHERE;
    points->groups = count / DIRECT_POINTS;
}

INLINE void pointwise_blocks(const rn_direct *d, const pointwise_points *points, bool taps,
                             const float *buffer, const float *weights, const conv_output *output,
                             int first, int blocks, block_moments *moments)
{
    for (size_t g = 0; g < points->groups; g++) {
        vec sums[DIRECT_POINTS][DIRECT_BLOCKS];
        direct_group group;
        for (size_t t = 0; t < DIRECT_POINTS; t++) {
            group.target[t] = points->target[g * DIRECT_POINTS + t];
            group.inside[t] = group.target[t] != POINTWISE_NOWHERE;
        }
        group_product(buffer + g * pointwise_group_floats(d), weights, taps ? d->in : 0,
                      (float *)sums, DIRECT_POINTS, blocks, DIRECT_BLOCKS);
        direct_store(d, &group, output, sums, first, blocks, moments);
    }
}

// Blocks first .. first + blocks of a chunk's results, packed weights.
static void pointwise_results(const rn_direct *d, int number, const float *buffer,
                              const float *packed, const conv_output *output, int first, int blocks,
                              block_moments *moments)
{
    direct_chunk chunk = direct_chunk_at(d, number);
    const float *weights = packed + (size_t)first * d->out_weights;
    pointwise_points points;

    for (int k = 0; k < d->classes; k++) {
        bool taps = d->class[k].taps_y > 0 && d->class[k].taps_x > 0;
        pointwise_targets(d, &d->class[k], &chunk, &points);
        if (blocks == 1)
            pointwise_blocks(d, &points, taps, buffer, weights, output, first, 1, moments);
        else if (blocks == 2)
            pointwise_blocks(d, &points, taps, buffer, weights, output, first, 2, moments);
        else if (blocks == 3)
            pointwise_blocks(d, &points, taps, buffer, weights, output, first, WIDE ? 3 : 1,
                             moments);
        else
            pointwise_blocks(d, &points, taps, buffer, weights, output, first, WIDE ? 4 : 1,
                             moments);
    }
}

#endif
