/** Evaluation of trained networks, predictions and class activation maps. */
#ifndef RESNET_EVALUATE_H
#define RESNET_EVALUATE_H

#include "resnet/recipe.h"
#include "resnet/store.h"

#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif

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
 * @param options   NULL: all zero.
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
 * the averaged probabilities, -log p, with p at least 2^-126, or the cross-entropy of the averaged
 * logits. Views of one size share a batch. The
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

/**
 * Get a model file ready to classify pictures, with its EMA weights if it has them.
 *
 * @param[out] out  The caller's (rn_predictor_free()); NULL on failure.
 * @param batch     Pictures at once, 1 .. 1024.
 * @param engine    NULL: "cpu".
 * @return RN_OK; as rn_model_load() and rn_predictor_create_with().
 */
RN_API rn_status rn_predictor_create(rn_predictor **out, const char *path, int batch,
                                     const char *engine);
/** The same with a model that is loaded already: borrowed, it must outlive the predictor. As
 * rn_predictor_create_with(). */
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
 * @param[out] out  The caller's (rn_predictor_free()); NULL on failure.
 * @param model     Borrowed; must outlive the predictor.
 * @return RN_OK; RN_ENOTFOUND (no such layer; names the nearest); RN_EINVAL (batch, engine);
 *         RN_ENOMEM; as rn_plan_create().
 */
RN_API rn_status rn_predictor_create_with(rn_predictor **out, const rn_checkpoint *model,
                                          const rn_predictor_options *options);

/** Where the input of place `slot` (0 .. batch - 1) goes: float32 [channels][height][width],
 * preprocessed; borrowed until the predictor is freed. */
RN_API float *rn_predictor_input(rn_predictor *predictor, int slot);
/** Put a picture, which is copied, into place `slot` (0 .. batch - 1). RN_EINVAL (slot); as
 * rn_preprocess_image(). */
RN_API rn_status rn_predictor_set(rn_predictor *predictor, int slot, const rn_image *image);
/**
 * Classify what is in the places; those of no picture are for the caller to leave out.
 *
 * @param[out] probabilities  Softmax, float32 [batch][classes]; borrowed until the next call;
 *                            unchanged on failure.
 * @return RN_OK; RN_ENGINE.
 */
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
 * @param label     0 .. classes - 1.
 * @param[out] map  float32 [height][width] of rn_predictor_shape().
 * @return RN_OK; RN_EINVAL (out of range, or another layer).
 */
RN_API rn_status rn_predictor_cam(const rn_predictor *predictor, int slot, int label, float *map);

/** Logits of the last rn_predictor_run(), float32 [batch][classes]; borrowed until the next. */
RN_API const float *rn_predictor_logits(const rn_predictor *predictor);

/** How many classes the model has. */
RN_API int rn_predictor_classes(const rn_predictor *predictor);
/** Borrowed until the predictor is freed. */
RN_API const char *rn_predictor_label(const rn_predictor *predictor, int index);

#ifdef __cplusplus
}
#endif
#endif
