/** The random changes that come after the crop. */
#ifndef AUGMENT_PHOTO_COLOUR_H
#define AUGMENT_PHOTO_COLOUR_H

#include "augment/photo_crop.h"
#include "augment/pixels.h"

/** RandAugment, then jitter. */
void rn_photo_change(rn_pixels *pixels, const rn_augment *augment, rn_stream *stream);

/** What PCA adds to each of three channels (values 0 to 1): zeroes where it is off. */
void rn_photo_shift(float shift[3], const rn_augment *augment, rn_stream *stream);

/** The rectangle to erase of an input of height x width; empty where there is none. */
rn_rectangle rn_photo_erase(const rn_augment *augment, int height, int width, rn_stream *stream);

#endif
