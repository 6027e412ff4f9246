/** Histories that pages ask for again and again. */
#ifndef DASHBOARD_HISTORY_CACHE_H
#define DASHBOARD_HISTORY_CACHE_H

#include "report/history_reader.h"

enum {
    CACHED_HISTORIES = 64,
    CACHED_POINTS = 500000, // some 40 MB
    LARGEST_LOG = 1 << 30,  // bytes
    MOST_POINTS = 2000000   // of one history
};

/** A log that is too large is not read again: it only grows. */
typedef struct rn_refused_log {
    dev_t device;
    ino_t inode;
    off_t size;
    char *why;
} rn_refused_log;

typedef struct rn_cached_history {
    char *name;
    rn_history *history; // NULL: its log was refused
    rn_refused_log refused;
    uint64_t used; // when last, in calls
} rn_cached_history;

typedef struct rn_history_cache {
    rn_cached_history entries[CACHED_HISTORIES];
    int count;
    uint64_t calls;
} rn_history_cache;

/**
 * The history of the run `name` as it is now; borrowed until the next call. Those that have waited
 * longest go where all together have more than CACHED_POINTS points; of a single one the guard
 * bounds them.
 *
 * @param guard  The same at each call, until rn_history_cache_release().
 * @return As history_read_guarded(), of a log that was too large without reading it, until it is
 *         shorter or another one.
 */
rn_status rn_history_cache_get(rn_history_cache *cache, const rn_history **out,
                               const history_guard *guard, const char *name);
void rn_history_cache_release(rn_history_cache *cache);

#endif
