#include "data/photo_list.h"

#include "base/memory.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

rn_status rn_photo_name_check(const char *folder, const char *name)
{
    size_t before = strlen(folder), bytes = before + (before > 0) + strlen(name);
    char shown[200];

    if (bytes <= RN_PHOTO_NAME_BYTES)
        return RN_OK;
    rn_text_escape(shown, sizeof shown, folder);
    return rn_error(RN_EFORMAT, "'%s' holds a path of %zu bytes, expected at most %d", shown, bytes,
                    RN_PHOTO_NAME_BYTES);
}

rn_status rn_photo_list_add(rn_photo_list *list, const char *folder, const char *name,
                            int32_t label)
{
    rn_status st = RN_OK;
    size_t before = strlen(folder), length = strlen(name), slash = before > 0;

    RN_TRY(rn_photo_name_check(folder, name));
    if (list->count == UINT32_MAX)
        return rn_error(RN_EFORMAT, "over %u pictures", UINT32_MAX);
    RN_TRY(rn_grow((void **)&list->entries, &list->room, list->count + 1, sizeof *list->entries));
    RN_TRY(rn_grow((void **)&list->names, &list->names_room,
                   list->names_bytes + before + slash + length + 1, 1));
    char *at = list->names + list->names_bytes;
    memcpy(at, folder, before);
    if (slash)
        at[before] = '/';
    memcpy(at + before + slash, name, length + 1);
    list->entries[list->count++] = (rn_photo_entry){.name = list->names_bytes, .label = label};
    list->names_bytes += before + slash + length + 1;
out:
    return st;
}

const char *rn_photo_list_name(const rn_photo_list *list, size_t index)
{
    return list->names + list->entries[index].name;
}

static int compare(const void *a, const void *b, void *context)
{
    const rn_photo_entry *x = a, *y = b;
    const char *names = context;

    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    return strcmp(names + x->name, names + y->name);
}

void rn_photo_list_sort(rn_photo_list *list)
{
    if (list->count > 1)
        qsort_r(list->entries, list->count, sizeof *list->entries, compare, list->names);
}

bool rn_is_photo_name(const char *name)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png", ".ppm", ".pgm", ".webp"};
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot != NULL && i < sizeof endings / sizeof *endings; i++) {
        if (strcasecmp(dot, endings[i]) == 0)
            return true;
    }
    return false;
}

void rn_photo_list_release(rn_photo_list *list)
{
    rn_free(list->names);
    rn_free(list->entries);
    *list = (rn_photo_list){0};
}
