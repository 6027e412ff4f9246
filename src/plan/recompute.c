// Rewriting a list under a rule: before a backward op that reads a dropped result, the forward ops
// that give it, each once at most.
#include "plan/recompute.h"

#include "base/memory.h"

#include <limits.h>
#include <string.h>

// Products that a value of a convolution's result may be the sum of to count as cheap: the last
// convolution of a bottleneck in ResNet-50's first stage is, a third of whose activations it gives.
enum { CHEAP_PRODUCTS = 64 };

static bool is_cheap(const rn_op_desc *d)
{
    if (d->kind == RN_OP_CONV) // few channels are slow for what they are
        return d->src.c >= 8 && d->kernel * d->kernel * d->src.c <= CHEAP_PRODUCTS;
    return d->kind != RN_OP_LINEAR && d->kind != RN_OP_CROSS_ENTROPY;
}

// What a forward op gives that may be dropped. SAVED is small and always kept.
static const rn_arg results[] = {RN_ARG_DST, RN_ARG_WORKSPACE};
enum { RESULTS = sizeof results / sizeof *results };

static void find_producers(rn_recompute *r)
{
    const rn_plan *plan = r->plan;

    for (int t = 0; t < plan->tensor_count; t++)
        r->producer[t] = -1;
    for (int i = 0; i < plan->forward_count; i++)
        for (int k = 0; k < RESULTS; k++)
            if (rn_planned_op_tensor(&plan->ops[i], results[k]) >= 0)
                r->producer[rn_planned_op_tensor(&plan->ops[i], results[k])] = i;
}

static void find_readers(rn_recompute *r)
{
    const rn_plan *plan = r->plan;

    for (int i = plan->forward_count; i < plan->op_count; i++)
        for (int a = 0; a < RN_ARGS; a++) {
            int tensor = rn_planned_op_tensor(&plan->ops[i], (rn_arg)a);
            if (tensor >= 0 && r->producer[tensor] >= 0)
                r->read_back[r->producer[tensor]] = true;
        }
}

// links: last forward reader of each op's result, for the moment; live: results alive after an op.
static void find_cuts(rn_recompute *r)
{
    const rn_plan *plan = r->plan;
    size_t alive = 0;

    for (int i = 0; i < plan->forward_count; i++)
        for (rn_arg a = RN_ARG_SRC; a <= RN_ARG_RAW; a++) {
            int tensor = rn_planned_op_tensor(&plan->ops[i], a);
            if (tensor >= 0 && r->producer[tensor] >= 0)
                r->links[r->producer[tensor]] = i;
        }
    memset(r->live, 0, (size_t)plan->forward_count * sizeof *r->live);
    for (int i = 0; i < plan->forward_count; i++) {
        if (r->links[i] > i) {
            r->live[i]++;
            r->live[r->links[i]]--;
        }
    }
    for (int i = 0; i < plan->forward_count; i++) {
        alive += r->live[i];
        r->cut[i] = alive == 1 && r->links[i] > i;
    }
}

static rn_status create_again(rn_recompute *r)
{
    rn_status st = RN_OK;
    const rn_plan *plan = r->plan;

    for (int i = 0; i < plan->forward_count; i++) {
        rn_op_desc desc = plan->ops[i].desc;
        if (desc.kind != RN_OP_BATCH_NORM_TRAIN || desc.deferred)
            continue;
        desc.kind = RN_OP_BATCH_NORM_AGAIN;
        desc.forward = plan->ops[i].kernel;
        st = plan->engine->create(plan->engine, &r->again[i], &desc);
        if (st != RN_OK)
            return rn_error_prefix(st, "'%s'", rn_graph_node(plan->graph, plan->ops[i].node)->name);
    }
    return st;
}

rn_status rn_recompute_init(rn_recompute *r, const rn_plan *plan)
{
    rn_status st = RN_OK;
    size_t forward = (size_t)plan->forward_count, tensors = (size_t)plan->tensor_count;
    size_t ops = (size_t)plan->op_count + forward; // each forward op is repeated once at most

    *r = (rn_recompute){.plan = plan, .trial = *plan};
    r->trial.ops = NULL;
    r->trial.tensors = NULL;
    r->trial.op_capacity = ops;
    r->trial.tensor_capacity = tensors + (RESULTS + 1) * forward; // and scratch
    RN_TRY(RN_NEW(&r->trial.ops, r->trial.op_capacity));
    RN_TRY(RN_NEW(&r->trial.tensors, r->trial.tensor_capacity));
    RN_TRY(RN_NEW(&r->producer, tensors));
    RN_TRY(RN_NEW(&r->copy, tensors));
    RN_TRY(RN_NEW(&r->read_back, forward));
    RN_TRY(RN_NEW(&r->cut, forward));
    RN_TRY(RN_NEW(&r->dropped, forward));
    RN_TRY(RN_NEW(&r->wanted, forward));
    RN_TRY(RN_NEW(&r->held, forward));
    RN_TRY(RN_NEW(&r->other_held, forward));
    RN_TRY(RN_NEW(&r->links, forward));
    RN_TRY(RN_NEW(&r->again, forward));
    RN_TRY(RN_NEW(&r->live, ops + 1));
    RN_TRY(create_again(r));
    find_producers(r);
    find_readers(r);
    find_cuts(r);
out:
    return st;
}

void rn_recompute_release(rn_recompute *r)
{
    for (int i = 0; r->again != NULL && i < r->plan->forward_count; i++)
        rn_kernel_free(r->again[i]);
    rn_free(r->trial.ops);
    rn_free(r->trial.tensors);
    rn_free(r->producer);
    rn_free(r->copy);
    rn_free(r->read_back);
    rn_free(r->cut);
    rn_free(r->dropped);
    rn_free(r->wanted);
    rn_free(r->held);
    rn_free(r->other_held);
    rn_free(r->links);
    rn_free(r->again);
    rn_free(r->live);
}

// How many cheap ops restore the result of a cheap op; INT_MAX if something were needed that is
// gone by then.
static int chain_length(const rn_recompute *r, int index)
{
    int longest = 0;

    for (rn_arg a = RN_ARG_SRC; a <= RN_ARG_RAW; a++) {
        int tensor = rn_planned_op_tensor(&r->plan->ops[index], a);
        int from = tensor >= 0 ? r->producer[tensor] : -1;
        if (from < 0)
            continue;
        if (!r->dropped[from] && !r->read_back[from])
            return INT_MAX;
        if (r->links[from] > longest)
            longest = r->links[from];
    }
    return longest + 1;
}

static void choose_dropped(rn_recompute *r, const rn_drop_rule *rule)
{
    const rn_plan *plan = r->plan;
    size_t since = 0; // dropped bytes since the last cut point kept

    for (int i = 0; i < plan->forward_count; i++) {
        const rn_planned_op *op = &plan->ops[i];
        r->dropped[i] = false;
        r->links[i] = 0;
        if (op->desc.kind == RN_OP_CROSS_ENTROPY || op->desc.deferred)
            continue;
        size_t bytes = plan->tensors[op->args[RN_ARG_DST].index].bytes;
        if (i < rule->deep_end) {
            since += bytes;
            r->dropped[i] = !(r->cut[i] && since > rule->segment);
            since = r->dropped[i] ? since : 0;
        } else if (i < rule->cheap_end && is_cheap(&op->desc) && r->read_back[i] &&
                   bytes >= rule->least && !r->held[i]) {
            int length = chain_length(r, i);
            r->dropped[i] = length <= rule->chain;
            r->links[i] = r->dropped[i] ? length : 0;
        }
    }
}

static int new_tensor(rn_plan *trial, const rn_plan_tensor *like)
{
    trial->tensors[trial->tensor_count] = *like;
    return trial->tensor_count++;
}

static void use_copies(const rn_recompute *r, rn_planned_op *op)
{
    static const rn_arg read[] = {RN_ARG_SRC, RN_ARG_SRC2, RN_ARG_RAW, RN_ARG_DST,
                                  RN_ARG_WORKSPACE};

    for (size_t k = 0; k < sizeof read / sizeof *read; k++) {
        int tensor = rn_planned_op_tensor(op, read[k]);
        if (tensor >= 0 && tensor < r->plan->tensor_count && r->copy[tensor] >= 0)
            op->args[read[k]].index = r->copy[tensor];
    }
}

// Append forward op `index` to the trial's list, with results and scratch of its own.
static void repeat(rn_recompute *r, int index)
{
    rn_plan *trial = &r->trial;
    const rn_plan_tensor *tensors = r->plan->tensors;
    rn_planned_op *op = &trial->ops[trial->op_count++];

    *op = r->plan->ops[index];
    op->backward = op->again = op->shared = true;
    if (op->desc.kind == RN_OP_BATCH_NORM_TRAIN) {
        op->desc.kind = RN_OP_BATCH_NORM_AGAIN;
        op->desc.forward = op->kernel;
        op->kernel = r->again[index];
        op->shared = false;
        op->args[RN_ARG_RUNNING_MEAN] = op->args[RN_ARG_RUNNING_VARIANCE] = (rn_ref){0};
    }
    op->args[RN_ARG_STATISTICS] = (rn_ref){0}; // what they were for is in SAVED
    use_copies(r, op); // of what it reads; those of its results do not exist yet
    for (int k = 0; k < RESULTS; k++) {
        int result = rn_planned_op_tensor(op, results[k]);
        if (result < 0)
            continue;
        r->copy[result] = new_tensor(trial, &tensors[result]);
        op->args[results[k]].index = r->copy[result];
    }
    op->args[RN_ARG_SCRATCH] = (rn_ref){0};
    if (op->kernel->scratch_bytes > 0)
        op->args[RN_ARG_SCRATCH] =
            rn_tensor_ref(new_tensor(trial, &(rn_plan_tensor){.bytes = op->kernel->scratch_bytes}));
}

// Want the op that gives a tensor, if the tensor is dropped and not there again.
static int want(rn_recompute *r, int tensor)
{
    int op = tensor >= 0 ? r->producer[tensor] : -1;

    if (op < 0 || !r->dropped[op] || r->copy[tensor] >= 0 || r->wanted[op])
        return 0;
    r->wanted[op] = true;
    return 1;
}

// Backwards for what is needed (an op reads only what earlier ones give), then forwards to do it.
static void restore(rn_recompute *r, int tensor)
{
    int pending = want(r, tensor), last = r->producer[tensor], first = last + 1;

    while (pending > 0) {
        if (!r->wanted[--first])
            continue;
        pending--;
        for (rn_arg a = RN_ARG_SRC; a <= RN_ARG_RAW; a++)
            pending += want(r, rn_planned_op_tensor(&r->plan->ops[first], a));
    }
    for (int i = first; i <= last; i++) {
        if (r->wanted[i])
            repeat(r, i);
        r->wanted[i] = false;
    }
}

size_t rn_recompute_apply(rn_recompute *r, const rn_drop_rule *rule)
{
    const rn_plan *plan = r->plan;
    rn_plan *trial = &r->trial;

    choose_dropped(r, rule);
    memcpy(trial->ops, plan->ops, (size_t)plan->forward_count * sizeof *plan->ops);
    memcpy(trial->tensors, plan->tensors, (size_t)plan->tensor_count * sizeof *plan->tensors);
    trial->op_count = plan->forward_count;
    trial->tensor_count = plan->tensor_count;
    for (int t = 0; t < plan->tensor_count; t++)
        r->copy[t] = -1;
    for (int i = plan->forward_count; i < plan->op_count; i++) {
        rn_planned_op op = plan->ops[i];
        for (int a = 0; a < RN_ARGS; a++)
            if (rn_planned_op_tensor(&op, (rn_arg)a) >= 0 && r->producer[op.args[a].index] >= 0)
                restore(r, op.args[a].index);
        use_copies(r, &op);
        trial->ops[trial->op_count++] = op;
    }
    rn_plan_lifetimes(trial);
    return rn_plan_peak(trial, r->live);
}

void rn_recompute_accept(rn_recompute *r, rn_plan *plan)
{
    rn_plan *trial = &r->trial;

    for (int i = plan->forward_count; i < trial->op_count; i++)
        if (trial->ops[i].again)
            rn_planned_op_label(&trial->ops[i]);
    for (int i = 0; i < plan->forward_count; i++) {
        int dst = rn_planned_op_tensor(&plan->ops[i], RN_ARG_DST);
        if (dst >= 0 && r->copy[dst] >= 0)
            r->again[i] = NULL; // in the list now
    }
    rn_free(plan->ops);
    rn_free(plan->tensors);
    *plan = *trial;
    trial->ops = NULL;
    trial->tensors = NULL;
}
