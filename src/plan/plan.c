#include "plan/plan_struct.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

enum { MAX_BATCH = 65536 };

rn_status rn_planner_tensor(rn_planner *planner, int *index, const rn_tensor_desc *desc,
                            size_t bytes)
{
    rn_status st = RN_OK;
    rn_plan *plan = planner->plan;
    size_t needed = (size_t)plan->tensor_count + 1;
    rn_plan_tensor tensor = {.bytes = bytes}; // copied now: desc may point into the growing array

    if (desc != NULL)
        tensor.desc = *desc;
    *index = -1;
    RN_TRY(rn_grow((void **)&plan->tensors, &plan->tensor_capacity, needed, sizeof *plan->tensors));
    RN_TRY(rn_grow((void **)&planner->gradients, &planner->gradient_capacity, needed,
                   sizeof *planner->gradients));
    *index = plan->tensor_count++;
    plan->tensors[*index] = tensor;
    planner->gradients[*index] = (rn_gradient_parts){.tensors = {-1, -1}};
out:
    return st;
}

static bool kind_says_direction(rn_op_kind kind)
{
    return kind == RN_OP_BATCH_NORM_AGAIN || kind == RN_OP_ADD || rn_op_forward_kind(kind) != kind;
}

void rn_planned_op_label(rn_planned_op *op)
{
    bool forward = !op->backward || op->again;
    const char *direction = !op->backward || kind_says_direction(op->desc.kind) ? ""
                            : op->again                                         ? " again"
                                                                                : " backward";

    snprintf(op->label, sizeof op->label, "%s%s%s%s%s%s%s", op->desc.norm ? "batch norm + " : "",
             op->desc.norm_relu ? "relu + " : "", rn_op_kind_name(op->desc.kind), direction,
             op->desc.deferred && forward ? " (statistics)"
             : op->desc.fold              ? " + batch norm"
                                          : "",
             forward && op->desc.add ? " + add" : "", forward && op->desc.relu ? " + relu" : "");
}

// A trained parameter lies behind the result of an op that reads one, or whose source has one
// behind it.
static void note_dependence(rn_planner *planner, const rn_planned_op *op)
{
    bool wanted = op->args[RN_ARG_WEIGHTS].space == RN_SPACE_VALUE &&
                  !rn_plan_frozen(planner->plan, op->node);

    if (op->args[RN_ARG_DST].space != RN_SPACE_TENSOR)
        return;
    for (rn_arg a = RN_ARG_SRC; a <= RN_ARG_RAW; a++)
        if (op->args[a].space == RN_SPACE_TENSOR)
            wanted = wanted || planner->gradients[op->args[a].index].wanted;
    planner->gradients[op->args[RN_ARG_DST].index].wanted = wanted;
}

// Scratch lives for one op; a workspace is made by the forward op and handed on by its backward.
static rn_status add_working_memory(rn_planner *planner, rn_planned_op *op)
{
    rn_status st = RN_OK;
    int tensor;

    if (op->kernel->workspace_bytes > 0 && op->args[RN_ARG_WORKSPACE].space == RN_SPACE_NONE) {
        RN_TRY(rn_planner_tensor(planner, &tensor, NULL, op->kernel->workspace_bytes));
        op->args[RN_ARG_WORKSPACE] = rn_tensor_ref(tensor);
    }
    if (op->kernel->statistics_bytes > 0) {
        RN_TRY(rn_planner_tensor(planner, &tensor, NULL, op->kernel->statistics_bytes));
        op->args[RN_ARG_STATISTICS] = rn_tensor_ref(tensor);
    }
    if (op->kernel->prepared_bytes > 0) {
        RN_TRY(rn_planner_tensor(planner, &tensor, NULL, op->kernel->prepared_bytes));
        op->args[RN_ARG_PREPARED] = rn_tensor_ref(tensor);
    }
    if (op->kernel->scratch_bytes > 0) {
        RN_TRY(rn_planner_tensor(planner, &tensor, NULL, op->kernel->scratch_bytes));
        op->args[RN_ARG_SCRATCH] = rn_tensor_ref(tensor);
    }
out:
    return st;
}

rn_status rn_planner_emit(rn_planner *planner, const rn_planned_op *op)
{
    rn_status st = RN_OK;
    rn_plan *plan = planner->plan;

    RN_TRY(rn_grow((void **)&plan->ops, &plan->op_capacity, (size_t)plan->op_count + 1,
                   sizeof *plan->ops));
    rn_planned_op *added = &plan->ops[plan->op_count];
    *added = *op;
    rn_planned_op_label(added);
    if (!added->shared)
        st = plan->engine->create(plan->engine, &added->kernel, &added->desc);
    if (st != RN_OK) {
        st = rn_error_prefix(st, "'%s'", rn_graph_node(plan->graph, op->node)->name);
        goto out;
    }
    plan->op_count++; // from here on the plan frees the kernel
    RN_TRY(add_working_memory(planner, added));
    if (!added->backward)
        note_dependence(planner, added);
out:
    return st;
}

static rn_status planner_init(rn_planner *planner, rn_plan *plan)
{
    rn_status st = RN_OK;
    size_t nodes = (size_t)rn_graph_nodes(plan->graph);

    *planner = (rn_planner){.plan = plan};
    RN_TRY(RN_NEW(&planner->consumers, nodes));
    RN_TRY(RN_NEW(&planner->consumer, nodes));
    RN_TRY(RN_NEW(&planner->value, nodes));
    RN_TRY(RN_NEW(&planner->chain, nodes));
    RN_TRY(RN_NEW(&planner->inside, nodes));
    for (size_t i = 0; i < nodes; i++)
        planner->value[i] = planner->chain[i] = -1;
out:
    return st;
}

static void planner_release(rn_planner *planner)
{
    rn_free(planner->consumers);
    rn_free(planner->consumer);
    rn_free(planner->value);
    rn_free(planner->chain);
    rn_free(planner->inside);
    rn_free(planner->gradients);
}

// A tensor for the gradient of each trained parameter, so that one not yet computed takes no
// memory.
static rn_status place_gradients(rn_planner *planner)
{
    rn_status st = RN_OK;
    rn_plan *plan = planner->plan;

    for (int p = 0; p < rn_graph_params(plan->graph); p++) {
        rn_plan_param *param = &plan->params[p];
        param->gradient = -1;
        if (!plan->options.training || param->frozen ||
            !rn_param_trained(rn_graph_param(plan->graph, p)))
            continue;
        RN_TRY(rn_planner_tensor(planner, &param->gradient, NULL, param->count * sizeof(float)));
        plan->tensors[param->gradient].gradient = true;
    }
    for (int i = plan->forward_count; i < plan->op_count; i++)
        for (int a = 0; a < RN_ARGS; a++) {
            rn_ref *ref = &plan->ops[i].args[a];
            if (ref->space == RN_SPACE_GRADIENT)
                *ref = rn_tensor_ref(plan->params[ref->index].gradient);
        }
out:
    return st;
}

// Each parameter belongs to the forward op that reads it, whose kernel defines its layout.
static rn_status place_params(rn_planner *planner)
{
    rn_status st = RN_OK;
    rn_plan *plan = planner->plan;
    const size_t line = RN_ALIGNMENT / sizeof(float);

    RN_TRY(RN_NEW(&plan->params, (size_t)rn_graph_params(plan->graph)));
    for (int i = 0; i < plan->forward_count; i++)
        for (int a = 0; a < RN_ARGS; a++) {
            const rn_ref *ref = &plan->ops[i].args[a];
            if (ref->space != RN_SPACE_VALUE)
                continue;
            rn_plan_param *param = &plan->params[ref->index];
            param->kernel = plan->ops[i].kernel;
            param->arg = (rn_arg)a;
            param->frozen = rn_plan_frozen(plan, plan->ops[i].node);
            param->count = param->kernel->native_count(param->kernel, param->arg);
        }
    for (int p = 0; p < rn_graph_params(plan->graph); p++) {
        rn_plan_param *param = &plan->params[p];
        param->offset = plan->value_floats;
        plan->value_floats += (param->count + line - 1) / line * line;
    }
    RN_TRY(place_gradients(planner));
out:
    return st;
}

static rn_status check_output(const rn_plan_options *options, const rn_graph *graph)
{
    if (options->output == 0)
        return RN_OK;
    if (options->training)
        return rn_error(RN_EINVAL, "the output of a node is asked for in a training plan, expected "
                                   "an inference plan");
    if (options->output < 0 || options->output >= rn_graph_nodes(graph) ||
        rn_graph_node(graph, options->output)->kind == RN_NODE_CROSS_ENTROPY)
        return rn_error(RN_EINVAL, "node %d has no output, expected 1 to %d", options->output,
                        rn_graph_nodes(graph) - 2);
    return RN_OK;
}

static rn_status check_options(const rn_plan_options *options)
{
    if (options->batch < 1 || options->batch > MAX_BATCH)
        return rn_error(RN_EINVAL, "batch is %d, expected 1 to %d", options->batch, MAX_BATCH);
    if (options->dtype != RN_FLOAT32 && options->dtype != RN_BFLOAT16)
        return rn_error(RN_EINVAL, "data type %d is not supported, expected float32 or bfloat16",
                        (int)options->dtype);
    if (!(options->label_smoothing >= 0 && options->label_smoothing <= 1))
        return rn_error(RN_EINVAL, "label smoothing is %g, expected 0 to 1",
                        (double)options->label_smoothing);
    if (!(options->bn_momentum >= 0 && options->bn_momentum <= 1))
        return rn_error(RN_EINVAL, "batch norms' momentum is %g, expected 0 to 1",
                        (double)options->bn_momentum);
    if (options->training && options->ranges != NULL)
        return rn_error(RN_EINVAL, "ranges for int8 are given to a training plan, expected an "
                                   "inference plan");
    if (options->training && options->batch_statistics)
        return rn_error(RN_EINVAL, "batch statistics are asked for in a training plan, which has "
                                   "them anyway: expected an inference plan");
    return RN_OK;
}

rn_status rn_plan_create(rn_plan **out, const rn_graph *graph, rn_engine *engine,
                         const rn_plan_options *options)
{
    rn_status st = RN_OK;
    rn_plan *plan = NULL;
    rn_planner planner = {0};

    *out = NULL;
    RN_TRY(RN_NEW(&plan, 1));
    plan->graph = graph;
    plan->engine = engine;
    plan->options = options != NULL ? *options : (rn_plan_options){.batch = 1};
    RN_TRY(check_options(&plan->options));
    RN_TRY(check_output(&plan->options, graph));
    if (plan->options.training)
        RN_TRY(rn_graph_frozen_nodes(graph, plan->options.freeze, &plan->frozen_nodes));
    RN_TRY(planner_init(&planner, plan));
    RN_TRY(rn_plan_forward(&planner));
    if (plan->options.training) {
        RN_TRY(rn_plan_shortcuts_first(plan));
        RN_TRY(rn_plan_backward(&planner));
    }
    RN_TRY(place_params(&planner));
    rn_plan_lifetimes(plan);
    RN_TRY(rn_plan_place(plan));
    plan->arena_kept = plan->arena_bytes;
    RN_TRY(rn_plan_recompute(plan));
    plan->options.ranges = NULL; // the caller's
    *out = plan;
    plan = NULL; // now the caller's
out:
    planner_release(&planner);
    rn_plan_free(plan);
    return st;
}

void rn_plan_free(rn_plan *plan)
{
    if (plan == NULL)
        return;
    // Backward kernels may refer to their forward kernel: last made, first freed.
    for (int i = plan->op_count - 1; i >= 0; i--)
        if (!plan->ops[i].shared)
            rn_kernel_free(plan->ops[i].kernel);
    rn_free(plan->ops);
    rn_free(plan->tensors);
    rn_free(plan->params);
    rn_free(plan);
}

const rn_plan_options *rn_plan_options_of(const rn_plan *plan)
{
    return &plan->options;
}

static size_t gradient_bytes(const rn_plan *plan)
{
    size_t bytes = 0;

    for (int t = 0; t < plan->tensor_count; t++)
        if (plan->tensors[t].gradient)
            bytes += rn_aligned(plan->tensors[t].bytes);
    return bytes;
}

// What is frozen is its own average.
static size_t average_bytes(const rn_plan *plan)
{
    size_t bytes = 0;

    for (int p = 0; p < rn_graph_params(plan->graph); p++)
        if (!plan->params[p].frozen)
            bytes += rn_aligned(plan->params[p].count * sizeof(float));
    return bytes;
}

size_t rn_plan_total_bytes(const rn_plan *plan)
{
    const rn_plan_options *options = &plan->options;
    size_t values = plan->value_floats * sizeof(float);

    return plan->arena_bytes + values + options->memory_beside +
           (options->momentum_beside ? gradient_bytes(plan) : 0) +
           (options->average_beside ? average_bytes(plan) : 0);
}

rn_plan_memory rn_plan_memory_use(const rn_plan *plan)
{
    rn_plan_memory use = {
        .arena = plan->arena_bytes,
        .unshared = plan->unshared_bytes,
        .parameters = plan->value_floats * sizeof(float),
        .gradients = gradient_bytes(plan),
        .kept = plan->arena_kept,
        .limited = plan->limited,
    };

    for (int i = plan->forward_count; i < plan->op_count; i++) {
        if (!plan->ops[i].again)
            continue;
        use.recomputed++;
        use.flops += rn_planned_op_flops(&plan->ops[i]);
    }
    return use;
}
