#include "plan/op.h"

#include "base/random.h"

#include <string.h>

static const char *const dtype_names[] = {[RN_FLOAT32] = "float32", [RN_BFLOAT16] = "bfloat16"};

const char *rn_dtype_name(rn_dtype dtype)
{
    return (unsigned)dtype < sizeof dtype_names / sizeof *dtype_names ? dtype_names[dtype] : NULL;
}

rn_status rn_dtype_parse(rn_dtype *out, const char *name)
{
    for (int i = 0; rn_dtype_name((rn_dtype)i) != NULL; i++)
        if (strcmp(name, rn_dtype_name((rn_dtype)i)) == 0) {
            *out = (rn_dtype)i;
            return RN_OK;
        }
    return rn_error(RN_EINVAL, "data type '%s' is unknown, expected float32 or bfloat16", name);
}

int rn_layout_block(rn_layout layout)
{
    return layout == RN_LAYOUT_NCHW16C ? 16 : layout == RN_LAYOUT_NCHW8C ? 8 : 1;
}

int rn_padded_channels(const rn_tensor_desc *desc)
{
    int block = rn_layout_block(desc->layout);

    return (desc->c + block - 1) / block * block;
}

size_t rn_tensor_elements(const rn_tensor_desc *desc)
{
    return (size_t)desc->n * (size_t)rn_padded_channels(desc) * (size_t)desc->h * (size_t)desc->w;
}

size_t rn_tensor_bytes(const rn_tensor_desc *desc)
{
    return rn_tensor_elements(desc) *
           (desc->dtype == RN_BFLOAT16 ? sizeof(uint16_t) : sizeof(float));
}

uint16_t rn_bf16_of(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    if (value != value)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

// Offset of element (n, c, position) where position = y * w + x.
static size_t blocked_offset(const rn_tensor_desc *desc, size_t n, size_t c, size_t position)
{
    size_t block = (size_t)rn_layout_block(desc->layout);
    size_t blocks = (size_t)rn_padded_channels(desc) / block;
    size_t area = (size_t)desc->h * (size_t)desc->w;

    return ((n * blocks + c / block) * area + position) * block + c % block;
}

static void put(const rn_tensor_desc *desc, void *data, size_t at, float value)
{
    if (desc->dtype == RN_BFLOAT16)
        ((uint16_t *)data)[at] = rn_bf16_of(value);
    else
        ((float *)data)[at] = value;
}

static float get(const rn_tensor_desc *desc, const void *data, size_t at)
{
    return desc->dtype == RN_BFLOAT16 ? rn_bf16_value(((const uint16_t *)data)[at])
                                      : ((const float *)data)[at];
}

void rn_tensor_pack(const rn_tensor_desc *desc, const float *nchw, void *dst)
{
    size_t area = (size_t)desc->h * (size_t)desc->w, channels = (size_t)desc->c;

    memset(dst, 0, rn_tensor_bytes(desc)); // padding channels hold 0
    for (size_t n = 0; n < (size_t)desc->n; n++)
        for (size_t c = 0; c < channels; c++)
            for (size_t p = 0; p < area; p++)
                put(desc, dst, blocked_offset(desc, n, c, p), nchw[(n * channels + c) * area + p]);
}

void rn_tensor_unpack(const rn_tensor_desc *desc, const void *src, float *nchw)
{
    size_t area = (size_t)desc->h * (size_t)desc->w, channels = (size_t)desc->c;

    for (size_t n = 0; n < (size_t)desc->n; n++)
        for (size_t c = 0; c < channels; c++)
            for (size_t p = 0; p < area; p++)
                nchw[(n * channels + c) * area + p] = get(desc, src, blocked_offset(desc, n, c, p));
}

bool rn_dropout_keeps(const rn_random *random, uint32_t stream, float rate, uint64_t index)
{
    const uint32_t key[2] = {(uint32_t)random->seed, (uint32_t)(random->seed >> 32)};
    const uint32_t counter[4] = {(uint32_t)(index / 4), stream, (uint32_t)random->step,
                                 RN_PURPOSE_DROPOUT};
    uint32_t block[4];

    rn_philox(block, counter, key);
    return (double)block[index % 4] >= (double)rate * 4294967296.0;
}

bool rn_shortcut_fits(const rn_op_desc *desc)
{
    const rn_tensor_desc *src = &desc->src, *dst = &desc->dst;

    return desc->stride >= 1 && desc->channel_offset >= 0 && src->layout == dst->layout &&
           src->dtype == dst->dtype && src->n == dst->n &&
           desc->channel_offset <= dst->c - src->c && dst->h == (src->h - 1) / desc->stride + 1 &&
           dst->w == (src->w - 1) / desc->stride + 1;
}

const char *rn_op_kind_name(rn_op_kind kind)
{
    static const char *const names[RN_OP_KINDS] = {
        [RN_OP_CONV] = "conv",
        [RN_OP_CONV_BACKWARD_DATA] = "conv backward data",
        [RN_OP_CONV_BACKWARD_WEIGHTS] = "conv backward weights",
        [RN_OP_LINEAR] = "linear",
        [RN_OP_LINEAR_BACKWARD_DATA] = "linear backward data",
        [RN_OP_LINEAR_BACKWARD_WEIGHTS] = "linear backward weights",
        [RN_OP_BATCH_NORM_TRAIN] = "batch norm",
        [RN_OP_BATCH_NORM_INFER] = "batch norm inference",
        [RN_OP_BATCH_NORM_AGAIN] = "batch norm again",
        [RN_OP_BATCH_NORM_BACKWARD] = "batch norm backward",
        [RN_OP_RELU] = "relu",
        [RN_OP_RELU_BACKWARD] = "relu backward",
        [RN_OP_ADD] = "add",
        [RN_OP_SCALE] = "scale",
        [RN_OP_DROPOUT] = "dropout",
        [RN_OP_GATE] = "gate",
        [RN_OP_GATE_BACKWARD] = "gate backward",
        [RN_OP_FLATTEN] = "flatten",
        [RN_OP_FLATTEN_BACKWARD] = "flatten backward",
        [RN_OP_SHORTCUT_PAD] = "shortcut pad",
        [RN_OP_SHORTCUT_PAD_BACKWARD] = "shortcut pad backward",
        [RN_OP_MAX_POOL] = "max pool",
        [RN_OP_MAX_POOL_BACKWARD] = "max pool backward",
        [RN_OP_AVERAGE_POOL] = "average pool",
        [RN_OP_AVERAGE_POOL_BACKWARD] = "average pool backward",
        [RN_OP_CROSS_ENTROPY] = "cross entropy",
    };

    return (unsigned)kind < RN_OP_KINDS ? names[kind] : "unknown op";
}

rn_op_kind rn_op_forward_kind(rn_op_kind kind)
{
    switch (kind) {
    case RN_OP_CONV_BACKWARD_DATA:
    case RN_OP_CONV_BACKWARD_WEIGHTS:
        return RN_OP_CONV;
    case RN_OP_LINEAR_BACKWARD_DATA:
    case RN_OP_LINEAR_BACKWARD_WEIGHTS:
        return RN_OP_LINEAR;
    case RN_OP_BATCH_NORM_AGAIN:
    case RN_OP_BATCH_NORM_BACKWARD:
        return RN_OP_BATCH_NORM_TRAIN;
    case RN_OP_RELU_BACKWARD:
        return RN_OP_RELU;
    case RN_OP_GATE_BACKWARD:
        return RN_OP_GATE;
    case RN_OP_FLATTEN_BACKWARD:
        return RN_OP_FLATTEN;
    case RN_OP_SHORTCUT_PAD_BACKWARD:
        return RN_OP_SHORTCUT_PAD;
    case RN_OP_MAX_POOL_BACKWARD:
        return RN_OP_MAX_POOL;
    case RN_OP_AVERAGE_POOL_BACKWARD:
        return RN_OP_AVERAGE_POOL;
    default:
        return kind;
    }
}

void rn_kernel_free(rn_kernel *kernel)
{
    if (kernel != NULL)
        kernel->free(kernel);
}
