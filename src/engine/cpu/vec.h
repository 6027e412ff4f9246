/**
 * One register of floats: 16 lanes with AVX-512, 8 with AVX2. Included only through the kernel
 * bodies, by the files that are compiled for one instruction set each (*_avx2.c, *_avx512.c, ...).
 */
#ifndef ENGINE_CPU_VEC_H
#define ENGINE_CPU_VEC_H

#include <immintrin.h>
#include <math.h>
#include <stddef.h>

#define INLINE static inline __attribute__((always_inline))

#ifdef __AVX512F__

enum { VEC = 16 };
typedef __m512 vec;
typedef __m512i vec_index;
typedef __m512i vec_bits; // 32-bit or 64-bit words

#define VEC_OP(name) _mm512_##name

// Lanes 0 .. n - 1.
INLINE __mmask16 first_lanes(size_t n)
{
    return (__mmask16)((1u << n) - 1);
}

INLINE vec vec_load_first(const float *p, size_t n) // other lanes 0
{
    return _mm512_maskz_loadu_ps(first_lanes(n), p);
}

INLINE void vec_store_first(float *p, size_t n, vec v)
{
    _mm512_mask_storeu_ps(p, first_lanes(n), v);
}

INLINE vec vec_keep_first(vec v, size_t n) // other lanes 0
{
    return _mm512_maskz_mov_ps(first_lanes(n), v);
}

INLINE vec vec_gate(vec v, vec gate) // v where gate > 0, else 0
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(gate, _mm512_setzero_ps(), _CMP_GT_OQ), v);
}

INLINE vec vec_where_sign(vec v, vec yes, vec no) // yes where the sign bit of v is set
{
    return _mm512_mask_blend_ps(_mm512_movepi32_mask(_mm512_castps_si512(v)), no, yes);
}

INLINE vec vec_keep_from(vec v, vec x, float bound) // 0 where x < bound, else v (x NaN: v)
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, _mm512_set1_ps(bound), _CMP_NLT_UQ), v);
}

INLINE vec vec_keep_words(vec v, vec words, vec_bits least) // v where words >= least, else 0
{
    return _mm512_maskz_mov_ps(_mm512_cmpge_epu32_mask(_mm512_castps_si512(words), least), v);
}

INLINE vec_bits vec_xor3(vec_bits a, vec_bits b, vec_bits c)
{
    return _mm512_ternarylogic_epi32(a, b, c, 0x96);
}

INLINE vec_bits vec_longs(const long long *p) // VEC / 2 words of 64 bits
{
    return _mm512_loadu_si512(p);
}

INLINE vec vec_of_bits(vec_bits bits)
{
    return _mm512_castsi512_ps(bits);
}

INLINE vec_index vec_index_from(int first) // first, first + 1, ...
{
    const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);

    return _mm512_add_epi32(lanes, _mm512_set1_epi32(first));
}

INLINE vec vec_pick(vec low, vec high, vec_index index) // from the 2 VEC lanes of low, high
{
    return _mm512_permutex2var_ps(low, index, high);
}

INLINE vec vec_round(vec v)
{
    return _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

INLINE float vec_sum(vec v)
{
    return _mm512_reduce_add_ps(v);
}

#else

enum { VEC = 8 };
typedef __m256 vec;
typedef __m256i vec_index;
typedef __m256i vec_bits; // 32-bit or 64-bit words

#define VEC_OP(name) _mm256_##name

INLINE vec_index vec_index_from(int first) // first, first + 1, ...
{
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);

    return _mm256_add_epi32(lanes, _mm256_set1_epi32(first));
}

// Lanes 0 .. n - 1: all bits set.
INLINE __m256i first_lanes(size_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), vec_index_from(0));
}

INLINE vec vec_load_first(const float *p, size_t n) // other lanes 0
{
    return _mm256_maskload_ps(p, first_lanes(n));
}

INLINE void vec_store_first(float *p, size_t n, vec v)
{
    _mm256_maskstore_ps(p, first_lanes(n), v);
}

INLINE vec vec_keep_first(vec v, size_t n) // other lanes 0
{
    return _mm256_and_ps(v, _mm256_castsi256_ps(first_lanes(n)));
}

INLINE vec vec_gate(vec v, vec gate) // v where gate > 0, else 0
{
    return _mm256_and_ps(v, _mm256_cmp_ps(gate, _mm256_setzero_ps(), _CMP_GT_OQ));
}

INLINE vec vec_where_sign(vec v, vec yes, vec no) // yes where the sign bit of v is set
{
    return _mm256_blendv_ps(no, yes, v);
}

INLINE vec vec_keep_from(vec v, vec x, float bound) // 0 where x < bound, else v (x NaN: v)
{
    return _mm256_and_ps(v, _mm256_cmp_ps(x, _mm256_set1_ps(bound), _CMP_NLT_UQ));
}

INLINE vec vec_keep_words(vec v, vec words, vec_bits least) // v where words >= least, else 0
{
    __m256i bits = _mm256_castps_si256(words);
    __m256i keep = _mm256_cmpeq_epi32(_mm256_max_epu32(bits, least), bits);

    return _mm256_and_ps(v, _mm256_castsi256_ps(keep));
}

INLINE vec_bits vec_xor3(vec_bits a, vec_bits b, vec_bits c)
{
    return _mm256_xor_si256(_mm256_xor_si256(a, b), c);
}

INLINE vec_bits vec_longs(const long long *p) // VEC / 2 words of 64 bits
{
    return _mm256_loadu_si256((const __m256i *)p);
}

INLINE vec vec_of_bits(vec_bits bits)
{
    return _mm256_castsi256_ps(bits);
}

INLINE vec vec_pick(vec low, vec high, vec_index index) // from the 2 VEC lanes of low, high
{
    // The permutation looks at bits 0 .. 2 of an index, the blend at bit 3 moved to the sign.
    vec from_high = _mm256_castsi256_ps(_mm256_slli_epi32(index, 28));

    return _mm256_blendv_ps(_mm256_permutevar8x32_ps(low, index),
                            _mm256_permutevar8x32_ps(high, index), from_high);
}

INLINE vec vec_round(vec v)
{
    return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

INLINE float vec_sum(vec v)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));

    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}

#endif

INLINE vec vec_load(const float *p)
{
    return VEC_OP(loadu_ps)(p);
}

INLINE void vec_store(float *p, vec v)
{
    VEC_OP(storeu_ps)(p, v);
}

INLINE vec vec_all(float x)
{
    return VEC_OP(set1_ps)(x);
}

INLINE vec vec_zero(void)
{
    return VEC_OP(setzero_ps)();
}

INLINE vec vec_add(vec a, vec b)
{
    return VEC_OP(add_ps)(a, b);
}

INLINE vec vec_sub(vec a, vec b)
{
    return VEC_OP(sub_ps)(a, b);
}

INLINE vec vec_mul(vec a, vec b)
{
    return VEC_OP(mul_ps)(a, b);
}

INLINE vec vec_div(vec a, vec b)
{
    return VEC_OP(div_ps)(a, b);
}

INLINE vec vec_fma(vec a, vec b, vec c) // a b + c
{
    return VEC_OP(fmadd_ps)(a, b, c);
}

// max(x, 0) that lets NaN through, or divergence would hide behind the first ReLU: the
// instruction gives its second operand where either is NaN.
INLINE vec vec_relu(vec x)
{
    return VEC_OP(max_ps)(vec_zero(), x);
}

// The first n lanes of memory; n is VEC in the loops, where this is one plain load.
INLINE vec vec_load_n(const float *p, size_t n)
{
    return n == VEC ? vec_load(p) : vec_load_first(p, n);
}

INLINE void vec_store_n(float *p, size_t n, vec v)
{
    if (n == VEC)
        vec_store(p, v);
    else
        vec_store_first(p, n, v);
}

// exp(x) for x <= 0, to 2 units in the last place; below -87 the least normal numbers; NaN stays.
// x = k ln 2 + r, |r| <= ln 2 / 2: 2^k times the Taylor series of exp(r) up to r^7 / 7!.
INLINE vec vec_exp(vec x)
{
    const float coefficients[] = {1.0f / 5040, 1.0f / 720, 1.0f / 120, 1.0f / 24,
                                  1.0f / 6,    0.5f,       1.0f,       1.0f};
    const float ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;

    x = VEC_OP(max_ps)(vec_all(-87.0f), x);
    vec k = vec_round(vec_mul(x, vec_all(1.44269504f)));
    vec r = vec_fma(k, vec_all(-ln2_high), x);
    r = vec_fma(k, vec_all(-ln2_low), r);
    vec series = vec_all(coefficients[0]);
    for (size_t i = 1; i < sizeof coefficients / sizeof *coefficients; i++)
        series = vec_fma(series, r, vec_all(coefficients[i]));
#ifdef __AVX512F__
    return _mm512_scalef_ps(series, k);
#else
    __m256i exponent = _mm256_slli_epi32(_mm256_cvtps_epi32(k), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(series), exponent));
#endif
}

// e = exp(-|z|), 0 where that is no normal number; NaN stays. Of it both halves of the logistic
// function are made without cancellation: 1 / (1 + e) where z >= 0, e / (1 + e) where z < 0.
INLINE vec vec_exp_negative(vec z)
{
    vec x = vec_where_sign(z, z, vec_sub(vec_zero(), z));

    return vec_keep_from(vec_exp(x), x, -87.0f);
}

// 1 / (1 + exp(-z)), to 2e-7 of its value; 0 below -87; NaN stays.
INLINE vec vec_logistic(vec z)
{
    vec one = vec_all(1.0f), e = vec_exp_negative(z);

    return vec_div(vec_where_sign(z, e, one), vec_add(one, e));
}

#endif
