#include "base/file.h"

#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHOWN = 512 }; // bytes of a path in a message, so that the reason behind it stays

rn_status(rn_file_error)(const char *verb, const char *path)
{
    int error = errno;
    rn_status code = error == ENOENT ? RN_ENOTFOUND : RN_EIO;
    char shown[SHOWN];

    rn_text_escape(shown, sizeof shown, path);
    return rn_error(code, "cannot %s '%s': %s", verb, shown, strerror(error));
}

rn_status rn_file_require_regular(mode_t mode, const char *path)
{
    char shown[SHOWN];

    if (S_ISREG(mode))
        return RN_OK;
    rn_text_escape(shown, sizeof shown, path);
    return rn_error(RN_EIO, "'%s' is %s, expected a regular file", shown,
                    S_ISDIR(mode) ? "a folder" : "a pipe or device");
}

// errno stays that of the failure before.
static void close_quietly(int descriptor)
{
    int error = errno;

    close(descriptor);
    errno = error;
}

// As much of *path as can be opened at once becomes a folder; *path goes on behind it.
static int open_part(int folder, const char **path)
{
    char part[PATH_MAX];
    const char *slash = memrchr(*path, '/', PATH_MAX - 1);

    if (slash == NULL) {
        errno = ENAMETOOLONG;
        return -1;
    }
    size_t length = (size_t)(slash - *path);
    memcpy(part, *path, length);
    part[length] = '\0';
    *path = slash + 1;
    return openat(folder, part, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int rn_open_at(int folder, const char *path, int flags)
{
    int at = folder, opened = folder;

    while (strlen(path) >= PATH_MAX && opened != -1) {
        opened = open_part(at, &path);
        if (at != folder)
            close_quietly(at);
        at = opened;
    }
    if (opened == -1)
        return -1;
    opened = openat(at, path, flags | O_CLOEXEC);
    if (at != folder)
        close_quietly(at);
    return opened;
}

// O_NONBLOCK: opening a FIFO that nobody writes to must fail the type check, not hang.
static rn_status open_regular(int *descriptor, uint64_t *size, int folder, const char *path)
{
    rn_status st = RN_OK;
    struct stat info;

    *descriptor = rn_open_at(folder, path, O_RDONLY | O_NONBLOCK);
    if (*descriptor < 0)
        return rn_file_error("open", path);
    if (fstat(*descriptor, &info) != 0) {
        st = rn_file_error("examine", path);
        goto out;
    }
    RN_TRY(rn_file_require_regular(info.st_mode, path));
    *size = (uint64_t)info.st_size;
out:
    if (st != RN_OK) {
        close(*descriptor);
        *descriptor = -1;
    }
    return st;
}

static rn_status read_exactly(int descriptor, char *data, size_t size, const char *path)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(descriptor, data + done, size - done, (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return rn_file_error("read", path);
        if (got == 0)
            return rn_error(RN_EIO, "'%s' ended at byte %zu, expected %zu", path, done, size);
        done += (size_t)got;
    }
    return RN_OK;
}

static rn_status check_limit(uint64_t bytes, size_t limit, const char *path)
{
    char shown[SHOWN];

    if (bytes <= limit && bytes < SIZE_MAX)
        return RN_OK;
    rn_text_escape(shown, sizeof shown, path);
    return rn_error(RN_EFORMAT, "'%s' has %llu bytes, expected at most %zu", shown,
                    (unsigned long long)bytes, limit);
}

static int open_plain_folder(int at, const char *name)
{
    return openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int open_plain_file(int at, const char *name)
{
    struct stat info;
    int descriptor = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (descriptor >= 0 && (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode))) {
        close(descriptor);
        errno = EINVAL;
        return -1;
    }
    return descriptor;
}

int rn_open_plain(int root, const char *folder, const char *file)
{
    int at = open_plain_folder(root, folder);
    int descriptor = -1;

    if (at < 0)
        return -1;
    descriptor = open_plain_file(at, file);
    close_quietly(at);
    return descriptor;
}

// The next component of *path, which goes on behind it; false where it leads nowhere below.
static bool next_component(char name[NAME_MAX + 1], const char **path)
{
    size_t length = strcspn(*path, "/");

    if (length > NAME_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(name, *path, length);
    name[length] = '\0';
    *path += length;
    errno = EINVAL;
    return length > 0 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

int rn_open_below(int root, const char *path)
{
    char name[NAME_MAX + 1];
    int at = root, opened = -1;

    while (next_component(name, &path)) {
        bool last = *path == '\0';
        opened = last ? open_plain_file(at, name) : open_plain_folder(at, name);
        if (at != root)
            close_quietly(at);
        if (last || opened < 0)
            return opened;
        at = opened;
        path++; // the slash
    }
    if (at != root)
        close_quietly(at);
    return -1;
}

static rn_status judge_head(int descriptor, uint64_t size, const char *path, rn_file_judge *judge)
{
    rn_status st = RN_OK;
    char head[RN_FILE_HEAD], shown[SHOWN];
    size_t bytes = size < RN_FILE_HEAD ? (size_t)size : (size_t)RN_FILE_HEAD;

    RN_TRY(read_exactly(descriptor, head, bytes, path));
    st = judge(head, bytes, size);
    if (st != RN_OK) {
        rn_text_escape(shown, sizeof shown, path);
        rn_error_prefix(st, "'%s'", shown);
    }
out:
    return st;
}

// The bytes are not zeroed before: of a file that ends early no more is touched than it has.
static rn_status read_whole(char **out, int descriptor, size_t size, const char *path)
{
    rn_status st = RN_OK;
    char *data = NULL;

    RN_TRY(rn_alloc_unset((void **)&data, size + 1, 1));
    RN_TRY(read_exactly(descriptor, data, size, path));
    data[size] = '\0';
    *out = data;
    data = NULL; // now the caller's
out:
    rn_free(data);
    return st;
}

static rn_status read_file(char **out, size_t *size, int folder, const char *path, size_t limit,
                           rn_file_judge *judge)
{
    rn_status st = RN_OK;
    int descriptor = -1;
    uint64_t bytes;

    *out = NULL;
    *size = 0;
    RN_TRY(open_regular(&descriptor, &bytes, folder, path));
    if (judge != NULL)
        RN_TRY(judge_head(descriptor, bytes, path, judge));
    RN_TRY(check_limit(bytes, limit, path));
    RN_TRY(read_whole(out, descriptor, (size_t)bytes, path));
    *size = (size_t)bytes;
out:
    if (descriptor >= 0)
        close(descriptor);
    return st;
}

rn_status rn_file_read_open(char **out, size_t *size, int descriptor, const char *path,
                            size_t limit)
{
    rn_status st = RN_OK;
    struct stat info;

    *out = NULL;
    *size = 0;
    if (fstat(descriptor, &info) != 0)
        return rn_file_error("examine", path);
    RN_TRY(check_limit((uint64_t)info.st_size, limit, path));
    RN_TRY(read_whole(out, descriptor, (size_t)info.st_size, path));
    *size = (size_t)info.st_size;
out:
    return st;
}

rn_status rn_file_read(char **out, size_t *size, const char *path, size_t limit)
{
    return read_file(out, size, AT_FDCWD, path, limit, NULL);
}

rn_status rn_file_read_if(char **out, size_t *size, const char *path, size_t limit,
                          rn_file_judge *judge)
{
    return read_file(out, size, AT_FDCWD, path, limit, judge);
}

rn_status rn_file_read_at(char **out, size_t *size, int folder, const char *path, size_t limit)
{
    return read_file(out, size, folder, path, limit, NULL);
}

rn_status rn_file_open(int *descriptor, uint64_t *size, const char *path)
{
    return open_regular(descriptor, size, AT_FDCWD, path);
}

rn_status rn_file_size(uint64_t *size, const char *path)
{
    rn_status st = RN_OK;
    int descriptor = -1;

    *size = 0;
    RN_TRY(open_regular(&descriptor, size, AT_FDCWD, path));
    close(descriptor);
out:
    return st;
}

bool rn_file_exists(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

bool rn_folder_exists(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

// Some file systems do not sync folders (EINVAL), and some folders are not for reading (EACCES).
rn_status rn_folder_sync(const char *path)
{
    rn_status st = RN_OK;
    char folder[PATH_MAX];

    snprintf(folder, sizeof folder, "%s", path); // a longer one is opened by nobody
    int descriptor = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = descriptor >= 0 ? fsync(descriptor) == 0 : errno == EACCES;
    if (!synced && errno != EINVAL && errno != ENOTSUP)
        st = rn_file_error("sync the folder of", path);
    if (descriptor >= 0)
        close(descriptor);
    return st;
}

// With its name on disk: a power cut would take with it what is in it.
static rn_status make_folder(const char *path)
{
    if (mkdir(path, 0777) == 0)
        return rn_folder_sync(path);
    return errno == EEXIST ? RN_OK : rn_file_error("create folder", path);
}

rn_status rn_folder_create(const char *path)
{
    rn_status st = RN_OK;
    char *parent = NULL;

    if (rn_folder_exists(path))
        return RN_OK;
    RN_TRY(rn_strdup(&parent, path));
    for (char *slash = strchr(parent + 1, '/'); *parent != '\0' && slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (!rn_folder_exists(parent))
            RN_TRY(make_folder(parent));
        *slash = '/';
    }
    RN_TRY(make_folder(path));
    if (!rn_folder_exists(path)) {
        errno = EEXIST;
        st = rn_file_error("create folder", path);
    }
out:
    rn_free(parent);
    return st;
}

rn_status rn_file_append(int descriptor, const char *path, const void *data, size_t bytes)
{
    rn_status st = RN_OK;
    struct stat before;

    if (fstat(descriptor, &before) != 0)
        return rn_file_error("examine", path);
    for (size_t done = 0; done < bytes && st == RN_OK;) {
        ssize_t put = write(descriptor, (const char *)data + done, bytes - done);
        if (put >= 0)
            done += (size_t)put;
        else if (errno != EINTR)
            st = rn_file_error("write", path);
    }
    if (st != RN_OK && ftruncate(descriptor, before.st_size) != 0)
        rn_error_prefix(st, "the end is torn");
    return st;
}
