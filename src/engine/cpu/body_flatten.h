/** NCHW<VEC>c or NCHW to NC, channel by channel, and back. */
#ifndef ENGINE_CPU_BODY_FLATTEN_H
#define ENGINE_CPU_BODY_FLATTEN_H

#include "engine/cpu/body_elementwise.h"

enum { FLATTEN_PIXELS = 64 }; // moved at a time: they stay in the nearest cache for all channels

typedef struct flatten_arrays {
    const float *src;
    float *dst;
} flatten_arrays;

INLINE void copy_step(const flatten_arrays *a, size_t i, size_t n)
{
    vec_store_n(a->dst + i, n, vec_load_n(a->src + i, n));
}

static void copy_floats(float *dst, const float *src, size_t count)
{
    const flatten_arrays arrays = {src, dst};

#pragma omp parallel if (count > PARALLEL_FLOATS)
    EACH_REGISTER(count, copy_step, &arrays);
}

/** One (n, block of channels) of the blocked tensor, and its channels in the row. */
typedef struct flat_item {
    act *blocked;
    float *row;
    size_t lanes, area;
} flat_item;

static flat_item flat_item_at(const rn_tensor_desc *t, act *blocked, float *rows, size_t item)
{
    size_t channels = (size_t)t->c, blocks = (size_t)rn_padded_channels(t) / VEC;
    size_t area = (size_t)t->h * (size_t)t->w, first = item % blocks * VEC;

    return (flat_item){.blocked = blocked + item * area * VEC,
                       .row = rows + (item / blocks * channels + first) * area,
                       .lanes = channels - first < VEC ? channels - first : VEC,
                       .area = area};
}

static void flatten_item(flat_item to)
{
    for (size_t begin = 0; begin < to.area; begin += FLATTEN_PIXELS) {
        size_t end = to.area - begin < FLATTEN_PIXELS ? to.area : begin + FLATTEN_PIXELS;
        for (size_t l = 0; l < to.lanes; l++)
            for (size_t p = begin; p < end; p++)
                to.row[l * to.area + p] = act_value(to.blocked[p * VEC + l]);
    }
}

static void unflatten_item(flat_item to)
{
    for (size_t begin = 0; begin < to.area; begin += FLATTEN_PIXELS) {
        size_t end = to.area - begin < FLATTEN_PIXELS ? to.area : begin + FLATTEN_PIXELS;
        for (size_t l = 0; l < VEC; l++)
            for (size_t p = begin; p < end; p++)
                to.blocked[p * VEC + l] = act_of(l < to.lanes ? to.row[l * to.area + p] : 0);
    }
}

static rn_status flatten(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    size_t count = rn_tensor_elements(&desc->src);
    size_t items = (size_t)desc->src.n * (size_t)rn_padded_channels(&desc->src) / VEC;

    if (rn_layout_block(desc->src.layout) == 1) {
        copy_floats(args[RN_ARG_DST], args[RN_ARG_SRC], count);
        return RN_OK;
    }
#pragma omp parallel for schedule(static) if (count > PARALLEL_FLOATS)
    for (size_t item = 0; item < items; item++)
        flatten_item(flat_item_at(&desc->src, args[RN_ARG_SRC], args[RN_ARG_DST], item));
    return RN_OK;
}

static rn_status flatten_backward(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    size_t count = rn_tensor_elements(&desc->src);
    size_t items = (size_t)desc->src.n * (size_t)rn_padded_channels(&desc->src) / VEC;

    if (rn_layout_block(desc->src.layout) == 1) {
        copy_floats(args[RN_ARG_DIFF_SRC], args[RN_ARG_DIFF_DST], count);
        return RN_OK;
    }
#pragma omp parallel for schedule(static) if (count > PARALLEL_FLOATS)
    for (size_t item = 0; item < items; item++)
        unflatten_item(
            flat_item_at(&desc->src, args[RN_ARG_DIFF_SRC], args[RN_ARG_DIFF_DST], item));
    return RN_OK;
}

#endif
