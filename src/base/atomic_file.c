// Files that appear whole or not at all, and what killed writers leave of them.
#include "base/file.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { MARK_DIGITS = 8, ATTEMPTS = 100, PROC_PATH = 64 };

// A temporary is the file's name and this, with hexadecimal digits behind it.
static const char mark[] = ".tmp-resnet-";

// Where writing to `path` leads: a link stays, and its target is replaced.
static rn_status follow_links(char **out, const char *path)
{
    char target[PATH_MAX];
    struct stat info;
    bool exists = lstat(path, &info) == 0;

    if (!exists && errno != ENOENT)
        return rn_file_error("write", path);
    if (exists && S_ISLNK(info.st_mode)) {
        if (realpath(path, target) == NULL)
            return rn_file_error("write", path);
        path = target;
    }
    return rn_strdup(out, path);
}

// A name near the longest that a folder can hold is cut.
static rn_status name_temporary(char **out, const char *path)
{
    const char *slash = strrchr(path, '/');
    const int folder = slash == NULL ? 0 : (int)(slash + 1 - path);
    const int most = NAME_MAX - MARK_DIGITS - (int)strlen(mark);
    uint32_t number;

    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        number = (uint32_t)getpid();
    return rn_format(out, "%.*s%.*s%s%0*x", folder, path, most, path + folder, mark, MARK_DIGITS,
                     (unsigned)number);
}

// A lock says that the file is being written, to other machines too. Some file systems have none:
// there nobody can lock a temporary in order to remove it, either.
static void lock(int descriptor)
{
    while (flock(descriptor, LOCK_EX) != 0 && errno == EINTR)
        ;
}

// One that another process took for an orphan, before it was locked, is none any more.
static bool create_temporary(rn_atomic_file *file, mode_t mode)
{
    struct stat info;

    file->descriptor =
        open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (file->descriptor < 0)
        return false;
    lock(file->descriptor);
    if (fstat(file->descriptor, &info) != 0 || info.st_nlink > 0)
        return true;
    close(file->descriptor);
    file->descriptor = -1;
    errno = EEXIST;
    return false;
}

static void print_link(char link[PROC_PATH], int descriptor)
{
    snprintf(link, PROC_PATH, "/proc/self/fd/%d", descriptor);
}

static bool link_temporary(const rn_atomic_file *file)
{
    char link[PROC_PATH];

    print_link(link, file->descriptor);
    return linkat(AT_FDCWD, link, AT_FDCWD, file->temporary, AT_SYMLINK_FOLLOW) == 0;
}

// A name that no other file has, for a new file or for the open one that has none yet.
static rn_status take_name(rn_atomic_file *file, mode_t mode)
{
    rn_status st = RN_OK;

    for (int i = 0; i < ATTEMPTS; i++) {
        RN_TRY(name_temporary(&file->temporary, file->path));
        if (file->descriptor >= 0 ? link_temporary(file) : create_temporary(file, mode))
            goto out;
        int error = errno;
        rn_free(file->temporary);
        file->temporary = NULL;
        errno = error;
        if (error != EEXIST)
            break;
    }
    st = rn_file_error("write", file->path);
out:
    return st;
}

// Where a file without a name can be given one for certain: elsewhere that might fail in the end.
static bool gives_names(int descriptor)
{
    struct statfs info;
    char link[PROC_PATH];

    print_link(link, descriptor);
    if (fstatfs(descriptor, &info) != 0 || access(link, F_OK) != 0)
        return false;
    switch (info.f_type) {
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
    case TMPFS_MAGIC:
        return true;
    default:
        return false;
    }
}

// Of a file without a name nothing is left when its writer is killed. -1: not on this file system.
static int open_unnamed(const char *path, mode_t mode)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX];

    if (slash == NULL)
        strcpy(folder, ".");
    else if (snprintf(folder, sizeof folder, "%.*s", (int)(slash + 1 - path), path) >= PATH_MAX)
        return -1;
    int descriptor = open(folder, O_WRONLY | O_TMPFILE | O_CLOEXEC, mode);
    if (descriptor >= 0 && !gives_names(descriptor)) {
        close(descriptor);
        return -1;
    }
    if (descriptor >= 0)
        lock(descriptor);
    return descriptor;
}

static rn_status open_file(rn_atomic_file *file, const char *path, bool named)
{
    rn_status st = RN_OK;
    struct stat info;

    *file = (rn_atomic_file){.descriptor = -1};
    RN_TRY(follow_links(&file->path, path));
    bool replaces = stat(file->path, &info) == 0;
    if (replaces) // renaming over a device or a pipe would replace it
        RN_TRY(rn_file_require_regular(info.st_mode, path));
    mode_t mode = replaces ? 0600 : 0666;
    if (!named)
        file->descriptor = open_unnamed(file->path, mode);
    if (file->descriptor < 0)
        RN_TRY(take_name(file, mode));
    if (replaces && fchmod(file->descriptor, info.st_mode & 0777) != 0)
        st = rn_file_error("write", path);
out:
    if (st != RN_OK)
        rn_atomic_file_abandon(file);
    return st;
}

rn_status rn_atomic_file_open(rn_atomic_file *file, const char *path)
{
    return open_file(file, path, false);
}

rn_status rn_atomic_file_open_named(rn_atomic_file *file, const char *path)
{
    return open_file(file, path, true);
}

rn_status rn_atomic_file_write(rn_atomic_file *file, const void *data, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t put = write(file->descriptor, (const char *)data + done, bytes - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return rn_file_error("write", file->path);
        done += (size_t)put;
    }
    return RN_OK;
}

// The descriptor, and with it the lock, stays until the file has its own name.
rn_status rn_atomic_file_commit(rn_atomic_file *file)
{
    rn_status st = RN_OK;

    if (fsync(file->descriptor) != 0) {
        st = rn_file_error("sync", file->path);
        goto out;
    }
    if (file->temporary == NULL)
        RN_TRY(take_name(file, 0));
    if (rename(file->temporary, file->path) != 0) {
        st = rn_file_error("write", file->path);
        goto out;
    }
    rn_free(file->temporary);
    file->temporary = NULL; // nothing left to remove
    st = rn_folder_sync(file->path);
out:
    rn_atomic_file_abandon(file);
    return st;
}

void rn_atomic_file_abandon(rn_atomic_file *file)
{
    if (file->path == NULL)
        return;
    if (file->temporary != NULL)
        unlink(file->temporary);
    if (file->descriptor >= 0)
        close(file->descriptor);
    rn_free(file->temporary);
    rn_free(file->path);
    *file = (rn_atomic_file){.descriptor = -1};
}

rn_status rn_file_write_atomic(const char *path, const void *data, size_t bytes)
{
    rn_status st = RN_OK;
    rn_atomic_file file = {.descriptor = -1};

    RN_TRY(rn_atomic_file_open(&file, path));
    RN_TRY(rn_atomic_file_write(&file, data, bytes));
    RN_TRY(rn_atomic_file_commit(&file));
out:
    rn_atomic_file_abandon(&file);
    return st;
}

static bool is_temporary(const char *name)
{
    const size_t length = strlen(name), tail = strlen(mark) + MARK_DIGITS;

    if (length <= tail)
        return false;
    name += length - tail;
    return strncmp(name, mark, strlen(mark)) == 0 &&
           strspn(name + strlen(mark), "0123456789abcdef") == MARK_DIGITS;
}

// While a writer lives it holds the lock. Writing is asked for because NFS locks for no less.
static void remove_unlocked(int folder, const char *name)
{
    struct stat info;
    int descriptor = openat(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (descriptor < 0)
        return;
    if (fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode) &&
        flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        unlinkat(folder, name, 0);
    close(descriptor);
}

void rn_folder_remove_orphans(const char *folder)
{
    DIR *dir = opendir(folder);

    if (dir == NULL)
        return;
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        if (is_temporary(entry->d_name))
            remove_unlocked(dirfd(dir), entry->d_name);
    closedir(dir);
}
