#include "train/training.h"

#include <math.h>
#include <sys/stat.h>

static void assert_same_end(const training *a, const training *b)
{
    assert_same_file(a, b, "checkpoint-14.safetensors");
    assert_same_file(a, b, "model.safetensors");
    assert_same_file(a, b, "best.safetensors");
}

// Stopped after step `at`, inside an epoch, at its end, or after the first; then continued, with
// another number of data threads.
static void resumed_run_equals_uninterrupted(uint64_t at, const training *whole)
{
    training t;

    training_init(&t);
    t.recipe = whole->recipe;
    t.stop_at = at;
    training_run(&t, RN_EINTERRUPTED);
    assert_int_equal(t.result.iterations, at);
    char part[64];
    snprintf(part, sizeof part, "checkpoint-%d.safetensors", (int)at);
    assert_non_null(strstr(rn_error_message(), part));

    t.stop = 0;
    t.stop_at = 0;
    t.options.resume = true;
    t.options.workers = 3;
    t.options.recipe = NULL; // it comes from the checkpoint
    t.options.model = NULL;
    training_run(&t, RN_OK);
    assert_int_equal(t.result.iterations, 14);
    assert_same_end(whole, &t);
    assert_true(t.result.best_error == whole->result.best_error);
    training_release(&t);
}

static void resume_is_bit_equal_at_any_step(void **state)
{
    training whole;

    (void)state;
    training_init(&whole);
    training_run(&whole, RN_OK);
    assert_int_equal(whole.evaluations, 3); // two whole epochs, and the end
    resumed_run_equals_uninterrupted(1, &whole);
    resumed_run_equals_uninterrupted(5, &whole); // its evaluation is still due
    resumed_run_equals_uninterrupted(7, &whole);
    resumed_run_equals_uninterrupted(14, &whole);
    training_release(&whole);
}

// A checkpoint between two log lines: the first line of the resumed run is the mean over all steps
// since the last of the killed one, not over those of the new process.
static void log_lines_do_not_tell_of_a_kill(void **state)
{
    training whole, t;
    char part[128];

    (void)state;
    training_init(&whole);
    whole.options.log_every = 3;
    training_run(&whole, RN_OK);
    training_init(&t);
    t.options.log_every = 3;
    t.stop_at = 6;
    training_run(&t, RN_EINTERRUPTED);
    snprintf(part, sizeof part, "%s/checkpoint-6.safetensors", t.folder);
    assert_int_equal(unlink(part), 0);
    memset(t.losses, 0, sizeof t.losses);
    t.stop = 0;
    t.stop_at = 0;
    t.options.resume = true; // from checkpoint 4
    training_run(&t, RN_OK);
    for (int i = 6; i <= 14; i++) {
        assert_true(t.losses[i] == whole.losses[i]);
        assert_true(t.errors[i] == whole.errors[i]);
    }
    assert_true(t.losses[6] > 0 && t.losses[14] > 0);
    training_release(&t);
    training_release(&whole);
}

// Weights that cannot be kept as the best end no training but at its end, whose evaluation is made
// anew as it is resumed.
static void last_evaluation_that_fails_is_made_again(void **state)
{
    training t, whole;
    char obstacle[128];

    (void)state;
    training_init(&whole);
    training_run(&whole, RN_OK);
    training_init(&t);
    snprintf(obstacle, sizeof obstacle, "%s/best.safetensors", t.folder);
    assert_int_equal(mkdir(obstacle, 0777), 0);
    training_run(&t, RN_EIO);
    assert_int_equal(t.notes, 2); // of the two whole epochs
    assert_non_null(strstr(t.last_note, "best.safetensors"));
    assert_non_null(strstr(rn_error_message(), "best.safetensors"));
    assert_non_null(strstr(rn_error_message(), "checkpoint-14.safetensors"));
    assert_int_equal(t.result.iterations, 14);
    t.options.resume = true;
    training_run(&t, RN_EIO); // as long as it fails
    assert_int_equal(rmdir(obstacle), 0);
    training_run(&t, RN_OK);
    assert_same_file(&whole, &t, "model.safetensors");
    training_release(&t);
    training_release(&whole);
}

static void expect_checkpoint(const rn_event *event, void *context)
{
    training *t = context;
    char path[128];

    snprintf(path, sizeof path, "%s/checkpoint-%llu.safetensors", t->folder,
             (unsigned long long)event->iteration);
    if (event->kind == RN_EVENT_EVALUATION)
        assert_true(rn_file_exists(path));
    t->evaluations += event->kind == RN_EVENT_EVALUATION;
}

// A process killed in a long evaluation has to repeat that only.
static void checkpoint_comes_before_the_evaluation(void **state)
{
    training t;

    (void)state;
    training_init(&t);
    t.options.checkpoint_every = 0; // with each epoch, as the evaluations
    t.options.on_event = expect_checkpoint;
    training_run(&t, RN_OK);
    assert_int_equal(t.evaluations, 3);
    training_release(&t);
}

// Lines that come by the clock show means since the last one, too, and change no weights.
static void slow_steps_are_told_of(void **state)
{
    training whole, t;

    (void)state;
    training_init(&whole);
    training_run(&whole, RN_OK);
    training_init(&t);
    t.options.log_every = 1000;
    t.options.log_seconds = 1e-9;
    training_run(&t, RN_OK);
    for (int i = 1; i <= 14; i++)
        assert_true(t.losses[i] > 0 && t.losses[i] == whole.losses[i]);
    assert_same_end(&whole, &t);
    training_release(&t);
    training_release(&whole);
}

static void resume_is_bit_equal_with_mixing(void **state)
{
    training whole, plain;

    (void)state;
    training_init(&whole);
    whole.recipe.mix = (rn_mix){.mixup = 0.5, .cutmix = 1};
    training_run(&whole, RN_OK);
    resumed_run_equals_uninterrupted(1, &whole);
    resumed_run_equals_uninterrupted(6, &whole);
    training_init(&plain);
    training_run(&plain, RN_OK);
    assert_true(plain.result.test_loss != whole.result.test_loss);
    training_release(&plain);
    training_release(&whole);
}

static void resuming_a_finished_run_changes_nothing(void **state)
{
    training t, whole;

    (void)state;
    training_init(&whole);
    training_run(&whole, RN_OK);
    training_init(&t);
    training_run(&t, RN_OK);
    t.options.resume = true;
    training_run(&t, RN_OK);
    assert_int_equal(t.evaluations, whole.evaluations + 1); // the last one is told again
    assert_same_end(&whole, &t);
    assert_int_equal(whole.result.steps, 14);
    assert_int_equal(t.result.steps, 0);
    assert_int_equal(t.result.test_count, 33);
    assert_int_equal(t.result.test_wrong, whole.result.test_wrong);
    assert_true(t.result.test_loss == whole.result.test_loss);
    training_release(&t);
    training_release(&whole);
}

static void damage(const training *t, const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", t->folder, name);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    fseek(file, -100, SEEK_END);
    fputs("damaged", file);
    fclose(file);
}

static void damaged_checkpoint_falls_back(void **state)
{
    training t, whole;

    (void)state;
    training_init(&whole);
    training_run(&whole, RN_OK);
    training_init(&t);
    training_run(&t, RN_OK);
    damage(&t, "checkpoint-14.safetensors");
    t.options.resume = true;
    training_run(&t, RN_OK);
    assert_int_equal(t.notes, 1);
    assert_non_null(strstr(t.last_note, "checkpoint-14.safetensors"));
    assert_same_end(&whole, &t);

    damage(&t, "checkpoint-8.safetensors");
    damage(&t, "checkpoint-12.safetensors");
    damage(&t, "checkpoint-14.safetensors");
    training_run(&t, RN_EFORMAT);
    training_release(&t);
    training_release(&whole);
}

// Once the new checkpoint is written, an old one that cannot be removed is no reason to stop.
static void old_checkpoint_that_stays_is_noted(void **state)
{
    training t;
    char obstacle[128];

    (void)state;
    training_init(&t);
    snprintf(obstacle, sizeof obstacle, "%s/checkpoint-1.safetensors", t.folder);
    assert_int_equal(mkdir(obstacle, 0777), 0);
    t.options.keep = 1;
    training_run(&t, RN_OK);
    assert_true(t.notes > 0);
    assert_non_null(strstr(t.last_note, "cannot remove"));
    assert_non_null(strstr(t.last_note, "checkpoint-1.safetensors"));
    training_release(&t);
}

static void nothing_to_resume_is_said(void **state)
{
    training t;

    (void)state;
    training_init(&t);
    t.options.resume = true;
    training_run(&t, RN_ENOTFOUND);
    training_release(&t);
}

// Where evaluations decide the rate, how often they come is of the recipe.
static void other_evaluations_are_refused_under_plateau(void **state)
{
    training t;

    (void)state;
    training_init(&t);
    t.stop_at = 3;
    training_run(&t, RN_EINTERRUPTED);
    t.stop = 0;
    t.stop_at = 0;
    t.options.resume = true;
    t.options.evaluate_every = 0.5;
    training_run(&t, RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "every 1 epochs, but every 0.5"));
    training_release(&t);

    training_init(&t);
    t.recipe.schedule.kind = RN_SCHEDULE_CONSTANT;
    training_run(&t, RN_OK);
    t.options.resume = true;
    t.options.evaluate_every = 0.5;
    training_run(&t, RN_OK);
    training_release(&t);
}

static void divergence_names_layer_and_remedy(void **state)
{
    training t;
    char path[128];

    (void)state;
    training_init(&t);
    t.recipe.schedule.lr = 1000;
    t.recipe.sgd.weight_decay = 1; // weights alternate in sign and grow a thousandfold a step
    t.recipe.iterations = 200;
    training_run(&t, RN_EDIVERGED);
    assert_non_null(strstr(rn_error_message(), "first non-finite value: "));
    assert_non_null(strstr(rn_error_message(), "checkpoint-0.safetensors"));
    assert_non_null(strstr(rn_error_message(), "lower lr"));
    // The last good checkpoint is there, and is good.
    rn_checkpoint *good = NULL;
    snprintf(path, sizeof path, "%s/checkpoint-0.safetensors", t.folder);
    assert_int_equal(rn_checkpoint_load(&good, path), RN_OK);
    rn_checkpoint_free(good);
    training_release(&t);
}

static void until_error_rule_releases_the_rate(void **state)
{
    training t;

    (void)state;
    training_init(&t);
    t.recipe.schedule.until_error = 100; // met by any batch that is not all wrong
    t.recipe.schedule.until_lr = 0.01;
    t.options.test = NULL;
    training_run(&t, RN_OK); // ends before the mean is one of enough steps
    assert_int_equal(t.notes, 1);
    assert_non_null(strstr(t.last_note, "did not fall below 100 %: lr 0.01 to the end"));
    t.recipe.iterations = 51;
    training_run(&t, RN_OK);
    assert_int_equal(t.notes, 2);
    assert_non_null(strstr(t.last_note, "lr 0.01 -> 0.05"));
    training_release(&t);
}

static void schedules_beyond_the_end_are_noted(void **state)
{
    training t;

    (void)state;
    training_init(&t);
    t.options.test = NULL;
    t.recipe.iterations = 0;
    t.recipe.epochs = 0.5; // three steps
    t.recipe.schedule.kind = RN_SCHEDULE_STEP;
    t.recipe.schedule.milestones = 1;
    t.recipe.schedule.milestone[0] = 3;
    training_run(&t, RN_OK);
    assert_int_equal(t.notes, 1);
    assert_non_null(strstr(t.last_note, "first milestone is step 3, the training has 3"));
    t.recipe.schedule.milestone[0] = 2;
    t.recipe.schedule.warmup = 3;
    training_run(&t, RN_OK);
    assert_int_equal(t.notes, 2);
    assert_non_null(strstr(t.last_note, "warm-up takes 3 steps, the training 3"));
    t.recipe.schedule.warmup = 2;
    training_run(&t, RN_OK);
    assert_int_equal(t.notes, 2);
    training_release(&t);
}

// 1.1 times 50 is 55.00000000000001 in doubles.
static void rounding_adds_no_step(void **state)
{
    training t;

    (void)state;
    training_init(&t);
    rn_samples_free(t.train);
    assert_int_equal(rn_data_open(&t.train, "shapes:train=50,test=33", RN_SPLIT_TRAIN), RN_OK);
    t.options.train = t.train;
    t.options.test = NULL;
    t.recipe.iterations = 0;
    t.recipe.epochs = 1.1;
    t.recipe.batch = 5;
    training_run(&t, RN_OK);
    assert_int_equal(t.result.iterations, 11);
    t.recipe.epochs = 1.12; // a step that is begun counts
    training_run(&t, RN_OK);
    assert_int_equal(t.result.iterations, 12);
    training_release(&t);
}

static void deep_network_without_warmup_is_noted(void **state)
{
    training t;

    (void)state;
    training_init(&t);
    t.options.model = "resnet-110";
    t.recipe.schedule.lr = 0.1;
    t.recipe.iterations = 1;
    t.recipe.batch = 1;
    t.options.test = NULL;
    training_run(&t, RN_OK);
    assert_int_equal(t.notes, 1);
    assert_non_null(strstr(t.last_note, "110 layers"));
    training_release(&t);
}

static void mirrored_digits_are_noted(void **state)
{
    training t;

    (void)state;
    training_init(&t);
    t.recipe.iterations = 1;
    t.options.test = NULL;
    for (int i = 0; i < t.train->classes; i++)
        memcpy(t.train->label_names[i], (char[]){(char)('0' + i), '\0'}, 2);
    training_run(&t, RN_OK);
    assert_int_equal(t.notes, 1);
    assert_non_null(strstr(t.last_note, "--no-flip"));
    t.recipe.augment.flip = false;
    training_run(&t, RN_OK);
    assert_int_equal(t.notes, 1);
    training_release(&t);
}

static void stop_is_heard_before_the_first_step(void **state)
{
    training t;

    (void)state;
    training_init(&t);
    t.stop = 1;
    training_run(&t, RN_EINTERRUPTED);
    assert_int_equal(t.result.iterations, 0);
    assert_nothing_written(&t);
    training_release(&t);
}

static void missing_options_are_errors(void **state)
{
    rn_train_result result;

    (void)state;
    assert_int_equal(rn_train(&(rn_train_options){0}, &result), RN_EINVAL);
}

// What its checkpoints could not hold, or not be resumed with.
static void numbers_out_of_range_are_named(void **state)
{
    static const double every[] = {-1, NAN, INFINITY, 1e301};
    char found[64];
    training t;

    (void)state;
    training_init(&t);
    for (int i = 0; i < 4; i++) {
        t.options.evaluate_every = every[i];
        training_run(&t, RN_EINVAL);
        snprintf(found, sizeof found, "between evaluations are %g, expected 0", every[i]);
        assert_non_null(strstr(rn_error_message(), found));
    }
    t.options.evaluate_every = 1e300;
    t.options.keep = -2;
    training_run(&t, RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "to keep are -2, expected 0"));
    assert_nothing_written(&t);
    t.options.keep = 0;
    training_run(&t, RN_OK);
    t.options.resume = true;
    training_run(&t, RN_OK);
    training_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resume_is_bit_equal_at_any_step),
        cmocka_unit_test(log_lines_do_not_tell_of_a_kill),
        cmocka_unit_test(last_evaluation_that_fails_is_made_again),
        cmocka_unit_test(checkpoint_comes_before_the_evaluation),
        cmocka_unit_test(slow_steps_are_told_of),
        cmocka_unit_test(resume_is_bit_equal_with_mixing),
        cmocka_unit_test(resuming_a_finished_run_changes_nothing),
        cmocka_unit_test(damaged_checkpoint_falls_back),
        cmocka_unit_test(old_checkpoint_that_stays_is_noted),
        cmocka_unit_test(nothing_to_resume_is_said),
        cmocka_unit_test(other_evaluations_are_refused_under_plateau),
        cmocka_unit_test(divergence_names_layer_and_remedy),
        cmocka_unit_test(until_error_rule_releases_the_rate),
        cmocka_unit_test(schedules_beyond_the_end_are_noted),
        cmocka_unit_test(rounding_adds_no_step),
        cmocka_unit_test(deep_network_without_warmup_is_noted),
        cmocka_unit_test(mirrored_digits_are_noted),
        cmocka_unit_test(stop_is_heard_before_the_first_step),
        cmocka_unit_test(missing_options_are_errors),
        cmocka_unit_test(numbers_out_of_range_are_named),
    };

    return cmocka_run_group_tests_name("trainer", tests, NULL, NULL);
}
