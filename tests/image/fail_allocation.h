/** Make the k-th allocation fail, for sweeps over k. */
#ifndef TESTS_FAIL_ALLOCATION_H
#define TESTS_FAIL_ALLOCATION_H

#include "base/memory.h"

typedef struct fail_allocation {
    int left; // allocations until the one that fails
    bool hit; // it has come
} fail_allocation;

static bool fail_allocation_hook(size_t bytes, void *context)
{
    fail_allocation *plan = context;

    (void)bytes;
    if (plan->left-- != 0)
        return true;
    plan->hit = true;
    return false;
}

static inline void fail_allocation_start(fail_allocation *plan, int which)
{
    *plan = (fail_allocation){which, false};
    rn_alloc_hook_set(fail_allocation_hook, plan);
}

static inline void fail_allocation_stop(void)
{
    rn_alloc_hook_set(NULL, NULL);
}

#endif
