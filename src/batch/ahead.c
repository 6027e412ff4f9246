// Numbers are given out in order, by one worker at a time, so that order does not depend on who
// makes what, and when.
#include "batch/ahead.h"

#include "base/memory.h"
#include "base/text.h"
#include "base/workers.h"

#include <stdio.h>

struct rn_ahead {
    rn_ahead_options options;
    rn_workers workers;

    pthread_mutex_t source; // held while the next thing is awaited; taken before `lock`
    pthread_mutex_t lock;   // guards all that follows
    pthread_cond_t room, made;
    bool *ready;       // [slots]
    uint64_t released; // the first thing in the ring
    uint64_t claimed;  // the next to be given out
    bool ended, stop;  // there are no more; nobody wants them
    rn_status failure; // of options.take
    char message[RN_MESSAGE_BYTES];
};

static bool *ready_of(rn_ahead *ahead, uint64_t number)
{
    return &ahead->ready[number % (uint64_t)ahead->options.slots];
}

// With `source` held: wait for room. False: nothing is left to do.
static bool wait_for_room(rn_ahead *ahead)
{
    pthread_mutex_lock(&ahead->lock);
    while (!ahead->stop && !ahead->ended &&
           ahead->claimed - ahead->released >= (uint64_t)ahead->options.slots)
        pthread_cond_wait(&ahead->room, &ahead->lock);
    bool go_on = !ahead->stop && !ahead->ended;
    pthread_mutex_unlock(&ahead->lock);
    return go_on;
}

// With `source` held, under which alone `claimed` changes.
static bool take_next(rn_ahead *ahead)
{
    bool more = false;
    rn_status st = ahead->options.take(&more, ahead->claimed, ahead->options.context);

    pthread_mutex_lock(&ahead->lock);
    more = more && st == RN_OK;
    ahead->ended = !more;
    ahead->failure = st;
    if (st != RN_OK)
        snprintf(ahead->message, sizeof ahead->message, "%s", rn_error_message());
    ahead->claimed += more;
    pthread_cond_broadcast(&ahead->made); // or there is nothing to wait for
    pthread_mutex_unlock(&ahead->lock);
    return more;
}

static bool claim(rn_ahead *ahead, uint64_t *number)
{
    pthread_mutex_lock(&ahead->source);
    bool more = wait_for_room(ahead) && take_next(ahead);
    *number = ahead->claimed - 1;
    pthread_mutex_unlock(&ahead->source);
    return more;
}

static void *worker(void *argument)
{
    rn_ahead *ahead = argument;
    uint64_t number;

    while (claim(ahead, &number)) {
        ahead->options.make(number, ahead->options.context);
        pthread_mutex_lock(&ahead->lock);
        *ready_of(ahead, number) = true;
        pthread_cond_broadcast(&ahead->made);
        pthread_mutex_unlock(&ahead->lock);
    }
    return NULL;
}

rn_status rn_ahead_create(rn_ahead **out, const rn_ahead_options *options)
{
    rn_status st = RN_OK;
    rn_ahead *ahead = NULL;

    *out = NULL;
    RN_TRY(RN_NEW(&ahead, 1));
    ahead->options = *options;
    pthread_mutex_init(&ahead->source, NULL); // cannot fail without attributes
    pthread_mutex_init(&ahead->lock, NULL);
    pthread_cond_init(&ahead->room, NULL);
    pthread_cond_init(&ahead->made, NULL);
    RN_TRY(RN_NEW(&ahead->ready, (size_t)options->slots));
    RN_TRY(rn_workers_start(&ahead->workers, options->workers, "decoding", worker, ahead));
    *out = ahead;
    ahead = NULL; // now the caller's
out:
    rn_ahead_free(ahead);
    return st;
}

void rn_ahead_free(rn_ahead *ahead)
{
    if (ahead == NULL)
        return;
    pthread_mutex_lock(&ahead->lock);
    ahead->stop = true;
    pthread_cond_broadcast(&ahead->room);
    pthread_mutex_unlock(&ahead->lock);
    rn_workers_join(&ahead->workers);
    rn_free(ahead->ready);
    pthread_cond_destroy(&ahead->room);
    pthread_cond_destroy(&ahead->made);
    pthread_mutex_destroy(&ahead->lock);
    pthread_mutex_destroy(&ahead->source);
    rn_free(ahead);
}

rn_status rn_ahead_wait(rn_ahead *ahead, uint64_t number, bool *there)
{
    rn_status st = RN_OK;

    pthread_mutex_lock(&ahead->lock);
    while (!*ready_of(ahead, number) && !(ahead->ended && ahead->claimed <= number))
        pthread_cond_wait(&ahead->made, &ahead->lock);
    *there = ahead->claimed > number;
    if (!*there && ahead->failure != RN_OK)
        st = rn_error(ahead->failure, "%s", ahead->message);
    pthread_mutex_unlock(&ahead->lock);
    return st;
}

void rn_ahead_release(rn_ahead *ahead, uint64_t end)
{
    pthread_mutex_lock(&ahead->lock);
    for (; ahead->released < end; ahead->released++) {
        ahead->options.empty(ahead->released, ahead->options.context);
        *ready_of(ahead, ahead->released) = false;
    }
    pthread_cond_broadcast(&ahead->room);
    pthread_mutex_unlock(&ahead->lock);
}
