/** A network made ready to give logits, for evaluation and prediction. */
#ifndef TRAIN_INFERENCE_H
#define TRAIN_INFERENCE_H

#include "resnet/evaluate.h"

#include "train/watch.h"

/** Pictures of a forward pass that evaluates, unless told otherwise. */
enum { RN_EVALUATION_BATCH = 128 };

typedef struct rn_inference rn_inference;

/** RN_EINVAL: a set's images are not of the size that a model takes. Pictures may have any. */
rn_status rn_check_size(const rn_checkpoint *model, const rn_samples *samples);

/**
 * @param graph   Borrowed; must outlive the result.
 * @param ranges  A model's, or NULL: rn_plan_options.ranges.
 * @param engine  Name, NULL: "cpu".
 * @param batch   1 .. 65536.
 */
rn_status rn_inference_create(rn_inference **out, const rn_graph *graph, const rn_range *ranges,
                              const char *engine, int batch);
/** The same; the node of this index keeps its output (rn_plan_options.output). */
rn_status rn_inference_create_showing(rn_inference **out, const rn_graph *graph,
                                      const rn_range *ranges, const char *engine, int batch,
                                      int output);
void rn_inference_free(rn_inference *inference);

/** Take these weights (copied into the engine's layout). */
rn_status rn_inference_load(rn_inference *inference, const rn_weights *weights);

/** Bytes that it holds; 0 of NULL. */
size_t rn_inference_memory(const rn_inference *inference);

int rn_inference_batch(const rn_inference *inference);

/** Where image `slot` of the next batch goes: float32 [channels][height][width]. */
float *rn_inference_slot(rn_inference *inference, int slot);

/** Run; logits float32 [batch][classes], borrowed until the next run. */
rn_status rn_inference_run(rn_inference *inference, const float **logits);

/** Run as far as that node's output. */
rn_status rn_inference_run_to_output(rn_inference *inference);

/** That output in the last run of either kind: float32 [batch][channels][height][width]. */
rn_status rn_inference_output(const rn_inference *inference, float *dst);

/** Probabilities of one row of logits: exp(x) / sum(exp(x)), shifted so that nothing overflows. */
void rn_softmax(float *probabilities, const float *logits, int classes);

/** log(sum(exp(x))), shifted by the maximum so that nothing overflows. */
double rn_log_sum_exp(const float *logits, int classes);

/**
 * Count one image by its logits or probabilities, out->classes of them; a NaN makes the label
 * last. The loss is the caller's to add.
 */
void rn_evaluation_count(rn_evaluation *out, const float *scores, int label);

/** What an evaluation is on and how. */
typedef struct rn_inference_set {
    const rn_preprocess *preprocess;
    const rn_samples *samples;
    const int32_t *map; // class of the set -> class of the model; NULL: the same
    rn_tta tta;
    const volatile sig_atomic_t *stop; // NULL: never
    rn_watch *watch;                   // sees every picture's logits; NULL: none
} rn_inference_set;

/**
 * Evaluate on a whole set with the loaded weights, into a zeroed *out (whose confusion, if not
 * NULL, is counted up).
 */
rn_status rn_inference_evaluate(rn_inference *inference, rn_evaluation *out,
                                const rn_inference_set *set);

#endif
