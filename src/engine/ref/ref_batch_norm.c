// Batch normalisation (Ioffe & Szegedy 2015, algorithm 1 and section 3), with the addition and
// ReLU that follow it. One channel after another; statistics over n, h, w.
#include "engine/ref/ref.h"
#include "engine/ref/ref_kernel.h"

#include <math.h>

typedef struct channel {
    const rn_op_desc *desc;
    size_t c, area;
    double mean, invstd;
} channel;

static channel channel_of(const rn_op_desc *desc, int c)
{
    return (channel){
        .desc = desc, .c = (size_t)c, .area = (size_t)desc->src.h * (size_t)desc->src.w};
}

// Values of the channel, and where the i-th of them lies.
static size_t count(const channel *ch)
{
    return (size_t)ch->desc->src.n * ch->area;
}

static size_t at(const channel *ch, size_t i)
{
    return (i / ch->area * (size_t)ch->desc->src.c + ch->c) * ch->area + i % ch->area;
}

// Mean and biased variance, in two passes.
static double measure(channel *ch, const float *src)
{
    double sum = 0, squares = 0, m = (double)count(ch);

    for (size_t i = 0; i < count(ch); i++)
        sum += (double)src[at(ch, i)];
    ch->mean = sum / m;
    for (size_t i = 0; i < count(ch); i++) {
        double d = (double)src[at(ch, i)] - ch->mean;
        squares += d * d;
    }
    ch->invstd = 1 / sqrt(squares / m + (double)ch->desc->epsilon);
    return squares / m;
}

// SAVED holds mean, invstd, and what the mean loses in float. Training goes on with what it saved,
// so that BATCH_NORM_AGAIN has the same numbers.
static void save(const channel *ch, float *saved)
{
    size_t channels = (size_t)ch->desc->src.c;

    saved[ch->c] = (float)ch->mean;
    saved[channels + ch->c] = (float)ch->invstd;
    saved[2 * channels + ch->c] = (float)(ch->mean - (double)saved[ch->c]);
}

static channel recall(const rn_op_desc *desc, int c, const float *saved)
{
    channel ch = channel_of(desc, c);
    size_t channels = (size_t)desc->src.c;

    ch.mean = (double)saved[ch.c] + (double)saved[2 * channels + ch.c];
    ch.invstd = (double)saved[channels + ch.c];
    return ch;
}

// gain (x - mean) invstd + bias
static double normal(const channel *ch, void *const args[RN_ARGS], size_t k)
{
    const float *src = args[RN_ARG_SRC], *gain = args[RN_ARG_WEIGHTS], *bias = args[RN_ARG_BIAS];

    return (double)gain[ch->c] * ((double)src[k] - ch->mean) * ch->invstd + (double)bias[ch->c];
}

// y = [relu](normal [+ src2])
static void normalise(const channel *ch, void *const args[RN_ARGS])
{
    const float *src2 = args[RN_ARG_SRC2];
    float *dst = args[RN_ARG_DST];

    for (size_t i = 0; i < count(ch); i++) {
        size_t k = at(ch, i);
        double y = normal(ch, args, k);
        if (ch->desc->add)
            y += (double)src2[k];
        dst[k] = (float)(ch->desc->relu && y < 0 ? 0 : y); // NaN stays
    }
}

// running = (1 - momentum) running + momentum batch; the variance unbiased, except that of one
// single value, which has no unbiased estimate.
static void update_running(const channel *ch, double variance, void *const args[RN_ARGS])
{
    float *mean = args[RN_ARG_RUNNING_MEAN], *var = args[RN_ARG_RUNNING_VARIANCE];
    double momentum = (double)ch->desc->momentum, m = (double)count(ch);
    double unbiased = m > 1 ? variance * m / (m - 1) : variance;

    mean[ch->c] = (float)((1 - momentum) * (double)mean[ch->c] + momentum * ch->mean);
    var[ch->c] = (float)((1 - momentum) * (double)var[ch->c] + momentum * unbiased);
}

static rn_status train(rn_kernel *kernel, void *const args[RN_ARGS])
{
    const rn_op_desc *desc = rn_ref_desc(kernel);
    float *saved = args[RN_ARG_SAVED];

    for (int c = 0; c < desc->src.c; c++) {
        channel ch = channel_of(desc, c);
        double variance = measure(&ch, args[RN_ARG_SRC]);
        update_running(&ch, variance, args);
        save(&ch, saved);
        ch = recall(desc, c, saved);
        normalise(&ch, args);
    }
    return RN_OK;
}

static rn_status again(rn_kernel *kernel, void *const args[RN_ARGS])
{
    const rn_op_desc *desc = rn_ref_desc(kernel);

    for (int c = 0; c < desc->src.c; c++) {
        channel ch = recall(desc, c, args[RN_ARG_SAVED]);
        normalise(&ch, args);
    }
    return RN_OK;
}

static rn_status infer(rn_kernel *kernel, void *const args[RN_ARGS])
{
    const rn_op_desc *desc = rn_ref_desc(kernel);
    const float *mean = args[RN_ARG_RUNNING_MEAN], *variance = args[RN_ARG_RUNNING_VARIANCE];

    for (int c = 0; c < desc->src.c; c++) {
        channel ch = channel_of(desc, c);
        ch.mean = (double)mean[c];
        ch.invstd = 1 / sqrt((double)variance[c] + (double)desc->epsilon);
        normalise(&ch, args);
    }
    return RN_OK;
}

// The gradient before the ReLU and the addition.
static double incoming(const channel *ch, void *const args[RN_ARGS], size_t k)
{
    const float *dst = args[RN_ARG_DST], *diff_dst = args[RN_ARG_DIFF_DST];
    const float *diff_dst2 = args[RN_ARG_DIFF_DST2];

    if (ch->desc->relu && !((ch->desc->add ? dst[k] : (float)normal(ch, args, k)) > 0))
        return 0;
    return (double)diff_dst[k] + (ch->desc->diff_dst2 ? (double)diff_dst2[k] : 0);
}

// With x^ = (x - mean) invstd, g the incoming gradient, m = n h w:
//   diff_bias = sum g,  diff_gain = sum g x^,
//   diff_src = gain invstd (g - diff_bias / m - x^ diff_gain / m),  diff_src2 = g
static void propagate(const channel *ch, void *const args[RN_ARGS])
{
    const float *src = args[RN_ARG_SRC], *gain = args[RN_ARG_WEIGHTS];
    float *diff_src = args[RN_ARG_DIFF_SRC], *diff_src2 = args[RN_ARG_DIFF_SRC2];
    double diff_bias = 0, diff_gain = 0, m = (double)count(ch);

    for (size_t i = 0; i < count(ch); i++) {
        double g = incoming(ch, args, at(ch, i));
        diff_bias += g;
        diff_gain += g * ((double)src[at(ch, i)] - ch->mean) * ch->invstd;
    }
    for (size_t i = 0; i < count(ch); i++) {
        size_t k = at(ch, i);
        double g = incoming(ch, args, k), x = ((double)src[k] - ch->mean) * ch->invstd;
        if (diff_src != NULL)
            diff_src[k] =
                (float)((double)gain[ch->c] * ch->invstd * (g - diff_bias / m - x * diff_gain / m));
        if (ch->desc->add)
            diff_src2[k] = (float)g;
    }
    ((float *)args[RN_ARG_DIFF_WEIGHTS])[ch->c] = (float)diff_gain;
    ((float *)args[RN_ARG_DIFF_BIAS])[ch->c] = (float)diff_bias;
}

static rn_status backward(rn_kernel *kernel, void *const args[RN_ARGS])
{
    const rn_op_desc *desc = rn_ref_desc(kernel);

    for (int c = 0; c < desc->src.c; c++) {
        channel ch = recall(desc, c, args[RN_ARG_SAVED]);
        propagate(&ch, args);
    }
    return RN_OK;
}

rn_status rn_ref_batch_norm_create(rn_kernel **out, const rn_op_desc *desc)
{
    rn_ref_run run = desc->kind == RN_OP_BATCH_NORM_TRAIN      ? train
                     : desc->kind == RN_OP_BATCH_NORM_INFER    ? infer
                     : desc->kind == RN_OP_BATCH_NORM_AGAIN    ? again
                     : desc->kind == RN_OP_BATCH_NORM_BACKWARD ? backward
                                                               : NULL;

    return rn_ref_kernel_create(out, desc, run, (size_t)desc->src.c, (size_t)desc->src.c);
}
