/** A tiny training for tests: resnet-8 on generated images, in a folder of its own under /tmp. */
#ifndef TESTS_TRAIN_TRAINING_H
#define TESTS_TRAIN_TRAINING_H

#include "base/file.h"
#include "base/memory.h"
#include "resnet/resnet.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

typedef struct training {
    char folder[64];
    rn_samples *train, *test;
    rn_recipe recipe;
    rn_train_options options;
    rn_train_result result;
    volatile sig_atomic_t stop;
    uint64_t stop_at; // iteration whose STEP event sets `stop`; 0: never
    int evaluations, notes, best;
    char best_set[32];
    double losses[16], errors[16]; // of the STEP event of each iteration
    char last_note[1200];
} training;

static void training_event(const rn_event *event, void *context)
{
    training *t = context;

    assert_true(event->iterations > 0 || event->kind == RN_EVENT_END); // known from the start on
    if (event->kind == RN_EVENT_STEP && t->stop_at > 0 && event->iteration >= t->stop_at)
        t->stop = 1;
    if (event->kind == RN_EVENT_STEP && event->iteration < 16) {
        t->losses[event->iteration] = event->loss;
        t->errors[event->iteration] = event->error;
    }
    t->evaluations += event->kind == RN_EVENT_EVALUATION;
    if (event->kind == RN_EVENT_EVALUATION && event->best) {
        t->best++;
        snprintf(t->best_set, sizeof t->best_set, "%s", event->set);
    }
    if (event->kind == RN_EVENT_NOTE) {
        t->notes++;
        snprintf(t->last_note, sizeof t->last_note, "%s", event->text);
    }
}

/** 96 training images in batches of 20 (an epoch is 4.8 steps), 14 steps, EMA and augmentation on.
 */
static inline void training_init(training *t)
{
    memset(t, 0, sizeof *t);
    strcpy(t->folder, "/tmp/resnet-training-XXXXXX");
    assert_non_null(mkdtemp(t->folder));
    assert_int_equal(rn_data_open(&t->train, "shapes:train=96,test=33", RN_SPLIT_TRAIN), RN_OK);
    assert_int_equal(rn_data_open(&t->test, "shapes:train=96,test=33", RN_SPLIT_TEST), RN_OK);
    assert_int_equal(rn_recipe_load(&t->recipe, "quick"), RN_OK);
    t->recipe.epochs = 0;
    t->recipe.iterations = 14;
    t->recipe.batch = 20;
    t->recipe.schedule =
        (rn_schedule){.kind = RN_SCHEDULE_PLATEAU, .lr = 0.05, .factor = 0.5, .patience = 1};
    t->recipe.sgd.ema = 0.9;
    t->recipe.augment = (rn_augment){.pad = 4, .flip = true};
    t->options = (rn_train_options){
        .model = "resnet-8",
        .recipe = &t->recipe,
        .train = t->train,
        .test = t->test,
        .folder = t->folder,
        .checkpoint_every = 4,
        .log_every = 1,
        .stop = &t->stop,
        .on_event = training_event,
        .context = t,
    };
}

static int training_remove(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static inline void training_release(training *t)
{
    rn_samples_free(t->train);
    rn_samples_free(t->test);
    nftw(t->folder, training_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/** Train; anything but the status expected fails the test. */
static inline void training_run(training *t, rn_status expected)
{
    rn_status st = rn_train(&t->options, &t->result);

    if (st != expected)
        fail_msg("status %d (%s), expected %d", (int)st, rn_error_message(), (int)expected);
}

/** Nothing is in the run folder. */
static inline void assert_nothing_written(const training *t)
{
    assert_int_equal(rmdir(t->folder), 0);
    assert_int_equal(mkdir(t->folder, 0777), 0);
}

/** The bytes of a file in the run folder; the caller's (rn_free()). */
static char *training_file(const training *t, const char *name, size_t *size)
{
    char path[128], *bytes = NULL;

    snprintf(path, sizeof path, "%s/%s", t->folder, name);
    if (rn_file_read(&bytes, size, path, 1 << 26) != RN_OK)
        fail_msg("%s", rn_error_message());
    return bytes;
}

static inline void assert_same_file(const training *a, const training *b, const char *name)
{
    size_t size_a, size_b;
    char *bytes_a = training_file(a, name, &size_a), *bytes_b = training_file(b, name, &size_b);

    assert_int_equal(size_a, size_b);
    assert_memory_equal(bytes_a, bytes_b, size_a);
    rn_free(bytes_a);
    rn_free(bytes_b);
}

#endif
