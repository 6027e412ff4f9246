// What the convolutions in bytes have in common with those who make them.
#include "engine/cpu/kernels.h"

#include <math.h>

const rn_int8_functions *rn_int8_functions_of(int block)
{
    if (block == 8)
        return &rn_int8_avx2;
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512vnni") ? &rn_int8_avx512vnni : &rn_int8_avx512;
}

float rn_int8_scale(const float range[2])
{
    return range[0] >= 0 ? range[1] / 255 : fmaxf(-range[0], range[1]) / 127;
}

int rn_int8_zero(const float range[2])
{
    return range[0] >= 0 ? 0 : 128;
}

// Sums of products of bytes must fit 32 bits, whatever the values.
bool rn_int8_fits(const rn_op_desc *desc)
{
    double products = (double)rn_padded_channels(&desc->src) * desc->kernel * desc->kernel;

    return desc->kind == RN_OP_CONV && desc->int8 && desc->constant && !desc->norm &&
           desc->src.dtype == RN_FLOAT32 && desc->dst.dtype == RN_FLOAT32 &&
           rn_layout_block(desc->src.layout) > 1 && isfinite(desc->range[0]) &&
           isfinite(desc->range[1]) && products * 255 * 127 < 2147483648.0;
}
