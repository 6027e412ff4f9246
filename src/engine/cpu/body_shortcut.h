/**
 * Shortcut of option A (section 3.3 of the 2015 paper): every stride-th pixel, the channels moved
 * up by channel_offset, the others 0. Where the offset is no multiple of the block, a register of
 * the result is picked from two neighbouring blocks.
 */
#ifndef ENGINE_CPU_BODY_SHORTCUT_H
#define ENGINE_CPU_BODY_SHORTCUT_H

#include "engine/cpu/act.h"
#include "engine/cpu/body_range.h"
#include "engine/cpu/kernels.h"

// Where the VEC channels from `first` on of one image lie; NULL: all zeroes.
typedef struct channel_window {
    const act *low, *high; // two neighbouring blocks at pixel 0
    vec_index index;
} channel_window;

// first may be negative or beyond the tensor: channels outside of it are 0, as its padding is.
static channel_window window_at(const rn_tensor_desc *desc, const act *data, size_t n, long first)
{
    long blocks = rn_padded_channels(desc) / VEC;
    long block = first >= 0 ? first / VEC : -((-first + VEC - 1) / VEC);
    size_t size = (size_t)desc->h * (size_t)desc->w * VEC;
    const act *image = data + n * (size_t)blocks * size;
    channel_window window = {.index = vec_index_from((int)(first - block * VEC))};

    if (block >= 0 && block < blocks)
        window.low = image + (size_t)block * size;
    if (block + 1 >= 0 && block + 1 < blocks && first != block * VEC)
        window.high = image + (size_t)(block + 1) * size;
    return window;
}

INLINE vec window_load(const channel_window *window, size_t pixel)
{
    vec low = window->low != NULL ? act_load(window->low + pixel * VEC) : vec_zero();
    vec high = window->high != NULL ? act_load(window->high + pixel * VEC) : vec_zero();

    return vec_pick(low, high, window->index);
}

static rn_status shortcut_pad(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    size_t blocks = (size_t)rn_padded_channels(&desc->dst) / VEC;
    size_t items = (size_t)desc->dst.n * blocks, stride = (size_t)desc->stride;
    size_t h = (size_t)desc->dst.h, w = (size_t)desc->dst.w, src_w = (size_t)desc->src.w;

#pragma omp parallel for schedule(static) if (items * h * w * VEC > PARALLEL_FLOATS)
    for (size_t item = 0; item < items; item++) {
        long first = (long)(item % blocks * VEC) - desc->channel_offset;
        act *dst = (act *)args[RN_ARG_DST] + item * h * w * VEC;
        channel_window window = window_at(&desc->src, args[RN_ARG_SRC], item / blocks, first);
        for (size_t y = 0; y < h; y++)
            for (size_t x = 0; x < w; x++)
                act_store(dst + (y * w + x) * VEC,
                          window_load(&window, y * stride * src_w + x * stride));
    }
    return RN_OK;
}

// The channels of diff_dst beside the window are other channels' gradients, so padding of diff_src
// is cleared here.
static rn_status shortcut_pad_backward(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    size_t blocks = (size_t)rn_padded_channels(&desc->src) / VEC;
    size_t items = (size_t)desc->src.n * blocks, stride = (size_t)desc->stride;
    size_t h = (size_t)desc->src.h, w = (size_t)desc->src.w, dst_w = (size_t)desc->dst.w;

#pragma omp parallel for schedule(static) if (items * h * w * VEC > PARALLEL_FLOATS)
    for (size_t item = 0; item < items; item++) {
        size_t first = item % blocks * VEC, lanes = (size_t)desc->src.c - first;
        act *diff_src = (act *)args[RN_ARG_DIFF_SRC] + item * h * w * VEC;
        channel_window window = window_at(&desc->dst, args[RN_ARG_DIFF_DST], item / blocks,
                                          (long)first + desc->channel_offset);
        for (size_t y = 0; y < h; y++)
            for (size_t x = 0; x < w; x++) {
                bool read = y % stride == 0 && x % stride == 0;
                vec g = read ? window_load(&window, y / stride * dst_w + x / stride) : vec_zero();
                act_store(diff_src + (y * w + x) * VEC, lanes < VEC ? vec_keep_first(g, lanes) : g);
            }
    }
    return RN_OK;
}

#endif
