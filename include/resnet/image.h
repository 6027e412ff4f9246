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

#define RN_IMAGE_MAX_PIXELS (1 << 28) // unless rn_decode_options says otherwise

typedef struct rn_decode_options {
    uint64_t max_pixels; // refuse larger pictures; at most 2^31 - 1; 0: RN_IMAGE_MAX_PIXELS
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
 * Alpha is composited on white, palettes and 16-bit samples are reduced to 8 bits, EXIF orientation
 * is applied.
 *
 * @param[out] out  The caller's (rn_image_free()); NULL on failure.
 * @param bytes     Borrowed.
 * @param options   NULL: all zero. max_pixels is compared with the size in the file's header before
 *                  anything of that size is allocated.
 * @return RN_OK; RN_EFORMAT (not a picture, damaged, or too many pixels); RN_EINVAL (an option out
 *         of range); RN_ENOMEM.
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

/** rn_image_decode() of a file, without options. RN_ENOTFOUND or RN_EIO if it cannot be read. */
RN_API rn_status rn_image_open(rn_image **out, const char *path);
RN_API void rn_image_free(rn_image *image);

/** Write a picture as PNG, atomically. RN_OK; RN_EIO or RN_ENOTFOUND (no such folder); RN_ENOMEM.
 */
RN_API rn_status rn_image_save(const rn_image *image, const char *path);

#ifdef __cplusplus
}
#endif
#endif
