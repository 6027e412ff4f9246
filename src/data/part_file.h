/** Files in the making, "NAME.part", of which one process at a time is the writer. */
#ifndef DATA_PART_FILE_H
#define DATA_PART_FILE_H

#include "resnet/base.h"

/**
 * Open a part for reading and writing, or create it, and lock it until the descriptor is closed.
 * Where the file system has no locks it is opened without.
 *
 * @param[out] descriptor  The caller's (close()); -1 on failure.
 * @return RN_OK; RN_ENOTFOUND (no such folder); RN_EIO (also for a link or what else is no regular
 *         file, and where another process is writing it or has just given it its name).
 */
rn_status rn_part_open(int *descriptor, const char *path);

/** Give a whole part its name, for good: both are on disk then. RN_OK; RN_EIO. */
rn_status rn_part_finish(int descriptor, const char *part, const char *path);

#endif
