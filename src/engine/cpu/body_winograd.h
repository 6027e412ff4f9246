/**
 * Convolution 3x3, stride 1, padding 1 and its backward data by F(4x4, 3x3), over NCHW<VEC>c.
 *
 * Points of a chunk of tiles lie as [point][group][block][tile of the group][VEC]
 * (rn_winograd_step() from point to point; for backward weights the chunk is one group);
 * transformed weights as [pair of output blocks][point][input channel][1 or 2 blocks][VEC], so that
 * the product of a group of tiles with a pair of blocks runs through both in order; products as
 * [group][point][tile][1 or 2][VEC].
 */
#ifndef ENGINE_CPU_BODY_WINOGRAD_H
#define ENGINE_CPU_BODY_WINOGRAD_H

#include "engine/conv_fold.h"
#include "engine/cpu/body_conv_output.h"
#include "engine/cpu/body_group_product.h"
#include "engine/cpu/body_winograd_source.h"

// One block of weights, [3][3][input channel][VEC], whatever the direction. Backward data reads
// OIhw<VEC>i<VEC>o from output to input, turned by 180 degrees.
static const float *wg_weight_block(const rn_winograd *g, const float *weights, int out, int in,
                                    float *room)
{
    if (!g->transposed)
        return weights + ((size_t)out * (size_t)g->in + (size_t)in) * 9 * WG_BLOCK;
    const float *block = weights + ((size_t)in * (size_t)g->out + (size_t)out) * 9 * WG_BLOCK;
    for (int tap = 0; tap < 9; tap++)
        for (int i = 0; i < VEC; i++)
            for (int o = 0; o < VEC; o++)
                room[(tap * VEC + o) * VEC + i] = block[((8 - tap) * VEC + i) * VEC + o];
    return room;
}

// taps: [3][3] vectors WG_BLOCK floats apart; points `step` floats apart.
INLINE void wg_weight_tile(const float *taps, float *points, size_t step)
{
    vec half[6][3];

    for (int j = 0; j < 3; j++) {
        vec g[3], column[6];
        for (int i = 0; i < 3; i++)
            g[i] = vec_load(taps + (i * 3 + j) * WG_BLOCK);
        weight_points(g, column);
        for (int i = 0; i < 6; i++)
            half[i][j] = column[i];
    }
    for (int i = 0; i < 6; i++) {
        vec row[6];
        weight_points(half[i], row);
        for (int j = 0; j < 6; j++)
            vec_store(points + (size_t)(i * 6 + j) * step, row[j]);
    }
}

// Blocks of pair `pair`: 2, or 1 where the count is odd and it is the last.
static int wg_pair_blocks(const rn_winograd *g, int pair)
{
    return g->out - 2 * pair < 2 ? 1 : 2;
}

static size_t wg_pair_floats(const rn_winograd *g)
{
    return (size_t)WG_POINTS * (size_t)g->in * 2 * WG_BLOCK;
}

static void wg_weight_pair(const rn_winograd *g, const float *weights, int pair, float *points)
{
    int blocks = wg_pair_blocks(g, pair);
    size_t step = (size_t)g->in * VEC * (size_t)blocks * VEC;
    float room[9 * WG_BLOCK];

    for (int q = 0; q < blocks; q++)
        for (int b = 0; b < g->in; b++) {
            const float *block = wg_weight_block(g, weights, 2 * pair + q, b, room);
            for (int i = 0; i < VEC; i++)
                wg_weight_tile(block + i * VEC, points + ((b * VEC + i) * blocks + q) * VEC, step);
        }
}

INLINE void wg_multiply_pair(const rn_winograd *g, size_t groups, const float *source,
                             const float *weights, float *products, int blocks)
{
    size_t in = (size_t)g->in, product = WG_GROUP * (size_t)blocks * VEC;
    size_t step = rn_winograd_step(g, g->in, VEC);

    for (size_t p = 0; p < WG_POINTS; p++)
        for (size_t group = 0; group < groups; group++)
            group_product(source + p * step + group * in * WG_GROUP * VEC,
                          weights + p * in * VEC * (size_t)blocks * VEC, g->in,
                          products + (group * WG_POINTS + p) * product, WG_GROUP, blocks, blocks);
}

static void wg_multiply(const rn_winograd *g, size_t tiles, const float *source,
                        const float *weights, float *products, int blocks)
{
    if (blocks == 2)
        wg_multiply_pair(g, wg_groups(tiles), source, weights, products, 2);
    else
        wg_multiply_pair(g, wg_groups(tiles), source, weights, products, 1);
}

// 36 products, `step` floats apart, to 4x4 results.
INLINE void wg_results(const float *products, size_t step, vec results[4][4])
{
    vec half[4][6];

    for (int j = 0; j < 6; j++) {
        vec points[6], column[4];
        for (int i = 0; i < 6; i++)
            points[i] = vec_load(products + (size_t)(i * 6 + j) * step);
        point_results(points, column);
        for (int i = 0; i < 4; i++)
            half[i][j] = column[i];
    }
    for (int i = 0; i < 4; i++)
        point_results(half[i], results[i]);
}

// Where results go: the part of the tile that lies in the picture.
typedef struct wg_target {
    size_t at, line; // floats: of its corner from the beginning of DST, and from row to row
    int height, width;
    vec bias;
} wg_target;

// What is done to results on their way; WG_STORE: nothing.
enum { WG_STORE, WG_STATISTICS, WG_CHANGE, WG_CHANGE_STATISTICS };

// Where statistics of a part begin: a tile's mean, with what is added; outside of the picture that
// is what the first value gets.
INLINE vec wg_origin(vec results[4][4], const wg_target *to, const conv_output *output, int way)
{
    vec first[16];

    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            bool inside = i < to->height && j < to->width;
            size_t from = inside ? (size_t)i * to->line + (size_t)j * VEC : 0;
            first[4 * i + j] = way == WG_CHANGE_STATISTICS
                                   ? conv_result(output, results[i][j], to->bias, to->at + from)
                                   : results[i][j];
        }
    return moments_origin(first, 16);
}

INLINE void wg_result_tile(const float *products, size_t step, const wg_target *to,
                           const conv_output *output, block_moments *m, int way)
{
    vec results[4][4];
    tile_moments tile = {vec_zero(), vec_zero()};
    bool count = way == WG_STATISTICS || way == WG_CHANGE_STATISTICS;

    wg_results(products, step, results);
    if (count && m->count == 0)
        m->origin = wg_origin(results, to, output, way);
    for (int i = 0; i < to->height; i++)
        for (int j = 0; j < 4; j++) {
            size_t at = to->at + (size_t)i * to->line + (size_t)j * VEC;
            if (j >= to->width)
                continue;
            if (way == WG_CHANGE || way == WG_CHANGE_STATISTICS)
                results[i][j] = conv_result(output, results[i][j], to->bias, at);
            act_store(output->dst + at, results[i][j]);
            if (count)
                moments_add(m, &tile, act_round(results[i][j]));
        }
    if (count)
        moments_merge(m, &tile, (size_t)to->height * (size_t)to->width);
}

static int wg_inside(int size, int tile)
{
    int left = size - 4 * tile;

    return left < 4 ? left : 4;
}

// A row of tiles of one block: their products begin at slot `slot`, with `blocks` blocks a slot.
typedef struct wg_row {
    const float *products; // of the block in slot 0
    int number, slot, blocks;
    size_t plane; // floats from the beginning of DST to that of the block
    vec bias;
} wg_row;

INLINE void wg_store_row(const rn_winograd *g, const wg_row *row, const conv_output *output,
                         block_moments *m, int way)
{
    size_t step = (size_t)(WG_GROUP * row->blocks) * VEC;
    wg_target to = {
        .line = (size_t)g->w * VEC, .height = wg_inside(g->h, row->number), .bias = row->bias};

    to.at = row->plane + (size_t)(4 * row->number) * to.line;
    for (int x = 0; x < g->columns; x++, to.at += 4 * VEC) {
        int slot = row->slot + x;
        const float *tile = row->products + (size_t)(slot / WG_GROUP) * WG_POINTS * step +
                            (size_t)(slot % WG_GROUP * row->blocks) * VEC;
        to.width = wg_inside(g->w, x);
        if (to.width == 4 && to.height == 4)
            wg_result_tile(tile, step, &(wg_target){to.at, to.line, 4, 4, to.bias}, output, m, way);
        else
            wg_result_tile(tile, step, &to, output, m, way);
    }
}

static void wg_store_chunk(const rn_winograd *g, const float *products, const conv_output *output,
                           int pair, int chunk)
{
    int begin = chunk * g->chunk_rows, end = wg_rows_until(g, begin);
    int blocks = wg_pair_blocks(g, pair);
    bool plain = conv_output_plain(output);

    for (int q = 0; q < blocks; q++) {
        int block = 2 * pair + q;
        block_moments m = {vec_zero(), vec_zero(), vec_zero(), 0};
        wg_row row = {.products = products + q * VEC, .blocks = blocks};
        row.bias = conv_bias(output, (size_t)block);
        for (int r = begin; r < end; r++) {
            row.number = r % g->rows;
            row.slot = (r - begin) * g->columns;
            row.plane = wg_plane(g, g->out, r / g->rows, block);
            if (output->statistics != NULL && plain)
                wg_store_row(g, &row, output, &m, WG_STATISTICS);
            else if (output->statistics != NULL)
                wg_store_row(g, &row, output, &m, WG_CHANGE_STATISTICS);
            else if (plain)
                wg_store_row(g, &row, output, NULL, WG_STORE);
            else
                wg_store_row(g, &row, output, NULL, WG_CHANGE);
        }
        if (output->statistics != NULL)
            moments_store(&m,
                          output->statistics +
                              ((size_t)block * (size_t)g->chunks + (size_t)chunk) * MOMENTS * VEC);
    }
}

typedef struct wg_weights {
    const float *taps;
    const float *points; // of all pairs; NULL: to be transformed
} wg_weights;

// Every thread takes chunks of its own; all use the same transformed weights.
static void wg_split_chunks(const rn_winograd *g, const conv_source *src, wg_weights weights,
                            const conv_output *output, float *scratch)
{
    int pairs = (g->out + 1) / 2;
    const float *points = weights.points != NULL ? weights.points : scratch;

#pragma omp parallel num_threads(g->threads)
    {
        wg_memory memory = wg_memory_of(g, scratch + g->weight_floats, omp_get_thread_num());
        if (weights.points == NULL) {
#pragma omp for schedule(static)
            for (int pair = 0; pair < pairs; pair++)
                wg_weight_pair(g, weights.taps, pair, scratch + (size_t)pair * wg_pair_floats(g));
        }
#pragma omp for schedule(static)
        for (int chunk = 0; chunk < g->chunks; chunk++) {
            int begin = chunk * g->chunk_rows;
            wg_load_chunk(g, src, memory.source, begin, &memory);
            for (int pair = 0; pair < pairs; pair++) {
                wg_multiply(g, wg_chunk_tiles(g, begin), memory.source,
                            points + (size_t)pair * wg_pair_floats(g), memory.products,
                            wg_pair_blocks(g, pair));
                wg_store_chunk(g, memory.products, output, pair, chunk);
            }
        }
    }
}

// A thread's part of the rows of all chunks.
static void wg_load_part(const rn_winograd *g, const conv_source *from, float *source,
                         const wg_memory *memory)
{
    size_t floats = rn_winograd_chunk_floats(g, g->in, VEC), chunk_rows = (size_t)g->chunk_rows;
    range part = thread_range((size_t)(g->n * g->rows));

    while (part.begin < part.end) {
        size_t chunk = part.begin / chunk_rows, first = chunk * chunk_rows;
        size_t last = (size_t)wg_rows_until(g, (int)first);
        size_t end = part.end < last ? part.end : last;
        float *points = source + chunk * floats;
        wg_load_rows(g, from, points, (int)first, (range){part.begin, end}, memory);
        if (end == last)
            wg_clear_slots(g, points, g->in, (last - first) * (size_t)g->columns);
        part.begin = end;
    }
}

// All chunks first; then every thread takes pairs of output blocks, and transforms just their
// weights: for many channels and few tiles.
static void wg_split_outputs(const rn_winograd *g, const conv_source *src, wg_weights weights,
                             const conv_output *output, float *scratch)
{
    int pairs = (g->out + 1) / 2;
    size_t chunk_floats = rn_winograd_chunk_floats(g, g->in, VEC);
    float *source = scratch + g->weight_floats * (size_t)g->threads;

#pragma omp parallel num_threads(g->threads)
    {
        int thread = omp_get_thread_num();
        wg_memory memory = wg_memory_of(g, source + chunk_floats * (size_t)g->chunks, thread);
        float *transformed = scratch + g->weight_floats * (size_t)thread;
        wg_load_part(g, src, source, &memory);
#pragma omp barrier
#pragma omp for schedule(static)
        for (int pair = 0; pair < pairs; pair++) {
            const float *points = transformed;
            if (weights.points != NULL)
                points = weights.points + (size_t)pair * wg_pair_floats(g);
            else
                wg_weight_pair(g, weights.taps, pair, transformed);
            for (int chunk = 0; chunk < g->chunks; chunk++) {
                wg_multiply(g, wg_chunk_tiles(g, chunk * g->chunk_rows),
                            source + chunk_floats * (size_t)chunk, points, memory.products,
                            wg_pair_blocks(g, pair));
                wg_store_chunk(g, memory.products, output, pair, chunk);
            }
        }
    }
}

// PREPARED: transformed weights, scaled where a batch norm is folded in, shift, scale.
static void winograd_prepare(const rn_winograd *g, const rn_op_desc *desc,
                             void *const args[RN_ARGS])
{
    int pairs = (g->out + 1) / 2;
    size_t channels = (size_t)g->out * VEC, rows = (size_t)WG_POINTS * (size_t)g->in * VEC;
    float *points = args[RN_ARG_PREPARED], *shift = points + (size_t)pairs * wg_pair_floats(g);
    float *scale = shift + channels;

    rn_conv_fold(desc, args, channels, scale, shift);
#pragma omp parallel for schedule(static) num_threads(g->threads)
    for (int pair = 0; pair < pairs; pair++) {
        float *to = points + (size_t)pair * wg_pair_floats(g);
        wg_weight_pair(g, args[RN_ARG_WEIGHTS], pair, to);
        if (desc->fold)
            conv_scale_weights(to, rows, scale + (size_t)pair * 2 * VEC,
                               (size_t)wg_pair_blocks(g, pair));
    }
}

static void winograd_conv(const rn_winograd *g, const rn_op_desc *desc, void *const args[RN_ARGS])
{
    const conv_source src = conv_source_of(desc, args);
    wg_weights weights = {.taps = args[RN_ARG_WEIGHTS], .points = args[RN_ARG_PREPARED]};
    conv_output output = conv_output_of(desc, args);

    if (weights.points != NULL && (desc->fold || desc->bias))
        output.bias = conv_shift(args, (size_t)((g->out + 1) / 2) * wg_pair_floats(g));
    if (g->shared)
        wg_split_outputs(g, &src, weights, &output, args[RN_ARG_SCRATCH]);
    else
        wg_split_chunks(g, &src, weights, &output, args[RN_ARG_SCRATCH]);
}

#endif
