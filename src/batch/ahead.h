/** Things that worker threads make ahead of their use, in order: a ring of slots. */
#ifndef BATCH_AHEAD_H
#define BATCH_AHEAD_H

#include "resnet/base.h"

typedef struct rn_ahead rn_ahead;

/** Thing number n, from 0 on, lives in slot n % slots; what a slot holds is the owner's. */
typedef struct rn_ahead_options {
    int workers; // threads, 1 .. 64
    int slots;   // things in work, ready or in use at most, at least 1
    /**
     * Find out what thing `number` is, in order. Called by one worker at a time, which may wait.
     * *more false: there are no more. A failure ends the sequence, too.
     */
    rn_status (*take)(bool *more, uint64_t number, void *context);
    /** Make it. Called by several workers at a time; a failure is for the slot to tell. */
    void (*make)(uint64_t number, void *context);
    /** It is not used any more: empty its slot. */
    void (*empty)(uint64_t number, void *context);
    void *context;
} rn_ahead_options;

/** RN_EINVAL (workers); RN_ENOMEM. *out is NULL on failure. */
rn_status rn_ahead_create(rn_ahead **out, const rn_ahead_options *options);

/** Waits for the calls that are under way. Slots that are in use stay as they are. */
void rn_ahead_free(rn_ahead *ahead);

/**
 * Wait until a thing is made. It may be used until it is released.
 *
 * @param[out] there  False: there are not so many.
 * @param number      Less than `slots` above the first that was not released.
 * @return RN_OK; what options.take gave, where the sequence ended with a failure before it.
 */
rn_status rn_ahead_wait(rn_ahead *ahead, uint64_t number, bool *there);

/** All things before `end` are used no more, which makes room for others. */
void rn_ahead_release(rn_ahead *ahead, uint64_t end);

#endif
