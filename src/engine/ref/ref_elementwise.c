// ReLU, addition, scaling.
#include "engine/ref/ref.h"
#include "engine/ref/ref_kernel.h"

// max(x, 0); NaN stays, or divergence would hide behind it.
static float rectify(float x)
{
    return x < 0 ? 0 : x;
}

static rn_status relu(rn_kernel *kernel, void *const args[RN_ARGS])
{
    size_t count = rn_tensor_elements(&rn_ref_desc(kernel)->src);
    const float *src = args[RN_ARG_SRC];
    float *dst = args[RN_ARG_DST];

    for (size_t i = 0; i < count; i++)
        dst[i] = rectify(src[i]);
    return RN_OK;
}

// dL/dx = dL/dy where y > 0, else 0.
static rn_status relu_backward(rn_kernel *kernel, void *const args[RN_ARGS])
{
    const rn_op_desc *desc = rn_ref_desc(kernel);
    size_t count = rn_tensor_elements(&desc->src);
    const float *dst = args[RN_ARG_DST], *diff_dst = args[RN_ARG_DIFF_DST];
    const float *diff_dst2 = args[RN_ARG_DIFF_DST2];
    float *diff_src = args[RN_ARG_DIFF_SRC];

    for (size_t i = 0; i < count; i++) {
        float g = desc->diff_dst2 ? diff_dst[i] + diff_dst2[i] : diff_dst[i];
        diff_src[i] = dst[i] > 0 ? g : 0;
    }
    return RN_OK;
}

static rn_status add(rn_kernel *kernel, void *const args[RN_ARGS])
{
    const rn_op_desc *desc = rn_ref_desc(kernel);
    size_t count = rn_tensor_elements(&desc->src);
    const float *src = args[RN_ARG_SRC], *src2 = args[RN_ARG_SRC2];
    float *dst = args[RN_ARG_DST];

    for (size_t i = 0; i < count; i++)
        dst[i] = desc->relu ? rectify(src[i] + src2[i]) : src[i] + src2[i];
    return RN_OK;
}

static rn_status scale(rn_kernel *kernel, void *const args[RN_ARGS])
{
    const rn_op_desc *desc = rn_ref_desc(kernel);
    size_t count = rn_tensor_elements(&desc->src);
    const float *src = args[RN_ARG_SRC];
    float *dst = args[RN_ARG_DST];

    for (size_t i = 0; i < count; i++)
        dst[i] = desc->scale * src[i];
    return RN_OK;
}

rn_status rn_ref_elementwise_create(rn_kernel **out, const rn_op_desc *desc)
{
    rn_ref_run run = desc->kind == RN_OP_RELU            ? relu
                     : desc->kind == RN_OP_RELU_BACKWARD ? relu_backward
                     : desc->kind == RN_OP_ADD           ? add
                     : desc->kind == RN_OP_SCALE         ? scale
                                                         : NULL;

    return rn_ref_kernel_create(out, desc, run, 0, 0);
}
