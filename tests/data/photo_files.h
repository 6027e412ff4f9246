/** Folders of pictures that the tests of photographs make. */
#ifndef TESTS_DATA_PHOTO_FILES_H
#define TESTS_DATA_PHOTO_FILES_H

#include "data/fixtures.h"

/** A file with this text below a folder; its folders are made. */
static inline void photo_text(const char *folder, const char *name, const char *text)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    *strrchr(path, '/') = '\0';
    assert_int_equal(rn_folder_create(path), RN_OK);
    fixture_write(folder, name, text, strlen(text));
}

/** Files whose content is their own name, up to a NULL. */
static inline void photo_files(const char *folder, const char *const *names)
{
    for (; *names != NULL; names++)
        photo_text(folder, *names, *names);
}

/** The set's pictures are `names` with `labels`, and each reads as its own name. */
static inline void photo_expect(const rn_samples *set, size_t count, const char *const *names,
                                const int32_t *labels)
{
    assert_int_equal(set->count, count);
    assert_int_equal(rn_photos_count(set->photos), count);
    for (size_t i = 0; i < count; i++) {
        rn_photo photo;
        assert_string_equal(rn_photos_name(set->photos, i), names[i]);
        assert_int_equal(set->labels[i], labels[i]);
        assert_int_equal(rn_photos_read(&photo, set->photos, i), RN_OK);
        assert_int_equal(photo.size, strlen(names[i]));
        assert_memory_equal(photo.bytes, names[i], photo.size);
        rn_photo_release(&photo);
        rn_photo_release(&photo);
    }
}

#endif
