/** State of one rn_train() call; shared by trainer*.c, finetune.c and phases.c. */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

#include "train/bad_notes.h"
#include "train/gradient_norms.h"
#include "train/inference.h"
#include "train/progress.h"
#include "train/view_plans.h"

enum { RN_TRAINER_READY = 4 }; // batches that the loader has ready ahead

/** A part of the training with images of one size. */
typedef struct rn_phase {
    uint64_t first;        // iteration; the next phase's may be the same
    const rn_graph *graph; // the checkpoint's, or own_graph
    const rn_preprocess *preprocess;
    rn_augment augment;
    rn_plan *plan; // NULL of one that is over, or has no step
    double flops;  // of a step
    rn_graph *own_graph;
    rn_preprocess *own_preprocess;
} rn_phase;

typedef struct rn_trainer {
    const rn_train_options *options;
    rn_recipe recipe;
    rn_checkpoint *checkpoint; // graph, preprocess, labels; its weights are scratch for saving
    rn_samples *held;          // validation images, or NULL
    size_t given;              // training images, with those held or left out: their memory stays
    rn_engine *engine;
    rn_phase phases[RN_MAX_SIZES + 1]; // the last one is of the network's own size
    int phase_count, phase;            // which is the present one
    rn_run *run;                       // of the present phase
    rn_sgd *sgd;
    rn_loader *loader;
    rn_gradient_norms *norms; // NULL where they are not wanted
    rn_inference *inference;  // NULL where no images of one size are evaluated
    rn_view_plans *plans;     // the same of photographs
    rn_bad_notes bad;         // pictures that were told of
    rn_progress progress;
    uint64_t iterations; // in all
    uint64_t first;      // iteration that this process began with
    bool saved;          // the last checkpoint has the present state
    char *saved_path;    // of the last checkpoint, or NULL
    double retry;        // rn_clock() of the next try, since one could not be written; 0: none
    double lr;
    double started, train_seconds; // rn_clock(); time in steps, evaluation excluded
    struct {
        double seconds, waited;
        uint64_t steps;
    } window; // of this process, since the last STEP event
    rn_train_result result;
} rn_trainer;

void rn_trainer_tell(const rn_trainer *trainer, rn_event event);
/** Of a picture that cannot be read, once; the trainer is `context`. */
void rn_trainer_tell_bad(const char *message, void *context);

/** Copy values, momentum and EMA out of the run into trainer->checkpoint. RN_EDIVERGED if not
 * finite. */
rn_status rn_trainer_collect(rn_trainer *trainer);

/** Write checkpoint-N.safetensors and drop the oldest. */
rn_status rn_trainer_save(rn_trainer *trainer);
/**
 * The same on the way: where the disk refuses, the training is worth more than the checkpoint. It
 * is noted, and tried again a minute later (rn_trainer_retry_due()).
 */
rn_status rn_trainer_save_on_the_way(rn_trainer *trainer);
/** Whether a training goes on after a write that ended so: the disk refused, and there is more to
 * do. */
bool rn_trainer_goes_on(const rn_trainer *trainer, rn_status written);
/** Note the message in force: that the training goes on, and `how`. */
void rn_trainer_note_refused(const rn_trainer *trainer, const char *how);
bool rn_trainer_retry_due(const rn_trainer *trainer);

/** Write `name` in the run folder as a plain model with the weights to be used (EMA if in use). */
rn_status rn_trainer_save_model(rn_trainer *trainer, const char *name);

/** Evaluate the weights that will be used; keep the best; let the schedule see the error. */
rn_status rn_trainer_evaluate(rn_trainer *trainer);

/** Tell of the last evaluation once more. */
void rn_trainer_tell_evaluation(const rn_trainer *trainer);

/** What is evaluated holds photographs. */
bool rn_trainer_sees_photos(const rn_trainer *trainer);
/** How they are: by the middle, of the share that training crops show. */
rn_evaluate_views_options rn_trainer_views(const rn_trainer *trainer);
/** Plan the evaluations, of photographs and of images of one size; the checkpoint must be there. */
rn_status rn_trainer_plan_evaluation(rn_trainer *trainer);

/**
 * Plan the training step, within what the memory limit leaves beside all else; the inference and
 * the checkpoint must be there.
 */
rn_status rn_trainer_plan(const rn_trainer *trainer, rn_plan **out, const rn_graph *graph);
/** Say what the limit costs, if anything. */
void rn_trainer_tell_plan(const rn_trainer *trainer, const rn_plan *plan);

/** Classes and input of the network that a new training makes. */
rn_model_options rn_trainer_model_options(const rn_train_options *options);
/**
 * Training and test set must be what the network was made for, which may have classes beyond
 * theirs: size, classes, labels, and the same names for the same labels. RN_EINVAL says what is
 * not.
 */
rn_status rn_trainer_check_data(const rn_model_options *model, const rn_train_options *options);

/** Whether there are as many images as the recipe holds out and trains on. RN_OK; RN_EINVAL. */
rn_status rn_trainer_check_counts(const rn_recipe *recipe, const rn_samples *train);

/** Say what is odd about the recipe for this network, data and length. */
void rn_trainer_note_begin(const rn_trainer *trainer);
/** Say that the rate never was the schedule's, if so. */
void rn_trainer_note_end(const rn_trainer *trainer);

/** Set trainer->iterations from recipe and progress. */
void rn_trainer_count_iterations(rn_trainer *trainer);
/** Epochs. */
double rn_trainer_evaluate_every(const rn_train_options *options);
/** CRC-32 of labels, names of classes, and pixels, or of photographs their names. */
uint32_t rn_trainer_data_sum(const rn_samples *samples);
/** The same of a test set; NULL: RN_TEST_NONE. */
int64_t rn_trainer_test_sum(const rn_samples *test);
/** Move what the recipe holds out of the training set to trainer->held. */
rn_status rn_trainer_hold_out(rn_trainer *trainer);
/** Momentum and average, where the checkpoint has none yet. */
rn_status rn_trainer_new_weights(rn_trainer *trainer);

/** Build or load trainer->checkpoint, recipe, progress and iterations. */
rn_status rn_trainer_begin(rn_trainer *trainer);
rn_status rn_trainer_resume(rn_trainer *trainer);

/** Message of a loss that is not finite: where it came from, what to change. Returns RN_EDIVERGED.
 */
rn_status rn_trainer_diverged(rn_trainer *trainer, const char *what);

#endif
