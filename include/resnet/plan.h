/**
 * Plan and Run: a Graph made executable for one batch size, data type, mode and engine.
 *
 * A plan is pure data: the list of ops (fused where the engine can), each tensor's layout and
 * its offset in one arena. A run owns the memory and executes the list; it allocates nothing.
 */
#ifndef RESNET_PLAN_H
#define RESNET_PLAN_H

#include "resnet/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Type of activations and their gradients in memory. BFLOAT16: the upper half of a float, 8 bits
 * of mantissa, the exponents of a float. Parameters, statistics, sums and losses are float32 or
 * wider in any case, and so is arithmetic. */
typedef enum rn_dtype { RN_FLOAT32, RN_BFLOAT16 } rn_dtype;

/** Names "float32", "bfloat16". Static; NULL if out of range. */
RN_API const char *rn_dtype_name(rn_dtype dtype);
/** @return RN_OK; RN_EINVAL (the message says what is expected; *out stays as it is). */
RN_API rn_status rn_dtype_parse(rn_dtype *out, const char *name);

/** Order of a tensor in memory. NCHW8C: N, ceil(C / 8), H, W, 8 channels; NCHW16C likewise. */
typedef enum rn_layout {
    RN_LAYOUT_NC,
    RN_LAYOUT_NCHW,
    RN_LAYOUT_NCHW8C,
    RN_LAYOUT_NCHW16C
} rn_layout;

typedef struct rn_engine rn_engine; // engine.h
typedef struct rn_plan rn_plan;
typedef struct rn_run rn_run;

/** What the loss op leaves after a training step. */
typedef struct rn_loss {
    double loss;   // mean cross-entropy over the batch, natural log
    int64_t wrong; // samples whose largest logit is not the label's (a NaN row counts as wrong); of
                   // two labels that of the larger share, the first where they share alike
} rn_loss;

typedef struct rn_plan_options {
    int batch;             // 1 .. 65536
    rn_dtype dtype;        // of activations inside the network; inputs, logits: float32
    bool training;         // forward, loss and backward; else forward to the logits
    float label_smoothing; // 0 .. 1, training only
    bool mixed_labels;     // training only: two labels a sample, see rn_run_shares()
    float bn_momentum;     // training only: share of a batch in the running statistics, 0 .. 1; 0:
                           // each batch norm's own
    bool batch_statistics; // inference only: batch norms normalise by the batch's own mean and
                           // variance, and leave them (the variance unbiased) as running statistics
    bool separate; // inference only: a convolution stays apart from the batch norm, addition
                   // and ReLU behind it, so that rn_run_trace() shows its own output
    int output;    // inference only: index of a node that keeps its own output for rn_run_output(),
                   // which no op computes inside a larger one then; 0: none
    const rn_range *ranges; // inference only, one for each node of the graph, or NULL: convolutions
                            // whose source's range is known, but for the first, multiply bytes
                            // (int8), where the engine can. Borrowed until the plan is made
    rn_freeze freeze;    // training only: layers up to there (rn_graph_frozen_nodes()) compute what
                         // they compute in inference, batch norms by their running statistics (2015
                         // paper, appendix A), and keep their parameters: no op computes a gradient
                         // that only they need
    size_t memory_limit; // bytes for arena and parameters; 0: none. A training plan
                         // recomputes in its backward list what a pass or two over kept activations
                         // restore, and where it needs more than the limit others too (Chen et
                         // al. 2016), as few as will do; results are the same bit for bit
    size_t memory_beside; // bytes that others hold and the limit covers too, and
    bool momentum_beside; // as many as the gradients of parameters take,
    bool average_beside;  // as many as the parameters take that are not frozen
} rn_plan_options;

/**
 * Plan a graph for one batch size and data type.
 *
 * Chooses fused ops, memory layouts and an arena offset for every tensor, and in training mode
 * derives the backward list (chain rule over the graph, in reverse).
 *
 * @param[out] out    New plan, the caller's (rn_plan_free()); NULL on failure.
 * @param graph       Borrowed; must outlive the plan.
 * @param engine      Borrowed; must outlive the plan.
 * @param options     NULL: batch 1, float32, inference.
 * @return RN_OK; RN_EINVAL (option out of range, no such part to freeze); RN_ENOMEM;
 * RN_EUNSUPPORTED or RN_ENGINE if the engine has no op for a node (the message names the node and
 * its shape); RN_ENOMEM also if no plan keeps within memory_limit (the message names the least
 * limit that would do).
 */
RN_API rn_status rn_plan_create(rn_plan **out, const rn_graph *graph, rn_engine *engine,
                                const rn_plan_options *options);
RN_API void rn_plan_free(rn_plan *plan);

/** One line of `resnet plan`. Texts are borrowed until the plan is freed. */
typedef struct rn_plan_op {
    const char *op;             // "batch norm + add + relu"
    const char *name;           // the node: "layer1.0.bn2"
    const char *implementation; // "onednn jit:avx512_core"
    const char *layout;         // of the destination: "nChw16c"
    int shape[4];               // destination n, c, h, w
    size_t bytes;               // read and written, parameters included
    double flops;               // multiply and add count as two
    bool backward;
} rn_plan_op;

/** Ops of the forward list and, in training, the backward list behind it. */
RN_API int rn_plan_ops(const rn_plan *plan);
/** @param index  0 .. rn_plan_ops() - 1. */
RN_API rn_plan_op rn_plan_op_at(const rn_plan *plan, int index);

/**
 * Bytes of the arena that are in use while each op runs: tensors that it or a later op reads, and
 * what it writes.
 *
 * @param[out] bytes  rn_plan_ops() entries.
 * @return RN_OK; RN_ENOMEM.
 */
RN_API rn_status rn_plan_alive(const rn_plan *plan, size_t *bytes);

typedef struct rn_plan_memory {
    size_t arena;      // activations, all gradients, scratch: one block
    size_t unshared;   // what the same tensors would take without liveness
    size_t parameters; // values and running statistics, native layout
    size_t gradients;  // of parameters, in the arena
    size_t kept;       // arena of a plan that recomputes nothing
    int recomputed;    // forward ops that the backward list repeats
    double flops;      // of these
    bool limited;      // more than usual, to keep within the limit
} rn_plan_memory;

/** What a run of the plan takes, in bytes but where it says otherwise. */
RN_API rn_plan_memory rn_plan_memory_use(const rn_plan *plan);

/** The batch size and mode planned for. */
RN_API const rn_plan_options *rn_plan_options_of(const rn_plan *plan);

/**
 * Predict the time of one run from a short calibration (about half a second): the rate of each kind
 * of convolution and the memory bandwidth are measured, each op is bounded by the slower of the
 * two.
 *
 * @param[out] seconds    Whole step (with backward, without the optimiser).
 * @param[out] per_op     rn_plan_ops() entries, or NULL.
 * @return RN_OK; RN_ENOMEM; what the engine's kernels return.
 */
RN_API rn_status rn_plan_predict(const rn_plan *plan, double *seconds, double *per_op);

/**
 * Make a plan executable: allocate arena and parameters (zeroes). Runs of one plan, or of plans of
 * one engine, may not execute at the same time: see rn_engine_create().
 *
 * @param[out] out  The caller's (rn_run_free()); NULL on failure.
 * @param plan      Borrowed; must outlive the run.
 * @return RN_OK; RN_ENOMEM.
 */
RN_API rn_status rn_run_create(rn_run **out, const rn_plan *plan);
RN_API void rn_run_free(rn_run *run);

/** Where the next batch goes: float32 [batch][channels][height][width]; borrowed from the run. */
RN_API float *rn_run_input(rn_run *run);
/** Where its labels go (training plans, else NULL): int32 [batch], each 0 .. classes - 1. */
RN_API int32_t *rn_run_labels(rn_run *run);
/**
 * Where the second labels and the shares of the first go (plans for mixed labels, else NULL): int32
 * [batch], each 0 .. classes - 1, and float32 [batch], each 0 .. 1. A sample's target is share
 * onehot(label) + (1 - share) onehot(label_b), smoothed like any other (mixup: Zhang et al. 2018,
 * section 2). rn_run_forward() is RN_EINVAL where one is out of range.
 */
RN_API int32_t *rn_run_labels_b(rn_run *run);
RN_API float *rn_run_shares(rn_run *run);
/** After rn_run_forward(): float32 [batch][classes]. In a training plan valid until backward. */
RN_API const float *rn_run_logits(const rn_run *run);
/** Loss and wrong count of the last forward of a training plan. */
RN_API rn_loss rn_run_loss(const rn_run *run);

/**
 * Name the draws of dropout and stochastic depth in the steps that follow; seed 0, step 0 unless
 * set. The same numbers give the same draws, whatever the engine, its layouts and threads.
 */
RN_API void rn_run_set_step(rn_run *run, uint64_t seed, uint64_t step);

/**
 * Forward list; in training mode it updates the BN running statistics and the loss.
 *
 * @return RN_OK; RN_EINVAL (a label or share out of range); RN_ENGINE.
 */
RN_API rn_status rn_run_forward(rn_run *run);
/**
 * Backward list: gradients of every parameter but the frozen, overwritten; after rn_run_forward()
 * only. RN_OK; RN_ENGINE.
 */
RN_API rn_status rn_run_backward(rn_run *run);

/**
 * Run one op of the list, to time it; rn_run_forward() and rn_run_backward() are the loops over
 * this. All ops in turn, each once, make a step; in any other order results are undefined.
 *
 * @param index  0 .. rn_plan_ops() - 1.
 * @return RN_OK; what the engine's kernel returns.
 */
RN_API rn_status rn_run_op(rn_run *run, int index);

/**
 * One output of a traced forward run: float32 [shape[0]] .. [shape[3]] as n, c, h, w (h = w = 1 for
 * flat outputs), borrowed until the function returns. Of nodes that the engine computes in one op
 * only the last is seen. Any status but RN_OK ends the trace and is returned by it.
 */
typedef rn_status (*rn_trace_visit)(const rn_node *node, const int shape[4], const float *values,
                                    void *context);

/** As rn_run_forward(), with every op's output shown as soon as it is there. */
RN_API rn_status rn_run_trace(rn_run *run, rn_trace_visit visit, void *context);

/**
 * The output of node rn_plan_options.output, after rn_run_forward() or rn_run_to_output().
 *
 * @param[out] dst  float32 [batch][channels][height][width], the node's.
 * @return RN_OK; RN_EINVAL if the plan has no such node.
 */
RN_API rn_status rn_run_output(const rn_run *run, float *dst);

/** As rn_run_forward(), but no further than that node: there are no logits afterwards. */
RN_API rn_status rn_run_to_output(rn_run *run);

/** Which array of a parameter. */
typedef enum rn_slot { RN_SLOT_VALUE, RN_SLOT_GRADIENT } rn_slot;

/**
 * Convert all parameters from canonical to native layout.
 *
 * @param weights  Of a graph whose parameters have the plan's names and shapes.
 * @return RN_OK; RN_EINVAL if they have not (the message names the parameter); RN_ENGINE.
 */
RN_API rn_status rn_run_load(rn_run *run, const rn_weights *weights);

/**
 * And back: all values, or all gradients, which are 0 where rn_param_view.gradient is NULL.
 *
 * @return As rn_run_load(); then some of `weights` may be converted already.
 */
RN_API rn_status rn_run_store(const rn_run *run, rn_slot slot, rn_weights *weights);

/**
 * Native-layout view of one parameter, for optimisers: value and gradient (NULL for running
 * statistics, what is frozen, and in inference; valid from rn_run_backward() to the next
 * rn_run_forward()) have `count` floats each. Borrowed from the run. An inference plan may work
 * with a copy, made by the next rn_run_forward() after rn_run_load() or rn_run_param(): get the
 * view again for each change.
 */
typedef struct rn_param_view {
    float *value;
    float *gradient;
    size_t count;
    const rn_param *param;
    bool frozen; // rn_plan_options.freeze: value, or running statistic, is to stay as it is
} rn_param_view;

RN_API int rn_run_params(const rn_run *run);
RN_API rn_param_view rn_run_param(rn_run *run, int index);

/**
 * Convert any array in the native layout of parameter `index` (momentum, EMA) and back: float32,
 * canonical [rn_param.count], native [rn_param_view.count]. RN_OK; RN_ENGINE.
 */
RN_API rn_status rn_run_pack(const rn_run *run, int index, const float *canonical, float *native);
RN_API rn_status rn_run_unpack(const rn_run *run, int index, const float *native, float *canonical);

/**
 * Find the first non-finite value: parameters first, then the forward list is repeated on the
 * current input, op by op (running statistics are not touched).
 *
 * @param[out] where  Text such as "layer2.0.conv1 (conv, output)"; "" if all is finite; at most
 *                    `size` bytes with the NUL.
 * @return RN_OK, whether there is one or not; RN_ENOMEM; what the engine's kernels return.
 */
RN_API rn_status rn_run_find_nonfinite(rn_run *run, char *where, size_t size);

#ifdef __cplusplus
}
#endif
#endif
