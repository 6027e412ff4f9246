/** RandAugment (Cubuk et al. 2019, arXiv:1909.13719), with torchvision's operations. */
#ifndef AUGMENT_RAND_AUGMENT_H
#define AUGMENT_RAND_AUGMENT_H

#include "augment/pixels.h"

/** In torchvision's order. */
typedef enum rn_operation {
    RN_IDENTITY,
    RN_SHEAR_X,
    RN_SHEAR_Y,
    RN_TRANSLATE_X,
    RN_TRANSLATE_Y,
    RN_ROTATE,
    RN_BRIGHTNESS,
    RN_COLOR, // saturation
    RN_CONTRAST,
    RN_SHARPNESS,
    RN_POSTERIZE,
    RN_SOLARIZE,
    RN_AUTOCONTRAST,
    RN_EQUALIZE,
    RN_OPERATIONS
} rn_operation;

enum { RN_STRONGEST = 30 };

/**
 * Apply one operation.
 *
 * @param magnitude 0 .. RN_STRONGEST: a straight way from nothing to shear 0.3, translation by
 *                  150/331 of the side, 30 degrees, factors 1 +- 0.9, 4 bits, threshold 0.
 * @param opposite  The other direction, of operations that have two.
 */
void rn_rand_augment_apply(rn_pixels *pixels, rn_operation operation, int magnitude, bool opposite);

#endif
