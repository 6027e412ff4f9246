/**
 * Backward weights of the convolution of body_direct.h: at each tap the product of the sources that
 * it meets with the gradients, channels x points by points x channels. Sums have the layout of the
 * weights.
 */
#ifndef ENGINE_CPU_BODY_DIRECT_WEIGHTS_H
#define ENGINE_CPU_BODY_DIRECT_WEIGHTS_H

#include "engine/cpu/body_direct.h"

// Input channels of one product: a plain source has few. With two blocks they fill the registers.
enum { DIRECT_CHANNELS = VEC / 2, DIRECT_PLAIN_CHANNELS = 3 };

// Gradients of a chunk: [block][picture][row][column][VEC], rows of all pictures and blocks
// numbered through.
static void direct_copy_gradients(const rn_direct *d, const act *diff, direct_chunk chunk,
                                  range rows, float *gradients)
{
    size_t line = (size_t)d->columns * VEC, each = (size_t)chunk.rows, out = (size_t)d->out;

    for (size_t i = rows.begin; i < rows.end; i++) {
        size_t row = i % each, block = i / each % out, picture = i / each / out;
        size_t n = (size_t)chunk.picture + picture, y = (size_t)chunk.row + row;
        const act *from = diff + ((n * out + block) * (size_t)d->rows + y) * line;
        float *to = gradients + block * d->gradient_block_floats + (picture * each + row) * line;
        for (size_t x = 0; x < line; x += VEC)
            vec_store(to + x, act_load(from + x));
    }
}

typedef struct direct_pair {
    const float *source, *gradient;
    float *sum;
} direct_pair;

// sum[block][channel] += over points: source[point][channel] gradient[point][block].
INLINE void direct_outer(const rn_direct *d, const direct_chunk *chunk, const direct_pair *pair,
                         int channels, int blocks)
{
    vec sums[VEC][2];
    const float *gradient = pair->gradient;
    size_t step = (size_t)(d->step_in / d->take);
    size_t line = step * d->line_floats, point = step * (size_t)d->channels;

#pragma GCC unroll 16
    for (int c = 0; c < channels; c++)
        for (int q = 0; q < blocks; q++)
            sums[c][q] = vec_load(pair->sum + (size_t)q * d->out_weights + c * VEC);
    for (int picture = 0; picture < chunk->pictures; picture++)
        for (int y = 0; y < chunk->rows; y++) {
            const float *source =
                pair->source + (size_t)picture * d->picture_floats + (size_t)y * line;
#pragma GCC unroll 2
            for (int x = 0; x < d->columns; x++, source += point, gradient += VEC) {
                vec g[2];
                for (int q = 0; q < blocks; q++)
                    g[q] = vec_load(gradient + (size_t)q * d->gradient_block_floats);
#pragma GCC unroll 16
                for (int c = 0; c < channels; c++) {
                    vec s = vec_all(source[c]);
                    for (int q = 0; q < blocks; q++)
                        sums[c][q] = vec_fma(s, g[q], sums[c][q]);
                }
            }
        }
#pragma GCC unroll 16
    for (int c = 0; c < channels; c++)
        for (int q = 0; q < blocks; q++)
            vec_store(pair->sum + (size_t)q * d->out_weights + c * VEC, sums[c][q]);
}

// All channels of one tap of a blocked source.
static void direct_outer_tap(const rn_direct *d, const direct_chunk *chunk, direct_pair pair,
                             int blocks)
{
    if (blocks == 1) {
        direct_outer(d, chunk, &pair, VEC, 1);
        return;
    }
    for (int c = 0; c < VEC; c += DIRECT_CHANNELS) {
        direct_outer(d, chunk, &pair, DIRECT_CHANNELS, 2);
        pair.source += DIRECT_CHANNELS;
        pair.sum += DIRECT_CHANNELS * VEC;
    }
}

// All taps and channels of a row of the window over a plain source.
static void direct_outer_run(const rn_direct *d, const direct_chunk *chunk, direct_pair pair,
                             int blocks)
{
    for (int left = d->kernel * d->channels; left > 0;) {
        int channels = left < DIRECT_PLAIN_CHANNELS ? 1 : DIRECT_PLAIN_CHANNELS;
        if (channels == 1 && blocks == 1)
            direct_outer(d, chunk, &pair, 1, 1);
        else if (channels == 1)
            direct_outer(d, chunk, &pair, 1, 2);
        else if (blocks == 1)
            direct_outer(d, chunk, &pair, DIRECT_PLAIN_CHANNELS, 1);
        else
            direct_outer(d, chunk, &pair, DIRECT_PLAIN_CHANNELS, 2);
        pair.source += channels;
        pair.sum += channels * VEC;
        left -= channels;
    }
}

// One block read with one pair of blocks of gradients: the whole window.
static void direct_outer_window(const rn_direct *d, const direct_chunk *chunk, direct_pair pair,
                                int blocks)
{
    const float *source = pair.source;

    for (int y = 0; y < d->kernel; y++, source += d->line_floats) {
        pair.source = source;
        if (d->plain) {
            direct_outer_run(d, chunk, pair, blocks);
            pair.sum += (size_t)d->kernel * (size_t)d->channels * VEC;
            continue;
        }
        for (int x = 0; x < d->kernel; x++) {
            direct_outer_tap(d, chunk, pair, blocks);
            pair.source += VEC;
            pair.sum += VEC * VEC;
        }
    }
}

// Items are (block, pair of gradients' blocks); the inner of both runs through the tensor with
// fewer channels, which stays in a near cache.
static void direct_outer_items(const rn_direct *d, direct_chunk chunk, const float *buffer,
                               const float *gradients, float *sums, range items)
{
    size_t pairs = ((size_t)d->out + 1) / 2, in = (size_t)d->in;
    size_t window = d->out_weights / in;

    for (size_t item = items.begin; item < items.end; item++) {
        bool wide = d->in > d->out;
        size_t b = wide ? item / pairs : item % in, p = wide ? item % pairs : item / in;
        direct_pair pair = {.source = buffer + b * d->block_floats,
                            .gradient = gradients + 2 * p * d->gradient_block_floats,
                            .sum = sums + 2 * p * d->out_weights + b * window};
        direct_outer_window(d, &chunk, pair, direct_least(2, d->out - 2 * (int)p));
    }
}

static size_t direct_items(const rn_direct *d)
{
    return ((size_t)d->out + 1) / 2 * (size_t)d->in;
}

// Every thread takes chunks and has a sum of its own.
static void direct_weights_of_chunks(const rn_direct *d, const conv_source *src,
                                     void *const args[RN_ARGS])
{
    float *sums = args[RN_ARG_SCRATCH], *diff = args[RN_ARG_DIFF_WEIGHTS];
    size_t count = (size_t)d->out * d->out_weights, threads = (size_t)d->threads;
    size_t each = d->buffer_floats + d->gradient_floats;

#pragma omp parallel num_threads(d->threads)
    {
        size_t thread = (size_t)omp_get_thread_num();
        float *sum = sums + thread * d->sum_floats;
        float *buffer = sums + threads * d->sum_floats + thread * each;
        float *gradients = buffer + d->buffer_floats;
        memset(sum, 0, count * sizeof *sum);
#pragma omp for schedule(static)
        for (int i = 0; i < d->chunks; i++) {
            direct_chunk chunk = direct_chunk_at(d, i);
            range rows = {0, direct_copied_rows(d, chunk)};
            range lines = {0, (size_t)(chunk.pictures * d->out * chunk.rows)};
            direct_copy_rows(d, src, chunk, rows, buffer);
            direct_copy_gradients(d, args[RN_ARG_DIFF_DST], chunk, lines, gradients);
            direct_outer_items(d, chunk, buffer, gradients, sum, (range){0, direct_items(d)});
        }
        range part = thread_range_floats(count);
        for (size_t i = part.begin; i < part.end; i += VEC) {
            vec total = vec_load(sums + i);
            for (size_t k = 1; k < (size_t)omp_get_num_threads(); k++)
                total = vec_add(total, vec_load(sums + k * d->sum_floats + i));
            vec_store(diff + i, total);
        }
    }
}

// All threads work on one chunk: each copies some rows, then has some of the sums.
static void direct_weights_together(const rn_direct *d, const conv_source *src,
                                    void *const args[RN_ARGS])
{
    float *buffer = args[RN_ARG_SCRATCH], *gradients = buffer + d->buffer_floats;
    float *diff = args[RN_ARG_DIFF_WEIGHTS];

#pragma omp parallel num_threads(d->threads)
    {
        range part = thread_range_floats((size_t)d->out * d->out_weights);
        range items = thread_range(direct_items(d));
        memset(diff + part.begin, 0, (part.end - part.begin) * sizeof *diff);
        for (int i = 0; i < d->chunks; i++) {
            direct_chunk chunk = direct_chunk_at(d, i);
            direct_copy_rows(d, src, chunk, thread_range(direct_copied_rows(d, chunk)), buffer);
            direct_copy_gradients(d, args[RN_ARG_DIFF_DST], chunk,
                                  thread_range((size_t)(chunk.pictures * d->out * chunk.rows)),
                                  gradients);
#pragma omp barrier
            direct_outer_items(d, chunk, buffer, gradients, diff, items);
#pragma omp barrier
        }
    }
}

static void direct_weights(const rn_direct *d, const rn_op_desc *desc, void *const args[RN_ARGS])
{
    const conv_source src = conv_source_of(desc, args);

    if (d->shared)
        direct_weights_together(d, &src, args);
    else
        direct_weights_of_chunks(d, &src, args);
}

#endif
