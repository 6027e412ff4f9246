#include "resnet/augment.h"

#include "base/random.h"

#include <string.h>

// Where the crop lies: its corner in the image's own coordinates, -pad .. pad.
typedef struct window {
    int top, left;
    bool flip;
} window;

// The order of the draws is part of the format: it decides what every sample of a run looks like.
static window draw_window(const rn_augment *augment, uint64_t seed, uint32_t epoch, uint32_t sample)
{
    window crop = {0, 0, false};
    rn_stream stream;

    if (augment == NULL || (augment->pad == 0 && !augment->flip))
        return crop;
    uint32_t places = 2 * (uint32_t)augment->pad + 1;
    rn_stream_init(&stream, seed, RN_PURPOSE_AUGMENT, epoch, sample);
    crop.top = (int)rn_stream_below(&stream, places) - augment->pad;
    crop.left = (int)rn_stream_below(&stream, places) - augment->pad;
    crop.flip = rn_stream_below(&stream, 2) == 1 && augment->flip;
    return crop;
}

// dst = (src / 255 - mean) / deviation over a part of one row, whose means start at `entry`.
// The divisions are kept (a product would be faster) so that every bit is what the formula says.
static void normalize_span(const rn_preprocess *preprocess, float *restrict dst,
                           const uint8_t *restrict src, size_t entry, int count)
{
    const float *mean = preprocess->mean + entry, *deviation = preprocess->deviation + entry;

    switch (preprocess->normalize) {
    case RN_NORMALIZE_NONE:
        for (int i = 0; i < count; i++)
            dst[i] = (float)src[i] / 255.0f;
        break;
    case RN_NORMALIZE_CHANNEL:
        for (int i = 0; i < count; i++)
            dst[i] = ((float)src[i] / 255.0f - *mean) / *deviation;
        break;
    case RN_NORMALIZE_PIXEL:
        for (int i = 0; i < count; i++)
            dst[i] = ((float)src[i] / 255.0f - mean[i]) / deviation[i];
        break;
    case RN_NORMALIZE_CHANNEL_MEAN:
        for (int i = 0; i < count; i++)
            dst[i] = (float)src[i] / 255.0f - *mean;
        break;
    case RN_NORMALIZE_PIXEL_MEAN:
        for (int i = 0; i < count; i++)
            dst[i] = (float)src[i] / 255.0f - mean[i];
        break;
    }
}

static void reverse(float *row, int width)
{
    for (int i = 0, j = width - 1; i < j; i++, j--) {
        float value = row[i];
        row[i] = row[j];
        row[j] = value;
    }
}

// Columns [first, first + count) of the crop lie inside the image, the others in the padding.
typedef struct span {
    int first, count;
} span;

static span span_inside(int left, int width)
{
    int first = left < 0 ? -left : 0;
    int end = left > 0 ? width - left : width;

    return first < end ? (span){first, end - first} : (span){0, 0};
}

void rn_preprocess_apply(const rn_preprocess *preprocess, float *dst, const uint8_t *image,
                         const rn_augment *augment, uint64_t seed, uint32_t epoch, uint32_t sample)
{
    const window crop = draw_window(augment, seed, epoch, sample);
    const int height = preprocess->height, width = preprocess->width;
    const span inside = span_inside(crop.left, width);
    const bool per_channel = preprocess->entries == (size_t)preprocess->channels;
    const size_t row_bytes = (size_t)width * sizeof *dst;

    for (int c = 0; c < preprocess->channels; c++) {
        for (int y = 0; y < height; y++, dst += width) {
            int row = y + crop.top;
            if (row < 0 || row >= height || inside.count < width)
                memset(dst, 0, row_bytes);
            if (row < 0 || row >= height || inside.count == 0)
                continue;
            // The mean belongs to a place of the image, not of the crop.
            size_t at = ((size_t)c * (size_t)height + (size_t)row) * (size_t)width +
                        (size_t)(crop.left + inside.first);
            size_t entry = preprocess->entries == 0 ? 0 : per_channel ? (size_t)c : at;
            normalize_span(preprocess, dst + inside.first, image + at, entry, inside.count);
            if (crop.flip)
                reverse(dst, width);
        }
    }
}
