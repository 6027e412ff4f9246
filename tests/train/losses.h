/**
 * The fixed-seed training whose losses are pinned, recorded step by step. Header only, for cmocka
 * programs.
 */
#ifndef TRAIN_LOSSES_H
#define TRAIN_LOSSES_H

#include "train/training.h"

enum { STEPS = 64, BATCH = 32, TAIL = 8 };

typedef struct losses {
    double loss[STEPS];
    int steps;
} losses;

static inline void record_loss(const rn_event *event, void *context)
{
    losses *l = context;

    if (event->kind == RN_EVENT_STEP && l->steps < STEPS)
        l->loss[l->steps++] = event->loss;
}

// resnet-8 learns 96 generated images, randomly cropped and mirrored, almost by heart.
static inline void init(training *t, losses *l)
{
    training_init(t);
    assert_int_equal(rn_recipe_load(&t->recipe, "quick"), RN_OK);
    t->recipe.schedule.lr = 0.05;
    t->recipe.epochs = 0;
    t->recipe.iterations = STEPS;
    t->recipe.batch = BATCH;
    t->options.checkpoint_every = STEPS;
    *l = (losses){0};
    t->options.on_event = record_loss;
    t->options.context = l;
}

static inline void train(training *t, const losses *l)
{
    if (rn_train(&t->options, &t->result) != RN_OK)
        fail_msg("%s", rn_error_message());
    assert_int_equal(l->steps, STEPS);
}

static inline double tail_mean(const losses *l)
{
    double sum = 0;

    for (int i = STEPS - TAIL; i < STEPS; i++)
        sum += l->loss[i];
    return sum / TAIL;
}

#endif
