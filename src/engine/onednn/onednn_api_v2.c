#include "engine/onednn/onednn_api.h"

#if DNNL_VERSION_MAJOR == 2

#include "base/memory.h"

dnnl_status_t rn_dnnl_md_create(rn_dnnl_md *out, int ndims, const dnnl_dims_t dims,
                                dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t *md = NULL;

    *out = NULL;
    if (RN_NEW(&md, 1) != RN_OK)
        return dnnl_out_of_memory;
    *out = md;
    return dnnl_memory_desc_init_by_tag(md, ndims, dims, dnnl_f32, tag);
}

void rn_dnnl_md_free(rn_dnnl_md md)
{
    rn_free((void *)md);
}

static dnnl_status_t conv_init(dnnl_convolution_desc_t *d, const rn_dnnl_spec *s)
{
    if (s->direction == dnnl_backward_data)
        return dnnl_convolution_backward_data_desc_init(d, s->algorithm, s->src, s->weights, s->dst,
                                                        s->stride, s->pad, s->pad);
    if (s->direction == dnnl_backward_weights)
        return dnnl_convolution_backward_weights_desc_init(
            d, s->algorithm, s->src, s->weights, s->bias, s->dst, s->stride, s->pad, s->pad);
    return dnnl_convolution_forward_desc_init(d, s->direction, s->algorithm, s->src, s->weights,
                                              s->bias, s->dst, s->stride, s->pad, s->pad);
}

static dnnl_status_t linear_init(dnnl_inner_product_desc_t *d, const rn_dnnl_spec *s)
{
    if (s->direction == dnnl_backward_data)
        return dnnl_inner_product_backward_data_desc_init(d, s->src, s->weights, s->dst);
    if (s->direction == dnnl_backward_weights)
        return dnnl_inner_product_backward_weights_desc_init(d, s->src, s->weights, s->bias,
                                                             s->dst);
    return dnnl_inner_product_forward_desc_init(d, s->direction, s->src, s->weights, s->bias,
                                                s->dst);
}

static dnnl_status_t pool_init(dnnl_pooling_desc_t *d, const rn_dnnl_spec *s)
{
    if (s->direction == dnnl_backward_data)
        return dnnl_pooling_backward_desc_init(d, s->algorithm, s->src, s->dst, s->stride,
                                               s->kernel, s->pad, s->pad);
    return dnnl_pooling_forward_desc_init(d, s->direction, s->algorithm, s->src, s->dst, s->stride,
                                          s->kernel, s->pad, s->pad);
}

dnnl_status_t rn_dnnl_pd_create(dnnl_primitive_desc_t *out, const rn_dnnl_spec *spec,
                                dnnl_engine_t engine, dnnl_primitive_desc_t hint,
                                const_dnnl_primitive_attr_t attr)
{
    union {
        dnnl_convolution_desc_t conv;
        dnnl_inner_product_desc_t linear;
        dnnl_pooling_desc_t pool;
    } desc;
    dnnl_status_t status = spec->primitive == dnnl_convolution     ? conv_init(&desc.conv, spec)
                           : spec->primitive == dnnl_inner_product ? linear_init(&desc.linear, spec)
                                                                   : pool_init(&desc.pool, spec);

    *out = NULL;
    if (status != dnnl_success)
        return status;
    return dnnl_primitive_desc_create(out, &desc, attr, engine, hint);
}

dnnl_status_t rn_dnnl_append_sum(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_sum(ops, 1.0f);
}

dnnl_status_t rn_dnnl_append_relu(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f);
}

#endif
