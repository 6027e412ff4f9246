// Lists of pictures: refused with one line, or names and labels that are in range.
#include "data/photo_csv.h"
#include "data/photos.h"

#include "scratch_file.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// What the compiler must not leave out.
static volatile size_t sink;

// A label 999999 is legal, and names a million classes: a run of them takes too long.
static int is_large(const uint8_t *data, size_t size)
{
    size_t digits = 0;

    for (size_t i = 0; i < size && digits < 5; i++)
        digits = data[i] >= '0' && data[i] <= '9' ? digits + 1 : 0;
    return digits >= 5;
}

static void touch(const rn_samples *set)
{
    for (size_t i = 0; i < set->count; i++) {
        size_t length = strlen(rn_photos_name(set->photos, i));
        if (length == 0 || length > 4096 || set->labels[i] < -1 || set->labels[i] >= set->classes)
            abort();
        sink += length;
    }
    for (int i = 0; i < set->classes; i++)
        sink += strlen(set->label_names[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (is_large(data, size))
        return 0;
    const char *path = scratch_file("list.csv", data, size);
    for (int split = 0; split < 2; split++) {
        rn_samples *set = NULL;
        rn_status st = rn_photo_csv_open(&set, path, (rn_split)split);
        if ((st == RN_OK) != (set != NULL))
            abort();
        if (st == RN_OK)
            touch(set);
        else if (*rn_error_message() == '\0' || strchr(rn_error_message(), '\n') != NULL)
            abort();
        rn_samples_free(set);
    }
    return 0;
}
