#include "cli/lock.h"

#include "cli/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

static bool has_no_locks(int error)
{
    return error == ENOLCK || error == ENOSYS || error == EOPNOTSUPP;
}

rn_status cli_lock_file(int *lock, const char *path, bool needed)
{
    rn_status st = RN_OK;

    *lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (*lock < 0)
        return rn_error(RN_EIO, "cannot open '%s': %s", path, strerror(errno));
    if (flock(*lock, LOCK_EX | LOCK_NB) == 0 || (!needed && has_no_locks(errno)))
        return RN_OK;
    if (errno != EWOULDBLOCK)
        st = rn_error(RN_EIO, "cannot lock '%s': %s", path, strerror(errno));
    close(*lock);
    *lock = -1;
    return st;
}

// A blocking flock() would not come back at a signal.
rn_status cli_lock_file_wait(int *lock, const char *path, const char *why)
{
    const struct timespec pause = {.tv_nsec = 50000000};
    bool said = false;

    for (;;) {
        rn_status st = cli_lock_file(lock, path, true);
        if (st != RN_OK || *lock >= 0)
            return st;
        if (cli_signal() != 0)
            return rn_error(RN_EINTERRUPTED, "interrupted");
        if (!said)
            fprintf(stderr, "resnet: note: waiting for another process that has '%s': %s\n", path,
                    why);
        said = true;
        nanosleep(&pause, NULL);
    }
}
