// Dot products of bfloat16 pairs that add up in float32 (vdpbf16ps): their rate only, no op uses
// them. The one file compiled for avx512bf16: see CMakeLists.txt.
#include "engine/cpu/peaks.h"

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

enum { LANES = 16, CHAINS = 12 };

static __m512bh all_bf16(uint16_t bits)
{
    __m512i words = _mm512_set1_epi16((short)bits);
    __m512bh pairs;

    memcpy(&pairs, &words, sizeof pairs);
    return pairs;
}

static float multiply_add(size_t rounds)
{
    const __m512bh one = all_bf16(0x3f80), half = all_bf16(0x3f00);
    __m512 sums[CHAINS], total = _mm512_setzero_ps();

    for (int i = 0; i < CHAINS; i++) // no value that a compiler knows where it leads
        sums[i] = _mm512_set1_ps((float)(rounds + (size_t)i));
    for (size_t r = 0; r < rounds; r++)
        for (int i = 0; i < CHAINS; i++)
            sums[i] = _mm512_dpbf16_ps(sums[i], one, half);
    for (int i = 0; i < CHAINS; i++)
        total = _mm512_add_ps(total, sums[i]);
    return _mm512_reduce_add_ps(total);
}

const rn_peak_kernel rn_peak_avx512_bf16 = {
    .name = "avx512 bf16",
    .round_flops = 2.0 * 2 * CHAINS * LANES, // two products in each lane
    .multiply_add = multiply_add,
};
