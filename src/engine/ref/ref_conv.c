// Convolution as its definition (cross-correlation, zero padding), NCHW and OIHW:
//   dst[n][o][y][x] = bias[o] + sum over i, p, q of
//                     weights[o][i][p][q] * src[n][i][y stride + p - pad][x stride + q - pad]
// All three directions are this one sum over (n, o, i, output position, tap); they differ in what
// is summed into what.
#include "engine/ref/ref.h"
#include "engine/ref/ref_kernel.h"

#include <math.h>

// Offset of src[n][i][y stride + p - pad][x stride + q - pad], or -1 in the padding.
static ptrdiff_t src_offset(const rn_op_desc *d, const int dst[4], int i, int p, int q)
{
    int y = dst[2] * d->stride + p - d->pad, x = dst[3] * d->stride + q - d->pad;

    if (y < 0 || y >= d->src.h || x < 0 || x >= d->src.w)
        return -1;
    return (((ptrdiff_t)dst[0] * d->src.c + i) * d->src.h + y) * d->src.w + x;
}

static ptrdiff_t dst_offset(const rn_op_desc *d, const int dst[4])
{
    return (((ptrdiff_t)dst[0] * d->dst.c + dst[1]) * d->dst.h + dst[2]) * d->dst.w + dst[3];
}

static ptrdiff_t weight_offset(const rn_op_desc *d, int o, int i, int p, int q)
{
    return (((ptrdiff_t)o * d->src.c + i) * d->kernel + p) * d->kernel + q;
}

static double one_output(const rn_op_desc *d, const float *src, const float *weights,
                         const int dst[4])
{
    double sum = 0;

    for (int i = 0; i < d->src.c; i++)
        for (int p = 0; p < d->kernel; p++)
            for (int q = 0; q < d->kernel; q++) {
                ptrdiff_t from = src_offset(d, dst, i, p, q);
                if (from >= 0)
                    sum += (double)src[from] * (double)weights[weight_offset(d, dst[1], i, p, q)];
            }
    return sum;
}

// What follows the sum of channel `o`: bias, batch norm, the second source at `at`, ReLU.
static double finish_output(const rn_op_desc *d, void *const args[RN_ARGS], double sum, int o,
                            ptrdiff_t at)
{
    const float *bias = args[RN_ARG_BIAS], *gain = args[RN_ARG_GAIN], *shift = args[RN_ARG_SHIFT];
    const float *mean = args[RN_ARG_RUNNING_MEAN], *variance = args[RN_ARG_RUNNING_VARIANCE];
    const float *src2 = args[RN_ARG_SRC2];

    if (d->bias)
        sum += (double)bias[o];
    if (d->fold)
        sum = (sum - (double)mean[o]) / sqrt((double)variance[o] + (double)d->epsilon) *
                  (double)gain[o] +
              (double)shift[o];
    if (d->add)
        sum += (double)src2[at];
    return d->relu && sum < 0 ? 0 : sum;
}

static rn_status forward(rn_kernel *kernel, void *const args[RN_ARGS])
{
    const rn_op_desc *d = rn_ref_desc(kernel);
    float *out = args[RN_ARG_DST];

    for (int n = 0; n < d->dst.n; n++)
        for (int o = 0; o < d->dst.c; o++)
            for (int y = 0; y < d->dst.h; y++)
                for (int x = 0; x < d->dst.w; x++) {
                    int dst[4] = {n, o, y, x};
                    double sum = one_output(d, args[RN_ARG_SRC], args[RN_ARG_WEIGHTS], dst);
                    ptrdiff_t at = dst_offset(d, dst);
                    out[at] = (float)finish_output(d, args, sum, o, at);
                }
    return RN_OK;
}

// dst position that src (y, x) feeds through a tap at distance `tap`, or -1.
static int fed_position(int position, int tap, const rn_op_desc *d, int size)
{
    int shifted = position + d->pad - tap;

    if (shifted < 0 || shifted % d->stride != 0 || shifted / d->stride >= size)
        return -1;
    return shifted / d->stride;
}

// dL/dsrc: the outputs that one input (n, i, y, x) feeds, each through one tap a channel.
static double one_input(const rn_op_desc *d, const float *diff_dst, const float *weights,
                        const int src[4])
{
    double sum = 0;

    for (int p = 0; p < d->kernel; p++)
        for (int q = 0; q < d->kernel; q++) {
            int y = fed_position(src[2], p, d, d->dst.h), x = fed_position(src[3], q, d, d->dst.w);
            if (y < 0 || x < 0)
                continue;
            for (int o = 0; o < d->dst.c; o++) {
                int dst[4] = {src[0], o, y, x};
                sum += (double)diff_dst[dst_offset(d, dst)] *
                       (double)weights[weight_offset(d, o, src[1], p, q)];
            }
        }
    return sum;
}

static rn_status backward_data(rn_kernel *kernel, void *const args[RN_ARGS])
{
    const rn_op_desc *d = rn_ref_desc(kernel);
    float *diff_src = args[RN_ARG_DIFF_SRC];

    for (int n = 0; n < d->src.n; n++)
        for (int i = 0; i < d->src.c; i++)
            for (int y = 0; y < d->src.h; y++)
                for (int x = 0; x < d->src.w; x++) {
                    int src[4] = {n, i, y, x};
                    *diff_src++ =
                        (float)one_input(d, args[RN_ARG_DIFF_DST], args[RN_ARG_WEIGHTS], src);
                }
    return RN_OK;
}

// dL/dweights[o][i][p][q], where tap = {o, i, p, q}: every place where the weight was used.
static double one_weight(const rn_op_desc *d, const float *src, const float *diff_dst,
                         const int tap[4])
{
    double sum = 0;

    for (int n = 0; n < d->dst.n; n++)
        for (int y = 0; y < d->dst.h; y++)
            for (int x = 0; x < d->dst.w; x++) {
                int dst[4] = {n, tap[0], y, x};
                ptrdiff_t from = src_offset(d, dst, tap[1], tap[2], tap[3]);
                if (from >= 0)
                    sum += (double)src[from] * (double)diff_dst[dst_offset(d, dst)];
            }
    return sum;
}

static double one_bias(const rn_op_desc *d, const float *diff_dst, int o)
{
    double sum = 0;

    for (int n = 0; n < d->dst.n; n++)
        for (int y = 0; y < d->dst.h; y++)
            for (int x = 0; x < d->dst.w; x++) {
                int dst[4] = {n, o, y, x};
                sum += (double)diff_dst[dst_offset(d, dst)];
            }
    return sum;
}

static rn_status backward_weights(rn_kernel *kernel, void *const args[RN_ARGS])
{
    const rn_op_desc *d = rn_ref_desc(kernel);
    float *diff_weights = args[RN_ARG_DIFF_WEIGHTS], *diff_bias = args[RN_ARG_DIFF_BIAS];

    for (int o = 0; o < d->dst.c; o++) {
        for (int i = 0; i < d->src.c; i++)
            for (int p = 0; p < d->kernel; p++)
                for (int q = 0; q < d->kernel; q++) {
                    int tap[4] = {o, i, p, q};
                    *diff_weights++ =
                        (float)one_weight(d, args[RN_ARG_SRC], args[RN_ARG_DIFF_DST], tap);
                }
        if (d->bias)
            diff_bias[o] = (float)one_bias(d, args[RN_ARG_DIFF_DST], o);
    }
    return RN_OK;
}

rn_status rn_ref_conv_create(rn_kernel **out, const rn_op_desc *desc)
{
    size_t weights =
        (size_t)desc->dst.c * (size_t)desc->src.c * (size_t)desc->kernel * (size_t)desc->kernel;
    rn_ref_run run = desc->kind == RN_OP_CONV                    ? forward
                     : desc->kind == RN_OP_CONV_BACKWARD_DATA    ? backward_data
                     : desc->kind == RN_OP_CONV_BACKWARD_WEIGHTS ? backward_weights
                                                                 : NULL;

    return rn_ref_kernel_create(out, desc, run, weights, desc->bias ? (size_t)desc->dst.c : 0);
}
