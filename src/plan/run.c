#include "plan/plan_struct.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct rn_run {
    const rn_plan *plan;
    char *arena;
    float *values;
    int32_t *labels, *labels_b; // labels_b, shares: NULL unless the plan is for mixed labels
    float *shares;
    rn_loss loss;
    rn_random random;
    bool prepared;          // nobody has had the parameters in hand since prepare()
    void *(*args)[RN_ARGS]; // resolved once, for each op
};

static void *tensor_memory(const rn_run *run, int tensor)
{
    const rn_plan_tensor *tensors = run->plan->tensors;

    return run->arena + tensors[tensors[tensor].root].offset;
}

static void *resolve(rn_run *run, rn_ref ref)
{
    const rn_plan_param *params = run->plan->params;

    switch (ref.space) {
    case RN_SPACE_TENSOR:
        return tensor_memory(run, ref.index);
    case RN_SPACE_VALUE:
        return run->values + params[ref.index].offset;
    case RN_SPACE_RANDOM:
        return &run->random;
    case RN_SPACE_LABELS:
        return run->labels;
    case RN_SPACE_LABELS_B:
        return run->labels_b;
    case RN_SPACE_SHARES:
        return run->shares;
    case RN_SPACE_LOSS:
        return &run->loss;
    case RN_SPACE_GRADIENT: // a tensor by now
    case RN_SPACE_NONE:
        break;
    }
    return NULL;
}

rn_status rn_run_create(rn_run **out, const rn_plan *plan)
{
    rn_status st = RN_OK;
    rn_run *run = NULL;

    *out = NULL;
    RN_TRY(RN_NEW(&run, 1));
    run->plan = plan;
    RN_TRY(RN_NEW(&run->arena, plan->arena_bytes));
    RN_TRY(RN_NEW(&run->values, plan->value_floats));
    RN_TRY(RN_NEW(&run->labels, (size_t)plan->options.batch));
    if (plan->options.training && plan->options.mixed_labels) {
        RN_TRY(RN_NEW(&run->labels_b, (size_t)plan->options.batch));
        RN_TRY(RN_NEW(&run->shares, (size_t)plan->options.batch));
    }
    RN_TRY(RN_NEW(&run->args, (size_t)plan->op_count));
    for (int i = 0; i < plan->op_count; i++)
        for (int a = 0; a < RN_ARGS; a++)
            run->args[i][a] = resolve(run, plan->ops[i].args[a]);
    *out = run;
    run = NULL; // now the caller's
out:
    rn_run_free(run);
    return st;
}

void rn_run_free(rn_run *run)
{
    if (run == NULL)
        return;
    rn_free(run->arena);
    rn_free(run->values);
    rn_free(run->labels);
    rn_free(run->labels_b);
    rn_free(run->shares);
    rn_free(run->args);
    rn_free(run);
}

float *rn_run_input(rn_run *run)
{
    return tensor_memory(run, run->plan->input);
}

int32_t *rn_run_labels(rn_run *run)
{
    return run->plan->options.training ? run->labels : NULL;
}

int32_t *rn_run_labels_b(rn_run *run)
{
    return run->labels_b;
}

float *rn_run_shares(rn_run *run)
{
    return run->shares;
}

const float *rn_run_logits(const rn_run *run)
{
    return tensor_memory(run, run->plan->logits);
}

rn_loss rn_run_loss(const rn_run *run)
{
    return run->loss;
}

void rn_run_set_step(rn_run *run, uint64_t seed, uint64_t step)
{
    run->random = (rn_random){.seed = seed, .step = step};
}

static rn_status run_ops(rn_run *run, int from, int to)
{
    rn_status st = RN_OK;

    for (int i = from; i < to; i++) {
        rn_kernel *kernel = run->plan->ops[i].kernel;
        RN_TRY(kernel->run(kernel, run->args[i]));
    }
out:
    return st;
}

// What kernels make of constant parameters, if these may have changed.
static rn_status prepare(rn_run *run)
{
    rn_status st = RN_OK;

    for (int i = 0; i < run->plan->op_count && !run->prepared; i++) {
        rn_kernel *kernel = run->plan->ops[i].kernel;
        if (kernel->prepared_bytes > 0)
            RN_TRY(kernel->prepare(kernel, run->args[i]));
    }
    run->prepared = true;
out:
    return st;
}

rn_status rn_run_forward(rn_run *run)
{
    rn_status st = prepare(run);

    return st == RN_OK ? run_ops(run, 0, run->plan->forward_count) : st;
}

rn_status rn_run_to_output(rn_run *run)
{
    rn_status st = prepare(run);

    if (st == RN_OK && run->plan->output < 0)
        st = rn_error(RN_EINVAL, "the plan keeps no node's output");
    return st == RN_OK ? run_ops(run, 0, run->plan->output_count) : st;
}

rn_status rn_run_output(const rn_run *run, float *dst)
{
    int tensor = run->plan->output;

    if (tensor < 0)
        return rn_error(RN_EINVAL, "the plan keeps no node's output");
    rn_tensor_unpack(&run->plan->tensors[tensor].desc, tensor_memory(run, tensor), dst);
    return RN_OK;
}

rn_status rn_run_op(rn_run *run, int index)
{
    rn_status st = prepare(run);

    return st == RN_OK ? run_ops(run, index, index + 1) : st;
}

static bool gives_tensor(const rn_planned_op *op)
{
    return op->args[RN_ARG_DST].space == RN_SPACE_TENSOR && !op->desc.deferred;
}

// Room for the largest output of the forward list, without padding.
static rn_status allocate_plain(const rn_plan *plan, float **plain)
{
    size_t most = 0;

    for (int i = 0; i < plan->forward_count; i++) {
        size_t count = rn_tensor_elements(&plan->ops[i].desc.dst);
        most = count > most ? count : most;
    }
    return RN_NEW(plain, most);
}

rn_status rn_run_trace(rn_run *run, rn_trace_visit visit, void *context)
{
    rn_status st = RN_OK;
    const rn_plan *plan = run->plan;
    float *plain = NULL;

    RN_TRY(prepare(run));
    RN_TRY(allocate_plain(plan, &plain));
    for (int i = 0; i < plan->forward_count; i++) {
        const rn_planned_op *op = &plan->ops[i];
        const rn_tensor_desc *dst = &op->desc.dst;
        const int shape[4] = {dst->n, dst->c, dst->h, dst->w};
        RN_TRY(run_ops(run, i, i + 1));
        if (!gives_tensor(op))
            continue;
        rn_tensor_unpack(dst, run->args[i][RN_ARG_DST], plain);
        RN_TRY(visit(rn_graph_node(plan->graph, op->last_node), shape, plain, context));
    }
out:
    rn_free(plain);
    return st;
}

rn_status rn_run_backward(rn_run *run)
{
    return run_ops(run, run->plan->forward_count, run->plan->op_count);
}

int rn_run_params(const rn_run *run)
{
    return rn_graph_params(run->plan->graph);
}

static rn_param_view view_param(const rn_run *run, int index)
{
    const rn_plan_param *param = &run->plan->params[index];

    return (rn_param_view){
        .value = run->values + param->offset,
        .gradient = param->gradient >= 0 ? tensor_memory(run, param->gradient) : NULL,
        .count = param->count,
        .param = rn_graph_param(run->plan->graph, index),
        .frozen = param->frozen,
    };
}

rn_param_view rn_run_param(rn_run *run, int index)
{
    run->prepared = false; // the caller may write
    return view_param(run, index);
}

rn_status rn_run_pack(const rn_run *run, int index, const float *canonical, float *native)
{
    const rn_plan_param *param = &run->plan->params[index];

    return param->kernel->pack(param->kernel, param->arg, canonical, native);
}

rn_status rn_run_unpack(const rn_run *run, int index, const float *native, float *canonical)
{
    const rn_plan_param *param = &run->plan->params[index];

    return param->kernel->unpack(param->kernel, param->arg, native, canonical);
}

static rn_status check_same_params(const rn_run *run, const rn_weights *weights)
{
    if (rn_weights_count(weights) != rn_run_params(run))
        return rn_error(RN_EINVAL, "weights have %d parameters, the network has %d",
                        rn_weights_count(weights), rn_run_params(run));
    for (int i = 0; i < rn_run_params(run); i++) {
        const rn_param *have = rn_weights_param(weights, i);
        const rn_param *want = rn_graph_param(run->plan->graph, i);
        if (strcmp(have->name, want->name) != 0)
            return rn_error(RN_EINVAL, "parameter %d of the weights is '%s', the network's is '%s'",
                            i, have->name, want->name);
        if (memcmp(have->shape, want->shape, sizeof have->shape) != 0)
            return rn_error(RN_EINVAL,
                            "parameter '%s' of the weights has %zu values in another shape than "
                            "the network's %zu: one that does not end in global pooling takes "
                            "pictures of its own size only",
                            have->name, have->count, want->count);
    }
    return RN_OK;
}

rn_status rn_run_load(rn_run *run, const rn_weights *weights)
{
    rn_status st = RN_OK;

    RN_TRY(check_same_params(run, weights));
    for (int i = 0; i < rn_run_params(run); i++)
        RN_TRY(rn_run_pack(run, i, rn_weights_read(weights, i), rn_run_param(run, i).value));
out:
    return st;
}

rn_status rn_run_store(const rn_run *run, rn_slot slot, rn_weights *weights)
{
    rn_status st = RN_OK;

    RN_TRY(check_same_params(run, weights));
    for (int i = 0; i < rn_run_params(run); i++) {
        rn_param_view view = view_param(run, i);
        const float *native = slot == RN_SLOT_VALUE ? view.value : view.gradient;
        float *canonical = rn_weights_data(weights, i);
        if (native != NULL)
            RN_TRY(rn_run_unpack(run, i, native, canonical));
        else
            memset(canonical, 0, view.param->count * sizeof *canonical);
    }
out:
    return st;
}

static bool all_finite(const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return false;
    return true;
}

static bool find_in_params(const rn_run *run, char *where, size_t size)
{
    for (int i = 0; i < rn_run_params(run); i++) {
        rn_param_view view = view_param(run, i);
        if (!all_finite(view.value, view.count)) {
            snprintf(where, size, "%s (parameter)", view.param->name);
            return true;
        }
    }
    return false;
}

static bool all_finite_in(const rn_tensor_desc *desc, const void *data)
{
    const uint16_t *values = data;

    if (desc->dtype == RN_FLOAT32)
        return all_finite(data, rn_tensor_elements(desc));
    for (size_t i = 0; i < rn_tensor_elements(desc); i++)
        if (!isfinite(rn_bf16_value(values[i])))
            return false;
    return true;
}

static rn_status find_in_outputs(rn_run *run, char *where, size_t size)
{
    rn_status st = RN_OK;
    const rn_plan *plan = run->plan;

    for (int i = 0; i < plan->forward_count; i++) {
        const rn_planned_op *op = &plan->ops[i];
        RN_TRY(run_ops(run, i, i + 1));
        if (!gives_tensor(op))
            continue;
        if (!all_finite_in(&op->desc.dst, run->args[i][RN_ARG_DST])) {
            snprintf(where, size, "%s (%s, output)", rn_graph_node(plan->graph, op->node)->name,
                     op->label);
            break;
        }
    }
out:
    return st;
}

rn_status rn_run_find_nonfinite(rn_run *run, char *where, size_t size)
{
    rn_status st = RN_OK;
    const rn_plan *plan = run->plan;
    float *kept = NULL; // the forward list would move the running statistics again
    size_t bytes = plan->value_floats * sizeof(float);
    const rn_tensor_desc *input = &plan->tensors[plan->input].desc;

    snprintf(where, size, "%s", "");
    if (find_in_params(run, where, size))
        return RN_OK;
    if (!all_finite(rn_run_input(run), rn_tensor_elements(input))) {
        snprintf(where, size, "input (data)");
        return RN_OK;
    }
    RN_TRY(prepare(run));
    RN_TRY(RN_NEW(&kept, plan->value_floats));
    memcpy(kept, run->values, bytes);
    st = find_in_outputs(run, where, size);
    memcpy(run->values, kept, bytes);
out:
    rn_free(kept);
    return st;
}
