// Gating (Srivastava et al. 2015, highway networks; section 3.1 of the 2016 paper): y = x s(z),
// with s the logistic function 1 / (1 + exp(-z)), or 1 - s(z) = s(-z).
#include "engine/ref/ref.h"
#include "engine/ref/ref_kernel.h"

#include <math.h>

static double logistic(double z)
{
    return 1 / (1 + exp(-z));
}

static rn_status gate(rn_kernel *kernel, void *const args[RN_ARGS])
{
    const rn_op_desc *desc = rn_ref_desc(kernel);
    size_t count = rn_tensor_elements(&desc->src);
    const float *src = args[RN_ARG_SRC], *src2 = args[RN_ARG_SRC2];
    float *dst = args[RN_ARG_DST];
    double sign = desc->complement ? -1 : 1;

    for (size_t i = 0; i < count; i++)
        dst[i] = (float)((double)src[i] * logistic(sign * (double)src2[i]));
    return RN_OK;
}

// dL/dx = dL/dy s,  dL/dz = dL/dy x ds/dz,  ds/dz = s(z) s(-z), negative for 1 - s.
static rn_status gate_backward(rn_kernel *kernel, void *const args[RN_ARGS])
{
    const rn_op_desc *desc = rn_ref_desc(kernel);
    size_t count = rn_tensor_elements(&desc->src);
    const float *src = args[RN_ARG_SRC], *src2 = args[RN_ARG_SRC2];
    const float *diff_dst = args[RN_ARG_DIFF_DST];
    float *diff_src = args[RN_ARG_DIFF_SRC], *diff_src2 = args[RN_ARG_DIFF_SRC2];
    double sign = desc->complement ? -1 : 1;

    for (size_t i = 0; i < count; i++) {
        double g = (double)diff_dst[i], z = sign * (double)src2[i];
        diff_src[i] = (float)(g * logistic(z));
        diff_src2[i] = (float)(sign * g * (double)src[i] * logistic(z) * logistic(-z));
    }
    return RN_OK;
}

rn_status rn_ref_gate_create(rn_kernel **out, const rn_op_desc *desc)
{
    rn_ref_run run = desc->kind == RN_OP_GATE            ? gate
                     : desc->kind == RN_OP_GATE_BACKWARD ? gate_backward
                                                         : NULL;

    return rn_ref_kernel_create(out, desc, run, 0, 0);
}
