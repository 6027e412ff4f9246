/** Sizes of the data caches. */
#ifndef ENGINE_CPU_CACHE_H
#define ENGINE_CPU_CACHE_H

#include <stddef.h>

/**
 * Bytes that the caches of one level hold for this many threads, each on a processor of its own: of
 * a shared cache, as many as the threads need. 0 where the system does not say.
 *
 * Linux's own account (sysfs) is taken, because sysconf() of some C libraries counts the last cache
 * of some processors several times.
 */
size_t rn_cache_bytes(int level, int threads);

#endif
