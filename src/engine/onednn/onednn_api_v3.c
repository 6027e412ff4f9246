#include "engine/onednn/onednn_api.h"

#if DNNL_VERSION_MAJOR >= 3

static const dnnl_dims_t undilated = {0, 0};

dnnl_status_t rn_dnnl_md_create(rn_dnnl_md *out, int ndims, const dnnl_dims_t dims,
                                dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t md = NULL;
    dnnl_status_t status = dnnl_memory_desc_create_with_tag(&md, ndims, dims, dnnl_f32, tag);

    *out = md;
    return status;
}

void rn_dnnl_md_free(rn_dnnl_md md)
{
    if (md != NULL)
        dnnl_memory_desc_destroy((dnnl_memory_desc_t)md);
}

static dnnl_status_t conv_create(dnnl_primitive_desc_t *out, const rn_dnnl_spec *s,
                                 dnnl_engine_t engine, dnnl_primitive_desc_t hint,
                                 const_dnnl_primitive_attr_t attr)
{
    if (s->direction == dnnl_backward_data)
        return dnnl_convolution_backward_data_primitive_desc_create(
            out, engine, s->algorithm, s->src, s->weights, s->dst, s->stride, undilated, s->pad,
            s->pad, hint, attr);
    if (s->direction == dnnl_backward_weights)
        return dnnl_convolution_backward_weights_primitive_desc_create(
            out, engine, s->algorithm, s->src, s->weights, s->bias, s->dst, s->stride, undilated,
            s->pad, s->pad, hint, attr);
    return dnnl_convolution_forward_primitive_desc_create(
        out, engine, s->direction, s->algorithm, s->src, s->weights, s->bias, s->dst, s->stride,
        undilated, s->pad, s->pad, attr);
}

static dnnl_status_t linear_create(dnnl_primitive_desc_t *out, const rn_dnnl_spec *s,
                                   dnnl_engine_t engine, dnnl_primitive_desc_t hint,
                                   const_dnnl_primitive_attr_t attr)
{
    if (s->direction == dnnl_backward_data)
        return dnnl_inner_product_backward_data_primitive_desc_create(
            out, engine, s->src, s->weights, s->dst, hint, attr);
    if (s->direction == dnnl_backward_weights)
        return dnnl_inner_product_backward_weights_primitive_desc_create(
            out, engine, s->src, s->weights, s->bias, s->dst, hint, attr);
    return dnnl_inner_product_forward_primitive_desc_create(out, engine, s->direction, s->src,
                                                            s->weights, s->bias, s->dst, attr);
}

static dnnl_status_t pool_create(dnnl_primitive_desc_t *out, const rn_dnnl_spec *s,
                                 dnnl_engine_t engine, dnnl_primitive_desc_t hint,
                                 const_dnnl_primitive_attr_t attr)
{
    if (s->direction == dnnl_backward_data)
        return dnnl_pooling_backward_primitive_desc_create(out, engine, s->algorithm, s->src,
                                                           s->dst, s->stride, s->kernel, undilated,
                                                           s->pad, s->pad, hint, attr);
    return dnnl_pooling_forward_primitive_desc_create(out, engine, s->direction, s->algorithm,
                                                      s->src, s->dst, s->stride, s->kernel,
                                                      undilated, s->pad, s->pad, attr);
}

dnnl_status_t rn_dnnl_pd_create(dnnl_primitive_desc_t *out, const rn_dnnl_spec *spec,
                                dnnl_engine_t engine, dnnl_primitive_desc_t hint,
                                const_dnnl_primitive_attr_t attr)
{
    *out = NULL;
    if (spec->primitive == dnnl_convolution)
        return conv_create(out, spec, engine, hint, attr);
    if (spec->primitive == dnnl_inner_product)
        return linear_create(out, spec, engine, hint, attr);
    return pool_create(out, spec, engine, hint, attr);
}

dnnl_status_t rn_dnnl_append_sum(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_sum(ops, 1.0f, 0, dnnl_f32);
}

dnnl_status_t rn_dnnl_append_relu(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_relu, 0.0f, 0.0f);
}

#endif
