/** The pages that are open, so that none misses the end of what it was opened for. */
#ifndef DASHBOARD_AUDIENCE_H
#define DASHBOARD_AUDIENCE_H

#include "resnet/base.h"

#include <pthread.h>

enum { MOST_PAGES = 64, PAGE_NAME = 32 };

/** Zeroes but for the lock: PTHREAD_MUTEX_INITIALIZER. */
typedef struct rn_audience {
    pthread_mutex_t lock; // the server's thread writes, another waits
    struct {
        char name[PAGE_NAME + 1]; // that the page has given itself
        double asked;             // when last, rn_clock()
        bool told;                // has all that there is
    } pages[MOST_PAGES];
    int count;
    bool ending; // nothing new will come
} rn_audience;

/** From now on nothing new will come. */
void rn_audience_end(rn_audience *audience);

/** Whether rn_audience_end() has been called. */
bool rn_audience_ending(rn_audience *audience);

/**
 * A page asks for the list; where there are more than MOST_PAGES, who asked longest ago is
 * forgotten.
 *
 * @param told  It has the list as it is now, with what belongs to it, and nothing new will come.
 */
void rn_audience_note(rn_audience *audience, const char *page, bool told);

/** Whether a page that asked in the last seconds has not been told all. */
bool rn_audience_waits(rn_audience *audience);

#endif
