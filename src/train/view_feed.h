/** Pictures decoded and resized ahead of the computation, by threads of their own. */
#ifndef TRAIN_VIEW_FEED_H
#define TRAIN_VIEW_FEED_H

#include "resnet/augment.h"

#include "base/text.h"

typedef struct rn_view_feed rn_view_feed;

/** A picture made ready, or why it could not be. */
typedef struct rn_view_picture {
    rn_status status;
    char message[RN_MESSAGE_BYTES]; // of a failure, with the picture's name
    int count;                      // of views
    rn_cut cuts[RN_MAX_CUTS];
    rn_image *resized[RN_MAX_CUTS]; // that each is cut out of
} rn_view_picture;

typedef struct rn_view_feed_options {
    const rn_views *views;
    int channels; // 1 or 3: what the networks take
    int workers;  // 1 .. 64
    int ahead;    // pictures held at once, at least 1
} rn_view_feed_options;

/** @param samples  Borrowed; must outlive the feed. */
rn_status rn_view_feed_create(rn_view_feed **out, const rn_samples *samples,
                              const rn_view_feed_options *options);
/** Waits for the workers to end. */
void rn_view_feed_free(rn_view_feed *feed);

/**
 * Wait for a picture.
 *
 * @param index  Less than `ahead` above the first that was not released.
 * @return Borrowed until it is released. Its failure is in its status.
 */
const rn_view_picture *rn_view_feed_wait(rn_view_feed *feed, size_t index);

/** Give back all pictures before `end`, which make room for others. */
void rn_view_feed_release(rn_view_feed *feed, size_t end);

#endif
