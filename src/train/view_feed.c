// Workers take pictures in the order of the set, each into the slot of its index, as long as there
// is room; only who makes a picture ready, and when, is up to the threads.
#include "train/view_feed.h"

#include "base/memory.h"
#include "data/photos.h"
#include "data/samples.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { MOST_WORKERS = 64 };

typedef struct slot {
    rn_view_picture picture;
    bool ready;
} slot;

struct rn_view_feed {
    const rn_samples *samples;
    rn_view_feed_options options;
    rn_views views;
    slot *slots; // picture i lives in slots[i % ahead]
    pthread_t threads[MOST_WORKERS];
    int started;

    pthread_mutex_t lock; // guards all that follows, and the slots' `ready`
    pthread_cond_t room, ready;
    size_t claimed, released; // pictures, from the first on
    bool stop;
};

static void prefix_name(rn_status st, const rn_samples *samples, size_t index)
{
    if (samples->photos != NULL)
        rn_photos_blame(st, samples->photos, index);
    else
        rn_error_prefix(st, "%s, image %zu", samples->name, index);
}

static bool same_size(const rn_cut *a, const rn_cut *b)
{
    return a->resized_height == b->resized_height && a->resized_width == b->resized_width;
}

// Views in a row that are cut out of one size share the picture.
static rn_status resize_all(const rn_view_feed *feed, rn_view_picture *picture,
                            const rn_image *image)
{
    rn_status st = RN_OK;
    rn_resize_options options = {.channels = feed->options.channels, .filter = feed->views.filter};

    for (int i = 0; i < picture->count; i++) {
        const rn_cut *cut = &picture->cuts[i];
        options.width = cut->resized_width;
        options.height = cut->resized_height;
        if (i > 0 && same_size(cut, cut - 1))
            picture->resized[i] = picture->resized[i - 1];
        else
            RN_TRY(rn_image_resize(&picture->resized[i], image, &options));
    }
out:
    return st;
}

static void release_picture(rn_view_picture *picture)
{
    for (int i = 0; i < picture->count; i++)
        if (i == 0 || picture->resized[i] != picture->resized[i - 1])
            rn_image_free(picture->resized[i]);
    memset(picture->resized, 0, sizeof picture->resized);
    picture->count = 0;
}

static rn_status make_views(const rn_view_feed *feed, rn_view_picture *picture, size_t index)
{
    rn_status st = RN_OK;
    rn_image *image = NULL;

    RN_TRY(rn_samples_picture(&image, feed->samples, index, NULL));
    st = rn_views_list(picture->cuts, &picture->count, &feed->views, image->height, image->width);
    if (st == RN_OK)
        st = resize_all(feed, picture, image);
    if (st != RN_OK)
        prefix_name(st, feed->samples, index);
out:
    rn_image_free(image);
    return st;
}

static void make_ready(const rn_view_feed *feed, rn_view_picture *picture, size_t index)
{
    picture->status = make_views(feed, picture, index);
    if (picture->status == RN_OK)
        return;
    release_picture(picture);
    snprintf(picture->message, sizeof picture->message, "%s", rn_error_message());
}

static bool has_room(const rn_view_feed *feed)
{
    return feed->claimed - feed->released < (size_t)feed->options.ahead;
}

static void *worker(void *argument)
{
    rn_view_feed *feed = argument;

    pthread_mutex_lock(&feed->lock);
    for (;;) {
        while (!feed->stop && feed->claimed < feed->samples->count && !has_room(feed))
            pthread_cond_wait(&feed->room, &feed->lock);
        if (feed->stop || feed->claimed >= feed->samples->count)
            break;
        size_t index = feed->claimed++;
        slot *target = &feed->slots[index % (size_t)feed->options.ahead];
        pthread_mutex_unlock(&feed->lock);
        make_ready(feed, &target->picture, index);
        pthread_mutex_lock(&feed->lock);
        target->ready = true;
        pthread_cond_broadcast(&feed->ready);
    }
    pthread_mutex_unlock(&feed->lock);
    return NULL;
}

// Signals are the main thread's business; a worker that caught one would only delay it.
static rn_status start_workers(rn_view_feed *feed)
{
    sigset_t all, before;
    int error = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (feed->started < feed->options.workers && error == 0) {
        error = pthread_create(&feed->threads[feed->started], NULL, worker, feed);
        feed->started += error == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        return rn_error(RN_ENOMEM, "cannot start decoding thread %d of %d: %s", feed->started + 1,
                        feed->options.workers, strerror(error));
    return RN_OK;
}

rn_status rn_view_feed_create(rn_view_feed **out, const rn_samples *samples,
                              const rn_view_feed_options *options)
{
    rn_status st = RN_OK;
    rn_view_feed *feed = NULL;

    *out = NULL;
    if (options->workers < 1 || options->workers > MOST_WORKERS)
        return rn_error(RN_EINVAL, "number of decoding threads is %d, expected 1 to %d",
                        options->workers, MOST_WORKERS);
    RN_TRY(RN_NEW(&feed, 1));
    feed->samples = samples;
    feed->options = *options;
    feed->views = *options->views;
    pthread_mutex_init(&feed->lock, NULL); // cannot fail without attributes
    pthread_cond_init(&feed->room, NULL);
    pthread_cond_init(&feed->ready, NULL);
    RN_TRY(RN_NEW(&feed->slots, (size_t)options->ahead));
    RN_TRY(start_workers(feed));
    *out = feed;
    feed = NULL; // now the caller's
out:
    rn_view_feed_free(feed);
    return st;
}

static void stop_workers(rn_view_feed *feed)
{
    pthread_mutex_lock(&feed->lock);
    feed->stop = true;
    pthread_cond_broadcast(&feed->room);
    pthread_mutex_unlock(&feed->lock);
    for (int i = 0; i < feed->started; i++)
        pthread_join(feed->threads[i], NULL);
}

void rn_view_feed_free(rn_view_feed *feed)
{
    if (feed == NULL)
        return;
    stop_workers(feed);
    for (int i = 0; feed->slots != NULL && i < feed->options.ahead; i++)
        release_picture(&feed->slots[i].picture);
    rn_free(feed->slots);
    pthread_cond_destroy(&feed->ready);
    pthread_cond_destroy(&feed->room);
    pthread_mutex_destroy(&feed->lock);
    rn_free(feed);
}

const rn_view_picture *rn_view_feed_wait(rn_view_feed *feed, size_t index)
{
    slot *wanted = &feed->slots[index % (size_t)feed->options.ahead];

    pthread_mutex_lock(&feed->lock);
    while (!wanted->ready)
        pthread_cond_wait(&feed->ready, &feed->lock);
    pthread_mutex_unlock(&feed->lock);
    return &wanted->picture;
}

void rn_view_feed_release(rn_view_feed *feed, size_t end)
{
    pthread_mutex_lock(&feed->lock);
    for (; feed->released < end; feed->released++) {
        slot *old = &feed->slots[feed->released % (size_t)feed->options.ahead];
        release_picture(&old->picture);
        old->ready = false;
    }
    pthread_cond_broadcast(&feed->room);
    pthread_mutex_unlock(&feed->lock);
}
