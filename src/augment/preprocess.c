#include "augment/centre.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

enum { LARGEST_SIDE = 65536, MOST_CHANNELS = 4096, SMALL = 64 };

static const char *const names[] = {
    [RN_NORMALIZE_NONE] = "none",
    [RN_NORMALIZE_CHANNEL] = "channel",
    [RN_NORMALIZE_PIXEL] = "pixel",
    [RN_NORMALIZE_CHANNEL_MEAN] = "channel-mean",
    [RN_NORMALIZE_PIXEL_MEAN] = "pixel-mean",
    [RN_NORMALIZE_IMAGENET] = "imagenet",
};
enum { NAMES = sizeof names / sizeof *names };

const char *rn_normalize_name(rn_normalize normalize)
{
    return (unsigned)normalize < NAMES ? names[normalize] : NULL;
}

rn_status rn_normalize_parse(rn_normalize *out, const char *name)
{
    for (unsigned i = 0; i < NAMES; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (rn_normalize)i;
            return RN_OK;
        }
    }
    const char *nearest = rn_nearest(name, names, NAMES);
    if (nearest != NULL)
        return rn_error(RN_EINVAL, "unknown normalization '%s'; did you mean '%s'?", name, nearest);
    return rn_error(RN_EINVAL,
                    "unknown normalization '%s', expected none, channel, pixel, channel-mean, "
                    "pixel-mean or imagenet",
                    name);
}

static bool by_channel(rn_normalize normalize)
{
    return normalize == RN_NORMALIZE_CHANNEL || normalize == RN_NORMALIZE_CHANNEL_MEAN;
}

static bool mean_only(rn_normalize normalize)
{
    return normalize == RN_NORMALIZE_CHANNEL_MEAN || normalize == RN_NORMALIZE_PIXEL_MEAN;
}

static size_t plane_size(const rn_preprocess *preprocess)
{
    return (size_t)preprocess->height * (size_t)preprocess->width;
}

static rn_status check_shape(rn_normalize normalize, int channels, int height, int width)
{
    if (rn_normalize_name(normalize) == NULL)
        return rn_error(RN_EINVAL, "normalization %d, expected 0 to %d", (int)normalize, NAMES - 1);
    if (channels < 1 || channels > MOST_CHANNELS)
        return rn_error(RN_EINVAL, "input has %d channels, expected 1 to %d", channels,
                        MOST_CHANNELS);
    if (height < 1 || height > LARGEST_SIDE || width < 1 || width > LARGEST_SIDE)
        return rn_error(RN_EINVAL, "input is %d x %d pixels, expected 1 to %d a side", width,
                        height, LARGEST_SIDE);
    return RN_OK;
}

static rn_status set_means(rn_preprocess *preprocess, const float *mean, size_t entries)
{
    for (size_t i = 0; i < entries; i++) {
        if (!isfinite(mean[i]))
            return rn_error(RN_EINVAL, "mean %zu is %g, expected a finite number", i,
                            (double)mean[i]);
        preprocess->mean[i] = mean[i];
    }
    return RN_OK;
}

static rn_status set_deviations(rn_preprocess *preprocess, const float *deviation, size_t entries)
{
    bool unit = mean_only(preprocess->normalize);

    for (size_t i = 0; i < entries; i++) {
        float value = unit && deviation == NULL ? 1.0f : deviation[i];
        if (!isfinite(value) || value <= 0.0f)
            return rn_error(RN_EINVAL, "deviation %zu is %g, expected a finite number above 0", i,
                            (double)value);
        if (unit && value != 1.0f)
            return rn_error(RN_EINVAL, "deviation %zu is %g, expected 1 with '%s'", i,
                            (double)value, rn_normalize_name(preprocess->normalize));
        preprocess->deviation[i] = value;
    }
    return RN_OK;
}

// Of R, G and B over ImageNet's training set, of values 0 to 1, as torchvision's models have them.
static const float imagenet_mean[3] = {0.485f, 0.456f, 0.406f};
static const float imagenet_deviation[3] = {0.229f, 0.224f, 0.225f};

// Small pictures are whole: there is no margin to leave out.
double rn_usual_centre_ratio(int height, int width)
{
    return height < SMALL || width < SMALL ? 1 : RN_CENTRE_RATIO;
}

rn_status rn_preprocess_create(rn_preprocess **out, rn_normalize normalize, int channels,
                               int height, int width, const float *mean, const float *deviation)
{
    rn_status st = RN_OK;
    rn_preprocess *made = NULL;
    size_t entries = 0;

    *out = NULL;
    if (normalize == RN_NORMALIZE_IMAGENET && channels != 3)
        return rn_error(RN_EINVAL, "normalization 'imagenet' is for 3 channels, input has %d",
                        channels);
    if (normalize == RN_NORMALIZE_IMAGENET) {
        normalize = RN_NORMALIZE_CHANNEL;
        mean = imagenet_mean;
        deviation = imagenet_deviation;
    }
    RN_TRY(check_shape(normalize, channels, height, width));
    RN_TRY(RN_NEW(&made, 1));
    *made = (rn_preprocess){
        .normalize = normalize,
        .channels = channels,
        .height = height,
        .width = width,
        .centre_ratio = rn_usual_centre_ratio(height, width),
    };
    if (normalize != RN_NORMALIZE_NONE)
        entries = (size_t)channels * (by_channel(normalize) ? 1 : plane_size(made));
    made->entries = entries;
    RN_TRY(RN_NEW(&made->mean, entries));
    RN_TRY(RN_NEW(&made->deviation, entries));
    RN_TRY(set_means(made, mean, entries));
    RN_TRY(set_deviations(made, deviation, entries));
    *out = made;
    made = NULL;
out:
    rn_preprocess_free(made);
    return st;
}

void rn_preprocess_free(rn_preprocess *preprocess)
{
    if (preprocess == NULL)
        return;
    rn_free(preprocess->mean);
    rn_free(preprocess->deviation);
    rn_free(preprocess);
}
