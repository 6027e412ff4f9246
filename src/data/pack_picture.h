/** One picture on its way into a pack. */
#ifndef DATA_PACK_PICTURE_H
#define DATA_PACK_PICTURE_H

#include "resnet/data.h"

/**
 * Read, decode, and make what the options want of a picture.
 *
 * @param[out] out  The caller's (rn_photo_release()); zeroes on failure.
 * @return As rn_photos_read() and rn_image_decode(); messages name the picture.
 */
rn_status rn_pack_picture(rn_photo *out, const rn_photos *photos, size_t index,
                          const rn_pack_options *options);

/** Read and decode only; the message names the picture. */
rn_status rn_photo_check(const rn_photos *photos, size_t index);

#endif
