/** Classes by their keys (names of folders, WordNet ids, labels in a list), in bytewise order. */
#ifndef DATA_CLASS_LIST_H
#define DATA_CLASS_LIST_H

#include "resnet/base.h"

typedef struct rn_class {
    char *key;
    char *name; // for people; NULL: the key
} rn_class;

/** Zero-initialise; classes are added in any order, then sorted. */
typedef struct rn_class_list {
    rn_class *classes;
    size_t count, room;
} rn_class_list;

enum { RN_MOST_CLASSES = 1000000 };

/**
 * Append a copy of key[0 .. length).
 *
 * @param name  Copied; NULL: the key is the name too.
 * @return RN_OK; RN_EFORMAT (twice RN_MOST_CLASSES are there already); RN_ENOMEM.
 */
rn_status rn_class_list_add(rn_class_list *list, const char *key, size_t length, const char *name);

/** Sort bytewise and drop repeated keys. RN_OK; RN_EFORMAT (over RN_MOST_CLASSES are left). */
rn_status rn_class_list_sort(rn_class_list *list);

/** The index of a key in a sorted list, or -1. */
int32_t rn_class_list_find(const rn_class_list *list, const char *key);

void rn_class_list_release(rn_class_list *list);

#endif
