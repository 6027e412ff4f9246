/**
 * Changes of a picture's bytes with given parameters. Each is what Pillow makes of an 8-bit picture
 * (ImageEnhance, ImageOps, transform with NEAREST, HSV), which is what torchvision's transforms do
 * to one.
 */
#ifndef AUGMENT_PIXELS_H
#define AUGMENT_PIXELS_H

#include "resnet/base.h"

/** A picture and room for another of its size; what needs both leaves them exchanged. */
typedef struct rn_pixels {
    int channels, height, width; // channels 1 or 3
    uint8_t *bytes, *spare;      // [height][width][channels]
} rn_pixels;

/** Gray in 16 bits, ITU-R 601: 0.299 R + 0.587 G + 0.114 B. */
static inline uint8_t rn_pixel_luma(const uint8_t rgb[3])
{
    return (uint8_t)((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000) >> 16);
}

/**
 * Away from or towards a picture without the property: factor 0 gives that one, 1 the picture,
 * more exaggerates; 0 or above. Without brightness it is black; without contrast all of the mean
 * luma; without saturation gray; without sharpness smoothed by a 3 x 3 window, borders excepted.
 * Saturation does nothing to one channel, sharpness nothing below 3 x 3 pixels.
 */
void rn_pixels_brightness(rn_pixels *pixels, float factor);
void rn_pixels_contrast(rn_pixels *pixels, float factor);
void rn_pixels_saturation(rn_pixels *pixels, float factor);
void rn_pixels_sharpness(rn_pixels *pixels, float factor);

/** Turn the hue by a share of the full circle, -0.5 .. 0.5, in steps of 1/255. Nothing to gray. */
void rn_pixels_hue(rn_pixels *pixels, double turn);

/** Keep the upper `bits` of every byte, 0 .. 8. */
void rn_pixels_posterize(rn_pixels *pixels, int bits);
/** Invert the bytes that are not below the threshold. */
void rn_pixels_solarize(rn_pixels *pixels, double threshold);
/** Stretch every channel to 0 .. 255. */
void rn_pixels_autocontrast(rn_pixels *pixels);
/** Flatten every channel's histogram. */
void rn_pixels_equalize(rn_pixels *pixels);

/**
 * Take every pixel (x, y) from (m[0] x + m[1] y + m[2], m[3] x + m[4] y + m[5]), the nearest; pixel
 * centres are at halves. What lies outside is black.
 */
void rn_pixels_affine(rn_pixels *pixels, const double m[6]);
/** Turn counter-clockwise around the middle. */
void rn_pixels_rotate(rn_pixels *pixels, double degrees);

#endif
