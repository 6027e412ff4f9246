/** Points of a direct convolution's grid, and what becomes of their sums. */
#ifndef ENGINE_CPU_BODY_DIRECT_STORE_H
#define ENGINE_CPU_BODY_DIRECT_STORE_H

#include "engine/cpu/body_conv_output.h"
#include "engine/cpu/body_direct_buffer.h"

// Registers of sums: grid points x blocks written.
enum { WIDE = VEC == 16, DIRECT_POINTS = RN_DIRECT_POINTS, DIRECT_BLOCKS = WIDE ? 4 : 2 };

// Grid points of one product: where their sources begin, and where their results go.
typedef struct direct_group {
    size_t source[DIRECT_POINTS]; // in the buffer
    size_t target[DIRECT_POINTS]; // floats from the beginning of block 0 of the batch
    bool inside[DIRECT_POINTS];
} direct_group;

// Points of the grid in order, through all pictures of a chunk.
typedef struct direct_walk {
    int picture, row, column;
} direct_walk;

static void direct_step(const rn_direct *d, const direct_chunk *chunk, direct_walk *at)
{
    if (++at->column < d->columns)
        return;
    at->column = 0;
    if (++at->row < chunk->rows)
        return;
    at->row = 0;
    at->picture++;
}

// Where statistics of a part begin: the mean of its first results, with what is added; `at`: of
// block q. Points outside repeat the first.
INLINE vec direct_origin(const direct_group *group, const conv_output *output,
                         vec sums[DIRECT_POINTS][DIRECT_BLOCKS], int q, vec bias, size_t at)
{
    vec first[DIRECT_POINTS];
    bool plain = conv_output_plain(output);

    for (int t = 0; t < DIRECT_POINTS; t++) {
        size_t target = at + group->target[group->inside[t] ? t : 0];
        first[t] = plain ? sums[t][q] : conv_result(output, sums[t][q], bias, target);
    }
    return moments_origin(first, DIRECT_POINTS);
}

INLINE void direct_store(const rn_direct *d, const direct_group *group, const conv_output *output,
                         vec sums[DIRECT_POINTS][DIRECT_BLOCKS], int first, int blocks,
                         block_moments *moments)
{
    size_t area = (size_t)d->out_h * (size_t)d->out_w * VEC;
    bool plain = conv_output_plain(output);

    for (int q = 0; q < blocks; q++) {
        size_t block = (size_t)(first + q), stored = 0;
        vec bias = conv_bias(output, block);
        tile_moments tile = {vec_zero(), vec_zero()};
        block_moments *m = &moments[q];
        if (output->statistics != NULL && m->count == 0)
            m->origin = direct_origin(group, output, sums, q, bias, block * area);
        for (int t = 0; t < DIRECT_POINTS; t++) {
            size_t at = group->target[t] + block * area;
            vec result = sums[t][q];
            if (!group->inside[t])
                continue;
            if (!plain)
                result = conv_result(output, result, bias, at);
            act_store(output->dst + at, result);
            if (output->statistics != NULL)
                moments_add(m, &tile, act_round(result));
            stored++;
        }
        moments_merge(m, &tile, stored);
    }
}

#endif
