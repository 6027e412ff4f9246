// Shortcut of option A (section 3.3 of the 2015 paper): subsample, fill up with zero channels.
#include "engine/ref/ref.h"
#include "engine/ref/ref_kernel.h"

#include <string.h>

static size_t offset_of(const rn_tensor_desc *t, int n, int c, int y, int x)
{
    return (((size_t)n * (size_t)t->c + (size_t)c) * (size_t)t->h + (size_t)y) * (size_t)t->w +
           (size_t)x;
}

// to[n][offset + c][y][x] = from[n][c][y stride][x stride], or the reverse.
static void copy_pixels(const rn_op_desc *desc, float *wide, float *narrow, bool forward)
{
    const rn_tensor_desc *src = &desc->src, *dst = &desc->dst;

    for (int n = 0; n < src->n; n++)
        for (int c = 0; c < src->c; c++)
            for (int y = 0; y < dst->h; y++)
                for (int x = 0; x < dst->w; x++) {
                    float *s = narrow + offset_of(src, n, c, y * desc->stride, x * desc->stride);
                    float *d = wide + offset_of(dst, n, desc->channel_offset + c, y, x);
                    *(forward ? d : s) = *(forward ? s : d);
                }
}

static rn_status pad(rn_kernel *kernel, void *const args[RN_ARGS])
{
    const rn_op_desc *desc = rn_ref_desc(kernel);

    memset(args[RN_ARG_DST], 0, rn_tensor_bytes(&desc->dst));
    copy_pixels(desc, args[RN_ARG_DST], args[RN_ARG_SRC], true);
    return RN_OK;
}

static rn_status pad_backward(rn_kernel *kernel, void *const args[RN_ARGS])
{
    const rn_op_desc *desc = rn_ref_desc(kernel);

    memset(args[RN_ARG_DIFF_SRC], 0, rn_tensor_bytes(&desc->src));
    copy_pixels(desc, args[RN_ARG_DIFF_DST], args[RN_ARG_DIFF_SRC], false);
    return RN_OK;
}

rn_status rn_ref_shortcut_create(rn_kernel **out, const rn_op_desc *desc)
{
    rn_ref_run run = desc->kind == RN_OP_SHORTCUT_PAD            ? pad
                     : desc->kind == RN_OP_SHORTCUT_PAD_BACKWARD ? pad_backward
                                                                 : NULL;

    return rn_ref_kernel_create(out, desc, rn_shortcut_fits(desc) ? run : NULL, 0, 0);
}
