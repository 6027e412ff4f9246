/** From an image's bytes to a network's input: normalisation and random augmentation. */
#ifndef RESNET_AUGMENT_H
#define RESNET_AUGMENT_H

#include "resnet/data.h"
#include "resnet/image.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rn_normalize {
    RN_NORMALIZE_NONE,         // value / 255
    RN_NORMALIZE_CHANNEL,      // (value / 255 - mean[c]) / deviation[c]
    RN_NORMALIZE_PIXEL,        // (value / 255 - mean[c][y][x]) / deviation[c][y][x]
    RN_NORMALIZE_CHANNEL_MEAN, // the mean only, deviation 1
    RN_NORMALIZE_PIXEL_MEAN    // the mean only (2015 paper, section 4.2)
} rn_normalize;

/** What must happen to any image before the network sees it; travels in the model file. */
typedef struct rn_preprocess {
    rn_normalize normalize;
    int channels, height, width; // of the network's input
    float *mean, *deviation;     // channels, or channels * height * width entries; both always set
    size_t entries;              // of mean and of deviation: 0 for NONE
} rn_preprocess;

/** Names "none", "channel", "pixel", "channel-mean", "pixel-mean". Static; NULL if out of range. */
RN_API const char *rn_normalize_name(rn_normalize normalize);
RN_API rn_status rn_normalize_parse(rn_normalize *out, const char *name);

/**
 * Measure mean and deviation over a set (exact sums, so the same on every machine). A deviation
 * below one gray level (1/255) counts as one gray level.
 *
 * @param[out] out  The caller's (rn_preprocess_free()); NULL on failure.
 * @return RN_OK; RN_EINVAL (no images); RN_ENOMEM.
 */
RN_API rn_status rn_preprocess_measure(rn_preprocess **out, const rn_samples *samples,
                                       rn_normalize normalize);
/**
 * With given values: `entries` floats each, copied. Deviations must be > 0 and all finite; where
 * only the mean is subtracted they must be 1, or deviation NULL. With RN_NORMALIZE_NONE neither is
 * read. RN_EINVAL; RN_ENOMEM.
 */
RN_API rn_status rn_preprocess_create(rn_preprocess **out, rn_normalize normalize, int channels,
                                      int height, int width, const float *mean,
                                      const float *deviation);
RN_API void rn_preprocess_free(rn_preprocess *preprocess);

/** What lies around an image: zeros (after normalisation, so "mean colour"), or the image mirrored
 * at its outermost pixels, which are not repeated. */
typedef enum rn_pad_mode { RN_PAD_ZERO, RN_PAD_REFLECT } rn_pad_mode;

/** Names "zero", "reflect". Static; NULL if out of range. */
RN_API const char *rn_pad_mode_name(rn_pad_mode mode);

/**
 * Random changes of a training image, drawn from the stream (seed, RN_PURPOSE_AUGMENT, epoch,
 * sample) in this order: the crop's row in the padded image (below 2 pad + 1), its column (the
 * same), flip (below 2, 1 mirrors). All three are drawn unless pad is 0 and flip is off.
 */
typedef struct rn_augment {
    int pad;   // pixels of padding on each side, then a random crop of the original size; 0 .. 64;
               // 0: no crop
    bool flip; // mirror the crop left-right with probability 1/2
    rn_pad_mode pad_mode;
    bool alternate_flip; // with flip: the draw is that of epoch 0, and every odd epoch shows the
                         // other side, so that any two epochs in a row show both (Jordan 2024,
                         // "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", section 3.6)
} rn_augment;

/** A crop of the original size out of an image's surroundings. */
typedef struct rn_view {
    int top, left; // its corner in the image's own coordinates; 0, 0: the image itself
    bool flip;     // mirrored left-right after the crop
    rn_pad_mode pad_mode;
} rn_view;

/**
 * Make one network input: normalise (each pixel by the mean of its place in the image), pad, crop,
 * mirror.
 *
 * @param dst     float32 [channels][height][width].
 * @param image   uint8 [channels][height][width] of the same size.
 * @param augment NULL: none (evaluation).
 */
RN_API void rn_preprocess_apply(const rn_preprocess *preprocess, float *dst, const uint8_t *image,
                                const rn_augment *augment, uint64_t seed, uint32_t epoch,
                                uint32_t sample);
/** The same with a given view. */
RN_API void rn_preprocess_view(const rn_preprocess *preprocess, float *dst, const uint8_t *image,
                               const rn_view *view);

/**
 * Fit a picture of any size to a network's input: gray or colour as the network takes, antialiased
 * bilinear resize (as Pillow's) so that the input is just covered, then the centre crop, and
 * normalise into dst (float32 [channels][height][width]). The longer side and the crop's corner
 * round down. RN_EINVAL (channels not 1 or 3); RN_ENOMEM.
 */
RN_API rn_status rn_preprocess_image(const rn_preprocess *preprocess, float *dst,
                                     const rn_image *image);

/** The part of a picture, in its own pixels, that rn_preprocess_image() makes the input from. */
RN_API rn_window rn_preprocess_window(const rn_preprocess *preprocess, const rn_image *image);

#ifdef __cplusplus
}
#endif
#endif
