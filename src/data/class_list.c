#include "data/class_list.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_KEYS = 2 * RN_MOST_CLASSES }; // before repeated ones are dropped

rn_status rn_class_list_add(rn_class_list *list, const char *key, size_t length, const char *name)
{
    rn_status st = RN_OK;

    if (list->count == MOST_KEYS)
        return rn_error(RN_EFORMAT, "over %d names of classes", MOST_KEYS);
    RN_TRY(rn_grow((void **)&list->classes, &list->room, list->count + 1, sizeof *list->classes));
    rn_class *added = &list->classes[list->count++];
    *added = (rn_class){0};
    RN_TRY(rn_format(&added->key, "%.*s", (int)length, key));
    if (name != NULL)
        RN_TRY(rn_strdup(&added->name, name));
out:
    return st;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const rn_class *)a)->key, ((const rn_class *)b)->key);
}

static void release_class(rn_class *class)
{
    rn_free(class->key);
    rn_free(class->name);
    *class = (rn_class){0};
}

rn_status rn_class_list_sort(rn_class_list *list)
{
    size_t kept = 0;

    if (list->count > 1)
        qsort(list->classes, list->count, sizeof *list->classes, compare);
    for (size_t i = 0; i < list->count; i++) {
        if (kept > 0 && compare(&list->classes[kept - 1], &list->classes[i]) == 0)
            release_class(&list->classes[i]);
        else
            list->classes[kept++] = list->classes[i];
    }
    list->count = kept;
    if (kept > RN_MOST_CLASSES)
        return rn_error(RN_EFORMAT, "over %d classes", RN_MOST_CLASSES);
    return RN_OK;
}

int32_t rn_class_list_find(const rn_class_list *list, const char *key)
{
    size_t low = 0, high = list->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(list->classes[middle].key, key);
        if (order == 0)
            return (int32_t)middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

void rn_class_list_release(rn_class_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        release_class(&list->classes[i]);
    rn_free(list->classes);
    *list = (rn_class_list){0};
}
