/** Encoding of pictures in memory. */
#ifndef IMAGE_JPEG_WRITE_H
#define IMAGE_JPEG_WRITE_H

#include "resnet/image.h"

/**
 * Encode as a baseline JPEG: gray, or YCbCr with colours at half the resolution (4:2:0), by the
 * exact integer DCT. The same pixels give the same bytes.
 *
 * @param[out] out  The caller's (rn_free()); NULL on failure.
 * @param quality   1 .. 100, as libjpeg scales it.
 * @return RN_OK; RN_EINVAL (quality, or a side over 65,500 pixels); RN_ENOMEM.
 */
rn_status rn_image_encode_jpeg(uint8_t **out, size_t *size, const rn_image *image, int quality);

#endif
