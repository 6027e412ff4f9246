/** What all kernels of the ref engine share: the descriptor, and parameters in canonical layout. */
#ifndef ENGINE_REF_REF_KERNEL_H
#define ENGINE_REF_REF_KERNEL_H

#include "plan/op.h"

typedef struct rn_ref_kernel {
    rn_kernel base; // first, so that an rn_kernel * of this engine is an rn_ref_kernel *
    rn_op_desc desc;
    size_t weights, bias; // floats of RN_ARG_WEIGHTS; of BIAS and the running statistics
} rn_ref_kernel;

typedef rn_status (*rn_ref_run)(rn_kernel *kernel, void *const args[RN_ARGS]);

/**
 * Make a kernel of the ref engine.
 *
 * @param run      NULL: the kind is not one of the caller's, or the shapes do not fit it.
 * @param weights  Floats of the parameter WEIGHTS, 0 if the op has none.
 * @param bias     Floats of BIAS, RUNNING_MEAN and RUNNING_VARIANCE each, 0 if none.
 * @return RN_OK; RN_EUNSUPPORTED (run is NULL, or a layout is blocked; the message names op and
 *         shape); RN_ENOMEM.
 */
rn_status rn_ref_kernel_create(rn_kernel **out, const rn_op_desc *desc, rn_ref_run run,
                               size_t weights, size_t bias);

static inline const rn_op_desc *rn_ref_desc(const rn_kernel *kernel)
{
    return &((const rn_ref_kernel *)kernel)->desc;
}

#endif
