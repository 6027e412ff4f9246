/** Memory that runs out, for sweeps over how much of it there is. */
#ifndef TESTS_ALLOW_SOME_H
#define TESTS_ALLOW_SOME_H

#include "base/memory.h"

/** For rn_alloc_hook_set(): the first *context allocations, an int, are granted, and no more. */
static inline bool allow_some(size_t bytes, void *context)
{
    (void)bytes;
    return (*(int *)context)-- > 0;
}

#endif
