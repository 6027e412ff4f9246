/** Folders of pictures: what lies directly in one, and all pictures below one. */
#ifndef DATA_PHOTO_WALK_H
#define DATA_PHOTO_WALK_H

#include "data/class_list.h"
#include "data/photo_list.h"

/** What lies directly in a folder, hidden names (".x") left out. */
typedef struct rn_folder_items {
    rn_class_list folders; // sorted; links to folders are folders
    size_t pictures;       // names that end as a picture's, whatever they are
} rn_folder_items;

/**
 * Look into a folder. Zero-initialise first; release `folders` also after a failure.
 *
 * @param root   An open folder.
 * @param below  Relative to it; "": root itself.
 * @return RN_OK; RN_ENOTFOUND; RN_EIO (names `below` and the system's reason); RN_ENOMEM.
 */
rn_status rn_folder_look(rn_folder_items *items, int root, const char *below);

/**
 * Add all pictures in and below root/below, with names relative to root, in no particular order.
 *
 * Links are followed, but each folder is entered once, and none that the walk came through: links
 * upwards are no loops. Hidden names are left out.
 *
 * @param label  Of all of them.
 * @return RN_OK; RN_ENOTFOUND, RN_EIO; RN_EFORMAT (a path over RN_PHOTO_NAME_BYTES); RN_ENOMEM.
 */
rn_status rn_photo_walk(rn_photo_list *list, int root, const char *below, int32_t label);

#endif
