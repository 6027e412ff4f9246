/**
 * Backward weights of the convolution of body_winograd.h. With V the points of source tiles and D
 * those of the results' gradients, A diff A^T, the gradient of the transformed weights at each
 * point is the sum over tiles of V D (channels x tiles by tiles x channels); G^T . G takes it back
 * to 3x3.
 *
 * The sum lies as [point][input block][pair of output blocks][input channel][1 or 2 blocks][VEC].
 */
#ifndef ENGINE_CPU_BODY_WINOGRAD_WEIGHTS_H
#define ENGINE_CPU_BODY_WINOGRAD_WEIGHTS_H

#include "engine/cpu/body_winograd.h"

// Columns and rows of a tile that lie in the picture; the gradient beyond is 0.
INLINE void wg_gradient_tile(const act *diff, size_t line, int height, int width, float *points,
                             size_t step)
{
    vec half[6][4];

    for (int j = 0; j < 4; j++) {
        vec g[4], column[6];
        for (int i = 0; i < 4; i++)
            g[i] = i < height && j < width ? act_load(diff + (size_t)i * line + (size_t)j * VEC)
                                           : vec_zero();
        gradient_points(g, column);
        for (int i = 0; i < 6; i++)
            half[i][j] = column[i];
    }
    for (int i = 0; i < 6; i++) {
        vec row[6];
        gradient_points(half[i], row);
        for (int j = 0; j < 6; j++)
            vec_store(points + (size_t)(i * 6 + j) * step, row[j]);
    }
}

static void wg_gradient_rows(const rn_winograd *g, const act *diff, float *points, int begin,
                             range rows)
{
    size_t tiles = (size_t)g->chunk_tiles, step = rn_winograd_step(g, g->out, VEC);
    size_t line = (size_t)g->w * VEC;

    for (size_t r = rows.begin; r < rows.end; r++)
        for (int b = 0; b < g->out; b++) {
            int n = (int)r / g->rows, row = (int)r % g->rows, height = wg_inside(g->h, row);
            const act *plane = diff + wg_plane(g, g->out, n, b) + (size_t)(4 * row) * line;
            float *out =
                points + ((size_t)b * tiles + (r - (size_t)begin) * (size_t)g->columns) * VEC;
            for (int x = 0; x < g->columns; x++) {
                int width = wg_inside(g->w, x);
                if (height == 4 && width == 4)
                    wg_gradient_tile(plane + x * 4 * VEC, line, 4, 4, out + x * VEC, step);
                else
                    wg_gradient_tile(plane + x * 4 * VEC, line, height, width, out + x * VEC, step);
            }
        }
}

// sum[row][q] += over tiles: source[tile][row] gradient[q][tile]. `rows` input channels at a time.
INLINE void wg_outer(const float *source, const float *gradient, size_t tiles, float *sum, int rows,
                     int blocks)
{
    vec sums[VEC][2];

#pragma GCC unroll 16
    for (int c = 0; c < rows; c++)
        for (int q = 0; q < blocks; q++)
            sums[c][q] = vec_load(sum + (c * blocks + q) * VEC);
#pragma GCC unroll 2
    for (size_t t = 0; t < tiles; t++) {
        vec d[2];
        for (int q = 0; q < blocks; q++)
            d[q] = vec_load(gradient + ((size_t)q * tiles + t) * VEC);
#pragma GCC unroll 16
        for (int c = 0; c < rows; c++) {
            vec s = vec_all(source[t * VEC + (size_t)c]);
            for (int q = 0; q < blocks; q++)
                sums[c][q] = vec_fma(s, d[q], sums[c][q]);
        }
    }
#pragma GCC unroll 16
    for (int c = 0; c < rows; c++)
        for (int q = 0; q < blocks; q++)
            vec_store(sum + (c * blocks + q) * VEC, sums[c][q]);
}

// One block of input channels at one point, with all output channels.
static void wg_outer_block(const rn_winograd *g, const float *source, const float *gradient,
                           float *sum)
{
    size_t tiles = (size_t)g->chunk_tiles;

    for (int pair = 0; pair < (g->out + 1) / 2; pair++) {
        const float *d = gradient + (size_t)pair * 2 * tiles * VEC;
        if (wg_pair_blocks(g, pair) == 2)
            for (int c = 0; c < VEC; c += VEC / 2)
                wg_outer(source + c, d, tiles, sum + c * 2 * VEC, VEC / 2, 2);
        else
            wg_outer(source, d, tiles, sum, VEC, 1);
        sum += 2 * WG_BLOCK;
    }
}

// Items are (point, input block), whose sums lie `sum_step` floats apart from point to point.
static void wg_outer_items(const rn_winograd *g, const float *source, const float *gradient,
                           float *sum, range items)
{
    size_t in = (size_t)g->in, block_floats = (size_t)g->chunk_tiles * VEC;
    size_t source_step = rn_winograd_step(g, g->in, VEC);
    size_t gradient_step = rn_winograd_step(g, g->out, VEC);
    size_t sum_step = rn_winograd_sum_step(g, g->in, VEC);

    for (size_t item = items.begin; item < items.end; item++) {
        size_t p = item / in, b = item % in;
        wg_outer_block(g, source + p * source_step + b * block_floats, gradient + p * gradient_step,
                       sum + p * sum_step + b * (size_t)g->out * WG_BLOCK);
    }
}

// Sums of `inputs` input blocks, `copies` of them to be added up: at one pair of channels' blocks,
// to weights [3][3][input channel][VEC].
static void wg_finish_block(const rn_winograd *g, const float *sums, int inputs, int copies,
                            int out, int in, float *diff)
{
    size_t copy = g->weight_floats, step = rn_winograd_sum_step(g, inputs, VEC);
    size_t blocks = (size_t)wg_pair_blocks(g, out / 2);
    const float *first = sums + ((size_t)in * (size_t)g->out + (size_t)(out / 2 * 2)) * WG_BLOCK +
                         (size_t)(out % 2) * VEC;

    for (size_t c = 0; c < VEC; c++) {
        vec half[3][6];
        for (size_t j = 0; j < 6; j++) {
            vec points[6], column[3];
            for (size_t i = 0; i < 6; i++) {
                const float *at = first + (i * 6 + j) * step + c * blocks * VEC;
                points[i] = vec_load(at);
                for (int k = 1; k < copies; k++)
                    points[i] = vec_add(points[i], vec_load(at + (size_t)k * copy));
            }
            point_gradients(points, column);
            for (int i = 0; i < 3; i++)
                half[i][j] = column[i];
        }
        for (size_t i = 0; i < 3; i++) {
            vec row[3];
            point_gradients(half[i], row);
            for (size_t j = 0; j < 3; j++)
                vec_store(diff + ((i * 3 + j) * VEC + c) * VEC, row[j]);
        }
    }
}

static void wg_finish_weights(const rn_winograd *g, const float *sums, int copies, float *diff)
{
#pragma omp for schedule(static)
    for (int block = 0; block < g->in * g->out; block++) // OIhw<VEC>i<VEC>o
        wg_finish_block(g, sums, g->in, copies, block / g->in, block % g->in,
                        diff + (size_t)block * 9 * WG_BLOCK);
}

// Every thread takes chunks and has a sum of its own.
static void wg_weights_of_chunks(const rn_winograd *g, const conv_source *src,
                                 void *const args[RN_ARGS])
{
    float *sums = args[RN_ARG_SCRATCH];

#pragma omp parallel num_threads(g->threads)
    {
        int thread = omp_get_thread_num();
        wg_memory memory = wg_memory_of(g, sums + g->weight_floats * (size_t)g->threads, thread);
        float *sum = sums + g->weight_floats * (size_t)thread;
        memset(sum, 0, g->weight_floats * sizeof *sum);
#pragma omp for schedule(static)
        for (int chunk = 0; chunk < g->chunks; chunk++) {
            int begin = chunk * g->chunk_rows, end = wg_rows_until(g, begin);
            range rows = {(size_t)begin, (size_t)end};
            wg_load_chunk(g, src, memory.source, begin, &memory);
            wg_gradient_rows(g, args[RN_ARG_DIFF_DST], memory.products, begin, rows);
            wg_clear_slots(g, memory.products, g->out, wg_chunk_tiles(g, begin));
            wg_outer_items(g, memory.source, memory.products, sum,
                           (range){0, (size_t)WG_POINTS * (size_t)g->in});
        }
        wg_finish_weights(g, sums, omp_get_num_threads(), args[RN_ARG_DIFF_WEIGHTS]);
    }
}

// Both operands of the chunk that begins with row `begin`: each thread of a parallel region
// transforms some rows, and returns when all are there.
static void wg_load_shared(const rn_winograd *g, const conv_source *src, const act *diff, int begin,
                           float *source, float *gradient, const wg_memory *memory)
{
    range rows = thread_range((size_t)(wg_rows_until(g, begin) - begin));

    rows = (range){rows.begin + (size_t)begin, rows.end + (size_t)begin};
    wg_load_rows(g, src, source, begin, rows, memory);
    wg_gradient_rows(g, diff, gradient, begin, rows);
#pragma omp single
    {
        wg_clear_slots(g, source, g->in, wg_chunk_tiles(g, begin));
        wg_clear_slots(g, gradient, g->out, wg_chunk_tiles(g, begin));
    }
}

// All threads work on one chunk: each transforms some rows, then sums at some of the points.
static void wg_weights_together(const rn_winograd *g, const conv_source *src,
                                void *const args[RN_ARGS])
{
    float *sum = args[RN_ARG_SCRATCH], *source = sum + g->weight_floats;
    float *gradient = source + rn_winograd_chunk_floats(g, g->in, VEC);
    float *rest = gradient + rn_winograd_chunk_floats(g, g->out, VEC);

#pragma omp parallel num_threads(g->threads)
    {
        wg_memory memory = wg_memory_of(g, rest, omp_get_thread_num());
        range items = thread_range((size_t)WG_POINTS * (size_t)g->in);
        range part = thread_range(g->weight_floats);
        memset(sum + part.begin, 0, (part.end - part.begin) * sizeof *sum);
        for (int begin = 0; begin < g->n * g->rows; begin += g->chunk_rows) {
            wg_load_shared(g, src, args[RN_ARG_DIFF_DST], begin, source, gradient, &memory);
            wg_outer_items(g, source, gradient, sum, items);
#pragma omp barrier
        }
        wg_finish_weights(g, sum, 1, args[RN_ARG_DIFF_WEIGHTS]);
    }
}

// Input blocks first .. first + count, with all tiles in one chunk, summed and finished.
static void wg_weights_of_inputs(const rn_winograd *g, const float *source, const float *gradient,
                                 size_t first, size_t count, float *sum, float *diff)
{
    size_t in = (size_t)g->in, block_floats = (size_t)g->chunk_tiles * VEC;
    size_t each = (size_t)g->out * WG_BLOCK, sum_step = rn_winograd_sum_step(g, g->inputs, VEC);

    for (size_t p = 0; p < WG_POINTS; p++) {
        const float *at = source + p * rn_winograd_step(g, g->in, VEC) + first * block_floats;
        memset(sum + p * sum_step, 0, count * each * sizeof *sum);
        for (size_t b = 0; b < count; b++)
            wg_outer_block(g, at + b * block_floats,
                           gradient + p * rn_winograd_step(g, g->out, VEC),
                           sum + p * sum_step + b * each);
    }
    for (size_t b = 0; b < count; b++)
        for (size_t out = 0; out < (size_t)g->out; out++)
            wg_finish_block(g, sum, g->inputs, 1, (int)out, (int)b,
                            diff + (out * in + first + b) * 9 * WG_BLOCK);
}

// All tiles are one chunk: threads transform some rows each, then sum for some input blocks each.
static void wg_weights_by_inputs(const rn_winograd *g, const conv_source *src,
                                 void *const args[RN_ARGS])
{
    float *sums = args[RN_ARG_SCRATCH], *source = sums + g->weight_floats * (size_t)g->threads;
    float *gradient = source + rn_winograd_chunk_floats(g, g->in, VEC);
    float *rest = gradient + rn_winograd_chunk_floats(g, g->out, VEC);
    size_t inputs = (size_t)g->inputs;

#pragma omp parallel num_threads(g->threads)
    {
        int thread = omp_get_thread_num();
        wg_memory memory = wg_memory_of(g, rest, thread);
        range own = thread_range((size_t)g->in);
        wg_load_shared(g, src, args[RN_ARG_DIFF_DST], 0, source, gradient, &memory);
        for (size_t b = own.begin; b < own.end; b += inputs)
            wg_weights_of_inputs(
                g, source, gradient, b, own.end - b < inputs ? own.end - b : inputs,
                sums + g->weight_floats * (size_t)thread, args[RN_ARG_DIFF_WEIGHTS]);
    }
}

static void winograd_weights(const rn_winograd *g, const rn_op_desc *desc,
                             void *const args[RN_ARGS])
{
    const conv_source src = conv_source_of(desc, args);

    if (g->inputs > 0)
        wg_weights_by_inputs(g, &src, args);
    else if (g->shared)
        wg_weights_together(g, &src, args);
    else
        wg_weights_of_chunks(g, &src, args);
}

#endif
