/** Recipes, training with checkpoints and resume, evaluation. */
#ifndef RESNET_TRAIN_H
#define RESNET_TRAIN_H

#include "resnet/batch.h"
#include "resnet/optim.h"
#include "resnet/store.h"

#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Test-time augmentation: the logits of an image are a weighted mean over views of it. */
typedef enum rn_tta {
    RN_TTA_NONE,          // the image
    RN_TTA_FLIP,          // the image and its mirror image, 1/2 each
    RN_TTA_FLIP_TRANSLATE // these 1/4 each; the crops a pixel up and left, and a pixel down and
                          // right (reflect padding), and their mirror images, 1/8 each
} rn_tta;

/** Names "none", "flip", "flip-translate". Static; NULL if out of range. */
RN_API const char *rn_tta_name(rn_tta tta);
RN_API rn_status rn_tta_parse(rn_tta *out, const char *name);

enum { RN_MAX_SIZES = 8 };

/**
 * Progressive resizing: smaller images first, which cost less (as in Howard et al.'s DAWNBench
 * entry of 2018; Tan & Le 2021, arXiv:2104.00298, section 4).
 *
 * Inputs are made at the size, not resized a second time: photographs are cut to it, images of one
 * size are resized and then padded and cropped. Lengths in pixels (pad, resize_low, resize_high)
 * shrink in proportion. Evaluations are at the network's own size.
 */
typedef struct rn_progressive {
    int count;                  // sizes before the network's own; 0: it alone
    int size[RN_MAX_SIZES];     // of the shorter side in pixels, the longer one in proportion; 1 ..
                                // 4096, rising, below the network's own
    double until[RN_MAX_SIZES]; // share of all iterations, rounded down, that is done when the size
                                // ends; rising, above 0, below 1
} rn_progressive;

/** Everything that decides what training computes. Plain data; copy freely. */
typedef struct rn_recipe {
    char name[64];       // "paper-cifar", "quick", "shapes", or the file's
    double epochs;       // > 0, or 0 if iterations is set
    uint64_t iterations; // > 0, or 0 if epochs is set
    int batch;           // 1 .. 65536
    rn_dtype dtype;      // of activations in a training step; evaluations are in float32
    uint64_t seed;
    rn_schedule schedule;
    rn_sgd_options sgd;
    double label_smoothing; // 0 .. 1
    double bn_momentum;     // share of a batch in the running statistics; 0: the network's, 0.1
    rn_augment augment;
    rn_mix mix;
    rn_progressive progressive;
    rn_normalize normalize;
    rn_tta tta;      // of its evaluations
    uint64_t whiten; // training images whose patches make the first convolution; 0: random filters
    uint64_t hold_out;      // training images set aside for validation (paper: 5,000); 0: none
    rn_freeze freeze_until; // layers that keep the weights they start from; plan.h says how
} rn_recipe;

/** Built-in recipes, index from 0; NULL past the last. Static. */
RN_API const char *rn_recipe_name(int index);
RN_API const char *rn_recipe_summary(int index);

/**
 * The default recipe for a model and a data source: "shapes" for the generated data, "modern" for
 * encoded pictures, "fast-cifar" for "fast-" networks, "quick-deep" from 110 layers on, else
 * "quick". Static.
 */
RN_API const char *rn_recipe_default(const char *model, const char *source);

/**
 * Get a recipe.
 *
 * @param name   A built-in name or the path of a JSON file (a name with '/' or ending in ".json").
 *               A file starts from built-in "paper-cifar", or from the one its "base" names.
 * @return RN_OK; RN_ENOTFOUND (with the nearest name); RN_EFORMAT (unknown key, type, range: names
 *         file, key, expected, found); RN_EIO; RN_ENOMEM.
 */
RN_API rn_status rn_recipe_load(rn_recipe *out, const char *name);
/**
 * From JSON text, over the values that *recipe already has, or over those of the built-in recipe
 * that its "base" names; `what` names it in messages. Ranges are checked; whether the values fit
 * together is for rn_recipe_check(), after the last change. On failure *recipe is unchanged.
 */
RN_API rn_status rn_recipe_parse(rn_recipe *recipe, const char *json, const char *what);
/**
 * Set one value by its JSON key from text, as an option does: "lr" "0.05", "flip" "false",
 * "milestones" "32000,48000", "progressive" "128:0.4,160:0.75". Setting "epochs" above 0 clears
 * "iterations", and the other way round.
 *
 * @return RN_OK; RN_EINVAL (key unknown, with the nearest; value not of the type or out of range,
 *         with what was expected); RN_ENOMEM. On failure *recipe is unchanged.
 */
RN_API rn_status rn_recipe_set(rn_recipe *recipe, const char *key, const char *value);
/** Check every value, and that they fit together. RN_EINVAL names the first that does not. */
RN_API rn_status rn_recipe_check(const rn_recipe *recipe);
/** Indented JSON with every key; the caller's (rn_text_free()). */
RN_API rn_status rn_recipe_print(char **out, const rn_recipe *recipe);

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
    RN_EVENT_STEP,       // every log_every iterations: means since the last such event
    RN_EVENT_EVALUATION, // at the end of an epoch, and at the end
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
    const char *set;            // EVALUATION: "test", "validation", "test (ema)"
    int64_t count, wrong;       // EVALUATION
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
    const rn_checkpoint *from; // borrowed; start from its weights (EMA if it has it): see below
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
    uint64_t log_gradients;            // iterations; 0: never. Changes nothing of the training
    const volatile sig_atomic_t *stop; // becomes non-zero: finish the step, save, RN_EINTERRUPTED
    void (*on_event)(const rn_event *event, void *context);
    void *context;
} rn_train_options;

/** What a finished (or interrupted) training leaves. */
typedef struct rn_train_result {
    uint64_t iterations;            // done in all
    double seconds;                 // of this process
    double images_per_second;       // over the training steps of this process, evaluation excluded
    double data_wait;               // share of the training time
    int64_t test_count, test_wrong; // last evaluation of the weights to be used (EMA if in use)
    double test_loss;
    double best_error; // lowest such error over the run, in percent; 100 if never evaluated
} rn_train_result;

/**
 * Train a network, or continue a training.
 *
 * Writes checkpoint-N.safetensors, best.safetensors (lowest validation error, or test error where
 * nothing is held out) and at the end model.safetensors (the last weights, EMA if in use) into the
 * folder. A resumed run takes its recipe from the checkpoint and is bit-equal to one that was never
 * stopped, at the same thread count.
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
 * Whether model, input, data and the recipe's freeze_until go with options->from: what rn_train()
 * would say, before anything is written.
 *
 * @return RN_OK; RN_EINVAL (names the first difference); RN_ENOMEM.
 */
RN_API rn_status rn_finetune_check(const rn_train_options *options);

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

typedef struct rn_evaluation {
    int64_t count, wrong, wrong_top5; // exact: every sample once
    double loss;                      // mean
    double seconds;
    int classes;
    int64_t *confusion; // [label][predicted], classes x classes; NULL unless asked for
    int64_t skipped;    // pictures that could not be read
    int64_t views;      // that were computed, each by all models; 0: one an image, as rn_evaluate()
} rn_evaluation;

typedef struct rn_evaluate_options {
    int batch; // 0: 128
    bool confusion;
    rn_tta tta;
    const char *engine;                // NULL: "cpu"
    const volatile sig_atomic_t *stop; // non-zero: RN_EINTERRUPTED
} rn_evaluate_options;

/**
 * Evaluate a model on a set of images of its input's size.
 *
 * The set's classes are the model's of the same names where it knows them all, else, if there are
 * as many, of the same numbers. Those that only the model has are answers too, always wrong ones.
 *
 * @param[out] out  Release with the function below; zeroes on failure. `classes` and confusion are
 *                  the model's.
 * @return RN_OK; RN_EINVAL (set or options do not fit the model); RN_EINTERRUPTED; RN_ENOMEM; as
 *         rn_plan_create().
 */
RN_API rn_status rn_evaluate(rn_evaluation *out, const rn_checkpoint *model, bool ema,
                             const rn_samples *samples, const rn_evaluate_options *options);
RN_API void rn_evaluation_release(rn_evaluation *evaluation);

/** A model of an ensemble, borrowed. */
typedef struct rn_member {
    const rn_checkpoint *model;
    bool ema; // its averaged weights, not the last ones
} rn_member;

/** What is averaged over the views of a picture and over the models. */
typedef enum rn_average { RN_AVERAGE_SOFTMAX, RN_AVERAGE_LOGITS } rn_average;

/** What came out for one picture. */
typedef struct rn_picture_scores {
    size_t index;        // in the set
    int label;           // as the models number classes
    const float *scores; // averaged probabilities, or logits, one a class; NULL: a bad picture
    const char *error;   // why it is bad, with its name; else NULL
} rn_picture_scores;

typedef struct rn_evaluate_views_options {
    rn_views views;
    rn_average average;
    int batch;          // pictures at a time, and views of 224 x 224 (of larger ones fewer), 1 ..
                        // 4096; 0: 32
    int workers;        // threads that decode and resize beside the computation, 1 .. 64; 0: 1
    size_t plan_memory; // bytes of plans kept for sizes of views that may come again, of all models
                        // together; the one in use may be larger. 0: 2 GiB
    bool skip_bad;      // pictures that cannot be read are counted as skipped; else the first ends
                        // the evaluation
    bool confusion;
    const char *engine;                // NULL: "cpu"
    const volatile sig_atomic_t *stop; // non-zero: RN_EINTERRUPTED
    /** Called for each picture, in the order of the set; NULL: not. Any status but RN_OK ends the
     * evaluation. What it is given is borrowed until it returns. */
    rn_status (*on_picture)(const rn_picture_scores *scores, void *context);
    void *context;
} rn_evaluate_views_options;

/**
 * Evaluate a model, or an ensemble, on pictures of any size by several views of each.
 *
 * Each model normalises every view as it was trained; its softmax probabilities (or logits) are
 * averaged over views and models, and the class with the largest mean is taken. The loss is that of
 * the averaged probabilities, -log p, with p at least 2^-126. Views of one size share a batch. The
 * networks are planned for each size of view that comes (they have to end in global pooling unless
 * it is the size they were made for).
 *
 * Classes are matched as by rn_evaluate(). Images of one size (CIFAR) are pictures too.
 *
 * @param[out] out  Release with rn_evaluation_release(); zeroes on failure. `classes` and confusion
 *                  are the models'.
 * @param members   `count` models, 1 .. 32, of equal classes and channels.
 * @param options   NULL: the picture as it is, probabilities, cpu engine.
 * @return RN_OK; RN_EINVAL (option out of range; models, set or views do not fit together; an image
 *         without label); RN_EFORMAT (no picture could be read); RN_EINTERRUPTED; RN_ENOMEM; as
 *         rn_plan_create(); of a bad picture as rn_photos_read() and rn_image_decode().
 */
RN_API rn_status rn_evaluate_views(rn_evaluation *out, const rn_member *members, int count,
                                   const rn_samples *samples,
                                   const rn_evaluate_views_options *options);

/** A model ready to classify pictures of any size. */
typedef struct rn_predictor rn_predictor;

/** Loads the model file as rn_model_load() (its EMA weights if it has them); batch 1 .. 1024
 * pictures at once. */
RN_API rn_status rn_predictor_create(rn_predictor **out, const char *path, int batch,
                                     const char *engine);
/** The same with a model that is loaded already: borrowed, it must outlive the predictor. */
RN_API rn_status rn_predictor_create_from(rn_predictor **out, const rn_checkpoint *model, int batch,
                                          const char *engine);
RN_API void rn_predictor_free(rn_predictor *predictor);

typedef struct rn_predictor_options {
    int batch;          // pictures at once, 1 .. 1024; 0: 1
    const char *engine; // NULL: "cpu"
    const char *layer;  // node whose output is wanted too, e.g. "layer2.0.relu1"; NULL: none
} rn_predictor_options;

/**
 * The same with options.
 *
 * @return RN_OK; RN_ENOTFOUND (no such layer; names the nearest); RN_EINVAL (batch, engine);
 *         RN_ENOMEM; as rn_plan_create().
 */
RN_API rn_status rn_predictor_create_with(rn_predictor **out, const rn_checkpoint *model,
                                          const rn_predictor_options *options);

/** Where the input of place `slot` (0 .. batch - 1) goes: float32 [channels][height][width],
 * preprocessed; borrowed until the predictor is freed. */
RN_API float *rn_predictor_input(rn_predictor *predictor, int slot);
/** Put a picture into place `slot` (0 .. batch - 1). */
RN_API rn_status rn_predictor_set(rn_predictor *predictor, int slot, const rn_image *image);
/** Softmax probabilities, float32 [batch][classes]; borrowed until the next call. */
RN_API rn_status rn_predictor_run(rn_predictor *predictor, const float **probabilities);

/**
 * The name of the layer whose output is what a network makes of a picture, before it says what it
 * is: what its global average pooling gives, else what its last linear layer reads. Borrowed from
 * the graph.
 */
RN_API const char *rn_embedding_layer(const rn_graph *graph);

/** Channels, height and width of options.layer's output; height and width 1 where it is flat. */
RN_API void rn_predictor_shape(const rn_predictor *predictor, int shape[3]);

/**
 * Compute the output of options.layer, and nothing behind it.
 *
 * @param[out] values  float32 [batch][channels][height][width]; borrowed until the next call.
 * @return RN_OK; RN_EINVAL (no layer was asked for); RN_ENGINE.
 */
RN_API rn_status rn_predictor_features(rn_predictor *predictor, const float **values);

/**
 * The layer that class activation maps are made from: the one before global average pooling.
 *
 * @param[out] layer  Its name, borrowed from the graph; NULL on failure.
 * @return RN_OK; RN_EUNSUPPORTED if the network does not end in a global average over a map and one
 *         linear layer: says what stands there.
 */
RN_API rn_status rn_cam_layer(const char **layer, const rn_graph *graph);

/**
 * Class activation map (Zhou et al. 2016, "Learning Deep Features for Discriminative Localization",
 * eq. 2) of the last rn_predictor_run(), whose options.layer must be rn_cam_layer()'s:
 *
 *     M_c(y, x) = sum over k of w[c][k] f_k(y, x)
 *
 * with the weights w of the linear layer. Its mean over all places, and the bias, are the logit.
 *
 * @param slot      0 .. batch - 1.
 * @param class     0 .. classes - 1.
 * @param[out] map  float32 [height][width] of rn_predictor_shape().
 * @return RN_OK; RN_EINVAL (out of range, or another layer).
 */
RN_API rn_status rn_predictor_cam(const rn_predictor *predictor, int slot, int class, float *map);

/** Logits of the last rn_predictor_run(), float32 [batch][classes]; borrowed until the next. */
RN_API const float *rn_predictor_logits(const rn_predictor *predictor);

RN_API int rn_predictor_classes(const rn_predictor *predictor);
/** Borrowed until the predictor is freed. */
RN_API const char *rn_predictor_label(const rn_predictor *predictor, int index);

enum { RN_MAX_DIFFERENCE = 256 }; // bytes of a text on two structures

/** How far two tensors lie apart. */
typedef struct rn_difference {
    double largest;  // max |a|, over its finite values
    double absolute; // max |a - b|; INFINITY where one value is finite and the other is not, or
                     // both are infinities of other signs; a NaN equals a NaN
    double relative; // absolute / largest; 0 where nothing differs
    bool beyond;     // relative > the tolerance
} rn_difference;

/** One parameter, or running statistic, of two models; matched by name. */
typedef struct rn_param_difference {
    const rn_param *a, *b; // borrowed from the models; NULL: that one has none of this name
    bool measured;         // both have it, in one shape
    rn_difference difference;
} rn_param_difference;

/** One output of two networks. */
typedef struct rn_layer_difference {
    const rn_node *node; // borrowed from the first model
    rn_difference difference;
} rn_layer_difference;

typedef struct rn_comparison {
    rn_param_difference *params; // in the first model's order, then what only the second has
    int param_count;
    int params_beyond; // beyond the tolerance, missing or of another shape

    // Where one model's batch norms were folded into its convolutions (ONNX files often have them
    // so) the other's are too before anything is compared: that other model, 0 or 1.
    int folded_model;
    rn_weights *folded; // its weights in that form; NULL: nothing was folded

    bool same_preprocess; // to the last bit
    int labels_differing; // classes that the two name differently

    // Where the first difference in structure is: what stands there in either network, such as
    // "'conv1' gives 16 x 32 x 32". Both "" where the structures are equal; the rest is there only
    // then.
    char structure[2][RN_MAX_DIFFERENCE];
    rn_layer_difference *layers; // the input, then every output that both engines show, in order
    int layer_count;
    int first_beyond; // index into layers of the first beyond the tolerance; -1: none
    int unmatched;    // outputs that one engine shows and the other computes inside a larger op
    int images, classes;
    float *logits[2]; // [images][classes]

    bool within; // parameters, structure and layers: no difference beyond the tolerance
} rn_comparison;

typedef struct rn_compare_options {
    double tolerance;      // relative, >= 0
    const char *engine[2]; // NULL: "cpu"
    bool last;             // the last weights even where there is a moving average
    const rn_image *image; // both networks see this picture, or where NULL
    int random;            // that many pictures of noise, 1 .. 1024; 0: 1
    uint64_t seed;         // of these
} rn_compare_options;

/**
 * Compare two models: their parameters; then, where the structures are equal, both networks layer
 * by layer on the same pictures, each through its own preprocess. A model compared with itself on
 * two engines checks the one against the other.
 *
 * Dropout is nothing in inference, so that networks that differ in it only have one structure. All
 * outputs of the first network are kept while the second runs.
 *
 * @param[out] out  Release with the function below; zeroes on failure. Differences are no failure.
 * @param a, b      Borrowed; must outlive *out.
 * @param options   NULL: tolerance 1e-4, cpu engine, one picture of noise.
 * @return RN_OK; RN_EINVAL (option out of range, unknown engine); RN_ENOMEM; as rn_plan_create(),
 *         rn_preprocess_image().
 */
RN_API rn_status rn_compare(rn_comparison *out, const rn_checkpoint *a, const rn_checkpoint *b,
                            const rn_compare_options *options);
RN_API void rn_comparison_release(rn_comparison *comparison);

/** How far the statistics of one batch norm have moved: the channel that moved most. */
typedef struct rn_statistics_change {
    char name[RN_MAX_NAME]; // of the node: "layer1.0.bn1"
    int channels;
    double mean; // |new - old| / sqrt(new variance + epsilon); INFINITY if the old is not finite
    double variance; // |new - old| / (new variance + epsilon); likewise
} rn_statistics_change;

typedef struct rn_recalibration {
    uint64_t images;       // each seen once
    uint64_t skipped;      // encoded pictures that could not be read
    int batches;           // that they were split into,
    int smallest, largest; // of these sizes
    double seconds;
    rn_statistics_change *changes; // one a batch norm, in the network's order
    int layers;
} rn_recalibration;

typedef struct rn_recalibrate_options {
    const char *engine;        // NULL: "cpu"
    int batch;                 // most images at a time, 1 .. 65536; 0: 128
    uint64_t images;           // how many, drawn from the set; 0: all
    uint64_t seed;             // of the draw, of the order, and of augmentation
    const rn_augment *augment; // NULL: none; of encoded pictures the middle 0.875
    rn_bad_images bad_images;  // of encoded pictures; the next of the order counts instead
    void (*on_bad)(const char *message, void *context); // told of each; NULL: nobody is
    void *context;
    bool ema;                          // statistics of the averaged weights, not of the last
    const volatile sig_atomic_t *stop; // non-zero: RN_EINTERRUPTED
} rn_recalibrate_options;

/**
 * Measure the running mean and variance of every batch norm anew, with the weights as they are
 * ("precise BN", Wu & Johnson 2021, "Rethinking 'Batch' in BatchNorm", section 3), instead of the
 * moving average over weights that training has long left behind.
 *
 * Forward passes normalise by batch statistics, else as in inference (no dropout, branches scaled).
 * Pooled over all images, with weights n_b that are the batch's share of them,
 *
 *     mean = sum n_b mean_b,   variance = sum n_b (variance_b + mean_b^2) - mean^2,
 *
 * summed in double as Chan et al. (1979) merge moments, then unbiased over all values (times m /
 * (m - 1)), as PyTorch's running_var is. The images are shuffled, and split into batches whose
 * sizes differ by at most one, so that none is small. Encoded pictures are decoded a batch at a
 * time; those that cannot be read are replaced by others that were not drawn, as long as there are
 * any, else the last batches are smaller. Statistics behind the first batch norm depend a little
 * on the batch size, because what they see was normalised by a batch.
 *
 * @param[out] out  Release with the function below; zeroes on failure.
 * @param model     Its weights or EMA get the statistics, and it loses its ranges; unchanged on
 *                  failure.
 * @param samples   Training set; the model must know its classes (rn_evaluate()), labels are not
 *                  read. Images must be of the model's size, encoded pictures are cut to it.
 * @param options   NULL: all images, batches of up to 128, the last weights.
 * @return RN_OK; RN_EINVAL (no batch norm in the model, no EMA, set does not fit, option out of
 *         range); RN_EDIVERGED (statistics not finite; names the batch norm); RN_EINTERRUPTED;
 *         RN_EFORMAT (no picture could be read); of a bad picture, where it ends this, as
 *         rn_photos_decode(); RN_ENOMEM; as rn_plan_create().
 */
RN_API rn_status rn_recalibrate(rn_recalibration *out, rn_checkpoint *model,
                                const rn_samples *samples, const rn_recalibrate_options *options);
RN_API void rn_recalibration_release(rn_recalibration *recalibration);

typedef struct rn_calibrate_options {
    const char *engine;                // NULL: "cpu"
    int batch;                         // images at a time, 1 .. 65536; 0: 128
    uint64_t images;                   // how many, evenly over the set; 0: 512, or all there are
    bool ema;                          // of the averaged weights, not of the last
    const volatile sig_atomic_t *stop; // non-zero: RN_EINTERRUPTED
} rn_calibrate_options;

/**
 * Measure the ranges of what a model's convolutions read, so that they can multiply bytes in
 * inference (int8): a byte a source value, with one step for the whole tensor, a byte a weight,
 * with one for each output channel. The first convolution, which reads pixels, and linear layers
 * stay in float32, and so is all that is stored.
 *
 * A range goes from 0 up, or, where there are negative values, as far to both sides. It is cut
 * where the sum of squared errors is least, of rounding inside and of cutting off what is beyond.
 *
 * @param model    Gets `ranges`; unchanged on failure.
 * @param samples  Best training images; labels are not read. As for rn_responses_measure().
 * @param options  NULL: 512 images, the last weights.
 * @return RN_OK; RN_EINVAL (no EMA, set does not fit, option out of range); RN_EDIVERGED (values
 *         that are not finite); RN_EINTERRUPTED; RN_ENOMEM; as rn_plan_create(),
 *         rn_photos_decode().
 */
RN_API rn_status rn_calibrate(rn_checkpoint *model, const rn_samples *samples,
                              const rn_calibrate_options *options);

/** How strongly one convolution responds. */
typedef struct rn_response {
    const rn_node *conv;     // borrowed from the model
    const rn_node *measured; // whose output: of the batch norm that alone reads the convolution,
                             // else of the convolution itself
    double mean, deviation;  // over all values of all images; not finite if one is not
} rn_response;

typedef struct rn_responses {
    rn_response *layers; // every convolution, in the network's order
    int count;
    uint64_t images;
} rn_responses;

typedef struct rn_responses_options {
    const char *engine;                // NULL: "cpu"
    int batch;                         // images at a time, 1 .. 65536; 0: 128
    uint64_t images;                   // how many, evenly over the set; 0: all
    bool ema;                          // of the averaged weights, not of the last
    const volatile sig_atomic_t *stop; // non-zero: RN_EINTERRUPTED
} rn_responses_options;

/**
 * Layer responses (2015 paper, section 4.2 and figure 7): mean and standard deviation of what each
 * convolution gives in inference, behind its batch norm and before ReLU and addition.
 *
 * A batch norm is affine then, so its output's moments follow from the convolution's sums of each
 * channel, which are in double. In pre-activation units the batch norm behind a unit's last
 * convolution comes after the addition and is not this convolution's alone: there the branch itself
 * is measured.
 *
 * @param[out] out  Release with the function below; zeroes on failure.
 * @param model     Borrowed; must outlive *out.
 * @param samples   Images of the model's input, or encoded pictures, which are fitted to it as by
 *                  rn_preprocess_image().
 * @param options   NULL: all images, batches of 128, the last weights.
 * @return RN_OK; RN_EINVAL (no EMA, set does not fit, option out of range); RN_EINTERRUPTED;
 *         RN_ENOMEM; as rn_plan_create(), rn_photos_decode().
 */
RN_API rn_status rn_responses_measure(rn_responses *out, const rn_checkpoint *model,
                                      const rn_samples *samples,
                                      const rn_responses_options *options);
RN_API void rn_responses_release(rn_responses *responses);

#ifdef __cplusplus
}
#endif
#endif
