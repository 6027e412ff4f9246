/**
 * Decoders of picture files. Each takes the whole file's bytes, refuses more pixels than wanted
 * before it allocates anything of that size, and leaves a message without the file's name
 * (rn_image_open() puts it in front).
 */
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include "resnet/image.h"

/** A whole file in memory, and what is wanted of it. */
typedef struct rn_image_source {
    const uint8_t *bytes;
    size_t size;
    rn_decode_options options; // max_pixels is never 0
    bool header_only;          // a picture without pixels will do, of any size
} rn_image_source;

/** Statuses as rn_image_decode(). */
rn_status rn_image_decode_png(rn_image **out, const rn_image_source *source);
rn_status rn_image_decode_jpeg(rn_image **out, const rn_image_source *source);
rn_status rn_image_decode_webp(rn_image **out, const rn_image_source *source);
rn_status rn_image_decode_pnm(rn_image **out, const rn_image_source *source);

/** RN_EFORMAT if a side is 0 or over INT32_MAX, or if there are more pixels than wanted. */
rn_status rn_image_check_size(const rn_image_source *source, uint64_t width, uint64_t height);

/**
 * Room for a picture, all zero.
 *
 * @param[out] out   The caller's (rn_image_free()); NULL on failure.
 * @param channels   1 .. 4: decoders may hold alpha or black there until they have removed it.
 * @return RN_OK; RN_ENOMEM.
 */
rn_status rn_image_create(rn_image **out, int channels, int width, int height);

/** The same for a source's picture: without pixels where only the header is wanted. */
rn_status rn_image_create_for(rn_image **out, const rn_image_source *source, int channels,
                              int width, int height);

/** Composite 2 or 4 channels, the last of which is alpha, on white; others stay as they are. */
void rn_image_flatten(rn_image *image);

/**
 * The orientation that an EXIF block (a TIFF header and its first directory) asks for: 1 .. 8, and
 * 1 where there is none or the block is damaged, for a picture is whole without it.
 */
int rn_exif_orientation(const uint8_t *bytes, size_t size);

/**
 * Turn or mirror *image as an EXIF orientation says; of one without pixels, only its sides. On
 * failure *image is as before.
 */
rn_status rn_image_orient(rn_image **image, int orientation);

#endif
