// Memory: lifetime of each tensor, in-place sharing, and an offset in one arena.
#include "plan/plan_struct.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static void find_lifetimes(rn_plan *plan)
{
    for (int t = 0; t < plan->tensor_count; t++)
        plan->tensors[t].first = plan->tensors[t].last = -1;
    for (int i = 0; i < plan->op_count; i++)
        for (int a = 0; a < RN_ARGS; a++) {
            const rn_ref *ref = &plan->ops[i].args[a];
            if (ref->space != RN_SPACE_TENSOR)
                continue;
            rn_plan_tensor *tensor = &plan->tensors[ref->index];
            if (tensor->first < 0)
                tensor->first = i;
            tensor->last = a == RN_ARG_PREPARED ? plan->op_count - 1 : i;
            if (a == RN_ARG_PREPARED)
                tensor->first = 0;
        }
    for (int t = 0; t < plan->tensor_count; t++) {
        rn_plan_tensor *tensor = &plan->tensors[t];
        if (tensor->gradient && tensor->first < 0) // no op gives it: it stays zero
            tensor->first = 0;
        if (tensor->gradient)
            tensor->last = plan->op_count - 1;
    }
    // The caller writes the input before the first op and reads logits and output after the list;
    // the input stays whole so that the forward list can be repeated.
    plan->tensors[plan->input].first = 0;
    plan->tensors[plan->input].last = plan->op_count - 1;
    const int read[] = {plan->logits, plan->output};
    for (int i = 0; i < 2; i++)
        if (read[i] >= 0 && plan->tensors[read[i]].last < plan->forward_count - 1)
            plan->tensors[read[i]].last = plan->forward_count - 1;
}

// In-place pairs that op.h demands of every engine.
static const struct {
    rn_op_kind kind;
    rn_arg out, in;
} in_place[] = {
    {RN_OP_RELU, RN_ARG_DST, RN_ARG_SRC},
    {RN_OP_SCALE, RN_ARG_DST, RN_ARG_SRC},
    {RN_OP_DROPOUT, RN_ARG_DST, RN_ARG_SRC},
    {RN_OP_ADD, RN_ARG_DST, RN_ARG_SRC},
    {RN_OP_ADD, RN_ARG_DST, RN_ARG_SRC2},
    {RN_OP_GATE, RN_ARG_DST, RN_ARG_SRC},
    {RN_OP_GATE, RN_ARG_DST, RN_ARG_SRC2},
    {RN_OP_CONV, RN_ARG_DST, RN_ARG_SRC2},
    {RN_OP_BATCH_NORM_TRAIN, RN_ARG_DST, RN_ARG_SRC2},
    {RN_OP_BATCH_NORM_INFER, RN_ARG_DST, RN_ARG_SRC2},
    {RN_OP_BATCH_NORM_AGAIN, RN_ARG_DST, RN_ARG_SRC2},
    {RN_OP_GATE_BACKWARD, RN_ARG_DIFF_SRC, RN_ARG_DIFF_DST},
    {RN_OP_RELU_BACKWARD, RN_ARG_DIFF_SRC, RN_ARG_DIFF_DST},
    {RN_OP_RELU_BACKWARD, RN_ARG_DIFF_SRC, RN_ARG_DIFF_DST2},
    {RN_OP_BATCH_NORM_BACKWARD, RN_ARG_DIFF_SRC, RN_ARG_SRC},
    {RN_OP_BATCH_NORM_BACKWARD, RN_ARG_DIFF_SRC2, RN_ARG_DIFF_DST},
    {RN_OP_BATCH_NORM_BACKWARD, RN_ARG_DIFF_SRC2, RN_ARG_DIFF_DST2},
};

// Let `out` take over the memory of `in` if op `index` is the last to touch it.
static void try_share(rn_plan *plan, int index, const rn_ref *out, const rn_ref *in)
{
    if (out->space != RN_SPACE_TENSOR || in->space != RN_SPACE_TENSOR)
        return;
    rn_plan_tensor *target = &plan->tensors[out->index];
    int root = plan->tensors[in->index].root;
    rn_plan_tensor *owner = &plan->tensors[root];
    if (target->root != out->index || target->first != index || owner->last != index ||
        owner->bytes != target->bytes || root == plan->input)
        return;
    target->root = root;
    owner->last = target->last;
}

static bool share_root(const rn_plan *plan, const rn_ref *a, const rn_ref *b)
{
    return a->space == RN_SPACE_TENSOR && b->space == RN_SPACE_TENSOR &&
           plan->tensors[a->index].root == plan->tensors[b->index].root;
}

// A convolution reads its source, or with `norm` what its source is made from, around each value
// that it writes: where that is what it adds too (units of one convolution with an identity
// shortcut), the result needs memory of its own.
static bool reads_around(const rn_plan *plan, const rn_planned_op *op)
{
    const rn_ref *added = &op->args[RN_ARG_SRC2];

    return op->desc.kind == RN_OP_CONV && (share_root(plan, &op->args[RN_ARG_SRC], added) ||
                                           share_root(plan, &op->args[RN_ARG_RAW], added));
}

void rn_plan_lifetimes(rn_plan *plan)
{
    find_lifetimes(plan);
    for (int t = 0; t < plan->tensor_count; t++)
        plan->tensors[t].root = t;
    for (int i = 0; i < plan->op_count; i++)
        for (size_t p = 0; p < sizeof in_place / sizeof *in_place; p++)
            if (in_place[p].kind == plan->ops[i].desc.kind && !reads_around(plan, &plan->ops[i]))
                try_share(plan, i, &plan->ops[i].args[in_place[p].out],
                          &plan->ops[i].args[in_place[p].in]);
}

// Differences first, then their running sum; they wrap below 0 and back.
size_t rn_plan_peak(const rn_plan *plan, size_t *live)
{
    size_t now = 0, most = 0;

    memset(live, 0, ((size_t)plan->op_count + 1) * sizeof *live);
    for (int t = 0; t < plan->tensor_count; t++) {
        const rn_plan_tensor *tensor = &plan->tensors[t];
        if (tensor->root != t || tensor->first < 0)
            continue;
        live[tensor->first] += rn_aligned(tensor->bytes);
        live[tensor->last + 1] -= rn_aligned(tensor->bytes);
    }
    for (int i = 0; i < plan->op_count; i++) {
        now += live[i];
        most = now > most ? now : most;
    }
    return most;
}

static int larger_first(const void *a, const void *b)
{
    const rn_plan_tensor *x = *(rn_plan_tensor *const *)a, *y = *(rn_plan_tensor *const *)b;

    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return x->first != y->first ? x->first - y->first : x->root - y->root;
}

// The lowest gap that holds `tensor` among those placed already (in order of offset) that live at
// the same time; returns where in that order it belongs.
static int place(rn_plan_tensor **placed, int count, rn_plan_tensor *tensor)
{
    size_t offset = 0;

    for (int i = 0; i < count; i++) {
        const rn_plan_tensor *other = placed[i];
        if (other->last < tensor->first || tensor->last < other->first)
            continue;
        if (other->offset >= offset + tensor->bytes)
            break;
        if (other->offset + rn_aligned(other->bytes) > offset)
            offset = other->offset + rn_aligned(other->bytes);
    }
    tensor->offset = offset;
    int position = count;
    while (position > 0 && placed[position - 1]->offset > offset)
        position--;
    return position;
}

// Greedy by size: the big tensors decide the arena's size, the small ones fill the gaps.
static void assign_offsets(rn_plan *plan, rn_plan_tensor **roots, rn_plan_tensor **placed,
                           int count)
{
    qsort(roots, (size_t)count, sizeof *roots, larger_first);
    for (int i = 0; i < count; i++) {
        int position = place(placed, i, roots[i]);
        for (int k = i; k > position; k--)
            placed[k] = placed[k - 1];
        placed[position] = roots[i];
        size_t end = roots[i]->offset + rn_aligned(roots[i]->bytes);
        if (end > plan->arena_bytes)
            plan->arena_bytes = end;
    }
}

rn_status rn_plan_place(rn_plan *plan)
{
    rn_status st = RN_OK;
    rn_plan_tensor **roots = NULL, **placed = NULL;
    int count = 0;

    plan->arena_bytes = plan->unshared_bytes = 0;
    RN_TRY(RN_NEW(&roots, (size_t)plan->tensor_count));
    RN_TRY(RN_NEW(&placed, (size_t)plan->tensor_count));
    for (int t = 0; t < plan->tensor_count; t++) {
        if (plan->tensors[t].first < 0)
            continue; // nobody reads or writes it
        plan->unshared_bytes += rn_aligned(plan->tensors[t].bytes);
        if (plan->tensors[t].root == t)
            roots[count++] = &plan->tensors[t];
    }
    assign_offsets(plan, roots, placed, count);
out:
    rn_free(roots);
    rn_free(placed);
    return st;
}
