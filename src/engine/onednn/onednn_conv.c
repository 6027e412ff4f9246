// Convolution and the linear layer: ops with weights. Forward lets oneDNN choose the layout of the
// weights; that is the parameter's native layout, which the backward ops then must work with.
#include "engine/onednn/onednn_kernel.h"

#include <string.h>

static dnnl_prop_kind_t direction(rn_op_kind kind)
{
    switch (kind) {
    case RN_OP_CONV_BACKWARD_DATA:
    case RN_OP_LINEAR_BACKWARD_DATA:
        return dnnl_backward_data;
    case RN_OP_CONV_BACKWARD_WEIGHTS:
    case RN_OP_LINEAR_BACKWARD_WEIGHTS:
        return dnnl_backward_weights;
    default:
        return dnnl_forward_training; // the same kernels as inference
    }
}

// Everything but the weights; rn_dnnl_spec_release() after use, also on failure.
static rn_status fill_spec(rn_dnnl_spec *spec, const rn_op_desc *d, bool bias)
{
    rn_status st = RN_OK;
    dnnl_dims_t channels = {rn_padded_channels(&d->dst)};

    spec->direction = direction(d->kind);
    RN_TRY(rn_dnnl_activation(&spec->src, d, &d->src));
    RN_TRY(rn_dnnl_activation(&spec->dst, d, &d->dst));
    if (bias && spec->direction != dnnl_backward_data)
        RN_TRY(rn_dnnl_check(rn_dnnl_md_create(&spec->bias, 1, channels, dnnl_a), d, "bias"));
out:
    return st;
}

// oneDNN's own generated code, neither its plain loops nor im2col and gemm.
static bool is_fast(dnnl_primitive_desc_t pd)
{
    const char *text = rn_dnnl_implementation(pd);

    return pd != NULL && strncmp(text, "ref", 3) != 0 && strncmp(text, "gemm", 4) != 0;
}

// Prefer the forward op's layout; where oneDNN has only slow code for it, take what it likes best.
static dnnl_status_t create_backward(dnnl_primitive_desc_t *out, rn_onednn *onednn,
                                     rn_dnnl_spec *spec, const rn_dnnl_kernel *forward)
{
    dnnl_primitive_desc_t native = NULL, liked = NULL;
    rn_dnnl_md any = spec->weights;

    spec->weights = forward->native;
    dnnl_status_t status =
        rn_dnnl_pd_create(&native, spec, onednn->engine, forward->pd, onednn->attr);
    spec->weights = any;
    if (status != dnnl_success || !is_fast(native)) {
        dnnl_status_t other =
            rn_dnnl_pd_create(&liked, spec, onednn->engine, forward->pd, onednn->attr);
        if (other == dnnl_success && (status != dnnl_success || is_fast(liked))) {
            dnnl_primitive_desc_t slow = native;
            native = liked;
            liked = slow;
            status = dnnl_success;
        }
    }
    if (liked != NULL)
        dnnl_primitive_desc_destroy(liked);
    *out = native;
    return status;
}

// What follows the sums: an addition, ReLU.
static dnnl_status_t set_post_ops(dnnl_primitive_attr_t attr, const rn_op_desc *d)
{
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t status = dnnl_post_ops_create(&ops);

    if (status == dnnl_success && d->add)
        status = rn_dnnl_append_sum(ops);
    if (status == dnnl_success && d->relu)
        status = rn_dnnl_append_relu(ops);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_post_ops(attr, ops);
    if (ops != NULL)
        dnnl_post_ops_destroy(ops);
    return status;
}

static dnnl_status_t create_forward(dnnl_primitive_desc_t *out, rn_onednn *onednn,
                                    const rn_dnnl_spec *spec, const rn_op_desc *d)
{
    dnnl_primitive_attr_t attr = NULL;

    if (!d->add && !d->relu)
        return rn_dnnl_pd_create(out, spec, onednn->engine, NULL, onednn->attr);
    dnnl_status_t status = dnnl_primitive_attr_clone(&attr, onednn->attr);
    if (status == dnnl_success)
        status = set_post_ops(attr, d);
    if (status == dnnl_success)
        status = rn_dnnl_pd_create(out, spec, onednn->engine, NULL, attr);
    if (attr != NULL)
        dnnl_primitive_attr_destroy(attr);
    return status;
}

static rn_status create(rn_kernel **out, rn_onednn *onednn, const rn_op_desc *d, rn_dnnl_spec *spec)
{
    const rn_dnnl_kernel *forward = rn_dnnl_forward(d);
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t status;

    if (spec->direction == dnnl_forward_training)
        status = create_forward(&pd, onednn, spec, d);
    else if (forward == NULL || forward->native == NULL)
        return rn_error(RN_EINVAL, "oneDNN: '%s' without its forward kernel",
                        rn_op_kind_name(d->kind));
    else
        status = create_backward(&pd, onednn, spec, forward);
    if (status != dnnl_success)
        return rn_dnnl_check(status, d, "descriptor");
    return rn_dnnl_kernel_create(out, onednn, d, pd, forward != NULL ? forward->native : NULL);
}

rn_status rn_dnnl_conv_create(rn_kernel **out, rn_onednn *onednn, const rn_op_desc *d)
{
    rn_status st = RN_OK;
    dnnl_dims_t dims = {rn_padded_channels(&d->dst), rn_padded_channels(&d->src), d->kernel,
                        d->kernel};
    rn_dnnl_spec spec = {.primitive = dnnl_convolution,
                         .algorithm = dnnl_convolution_direct,
                         .kernel = {d->kernel, d->kernel},
                         .stride = {d->stride, d->stride},
                         .pad = {d->pad, d->pad}};

    *out = NULL;
    RN_TRY(fill_spec(&spec, d, d->bias || d->fold));
    RN_TRY(rn_dnnl_check(rn_dnnl_md_create(&spec.weights, 4, dims, dnnl_format_tag_any), d,
                         "weights"));
    RN_TRY(create(out, onednn, d, &spec));
out:
    rn_dnnl_spec_release(&spec);
    return st;
}

rn_status rn_dnnl_linear_create(rn_kernel **out, rn_onednn *onednn, const rn_op_desc *d)
{
    rn_status st = RN_OK;
    dnnl_dims_t dims = {d->dst.c, d->src.c};
    rn_dnnl_spec spec = {.primitive = dnnl_inner_product};

    *out = NULL;
    RN_TRY(fill_spec(&spec, d, true));
    RN_TRY(rn_dnnl_check(rn_dnnl_md_create(&spec.weights, 2, dims, dnnl_format_tag_any), d,
                         "weights"));
    RN_TRY(create(out, onednn, d, &spec));
out:
    rn_dnnl_spec_release(&spec);
    return st;
}
