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

#endif
