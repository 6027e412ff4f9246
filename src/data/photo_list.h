/** The pictures of a set in the making: names and labels, without one allocation for each. */
#ifndef DATA_PHOTO_LIST_H
#define DATA_PHOTO_LIST_H

#include "resnet/base.h"

enum { RN_PHOTO_NAME_BYTES = 4096 };

typedef struct rn_photo_entry {
    size_t name;   // where it begins in rn_photo_list.names
    int32_t label; // -1: none
} rn_photo_entry;

/** Zero-initialise. */
typedef struct rn_photo_list {
    char *names; // one after the other, each with its NUL
    size_t names_bytes, names_room;
    rn_photo_entry *entries;
    size_t count, room;
} rn_photo_list;

/**
 * Append a picture.
 *
 * @param folder  Put before `name` with a slash between; "": none.
 * @return RN_OK; RN_EFORMAT (a name over RN_PHOTO_NAME_BYTES, or 2^32 - 1 pictures); RN_ENOMEM.
 */
rn_status rn_photo_list_add(rn_photo_list *list, const char *folder, const char *name,
                            int32_t label);

const char *rn_photo_list_name(const rn_photo_list *list, size_t index);

/** Sort by label, then bytewise by name. */
void rn_photo_list_sort(rn_photo_list *list);

/** RN_EFORMAT if `folder`/`name` has over RN_PHOTO_NAME_BYTES. */
rn_status rn_photo_name_check(const char *folder, const char *name);

/** Whether a name ends as a picture's: .jpg, .jpeg, .png, .ppm, .pgm or .webp, in any case. */
bool rn_is_photo_name(const char *name);

void rn_photo_list_release(rn_photo_list *list);

#endif
