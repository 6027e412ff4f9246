/**
 * Activations and their gradients in memory, and their way into a register of floats and back: as
 * they are, or, where the including file defines ACT_BF16, as bfloat16, the upper half of a float.
 * Everything but activations (parameters, statistics, scratch) is float in either case, and so is
 * all arithmetic.
 */
#ifndef ENGINE_CPU_ACT_H
#define ENGINE_CPU_ACT_H

#include "engine/cpu/vec.h"
#include "plan/op.h"

#include <stdint.h>
#include <string.h>

#ifdef ACT_BF16

typedef uint16_t act;

#ifdef __AVX512F__

INLINE vec act_load(const act *p)
{
    __m512i words = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)p));

    return _mm512_castsi512_ps(_mm512_slli_epi32(words, 16));
}

// The upper halves, in the lower ones: rounded to the nearest, of two to the even; NaN stays one.
INLINE __m512i act_words(vec v)
{
    __m512i bits = _mm512_castps_si512(v), half = _mm512_set1_epi32(0x7FFF);
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i up = _mm512_add_epi32(bits, _mm512_add_epi32(odd, half));
    __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);

    up = _mm512_mask_or_epi32(up, nan, bits, _mm512_set1_epi32(0x400000));
    return _mm512_srli_epi32(up, 16);
}

INLINE void act_store(act *p, vec v)
{
    _mm256_storeu_si256((__m256i *)(void *)p, _mm512_cvtepi32_epi16(act_words(v)));
}

#else

INLINE vec act_load(const act *p)
{
    __m256i words = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));

    return _mm256_castsi256_ps(_mm256_slli_epi32(words, 16));
}

// The upper halves, in the lower ones: rounded to the nearest, of two to the even; NaN stays one.
INLINE __m256i act_words(vec v)
{
    __m256i bits = _mm256_castps_si256(v), half = _mm256_set1_epi32(0x7FFF);
    __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    __m256i up = _mm256_add_epi32(bits, _mm256_add_epi32(odd, half));
    __m256i nan = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));

    up = _mm256_blendv_epi8(up, nan, _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q)));
    return _mm256_srli_epi32(up, 16);
}

INLINE void act_store(act *p, vec v)
{
    __m256i words = act_words(v);

    _mm_storeu_si128((__m128i *)(void *)p, _mm_packus_epi32(_mm256_castsi256_si128(words),
                                                            _mm256_extracti128_si256(words, 1)));
}

#endif

INLINE vec act_round(vec v) // what will be read again
{
    return vec_of_bits(VEC_OP(slli_epi32)(act_words(v), 16));
}

INLINE vec act_load_n(const act *p, size_t n) // other lanes 0
{
    act first[VEC] = {0};

    if (n == VEC)
        return act_load(p);
    memcpy(first, p, n * sizeof *p);
    return act_load(first);
}

INLINE void act_store_n(act *p, size_t n, vec v)
{
    act first[VEC];

    if (n == VEC) {
        act_store(p, v);
        return;
    }
    act_store(first, v);
    memcpy(p, first, n * sizeof *p);
}

static inline float act_value(act a)
{
    return rn_bf16_value(a);
}

static inline act act_of(float value)
{
    act first[VEC];

    act_store(first, vec_all(value));
    return first[0];
}

#else

typedef float act;

INLINE vec act_load(const act *p)
{
    return vec_load(p);
}

INLINE void act_store(act *p, vec v)
{
    vec_store(p, v);
}

INLINE vec act_round(vec v)
{
    return v;
}

INLINE vec act_load_n(const act *p, size_t n)
{
    return vec_load_n(p, n);
}

INLINE void act_store_n(act *p, size_t n, vec v)
{
    vec_store_n(p, n, v);
}

static inline float act_value(act a)
{
    return a;
}

static inline act act_of(float value)
{
    return value;
}

#endif

#endif
