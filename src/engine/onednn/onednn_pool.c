// Max pooling, and global average pooling into an NC tensor.
#include "engine/onednn/onednn_kernel.h"

static bool is_average(const rn_op_desc *d)
{
    return d->kind == RN_OP_AVERAGE_POOL || d->kind == RN_OP_AVERAGE_POOL_BACKWARD;
}

// A global average's NC output is n x c x 1 x 1 for oneDNN. Where c is a multiple of the block, the
// blocked order is the same as NC's, and the fast kernels want src's tag; else dst is plain, src
// has oneDNN's own padding, and a plain loop does it.
static rn_status average_mds(rn_dnnl_spec *spec, const rn_op_desc *d)
{
    rn_status st = RN_OK;
    dnnl_format_tag_t tag = rn_dnnl_tag(d->src.layout);
    bool whole = d->src.c % rn_layout_block(d->src.layout) == 0;
    dnnl_dims_t src = {d->src.n, d->src.c, d->src.h, d->src.w}, dst = {d->src.n, d->src.c, 1, 1};

    RN_TRY(rn_dnnl_check(rn_dnnl_md_create(&spec->src, 4, src, tag), d, "src"));
    RN_TRY(rn_dnnl_check(rn_dnnl_md_create(&spec->dst, 4, dst, whole ? tag : dnnl_abcd), d, "dst"));
out:
    return st;
}

static rn_status max_mds(rn_dnnl_spec *spec, const rn_op_desc *d)
{
    rn_status st = RN_OK;

    RN_TRY(rn_dnnl_activation(&spec->src, d, &d->src));
    RN_TRY(rn_dnnl_activation(&spec->dst, d, &d->dst));
out:
    return st;
}

static dnnl_prop_kind_t direction(const rn_op_desc *d)
{
    if (d->kind == RN_OP_MAX_POOL_BACKWARD || d->kind == RN_OP_AVERAGE_POOL_BACKWARD)
        return dnnl_backward_data;
    // Training makes max pooling write its workspace; an average has none.
    return is_average(d) || d->training ? dnnl_forward_training : dnnl_forward_inference;
}

rn_status rn_dnnl_pool_create(rn_kernel **out, rn_onednn *onednn, const rn_op_desc *d)
{
    rn_status st = RN_OK;
    const rn_dnnl_kernel *forward = rn_dnnl_forward(d);
    dnnl_primitive_desc_t pd = NULL;
    bool average = is_average(d);
    int window[2] = {average ? d->src.h : d->kernel, average ? d->src.w : d->kernel};
    int stride = average ? 1 : d->stride, pad = average ? 0 : d->pad;
    rn_dnnl_spec spec = {.primitive = dnnl_pooling,
                         .direction = direction(d),
                         .algorithm = average ? dnnl_pooling_avg_exclude_padding : dnnl_pooling_max,
                         .kernel = {window[0], window[1]},
                         .stride = {stride, stride},
                         .pad = {pad, pad}};

    *out = NULL;
    if (spec.direction == dnnl_backward_data && forward == NULL)
        return rn_error(RN_EINVAL, "oneDNN: '%s' without its forward kernel",
                        rn_op_kind_name(d->kind));
    RN_TRY(average ? average_mds(&spec, d) : max_mds(&spec, d));
    RN_TRY(rn_dnnl_check(rn_dnnl_pd_create(&pd, &spec, onednn->engine,
                                           forward != NULL ? forward->pd : NULL, onednn->attr),
                         d, "descriptor"));
    RN_TRY(rn_dnnl_kernel_create(out, onednn, d, pd, NULL));
out:
    rn_dnnl_spec_release(&spec);
    return st;
}
