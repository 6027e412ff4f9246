#include "engine/ref/ref_kernel.h"

#include "base/memory.h"
#include "engine/conv_fold.h"

#include <string.h>

static void free_kernel(rn_kernel *kernel)
{
    rn_free(kernel);
}

static size_t native_count(const rn_kernel *kernel, rn_arg arg)
{
    const rn_ref_kernel *ref = (const rn_ref_kernel *)kernel;

    if (rn_conv_folds(&ref->desc, arg))
        return (size_t)ref->desc.dst.c;
    switch (arg) {
    case RN_ARG_WEIGHTS:
        return ref->weights;
    case RN_ARG_BIAS:
    case RN_ARG_RUNNING_MEAN:
    case RN_ARG_RUNNING_VARIANCE:
        return ref->bias;
    default:
        return 0;
    }
}

// Canonical layout is this engine's native one.
static rn_status copy(const rn_kernel *kernel, rn_arg arg, const float *from, float *to)
{
    memcpy(to, from, native_count(kernel, arg) * sizeof *to);
    return RN_OK;
}

rn_status rn_ref_kernel_create(rn_kernel **out, const rn_op_desc *desc, rn_ref_run run,
                               size_t weights, size_t bias)
{
    rn_status st = RN_OK;
    rn_ref_kernel *ref = NULL;

    *out = NULL;
    if (run == NULL || rn_layout_block(desc->src.layout) != 1 ||
        rn_layout_block(desc->dst.layout) != 1)
        return rn_error(RN_EUNSUPPORTED, "ref engine has no '%s' for %dx%dx%dx%d, block %d",
                        rn_op_kind_name(desc->kind), desc->src.n, desc->src.c, desc->src.h,
                        desc->src.w, rn_layout_block(desc->src.layout));
    if (desc->src.dtype != RN_FLOAT32 || desc->dst.dtype != RN_FLOAT32)
        return rn_error(RN_EUNSUPPORTED, "ref engine has '%s' of float32 only",
                        rn_op_kind_name(desc->kind));
    RN_TRY(RN_NEW(&ref, 1));
    ref->desc = *desc;
    ref->weights = weights;
    ref->bias = bias;
    ref->base = (rn_kernel){.run = run,
                            .free = free_kernel,
                            .implementation = "ref",
                            .native_count = native_count,
                            .pack = copy,
                            .unpack = copy};
    *out = &ref->base;
out:
    return st;
}
