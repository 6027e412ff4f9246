/** Training, with checkpoints and resume. */
#ifndef RESNET_TRAIN_H
#define RESNET_TRAIN_H

#include "resnet/recipe.h"
#include "resnet/store.h"

#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif

/** L2 norms of one parameter in one step. */
typedef struct rn_param_norm {
    const char *name; // "layer1.0.conv1.weight"
    double gradient;  // of the batch's mean loss, without weight decay
    double value;     // of the parameter, before the update
} rn_param_norm;

enum { RN_GUESSES = 3, RN_WATCHED = 8 };

/** A class and its probability (NaN of a network that has diverged). */
typedef struct rn_guess {
    const char *name; // borrowed
    double probability;
} rn_guess;

/** One picture of a set, and what the network makes of it. */
typedef struct rn_watched {
    size_t index;      // in the set
    const char *label; // borrowed
    bool right;
    bool mistake;                 // shown for being one; else one of those that stay the same
    rn_guess guesses[RN_GUESSES]; // the most probable first
    int guess_count;
} rn_watched;

/** One measured point of a training run, given to rn_train_options.on_event. */
typedef enum rn_event_kind {
    RN_EVENT_START,      // text: what is trained, once
    RN_EVENT_RESUME,     // text: checkpoint path
    RN_EVENT_STEP,       // as log_every says: means since the last such event
    RN_EVENT_EVALUATION, // as evaluate_every says, and at the end
    RN_EVENT_CHECKPOINT, // text: path
    RN_EVENT_GRADIENTS,  // every log_gradients iterations: norms
    RN_EVENT_NOTE,       // text: something worth knowing, e.g. "learning rate 0.01 -> 0.1: ..."
    RN_EVENT_END         // the last; status says how
} rn_event_kind;

typedef struct rn_event {
    rn_event_kind kind;
    uint64_t iteration, iterations; // steps done, and in all
    double epoch;                   // passes over the training set done
    double seconds;                 // since the start of this process' training
    double loss, error;             // STEP: training (error in percent; of mixed pictures as
                                    // rn_loss counts it); EVALUATION: of `set`
    double lr;
    double images_per_second;   // STEP: since the last STEP event
    double data_wait;           // STEP: share of that time spent waiting for data, 0 .. 1
    double eta;                 // STEP: seconds until the end
    double memory;              // STEP: bytes of this process that are resident, 0: unknown
    double memory_peak;         // STEP: the most there were
    const char *set;            // EVALUATION: "test", "validation"; of the average "test (ema)",
                                // "validation (ema)"
    int64_t count, wrong;       // EVALUATION
    bool best;                  // EVALUATION: the lowest error yet of what is held out, or where
                                // nothing is, of the test set: best.safetensors has its weights
    const rn_param_norm *norms; // GRADIENTS: of all parameters but the frozen, borrowed
    int norm_count;
    /**
     * EVALUATION of the test set, which gives them without more work: up to RN_WATCHED pictures
     * that lie evenly over the set, the same every time, then up to RN_WATCHED that it takes for
     * something else with the highest probabilities. Borrowed until the call returns.
     */
    const rn_watched *watched;
    int watched_count;
    const char *text;
    rn_status status; // END
} rn_event;

typedef struct rn_train_options {
    const char *model;              // spec; NULL: of `from`
    rn_model_options model_options; // classes 0: from the data; size 0: of `from`, or from the data
    const rn_checkpoint *from; // start from its weights (EMA if it has it): see below; borrowed
                               // until RN_EVENT_START
    const char *from_name;     // what checkpoints record of these, such as a path and a sum
    const rn_recipe *recipe;
    rn_samples *train;      // borrowed; recipe->hold_out images are moved out of it
    const rn_samples *test; // borrowed; NULL: no evaluation
    const char *folder;     // run folder for checkpoints; created if missing
    bool resume;        // continue from the newest valid checkpoint in folder; RN_ENOTFOUND if none
    const char *engine; // NULL: "cpu"
    size_t memory_limit; // bytes for all that training holds: step, optimiser, evaluation, copies
                         // for saving, data; 0: none. Not the program's code and libraries (some
                         // 50 MB). Results are the same, bit for bit (plan.h)
    int workers;         // data threads; 0: 1
    rn_bad_images bad_images;
    double evaluate_every;             // epochs; 0: 1
    uint64_t checkpoint_every;         // iterations; 0: each epoch
    int keep;                          // checkpoints kept; 0: 3
    uint64_t log_every;                // iterations; 0: 50
    double log_seconds;                // and sooner, once steps have taken so long; 0: not
    uint64_t log_gradients;            // iterations; 0: never. Changes nothing of the training
    const volatile sig_atomic_t *stop; // becomes non-zero: finish the step, save, RN_EINTERRUPTED;
                                       // before the first step nothing is saved
    void (*on_event)(const rn_event *event, void *context);
    void *context;
} rn_train_options;

/** What a finished (or interrupted) training leaves. */
typedef struct rn_train_result {
    uint64_t iterations;            // done in all
    uint64_t steps;                 // done by this process; 0: resumed when it was complete
    double seconds;                 // of this process
    double images_per_second;       // over the training steps of this process, evaluation excluded
    double data_wait;               // share of the training time
    int64_t test_count, test_wrong; // last evaluation of the weights to be used (EMA if in use), of
                                    // the test set, else of what is held out; 0: none is known
    double test_loss;
    double best_error; // lowest error over the run of what is held out, else of the test set, in
                       // percent; 100 if never evaluated
} rn_train_result;

/**
 * Train a network, or continue a training.
 *
 * Writes checkpoint-N.safetensors, best.safetensors (lowest validation error, or test error where
 * nothing is held out) and at the end model.safetensors (the last weights, EMA if in use) into the
 * folder. A resumed run takes its recipe from the checkpoint and is bit-equal to one that was never
 * stopped, at the same thread count. One that was complete tells of its last evaluation again.
 *
 * Fine-tuning starts from the weights, running statistics and preprocess of options->from. `model`
 * may differ from it in dropout and survival, the input in size where the parameters' shapes do not
 * depend on it and the preprocess is not of each pixel. The last linear layer is kept where the
 * data's classes have the same number and names in the same order; otherwise it starts anew. The
 * recipe's normalize and whiten do not count. Notes say what was done. A resumed run needs no
 * `from`.
 *
 * @return RN_OK; RN_EINTERRUPTED (saved; may be resumed); RN_EDIVERGED (the message names the first
 *         layer with a non-finite value, the last good checkpoint and what to change); RN_EINVAL;
 *         RN_ENOMEM (also where memory_limit is too low: the message names the least that would
 * do); as the parts.
 */
RN_API rn_status rn_train(const rn_train_options *options, rn_train_result *result);

/**
 * Whether training and test set go with the network, and with each other: sizes, classes, labels;
 * and of a training to resume, whether the data, and evaluations that decide the learning rate, are
 * what they were. What rn_train() would say, before anything is written.
 *
 * @param resumed  Of a training to resume the checkpoint; NULL: of a new one.
 * @return RN_OK; RN_EINVAL (names the first difference); RN_EFORMAT (no training state); RN_ENOMEM;
 *         as rn_graph_create().
 */
RN_API rn_status rn_train_check(const rn_train_options *options, const rn_checkpoint *resumed);

/**
 * Whether model, input, data and the recipe's freeze_until go with options->from: what rn_train()
 * would say, before anything is written.
 *
 * @return RN_OK; RN_EINVAL (names the first difference); RN_ENOMEM.
 */
RN_API rn_status rn_finetune_check(const rn_train_options *options);

/**
 * Whether a new training keeps within options->memory_limit, and its engine has all ops of the
 * recipe's dtype: what rn_train() would say, before anything is written. Plans the training.
 *
 * @return RN_OK; RN_EINVAL (data and recipe do not go together); RN_ENOMEM (also where the limit is
 *         too low: the message names the least that would do); RN_ENGINE; as rn_graph_create().
 */
RN_API rn_status rn_train_check_memory(const rn_train_options *options);

/**
 * Whether the sizes of the recipe's progressive go with model, input and normalisation: what
 * rn_train() would say, before anything is written.
 *
 * @return RN_OK; RN_EINVAL (names the first size that does not fit); RN_ENOMEM.
 */
RN_API rn_status rn_progressive_check(const rn_train_options *options);

/**
 * The network that rn_train() makes of model, input, data and `from` where it does not resume.
 *
 * @param[out] out  The caller's (rn_graph_free()); NULL on failure.
 * @return As rn_graph_create().
 */
RN_API rn_status rn_train_graph(rn_graph **out, const rn_train_options *options);

#ifdef __cplusplus
}
#endif
#endif
