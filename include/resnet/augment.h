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
    RN_NORMALIZE_PIXEL_MEAN,   // the mean only (2015 paper, section 4.2)
    RN_NORMALIZE_IMAGENET      // a recipe's word for CHANNEL with the mean 0.485, 0.456, 0.406 and
                               // the deviation 0.229, 0.224, 0.225 of ImageNet's R, G and B; no
                               // rn_preprocess and no model file has it
} rn_normalize;

/** What must happen to any image before the network sees it; travels in the model file. */
typedef struct rn_preprocess {
    rn_normalize normalize;
    int channels, height, width; // of the network's input
    float *mean, *deviation;     // channels, or channels * height * width entries; both always set
    size_t entries;              // of mean and of deviation: 0 for NONE
    double centre_ratio;         // of a picture's shorter side the input shows this, 0.01 .. 1
} rn_preprocess;

#define RN_CENTRE_RATIO 0.875 // 224 out of 256

/** Names "none", "channel", "pixel", "channel-mean", "pixel-mean", "imagenet". Static; NULL if out
 * of range. */
RN_API const char *rn_normalize_name(rn_normalize normalize);
RN_API rn_status rn_normalize_parse(rn_normalize *out, const char *name);

/** The shape of a network's input. */
typedef struct rn_input_shape {
    int channels, height, width;
} rn_input_shape;

/**
 * Measure mean and deviation over a set (exact sums, so the same on every machine). A deviation
 * below one gray level (1/255) counts as one gray level.
 *
 * @param[out] out  The caller's (rn_preprocess_free()); NULL on failure.
 * @param normalize  With RN_NORMALIZE_IMAGENET nothing is measured.
 * @return RN_OK; RN_EINVAL (no images; RN_NORMALIZE_IMAGENET and not 3 channels); RN_ENOMEM.
 */
RN_API rn_status rn_preprocess_measure(rn_preprocess **out, const rn_samples *samples,
                                       rn_normalize normalize);
/**
 * The same of encoded pictures, of which up to 2,048 (and 256 MiB at the size given) are taken,
 * evenly over the set, as rn_preprocess_image() with centre_ratio 1 shows them; pictures that
 * cannot be read are left out.
 * A mean for each pixel is that of a place in this view, and is subtracted there from every crop,
 * as the 224 x 224 mean file of the 2015 paper's published networks is.
 *
 * @param shape  Gray pictures of 1 channel, colours of 3.
 * @return As above; RN_EFORMAT (none can be read); RN_EINVAL also if the set holds none.
 */
RN_API rn_status rn_preprocess_measure_photos(rn_preprocess **out, const rn_samples *photos,
                                              rn_normalize normalize, rn_input_shape shape);
/**
 * With given values, into *out, which is the caller's (rn_preprocess_free()) and NULL on failure:
 * `entries` floats each, copied. Deviations must be > 0 and all finite; where
 * only the mean is subtracted they must be 1, or deviation NULL. With RN_NORMALIZE_NONE and
 * RN_NORMALIZE_IMAGENET (for 3 channels; made as RN_NORMALIZE_CHANNEL) neither is read. The
 * centre_ratio is RN_CENTRE_RATIO, or 1 of inputs with a side below 64 pixels. RN_EINVAL;
 * RN_ENOMEM.
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

/** How a picture is cut to the network's input. */
typedef enum rn_crop {
    RN_CROP_PAD,    // images of the input's size: padding, then a random crop; others: as CENTRE
                    // without a ratio
    RN_CROP_RESIZE, // resize to a random shorter side, then a random crop (2015 paper, section 3.4)
    RN_CROP_AREA,   // a part of random area and aspect, resized (Szegedy et al. 2015, "Going deeper
                    // with convolutions", section 6; torchvision's RandomResizedCrop)
    RN_CROP_CENTRE  // resize, then the middle: nothing random
} rn_crop;

/** Names "pad", "resize", "area", "centre". Static; NULL if out of range. */
RN_API const char *rn_crop_name(rn_crop crop);

/** Names "bilinear", "bicubic". Static; NULL if out of range. */
RN_API const char *rn_resize_filter_name(rn_resize_filter filter);

/**
 * Random changes of a training image. Zeroes are none; the order below is that in which they are
 * made and drawn, except that mirroring comes with normalisation.
 *
 * All draws are from the stream (seed, RN_PURPOSE_AUGMENT, epoch, sample), so that they depend on
 * nothing else:
 * - With RN_CROP_PAD, of an image of the input's size: the crop's row in the padded image (below
 *   2 pad + 1), its column (the same), flip (below 2, 1 mirrors). All three are drawn unless pad is
 *   0 and flip is off.
 * - Of any other picture: flip, always; then the crop. RESIZE: shorter side, row, column. AREA: up
 *   to ten times a share of the area and an aspect (width / height) from 3/4 to 4/3, uniform in its
 *   logarithm, until both sides (rounded) lie within the picture, then row and column of the
 *   corner; where none does, the middle, as much as the range of aspects allows.
 * - RandAugment: the operation (below 14) and its direction (below 2), for each operation.
 * - Jitter, unless all four are 0: a shuffle of (brightness, contrast, saturation, hue), the order
 *   in which they are applied; then the amount of each that is above 0, in this order.
 * - PCA: three normals. Erasing: whether; then up to ten times area, aspect and corner, as above.
 */
typedef struct rn_augment {
    int pad;   // pixels of padding on each side, then a random crop of the original size; 0 .. 64;
               // 0: no crop
    bool flip; // mirror the crop left-right with probability 1/2
    rn_pad_mode pad_mode;
    bool alternate_flip; // with flip: the draw is that of epoch 0, and every odd epoch shows the
                         // other side, so that any two epochs in a row show both (Jordan 2024,
                         // "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", section 3.6)
    rn_crop crop;
    int resize_low, resize_high; // RESIZE: range of the shorter side in pixels, to which the
                                 // input's size is a lower bound; 0: 256 and 480
    double crop_area;            // AREA: least share of the picture's area, up to 1; 0: 0.08
    double crop_ratio; // CENTRE: input's shorter side / resized picture's, 0.01 .. 1; 0: 1
                       // (0.875: 224 out of 256)

    rn_resize_filter filter; // of photographs, and of images that are cut to a part

    // Cubuk et al. 2019 (arXiv:1909.13719): so many operations one after another, each drawn from
    // torchvision's 14 (identity, shear and translation in x and y, rotation, brightness, color,
    // contrast, sharpness, posterize, solarize, autocontrast, equalize), with its magnitudes
    int randaugment;           // operations, 0 .. 16
    int randaugment_magnitude; // of 30: 0 .. 30; 0: 9

    // torchvision's ColorJitter: factors uniform in [max(0, 1 - b), 1 + b]; the hue turns by a
    // share of the circle uniform in [-hue, hue]
    double brightness, contrast, saturation; // 0 .. 10; 0: none
    double hue;                              // 0 .. 0.5; 0: none

    // Krizhevsky et al. 2012, section 4.1: add a normal of this deviation times eigenvalue along
    // each eigenvector of ImageNet's colours, which are those of fb.resnet.torch (values from 0 to
    // 1, not clipped after). 0 .. 10; 0: none, usually 0.1. Nothing to inputs of one channel
    double pca;

    // Zhong et al. 2017 (arXiv:1708.04896): the probability that a rectangle of the input, of 0.02
    // to 0.33 of its area and an aspect (height / width) from 0.3 to 3.3, becomes 0, the mean
    // colour
    double erase;
} rn_augment;

/** A crop of the original size out of an image's surroundings. */
typedef struct rn_view {
    int top, left; // its corner in the image's own coordinates; 0, 0: the image itself
    bool flip;     // mirrored left-right after the crop
    rn_pad_mode pad_mode;
} rn_view;

/**
 * Make one network input: normalise (each pixel by the mean of its place in the image), pad, crop,
 * mirror. Nothing else of rn_augment: see rn_preprocess_sample().
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

/** Memory for rn_preprocess_photo() to work in; one a thread. */
typedef struct rn_scratch rn_scratch;

/** RN_ENOMEM. */
RN_API rn_status rn_scratch_create(rn_scratch **out);
RN_API void rn_scratch_free(rn_scratch *scratch);

/** What random changes are drawn from, and made in. */
typedef struct rn_augment_where {
    uint64_t seed;
    uint32_t epoch, sample;
    rn_scratch *scratch; // borrowed, and kept from call to call; NULL: allocated for the call
} rn_augment_where;

/**
 * Make one network input of a picture of any size: gray or colour as the network takes, antialiased
 * resize (as Pillow's) of the window that is needed, random changes, normalisation, mirroring. A
 * mean for each pixel belongs to its place in the window, whatever part of the picture is shown
 * there.
 *
 * @param dst     float32 [channels][height][width].
 * @param augment NULL: the evaluation view, rn_preprocess_image().
 * @param where   NULL: zeroes.
 * @return RN_OK; RN_EINVAL (channels not 1 or 3, picture empty); RN_ENOMEM.
 */
RN_API rn_status rn_preprocess_photo(const rn_preprocess *preprocess, float *dst,
                                     const rn_image *image, const rn_augment *augment,
                                     const rn_augment_where *where);

/**
 * The same of an image of the input's size (uint8 [channels][height][width]). Pad and flip alone
 * are rn_preprocess_apply(). With RN_CROP_PAD, RandAugment and jitter come before the crop, so that
 * padding is the mean colour.
 */
RN_API rn_status rn_preprocess_sample(const rn_preprocess *preprocess, float *dst,
                                      const uint8_t *image, const rn_augment *augment,
                                      const rn_augment_where *where);

/**
 * Fit a picture of any size to a network's input as evaluations do (rn_views_centre() of
 * centre_ratio): gray or colour as the network takes, antialiased bilinear resize (as Pillow's),
 * then the centre crop, and normalise into dst (float32 [channels][height][width]). RN_EINVAL
 * (channels not 1 or 3); RN_ENOMEM.
 */
RN_API rn_status rn_preprocess_image(const rn_preprocess *preprocess, float *dst,
                                     const rn_image *image);

/** The part of a picture, in its own pixels, that rn_preprocess_image() makes the input from. */
RN_API rn_window rn_preprocess_window(const rn_preprocess *preprocess, const rn_image *image);

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
    int resize; // SINGLE, TEN: the shorter side becomes this, 1 .. 4096, or more where what is cut
                // out would not fit in; 0: 256
    int crop_height, crop_width; // SINGLE, TEN: of what is cut out, the shorter side 1 .. resize,
                                 // the longer one up to 4096; 0: 224
    int scales[RN_MAX_SCALES];   // MULTI_SCALE: shorter sides, 1 .. 4096 each
    int scale_count;             // 0: the five of the 2015 paper, 224, 256, 384, 480, 640
    bool mirror;                 // each view mirrored left-right too; TEN always does
    rn_resize_filter filter;     // of all resizing
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
 * What a training evaluates photographs by: SINGLE, with a crop of the network's input.
 *
 * @param height, width  Of the input.
 * @param ratio  The crop's shorter side / the resized picture's, which is rounded to the nearest
 *               pixel and at most 4096. rn_augment.crop_ratio; 0: RN_CENTRE_RATIO.
 */
RN_API rn_views rn_views_centre(int height, int width, double ratio);

/**
 * The views of a picture, in the order of the protocol.
 *
 * SINGLE is torchvision's Resize(resize) and CenterCrop(crop), TEN its Resize and TenCrop, to the
 * pixel: the longer side of the resized picture rounds down, the centre's corner rounds to the
 * nearest, halves to the even. Where the crop is no square and does not fit in, the picture is
 * resized so that it is just covered, as by rn_preprocess_image(). TEN is the 10-crop testing of
 * Krizhevsky et al. (2012, section 4.1): top left, top right, bottom left, bottom right, centre,
 * then these of the mirrored picture. MULTI_SCALE is dense testing (Simonyan & Zisserman 2015,
 * section 3.2; 2015 paper, section 3.4): a network with global average pooling before its linear
 * layer, run on the whole picture, gives the mean of the logits at all places. With `mirror` each
 * view is followed by its mirror image.
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
