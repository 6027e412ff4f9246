/** Direct convolution of any window and its backward data, over NCHW<VEC>c: see direct.h. */
#ifndef ENGINE_CPU_BODY_DIRECT_H
#define ENGINE_CPU_BODY_DIRECT_H

#include "engine/conv_fold.h"
#include "engine/cpu/body_pointwise.h"

// The next points; those behind the last repeat the first, and are not stored.
static void direct_next_group(const rn_direct *d, const rn_direct_class *class,
                              const direct_chunk *chunk, direct_walk *at, direct_group *group)
{
    int walk = d->step_in / d->take;
    size_t picture_out = (size_t)d->out * (size_t)d->out_h * (size_t)d->out_w;

    for (int t = 0; t < DIRECT_POINTS; t++) {
        int y = (chunk->row + at->row) * d->step_out + class->y;
        int x = at->column * d->step_out + class->x;
        if (at->picture >= chunk->pictures) {
            group->source[t] = group->source[0];
            group->inside[t] = false;
            continue;
        }
        group->source[t] = (size_t)at->picture * d->picture_floats +
                           (size_t)(at->row * walk + class->first_y) * d->line_floats +
                           (size_t)(at->column * walk + class->first_x) * (size_t)d->channels;
        group->inside[t] = y < d->out_h && x < d->out_w;
        group->target[t] = ((size_t)(chunk->picture + at->picture) * picture_out +
                            (size_t)y * (size_t)d->out_w + (size_t)x) *
                           VEC;
        direct_step(d, chunk, at);
    }
}

// sums[point][block] = over all taps: source[tap] weights[tap][block].
INLINE void direct_product(const rn_direct *d, const rn_direct_class *class,
                           const direct_group *group, const float *buffer, const float *weights,
                           vec results[DIRECT_POINTS][DIRECT_BLOCKS], int blocks)
{
    vec sums[DIRECT_POINTS][DIRECT_BLOCKS]; // whose address nobody takes: registers
    size_t run = (size_t) class->taps_x * (size_t)d->channels, out = d->out_weights;
    const float *source[DIRECT_POINTS];

#pragma GCC unroll 16
    for (int t = 0; t < DIRECT_POINTS; t++) {
        source[t] = buffer + group->source[t];
        for (int q = 0; q < blocks; q++)
            sums[t][q] = vec_zero();
    }
    for (size_t b = 0; b < (size_t)d->in; b++)
        for (size_t y = 0; y < (size_t) class->taps_y; y++) {
            size_t begin = b * d->block_floats + y * d->line_floats;
#pragma GCC unroll 2
            for (size_t i = begin; i < begin + run; i++, weights += VEC) {
                vec w[DIRECT_BLOCKS];
                for (int q = 0; q < blocks; q++)
                    w[q] = vec_load(weights + (size_t)q * out);
#pragma GCC unroll 16
                for (int t = 0; t < DIRECT_POINTS; t++) {
                    vec s = vec_all(source[t][i]);
                    for (int q = 0; q < blocks; q++)
                        sums[t][q] = vec_fma(s, w[q], sums[t][q]);
                }
            }
        }
#pragma GCC unroll 16
    for (int t = 0; t < DIRECT_POINTS; t++)
        for (int q = 0; q < blocks; q++)
            results[t][q] = sums[t][q];
}

INLINE void direct_blocks(const rn_direct *d, const direct_chunk *chunk, const float *buffer,
                          const float *weights, const conv_output *output, int first, int blocks,
                          block_moments *moments)
{
    int points = chunk->pictures * chunk->rows * d->columns;

    for (int k = 0; k < d->classes; k++) {
        const rn_direct_class *class = &d->class[k];
        direct_walk at = {0, 0, 0};
        for (int p = 0; p < points; p += DIRECT_POINTS) {
            direct_group group;
            vec sums[DIRECT_POINTS][DIRECT_BLOCKS];
            direct_next_group(d, class, chunk, &at, &group);
            direct_product(d, class, &group, buffer,
                           weights + (size_t)first * d->out_weights + class->weights, sums, blocks);
            direct_store(d, &group, output, sums, first, blocks, moments);
        }
    }
}

// Blocks first .. first + blocks of a chunk's results.
static void direct_results(const rn_direct *d, int number, const float *buffer,
                           const float *weights, const conv_output *output, int first, int blocks)
{
    direct_chunk chunk = direct_chunk_at(d, number);
    block_moments moments[DIRECT_BLOCKS] = {0};

    if (d->grouped)
        pointwise_results(d, number, buffer, weights, output, first, blocks, moments);
    else if (blocks == 1)
        direct_blocks(d, &chunk, buffer, weights, output, first, 1, moments);
    else if (blocks == 2)
        direct_blocks(d, &chunk, buffer, weights, output, first, 2, moments);
    else if (blocks == 3)
        direct_blocks(d, &chunk, buffer, weights, output, first, WIDE ? 3 : 1, moments);
    else
        direct_blocks(d, &chunk, buffer, weights, output, first, WIDE ? 4 : 1, moments);
    for (int q = 0; output->statistics != NULL && q < blocks; q++)
        moments_store(&moments[q], output->statistics +
                                       ((size_t)(first + q) * (size_t)d->chunks + (size_t)number) *
                                           MOMENTS * VEC);
}

// Backward data: weights of each block of SRC, in the order in which its taps are met.
static void direct_turn_weights(const rn_direct *d, const float *weights, int out, float *turned)
{
    size_t window = (size_t)d->kernel * (size_t)d->kernel, stride = (size_t)d->step_out;

    turned += (size_t)out * d->out_weights;
    for (int k = 0; k < d->classes; k++) {
        const rn_direct_class *class = &d->class[k];
        for (size_t b = 0; b < (size_t)d->in; b++) {
            const float *block = weights + (b * (size_t)d->out + (size_t)out) * window * VEC * VEC;
            for (int y = 0; y < class->taps_y; y++)
                for (int x = 0; x < class->taps_x; x++) {
                    size_t ky = (size_t) class->last_y - (size_t)y * stride;
                    size_t kx = (size_t) class->last_x - (size_t)x * stride;
                    const float *tap = block + (ky * (size_t)d->kernel + kx) * VEC * VEC;
                    for (size_t o = 0; o < VEC; o++, turned += VEC)
                        for (size_t i = 0; i < VEC; i++)
                            turned[i] = tap[i * VEC + o];
                }
        }
    }
}

// Items are (chunk, part of the blocks written).
static void direct_item(const rn_direct *d, const conv_source *src, const float *weights,
                        const conv_output *output, int item, float *buffer, int *held)
{
    int number = item / d->parts, part = item % d->parts;
    int groups = (d->out + DIRECT_BLOCKS - 1) / DIRECT_BLOCKS;
    int begin = groups * part / d->parts, end = groups * (part + 1) / d->parts;

    if (*held != number) {
        direct_chunk chunk = direct_chunk_at(d, number);
        range rows = {0, direct_copied_rows(d, chunk)};
        if (d->grouped)
            pointwise_copy(d, src, &chunk, buffer);
        else
            direct_copy_rows(d, src, chunk, rows, buffer);
        *held = number;
    }
    for (int g = begin; g < end; g++) {
        int first = g * DIRECT_BLOCKS;
        direct_results(d, number, buffer, weights, output, first,
                       direct_least(DIRECT_BLOCKS, d->out - first));
    }
}

// PREPARED: weights scaled by a batch norm, shift, scale.
static void direct_prepare(const rn_direct *d, const rn_op_desc *desc, void *const args[RN_ARGS])
{
    size_t channels = (size_t)d->out * VEC, each = d->out_weights;
    float *scaled = args[RN_ARG_PREPARED], *shift = scaled + (size_t)d->out * each;
    float *scale = shift + channels;

    rn_conv_fold(desc, args, channels, scale, shift);
    memcpy(scaled, args[RN_ARG_WEIGHTS], (size_t)d->out * each * sizeof *scaled);
    for (size_t b = 0; b < (size_t)d->out; b++)
        conv_scale_weights(scaled + b * each, each / VEC, scale + b * VEC, 1);
}

static void direct_conv(const rn_direct *d, const rn_op_desc *desc, void *const args[RN_ARGS])
{
    const conv_source src = conv_source_of(desc, args);
    const float *weights = args[RN_ARG_WEIGHTS];
    conv_output output = conv_output_of(desc, args);
    float *turned = args[RN_ARG_SCRATCH], *buffers = turned + d->weight_floats;

    if (args[RN_ARG_PREPARED] != NULL) {
        weights = args[RN_ARG_PREPARED];
        output.bias = conv_shift(args, (size_t)d->out * d->out_weights);
    }
#pragma omp parallel num_threads(d->threads)
    {
        float *buffer = buffers + (size_t)omp_get_thread_num() * d->buffer_floats;
        const float *used = d->transposed ? turned : weights;
        int held = -1;
        if (d->grouped) {
            used = pointwise_pack_all(d, weights, turned);
        } else if (d->transposed) {
#pragma omp for schedule(static)
            for (int out = 0; out < d->out; out++)
                direct_turn_weights(d, weights, out, turned);
        }
#pragma omp for schedule(static)
        for (int item = 0; item < d->chunks * d->parts; item++)
            direct_item(d, &src, used, &output, item, buffer, &held);
    }
}

#endif
