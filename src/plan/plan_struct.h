/** What a plan holds; shared by the files of this folder only. */
#ifndef PLAN_PLAN_STRUCT_H
#define PLAN_PLAN_STRUCT_H

#include "plan/op.h"

/** Where an argument of an op lives. */
typedef enum rn_space {
    RN_SPACE_NONE,
    RN_SPACE_TENSOR,   // arena; index into plan->tensors
    RN_SPACE_VALUE,    // parameter value; index of the graph's parameter
    RN_SPACE_GRADIENT, // parameter gradient, likewise: until its tensor is there
    RN_SPACE_RANDOM,
    RN_SPACE_LABELS,
    RN_SPACE_LABELS_B,
    RN_SPACE_SHARES,
    RN_SPACE_LOSS
} rn_space;

typedef struct rn_ref {
    rn_space space;
    int index;
} rn_ref;

/** A tensor of the arena; lives from op `first` (which writes it) to op `last`, both inclusive. */
typedef struct rn_plan_tensor {
    rn_tensor_desc desc; // c = 0 for raw bytes: workspace, scratch, saved statistics
    size_t bytes;
    bool gradient; // of a parameter: lives on until the list is done
    int first, last;
    int root;      // tensor whose memory it shares (in-place op), itself if its own
    size_t offset; // of a root, in the arena
} rn_plan_tensor;

typedef struct rn_planned_op {
    rn_op_desc desc;
    int node;      // the graph's node that it computes; a fused op has the first node's index
    int last_node; // and here the last one's: `node` for others
    bool backward; // of the backward list
    bool again;    // of the backward list, but a forward op, repeated
    bool shared;   // the kernel belongs to an earlier op of the list
    rn_kernel *kernel;
    rn_ref args[RN_ARGS];
    char label[64]; // "batch norm + add + relu"
} rn_planned_op;

/** The tensor that an argument of an op is; -1 if it is none. */
static inline int rn_planned_op_tensor(const rn_planned_op *op, rn_arg arg)
{
    return op->args[arg].space == RN_SPACE_TENSOR ? op->args[arg].index : -1;
}

/** A parameter in native layout: `count` floats at `offset` (in floats) of its block. */
typedef struct rn_plan_param {
    const rn_kernel *kernel; // of the forward op that defines the layout
    rn_arg arg;
    size_t count, offset;
    int gradient; // tensor; -1 if it is not trained
    bool frozen;
} rn_plan_param;

struct rn_plan {
    const rn_graph *graph;
    rn_engine *engine;
    rn_plan_options options;
    rn_planned_op *ops; // forward list, then backward list
    int op_count, forward_count;
    size_t op_capacity;
    rn_plan_tensor *tensors;
    int tensor_count;
    size_t tensor_capacity;
    int input, logits;     // tensors
    int output;            // likewise, of options.output; -1: none
    int output_count;      // ops of the forward list up to the one that gives it
    int frozen_nodes;      // those below are frozen
    rn_plan_param *params; // one for each parameter of the graph
    size_t value_floats;
    size_t arena_bytes, unshared_bytes;
    size_t arena_kept; // of the list that repeats nothing
    bool limited;      // repeats more than usual, for the memory limit
};

/** Contributions to the gradient of a tensor that are not yet added up, -1 if none. */
typedef struct rn_gradient_parts {
    int tensors[2];
    bool wanted; // the tensor depends on a parameter that is trained: without that, nobody needs
                 // its gradient
} rn_gradient_parts;

/** State of planning; the arrays are indexed by the graph's nodes, except gradients. */
typedef struct rn_planner {
    rn_plan *plan;
    int *consumers; // number of nodes that read a node's output
    int *consumer;  // one of them
    int *value;     // tensor that holds a node's output, -1 if none
    int *chain;     // BN or addition whose fused op is emitted at this node, -1 if none
    bool *inside;   // node is computed by a fused op that another node stands for
    rn_gradient_parts *gradients; // by tensor
    size_t gradient_capacity;
} rn_planner;

/** Append a tensor; returns its index through *index. */
rn_status rn_planner_tensor(rn_planner *planner, int *index, const rn_tensor_desc *desc,
                            size_t bytes);

/**
 * Append an op: create its kernel (unless it shares one), and its workspace and scratch tensors.
 *
 * @param op  Copied; args hold everything but workspace (forward) and scratch.
 */
rn_status rn_planner_emit(rn_planner *planner, const rn_planned_op *op);

/** Forward list; in training mode it ends with the loss, which gives the logits' gradient. */
rn_status rn_plan_forward(rn_planner *planner);

/** Move projections before the residual branches of their units, in a forward list for training. */
rn_status rn_plan_shortcuts_first(rn_plan *plan);

/** Backward list: the chain rule over the forward list, in reverse. */
rn_status rn_plan_backward(rn_planner *planner);

/**
 * Note a contribution to the gradient of a tensor, if it wants one; sums them where there are more
 * than two.
 */
rn_status rn_planner_contribute(rn_planner *planner, int tensor, int gradient, int node);

/** Lifetimes and in-place sharing: first, last and root of every tensor. */
void rn_plan_lifetimes(rn_plan *plan);

/** The most bytes that live at once: no arena can be smaller. `live` has op_count + 1 items. */
size_t rn_plan_peak(const rn_plan *plan, size_t *live);

/** Offsets, from the lifetimes; sets arena_bytes and unshared_bytes. */
rn_status rn_plan_place(rn_plan *plan);

/**
 * Repeat forward ops in the backward list instead of keeping what they give. In any case those that
 * restore their result in two passes over kept ones, such as two units' of three batch norm,
 * addition and ReLU, and convolutions of few products: a fifth to a third less memory for a
 * hundredth of a step's time. And as few others as keep the plan within options.memory_limit.
 *
 * @param plan  Complete but for that; on failure unchanged. Nothing changes for inference.
 * @return RN_OK; RN_ENOMEM (the message names the least memory that would do, or none is left).
 */
rn_status rn_plan_recompute(rn_plan *plan);

/** Bytes that count against the memory limit: arena, parameters, and those beside. */
size_t rn_plan_total_bytes(const rn_plan *plan);

/** Text of an op in lists, from its kind and what is fused into it. */
void rn_planned_op_label(rn_planned_op *op);

/** Floating-point operations (multiply and add count two), and bytes read and written. */
double rn_planned_op_flops(const rn_planned_op *op);
size_t rn_planned_op_bytes(const rn_plan *plan, const rn_planned_op *op);

/** What is frozen is computed as in inference, and nothing goes back through it. */
static inline bool rn_plan_frozen(const rn_plan *plan, int node)
{
    return node < plan->frozen_nodes;
}

static inline rn_ref rn_tensor_ref(int tensor)
{
    return (rn_ref){RN_SPACE_TENSOR, tensor};
}

static inline rn_ref rn_value_ref(int param)
{
    return (rn_ref){RN_SPACE_VALUE, param};
}

static inline rn_ref rn_gradient_ref(int param)
{
    return (rn_ref){RN_SPACE_GRADIENT, param};
}

#endif
