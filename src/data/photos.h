/** Sets of encoded pictures: an index over files of a folder or entries of a pack. */
#ifndef DATA_PHOTOS_H
#define DATA_PHOTOS_H

#include "data/class_list.h"
#include "data/pack.h"
#include "data/photo_list.h"
#include "data/samples.h"

enum { RN_PHOTO_BYTES = 256 << 20 }; // the most of one encoded picture

/**
 * An index over files.
 *
 * @param[out] out  The caller's (rn_photos_free()); NULL on failure.
 * @param folder    Where the names of `list` begin.
 * @param list      Its names become the index's; it is empty afterwards, also on failure.
 * @return RN_OK; RN_ENOTFOUND, RN_EIO (the folder); RN_ENOMEM.
 */
rn_status rn_photos_create(rn_photos **out, const char *folder, rn_photo_list *list);

/**
 * An index over pictures first .. first + count - 1 of a pack.
 *
 * @param pack  The index's from now on, also on failure; *pack becomes NULL.
 * @return RN_OK; RN_ENOMEM.
 */
rn_status rn_photos_create_packed(rn_photos **out, rn_pack **pack, size_t first, size_t count);

/**
 * An index of some of the pictures of another, which it shares with it: either may be freed first.
 *
 * @param indices  [count], each below rn_photos_count(photos); copied.
 * @return RN_OK; RN_ENOMEM.
 */
rn_status rn_photos_select(rn_photos **out, const rn_photos *photos, const uint32_t *indices,
                           size_t count);

/** NULL is legal. */
void rn_photos_free(rn_photos *photos);

/**
 * A sample set of encoded pictures, labels all -1.
 *
 * @param photos   The set's from now on, also on failure; *photos becomes NULL.
 * @param classes  Names, or keys where there are none, become the label names.
 * @return RN_OK; RN_EINVAL (no picture, no class); RN_ENOMEM.
 */
rn_status rn_samples_create_photos(rn_samples **out, rn_photos **photos,
                                   const rn_class_list *classes, const char *name);

/** The same over files: labels are the list's. */
rn_status rn_samples_create_listed(rn_samples **out, const char *folder, rn_photo_list *list,
                                   const rn_class_list *classes, const char *name);

/** Put a picture's name, in one line, before the thread's message; returns status. */
rn_status rn_photos_blame(rn_status status, const rn_photos *photos, size_t index);

#endif
