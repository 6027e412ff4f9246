#include "data/unpack.h"

#include "base/file.h"
#include "base/memory.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

enum { CHUNK = 1 << 16, MOST_ENTRIES = 100, MOST_PATH = 200 };

/** A file that may be written, and its largest size. */
typedef struct expected_file {
    const char *name;
    int64_t most;
} expected_file;

static const expected_file expected[] = {{"data_batch_1.bin", 30730000},
                                         {"data_batch_2.bin", 30730000},
                                         {"data_batch_3.bin", 30730000},
                                         {"data_batch_4.bin", 30730000},
                                         {"data_batch_5.bin", 30730000},
                                         {"test_batch.bin", 30730000},
                                         {"batches.meta.txt", 1 << 16},
                                         {"train.bin", 153700000},
                                         {"test.bin", 30740000},
                                         {"fine_label_names.txt", 1 << 16},
                                         {"coarse_label_names.txt", 1 << 16},
                                         {"train-images-idx3-ubyte", 1 << 30},
                                         {"train-labels-idx1-ubyte", 1 << 24},
                                         {"t10k-images-idx3-ubyte", 1 << 30},
                                         {"t10k-labels-idx1-ubyte", 1 << 24}};

static const int64_t most_skipped = 1 << 24; // of a file that is not wanted

typedef struct unpacker {
    struct archive *tar;
    const char *archive, *folder;
    bool write; // second pass
    int written;
    char *chunk;
} unpacker;

// EILSEQ and EINVAL are what libarchive calls a wrong format and a wrong call; other positive
// numbers are the system's.
static rn_status archive_error(const unpacker *u)
{
    const char *text = archive_error_string(u->tar);
    int number = archive_errno(u->tar);

    if (text == NULL)
        text = "?";
    if (number == ENOMEM)
        return rn_error(RN_ENOMEM, "out of memory: cannot unpack '%s'", u->archive);
    if (number > 0 && number != EILSEQ && number != EINVAL)
        return rn_error(RN_EIO, "cannot read '%s': %s", u->archive, text);
    return rn_error(RN_EFORMAT, "'%s': bad archive: %s", u->archive, text);
}

// Relative, of plain parts, at most one folder deep: "data_batch_1.bin" or "folder/train.bin".
static bool is_safe(const char *path)
{
    const char *slash = strchr(path, '/');

    if (*path == '\0' || *path == '/' || *path == '.' || strlen(path) > MOST_PATH)
        return false;
    if (slash != NULL && (slash[1] == '.' || strchr(slash + 1, '/') != NULL))
        return false;
    return strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./") ==
           strlen(path);
}

static const expected_file *find_expected(const char *path)
{
    const char *slash = strchr(path, '/'), *name = slash == NULL ? path : slash + 1;

    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        if (strcmp(name, expected[i].name) == 0)
            return &expected[i];
    }
    return NULL;
}

static rn_status check_entry(const unpacker *u, struct archive_entry *entry)
{
    const char *path = archive_entry_pathname(entry);

    if (path == NULL || !is_safe(path))
        return rn_error(RN_EFORMAT, "'%s': refused, unsafe path '%.200s'", u->archive,
                        path == NULL ? "?" : path);
    if (archive_entry_hardlink(entry) != NULL || archive_entry_symlink(entry) != NULL ||
        (archive_entry_filetype(entry) != AE_IFREG && archive_entry_filetype(entry) != AE_IFDIR))
        return rn_error(RN_EFORMAT, "'%s': refused, '%s' is neither file nor folder", u->archive,
                        path);
    const expected_file *known = find_expected(path);
    int64_t most = known == NULL ? most_skipped : known->most, size = archive_entry_size(entry);
    if (size < 0 || size > most)
        return rn_error(RN_EFORMAT, "'%s': refused, '%s' has %lld bytes, expected at most %lld",
                        u->archive, path, (long long)size, (long long)most);
    return RN_OK;
}

// The entry's data, into `file` unless that is NULL; it must be as long as its header says.
static rn_status copy_data(const unpacker *u, struct archive_entry *entry, rn_atomic_file *file)
{
    rn_status st = RN_OK;
    int64_t done = 0, size = archive_entry_size(entry);

    for (;;) {
        la_ssize_t got = archive_read_data(u->tar, u->chunk, CHUNK);
        if (got < 0)
            return archive_error(u);
        if (got == 0)
            break;
        done += got;
        if (done > size)
            break;
        if (file != NULL)
            RN_TRY(rn_atomic_file_write(file, u->chunk, (size_t)got));
    }
    if (done != size)
        st = rn_error(RN_EFORMAT, "'%s': '%s' does not have its %lld bytes", u->archive,
                      archive_entry_pathname(entry), (long long)size);
out:
    return st;
}

static rn_status write_entry(const unpacker *u, struct archive_entry *entry)
{
    rn_status st = RN_OK;
    rn_atomic_file file = {.descriptor = -1};
    char *path = NULL;

    RN_TRY(rn_format(&path, "%s/%s", u->folder, archive_entry_pathname(entry)));
    char *slash = strrchr(path, '/');
    *slash = '\0';
    RN_TRY(rn_folder_create(path));
    *slash = '/';
    RN_TRY(rn_atomic_file_open(&file, path));
    RN_TRY(copy_data(u, entry, &file));
    RN_TRY(rn_atomic_file_commit(&file));
out:
    rn_atomic_file_abandon(&file);
    rn_free(path);
    return st;
}

static rn_status take_entry(unpacker *u, struct archive_entry *entry)
{
    rn_status st = RN_OK;

    RN_TRY(check_entry(u, entry));
    if (archive_entry_filetype(entry) != AE_IFREG)
        goto out;
    bool wanted = find_expected(archive_entry_pathname(entry)) != NULL;
    if (wanted && u->write)
        RN_TRY(write_entry(u, entry));
    else
        RN_TRY(copy_data(u, entry, NULL));
    u->written += wanted;
out:
    return st;
}

static rn_status open_archive(unpacker *u)
{
    u->tar = archive_read_new();
    if (u->tar == NULL)
        return rn_error(RN_ENOMEM, "out of memory: cannot open '%s'", u->archive);
    if (archive_read_support_format_tar(u->tar) != ARCHIVE_OK ||
        archive_read_support_filter_gzip(u->tar) != ARCHIVE_OK ||
        archive_read_open_filename(u->tar, u->archive, CHUNK) != ARCHIVE_OK)
        return archive_error(u);
    return RN_OK;
}

static rn_status pass(unpacker *u)
{
    rn_status st = RN_OK;
    struct archive_entry *entry;
    int code = ARCHIVE_OK;

    u->written = 0;
    RN_TRY(open_archive(u));
    for (int entries = 0;; entries++) {
        code = archive_read_next_header(u->tar, &entry);
        if (code == ARCHIVE_EOF)
            break;
        if (code != ARCHIVE_OK) {
            st = archive_error(u);
            goto out;
        }
        if (entries == MOST_ENTRIES) {
            st = rn_error(RN_EFORMAT, "'%s': refused, more than %d entries", u->archive,
                          MOST_ENTRIES);
            goto out;
        }
        RN_TRY(take_entry(u, entry));
    }
    if (u->written == 0)
        st = rn_error(RN_EFORMAT, "'%s' holds none of the files of CIFAR or MNIST", u->archive);
out:
    archive_read_free(u->tar);
    u->tar = NULL;
    return st;
}

rn_status rn_unpack(const char *archive, const char *folder)
{
    rn_status st = RN_OK;
    unpacker u = {.archive = archive, .folder = folder};
    uint64_t size;

    RN_TRY(rn_file_size(&size, archive)); // refuses pipes and folders
    RN_TRY(RN_NEW(&u.chunk, CHUNK));
    RN_TRY(pass(&u));
    u.write = true;
    RN_TRY(pass(&u));
out:
    rn_free(u.chunk);
    return st;
}
