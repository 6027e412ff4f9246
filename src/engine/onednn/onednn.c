#include "engine/onednn/onednn.h"

#include "base/memory.h"
#include "engine/onednn/onednn_kernel.h"

#include <dnnl_debug.h>

#include <stdio.h>
#include <string.h>

static rn_status check(dnnl_status_t status, const char *what)
{
    if (status == dnnl_success)
        return RN_OK;
    return rn_error(RN_ENGINE, "oneDNN: %s: %s", what, dnnl_status2str(status));
}

// oneDNN takes the limit only before its first use in a process. Later, a limit above the one
// wanted is harmless (the layout of the activations chooses the kernels); one below is an error.
static rn_status limit_isa(const char *isa)
{
    bool avx512 = strcmp(isa, "avx512") == 0;

    if (!avx512 && strcmp(isa, "avx2") != 0)
        return rn_error(RN_EINVAL, "oneDNN: unknown instruction set '%s', expected avx2 or avx512",
                        isa);
    // 0 is "no limit" in both API versions, by different names
    dnnl_set_max_cpu_isa(avx512 ? (dnnl_cpu_isa_t)0 : dnnl_cpu_isa_avx2);
    dnnl_cpu_isa_t effective = dnnl_get_effective_cpu_isa();
    if (avx512 && (effective & dnnl_cpu_isa_avx512_core) != dnnl_cpu_isa_avx512_core)
        return rn_error(RN_ENGINE,
                        "oneDNN: avx512 wanted, but this processor lacks it or oneDNN was limited "
                        "to less earlier in this process");
    return RN_OK;
}

rn_status rn_onednn_create(rn_onednn **out, const char *isa)
{
    rn_status st = RN_OK;
    rn_onednn *onednn = NULL;
    const dnnl_version_t *version = dnnl_version();

    *out = NULL;
    RN_TRY(limit_isa(isa));
    RN_TRY(RN_NEW(&onednn, 1));
    snprintf(onednn->version, sizeof onednn->version, "oneDNN %d.%d.%d", version->major,
             version->minor, version->patch);
    RN_TRY(check(dnnl_engine_create(&onednn->engine, dnnl_cpu, 0), "engine"));
    RN_TRY(
        check(dnnl_stream_create(&onednn->stream, onednn->engine, dnnl_stream_in_order), "stream"));
    RN_TRY(check(dnnl_primitive_attr_create(&onednn->attr), "attributes"));
    RN_TRY(check(dnnl_primitive_attr_set_scratchpad_mode(onednn->attr, dnnl_scratchpad_mode_user),
                 "scratchpad mode"));
    *out = onednn;
    onednn = NULL; // now the caller's
out:
    rn_onednn_free(onednn);
    return st;
}

void rn_onednn_free(rn_onednn *onednn)
{
    if (onednn == NULL)
        return;
    if (onednn->attr != NULL)
        dnnl_primitive_attr_destroy(onednn->attr);
    if (onednn->stream != NULL)
        dnnl_stream_destroy(onednn->stream);
    if (onednn->engine != NULL)
        dnnl_engine_destroy(onednn->engine);
    rn_free(onednn);
}

const char *rn_onednn_version(const rn_onednn *onednn)
{
    return onednn->version;
}

rn_status rn_dnnl_check(dnnl_status_t status, const rn_op_desc *d, const char *what)
{
    if (status == dnnl_success)
        return RN_OK;
    return rn_error(status == dnnl_out_of_memory ? RN_ENOMEM : RN_ENGINE,
                    "oneDNN: '%s' %dx%dx%dx%d to %dx%dx%dx%d, kernel %d, stride %d, padding %d: "
                    "%s (%s)",
                    rn_op_kind_name(d->kind), d->src.n, d->src.c, d->src.h, d->src.w, d->dst.n,
                    d->dst.c, d->dst.h, d->dst.w, d->kernel, d->stride, d->pad,
                    dnnl_status2str(status), what);
}

dnnl_format_tag_t rn_dnnl_tag(rn_layout layout)
{
    switch (layout) {
    case RN_LAYOUT_NCHW16C:
        return dnnl_aBcd16b;
    case RN_LAYOUT_NCHW8C:
        return dnnl_aBcd8b;
    case RN_LAYOUT_NCHW:
        return dnnl_abcd;
    default:
        return dnnl_ab;
    }
}

rn_status rn_dnnl_activation(rn_dnnl_md *out, const rn_op_desc *desc, const rn_tensor_desc *tensor)
{
    dnnl_dims_t dims = {tensor->n, rn_padded_channels(tensor), tensor->h, tensor->w};
    int ndims = tensor->layout == RN_LAYOUT_NC ? 2 : 4;

    return rn_dnnl_check(rn_dnnl_md_create(out, ndims, dims, rn_dnnl_tag(tensor->layout)), desc,
                         "activation");
}

void rn_dnnl_spec_release(rn_dnnl_spec *spec)
{
    rn_dnnl_md_free(spec->src);
    rn_dnnl_md_free(spec->weights);
    rn_dnnl_md_free(spec->bias);
    rn_dnnl_md_free(spec->dst);
}

// Convolutions and max pooling work on images, the linear layer on rows, the average turns one into
// the other.
static bool layouts_fit(const rn_op_desc *d)
{
    bool src_flat = d->src.layout == RN_LAYOUT_NC, dst_flat = d->dst.layout == RN_LAYOUT_NC;

    switch (d->kind) {
    case RN_OP_LINEAR:
    case RN_OP_LINEAR_BACKWARD_DATA:
    case RN_OP_LINEAR_BACKWARD_WEIGHTS:
        return src_flat && dst_flat;
    case RN_OP_AVERAGE_POOL:
    case RN_OP_AVERAGE_POOL_BACKWARD:
        return !src_flat && dst_flat;
    case RN_OP_MAX_POOL:
    case RN_OP_MAX_POOL_BACKWARD:
        return !src_flat && d->dst.layout == d->src.layout;
    default:
        return !src_flat && !dst_flat;
    }
}

rn_status rn_onednn_kernel(rn_onednn *onednn, rn_kernel **out, const rn_op_desc *desc)
{
    *out = NULL;
    if (desc->src.dtype == RN_FLOAT32 && desc->dst.dtype == RN_FLOAT32 && layouts_fit(desc)) {
        if (desc->kind >= RN_OP_CONV && desc->kind <= RN_OP_CONV_BACKWARD_WEIGHTS)
            return rn_dnnl_conv_create(out, onednn, desc);
        if (desc->kind >= RN_OP_LINEAR && desc->kind <= RN_OP_LINEAR_BACKWARD_WEIGHTS)
            return rn_dnnl_linear_create(out, onednn, desc);
        if (desc->kind >= RN_OP_MAX_POOL && desc->kind <= RN_OP_AVERAGE_POOL_BACKWARD)
            return rn_dnnl_pool_create(out, onednn, desc);
    }
    return rn_error(RN_EUNSUPPORTED, "oneDNN: no '%s' for %dx%dx%dx%d in this layout",
                    rn_op_kind_name(desc->kind), desc->src.n, desc->src.c, desc->src.h,
                    desc->src.w);
}
