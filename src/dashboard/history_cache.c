#include "dashboard/history_cache.h"

#include "base/memory.h"

#include <string.h>

static size_t points_of(const rn_history *history)
{
    return history->step_count + history->evaluation_count + history->note_count;
}

static void drop(rn_history_cache *cache, int index)
{
    rn_free(cache->entries[index].name);
    rn_history_free(cache->entries[index].history);
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

static rn_status read_new(rn_history_cache *cache, const rn_history **out,
                          const history_guard *guard, const char *name)
{
    rn_status st;
    rn_cached_history entry = {.used = ++cache->calls};

    if (cache->count == CACHED_HISTORIES)
        drop(cache, oldest(cache));
    RN_TRY(rn_strdup(&entry.name, name));
    RN_TRY(history_read_guarded(&entry.history, name, guard));
    *out = entry.history;
    cache->entries[cache->count++] = entry;
    entry.name = NULL; // now the cache's
    trim(cache);
out:
    rn_free(entry.name);
    return st;
}

rn_status rn_history_cache_get(rn_history_cache *cache, const rn_history **out,
                               const history_guard *guard, const char *name)
{
    rn_status st;

    *out = NULL;
    for (int i = 0; i < cache->count; i++) {
        rn_cached_history *entry = &cache->entries[i];
        if (strcmp(entry->name, name) != 0)
            continue;
        st = rn_history_refresh(entry->history, NULL);
        if (st != RN_OK) {
            drop(cache, i);
            return st;
        }
        entry->used = ++cache->calls;
        *out = entry->history;
        trim(cache);
        return RN_OK;
    }
    return read_new(cache, out, guard, name);
}
