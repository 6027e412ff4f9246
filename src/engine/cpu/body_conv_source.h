/**
 * What a convolution reads: a tensor, or what a deferred batch norm [+ ReLU] makes of one, computed
 * as its values are loaded. NORM is [block][mean, scale, bias, unused][VEC].
 */
#ifndef ENGINE_CPU_BODY_CONV_SOURCE_H
#define ENGINE_CPU_BODY_CONV_SOURCE_H

#include "engine/cpu/act.h"
#include "engine/cpu/kernels.h"

typedef struct conv_source {
    const act *data;      // NULL where it is a picture
    const float *picture; // NCHW, always of floats
    const float *norm;    // NULL: data as they are
    bool relu;
} conv_source;

static conv_source conv_source_of(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    if (desc->kind == RN_OP_CONV_BACKWARD_DATA)
        return (conv_source){.data = args[RN_ARG_DIFF_DST]};
    if (desc->src.layout == RN_LAYOUT_NCHW)
        return (conv_source){.picture = args[RN_ARG_SRC]};
    if (!desc->norm)
        return (conv_source){.data = args[RN_ARG_SRC]};
    return (conv_source){
        .data = args[RN_ARG_RAW], .norm = args[RN_ARG_NORM], .relu = desc->norm_relu};
}

// How one block is normalised.
typedef struct block_norm {
    vec mean, scale, bias;
    bool relu;
} block_norm;

static block_norm block_norm_of(const conv_source *source, size_t block)
{
    const float *norm = source->norm + block * RN_CPU_BATCH_NORM_CONSTANTS * VEC;

    return (block_norm){vec_load(norm), vec_load(norm + VEC), vec_load(norm + 2 * VEC),
                        source->relu};
}

// The same operations as the batch norm's own: its backward makes the ReLU's mask again.
INLINE vec conv_normalise(const block_norm *norm, vec x)
{
    vec y = vec_fma(vec_sub(x, norm->mean), norm->scale, norm->bias);

    return norm->relu ? vec_relu(y) : y;
}

#endif
