// Backward list: for each forward op, in reverse, the ops that turn the gradient of its destination
// into gradients of its source and parameters.
#include "plan/plan_struct.h"

#include "base/memory.h"

static rn_status sum_gradients(rn_planner *planner, int tensor, int node)
{
    rn_status st = RN_OK;
    const rn_gradient_parts parts = planner->gradients[tensor]; // a new tensor moves the array
    int sum;
    rn_tensor_desc desc = planner->plan->tensors[tensor].desc;
    rn_planned_op op = {.node = node,
                        .last_node = node,
                        .backward = true,
                        .desc = {.kind = RN_OP_ADD, .src = desc, .dst = desc}};

    RN_TRY(rn_planner_tensor(planner, &sum, &desc, rn_tensor_bytes(&desc)));
    op.args[RN_ARG_SRC] = rn_tensor_ref(parts.tensors[0]);
    op.args[RN_ARG_SRC2] = rn_tensor_ref(parts.tensors[1]);
    op.args[RN_ARG_DST] = rn_tensor_ref(sum);
    RN_TRY(rn_planner_emit(planner, &op));
    planner->gradients[tensor].tensors[0] = sum;
    planner->gradients[tensor].tensors[1] = -1;
out:
    return st;
}

rn_status rn_planner_contribute(rn_planner *planner, int tensor, int gradient, int node)
{
    rn_status st = RN_OK;

    if (!planner->gradients[tensor].wanted)
        return RN_OK;
    if (planner->gradients[tensor].tensors[1] >= 0)
        RN_TRY(sum_gradients(planner, tensor, node));
    int *both = planner->gradients[tensor].tensors;
    both[both[0] >= 0] = gradient;
out:
    return st;
}

static bool wants_gradient(const rn_planner *planner, int tensor)
{
    return planner->gradients[tensor].wanted;
}

// The backward op of `kind`, with the forward op's shapes; DIFF_DST is the summed gradient.
static rn_planned_op backward_op(const rn_planner *planner, const rn_planned_op *forward,
                                 rn_op_kind kind)
{
    rn_planned_op op = {.desc = forward->desc,
                        .node = forward->node,
                        .last_node = forward->last_node,
                        .backward = true};
    int dst = rn_planned_op_tensor(forward, RN_ARG_DST);

    op.desc.kind = kind;
    op.desc.forward = forward->kernel;
    op.args[RN_ARG_DIFF_DST] = rn_tensor_ref(planner->gradients[dst].tensors[0]);
    return op;
}

static rn_status new_gradient(rn_planner *planner, int tensor, rn_ref *ref)
{
    int gradient;
    const rn_tensor_desc *like = &planner->plan->tensors[tensor].desc;
    rn_status st = rn_planner_tensor(planner, &gradient, like, rn_tensor_bytes(like));

    *ref = rn_tensor_ref(gradient);
    return st;
}

// Emit `op`, whose DIFF_SRC is a new gradient of `src`.
static rn_status emit_diff_src(rn_planner *planner, rn_planned_op *op, int src)
{
    rn_status st = RN_OK;

    RN_TRY(new_gradient(planner, src, &op->args[RN_ARG_DIFF_SRC]));
    RN_TRY(rn_planner_emit(planner, op));
    RN_TRY(rn_planner_contribute(planner, src, op->args[RN_ARG_DIFF_SRC].index, op->node));
out:
    return st;
}

// Convolution and linear layer: weights first, while the gradient is in cache; then data. What was
// added to a convolution gets the gradient of the sum.
static rn_status backward_weighted(rn_planner *planner, const rn_planned_op *forward,
                                   rn_op_kind data, rn_op_kind weights)
{
    rn_status st = RN_OK;
    int src = rn_planned_op_tensor(forward, RN_ARG_SRC);
    rn_planned_op op = backward_op(planner, forward, weights);

    op.args[RN_ARG_SRC] = forward->args[RN_ARG_SRC];
    op.args[RN_ARG_RAW] = forward->args[RN_ARG_RAW];
    op.args[RN_ARG_NORM] = forward->args[RN_ARG_NORM];
    op.args[RN_ARG_DIFF_WEIGHTS] = rn_gradient_ref(forward->args[RN_ARG_WEIGHTS].index);
    if (forward->args[RN_ARG_BIAS].space == RN_SPACE_VALUE)
        op.args[RN_ARG_DIFF_BIAS] = rn_gradient_ref(forward->args[RN_ARG_BIAS].index);
    op.desc.add = false;
    RN_TRY(rn_planner_emit(planner, &op));
    if (forward->desc.add)
        RN_TRY(rn_planner_contribute(planner, rn_planned_op_tensor(forward, RN_ARG_SRC2),
                                     op.args[RN_ARG_DIFF_DST].index, op.node));
    if (!wants_gradient(planner, src))
        return RN_OK;
    op = backward_op(planner, forward, data);
    op.desc.add = false;
    op.desc.norm = op.desc.norm_relu = false;
    op.args[RN_ARG_WEIGHTS] = forward->args[RN_ARG_WEIGHTS];
    RN_TRY(emit_diff_src(planner, &op, src));
out:
    return st;
}

static void take_second_gradient(const rn_planner *planner, const rn_planned_op *forward,
                                 rn_planned_op *op)
{
    int second = planner->gradients[rn_planned_op_tensor(forward, RN_ARG_DST)].tensors[1];

    op->desc.diff_dst2 = second >= 0;
    if (second >= 0)
        op->args[RN_ARG_DIFF_DST2] = rn_tensor_ref(second);
}

static rn_status backward_batch_norm(rn_planner *planner, const rn_planned_op *forward)
{
    rn_status st = RN_OK;
    int src = rn_planned_op_tensor(forward, RN_ARG_SRC),
        src2 = rn_planned_op_tensor(forward, RN_ARG_SRC2);
    rn_planned_op op = backward_op(planner, forward, RN_OP_BATCH_NORM_BACKWARD);

    take_second_gradient(planner, forward, &op);
    op.args[RN_ARG_SRC] = forward->args[RN_ARG_SRC];
    if (op.desc.relu && op.desc.add)
        op.args[RN_ARG_DST] = forward->args[RN_ARG_DST];
    else if (op.desc.relu)
        op.args[RN_ARG_BIAS] = forward->args[RN_ARG_BIAS];
    op.args[RN_ARG_WEIGHTS] = forward->args[RN_ARG_WEIGHTS];
    op.args[RN_ARG_SAVED] = forward->args[RN_ARG_SAVED];
    op.args[RN_ARG_DIFF_WEIGHTS] = rn_gradient_ref(forward->args[RN_ARG_WEIGHTS].index);
    op.args[RN_ARG_DIFF_BIAS] = rn_gradient_ref(forward->args[RN_ARG_BIAS].index);
    if (op.desc.add)
        RN_TRY(new_gradient(planner, src2, &op.args[RN_ARG_DIFF_SRC2]));
    if (wants_gradient(planner, src))
        RN_TRY(emit_diff_src(planner, &op, src));
    else
        RN_TRY(rn_planner_emit(planner, &op));
    if (op.desc.add)
        RN_TRY(rn_planner_contribute(planner, src2, op.args[RN_ARG_DIFF_SRC2].index, op.node));
out:
    return st;
}

static rn_status backward_relu(rn_planner *planner, const rn_planned_op *forward)
{
    int src = rn_planned_op_tensor(forward, RN_ARG_SRC);
    rn_planned_op op = backward_op(planner, forward, RN_OP_RELU_BACKWARD);

    if (!wants_gradient(planner, src))
        return RN_OK;
    take_second_gradient(planner, forward, &op);
    op.args[RN_ARG_DST] = forward->args[RN_ARG_DST];
    return emit_diff_src(planner, &op, src);
}

// d(a + b) = da + db: both operands get the gradient of the sum; with a ReLU, the masked one.
static rn_status backward_add(rn_planner *planner, const rn_planned_op *forward)
{
    rn_status st = RN_OK;
    int a = rn_planned_op_tensor(forward, RN_ARG_SRC),
        b = rn_planned_op_tensor(forward, RN_ARG_SRC2);
    int gradient;

    if (forward->desc.relu) {
        rn_planned_op op = backward_op(planner, forward, RN_OP_RELU_BACKWARD);
        take_second_gradient(planner, forward, &op);
        op.args[RN_ARG_DST] = forward->args[RN_ARG_DST];
        RN_TRY(new_gradient(planner, a, &op.args[RN_ARG_DIFF_SRC]));
        gradient = op.args[RN_ARG_DIFF_SRC].index;
        RN_TRY(rn_planner_emit(planner, &op));
    } else {
        int dst = rn_planned_op_tensor(forward, RN_ARG_DST);
        if (planner->gradients[dst].tensors[1] >= 0)
            RN_TRY(sum_gradients(planner, dst, forward->node));
        gradient = planner->gradients[dst].tensors[0];
    }
    RN_TRY(rn_planner_contribute(planner, a, gradient, forward->node));
    RN_TRY(rn_planner_contribute(planner, b, gradient, forward->node));
out:
    return st;
}

static rn_status backward_simple(rn_planner *planner, const rn_planned_op *forward, rn_op_kind kind)
{
    int src = rn_planned_op_tensor(forward, RN_ARG_SRC);
    rn_planned_op op = backward_op(planner, forward, kind);

    if (!wants_gradient(planner, src))
        return RN_OK;
    op.args[RN_ARG_WORKSPACE] = forward->args[RN_ARG_WORKSPACE];
    return emit_diff_src(planner, &op, src);
}

// Multiplying by what depends on no tensor: the gradient goes through the forward op itself.
static rn_status backward_by_itself(rn_planner *planner, const rn_planned_op *forward)
{
    rn_status st = RN_OK;
    int src = rn_planned_op_tensor(forward, RN_ARG_SRC);
    rn_planned_op op = backward_op(planner, forward, forward->desc.kind);

    if (!wants_gradient(planner, src))
        return RN_OK;
    op.desc.forward = NULL;
    op.kernel = forward->kernel;
    op.shared = true;
    op.args[RN_ARG_SRC] = op.args[RN_ARG_DIFF_DST];
    op.args[RN_ARG_DIFF_DST] = (rn_ref){RN_SPACE_NONE, 0};
    op.args[RN_ARG_RANDOM] = forward->args[RN_ARG_RANDOM];
    RN_TRY(new_gradient(planner, src, &op.args[RN_ARG_DST]));
    RN_TRY(rn_planner_emit(planner, &op));
    RN_TRY(rn_planner_contribute(planner, src, op.args[RN_ARG_DST].index, op.node));
out:
    return st;
}

static rn_status backward_gate(rn_planner *planner, const rn_planned_op *forward)
{
    rn_status st = RN_OK;
    int src = rn_planned_op_tensor(forward, RN_ARG_SRC),
        gate = rn_planned_op_tensor(forward, RN_ARG_SRC2);
    rn_planned_op op = backward_op(planner, forward, RN_OP_GATE_BACKWARD);

    if (!wants_gradient(planner, src) && !wants_gradient(planner, gate))
        return RN_OK;
    op.args[RN_ARG_SRC] = forward->args[RN_ARG_SRC];
    op.args[RN_ARG_SRC2] = forward->args[RN_ARG_SRC2];
    RN_TRY(new_gradient(planner, gate, &op.args[RN_ARG_DIFF_SRC2]));
    RN_TRY(emit_diff_src(planner, &op, src));
    RN_TRY(rn_planner_contribute(planner, gate, op.args[RN_ARG_DIFF_SRC2].index, op.node));
out:
    return st;
}

static rn_status backward_of(rn_planner *planner, const rn_planned_op *forward)
{
    int dst = rn_planned_op_tensor(forward, RN_ARG_DST);
    bool two = forward->desc.kind == RN_OP_BATCH_NORM_TRAIN || forward->desc.kind == RN_OP_RELU ||
               forward->desc.kind == RN_OP_ADD;

    if (forward->desc.kind == RN_OP_CROSS_ENTROPY || planner->gradients[dst].tensors[0] < 0)
        return RN_OK; // already has given its gradient; or nothing depends on it
    if (!two && planner->gradients[dst].tensors[1] >= 0) {
        rn_status st = sum_gradients(planner, dst, forward->node);
        if (st != RN_OK)
            return st;
    }
    switch (forward->desc.kind) {
    case RN_OP_CONV:
        return backward_weighted(planner, forward, RN_OP_CONV_BACKWARD_DATA,
                                 RN_OP_CONV_BACKWARD_WEIGHTS);
    case RN_OP_LINEAR:
        return backward_weighted(planner, forward, RN_OP_LINEAR_BACKWARD_DATA,
                                 RN_OP_LINEAR_BACKWARD_WEIGHTS);
    case RN_OP_BATCH_NORM_TRAIN:
        return backward_batch_norm(planner, forward);
    case RN_OP_RELU:
        return backward_relu(planner, forward);
    case RN_OP_ADD:
        return backward_add(planner, forward);
    case RN_OP_SCALE:
    case RN_OP_DROPOUT:
        return backward_by_itself(planner, forward);
    case RN_OP_GATE:
        return backward_gate(planner, forward);
    case RN_OP_FLATTEN:
        return backward_simple(planner, forward, RN_OP_FLATTEN_BACKWARD);
    case RN_OP_SHORTCUT_PAD:
        return backward_simple(planner, forward, RN_OP_SHORTCUT_PAD_BACKWARD);
    case RN_OP_MAX_POOL:
        return backward_simple(planner, forward, RN_OP_MAX_POOL_BACKWARD);
    case RN_OP_AVERAGE_POOL:
        return backward_simple(planner, forward, RN_OP_AVERAGE_POOL_BACKWARD);
    default:
        return rn_error(RN_EUNSUPPORTED, "'%s' has no backward op",
                        rn_op_kind_name(forward->desc.kind));
    }
}

rn_status rn_plan_backward(rn_planner *planner)
{
    rn_status st = RN_OK;

    for (int i = planner->plan->forward_count - 1; i >= 0; i--) {
        rn_planned_op forward = planner->plan->ops[i]; // the list grows and may move
        RN_TRY(backward_of(planner, &forward));
    }
out:
    return st;
}
