/** Packs as data sets. */
#ifndef DATA_PHOTO_PACK_H
#define DATA_PHOTO_PACK_H

#include "data/samples.h"

/**
 * Open one split of a pack; where it has none, both are all of it.
 *
 * @return RN_OK; RN_ENOTFOUND (the file, or no picture of the split); RN_EFORMAT; RN_EIO;
 *         RN_ENOMEM.
 */
rn_status rn_photo_pack_open(rn_samples **out, const char *path, rn_split split);

#endif
