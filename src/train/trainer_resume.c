// Resuming a training: from which checkpoint, and whether it goes on with the same data.
#include "train/trainer.h"

#include "store/safetensors.h"

#include <stdio.h>
#include <string.h>

static uint32_t add_text(uint32_t sum, const char *text)
{
    return rn_crc32(sum, text, strlen(text) + 1);
}

uint32_t rn_trainer_data_sum(const rn_samples *samples)
{
    uint32_t sum = rn_crc32(0, samples->labels, samples->count * sizeof *samples->labels);
    size_t image = (size_t)samples->channels * (size_t)samples->height * (size_t)samples->width;

    for (int i = 0; i < samples->classes; i++)
        sum = add_text(sum, samples->label_names[i]);
    if (samples->photos == NULL)
        return rn_crc32(sum, samples->images, samples->count * image);
    for (size_t i = 0; i < samples->count; i++)
        sum = add_text(sum, rn_photos_name(samples->photos, i));
    return sum;
}

int64_t rn_trainer_test_sum(const rn_samples *test)
{
    return test == NULL ? RN_TEST_NONE : (int64_t)rn_trainer_data_sum(test);
}

static rn_status read_state(rn_recipe *recipe, rn_progress *progress,
                            const rn_checkpoint *checkpoint, const char *path)
{
    rn_status st = RN_OK;

    if (checkpoint->recipe == NULL || checkpoint->state == NULL || checkpoint->momentum == NULL)
        return rn_error(RN_EFORMAT, "'%s' is a model without training state", path);
    RN_TRY(rn_recipe_load(recipe, rn_recipe_name(0)));
    RN_TRY(rn_recipe_parse(recipe, checkpoint->recipe, path));
    RN_TRY(rn_recipe_check(recipe));
    RN_TRY(rn_progress_parse(progress, checkpoint->state));
    if (recipe->sgd.ema > 0 && checkpoint->ema == NULL)
        st = rn_error(RN_EFORMAT, "'%s' lacks the averaged weights that its recipe uses", path);
out:
    return st;
}

static rn_status check_names(const rn_checkpoint *checkpoint, const rn_samples *train)
{
    for (int i = 0; i < train->classes; i++)
        if (strcmp(train->label_names[i], checkpoint->label_names[i]) != 0)
            return rn_error(RN_EINVAL, "class %d of %s is '%.100s', in the run to resume '%.100s'",
                            i, train->name, train->label_names[i], checkpoint->label_names[i]);
    return RN_OK;
}

static rn_status check_same_data(const rn_train_options *options, const rn_recipe *recipe,
                                 const rn_progress *progress)
{
    const rn_samples *train = options->train;
    uint64_t count = progress->train_count + recipe->hold_out;

    if (recipe->train_images > 0 ? train->count < count : train->count != count)
        return rn_error(RN_EINVAL, "%s has %zu images, the run to resume was on %llu", train->name,
                        train->count, (unsigned long long)count);
    if (progress->data_sum >= 0 && progress->data_sum != rn_trainer_data_sum(train))
        return rn_error(RN_EINVAL,
                        "%s has other pictures, labels or names than the run to resume "
                        "was on",
                        train->name);
    return RN_OK;
}

static rn_status check_interval(const rn_train_options *options, const rn_progress *progress)
{
    double every = rn_trainer_evaluate_every(options);

    if (progress->evaluate_every == 0 || progress->evaluate_every == every)
        return RN_OK;
    return rn_error(RN_EINVAL,
                    "evaluations decide the learning rate of schedule plateau: the run to resume "
                    "makes one every %g epochs, but every %g is asked for",
                    progress->evaluate_every, every);
}

static rn_status check_deciding_test(const rn_samples *test, const rn_progress *progress)
{
    const char *was = progress->test_sum == RN_TEST_NONE ? "none" : "another";

    if (progress->test_sum == RN_TEST_UNKNOWN || progress->test_sum == rn_trainer_test_sum(test))
        return RN_OK;
    return rn_error(RN_EINVAL,
                    "the test set decides the learning rate of schedule plateau: the run to resume "
                    "has %s, but %s is given",
                    was, test == NULL ? "none" : test->name);
}

// Under other schedules evaluations only look.
static rn_status check_evaluations(const rn_train_options *options, const rn_recipe *recipe,
                                   const rn_progress *progress)
{
    rn_status st = RN_OK;

    if (recipe->schedule.kind != RN_SCHEDULE_PLATEAU)
        return RN_OK;
    RN_TRY(check_interval(options, progress));
    if (recipe->hold_out == 0)
        RN_TRY(check_deciding_test(options->test, progress));
out:
    return st;
}

static rn_status check_same_run(const rn_train_options *options, const rn_checkpoint *checkpoint,
                                const rn_recipe *recipe, const rn_progress *progress)
{
    rn_status st = RN_OK;

    RN_TRY(rn_trainer_check_data(&checkpoint->options, options));
    RN_TRY(check_names(checkpoint, options->train));
    RN_TRY(check_same_data(options, recipe, progress));
    RN_TRY(check_evaluations(options, recipe, progress));
out:
    return st;
}

rn_status rn_train_check(const rn_train_options *options, const rn_checkpoint *resumed)
{
    rn_status st = RN_OK;
    rn_graph *graph = NULL;
    rn_recipe recipe;
    rn_progress progress;

    if (resumed != NULL) {
        RN_TRY(read_state(&recipe, &progress, resumed, options->folder));
        return check_same_run(options, resumed, &recipe, &progress);
    }
    RN_TRY(rn_train_graph(&graph, options));
    RN_TRY(rn_trainer_check_data(rn_graph_options(graph), options));
    RN_TRY(rn_trainer_check_counts(options->recipe, options->train));
out:
    rn_graph_free(graph);
    return st;
}

static void note_threads(const rn_trainer *trainer)
{
    char text[160];

    if (trainer->progress.threads == rn_threads())
        return;
    snprintf(text, sizeof text,
             "%d threads instead of %d: results will differ in the last bits from an "
             "uninterrupted run",
             rn_threads(), trainer->progress.threads);
    rn_trainer_tell(trainer, (rn_event){.kind = RN_EVENT_NOTE, .text = text});
}

static void note_test(const rn_trainer *trainer, int64_t test_sum)
{
    char text[400];
    const rn_samples *test = trainer->options->test;
    const int64_t was = trainer->progress.test_sum;

    if (test == NULL || was < 0 || was == test_sum)
        return;
    snprintf(text, sizeof text,
             "%.200s has other pictures, labels or names than the test set so far: its errors do "
             "not compare with earlier ones",
             test->name);
    rn_trainer_tell(trainer, (rn_event){.kind = RN_EVENT_NOTE, .text = text});
}

// `why` is the message of the first.
static void note_skipped(const rn_trainer *trainer, int skipped, const char *why)
{
    char text[1200];

    if (skipped == 0)
        return;
    snprintf(text, sizeof text, "%d damaged checkpoint%s passed over: %s", skipped,
             skipped == 1 ? "" : "s", why);
    rn_trainer_tell(trainer, (rn_event){.kind = RN_EVENT_NOTE, .text = text});
}

rn_status rn_trainer_resume(rn_trainer *trainer)
{
    rn_status st = RN_OK;
    const rn_train_options *options = trainer->options;
    const int64_t test_sum = rn_trainer_test_sum(options->test);
    char why[1100];
    int skipped = 0;

    RN_TRY(rn_checkpoint_load_newest(&trainer->checkpoint, &trainer->saved_path, &skipped,
                                     options->folder));
    snprintf(why, sizeof why, "%s", skipped > 0 ? rn_error_message() : "");
    RN_TRY(
        read_state(&trainer->recipe, &trainer->progress, trainer->checkpoint, trainer->saved_path));
    rn_trainer_count_iterations(trainer);
    note_skipped(trainer, skipped, why);
    RN_TRY(check_same_run(options, trainer->checkpoint, &trainer->recipe, &trainer->progress));
    RN_TRY(rn_trainer_hold_out(trainer));
    trainer->saved = true;
    RN_TRY(rn_trainer_new_weights(trainer));
    note_threads(trainer);
    note_test(trainer, test_sum);
    trainer->progress.test_sum = test_sum;
    trainer->progress.threads = rn_threads();
    trainer->progress.evaluate_every = rn_trainer_evaluate_every(options);
    rn_trainer_tell(trainer, (rn_event){.kind = RN_EVENT_RESUME, .text = trainer->saved_path});
out:
    return st;
}
