// Max pooling (the workspace holds each window's argmax as an offset into its src plane; the first
// of equals; a NaN wins, so that it is not hidden) and global average pooling.
#include "engine/ref/ref.h"
#include "engine/ref/ref_kernel.h"

#include <math.h>
#include <string.h>

static size_t plane_area(const rn_tensor_desc *t)
{
    return (size_t)t->h * (size_t)t->w;
}

static size_t planes(const rn_tensor_desc *t)
{
    return (size_t)t->n * (size_t)t->c;
}

// Offset in the src plane of the largest element of the window of dst (y, x).
static int32_t window_argmax(const rn_op_desc *d, const float *src, int y, int x)
{
    int32_t best = -1;

    for (int p = 0; p < d->kernel; p++)
        for (int q = 0; q < d->kernel; q++) {
            int row = y * d->stride + p - d->pad, column = x * d->stride + q - d->pad;
            if (row < 0 || row >= d->src.h || column < 0 || column >= d->src.w)
                continue;
            int32_t offset = row * d->src.w + column;
            if (best < 0 || src[offset] > src[best] || (isnan(src[offset]) && !isnan(src[best])))
                best = offset;
        }
    return best;
}

static rn_status max_forward(rn_kernel *kernel, void *const args[RN_ARGS])
{
    const rn_op_desc *d = rn_ref_desc(kernel);
    const float *src = args[RN_ARG_SRC];
    float *dst = args[RN_ARG_DST];
    int32_t *argmax = args[RN_ARG_WORKSPACE];

    for (size_t plane = 0; plane < planes(&d->src); plane++, src += plane_area(&d->src))
        for (int y = 0; y < d->dst.h; y++)
            for (int x = 0; x < d->dst.w; x++) {
                int32_t best = window_argmax(d, src, y, x);
                *dst++ = best < 0 ? -INFINITY : src[best];
                if (d->training)
                    *argmax++ = best;
            }
    return RN_OK;
}

static rn_status max_backward(rn_kernel *kernel, void *const args[RN_ARGS])
{
    const rn_op_desc *d = rn_ref_desc(kernel);
    const float *diff_dst = args[RN_ARG_DIFF_DST];
    const int32_t *argmax = args[RN_ARG_WORKSPACE];
    float *diff_src = args[RN_ARG_DIFF_SRC];

    memset(diff_src, 0, rn_tensor_bytes(&d->src));
    for (size_t plane = 0; plane < planes(&d->src); plane++, diff_src += plane_area(&d->src))
        for (size_t i = 0; i < plane_area(&d->dst); i++, argmax++, diff_dst++)
            if (*argmax >= 0)
                diff_src[*argmax] += *diff_dst;
    return RN_OK;
}

static rn_status average_forward(rn_kernel *kernel, void *const args[RN_ARGS])
{
    const rn_op_desc *d = rn_ref_desc(kernel);
    const float *src = args[RN_ARG_SRC];
    float *dst = args[RN_ARG_DST];
    size_t area = plane_area(&d->src);

    for (size_t plane = 0; plane < planes(&d->src); plane++) {
        double sum = 0;
        for (size_t i = 0; i < area; i++)
            sum += (double)src[plane * area + i];
        dst[plane] = (float)(sum / (double)area);
    }
    return RN_OK;
}

static rn_status average_backward(rn_kernel *kernel, void *const args[RN_ARGS])
{
    const rn_op_desc *d = rn_ref_desc(kernel);
    const float *diff_dst = args[RN_ARG_DIFF_DST];
    float *diff_src = args[RN_ARG_DIFF_SRC];
    size_t area = plane_area(&d->src);

    for (size_t plane = 0; plane < planes(&d->src); plane++)
        for (size_t i = 0; i < area; i++)
            diff_src[plane * area + i] = (float)((double)diff_dst[plane] / (double)area);
    return RN_OK;
}

static rn_ref_run pool_run(rn_op_kind kind)
{
    switch (kind) {
    case RN_OP_MAX_POOL:
        return max_forward;
    case RN_OP_MAX_POOL_BACKWARD:
        return max_backward;
    case RN_OP_AVERAGE_POOL:
        return average_forward;
    case RN_OP_AVERAGE_POOL_BACKWARD:
        return average_backward;
    default:
        return NULL;
    }
}

rn_status rn_ref_pool_create(rn_kernel **out, const rn_op_desc *desc)
{
    rn_status st = rn_ref_kernel_create(out, desc, pool_run(desc->kind), 0, 0);

    if (st == RN_OK && desc->kind == RN_OP_MAX_POOL && desc->training)
        (*out)->workspace_bytes = rn_tensor_elements(&desc->dst) * sizeof(int32_t);
    return st;
}
