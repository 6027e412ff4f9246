#include "data/photo_pack.h"

#include "base/memory.h"
#include "base/text.h"
#include "data/photos.h"

#include <libgen.h>

static rn_status name_set(char **out, const char *path, const rn_pack_header *header,
                          rn_split split)
{
    rn_status st = RN_OK;
    char *copy = NULL, shown[200];

    RN_TRY(rn_strdup(&copy, path));
    rn_text_escape(shown, sizeof shown, basename(copy));
    RN_TRY(rn_format(out, "%s%s", shown,
                     header->splits == 0       ? ""
                     : split == RN_SPLIT_TRAIN ? " train"
                                               : " test"));
out:
    rn_free(copy);
    return st;
}

// Takes the pack over, as rn_photos_create_packed() does; its header and entries stay.
static rn_status make_set(rn_samples **out, rn_pack **pack, size_t first, size_t count,
                          const char *name)
{
    rn_status st = RN_OK;
    const rn_pack *entries = *pack;
    rn_photos *photos = NULL;
    rn_class_list classes = {0};

    RN_TRY(rn_pack_classes(&classes, entries));
    RN_TRY(rn_photos_create_packed(&photos, pack, first, count));
    RN_TRY(rn_samples_create_photos(out, &photos, &classes, name));
    for (size_t i = 0; i < count; i++) {
        rn_pack_entry entry;
        rn_pack_entry_of(&entry, entries, first + i);
        (*out)->labels[i] = entry.label;
    }
out:
    rn_class_list_release(&classes);
    return st;
}

rn_status rn_photo_pack_open(rn_samples **out, const char *path, rn_split split)
{
    rn_status st = RN_OK;
    rn_pack *pack = NULL;
    char *name = NULL;
    size_t first = 0, count;

    *out = NULL;
    RN_TRY(rn_pack_open(&pack, path));
    const rn_pack_header *header = rn_pack_header_of(pack);
    count = header->train;
    if (header->splits == 1 && split == RN_SPLIT_TEST) {
        first = header->train;
        count = header->count - header->train;
    }
    if (count == 0) {
        st = rn_error(RN_ENOTFOUND, "'%s' has no picture to %s", path,
                      split == RN_SPLIT_TRAIN ? "train" : "test");
        goto out;
    }
    RN_TRY(name_set(&name, path, header, split));
    RN_TRY(make_set(out, &pack, first, count, name));
out:
    rn_free(name);
    rn_pack_close(pack);
    return st;
}
