/** The loops of peaks.h; the including file has defined PEAK and PEAK_NAME. */
#ifndef ENGINE_CPU_BODY_PEAKS_H
#define ENGINE_CPU_BODY_PEAKS_H

#include "engine/cpu/peaks.h"
#include "engine/cpu/vec.h"

// Sums that do not wait for each other: more than two multiply-adds a cycle take to finish, few
// enough for AVX2's 16 registers.
enum { CHAINS = 12 };

static float multiply_add(size_t rounds)
{
    const vec factor = vec_all(0.5f), term = vec_all(1.0f); // all go to 2: no denormals
    vec sums[CHAINS];
    vec total = vec_zero();

    for (int i = 0; i < CHAINS; i++) // no value that a compiler knows where it leads
        sums[i] = vec_all((float)(rounds + (size_t)i));
    for (size_t r = 0; r < rounds; r++)
        for (int i = 0; i < CHAINS; i++)
            sums[i] = vec_fma(sums[i], factor, term);
    for (int i = 0; i < CHAINS; i++)
        total = vec_add(total, sums[i]);
    return vec_sum(total);
}

static float read_floats(const float *floats, size_t count)
{
    enum { SUMS = 8 };
    vec sums[SUMS], total = vec_zero();
    size_t i = 0;

    for (int s = 0; s < SUMS; s++)
        sums[s] = vec_zero();
    for (; i + SUMS * VEC <= count; i += SUMS * VEC)
        for (int s = 0; s < SUMS; s++)
            sums[s] = vec_add(sums[s], vec_load(floats + i + (size_t)s * VEC));
    for (; i < count; i += VEC)
        total = vec_add(total, vec_load_n(floats + i, count - i < VEC ? count - i : VEC));
    for (int s = 0; s < SUMS; s++)
        total = vec_add(total, sums[s]);
    return vec_sum(total);
}

const rn_peak_kernel PEAK = {
    .name = PEAK_NAME,
    .round_flops = 2.0 * CHAINS * VEC,
    .multiply_add = multiply_add,
    .read = read_floats,
};

#endif
