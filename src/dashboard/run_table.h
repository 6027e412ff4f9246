/** The runs in a folder, kept up to date at little cost. */
#ifndef DASHBOARD_RUN_TABLE_H
#define DASHBOARD_RUN_TABLE_H

#include "dashboard/glance.h"

enum { RUN_VERSION = 64, MOST_RUNS = 10000 };

typedef struct rn_listed_run {
    char *name;
    char version[RUN_VERSION]; // another one whenever the log is
    double modified;           // seconds since 1970
    rn_glance glance;
    off_t size; // of the log, as far as `glance` is of it
    uint64_t inode;
    bool seen;
} rn_listed_run;

typedef struct rn_run_table {
    char *root; // folder, as the user may be shown it
    char *only; // the one run to list; NULL: all
    int descriptor;
    rn_listed_run *runs; // by name, numbers in it by value
    size_t count, room;
    bool truncated;            // there are more than MOST_RUNS
    char version[RUN_VERSION]; // of all of it
    double updated;            // rn_clock(); 0: never
    double pause;              // seconds that the next look at the folder waits
} rn_run_table;

/** Zero-initialise first, descriptor -1. RN_OK; RN_ENOTFOUND; RN_EIO; RN_ENOMEM. */
rn_status rn_run_table_open(rn_run_table *table, const char *root, const char *only);
void rn_run_table_release(rn_run_table *table);

/**
 * Look for new runs, and at logs that have changed, unless that was done a moment ago: half a
 * second, and 50 times the processor time that it took. A run is a folder with a log.jsonl, neither
 * of them a symbolic link: nothing outside of `root` is read. Where another folder has come in the
 * place of `root`, that is opened, and `descriptor` is another number.
 *
 * @return RN_OK; RN_ENOTFOUND (the folder has gone); RN_EIO; RN_ENOMEM.
 */
rn_status rn_run_table_update(rn_run_table *table);

/** NULL: no such run. */
const rn_listed_run *rn_run_table_find(const rn_run_table *table, const char *name);

/** Open a file of a run for reading: regular, no link. A descriptor, or -1 and errno. */
int rn_run_table_open_file(const rn_run_table *table, const char *name, const char *file);

#endif
