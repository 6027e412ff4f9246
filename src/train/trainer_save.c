// Starting and saving a training.
#include "train/trainer.h"

#include "base/memory.h"
#include "train/finetune.h"
#include "train/whiten.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { RETRY_SECONDS = 60 };

rn_status rn_trainer_diverged(rn_trainer *trainer, const char *what)
{
    char where[160] = "";
    rn_status st = rn_run_find_nonfinite(trainer->run, where, sizeof where);

    if (st != RN_OK)
        return st;
    return rn_error(RN_EDIVERGED,
                    "%s after %llu iterations; first non-finite value: %s; last good checkpoint: "
                    "%s; try a lower lr (it was %g), a longer warmup, or other data",
                    what, (unsigned long long)trainer->progress.iteration,
                    where[0] != '\0' ? where : "none left, the loss itself overflowed",
                    trainer->saved_path != NULL ? trainer->saved_path : "none", trainer->lr);
}

static bool weights_finite(const rn_weights *weights)
{
    for (int i = 0; i < rn_weights_count(weights); i++) {
        const float *values = rn_weights_read(weights, i);
        for (size_t k = 0; k < rn_weights_param(weights, i)->count; k++)
            if (!isfinite(values[k]))
                return false;
    }
    return true;
}

rn_status rn_trainer_collect(rn_trainer *trainer)
{
    rn_status st = RN_OK;
    rn_checkpoint *checkpoint = trainer->checkpoint;

    RN_TRY(rn_run_store(trainer->run, RN_SLOT_VALUE, checkpoint->weights));
    RN_TRY(rn_sgd_store_momentum(trainer->sgd, checkpoint->momentum));
    if (checkpoint->ema != NULL)
        RN_TRY(rn_sgd_store_ema(trainer->sgd, checkpoint->ema));
    if (!weights_finite(checkpoint->weights))
        st = rn_trainer_diverged(trainer, "the weights are not finite");
out:
    return st;
}

// What stays for now is tried again after the next checkpoint.
static void remove_old(const rn_trainer *trainer)
{
    const rn_train_options *options = trainer->options;

    if (rn_checkpoint_remove_old(options->folder, trainer->progress.iteration,
                                 options->keep == 0 ? 3 : options->keep) != RN_OK)
        rn_trainer_tell(trainer, (rn_event){.kind = RN_EVENT_NOTE, .text = rn_error_message()});
}

rn_status rn_trainer_save(rn_trainer *trainer)
{
    rn_status st = RN_OK;
    char *path = NULL;

    if (trainer->saved)
        return RN_OK;
    RN_TRY(rn_trainer_collect(trainer));
    rn_text_free(trainer->checkpoint->state);
    trainer->checkpoint->state = NULL;
    RN_TRY(rn_progress_print(&trainer->checkpoint->state, &trainer->progress));
    RN_TRY(rn_checkpoint_add(&path, trainer->checkpoint, trainer->options->folder,
                             trainer->progress.iteration));
    trainer->saved = true;
    rn_free(trainer->saved_path);
    trainer->saved_path = path;
    rn_trainer_tell(trainer, (rn_event){.kind = RN_EVENT_CHECKPOINT, .text = trainer->saved_path});
    remove_old(trainer);
out:
    return st;
}

bool rn_trainer_goes_on(const rn_trainer *trainer, rn_status written)
{
    return written == RN_EIO && trainer->progress.iteration < trainer->iterations;
}

void rn_trainer_note_refused(const rn_trainer *trainer, const char *how)
{
    char text[1200];

    snprintf(text, sizeof text, "%s; the training goes on, and %s", rn_error_message(), how);
    rn_trainer_tell(trainer, (rn_event){.kind = RN_EVENT_NOTE, .text = text});
}

rn_status rn_trainer_save_on_the_way(rn_trainer *trainer)
{
    rn_status st = rn_trainer_save(trainer);

    if (st == RN_OK)
        trainer->retry = 0;
    if (!rn_trainer_goes_on(trainer, st))
        return st;
    if (trainer->retry == 0)
        rn_trainer_note_refused(trainer, "tries again each minute");
    trainer->retry = rn_clock() + RETRY_SECONDS;
    return RN_OK;
}

bool rn_trainer_retry_due(const rn_trainer *trainer)
{
    return trainer->retry > 0 && rn_clock() >= trainer->retry;
}

rn_status rn_trainer_save_model(rn_trainer *trainer, const char *name)
{
    rn_status st = RN_OK;
    char *path = NULL;
    rn_checkpoint model = *trainer->checkpoint; // borrows every part

    model.momentum = model.ema = NULL;
    model.state = NULL;
    if (trainer->checkpoint->ema != NULL)
        model.weights = trainer->checkpoint->ema;
    RN_TRY(rn_format(&path, "%s/%s", trainer->options->folder, name));
    RN_TRY(rn_checkpoint_save(&model, path));
out:
    rn_free(path);
    return st;
}

// Classes beyond the data's have numbers for names.
static rn_status copy_labels(char ***out, const rn_samples *samples, int classes)
{
    rn_status st = RN_OK;

    RN_TRY(RN_NEW(out, (size_t)classes));
    for (int i = 0; i < classes; i++)
        RN_TRY(i < samples->classes ? rn_strdup(&(*out)[i], samples->label_names[i])
                                    : rn_format(&(*out)[i], "%d", i));
out:
    return st;
}

rn_model_options rn_trainer_model_options(const rn_train_options *options)
{
    rn_model_options model = options->model_options;
    const rn_checkpoint *from = options->from;

    if (model.classes == 0)
        model.classes = options->train->classes;
    if (model.channels == 0 && model.height == 0 && model.width == 0 && from != NULL) {
        model.channels = from->options.channels;
        model.height = from->options.height;
        model.width = from->options.width;
    }
    if (options->train->photos == NULL && model.channels == 0 && model.height == 0 &&
        model.width == 0) {
        model.channels = options->train->channels;
        model.height = options->train->height;
        model.width = options->train->width;
    }
    return model;
}

rn_status rn_train_graph(rn_graph **out, const rn_train_options *options)
{
    const rn_model_options model = rn_trainer_model_options(options);

    return rn_graph_create(out, options->model != NULL ? options->model : options->from->model,
                           &model);
}

static rn_status measure(rn_trainer *trainer)
{
    const rn_samples *train = trainer->options->train;
    const rn_model_options *model = &trainer->checkpoint->options;
    rn_preprocess **preprocess = &trainer->checkpoint->preprocess;

    if (train->photos == NULL)
        return rn_preprocess_measure(preprocess, train, trainer->recipe.normalize);
    return rn_preprocess_measure_photos(
        preprocess, train, trainer->recipe.normalize,
        (rn_input_shape){model->channels, model->height, model->width});
}

// What a network for photographs is evaluated on.
static rn_status check_tta(const rn_trainer *trainer)
{
    rn_tta tta = trainer->recipe.tta;

    if (trainer->options->train->photos == NULL || tta == RN_TTA_NONE)
        return RN_OK;
    return rn_error(RN_EINVAL,
                    "test-time augmentation '%s' is for images of one size, expected none",
                    rn_tta_name(tta));
}

static rn_status leave_out(rn_samples *train, const rn_recipe *recipe)
{
    rn_status st = RN_OK;
    rn_samples *others = NULL;

    if (recipe->train_images == 0 || recipe->train_images == train->count)
        return RN_OK;
    RN_TRY(rn_samples_hold_out(&others, train, train->count - (size_t)recipe->train_images,
                               recipe->seed));
out:
    rn_samples_free(others);
    return st;
}

rn_status rn_trainer_hold_out(rn_trainer *trainer)
{
    rn_status st = RN_OK;
    rn_samples *train = trainer->options->train;
    const rn_recipe *recipe = &trainer->recipe;

    RN_TRY(rn_trainer_check_counts(recipe, train));
    trainer->given = train->count;
    if (recipe->hold_out > 0)
        RN_TRY(rn_samples_hold_out(&trainer->held, train, (size_t)recipe->hold_out, recipe->seed));
    RN_TRY(leave_out(train, recipe));
out:
    return st;
}

rn_status rn_trainer_new_weights(rn_trainer *trainer)
{
    rn_status st = RN_OK;
    rn_checkpoint *checkpoint = trainer->checkpoint;

    if (checkpoint->momentum == NULL)
        RN_TRY(rn_weights_create(&checkpoint->momentum, checkpoint->graph));
    if (checkpoint->ema == NULL && trainer->recipe.sgd.ema > 0)
        RN_TRY(rn_weights_create(&checkpoint->ema, checkpoint->graph));
out:
    return st;
}

static rn_status begin_network(rn_trainer *trainer)
{
    rn_status st = RN_OK;
    const rn_train_options *options = trainer->options;
    rn_checkpoint *checkpoint = trainer->checkpoint;

    RN_TRY(rn_train_graph(&checkpoint->graph, options));
    checkpoint->options = *rn_graph_options(checkpoint->graph);
    RN_TRY(rn_trainer_check_data(&checkpoint->options, options));
    uint32_t sum = rn_trainer_data_sum(options->train); // of all, held out or not
    RN_TRY(rn_trainer_hold_out(trainer));
    trainer->progress = (rn_progress){
        .best_error = 100,
        .training_error = -1,
        .train_count = options->train->count,
        .data_sum = sum,
        .test_sum = rn_trainer_test_sum(options->test),
        .threads = rn_threads(),
        .evaluate_every = rn_trainer_evaluate_every(options),
    };
    rn_trainer_count_iterations(trainer);
    RN_TRY(rn_strdup(&checkpoint->model, rn_graph_model(checkpoint->graph)));
    RN_TRY(copy_labels(&checkpoint->label_names, options->train, checkpoint->options.classes));
    RN_TRY(rn_weights_create(&checkpoint->weights, checkpoint->graph));
    rn_weights_initialise(checkpoint->weights, trainer->recipe.seed);
out:
    return st;
}

static rn_status begin_from_scratch(rn_trainer *trainer)
{
    rn_status st = RN_OK;
    const rn_recipe *recipe = &trainer->recipe;
    rn_checkpoint *checkpoint = trainer->checkpoint;

    if (recipe->freeze_until != RN_FREEZE_NONE)
        return rn_error(RN_EINVAL,
                        "'freeze_until' is %s, but there are no trained weights to start "
                        "from and to keep",
                        rn_freeze_name(recipe->freeze_until));
    RN_TRY(measure(trainer));
    if (recipe->whiten > 0)
        RN_TRY(rn_whiten(checkpoint->weights, checkpoint->preprocess, trainer->options->train,
                         &(rn_whiten_options){.images = (size_t)recipe->whiten,
                                              .workers = trainer->options->workers,
                                              .bad_images = trainer->options->bad_images,
                                              .stop = trainer->options->stop,
                                              .on_bad = rn_trainer_tell_bad,
                                              .context = trainer}));
out:
    return st;
}

rn_status rn_trainer_begin(rn_trainer *trainer)
{
    rn_status st = RN_OK;
    const rn_train_options *options = trainer->options;

    trainer->recipe = *options->recipe;
    RN_TRY(rn_recipe_check(&trainer->recipe));
    RN_TRY(RN_NEW(&trainer->checkpoint, 1));
    RN_TRY(begin_network(trainer));
    RN_TRY(check_tta(trainer));
    RN_TRY(options->from != NULL ? rn_finetune_begin(trainer) : begin_from_scratch(trainer));
    RN_TRY(rn_recipe_print(&trainer->checkpoint->recipe, &trainer->recipe));
    RN_TRY(rn_trainer_new_weights(trainer));
    rn_trainer_note_begin(trainer);
out:
    return st;
}
