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
RN_API void rn_image_free(rn_image *image);

/** Write a picture as PNG, atomically. RN_OK; RN_EIO or RN_ENOTFOUND (no such folder); RN_ENOMEM.
 */
RN_API rn_status rn_image_save(const rn_image *image, const char *path);

#ifdef __cplusplus
}
#endif
#endif
