/** Pictures: decoding, resizing, writing. */
#ifndef RESNET_IMAGE_H
#define RESNET_IMAGE_H

#include "resnet/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A decoded picture of any size. */
typedef struct rn_image {
    int channels, height, width; // channels 1 or 3
    uint8_t *pixels;             // [height][width][channels]
} rn_image;

/**
 * Decode a PNG, JPEG or PPM/PGM file, recognised by its content. Alpha is composited on white,
 * palettes and 16-bit samples are reduced to 8 bits, EXIF orientation is applied.
 *
 * @return RN_OK; RN_ENOTFOUND; RN_EIO; RN_EFORMAT (not a picture, damaged, or over 2^28 pixels);
 *         RN_ENOMEM.
 */
RN_API rn_status rn_image_open(rn_image **out, const char *path);
/** The same of a whole file in memory. */
RN_API rn_status rn_image_decode(rn_image **out, const uint8_t *bytes, size_t size);
RN_API void rn_image_free(rn_image *image);

/** A part of a picture, in its pixels; edges may lie between two. */
typedef struct rn_window {
    double left, top, width, height;
} rn_window;

/** Values at cells that divide a window evenly. */
typedef struct rn_heat_map {
    const float *values; // [height][width], finite
    int height, width;
    rn_window window; // that they cover
    double opacity;   // 0 .. 1: share of the colours in the result
} rn_heat_map;

/**
 * Colour of a value from 0 to 1 (beyond: as these): from dark violet over red to light yellow,
 * lightness rising evenly in OKLab (Ottosson 2020), so that equal steps look equal, in gray too.
 */
RN_API void rn_heat_color(uint8_t rgb[3], double value);

/**
 * Lay a heat map over a picture. Values between the centres of cells are interpolated bilinearly,
 * and beyond the outermost are as these; the least of the map has the colour of 0 and the largest
 * that of 1 (all have that of 0 where they are equal). Outside the window the picture is gray and
 * half as bright.
 *
 * @param[out] out  Colour picture of the same size, the caller's (rn_image_free()); NULL on
 *                  failure.
 * @return RN_OK; RN_EINVAL (channels not 1 or 3, an empty map or window, opacity); RN_ENOMEM.
 */
RN_API rn_status rn_heat_map_draw(rn_image **out, const rn_image *image, const rn_heat_map *map);

/** Write a picture as PNG, atomically. RN_OK; RN_EIO or RN_ENOTFOUND (no such folder); RN_ENOMEM.
 */
RN_API rn_status rn_image_save(const rn_image *image, const char *path);

#ifdef __cplusplus
}
#endif
#endif
