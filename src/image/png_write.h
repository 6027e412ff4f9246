/** Encoding of pictures in memory, without loss. */
#ifndef IMAGE_PNG_WRITE_H
#define IMAGE_PNG_WRITE_H

#include "resnet/image.h"

/** The caller's (rn_free()); NULL on failure. RN_OK; RN_EFORMAT (libpng's reason); RN_ENOMEM. */
rn_status rn_image_encode_png(uint8_t **out, size_t *size, const rn_image *image);

#endif
