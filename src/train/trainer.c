// The training loop: data, forward, backward, update; then what is due at the end of a step.
#include "train/trainer.h"

#include "base/file.h"
#include "base/memory.h"
#include "train/phases.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LOG_EVERY = 50, ERROR_WINDOW = 50 };

static double epochs_done(const rn_trainer *trainer)
{
    return (double)trainer->progress.iteration * trainer->recipe.batch /
           (double)trainer->progress.train_count;
}

void rn_trainer_tell(const rn_trainer *trainer, rn_event event)
{
    if (trainer->options->on_event == NULL)
        return;
    event.iteration = trainer->progress.iteration;
    event.iterations = trainer->iterations;
    event.epoch = trainer->progress.train_count > 0 ? epochs_done(trainer) : 0;
    event.seconds = rn_clock() - trainer->started;
    event.lr = trainer->lr;
    trainer->options->on_event(&event, trainer->options->context);
}

void rn_trainer_tell_bad(const char *message, void *context)
{
    rn_trainer *trainer = context;

    if (rn_bad_notes_add(&trainer->bad, message))
        rn_trainer_tell(trainer, (rn_event){.kind = RN_EVENT_NOTE, .text = message});
}

static rn_status create_engine(rn_trainer *trainer)
{
    rn_status st = RN_OK;

    RN_TRY(rn_engine_create(&trainer->engine, trainer->options->engine));
    RN_TRY(rn_trainer_plan_evaluation(trainer));
    RN_TRY(rn_phases_create(trainer));
out:
    return st;
}

static rn_status create_loader(rn_trainer *trainer)
{
    rn_input_change changes[RN_MAX_SIZES + 1];
    rn_loader_options loader = {
        .batch = trainer->recipe.batch,
        .seed = trainer->recipe.seed,
        .augment = trainer->recipe.augment,
        .mix = trainer->recipe.mix,
        .workers = trainer->options->workers,
        .depth = RN_TRAINER_READY,
        .first = trainer->progress.iteration,
        .bad_images = trainer->options->bad_images,
        .changes = changes,
        .change_count = rn_phases_changes(trainer, changes),
    };

    return rn_loader_create(&trainer->loader, trainer->options->train,
                            trainer->checkpoint->preprocess, &loader);
}

void rn_trainer_count_iterations(rn_trainer *trainer)
{
    trainer->iterations = rn_recipe_iterations(&trainer->recipe, trainer->progress.train_count);
    if (trainer->progress.iteration > trainer->iterations)
        trainer->iterations = trainer->progress.iteration;
}

double rn_trainer_evaluate_every(const rn_train_options *options)
{
    return options->evaluate_every > 0 ? options->evaluate_every : 1;
}

static bool stop_requested(const rn_trainer *trainer)
{
    return trainer->options->stop != NULL && *trainer->options->stop;
}

static rn_status set_up(rn_trainer *trainer)
{
    rn_status st = RN_OK;
    const rn_train_options *options = trainer->options;

    RN_TRY(rn_folder_create(options->folder));
    RN_TRY(options->resume ? rn_trainer_resume(trainer) : rn_trainer_begin(trainer));
    trainer->checkpoint->preprocess->centre_ratio = rn_recipe_centre_ratio(&trainer->recipe);
    trainer->first = trainer->progress.iteration;
    if (stop_requested(trainer)) // planning may take long
        return rn_error(RN_EINTERRUPTED, "stopped before the first step");
    RN_TRY(create_engine(trainer));
    RN_TRY(create_loader(trainer));
out:
    return st;
}

static void release(rn_trainer *trainer)
{
    rn_loader_free(trainer->loader);
    rn_inference_free(trainer->inference);
    rn_view_plans_free(trainer->plans);
    rn_phases_release(trainer);
    rn_engine_free(trainer->engine);
    rn_checkpoint_free(trainer->checkpoint);
    rn_samples_free(trainer->held);
    rn_bad_notes_release(&trainer->bad);
    rn_free(trainer->saved_path);
}

static void tell_bad_pictures(rn_trainer *trainer)
{
    char *text;

    while ((text = rn_loader_bad_picture(trainer->loader)) != NULL) {
        rn_trainer_tell_bad(text, trainer);
        rn_text_free(text);
    }
}

static rn_status take_batch(rn_trainer *trainer)
{
    rn_status st = RN_OK;
    rn_batch batch;
    size_t channels = (size_t)trainer->checkpoint->options.channels;
    size_t count = (size_t)trainer->recipe.batch;

    RN_TRY(rn_loader_next(trainer->loader, &batch));
    tell_bad_pictures(trainer);
    size_t image = channels * (size_t)batch.height * (size_t)batch.width;
    memcpy(rn_run_input(trainer->run), batch.images, count * image * sizeof(float));
    memcpy(rn_run_labels(trainer->run), batch.labels, count * sizeof *batch.labels);
    if (batch.labels_b == NULL)
        return RN_OK;
    memcpy(rn_run_labels_b(trainer->run), batch.labels_b, count * sizeof *batch.labels_b);
    for (size_t i = 0; i < count; i++)
        rn_run_shares(trainer->run)[i] = batch.share;
out:
    return st;
}

// The error that the "until the training error is below" rule watches: a moving average over about
// 50 steps, which starts as their plain mean. The rule waits for so many: a few lucky batches in
// the beginning say nothing.
static void observe_error(rn_trainer *trainer, const rn_loss *loss)
{
    rn_progress *progress = &trainer->progress;
    const rn_schedule *schedule = &trainer->recipe.schedule;
    double error = 100.0 * (double)loss->wrong / trainer->recipe.batch;
    double weight =
        progress->iteration < ERROR_WINDOW ? 1.0 / (double)progress->iteration : 1.0 / ERROR_WINDOW;
    bool released = progress->schedule.released;

    progress->training_error += weight * (error - progress->training_error);
    progress->epoch_wrong += (double)loss->wrong;
    progress->epoch_seen += trainer->recipe.batch;
    if (progress->iteration >= ERROR_WINDOW)
        rn_schedule_observe_training(schedule, &progress->schedule, progress->iteration,
                                     progress->training_error);
    if (schedule->until_error > 0 && !released && progress->schedule.released) {
        char text[160];
        snprintf(text, sizeof text, "training error %.1f %% is below %g %%: lr %g -> %g",
                 progress->training_error, schedule->until_error, schedule->until_lr, schedule->lr);
        rn_trainer_tell(trainer, (rn_event){.kind = RN_EVENT_NOTE, .text = text});
    }
}

static bool measuring_due(const rn_trainer *trainer, uint64_t every, uint64_t done)
{
    return every > 0 && (done % every == 0 || done == trainer->iterations);
}

static rn_status step(rn_trainer *trainer)
{
    rn_status st = RN_OK;
    double start = rn_clock(), waited = rn_loader_wait(trainer->loader);

    RN_TRY(take_batch(trainer));
    waited = rn_loader_wait(trainer->loader) - waited;
    trainer->lr = rn_schedule_rate(&trainer->recipe.schedule, &trainer->progress.schedule,
                                   trainer->progress.iteration, trainer->iterations);
    rn_run_set_step(trainer->run, trainer->recipe.seed, trainer->progress.iteration);
    RN_TRY(rn_run_forward(trainer->run));
    rn_loss loss = rn_run_loss(trainer->run);
    if (!isfinite(loss.loss)) {
        st = rn_trainer_diverged(trainer, "the loss is not finite");
        goto out;
    }
    RN_TRY(rn_run_backward(trainer->run));
    if (measuring_due(trainer, trainer->options->log_gradients, trainer->progress.iteration + 1))
        rn_gradient_norms_measure(trainer->norms);
    rn_sgd_step(trainer->sgd, trainer->lr);
    trainer->progress.iteration++;
    rn_sgd_lookahead(trainer->sgd, trainer->progress.iteration, trainer->iterations);
    trainer->saved = false;
    observe_error(trainer, &loss);
    double seconds = rn_clock() - start;
    trainer->train_seconds += seconds;
    trainer->progress.window_loss += loss.loss;
    trainer->progress.window_wrong += (double)loss.wrong;
    trainer->progress.window_steps++;
    trainer->window.seconds += seconds;
    trainer->window.waited += waited;
    trainer->window.steps++;
out:
    return st;
}

static void tell_step(rn_trainer *trainer)
{
    rn_progress *progress = &trainer->progress;
    double steps = (double)progress->window_steps;
    double images = (double)trainer->window.steps * trainer->recipe.batch;
    double left = rn_phases_work(trainer, trainer->progress.iteration, trainer->iterations);
    double elapsed = rn_clock() - trainer->started; // evaluation included, as it will be again
    double done = rn_phases_work(trainer, trainer->first, trainer->progress.iteration);
    rn_memory_use memory = rn_process_memory();

    rn_trainer_tell(trainer,
                    (rn_event){
                        .kind = RN_EVENT_STEP,
                        .loss = progress->window_loss / steps,
                        .error = 100 * progress->window_wrong / (steps * trainer->recipe.batch),
                        .images_per_second = images / trainer->window.seconds,
                        .data_wait = trainer->window.waited / trainer->window.seconds,
                        .eta = done > 0 ? elapsed / done * left : 0,
                        .memory = (double)memory.resident,
                        .memory_peak = (double)memory.peak,
                    });
    memset(&trainer->window, 0, sizeof trainer->window);
    progress->window_loss = progress->window_wrong = 0;
    progress->window_steps = 0;
}

// What the step measured before its update.
static void tell_gradients(rn_trainer *trainer)
{
    rn_event event = {.kind = RN_EVENT_GRADIENTS};

    event.norms = rn_gradient_norms_read(trainer->norms, &event.norm_count);
    rn_trainer_tell(trainer, event);
}

// True at the step that completes another `every` epochs, counted in images so that resuming
// agrees.
static bool crosses_epochs(const rn_trainer *trainer, double every)
{
    double before = (double)(trainer->progress.iteration - 1) * trainer->recipe.batch;
    double after = (double)trainer->progress.iteration * trainer->recipe.batch;
    double period = every * (double)trainer->progress.train_count;

    return floor(after / period) > floor(before / period);
}

static bool checkpoint_due(const rn_trainer *trainer)
{
    uint64_t every = trainer->options->checkpoint_every;

    return every > 0 ? trainer->progress.iteration % every == 0 : crosses_epochs(trainer, 1);
}

static rn_status save_and_stop(rn_trainer *trainer)
{
    rn_status st = rn_trainer_save(trainer);

    if (st != RN_OK)
        return st;
    return rn_error(RN_EINTERRUPTED, "stopped after %llu of %llu iterations; state saved in '%s'",
                    (unsigned long long)trainer->progress.iteration,
                    (unsigned long long)trainer->iterations, trainer->saved_path);
}

// Of an evaluation that failed: what was trained before is kept. The failure is what is told.
static rn_status save_and_fail(rn_trainer *trainer, rn_status failure)
{
    char message[1200];

    snprintf(message, sizeof message, "%s", rn_error_message());
    if (rn_trainer_save(trainer) != RN_OK)
        return rn_error(failure, "%s", message);
    return rn_error(failure, "%s; state saved in '%s'", message, trainer->saved_path);
}

// What belongs to the end of a step. An evaluation may be long, be stopped or fail: it is recorded
// as due before it begins, so that the resumed run goes the same way.
static rn_status finish_step(rn_trainer *trainer)
{
    rn_status st = RN_OK;
    bool keep = trainer->progress.iteration == trainer->iterations || checkpoint_due(trainer) ||
                rn_trainer_retry_due(trainer);

    if (stop_requested(trainer))
        return save_and_stop(trainer);
    if (keep)
        RN_TRY(rn_trainer_save_on_the_way(trainer));
    if (!trainer->progress.evaluation_due)
        return RN_OK;
    st = rn_trainer_evaluate(trainer);
    if (st == RN_EINTERRUPTED)
        return save_and_stop(trainer);
    if (st != RN_OK)
        return save_and_fail(trainer, st);
    if (keep)
        RN_TRY(rn_trainer_save_on_the_way(trainer));
out:
    return st;
}

// Steps that take long are told of often enough to be seen alive.
static bool line_due(const rn_trainer *trainer)
{
    const rn_train_options *options = trainer->options;
    uint64_t every = options->log_every == 0 ? LOG_EVERY : options->log_every;

    return measuring_due(trainer, every, trainer->progress.iteration) ||
           (options->log_seconds > 0 && trainer->window.seconds >= options->log_seconds) ||
           rn_phases_end_here(trainer);
}

static rn_status run_step(rn_trainer *trainer)
{
    rn_status st = RN_OK;
    const rn_train_options *options = trainer->options;

    RN_TRY(rn_phases_continue(trainer));
    RN_TRY(step(trainer));
    bool last = trainer->progress.iteration == trainer->iterations;
    if (line_due(trainer))
        tell_step(trainer);
    if (measuring_due(trainer, options->log_gradients, trainer->progress.iteration))
        tell_gradients(trainer);
    trainer->progress.evaluation_due =
        last || crosses_epochs(trainer, rn_trainer_evaluate_every(options));
    RN_TRY(finish_step(trainer));
out:
    return st;
}

static rn_status train(rn_trainer *trainer)
{
    rn_status st = RN_OK;

    RN_TRY(set_up(trainer));
    rn_trainer_tell(trainer,
                    (rn_event){.kind = RN_EVENT_START, .text = trainer->checkpoint->model});
    rn_phases_tell(trainer);
    RN_TRY(rn_trainer_save(trainer)); // whatever happens next can be resumed
    if (trainer->progress.evaluation_due)
        RN_TRY(finish_step(trainer));
    else if (trainer->progress.iteration == trainer->iterations)
        rn_trainer_tell_evaluation(trainer); // of a complete run, whose log may have lost it
    while (trainer->progress.iteration < trainer->iterations)
        RN_TRY(run_step(trainer));
    if (trainer->progress.iteration > trainer->first) // of a complete run it has been said
        rn_trainer_note_end(trainer);
    RN_TRY(rn_trainer_collect(trainer));
    RN_TRY(rn_trainer_save_model(trainer, "model.safetensors"));
out:
    return st;
}

static void fill_result(rn_trainer *trainer)
{
    rn_train_result *result = &trainer->result;

    result->iterations = trainer->progress.iteration;
    result->steps = trainer->progress.iteration - trainer->first;
    result->test_count = trainer->progress.last_count;
    result->test_wrong = trainer->progress.last_wrong;
    result->test_loss = trainer->progress.last_loss;
    result->best_error = trainer->progress.best_error;
    result->seconds = rn_clock() - trainer->started;
    if (trainer->train_seconds > 0) {
        double images = (double)result->steps * trainer->recipe.batch;
        result->images_per_second = images / trainer->train_seconds;
        result->data_wait = rn_loader_wait(trainer->loader) / trainer->train_seconds;
    }
}

static rn_status check_options(const rn_train_options *options)
{
    if (options->train == NULL || options->folder == NULL ||
        (!options->resume &&
         ((options->model == NULL && options->from == NULL) || options->recipe == NULL)))
        return rn_error(RN_EINVAL, "training needs data, a run folder, a model and a recipe");
    if (options->train->count == 0)
        return rn_error(RN_EINVAL, "%s has no images", options->train->name);
    if (options->keep < 0)
        return rn_error(RN_EINVAL, "checkpoints to keep are %d, expected 0 (the usual) or more",
                        options->keep);
    if (!(options->evaluate_every >= 0 && options->evaluate_every <= RN_EVALUATE_EVERY_MOST))
        return rn_error(RN_EINVAL,
                        "epochs between evaluations are %g, expected 0 (the usual) to %g",
                        options->evaluate_every, RN_EVALUATE_EVERY_MOST);
    return RN_OK;
}

// Who is told may fail, too: the message in force stays that of the training.
static void tell_end(const rn_trainer *trainer, rn_status st)
{
    char message[1200];

    snprintf(message, sizeof message, "%s", st == RN_OK ? "" : rn_error_message());
    rn_trainer_tell(trainer, (rn_event){.kind = RN_EVENT_END, .status = st, .text = message});
    if (st != RN_OK)
        rn_error(st, "%s", message);
}

rn_status rn_train(const rn_train_options *options, rn_train_result *result)
{
    rn_status st = RN_OK;
    rn_trainer *trainer = NULL;

    *result = (rn_train_result){.best_error = 100};
    RN_TRY(check_options(options));
    RN_TRY(RN_NEW(&trainer, 1));
    trainer->options = options;
    trainer->started = rn_clock();
    st = train(trainer);
    if (trainer->checkpoint != NULL)
        fill_result(trainer);
    *result = trainer->result;
    tell_end(trainer, st);
    release(trainer);
out:
    rn_free(trainer);
    return st;
}
