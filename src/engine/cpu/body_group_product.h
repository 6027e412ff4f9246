/** The product of matrices that Winograd's points and 1x1 windows come to. */
#ifndef ENGINE_CPU_BODY_GROUP_PRODUCT_H
#define ENGINE_CPU_BODY_GROUP_PRODUCT_H

#include "engine/cpu/vec.h"

enum { GROUP_MOST_POINTS = 12, GROUP_MOST_BLOCKS = 4 };

/**
 * [block read][point][VEC] x [channel read][block written][VEC]: results[point][block][VEC], where
 * points lie `step` blocks apart. points x blocks sums and their operands fit the registers.
 */
INLINE void group_product(const float *source, const float *weights, int in, float *results,
                          int points, int blocks, int step)
{
    vec sums[GROUP_MOST_POINTS][GROUP_MOST_BLOCKS]; // whose address nobody takes: registers

#pragma GCC unroll 16
    for (int t = 0; t < points; t++)
        for (int q = 0; q < blocks; q++)
            sums[t][q] = vec_zero();
    for (int b = 0; b < in; b++) {
#pragma GCC unroll 16
        for (int c = 0; c < VEC; c++) {
            vec w[GROUP_MOST_BLOCKS];
            for (int q = 0; q < blocks; q++)
                w[q] = vec_load(weights + (c * blocks + q) * VEC);
#pragma GCC unroll 16
            for (int t = 0; t < points; t++) {
                vec s = vec_all(source[t * VEC + c]);
                for (int q = 0; q < blocks; q++)
                    sums[t][q] = vec_fma(s, w[q], sums[t][q]);
            }
        }
        source += points * VEC;
        weights += VEC * blocks * VEC;
    }
#pragma GCC unroll 16
    for (int t = 0; t < points; t++)
        for (int q = 0; q < blocks; q++)
            vec_store(results + (t * step + q) * VEC, sums[t][q]);
}

#endif
