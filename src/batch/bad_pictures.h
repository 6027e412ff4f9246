/** Pictures of a set that could not be read: each is told of once, whichever thread met it. */
#ifndef BATCH_BAD_PICTURES_H
#define BATCH_BAD_PICTURES_H

#include "resnet/base.h"

#include <pthread.h>

typedef struct rn_bad_pictures {
    pthread_mutex_t lock;
    size_t count;   // samples of the set
    uint8_t *known; // [count / 8] bits; NULL until the first
    char **told;    // messages not taken yet, oldest first
    size_t waiting, room;
} rn_bad_pictures;

void rn_bad_pictures_init(rn_bad_pictures *bad, size_t count);
void rn_bad_pictures_release(rn_bad_pictures *bad);

/** Note a sample with the calling thread's message, unless it is known. RN_OK; RN_ENOMEM. */
rn_status rn_bad_pictures_add(rn_bad_pictures *bad, size_t sample);

/** Whether a sample is known to be bad. */
bool rn_bad_pictures_has(rn_bad_pictures *bad, size_t sample);

/** The oldest message not taken yet, the caller's (rn_text_free()); NULL if there is none. */
char *rn_bad_pictures_take(rn_bad_pictures *bad);

#endif
