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

#define RN_IMAGE_MAX_PIXELS                                                                        \
    (1 << 28) // unless RESNET_MAX_PIXELS or rn_decode_options says otherwise

typedef struct rn_decode_options {
    uint64_t max_pixels; // refuse larger pictures; at most 2^31 - 1; 0: what the environment
                         // variable RESNET_MAX_PIXELS says, else RN_IMAGE_MAX_PIXELS
    /**
     * The picture will be shrunk so that it just covers this size, in pixels of the upright
     * picture; 0: any. A JPEG may then come at 1/2, 1/4 or 1/8 of its size (sides rounded up),
     * decoded by smaller inverse DCTs in less time, as long as it stays at least twice as wide and
     * as high as asked for: an antialiased resize then makes nearly the same of it.
     */
    int cover_width, cover_height;
} rn_decode_options;

/**
 * Decode a PNG, JPEG, WebP (no animation) or PPM/PGM file in memory, recognised by its content.
 * Alpha is composited on white, palettes become colours, EXIF orientation is applied; colour
 * profiles and gamma are ignored. Samples of 16 bits are divided by 257 and rounded. CMYK is taken
 * as Adobe's inverted ink, as Pillow's convert("RGB") does.
 *
 * Damage is judged as Pillow judges it by default: a JPEG is refused if it ends before its last row
 * or if libjpeg cannot go on; other defects are passed over, and libjpeg fills what they spoil. PNG
 * and WebP must be whole, but for wrong check sums of PNG chunks that hold no pixels.
 *
 * @param[out] out  The caller's (rn_image_free()); NULL on failure.
 * @param bytes     Borrowed.
 * @param options   NULL: all zero. max_pixels is compared with the size in the file's header before
 *                  anything of that size is allocated.
 * @return RN_OK; RN_EFORMAT (not a picture, damaged, or too many pixels); RN_EINVAL (an option or
 *         RESNET_MAX_PIXELS out of range); RN_ENOMEM.
 */
RN_API rn_status rn_image_decode(rn_image **out, const uint8_t *bytes, size_t size,
                                 const rn_decode_options *options);

/**
 * Read no more than a file's header: the size and channels that rn_image_decode() would give
 * without options, however large. The rest may still turn out to be damaged.
 *
 * @return RN_OK; RN_EFORMAT (not a picture, or damaged); RN_ENOMEM. On failure all three are 0.
 */
RN_API rn_status rn_image_probe(int *width, int *height, int *channels, const uint8_t *bytes,
                                size_t size);

/**
 * rn_image_decode() of a file, without options.
 *
 * @param[out] out  The caller's (rn_image_free()); NULL on failure.
 * @return As rn_image_decode(), with the path in the message, and for a file of over 2 GiB
 *         RN_EFORMAT; RN_ENOTFOUND or RN_EIO if it cannot be read.
 */
RN_API rn_status rn_image_open(rn_image **out, const char *path);
RN_API void rn_image_free(rn_image *image);

typedef enum rn_resize_filter {
    RN_RESIZE_BILINEAR, // a triangle, 1 pixel to either side
    RN_RESIZE_BICUBIC   // Keys 1981 (eq. 4) with a = -0.5, 2 pixels to either side
} rn_resize_filter;

typedef struct rn_resize_options {
    int width, height; // of the result, 1 or more
    int channels;      // 1 or 3; 0: the picture's. Gray is replicated, colour becomes its luma
    rn_resize_filter filter;
    /**
     * Left, top, right and bottom of the part to resize, in pixels of the picture, also between
     * two; all 0: the whole. At its edges pixels outside of it count too, as far as the filter
     * reaches.
     */
    float box[4];
} rn_resize_options;

/**
 * Resize a picture, antialiased: where it shrinks, the filter is as much wider as pixels become
 * fewer. Values are bit for bit those of Pillow 11's resize(size, resample, box) on 8-bit pictures
 * (later ones may resize down before across, which rounds and clips otherwise); channels are those
 * of its convert("L") or convert("RGB") before.
 *
 * @param[out] out  The caller's (rn_image_free()); NULL on failure.
 * @return RN_OK; RN_EINVAL (an option out of range, a box that is empty or not within the picture,
 *         over 2^31 - 1 pixels); RN_ENOMEM.
 */
RN_API rn_status rn_image_resize(rn_image **out, const rn_image *image,
                                 const rn_resize_options *options);

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

/**
 * Write a picture as PNG, atomically.
 *
 * @return RN_OK; RN_EFORMAT (libpng does not take it: a size that PNG cannot have); RN_EIO or
 *         RN_ENOTFOUND (no such folder); RN_ENOMEM.
 */
RN_API rn_status rn_image_save(const rn_image *image, const char *path);

#ifdef __cplusplus
}
#endif
#endif
