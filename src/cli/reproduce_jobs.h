/** Running a reproduction's jobs: several processes, resumable, beside other callers. */
#ifndef CLI_REPRODUCE_JOBS_H
#define CLI_REPRODUCE_JOBS_H

#include "cli/child.h"

typedef struct cli_reproduce_run {
    const rn_reproduction *reproduction;
    const char *folder;
    int processes;
    size_t memory; // most bytes that a measured step may take; larger ones are left out
    bool quiet;
} cli_reproduce_run;

/**
 * Do every job that is not done: each is claimed by a lock on runs/NAME.lock, so that several
 * callers share a folder. Jobs that fail do not stop the others.
 *
 * @return RN_OK; RN_EINTERRUPTED (children have saved and ended); RN_EIO; RN_ENOMEM.
 */
rn_status cli_reproduce_jobs(const cli_reproduce_run *run);

/**
 * Claim a file by an exclusive lock, which lasts until the descriptor is closed everywhere.
 *
 * @param[out] lock  The descriptor, or -1 if another process has it.
 */
rn_status cli_lock_file(int *lock, const char *path);

/** The same, but wait until it is free, and say `why`. RN_EINTERRUPTED: a signal came meanwhile. */
rn_status cli_lock_file_wait(int *lock, const char *path, const char *why);

#endif
