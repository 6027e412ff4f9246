// Parameters between canonical layout (OIHW, [out][in], [c]) and the forward kernel's native one,
// in which channels of blocked activations are rounded up to whole blocks, the padding 0.
#include "engine/onednn/onednn_kernel.h"

#include "base/memory.h"
#include "engine/conv_fold.h"

#include <string.h>

size_t rn_dnnl_native_count(const rn_kernel *base, rn_arg arg)
{
    const rn_dnnl_kernel *kernel = (const rn_dnnl_kernel *)base;

    if (kernel->native == NULL)
        return 0;
    if (arg == RN_ARG_WEIGHTS)
        return dnnl_memory_desc_get_size(kernel->native) / sizeof(float);
    if (arg == RN_ARG_BIAS && (kernel->desc.kind == RN_OP_LINEAR || kernel->desc.bias))
        return (size_t)rn_padded_channels(&kernel->desc.dst);
    return rn_conv_folds(&kernel->desc, arg) ? (size_t)rn_padded_channels(&kernel->desc.dst) : 0;
}

// Dense weights, channels rounded up: what oneDNN reorders from and to.
static dnnl_status_t dense_md(rn_dnnl_md *out, const rn_op_desc *d)
{
    dnnl_dims_t dims = {rn_padded_channels(&d->dst), rn_padded_channels(&d->src), d->kernel,
                        d->kernel};
    bool linear = d->kind == RN_OP_LINEAR;

    return rn_dnnl_md_create(out, linear ? 2 : 4, dims, linear ? dnnl_ab : dnnl_abcd);
}

// Copy weights between [out][in][taps] and the same with rounded channels.
static void copy_rounded(const rn_op_desc *d, float *canonical, float *rounded, bool to_rounded)
{
    size_t out = (size_t)d->dst.c, in = (size_t)d->src.c, in_rounded;
    size_t taps = d->kind == RN_OP_LINEAR ? 1 : (size_t)d->kernel * (size_t)d->kernel;

    in_rounded = (size_t)rn_padded_channels(&d->src);
    for (size_t o = 0; o < out; o++) {
        float *row = canonical + o * in * taps, *wide = rounded + o * in_rounded * taps;
        if (to_rounded)
            memcpy(wide, row, in * taps * sizeof *row);
        else
            memcpy(row, wide, in * taps * sizeof *row);
    }
}

static dnnl_status_t execute_reorder(const rn_onednn *onednn, dnnl_primitive_desc_t pd,
                                     dnnl_memory_t from, dnnl_memory_t to)
{
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    dnnl_primitive_t primitive = NULL;
    dnnl_status_t status = dnnl_primitive_create(&primitive, pd);

    if (status == dnnl_success)
        status = dnnl_primitive_execute(primitive, onednn->stream, 2, args);
    if (status == dnnl_success)
        status = dnnl_stream_wait(onednn->stream);
    if (primitive != NULL)
        dnnl_primitive_destroy(primitive);
    return status;
}

typedef struct array {
    rn_dnnl_md md;
    void *data;
} array;

static rn_status reorder(const rn_dnnl_kernel *kernel, array from, array to)
{
    rn_status st = RN_OK;
    dnnl_engine_t engine = kernel->onednn->engine;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_memory_t memory[2] = {NULL, NULL};

    RN_TRY(rn_dnnl_check(dnnl_memory_create(&memory[0], from.md, engine, from.data), &kernel->desc,
                         "memory"));
    RN_TRY(rn_dnnl_check(dnnl_memory_create(&memory[1], to.md, engine, to.data), &kernel->desc,
                         "memory"));
    // The library's own scratchpad: this is not part of a step.
    RN_TRY(
        rn_dnnl_check(dnnl_reorder_primitive_desc_create(&pd, from.md, engine, to.md, engine, NULL),
                      &kernel->desc, "reorder"));
    RN_TRY(rn_dnnl_check(execute_reorder(kernel->onednn, pd, memory[0], memory[1]), &kernel->desc,
                         "reorder"));
out:
    if (pd != NULL)
        dnnl_primitive_desc_destroy(pd);
    for (int i = 0; i < 2; i++)
        if (memory[i] != NULL)
            dnnl_memory_destroy(memory[i]);
    return st;
}

static rn_status convert_weights(const rn_dnnl_kernel *kernel, float *canonical, float *native,
                                 bool to_native)
{
    rn_status st = RN_OK;
    rn_dnnl_md dense = NULL;
    float *rounded = NULL;

    RN_TRY(rn_dnnl_check(dense_md(&dense, &kernel->desc), &kernel->desc, "weights"));
    RN_TRY(rn_alloc((void **)&rounded, dnnl_memory_desc_get_size(dense), 1));
    array wide = {dense, rounded}, inner = {kernel->native, native};
    if (to_native)
        copy_rounded(&kernel->desc, canonical, rounded, true);
    RN_TRY(reorder(kernel, to_native ? wide : inner, to_native ? inner : wide));
    if (!to_native)
        copy_rounded(&kernel->desc, canonical, rounded, false);
out:
    rn_free(rounded);
    rn_dnnl_md_free(dense);
    return st;
}

rn_status rn_dnnl_pack(const rn_kernel *base, rn_arg arg, const float *canonical, float *native)
{
    const rn_dnnl_kernel *kernel = (const rn_dnnl_kernel *)base;
    size_t count = rn_dnnl_native_count(base, arg), channels = (size_t)kernel->desc.dst.c;

    if (count != 0 && arg == RN_ARG_WEIGHTS)
        return convert_weights(kernel, (float *)canonical, native, true);
    for (size_t i = 0; i < count; i++)
        native[i] = i < channels ? canonical[i] : 0;
    return RN_OK;
}

rn_status rn_dnnl_unpack(const rn_kernel *base, rn_arg arg, const float *native, float *canonical)
{
    const rn_dnnl_kernel *kernel = (const rn_dnnl_kernel *)base;
    size_t count = rn_dnnl_native_count(base, arg);

    if (count != 0 && arg == RN_ARG_WEIGHTS)
        return convert_weights(kernel, canonical, (float *)native, false);
    if (count != 0)
        memcpy(canonical, native, (size_t)kernel->desc.dst.c * sizeof *canonical);
    return RN_OK;
}

size_t rn_dnnl_folded(const rn_dnnl_kernel *kernel)
{
    return rn_aligned(dnnl_memory_desc_get_size(kernel->native));
}

// Each row of canonical weights times its scale.
rn_status rn_dnnl_fold(rn_kernel *base, void *const args[RN_ARGS])
{
    rn_status st = RN_OK;
    const rn_dnnl_kernel *kernel = (const rn_dnnl_kernel *)base;
    const rn_op_desc *d = &kernel->desc;
    size_t padded = (size_t)rn_padded_channels(&d->dst), out = (size_t)d->dst.c;
    size_t row = (size_t)d->src.c * (size_t)d->kernel * (size_t)d->kernel;
    float *weights = NULL, *scale = NULL;

    RN_TRY(RN_NEW(&weights, out * row));
    RN_TRY(RN_NEW(&scale, padded));
    rn_conv_fold(d, args, padded, scale,
                 (float *)((char *)args[RN_ARG_PREPARED] + rn_dnnl_folded(kernel)));
    RN_TRY(convert_weights(kernel, weights, args[RN_ARG_WEIGHTS], false));
    for (size_t o = 0; o < out; o++)
        for (size_t i = 0; i < row; i++)
            weights[o * row + i] *= scale[o];
    RN_TRY(convert_weights(kernel, weights, args[RN_ARG_PREPARED], true));
out:
    rn_free(weights);
    rn_free(scale);
    return st;
}
