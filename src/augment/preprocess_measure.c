#include "resnet/augment.h"

#include "base/memory.h"

#include <math.h>

__extension__ typedef unsigned __int128 wide;

// A deviation below one gray level (a pixel that is always, or nearly always, the same) would blow
// up the first image that differs there.
static const double LEAST_DEVIATION = 1.0 / 255.0;

// Exact integer sums: the result depends on neither order nor rounding.
typedef struct moments {
    uint64_t *sum, *square; // of the bytes and of their squares
    size_t entries, group;  // each entry takes `group` bytes that follow each other in an image
} moments;

static void add_pixels(moments *total, const uint8_t *restrict image)
{
    uint64_t *restrict sum = total->sum, *restrict square = total->square;

    for (size_t i = 0; i < total->entries; i++) {
        sum[i] += image[i];
        square[i] += (uint64_t)((uint32_t)image[i] * image[i]);
    }
}

static void add_planes(moments *total, const uint8_t *image)
{
    for (size_t c = 0; c < total->entries; c++, image += total->group) {
        uint64_t sum = 0, square = 0;
        for (size_t i = 0; i < total->group; i++) {
            sum += image[i];
            square += (uint64_t)((uint32_t)image[i] * image[i]);
        }
        total->sum[c] += sum;
        total->square[c] += square;
    }
}

static void add_image(moments *total, const uint8_t *image)
{
    if (total->group == 1)
        add_pixels(total, image);
    else
        add_planes(total, image);
}

// variance = (n sum x^2 - (sum x)^2) / n^2, whose numerator is exact in integers.
static void finish(const moments *total, size_t count, float *mean, float *deviation)
{
    const double n = (double)count * (double)total->group;

    for (size_t i = 0; i < total->entries; i++) {
        wide spread =
            (wide)count * total->group * total->square[i] - (wide)total->sum[i] * total->sum[i];
        double value = sqrt((double)spread) / n / 255.0;
        mean[i] = (float)((double)total->sum[i] / n / 255.0);
        deviation[i] = (float)(value < LEAST_DEVIATION ? LEAST_DEVIATION : value);
    }
}

static rn_status moments_init(moments *total, const rn_preprocess *size, rn_normalize normalize)
{
    rn_status st = RN_OK;
    const size_t plane = (size_t)size->height * (size_t)size->width;
    bool by_channel = normalize == RN_NORMALIZE_CHANNEL || normalize == RN_NORMALIZE_CHANNEL_MEAN;

    total->entries = (size_t)size->channels * (by_channel ? 1 : plane);
    total->group = by_channel ? plane : 1;
    RN_TRY(RN_NEW(&total->sum, total->entries));
    RN_TRY(RN_NEW(&total->square, total->entries));
out:
    return st;
}

static void moments_release(moments *total)
{
    rn_free(total->sum);
    rn_free(total->square);
}

static rn_status make_of_moments(rn_preprocess **out, const moments *total, size_t count,
                                 const rn_preprocess *size, rn_normalize normalize)
{
    rn_status st = RN_OK;
    float *mean = NULL, *deviation = NULL;
    bool mean_only = normalize == RN_NORMALIZE_CHANNEL_MEAN || normalize == RN_NORMALIZE_PIXEL_MEAN;

    RN_TRY(RN_NEW(&mean, total->entries));
    RN_TRY(RN_NEW(&deviation, total->entries));
    finish(total, count, mean, deviation);
    RN_TRY(rn_preprocess_create(out, normalize, size->channels, size->height, size->width, mean,
                                mean_only ? NULL : deviation));
out:
    rn_free(deviation);
    rn_free(mean);
    return st;
}

static rn_status measure(rn_preprocess **out, const rn_samples *samples, rn_normalize normalize)
{
    rn_status st = RN_OK;
    moments total = {0};
    const rn_preprocess size = {
        .channels = samples->channels, .height = samples->height, .width = samples->width};

    RN_TRY(moments_init(&total, &size, normalize));
    for (size_t n = 0; n < samples->count; n++)
        add_image(&total, samples->images + n * total.entries * total.group);
    RN_TRY(make_of_moments(out, &total, samples->count, &size, normalize));
out:
    moments_release(&total);
    return st;
}

static bool is_measured(rn_normalize normalize)
{
    return normalize != RN_NORMALIZE_NONE && normalize != RN_NORMALIZE_IMAGENET &&
           rn_normalize_name(normalize) != NULL;
}

static rn_status no_images(const rn_samples *samples)
{
    return rn_error(RN_EINVAL, "'%s' has 0 images, expected at least 1 to measure",
                    samples->name == NULL ? "set" : samples->name);
}

rn_status rn_preprocess_measure(rn_preprocess **out, const rn_samples *samples,
                                rn_normalize normalize)
{
    rn_status st = rn_samples_require_images(samples);

    *out = NULL;
    if (st != RN_OK)
        return st;
    if (!is_measured(normalize))
        return rn_preprocess_create(out, normalize, samples->channels, samples->height,
                                    samples->width, NULL, NULL);
    if (samples->count == 0)
        return no_images(samples);
    return measure(out, samples, normalize);
}
