/** Global average pooling, NCHW<VEC>c to NC, and back. */
#ifndef ENGINE_CPU_BODY_AVERAGE_POOL_H
#define ENGINE_CPU_BODY_AVERAGE_POOL_H

#include "engine/cpu/act.h"
#include "engine/cpu/body_range.h"
#include "engine/cpu/kernels.h"

enum { POOL_UNROLL = 4, POOL_CHUNK = 128 };

// In chunks, so that rounding errors do not grow with the area.
static vec sum_pixels(const act *x, size_t area)
{
    vec total = vec_zero();

    for (size_t done = 0; done < area; done += POOL_CHUNK) {
        size_t p = done, stop = area - done < POOL_CHUNK ? area : done + POOL_CHUNK;
        vec sum[POOL_UNROLL];
        for (size_t k = 0; k < POOL_UNROLL; k++)
            sum[k] = vec_zero();
        for (; p + POOL_UNROLL <= stop; p += POOL_UNROLL)
            for (size_t k = 0; k < POOL_UNROLL; k++)
                sum[k] = vec_add(sum[k], act_load(x + (p + k) * VEC));
        for (; p < stop; p++)
            sum[0] = vec_add(sum[0], act_load(x + p * VEC));
        total = vec_add(total, vec_add(vec_add(sum[0], sum[1]), vec_add(sum[2], sum[3])));
    }
    return total;
}

static size_t pool_lanes(size_t channels, size_t first)
{
    return channels - first < VEC ? channels - first : VEC;
}

static rn_status average_pool(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    size_t channels = (size_t)desc->src.c, area = (size_t)desc->src.h * (size_t)desc->src.w;
    size_t blocks = (size_t)rn_padded_channels(&desc->src) / VEC;
    size_t items = (size_t)desc->src.n * blocks;
    const act *src = args[RN_ARG_SRC];
    float *dst = args[RN_ARG_DST];

#pragma omp parallel for schedule(static) if (items * area * VEC > PARALLEL_FLOATS)
    for (size_t item = 0; item < items; item++) {
        size_t first = item % blocks * VEC;
        vec sum = sum_pixels(src + item * area * VEC, area);
        vec_store_n(dst + item / blocks * channels + first, pool_lanes(channels, first),
                    vec_mul(sum, vec_all(1.0f / (float)area)));
    }
    return RN_OK;
}

static rn_status average_pool_backward(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    size_t channels = (size_t)desc->src.c, area = (size_t)desc->src.h * (size_t)desc->src.w;
    size_t blocks = (size_t)rn_padded_channels(&desc->src) / VEC;
    size_t items = (size_t)desc->src.n * blocks;
    const float *diff_dst = args[RN_ARG_DIFF_DST];
    act *diff_src = args[RN_ARG_DIFF_SRC];

#pragma omp parallel for schedule(static) if (items * area * VEC > PARALLEL_FLOATS)
    for (size_t item = 0; item < items; item++) {
        size_t first = item % blocks * VEC;
        const float *row = diff_dst + item / blocks * channels + first;
        vec share =
            vec_mul(vec_load_n(row, pool_lanes(channels, first)), vec_all(1.0f / (float)area));
        for (size_t p = 0; p < area; p++)
            act_store(diff_src + (item * area + p) * VEC, share);
    }
    return RN_OK;
}

#endif
