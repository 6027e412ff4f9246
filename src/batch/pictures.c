// Workers take names from one source and fill a ring of items. Sequence numbers are given out with
// the names, so that order does not depend on who decodes what, and when.
#include "resnet/batch.h"

#include "base/memory.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WORKERS = 64, MOST_AHEAD = 65536, USUAL_AHEAD = 32, MESSAGE = 1024 };

typedef struct item {
    bool ready;
    char *name; // of the source: free()
    float *input;
    rn_image *image;
    rn_status status;
    char message[MESSAGE];
    rn_picture shown;
} item;

struct rn_pictures {
    const rn_preprocess *preprocess;
    rn_pictures_options options;
    int slots;
    item *items; // number i lives in items[i % slots]
    pthread_t *threads;
    int started;

    pthread_mutex_t source; // held while a name is awaited; taken before `lock`
    pthread_mutex_t lock;   // guards all that follows, and the items' `ready`
    pthread_cond_t room, ready;
    uint64_t oldest;   // in the ring: the borrowed or the next one
    uint64_t claimed;  // next to be given out
    bool borrowed;     // oldest is in the caller's hands
    bool ended, stop;  // no more names; nobody wants them
    rn_status failure; // of the source
    char message[MESSAGE];
};

static item *item_of(rn_pictures *pictures, uint64_t number)
{
    return &pictures->items[number % (uint64_t)pictures->slots];
}

static void note_failure(char *message, const char *text)
{
    snprintf(message, MESSAGE, "%s", text);
}

// With `source` held: wait for room. False: nothing is left to do.
static bool wait_for_room(rn_pictures *pictures)
{
    pthread_mutex_lock(&pictures->lock);
    while (!pictures->stop && !pictures->ended &&
           pictures->claimed - pictures->oldest >= (uint64_t)pictures->slots)
        pthread_cond_wait(&pictures->room, &pictures->lock);
    bool go_on = !pictures->stop && !pictures->ended;
    pthread_mutex_unlock(&pictures->lock);
    return go_on;
}

// Take the next name and its place; NULL: there is none.
static item *claim(rn_pictures *pictures)
{
    char *name = NULL;
    item *claimed = NULL;

    pthread_mutex_lock(&pictures->source);
    if (wait_for_room(pictures)) {
        rn_status st = pictures->options.next(&name, pictures->options.context);
        pthread_mutex_lock(&pictures->lock);
        pictures->ended = st != RN_OK || name == NULL;
        pictures->failure = st;
        if (st != RN_OK)
            note_failure(pictures->message, rn_error_message());
        if (!pictures->ended) {
            claimed = item_of(pictures, pictures->claimed++);
            claimed->name = name;
        }
        pthread_cond_broadcast(&pictures->ready);
        pthread_mutex_unlock(&pictures->lock);
    }
    pthread_mutex_unlock(&pictures->source);
    return claimed;
}

static rn_status prepare(const rn_pictures *pictures, item *work)
{
    const rn_pictures_options *options = &pictures->options;
    rn_status st = options->open != NULL ? options->open(&work->image, work->name, options->context)
                                         : rn_image_open(&work->image, work->name);

    if (st != RN_OK)
        return st;
    st = rn_preprocess_image(pictures->preprocess, work->input, work->image);
    if (st != RN_OK)
        rn_error_prefix(st, "'%s'", work->name);
    if (st != RN_OK || !options->keep) {
        rn_image_free(work->image);
        work->image = NULL;
    }
    return st;
}

static void *worker(void *argument)
{
    rn_pictures *pictures = argument;
    item *work;

    while ((work = claim(pictures)) != NULL) {
        work->status = prepare(pictures, work);
        if (work->status != RN_OK)
            note_failure(work->message, rn_error_message());
        pthread_mutex_lock(&pictures->lock);
        work->ready = true;
        pthread_cond_broadcast(&pictures->ready);
        pthread_mutex_unlock(&pictures->lock);
    }
    return NULL;
}

static rn_status check(const rn_pictures_options *options)
{
    if (options->workers < 1 || options->workers > MOST_WORKERS)
        return rn_error(RN_EINVAL, "number of decoding threads is %d, expected 1 to %d",
                        options->workers, MOST_WORKERS);
    if (options->ahead < 1 || options->ahead > MOST_AHEAD)
        return rn_error(RN_EINVAL, "pictures ahead are %d, expected 1 to %d", options->ahead,
                        MOST_AHEAD);
    return RN_OK;
}

static rn_status make_items(rn_pictures *pictures)
{
    rn_status st = RN_OK;
    const rn_preprocess *p = pictures->preprocess;
    size_t floats = (size_t)p->channels * (size_t)p->height * (size_t)p->width;

    pictures->slots = pictures->options.ahead + 1; // one is in the caller's hands
    RN_TRY(RN_NEW(&pictures->items, (size_t)pictures->slots));
    for (int i = 0; i < pictures->slots; i++)
        RN_TRY(RN_NEW(&pictures->items[i].input, floats));
    RN_TRY(RN_NEW(&pictures->threads, (size_t)pictures->options.workers));
out:
    return st;
}

// Signals are the main thread's business.
static rn_status start_workers(rn_pictures *pictures)
{
    sigset_t all, before;
    int error = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (pictures->started < pictures->options.workers && error == 0) {
        error = pthread_create(&pictures->threads[pictures->started], NULL, worker, pictures);
        pictures->started += error == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        return rn_error(RN_ENOMEM, "cannot start decoding thread %d of %d: %s",
                        pictures->started + 1, pictures->options.workers, strerror(error));
    return RN_OK;
}

rn_status rn_pictures_create(rn_pictures **out, const rn_preprocess *preprocess,
                             const rn_pictures_options *options)
{
    rn_status st = RN_OK;
    rn_pictures *pictures = NULL;
    rn_pictures_options full = *options;

    *out = NULL;
    full.workers = full.workers == 0 ? 1 : full.workers;
    full.ahead = full.ahead == 0 ? USUAL_AHEAD : full.ahead;
    RN_TRY(check(&full));
    RN_TRY(RN_NEW(&pictures, 1));
    pictures->preprocess = preprocess;
    pictures->options = full;
    pthread_mutex_init(&pictures->source, NULL); // cannot fail without attributes
    pthread_mutex_init(&pictures->lock, NULL);
    pthread_cond_init(&pictures->room, NULL);
    pthread_cond_init(&pictures->ready, NULL);
    RN_TRY(make_items(pictures));
    RN_TRY(start_workers(pictures));
    *out = pictures;
    pictures = NULL; // now the caller's
out:
    rn_pictures_free(pictures);
    return st;
}

static void empty_item(item *work)
{
    free(work->name);
    rn_image_free(work->image);
    work->name = NULL;
    work->image = NULL;
    work->ready = false;
}

static void stop_workers(rn_pictures *pictures)
{
    pthread_mutex_lock(&pictures->lock);
    pictures->stop = true;
    pthread_cond_broadcast(&pictures->room);
    pthread_mutex_unlock(&pictures->lock);
    for (int i = 0; i < pictures->started; i++)
        pthread_join(pictures->threads[i], NULL);
}

void rn_pictures_free(rn_pictures *pictures)
{
    if (pictures == NULL)
        return;
    stop_workers(pictures);
    for (int i = 0; pictures->items != NULL && i < pictures->slots; i++) {
        empty_item(&pictures->items[i]);
        rn_free(pictures->items[i].input);
    }
    rn_free(pictures->items);
    rn_free(pictures->threads);
    pthread_cond_destroy(&pictures->room);
    pthread_cond_destroy(&pictures->ready);
    pthread_mutex_destroy(&pictures->lock);
    pthread_mutex_destroy(&pictures->source);
    rn_free(pictures);
}

static void give_back(rn_pictures *pictures)
{
    empty_item(item_of(pictures, pictures->oldest));
    pictures->oldest++;
    pictures->borrowed = false;
    pthread_cond_broadcast(&pictures->room);
}

// With `lock` held. The oldest is there; or false: no more will come.
static bool wait_for_oldest(rn_pictures *pictures)
{
    while (!item_of(pictures, pictures->oldest)->ready &&
           !(pictures->ended && pictures->claimed == pictures->oldest))
        pthread_cond_wait(&pictures->ready, &pictures->lock);
    return pictures->claimed != pictures->oldest;
}

rn_status rn_pictures_next(rn_pictures *pictures, const rn_picture **picture)
{
    rn_status st = RN_OK;

    *picture = NULL;
    pthread_mutex_lock(&pictures->lock);
    if (pictures->borrowed)
        give_back(pictures);
    if (wait_for_oldest(pictures)) {
        item *oldest = item_of(pictures, pictures->oldest);
        bool good = oldest->status == RN_OK;
        oldest->shown = (rn_picture){oldest->name, oldest->status, good ? "" : oldest->message,
                                     good ? oldest->input : NULL, oldest->image};
        pictures->borrowed = true;
        *picture = &oldest->shown;
    } else if (pictures->failure != RN_OK) {
        st = rn_error(pictures->failure, "%s", pictures->message);
    }
    pthread_mutex_unlock(&pictures->lock);
    return st;
}
