/**
 * The few calls that differ between oneDNN's API v2 and v3, in one form (onednn_api_v2.c,
 * onednn_api_v3.c). Everything else of dnnl.h that this folder uses reads the same in both.
 */
#ifndef ENGINE_ONEDNN_ONEDNN_API_H
#define ENGINE_ONEDNN_ONEDNN_API_H

#include "resnet/base.h"

#include <dnnl.h>

// A memory descriptor, borrowed: what dnnl_primitive_desc_query_md() returns.
#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t rn_dnnl_md;
#else
typedef const dnnl_memory_desc_t *rn_dnnl_md;
#endif

/** float32; the caller's (rn_dnnl_md_free(), where NULL is legal). */
dnnl_status_t rn_dnnl_md_create(rn_dnnl_md *out, int ndims, const dnnl_dims_t dims,
                                dnnl_format_tag_t tag);
void rn_dnnl_md_free(rn_dnnl_md md);

/** A convolution, inner product or pooling; src stands for diff_src in a backward one, and so on.
 */
typedef struct rn_dnnl_spec {
    dnnl_primitive_kind_t primitive;
    dnnl_prop_kind_t direction;
    dnnl_alg_kind_t algorithm;
    rn_dnnl_md src, weights, bias, dst; // NULL where absent
    dnnl_dims_t kernel, stride, pad;    // of height and width
} rn_dnnl_spec;

/** @param hint  Backward: the forward op's descriptor. */
dnnl_status_t rn_dnnl_pd_create(dnnl_primitive_desc_t *out, const rn_dnnl_spec *spec,
                                dnnl_engine_t engine, dnnl_primitive_desc_t hint,
                                const_dnnl_primitive_attr_t attr);

/** Behind a convolution: what DST held is added; ReLU. */
dnnl_status_t rn_dnnl_append_sum(dnnl_post_ops_t ops);
dnnl_status_t rn_dnnl_append_relu(dnnl_post_ops_t ops);

#endif
