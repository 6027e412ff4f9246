// What is evaluated while a network trains: the held out images, the test set.
#include "train/trainer.h"

#include "train/evaluate_views.h"

static rn_status evaluate_images(rn_trainer *trainer, const rn_samples *samples,
                                 rn_evaluation *result, rn_watch *watch)
{
    rn_status st = RN_OK;
    const rn_checkpoint *checkpoint = trainer->checkpoint;
    const rn_weights *weights = checkpoint->ema != NULL ? checkpoint->ema : checkpoint->weights;

    RN_TRY(rn_inference_load(trainer->inference, weights));
    RN_TRY(rn_inference_evaluate(trainer->inference, result,
                                 &(rn_inference_set){.preprocess = checkpoint->preprocess,
                                                     .samples = samples,
                                                     .tta = trainer->recipe.tta,
                                                     .stop = trainer->options->stop,
                                                     .watch = watch}));
out:
    return st;
}

typedef struct photo_evaluation {
    rn_trainer *trainer;
    rn_watch *watch;
} photo_evaluation;

static rn_status see_photo(const rn_picture_scores *scores, void *context)
{
    const photo_evaluation *evaluation = context;

    if (scores->error != NULL)
        rn_trainer_tell_bad(scores->error, evaluation->trainer);
    else
        rn_watch_probabilities(evaluation->watch, scores->index, scores->label, scores->scores);
    return RN_OK;
}

static bool holds_images(const rn_samples *samples)
{
    return samples != NULL && samples->photos == NULL;
}

static bool holds_photos(const rn_samples *samples)
{
    return samples != NULL && samples->photos != NULL;
}

bool rn_trainer_sees_photos(const rn_trainer *trainer)
{
    return holds_photos(trainer->options->test) || holds_photos(trainer->held);
}

rn_evaluate_views_options rn_trainer_views(const rn_trainer *trainer)
{
    const rn_model_options *model = &trainer->checkpoint->options;

    return (rn_evaluate_views_options){
        .views =
            rn_views_centre(model->height, model->width, rn_recipe_centre_ratio(&trainer->recipe)),
        .workers = trainer->options->workers,
        .skip_bad = trainer->options->bad_images == RN_BAD_IMAGES_SKIP,
        .engine = trainer->options->engine,
        .stop = trainer->options->stop,
    };
}

static rn_status plan_views(rn_trainer *trainer)
{
    rn_status st = RN_OK;
    const rn_checkpoint *checkpoint = trainer->checkpoint;
    const rn_evaluate_views_options options = rn_trainer_views(trainer);
    rn_inference *inference;

    RN_TRY(rn_view_plans_create(&trainer->plans, checkpoint,
                                checkpoint->ema != NULL ? checkpoint->ema : checkpoint->weights,
                                options.engine, 0));
    RN_TRY(rn_view_plans_get(
        trainer->plans, &inference,
        rn_views_shape(&options, checkpoint->options.height, checkpoint->options.width)));
out:
    return st;
}

rn_status rn_trainer_plan_evaluation(rn_trainer *trainer)
{
    rn_status st = RN_OK;

    if (holds_images(trainer->options->test) || holds_images(trainer->held))
        RN_TRY(rn_inference_create(&trainer->inference, trainer->checkpoint->graph, NULL,
                                   trainer->options->engine, RN_EVALUATION_BATCH));
    if (rn_trainer_sees_photos(trainer))
        RN_TRY(plan_views(trainer));
out:
    return st;
}

static rn_status evaluate_photos(rn_trainer *trainer, const rn_samples *samples,
                                 rn_evaluation *result, rn_watch *watch)
{
    const rn_member member = {trainer->checkpoint, trainer->checkpoint->ema != NULL};
    photo_evaluation evaluation = {trainer, watch};
    rn_evaluate_views_options options = rn_trainer_views(trainer);

    options.on_picture = see_photo;
    options.context = &evaluation;
    return rn_evaluate_planned(result, &member, samples, &options, trainer->plans);
}

static const char *set_name(const rn_trainer *trainer, const rn_samples *samples)
{
    const bool averaged = trainer->checkpoint->ema != NULL;

    if (samples == trainer->options->test)
        return averaged ? "test (ema)" : "test";
    return averaged ? "validation (ema)" : "validation";
}

// Whose lowest error makes the best weights; NULL: none.
static const rn_samples *deciding_set(const rn_trainer *trainer)
{
    return trainer->held != NULL ? trainer->held : trainer->options->test;
}

// Of the set that was evaluated last.
static rn_event evaluation_event(const rn_trainer *trainer, const rn_samples *samples)
{
    const rn_progress *progress = &trainer->progress;

    return (rn_event){.kind = RN_EVENT_EVALUATION,
                      .set = set_name(trainer, samples),
                      .count = progress->last_count,
                      .wrong = progress->last_wrong,
                      .error = 100.0 * (double)progress->last_wrong / (double)progress->last_count,
                      .loss = progress->last_loss};
}

static rn_status evaluate_on(rn_trainer *trainer, const rn_samples *samples, double *error)
{
    rn_status st = RN_OK;
    rn_evaluation result = {0};
    rn_watch watch;
    rn_watched watched[2 * RN_WATCHED];
    int shown = 0;

    rn_watch_init(&watch, samples->count, trainer->checkpoint->options.classes);
    if (samples->photos != NULL)
        RN_TRY(evaluate_photos(trainer, samples, &result, &watch));
    else
        RN_TRY(evaluate_images(trainer, samples, &result, &watch));
    if (samples == trainer->options->test)
        shown = rn_watch_result(watched, &watch, trainer->checkpoint->label_names);
    *error = 100.0 * (double)result.wrong / (double)result.count;
    trainer->progress.last_count = result.count;
    trainer->progress.last_wrong = result.wrong;
    trainer->progress.last_loss = result.loss;
    rn_event event = evaluation_event(trainer, samples);
    event.best = samples == deciding_set(trainer) && *error < trainer->progress.best_error;
    event.watched = watched;
    event.watched_count = shown;
    rn_trainer_tell(trainer, event);
out:
    return st;
}

// Where the disk refuses on the way, the best weights stay those that were kept before.
static rn_status keep_best(rn_trainer *trainer, double error)
{
    rn_status st = rn_trainer_save_model(trainer, "best.safetensors");

    if (st == RN_OK)
        trainer->progress.best_error = error;
    if (!rn_trainer_goes_on(trainer, st))
        return st;
    rn_trainer_note_refused(trainer, "the best weights stay those before");
    return RN_OK;
}

rn_status rn_trainer_evaluate(rn_trainer *trainer)
{
    rn_status st = RN_OK;
    rn_progress *progress = &trainer->progress;
    double error = 100 * progress->epoch_wrong / progress->epoch_seen;

    RN_TRY(rn_trainer_collect(trainer));
    if (trainer->held != NULL)
        RN_TRY(evaluate_on(trainer, trainer->held, &error));
    double watched = error;
    if (trainer->options->test != NULL)
        RN_TRY(evaluate_on(trainer, trainer->options->test, &error));
    if (trainer->held == NULL)
        watched = error;
    if (deciding_set(trainer) != NULL && watched < progress->best_error)
        RN_TRY(keep_best(trainer, watched));
    rn_schedule_observe_epoch(&trainer->recipe.schedule, &progress->schedule, watched);
    progress->epoch_wrong = progress->epoch_seen = 0;
    progress->evaluation_due = false;
    trainer->saved = false;
out:
    return st;
}

void rn_trainer_tell_evaluation(const rn_trainer *trainer)
{
    const rn_samples *last =
        trainer->options->test != NULL ? trainer->options->test : trainer->held;

    if (last != NULL && trainer->progress.last_count > 0)
        rn_trainer_tell(trainer, evaluation_event(trainer, last));
}
