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

/** How a picture of any size becomes the inputs of a network. */
typedef enum rn_protocol {
    RN_PROTOCOL_WHOLE,      // the picture as it is
    RN_PROTOCOL_SINGLE,     // the centre of the picture at one size
    RN_PROTOCOL_TEN,        // four corners, centre, and these of the mirrored picture
    RN_PROTOCOL_MULTI_SCALE // the whole picture at several sizes
} rn_protocol;

/** Names "whole", "single", "ten", "multi-scale". Static; NULL if out of range. */
RN_API const char *rn_protocol_name(rn_protocol protocol);
RN_API rn_status rn_protocol_parse(rn_protocol *out, const char *name);

enum { RN_MAX_SCALES = 16, RN_MAX_CUTS = 2 * RN_MAX_SCALES, RN_LARGEST_SCALE = 4096 };

/** A protocol and its sizes. */
typedef struct rn_views {
    rn_protocol protocol;
    int resize;                // SINGLE, TEN: the shorter side becomes this, 1 .. 4096; 0: 256
    int crop;                  // SINGLE, TEN: side of the square cut out of it, 1 .. resize; 0: 224
    int scales[RN_MAX_SCALES]; // MULTI_SCALE: shorter sides, 1 .. 4096 each
    int scale_count;           // 0: the five of the 2015 paper, 224, 256, 384, 480, 640
    bool mirror;               // each view mirrored left-right too; TEN always does
    rn_resize_filter filter;   // of all resizing
} rn_views;

/** One view: a window of the resized picture. */
typedef struct rn_cut {
    int resized_height, resized_width;
    int top, left, height, width; // within the resized picture
    bool mirror;                  // left-right, after the cut
} rn_cut;

/** Fill in the sizes that are 0, and check all. RN_EINVAL names the one out of range. */
RN_API rn_status rn_views_check(rn_views *views);

/**
 * The views of a picture, in the order of the protocol.
 *
 * SINGLE is torchvision's Resize(resize) and CenterCrop(crop), TEN its Resize and TenCrop, to the
 * pixel: the longer side of the resized picture rounds down, the centre's corner rounds to the
 * nearest, halves to the even. TEN is the 10-crop testing of Krizhevsky et al. (2012, section 4.1):
 * top left, top right, bottom left, bottom right, centre, then these of the mirrored picture.
 * MULTI_SCALE is dense testing (Simonyan & Zisserman 2015, section 3.2; 2015 paper, section 3.4): a
 * network with global average pooling before its linear layer, run on the whole picture, gives the
 * mean of the logits at all places. With `mirror` each view is followed by its mirror image.
 *
 * @param[out] cuts   As many as *count says.
 * @param views       Zeroes as in rn_views_check().
 * @param height      Of the picture, in pixels, 1 .. 2^28.
 * @return RN_OK; RN_EINVAL (as rn_views_check(); a side of the picture out of range; a view longer
 *         than 4096 pixels, names its size).
 */
RN_API rn_status rn_views_list(rn_cut cuts[RN_MAX_CUTS], int *count, const rn_views *views,
                               int height, int width);

/**
 * Make a network's input from a view: cut out of the resized picture, normalise, mirror.
 *
 * @param dst      float32 [channels][cut->height][cut->width].
 * @param resized  cut->resized_width x cut->resized_height, with as many channels as `preprocess`.
 * @return RN_OK; RN_EINVAL (another size or number of channels; a mean of each pixel where the view
 *         is not of the size that has one).
 */
RN_API rn_status rn_preprocess_cut(const rn_preprocess *preprocess, float *dst,
                                   const rn_image *resized, const rn_cut *cut);

#ifdef __cplusplus
}
#endif
#endif
