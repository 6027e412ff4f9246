#include "engine/cpu/conv_weights.h"

#include "engine/conv_fold.h"

#include <string.h>

size_t rn_conv_native_count(const rn_op_desc *d, rn_arg arg)
{
    size_t in = (size_t)rn_padded_channels(&d->src), out = (size_t)rn_padded_channels(&d->dst);

    if (arg == RN_ARG_WEIGHTS)
        return in * out * (size_t)d->kernel * (size_t)d->kernel;
    if (arg == RN_ARG_BIAS)
        return d->bias ? out : 0;
    return rn_conv_folds(d, arg) ? out : 0;
}

// Where weight (o, i, tap) stands in native layout.
static size_t native_offset(const rn_op_desc *d, size_t o, size_t i, size_t tap)
{
    size_t out_block = (size_t)rn_layout_block(d->dst.layout);
    size_t in_block = (size_t)rn_layout_block(d->src.layout);
    size_t taps = (size_t)d->kernel * (size_t)d->kernel;
    size_t in = (size_t)rn_padded_channels(&d->src);

    if (in_block == 1) // all input channels of a tap together
        in_block = in;
    size_t block = o / out_block * (in / in_block) + i / in_block;
    return ((block * taps + tap) * in_block + i % in_block) * out_block + o % out_block;
}

void rn_conv_pack(const rn_op_desc *d, rn_arg arg, const float *canonical, float *native)
{
    size_t count = rn_conv_native_count(d, arg), taps = (size_t)d->kernel * (size_t)d->kernel;
    size_t in = (size_t)d->src.c, out = (size_t)d->dst.c;

    memset(native, 0, count * sizeof *native);
    if (arg != RN_ARG_WEIGHTS && count > 0)
        memcpy(native, canonical, out * sizeof *native);
    if (arg != RN_ARG_WEIGHTS)
        return;
    for (size_t o = 0; o < out; o++)
        for (size_t i = 0; i < in; i++)
            for (size_t tap = 0; tap < taps; tap++)
                native[native_offset(d, o, i, tap)] = canonical[(o * in + i) * taps + tap];
}

void rn_conv_unpack(const rn_op_desc *d, rn_arg arg, const float *native, float *canonical)
{
    size_t taps = (size_t)d->kernel * (size_t)d->kernel;
    size_t in = (size_t)d->src.c, out = (size_t)d->dst.c;

    if (arg != RN_ARG_WEIGHTS && rn_conv_native_count(d, arg) > 0)
        memcpy(canonical, native, out * sizeof *canonical);
    if (arg != RN_ARG_WEIGHTS)
        return;
    for (size_t o = 0; o < out; o++)
        for (size_t i = 0; i < in; i++)
            for (size_t tap = 0; tap < taps; tap++)
                canonical[(o * in + i) * taps + tap] = native[native_offset(d, o, i, tap)];
}
