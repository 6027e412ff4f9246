// y = W x + b for every row of the batch; W is [out][in].
#include "engine/ref/ref.h"
#include "engine/ref/ref_kernel.h"

static rn_status forward(rn_kernel *kernel, void *const args[RN_ARGS])
{
    const rn_op_desc *d = rn_ref_desc(kernel);
    const float *src = args[RN_ARG_SRC], *weights = args[RN_ARG_WEIGHTS], *bias = args[RN_ARG_BIAS];
    float *dst = args[RN_ARG_DST];
    size_t rows = (size_t)d->src.n, in = (size_t)d->src.c, out = (size_t)d->dst.c;

    for (size_t n = 0; n < rows; n++)
        for (size_t o = 0; o < out; o++) {
            double sum = (double)bias[o];
            for (size_t i = 0; i < in; i++)
                sum += (double)src[n * in + i] * (double)weights[o * in + i];
            dst[n * out + o] = (float)sum;
        }
    return RN_OK;
}

static rn_status backward_data(rn_kernel *kernel, void *const args[RN_ARGS])
{
    const rn_op_desc *d = rn_ref_desc(kernel);
    const float *diff_dst = args[RN_ARG_DIFF_DST], *weights = args[RN_ARG_WEIGHTS];
    float *diff_src = args[RN_ARG_DIFF_SRC];
    size_t rows = (size_t)d->src.n, in = (size_t)d->src.c, out = (size_t)d->dst.c;

    for (size_t n = 0; n < rows; n++)
        for (size_t i = 0; i < in; i++) {
            double sum = 0;
            for (size_t o = 0; o < out; o++)
                sum += (double)diff_dst[n * out + o] * (double)weights[o * in + i];
            diff_src[n * in + i] = (float)sum;
        }
    return RN_OK;
}

static rn_status backward_weights(rn_kernel *kernel, void *const args[RN_ARGS])
{
    const rn_op_desc *d = rn_ref_desc(kernel);
    const float *src = args[RN_ARG_SRC], *diff_dst = args[RN_ARG_DIFF_DST];
    float *diff_weights = args[RN_ARG_DIFF_WEIGHTS], *diff_bias = args[RN_ARG_DIFF_BIAS];
    size_t rows = (size_t)d->src.n, in = (size_t)d->src.c, out = (size_t)d->dst.c;

    for (size_t o = 0; o < out; o++) {
        double bias = 0;
        for (size_t n = 0; n < rows; n++)
            bias += (double)diff_dst[n * out + o];
        diff_bias[o] = (float)bias;
        for (size_t i = 0; i < in; i++) {
            double sum = 0;
            for (size_t n = 0; n < rows; n++)
                sum += (double)diff_dst[n * out + o] * (double)src[n * in + i];
            diff_weights[o * in + i] = (float)sum;
        }
    }
    return RN_OK;
}

rn_status rn_ref_linear_create(rn_kernel **out, const rn_op_desc *desc)
{
    size_t weights = (size_t)desc->dst.c * (size_t)desc->src.c;
    rn_ref_run run = desc->kind == RN_OP_LINEAR                    ? forward
                     : desc->kind == RN_OP_LINEAR_BACKWARD_DATA    ? backward_data
                     : desc->kind == RN_OP_LINEAR_BACKWARD_WEIGHTS ? backward_weights
                                                                   : NULL;

    return rn_ref_kernel_create(out, desc, run, weights, (size_t)desc->dst.c);
}
