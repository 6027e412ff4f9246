/** The last pass over a picture: bytes to the network's input. */
#ifndef AUGMENT_PHOTO_OUTPUT_H
#define AUGMENT_PHOTO_OUTPUT_H

#include "augment/photo_crop.h"
#include "augment/pixels.h"

/**
 * Normalise, mirrored or not, with shift[c] added to the values 0 to 1 of each channel.
 *
 * @param dst     float32 [channels][height][width].
 * @param pixels  Of the preprocess' size and channels.
 */
void rn_photo_output(const rn_preprocess *preprocess, float *dst, const rn_pixels *pixels,
                     bool mirror, const float shift[3]);

/** The shift alone, of an input that was normalised without it. */
void rn_photo_output_shift(const rn_preprocess *preprocess, float *dst, const float shift[3]);

/** Set a rectangle of an input to 0. */
void rn_photo_output_erase(const rn_preprocess *preprocess, float *dst, rn_rectangle part);

#endif
