/** Gradient of a convolution's bias: the sum of the results' over the batch and the picture. */
#ifndef ENGINE_CPU_BODY_BIAS_GRADIENT_H
#define ENGINE_CPU_BODY_BIAS_GRADIENT_H

#include "engine/cpu/body_average_pool.h"

// A block belongs to one thread, whatever their number; pictures are added up in double.
static void bias_gradient(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    size_t blocks = (size_t)rn_padded_channels(&desc->dst) / VEC, n = (size_t)desc->dst.n;
    size_t area = (size_t)desc->dst.h * (size_t)desc->dst.w;
    const act *diff_dst = args[RN_ARG_DIFF_DST];
    float *diff_bias = args[RN_ARG_DIFF_BIAS];

#pragma omp parallel for schedule(static) if (blocks * n * area * VEC > PARALLEL_FLOATS)
    for (size_t block = 0; block < blocks; block++) {
        double total[VEC] = {0};
        for (size_t i = 0; i < n; i++) {
            float sum[VEC];
            vec_store(sum, sum_pixels(diff_dst + (i * blocks + block) * area * VEC, area));
            for (size_t l = 0; l < VEC; l++)
                total[l] += (double)sum[l];
        }
        for (size_t l = 0; l < VEC; l++)
            diff_bias[block * VEC + l] = (float)total[l];
    }
}

#endif
