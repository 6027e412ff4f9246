/**
 * Max pooling by 2x2 windows side by side, NCHW<VEC>c, and back; all others are oneDNN's. WORKSPACE
 * says which pixel of its window each lane of dst came from: four words a vector, a bit a lane. Of
 * equals the first wins; a NaN wins, so that it is not hidden.
 */
#ifndef ENGINE_CPU_BODY_MAX_POOL_H
#define ENGINE_CPU_BODY_MAX_POOL_H

#include "engine/cpu/body_range.h"
#include "engine/cpu/kernels.h"

#ifdef __AVX512F__

typedef __mmask16 lane_set;

INLINE lane_set lanes_won(vec x, vec best) // x > best, or x is NaN and best is not
{
    return (lane_set)(_mm512_cmp_ps_mask(x, best, _CMP_NLE_UQ) &
                      _mm512_cmp_ps_mask(best, best, _CMP_ORD_Q));
}

INLINE vec lanes_choose(lane_set set, vec yes, vec no)
{
    return _mm512_mask_blend_ps(set, no, yes);
}

INLINE unsigned lanes_bits(lane_set set)
{
    return set;
}

INLINE vec lanes_keep(vec v, unsigned bits) // other lanes 0
{
    return _mm512_maskz_mov_ps((__mmask16)bits, v);
}

#else

typedef vec lane_set;

INLINE lane_set lanes_won(vec x, vec best) // x > best, or x is NaN and best is not
{
    return _mm256_and_ps(_mm256_cmp_ps(x, best, _CMP_NLE_UQ),
                         _mm256_cmp_ps(best, best, _CMP_ORD_Q));
}

INLINE vec lanes_choose(lane_set set, vec yes, vec no)
{
    return _mm256_blendv_ps(no, yes, set);
}

INLINE unsigned lanes_bits(lane_set set)
{
    return (unsigned)_mm256_movemask_ps(set);
}

INLINE vec lanes_keep(vec v, unsigned bits) // other lanes 0
{
    const __m256i lane = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    __m256i set = _mm256_and_si256(_mm256_set1_epi32((int)bits), lane);

    return _mm256_and_ps(v, _mm256_castsi256_ps(_mm256_cmpeq_epi32(set, lane)));
}

#endif

enum { MAX_POOL_WORDS = RN_CPU_MAX_POOL_BYTES / sizeof(uint16_t) };

// One window, whose rows are at src and src + row; `won` may be NULL.
INLINE vec max_of_window(const float *src, size_t row, uint16_t *won)
{
    const size_t at[4] = {0, VEC, row, row + VEC};
    unsigned bits[4], later = 0;
    vec best = vec_load(src);

    for (int k = 1; k < 4; k++) {
        vec x = vec_load(src + at[k]);
        lane_set set = lanes_won(x, best);
        best = lanes_choose(set, x, best);
        bits[k] = lanes_bits(set);
    }
    bits[0] = ~0u;
    for (int k = 3; k >= 0 && won != NULL; k--) {
        won[k] = (uint16_t)(bits[k] & ~later);
        later |= bits[k];
    }
    return best;
}

static rn_status max_pool(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    size_t height = (size_t)desc->dst.h, width = (size_t)desc->dst.w;
    size_t row = (size_t)desc->src.w * VEC, plane = (size_t)desc->src.h * row;
    size_t items = (size_t)desc->src.n * (size_t)rn_padded_channels(&desc->src) / VEC;
    const float *src = args[RN_ARG_SRC];
    float *dst = args[RN_ARG_DST];
    uint16_t *workspace = desc->training ? args[RN_ARG_WORKSPACE] : NULL;

#pragma omp parallel for schedule(static) if (items * plane > PARALLEL_FLOATS)
    for (size_t item = 0; item < items; item++)
        for (size_t y = 0; y < height; y++) {
            const float *window = src + item * plane + 2 * y * row;
            size_t at = (item * height + y) * width;
            for (size_t x = 0; x < width; x++, at++, window += 2 * VEC)
                vec_store(
                    dst + at * VEC,
                    max_of_window(window, row, workspace ? workspace + at * MAX_POOL_WORDS : NULL));
        }
    return RN_OK;
}

// One row of windows: two rows of diff_src, and of a last column that is in no window zeros.
static void max_pool_row_backward(const rn_op_desc *desc, const float *diff_dst,
                                  const uint16_t *won, float *diff_src)
{
    size_t width = (size_t)desc->dst.w, row = (size_t)desc->src.w * VEC;
    const size_t at[4] = {0, VEC, row, row + VEC};

    for (size_t x = 0; x < width; x++, diff_src += 2 * VEC) {
        vec diff = vec_load(diff_dst + x * VEC);
        for (int k = 0; k < 4; k++)
            vec_store(diff_src + at[k], lanes_keep(diff, won[x * MAX_POOL_WORDS + (size_t)k]));
    }
    if (desc->src.w % 2 != 0) {
        vec_store(diff_src, vec_zero());
        vec_store(diff_src + row, vec_zero());
    }
}

static rn_status max_pool_backward(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    size_t height = (size_t)desc->dst.h, width = (size_t)desc->dst.w;
    size_t row = (size_t)desc->src.w * VEC, plane = (size_t)desc->src.h * row;
    size_t items = (size_t)desc->src.n * (size_t)rn_padded_channels(&desc->src) / VEC;
    const float *diff_dst = args[RN_ARG_DIFF_DST];
    const uint16_t *workspace = args[RN_ARG_WORKSPACE];
    float *diff_src = args[RN_ARG_DIFF_SRC];

#pragma omp parallel for schedule(static) if (items * plane > PARALLEL_FLOATS)
    for (size_t item = 0; item < items; item++) {
        for (size_t y = 0; y < height; y++) {
            size_t at = (item * height + y) * width;
            max_pool_row_backward(desc, diff_dst + at * VEC, workspace + at * MAX_POOL_WORDS,
                                  diff_src + item * plane + 2 * y * row);
        }
        for (size_t i = 2 * height * row; i < plane; i += VEC) // a last row that is in no window
            vec_store(diff_src + item * plane + i, vec_zero());
    }
    return RN_OK;
}

#endif
