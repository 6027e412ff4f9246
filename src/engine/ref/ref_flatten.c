// NCHW to NC and back: in memory the same.
#include "engine/ref/ref.h"
#include "engine/ref/ref_kernel.h"

#include <string.h>

static rn_status flatten(rn_kernel *kernel, void *const args[RN_ARGS])
{
    memcpy(args[RN_ARG_DST], args[RN_ARG_SRC], rn_tensor_bytes(&rn_ref_desc(kernel)->src));
    return RN_OK;
}

static rn_status flatten_backward(rn_kernel *kernel, void *const args[RN_ARGS])
{
    memcpy(args[RN_ARG_DIFF_SRC], args[RN_ARG_DIFF_DST],
           rn_tensor_bytes(&rn_ref_desc(kernel)->src));
    return RN_OK;
}

rn_status rn_ref_flatten_create(rn_kernel **out, const rn_op_desc *desc)
{
    bool fits = rn_tensor_elements(&desc->src) == rn_tensor_elements(&desc->dst);
    rn_ref_run run = desc->kind == RN_OP_FLATTEN            ? flatten
                     : desc->kind == RN_OP_FLATTEN_BACKWARD ? flatten_backward
                                                            : NULL;

    return rn_ref_kernel_create(out, desc, fits ? run : NULL, 0, 0);
}
