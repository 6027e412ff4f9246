/** Archives in memory, good and hostile. */
#ifndef TESTS_DATA_ARCHIVES_H
#define TESTS_DATA_ARCHIVES_H

#include "data/fixtures.h"

#include <archive.h>
#include <archive_entry.h>
#include <md5.h>

typedef struct made_archive {
    char bytes[1 << 20];
    size_t size;
    char checksum[40]; // "md5:..."
} made_archive;

/** One member: a file of `size` bytes, or of another type, or a link to `target`. */
typedef struct member {
    const char *path;
    const void *data;
    size_t size;
    unsigned type; // 0: AE_IFREG
    const char *symlink, *hardlink;
} member;

static inline void archive_sum(made_archive *made)
{
    char hex[MD5_DIGEST_STRING_LENGTH];

    MD5Data((const uint8_t *)made->bytes, made->size, hex);
    snprintf(made->checksum, sizeof made->checksum, "md5:%s", hex);
}

static inline void archive_make(made_archive *made, const member *members, size_t count)
{
    struct archive *tar = archive_write_new();

    assert_int_equal(archive_write_set_format_pax_restricted(tar), ARCHIVE_OK);
    assert_int_equal(archive_write_add_filter_gzip(tar), ARCHIVE_OK);
    assert_int_equal(archive_write_open_memory(tar, made->bytes, sizeof made->bytes, &made->size),
                     ARCHIVE_OK);
    for (size_t i = 0; i < count; i++) {
        struct archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname(entry, members[i].path);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_filetype(entry, members[i].type == 0 ? AE_IFREG : members[i].type);
        archive_entry_set_size(entry, (la_int64_t)members[i].size);
        if (members[i].symlink != NULL)
            archive_entry_set_symlink(entry, members[i].symlink);
        if (members[i].hardlink != NULL)
            archive_entry_set_hardlink(entry, members[i].hardlink);
        assert_int_equal(archive_write_header(tar, entry), ARCHIVE_OK);
        if (members[i].data != NULL)
            assert_int_equal(archive_write_data(tar, members[i].data, members[i].size),
                             members[i].size);
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_close(tar), ARCHIVE_OK);
    archive_write_free(tar);
    archive_sum(made);
}

#endif
