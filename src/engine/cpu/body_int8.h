/**
 * Direct convolution in bytes, inference only. A source value x becomes the byte
 * q = round(x / s) + zero, limited to 0 .. 255 (infinities are beyond either end, a NaN becomes 0),
 * as it is copied into the buffer; the weights of an output channel, with the batch norm that is
 * folded in, become bytes p = round(w / s_w), -127 .. 127. Their products are summed exactly, in 32
 * bits:
 *
 *     y = s s_w (sum q p - zero sum p) + shift [+ src2], [ReLU]
 *
 * Sources that are never negative have zero = 0 and s = high / 255, others zero = 128 and s the
 * larger bound / 127. Around the picture lies the byte `zero`. Cutting is that of direct.h.
 *
 * PREPARED: bytes [block written][block read][row][column][four channels][VEC][4], then shift and
 * s s_w of all channels, float.
 */
#ifndef ENGINE_CPU_BODY_INT8_H
#define ENGINE_CPU_BODY_INT8_H

#include "engine/conv_fold.h"
#include "engine/cpu/body_direct.h"

enum { QUAD = 4 }; // bytes of one product of a lane

// Lane by lane: four unsigned times four signed bytes, added up and to the sum.
INLINE vec_bits dot_bytes(vec_bits sum, vec_bits source, vec_bits weights)
{
#ifdef __AVX512VNNI__
    return _mm512_dpbusd_epi32(sum, source, weights);
#else
    // Even and odd bytes apart, as 16 bits: the instruction for bytes would saturate.
    vec_bits even = VEC_OP(srai_epi16)(VEC_OP(slli_epi16)(weights, 8), 8);
    vec_bits odd = VEC_OP(srai_epi16)(weights, 8);
    vec_bits low = VEC_OP(srli_epi16)(VEC_OP(slli_epi16)(source, 8), 8);
    vec_bits high = VEC_OP(srli_epi16)(source, 8);

    sum = VEC_OP(add_epi32)(sum, VEC_OP(madd_epi16)(low, even));
    return VEC_OP(add_epi32)(sum, VEC_OP(madd_epi16)(high, odd));
#endif
}

INLINE vec_bits bits_load(const void *p)
{
#ifdef __AVX512F__
    return _mm512_loadu_si512(p);
#else
    return _mm256_loadu_si256((const __m256i *)p);
#endif
}

INLINE vec_bits quad_of_all(const uint8_t *p)
{
    int quad;

    memcpy(&quad, p, sizeof quad);
    return VEC_OP(set1_epi32)(quad);
}

/** How sources become bytes. */
typedef struct byte_map {
    float inverse; // 1 / s
    int zero;
} byte_map;

static byte_map byte_map_of(const rn_op_desc *desc)
{
    float scale = rn_int8_scale(desc->range);

    return (byte_map){scale > 0 ? 1 / scale : 0, rn_int8_zero(desc->range)};
}

// VEC bytes of VEC floats, limited before they are integers, which have no infinity.
INLINE void store_quantized(uint8_t *to, vec x, vec inverse, vec_bits zero)
{
    vec low = VEC_OP(cvtepi32_ps)(VEC_OP(sub_epi32)(VEC_OP(set1_epi32)(0), zero));
    vec limited = VEC_OP(max_ps)(vec_mul(x, inverse), low); // of a NaN: low

    limited = VEC_OP(min_ps)(limited, vec_add(low, vec_all(255)));
    vec_bits q = VEC_OP(add_epi32)(VEC_OP(cvtps_epi32)(limited), zero);
#ifdef __AVX512F__
    _mm_storeu_si128((__m128i *)(void *)to, _mm512_cvtepi32_epi8(q));
#else
    __m128i halves = _mm_packs_epi32(_mm256_castsi256_si128(q), _mm256_extracti128_si256(q, 1));
    _mm_storel_epi64((__m128i *)(void *)to, _mm_packus_epi16(halves, halves));
#endif
}

// One row of one block; y may lie beyond the picture.
static void int8_copy_line(const rn_direct *d, const act *plane, int y, const byte_map *map,
                           uint8_t *line)
{
    range inside = direct_columns(d);
    size_t all = (size_t)d->buffer_columns, take = (size_t)d->take;
    vec inverse = vec_all(map->inverse);
    vec_bits zero = VEC_OP(set1_epi32)(map->zero);

    if (y < 0 || y >= d->in_h)
        inside.begin = inside.end = 0;
    memset(line, map->zero, inside.begin * VEC);
    if (inside.begin < inside.end) {
        ptrdiff_t x = (ptrdiff_t)(inside.begin * take) + d->first_x;
        const act *from = plane + ((ptrdiff_t)y * d->in_w + x) * VEC;
        for (size_t c = inside.begin; c < inside.end; c++, from += take * VEC)
            store_quantized(line + c * VEC, act_load(from), inverse, zero);
    }
    memset(line + inside.end * VEC, map->zero, (all - inside.end) * VEC);
}

static void int8_copy_chunk(const rn_direct *d, const act *src, const byte_map *map,
                            const direct_chunk *chunk, uint8_t *buffer)
{
    size_t in = (size_t)d->in, plane = (size_t)d->in_h * (size_t)d->in_w * VEC;

    for (size_t picture = 0; picture < (size_t)chunk->pictures; picture++)
        for (size_t block = 0; block < in; block++) {
            const act *from = src + (((size_t)chunk->picture + picture) * in + block) * plane;
            uint8_t *to = buffer + block * d->block_floats + picture * d->picture_floats;
            for (int line = 0; line < d->buffer_rows; line++, to += d->line_floats)
                int8_copy_line(d, from, chunk->row * d->step_in + d->first_y + line * d->take, map,
                               to);
        }
}

// results[point][block]: over all taps source[tap] weights[tap][block], times the block's scale.
INLINE void int8_product(const rn_direct *d, const direct_group *group, const uint8_t *buffer,
                         const int8_t *weights, const float *scale,
                         vec results[DIRECT_POINTS][DIRECT_BLOCKS], int blocks)
{
    vec_bits sums[DIRECT_POINTS][DIRECT_BLOCKS]; // whose address nobody takes: registers
    size_t run = (size_t)d->kernel * VEC, out = d->out_weights;

#pragma GCC unroll 16
    for (int t = 0; t < DIRECT_POINTS; t++)
        for (int q = 0; q < blocks; q++)
            sums[t][q] = VEC_OP(set1_epi32)(0);
    for (size_t b = 0; b < (size_t)d->in; b++)
        for (size_t y = 0; y < (size_t)d->kernel; y++) {
            size_t begin = b * d->block_floats + y * d->line_floats;
#pragma GCC unroll 2
            for (size_t i = begin; i < begin + run; i += QUAD, weights += VEC * QUAD) {
                vec_bits w[DIRECT_BLOCKS];
                for (int q = 0; q < blocks; q++)
                    w[q] = bits_load(weights + (size_t)q * out);
#pragma GCC unroll 16
                for (int t = 0; t < DIRECT_POINTS; t++) {
                    vec_bits s = quad_of_all(buffer + group->source[t] + i);
                    for (int q = 0; q < blocks; q++)
                        sums[t][q] = dot_bytes(sums[t][q], s, w[q]);
                }
            }
        }
#pragma GCC unroll 16
    for (int t = 0; t < DIRECT_POINTS; t++)
        for (int q = 0; q < blocks; q++)
            results[t][q] =
                vec_mul(VEC_OP(cvtepi32_ps)(sums[t][q]), vec_load(scale + (size_t)q * VEC));
}

/** Prepared parameters. */
typedef struct int8_weights {
    const int8_t *bytes;
    const float *scale;
} int8_weights;

INLINE void int8_blocks(const rn_direct *d, const direct_chunk *chunk, const uint8_t *buffer,
                        const int8_weights *weights, const conv_output *output, int first,
                        int blocks)
{
    int points = chunk->pictures * chunk->rows * d->columns;
    direct_walk at = {0, 0, 0};
    block_moments nobody[DIRECT_BLOCKS] = {0};

    for (int p = 0; p < points; p += DIRECT_POINTS) {
        direct_group group;
        vec sums[DIRECT_POINTS][DIRECT_BLOCKS];
        direct_next_group(d, &d->class[0], chunk, &at, &group);
        int8_product(d, &group, buffer, weights->bytes + (size_t)first * d->out_weights,
                     weights->scale + (size_t)first * VEC, sums, blocks);
        direct_store(d, &group, output, sums, first, blocks, nobody);
    }
}

static void int8_results(const rn_direct *d, const direct_chunk *chunk, const uint8_t *buffer,
                         const int8_weights *weights, const conv_output *output, int first)
{
    switch (direct_least(DIRECT_BLOCKS, d->out - first)) {
    case 1:
        int8_blocks(d, chunk, buffer, weights, output, first, 1);
        break;
    case 2:
        int8_blocks(d, chunk, buffer, weights, output, first, 2);
        break;
    case 3:
        int8_blocks(d, chunk, buffer, weights, output, first, WIDE ? 3 : 1);
        break;
    default:
        int8_blocks(d, chunk, buffer, weights, output, first, WIDE ? 4 : 1);
    }
}

static void int8_conv(const rn_direct *d, const rn_op_desc *desc, void *const args[RN_ARGS])
{
    const byte_map map = byte_map_of(desc);
    conv_output output = conv_output_of(desc, args);
    size_t bytes = (size_t)d->out * d->out_weights, channels = (size_t)d->out * VEC;
    const int8_weights weights = {args[RN_ARG_PREPARED],
                                  conv_shift(args, bytes / sizeof(float)) + channels};

    output.bias = conv_shift(args, bytes / sizeof(float));
#pragma omp parallel num_threads(d->threads)
    {
        uint8_t *buffer = (uint8_t *)((float *)args[RN_ARG_SCRATCH] +
                                      (size_t)omp_get_thread_num() * d->buffer_floats);
        int held = -1, groups = (d->out + DIRECT_BLOCKS - 1) / DIRECT_BLOCKS;
#pragma omp for schedule(static)
        for (int item = 0; item < d->chunks * d->parts; item++) {
            int number = item / d->parts, part = item % d->parts;
            direct_chunk chunk = direct_chunk_at(d, number);
            if (held != number)
                int8_copy_chunk(d, args[RN_ARG_SRC], &map, &chunk, buffer);
            held = number;
            for (int g = groups * part / d->parts; g < groups * (part + 1) / d->parts; g++)
                int8_results(d, &chunk, buffer, &weights, &output, g * DIRECT_BLOCKS);
        }
    }
}

// The largest weight of each lane of a block written, times its batch norm's scale.
static void int8_largest(const rn_direct *d, const float *weights, const float *scale,
                         float largest[VEC])
{
    for (size_t l = 0; l < VEC; l++)
        largest[l] = 0;
    for (size_t i = 0; i < d->out_weights; i++) {
        float size = fabsf(weights[i] * scale[i % VEC]);
        if (size > largest[i % VEC])
            largest[i % VEC] = size;
    }
}

// One block written: weights [row][input channel][VEC] to bytes, shift and scale.
static void int8_prepare_block(const rn_direct *d, const byte_map *map, const float *weights,
                               int8_t *bytes, float *shift, float *scale)
{
    float largest[VEC];
    int sum[VEC] = {0};

    int8_largest(d, weights, scale, largest);
    for (size_t i = 0; i < d->out_weights; i++) {
        size_t lane = i % VEC, channel = i / VEC;
        float w = weights[i] * scale[lane];
        int8_t byte = (int8_t)(largest[lane] > 0 ? lrintf(w / largest[lane] * 127) : 0);
        bytes[(channel / QUAD * VEC + lane) * QUAD + channel % QUAD] = byte;
        sum[lane] += byte;
    }
    for (size_t l = 0; l < VEC; l++) {
        double s = map->inverse > 0 ? (double)largest[l] / 127 / (double)map->inverse : 0;
        scale[l] = (float)s;
        shift[l] = (float)((double)shift[l] - (double)scale[l] * map->zero * sum[l]);
    }
}

static void int8_prepare(const rn_direct *d, const rn_op_desc *desc, void *const args[RN_ARGS])
{
    const byte_map map = byte_map_of(desc);
    size_t channels = (size_t)d->out * VEC, each = d->out_weights;
    const float *weights = args[RN_ARG_WEIGHTS];
    int8_t *bytes = args[RN_ARG_PREPARED];
    float *shift = (float *)(void *)(bytes + (size_t)d->out * each), *scale = shift + channels;

    rn_conv_fold(desc, args, channels, scale, shift);
    for (size_t b = 0; b < (size_t)d->out; b++)
        int8_prepare_block(d, &map, weights + b * each, bytes + b * each, shift + b * VEC,
                           scale + b * VEC);
}

const rn_int8_functions TABLE = {.name = TABLE_NAME, .conv = int8_conv, .prepare = int8_prepare};

#endif
