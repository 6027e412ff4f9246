/**
 * Sizes of a convolution 3x3, stride 1, padding 1 by Winograd's minimal filtering F(4x4, 3x3)
 * (Winograd 1980; Lavin & Gray 2016), shared by its maker and its kernels.
 *
 * The image is cut into tiles of 4x4 results, each made from 6x6 sources. Source tile, weights and
 * result have 36 "points" each after a linear transform; at each point the convolution is a
 * product of matrices, tiles x channels by channels x channels: 36 multiplications instead of 144.
 */
#ifndef ENGINE_CPU_WINOGRAD_H
#define ENGINE_CPU_WINOGRAD_H

#include "plan/op.h"

enum { RN_WINOGRAD_POINTS = 36, RN_WINOGRAD_RESULT = 4, RN_WINOGRAD_SOURCE = 6 };

// Tiles of one product, with blocks of 8 and of 16: with 2 blocks they fill the registers.
enum { RN_WINOGRAD_GROUP_8 = 6, RN_WINOGRAD_GROUP_16 = 12 };

/** Rows of tiles are numbered through the whole batch; a chunk is some of them in a row. */
typedef struct rn_winograd {
    int n, h, w;
    int in, out;            // blocks of channels of SRC and DST; of DIFF_DST and DIFF_SRC for data
    bool transposed;        // backward data: weights are turned by 180 degrees and read out to in
    int rows, columns;      // of tiles, a picture
    int chunk_rows;         // rows of tiles that are worked on at a time
    int chunk_tiles;        // slots for their tiles, whole groups
    int side;               // slots of one block side by side: a group, or the whole chunk
    int chunks;             // of the batch
    bool shared;            // threads share each chunk and split channels, not chunks
    int inputs;             // backward weights: input blocks that a thread sums at a time, 0: all
    int threads;            // that scratch has room for
    size_t prepared_floats; // transformed weights, shift, scale: of constant parameters
    size_t source_floats, product_floats, strip_floats, weight_floats; // parts of scratch
} rn_winograd;

/**
 * Floats from one point of a chunk's tiles to the next, where there are `blocks` of `block`
 * channels: an odd number of cache lines, so that the 36 points of a tile fall into different sets.
 */
static inline size_t rn_winograd_step(const rn_winograd *g, int blocks, int block)
{
    const size_t line = 64 / sizeof(float);

    return ((size_t)blocks * (size_t)block * (size_t)g->chunk_tiles / line | 1) * line;
}

/** All points of a chunk. */
static inline size_t rn_winograd_chunk_floats(const rn_winograd *g, int blocks, int block)
{
    return RN_WINOGRAD_POINTS * rn_winograd_step(g, blocks, block);
}

/** Floats from one point of a sum over tiles to the next, of `inputs` input blocks: likewise odd.
 */
static inline size_t rn_winograd_sum_step(const rn_winograd *g, int inputs, int block)
{
    const size_t line = 64 / sizeof(float);

    return ((size_t)inputs * (size_t)g->out * (size_t)block * (size_t)block / line | 1) * line;
}

/** Whether the op, one of the three of a convolution, is 3x3, stride 1, padding 1, in these blocks.
 */
bool rn_winograd_fits(const rn_op_desc *desc, int block);

/** Cut up an op that fits, for rn_threads(). @return Floats of scratch. */
size_t rn_winograd_plan(rn_winograd *g, const rn_op_desc *desc, int block);

#endif
