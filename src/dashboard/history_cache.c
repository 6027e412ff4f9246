#include "dashboard/history_cache.h"

#include "base/memory.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static size_t points_of(const rn_history *history)
{
    return history == NULL ? 0
                           : history->step_count + history->evaluation_count + history->note_count;
}

static void release_entry(rn_cached_history *entry)
{
    rn_free(entry->name);
    rn_free(entry->refused.why);
    rn_history_free(entry->history);
    *entry = (rn_cached_history){0};
}

static void drop(rn_history_cache *cache, int index)
{
    release_entry(&cache->entries[index]);
    cache->entries[index] = cache->entries[--cache->count];
}

void rn_history_cache_release(rn_history_cache *cache)
{
    while (cache->count > 0)
        drop(cache, 0);
}

static int oldest(const rn_history_cache *cache)
{
    int found = 0;

    for (int i = 1; i < cache->count; i++)
        if (cache->entries[i].used < cache->entries[found].used)
            found = i;
    return found;
}

// What was asked for last stays.
static void trim(rn_history_cache *cache)
{
    size_t points = 0;

    for (int i = 0; i < cache->count; i++)
        points += points_of(cache->entries[i].history);
    while (cache->count > 1 && points > CACHED_POINTS) {
        int index = oldest(cache);
        points -= points_of(cache->entries[index].history);
        drop(cache, index);
    }
}

// False where there is none.
static rn_status find_log(bool *found, struct stat *info, const history_guard *guard,
                          const char *name)
{
    rn_status st;
    char *path = NULL;

    RN_TRY(rn_format(&path, "%s/log.jsonl", name));
    *found = fstatat(guard->root, path, info, AT_SYMLINK_NOFOLLOW) == 0;
out:
    rn_free(path);
    return st;
}

// Keep the error in force as the answer, if it is that the log is too large.
static rn_status note_refusal(rn_cached_history *entry, const history_guard *guard)
{
    rn_status st;
    bool found = false;
    struct stat info;

    if (strstr(rn_error_message(), "too large") == NULL)
        return RN_OK;
    RN_TRY(rn_strdup(&entry->refused.why, rn_error_message()));
    RN_TRY(find_log(&found, &info, guard, entry->name));
    if (found) {
        entry->refused.device = info.st_dev;
        entry->refused.inode = info.st_ino;
        entry->refused.size = info.st_size;
    }
out:
    return st;
}

static rn_status is_still_refused(bool *still, const rn_cached_history *entry,
                                  const history_guard *guard)
{
    struct stat info;
    const rn_refused_log *refused = &entry->refused;
    rn_status st = find_log(still, &info, guard, entry->name);

    *still = st == RN_OK && *still && info.st_dev == refused->device &&
             info.st_ino == refused->inode && info.st_size >= refused->size;
    return st;
}

// A new entry, of a history or of a refusal.
static rn_status read_new(rn_history_cache *cache, const rn_history **out,
                          const history_guard *guard, const char *name)
{
    rn_status st;
    rn_cached_history entry = {.used = ++cache->calls};

    RN_TRY(rn_strdup(&entry.name, name));
    st = history_read_guarded(&entry.history, name, guard);
    if (st == RN_EFORMAT) {
        RN_TRY(note_refusal(&entry, guard));
        st = RN_EFORMAT;
    }
    if (st != RN_OK && entry.refused.why == NULL)
        goto out;
    if (cache->count == CACHED_HISTORIES)
        drop(cache, oldest(cache));
    *out = entry.history;
    cache->entries[cache->count++] = entry;
    entry = (rn_cached_history){0}; // now the cache's
    trim(cache);
out:
    release_entry(&entry);
    return st;
}

static rn_status get_known(rn_history_cache *cache, const rn_history **out,
                           const history_guard *guard, int index)
{
    rn_status st;
    rn_cached_history *entry = &cache->entries[index];

    if (entry->history == NULL)
        return rn_error(RN_EFORMAT, "%s", entry->refused.why);
    st = rn_history_refresh(entry->history, NULL);
    if (st == RN_EFORMAT) {
        rn_history_free(entry->history);
        entry->history = NULL;
        RN_TRY(note_refusal(entry, guard));
        st = RN_EFORMAT;
    }
out:
    if (st == RN_OK)
        *out = entry->history;
    else if (entry->refused.why == NULL)
        drop(cache, index);
    return st;
}

rn_status rn_history_cache_get(rn_history_cache *cache, const rn_history **out,
                               const history_guard *guard, const char *name)
{
    rn_status st;

    *out = NULL;
    for (int i = 0; i < cache->count; i++) {
        bool still = true;
        rn_cached_history *entry = &cache->entries[i];
        if (strcmp(entry->name, name) != 0)
            continue;
        if (entry->history == NULL)
            RN_TRY(is_still_refused(&still, entry, guard));
        if (!still) {
            drop(cache, i);
            break;
        }
        entry->used = ++cache->calls;
        st = get_known(cache, out, guard, i);
        trim(cache);
        return st;
    }
    st = read_new(cache, out, guard, name);
out:
    return st;
}
