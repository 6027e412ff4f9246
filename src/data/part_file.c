#include "data/part_file.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static rn_status open_error(const char *path)
{
    if (errno == ELOOP)
        return rn_error(RN_EIO, "'%s' is a link, not a regular file", path);
    return rn_error(errno == ENOENT ? RN_ENOTFOUND : RN_EIO, "cannot write '%s': %s", path,
                    strerror(errno));
}

// Between opening and locking another process may have renamed or removed the file.
static rn_status check(int descriptor, const char *path)
{
    struct stat info, named;

    if (fstat(descriptor, &info) != 0)
        return open_error(path);
    if (!S_ISREG(info.st_mode))
        return rn_error(RN_EIO, "'%s' is not a regular file", path);
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return rn_error(RN_EIO, "'%s' is being written by another process", path);
    if (lstat(path, &named) != 0 || named.st_ino != info.st_ino || named.st_dev != info.st_dev)
        return rn_error(RN_EIO, "'%s' was finished by another process just now", path);
    return RN_OK;
}

rn_status rn_part_open(int *descriptor, const char *path)
{
    rn_status st = RN_OK;

    // O_NONBLOCK: opening a device must fail the check, not hang.
    *descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (*descriptor < 0)
        return open_error(path);
    RN_TRY(check(*descriptor, path));
out:
    if (st != RN_OK) {
        close(*descriptor);
        *descriptor = -1;
    }
    return st;
}

rn_status rn_part_finish(int descriptor, const char *part, const char *path)
{
    if (fsync(descriptor) != 0)
        return rn_error(RN_EIO, "cannot sync '%s': %s", part, strerror(errno));
    if (rename(part, path) != 0)
        return rn_error(RN_EIO, "cannot write '%s': %s", path, strerror(errno));
    return rn_folder_sync(path);
}
