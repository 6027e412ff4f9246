/** Which part of a photograph becomes the network's input. */
#ifndef AUGMENT_PHOTO_CROP_H
#define AUGMENT_PHOTO_CROP_H

#include "resnet/augment.h"

#include "base/random.h"
#include "image/resize.h"

/**
 * A part of the picture, [top, top + y.source) x [left, left + x.source), and how it is resized and
 * which window of that is taken.
 */
typedef struct rn_photo_crop {
    int left, top;
    rn_resize_axis x, y;
} rn_photo_crop;

/**
 * The crop of a picture for an input of the preprocess' size.
 *
 * @param stream  What a random crop is drawn from: rn_augment says in which order.
 */
rn_photo_crop rn_photo_crop_draw(const rn_augment *augment, const rn_image *image,
                                 const rn_preprocess *preprocess, rn_stream *stream);

/** Ends of RN_CROP_RESIZE's range of shorter sides, the usual where the augment has 0. */
int rn_augment_low(const rn_augment *augment);
int rn_augment_high(const rn_augment *augment);

/** A rectangle drawn by its area and aspect, in a picture of height x width. */
typedef struct rn_rectangle {
    int left, top, width, height;
} rn_rectangle;

typedef struct rn_rectangle_range {
    double least_area, most_area;     // shares of the picture's, uniform between
    double least_aspect, most_aspect; // width / height, uniform in the logarithm
    bool smaller;                     // both sides less than the picture's
} rn_rectangle_range;

/** Ten tries of area, aspect and, where it fits, top and left. False if none fits. */
bool rn_rectangle_draw(rn_rectangle *out, int height, int width, const rn_rectangle_range *range,
                       rn_stream *stream);

#endif
