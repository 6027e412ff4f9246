/** Threads that work beside the one that started them. */
#ifndef BASE_WORKERS_H
#define BASE_WORKERS_H

#include "resnet/base.h"

#include <pthread.h>

enum { RN_MOST_WORKERS = 64 };

typedef struct rn_workers {
    pthread_t threads[RN_MOST_WORKERS];
    int started;
} rn_workers;

/** RN_EINVAL unless 1 to 64; `what` they do ("decoding") is for the message. */
rn_status rn_workers_check(int count, const char *what);

/**
 * Start so many threads that all run `run`, with signals blocked: these are the main thread's
 * business, and a worker that caught one would only delay it.
 *
 * @param workers  All zero. rn_workers_join() is due whether this fails or not.
 * @return RN_OK; RN_EINVAL (as rn_workers_check()); RN_ENOMEM.
 */
rn_status rn_workers_start(rn_workers *workers, int count, const char *what, void *(*run)(void *),
                           void *context);

/** Wait until those that were started have ended; whoever calls sees to it that they do. */
void rn_workers_join(rn_workers *workers);

#endif
