// Training with dropout and stochastic depth: each step draws anew, a resumed run draws what the
// whole one does, and a memory limit, which has the draws repeated, changes no bit.
#include "training.h"

#include <math.h>

enum { STEPS = 14, BATCH = 96 };

static double losses[STEPS];

static void note_loss(const rn_event *event, void *context)
{
    (void)context;
    if (event->kind == RN_EVENT_STEP)
        losses[event->iteration - 1] = event->loss;
}

static void run(training *t, rn_status expected)
{
    if (rn_train(&t->options, &t->result) != expected)
        fail_msg("%s", rn_error_message());
}

// The batch is the whole set and the weights stay: only what is drawn changes the loss.
static void each_step_draws_anew(void **state)
{
    int changes = 0;
    training t;

    (void)state;
    training_init(&t);
    t.options.model = "resnet-8:survival=0.3";
    t.options.on_event = note_loss;
    t.options.test = NULL;
    t.recipe.batch = BATCH;
    t.recipe.augment = (rn_augment){0};
    t.recipe.schedule.lr = 1e-20;
    run(&t, RN_OK);
    for (int i = 1; i < STEPS; i++)
        changes += fabs(losses[i] - losses[i - 1]) > 1e-3;
    assert_in_range(changes, 3, STEPS - 2); // neither the same at all steps, nor all different
    training_release(&t);
}

static void init_random(training *t)
{
    training_init(t);
    t->options.model = "resnet-8:unit=e;dropout=0.3;survival=0.7";
    t->recipe.schedule.kind = RN_SCHEDULE_CONSTANT; // under which a resumed run needs no test set
}

static void resumed_and_bounded_runs_draw_alike(void **state)
{
    training whole, part;

    (void)state;
    init_random(&whole);
    run(&whole, RN_OK);
    init_random(&part);
    part.stop_at = 5;
    run(&part, RN_EINTERRUPTED);
    part.stop = 0;
    part.stop_at = 0;
    part.options.resume = true;
    part.options.test = NULL; // its network alone would take what the step is to save
    part.options.memory_limit = 13 << 20;
    run(&part, RN_OK);
    assert_non_null(strstr(part.last_note, "memory limit: "));
    assert_same_file(&whole, &part, "model.safetensors");
    training_release(&part);
    training_release(&whole);
}

static void too_low_a_limit_is_an_error(void **state)
{
    training t;

    (void)state;
    training_init(&t);
    t.options.memory_limit = 1 << 20;
    run(&t, RN_ENOMEM);
    assert_non_null(strstr(rn_error_message(), "training at batch 20 takes at least "));
    training_release(&t);
}

// The limits are made for the scratch of so many threads.
static int two_threads(void **state)
{
    (void)state;
    return rn_threads_set(2) == RN_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_step_draws_anew),
        cmocka_unit_test(resumed_and_bounded_runs_draw_alike),
        cmocka_unit_test(too_low_a_limit_is_an_error),
    };

    return cmocka_run_group_tests_name("draws", tests, two_threads, NULL);
}
