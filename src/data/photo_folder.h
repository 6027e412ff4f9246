/** Folders of encoded pictures: DIR/CLASS/..., DIR/train/CLASS/..., and ImageNet as published. */
#ifndef DATA_PHOTO_FOLDER_H
#define DATA_PHOTO_FOLDER_H

#include "data/samples.h"

/** Whether a folder holds pictures in a known layout. RN_OK; RN_EIO, RN_ENOTFOUND; RN_ENOMEM. */
rn_status rn_photo_folder_recognise(bool *found, const char *folder);

/**
 * Open one split; where the folder has none, both are all of it. The classes are the folders of the
 * training set.
 *
 * @return RN_OK; RN_ENOTFOUND (the split, or no picture in it); RN_EFORMAT (a class that the
 *         training set does not have, or a path too long); RN_EIO; RN_ENOMEM.
 */
rn_status rn_photo_folder_open(rn_samples **out, const char *folder, rn_split split);

#endif
