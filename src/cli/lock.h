/** Files that stand for what one process at a time may do. */
#ifndef CLI_LOCK_H
#define CLI_LOCK_H

#include "resnet/base.h"

/**
 * Claim a file, which is made if missing, by an exclusive lock; it lasts until the descriptor is
 * closed everywhere. The file is to stay: where it is deleted, two processes can each hold a lock
 * of that name.
 *
 * @param[out] lock  The descriptor, the caller's (close()); -1 if another process has it, and on
 *                   failure.
 * @param needed     Fail on a file system without locks; else the file is opened without.
 * @return RN_OK; RN_EIO.
 */
rn_status cli_lock_file(int *lock, const char *path, bool needed);

/**
 * The same with `needed`, but wait until it is free, and say `why`. RN_EINTERRUPTED: a signal came
 * meanwhile.
 */
rn_status cli_lock_file_wait(int *lock, const char *path, const char *why);

#endif
