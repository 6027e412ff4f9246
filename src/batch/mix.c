#include "batch/mix.h"

#include "base/random.h"

#include <math.h>

bool rn_mix_on(const rn_mix *mix)
{
    return mix->mixup > 0 || mix->cutmix > 0;
}

// [low, high) is a stretch of `length` around `centre`, as far as it lies in 0 .. size.
static void cut(int *low, int *high, int centre, int length, int size)
{
    *low = centre - length / 2;
    *high = centre + length / 2;
    *low = *low < 0 ? 0 : *low;
    *high = *high > size ? size : *high;
}

// Yun et al. 2019, section 3.1, rounded as in the authors' program.
static void draw_box(rn_mixing *mixing, rn_stream *stream, double lambda, int height, int width)
{
    double side = sqrt(1 - lambda);
    int row = (int)rn_stream_below(stream, (uint32_t)height);
    int column = (int)rn_stream_below(stream, (uint32_t)width);
    int bottom, right;

    cut(&mixing->top, &bottom, row, (int)(side * height), height);
    cut(&mixing->left, &right, column, (int)(side * width), width);
    mixing->box = true;
    mixing->height = bottom - mixing->top;
    mixing->width = right - mixing->left;
    mixing->share = (float)(1 - (double)mixing->height * mixing->width / ((double)height * width));
}

// The order of the draws is part of the format: it decides what every batch of a run looks like.
rn_mixing rn_mixing_draw(const rn_mix *mix, uint64_t seed, uint64_t number, int height, int width)
{
    rn_mixing mixing = {0};
    rn_stream stream;
    bool box = mix->cutmix > 0;

    rn_stream_init(&stream, seed, RN_PURPOSE_MIX, (uint32_t)(number >> 32), (uint32_t)number);
    if (box && mix->mixup > 0)
        box = rn_stream_below(&stream, 2) == 1;
    double lambda = rn_stream_beta(&stream, box ? mix->cutmix : mix->mixup);
    mixing.share = (float)lambda;
    if (box)
        draw_box(&mixing, &stream, lambda, height, width);
    return mixing;
}

static void blend(float *restrict a, float *restrict b, size_t count, float share)
{
    for (size_t i = 0; i < count; i++) {
        float own = a[i], other = b[i];
        a[i] = share * own + (1 - share) * other;
        b[i] = share * other + (1 - share) * own;
    }
}

static void exchange(float *restrict a, float *restrict b, int count)
{
    for (int i = 0; i < count; i++) {
        float own = a[i];
        a[i] = b[i];
        b[i] = own;
    }
}

static void exchange_box(const rn_mixing *mixing, const rn_mix_batch *batch, float *a, float *b)
{
    for (int c = 0; c < batch->channels; c++) {
        for (int y = 0; y < mixing->height; y++) {
            size_t row = (size_t)c * (size_t)batch->height + (size_t)(mixing->top + y);
            size_t at = row * (size_t)batch->width + (size_t)mixing->left;
            exchange(a + at, b + at, mixing->width);
        }
    }
}

// Partners are each other's, so every pair is done in its place and read once.
void rn_mixing_apply(const rn_mixing *mixing, const rn_mix_batch *batch)
{
    size_t volume = (size_t)batch->channels * (size_t)batch->height * (size_t)batch->width;

    for (int i = 0, j = batch->count - 1; i < batch->count; i++, j--) {
        float *a = batch->images + (size_t)i * volume, *b = batch->images + (size_t)j * volume;
        batch->labels_b[i] = batch->labels[j];
        if (i < j && mixing->box)
            exchange_box(mixing, batch, a, b);
        else if (i < j)
            blend(a, b, volume, mixing->share);
    }
}
