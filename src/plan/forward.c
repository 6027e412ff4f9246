// Forward list: graph nodes to ops, with BN + add + ReLU and add + ReLU fused, in inference and
// where frozen also the convolution before them.
#include "plan/chains.h"

// Layout and type. Pictures and flat rows are float32, what has blocks of channels is of the plan's
// type; ops that work element by element keep both of what they read.
static void set_order(rn_tensor_desc *desc, const rn_planner *planner, rn_node_kind kind, int src)
{
    switch (kind) {
    case RN_NODE_INPUT:
        desc->layout = RN_LAYOUT_NCHW;
        desc->dtype = RN_FLOAT32;
        return;
    case RN_NODE_CONV:
    case RN_NODE_MAX_POOL:
    case RN_NODE_SHORTCUT_PAD:
        desc->layout = planner->plan->engine->layout;
        desc->dtype = planner->plan->options.dtype;
        return;
    case RN_NODE_AVERAGE_POOL:
    case RN_NODE_FLATTEN:
    case RN_NODE_LINEAR:
        desc->layout = RN_LAYOUT_NC;
        desc->dtype = RN_FLOAT32;
        return;
    default:
        desc->layout = planner->plan->tensors[src].desc.layout;
        desc->dtype = planner->plan->tensors[src].desc.dtype;
    }
}

// What node `node` puts out, or a chain that starts with an op of `kind` and ends there.
static rn_tensor_desc output_desc(const rn_planner *planner, const rn_node *node, rn_node_kind kind,
                                  int src)
{
    rn_tensor_desc desc = {.n = planner->plan->options.batch,
                           .c = node->channels,
                           .h = node->height,
                           .w = node->width};

    set_order(&desc, planner, kind, src);
    return desc;
}

// The output of a chain from node `start` to `node` (or of a single node), made from tensor `src`.
static rn_status new_output(rn_planner *planner, int start, int node, int src)
{
    rn_tensor_desc desc = output_desc(planner, rn_planner_node(planner, node),
                                      rn_planner_node(planner, start)->kind, src);

    return rn_planner_tensor(planner, &planner->value[node], &desc, rn_tensor_bytes(&desc));
}

static const rn_tensor_desc *tensor_desc(const rn_planner *planner, int tensor)
{
    return &planner->plan->tensors[tensor].desc;
}

// An op from one input tensor to the output of `end`; window and BN constants come from `node`.
static rn_status start_op(rn_planner *planner, rn_planned_op *op, rn_op_kind kind, int node,
                          int end)
{
    const rn_node *from = rn_planner_node(planner, node);
    int src = planner->value[from->inputs[0]];
    rn_status st = new_output(planner, node, end, src);

    if (st != RN_OK)
        return st;
    *op = (rn_planned_op){
        .node = node,
        .last_node = end,
        .desc = {.kind = kind,
                 .src = *tensor_desc(planner, src),
                 .dst = *tensor_desc(planner, planner->value[end]),
                 .kernel = from->kernel,
                 .stride = from->stride,
                 .pad = from->pad,
                 .channel_offset = from->channel_offset,
                 .epsilon = from->epsilon,
                 .momentum = from->momentum,
                 .scale = from->scale,
                 .complement = from->complement},
    };
    op->args[RN_ARG_SRC] = rn_tensor_ref(src);
    op->args[RN_ARG_DST] = rn_tensor_ref(planner->value[end]);
    if (from->weight != RN_NO_PARAM)
        op->args[RN_ARG_WEIGHTS] = rn_value_ref(from->weight);
    if (from->bias != RN_NO_PARAM)
        op->args[RN_ARG_BIAS] = rn_value_ref(from->bias);
    return RN_OK;
}

// The op that gives tensor `index`; NULL for the input.
static const rn_planned_op *giver(const rn_planner *planner, int index)
{
    for (int i = planner->plan->op_count - 1; i >= 0; i--) {
        const rn_planned_op *op = &planner->plan->ops[i];
        if (op->args[RN_ARG_DST].space == RN_SPACE_TENSOR && op->args[RN_ARG_DST].index == index)
            return op;
    }
    return NULL;
}

// A convolution whose source is a deferred BN's.
static void take_norm(const rn_planner *planner, rn_planned_op *op)
{
    const rn_planned_op *from = giver(planner, op->args[RN_ARG_SRC].index);

    if (op->desc.kind != RN_OP_CONV || from == NULL || !from->desc.deferred)
        return;
    op->desc.norm = true;
    op->desc.norm_relu = from->desc.relu;
    op->args[RN_ARG_RAW] = from->args[RN_ARG_SRC];
    op->args[RN_ARG_NORM] = from->args[RN_ARG_NORM];
}

// A convolution whose source's range is known may multiply bytes; not the first, which reads
// pixels.
static void take_range(const rn_planner *planner, rn_planned_op *op)
{
    const rn_range *ranges = planner->plan->options.ranges;
    int src = op->args[RN_ARG_SRC].index;

    if (ranges == NULL || op->desc.kind != RN_OP_CONV || src == planner->value[0])
        return;
    for (int i = 1; i < rn_graph_nodes(planner->plan->graph); i++) {
        if (planner->value[i] != src || !rn_range_known(&ranges[i]))
            continue;
        op->desc.int8 = true;
        op->desc.range[0] = ranges[i].low;
        op->desc.range[1] = ranges[i].high;
        return;
    }
}

static bool feeds_batch_norm(const rn_planner *planner, int node)
{
    for (int i = node + 1; i < rn_graph_nodes(planner->plan->graph); i++)
        if (rn_planner_node(planner, i)->kind == RN_NODE_BATCH_NORM &&
            rn_planner_node(planner, i)->inputs[0] == node)
            return true;
    return false;
}

static rn_status lower_simple(rn_planner *planner, int node, rn_op_kind kind)
{
    rn_status st = RN_OK;
    rn_planned_op op;

    RN_TRY(start_op(planner, &op, kind, node, node));
    op.desc.statistics =
        kind == RN_OP_CONV && rn_planner_of_batch(planner, node) && feeds_batch_norm(planner, node);
    op.desc.bias = rn_planner_node(planner, node)->bias != RN_NO_PARAM;
    op.desc.training = rn_planner_trains(planner, node);
    op.desc.constant = !op.desc.training;
    take_norm(planner, &op);
    take_range(planner, &op);
    RN_TRY(rn_planner_emit(planner, &op));
out:
    return st;
}

// The op reads a second tensor, element by element with the first.
static rn_status set_second_source(rn_planner *planner, rn_planned_op *op, int tensor)
{
    if (tensor_desc(planner, tensor)->layout != op->desc.dst.layout)
        return rn_error(RN_EUNSUPPORTED, "'%s': its operands differ in layout",
                        rn_planner_node(planner, op->last_node)->name);
    op->args[RN_ARG_SRC2] = rn_tensor_ref(tensor);
    return RN_OK;
}

// The operand of an addition that the chain starting at `start` does not compute.
static int other_operand(const rn_planner *planner, int add, int start)
{
    const rn_node *node = rn_planner_node(planner, add);

    return planner->value[node->inputs[0] == start ? node->inputs[1] : node->inputs[0]];
}

// If the op that gives the source took statistics of it, they are the batch norm's.
static void take_statistics(const rn_planner *planner, rn_planned_op *op)
{
    const rn_planned_op *from = giver(planner, op->args[RN_ARG_SRC].index);

    if (from == NULL)
        return;
    op->args[RN_ARG_STATISTICS] = from->args[RN_ARG_STATISTICS];
    op->desc.statistics = from->args[RN_ARG_STATISTICS].space == RN_SPACE_TENSOR;
    op->desc.parts = from->kernel->statistics_parts;
}

// A BN [+ ReLU] whose result only one convolution reads leaves it to that to normalise, if it can:
// the result then takes no memory.
static bool can_defer(const rn_planner *planner, const rn_planned_op *op)
{
    int conv = rn_planner_sole_consumer(planner, op->last_node, RN_NODE_CONV);

    if (!rn_planner_trains(planner, op->node) || op->desc.add || conv < 0)
        return false;
    rn_op_desc desc = rn_planner_conv_desc(planner, conv);
    desc.norm = true;
    return rn_planner_takes_statistics(planner, &desc);
}

static rn_status defer(rn_planner *planner, rn_planned_op *op)
{
    size_t floats = RN_NORM_VECTORS * (size_t)rn_padded_channels(&op->desc.src);
    int norm;
    rn_status st = rn_planner_tensor(planner, &norm, NULL, floats * sizeof(float));

    op->desc.deferred = true;
    op->args[RN_ARG_NORM] = rn_tensor_ref(norm);
    planner->plan->tensors[op->args[RN_ARG_DST].index].bytes = 0;
    return st;
}

// BN [+ add] [+ ReLU], from node `start` to node `end`.
static rn_status lower_batch_norm(rn_planner *planner, int start, int end)
{
    rn_status st = RN_OK;
    rn_planned_op op;
    const rn_plan_options *options = &planner->plan->options;
    const rn_node *node = rn_planner_node(planner, start);
    int add = start == end ? -1 : rn_planner_sole_consumer(planner, start, RN_NODE_ADD);

    RN_TRY(start_op(planner, &op,
                    rn_planner_of_batch(planner, start) ? RN_OP_BATCH_NORM_TRAIN
                                                        : RN_OP_BATCH_NORM_INFER,
                    start, end));
    if (options->training && options->bn_momentum > 0)
        op.desc.momentum = options->bn_momentum;
    if (options->batch_statistics)
        op.desc.momentum = 1; // nothing of the old ones stays
    op.desc.relu = rn_planner_node(planner, end)->kind == RN_NODE_RELU;
    op.desc.add = add >= 0;
    if (op.desc.add)
        RN_TRY(set_second_source(planner, &op, other_operand(planner, add, start)));
    op.args[RN_ARG_RUNNING_MEAN] = rn_value_ref(node->running_mean);
    op.args[RN_ARG_RUNNING_VARIANCE] = rn_value_ref(node->running_variance);
    if (rn_planner_of_batch(planner, start)) {
        int saved;
        take_statistics(planner, &op);
        size_t floats = RN_SAVED_VECTORS * (size_t)rn_padded_channels(&op.desc.src);
        RN_TRY(rn_planner_tensor(planner, &saved, NULL, floats * sizeof(float)));
        op.args[RN_ARG_SAVED] = rn_tensor_ref(saved);
        if (can_defer(planner, &op))
            RN_TRY(defer(planner, &op));
    }
    RN_TRY(rn_planner_emit(planner, &op));
out:
    return st;
}

// The addition of the chain from node `start` to node `end`; -1 if it has none.
static int addition_of(const rn_planner *planner, int start, int end)
{
    for (int i = start; i != end; i = planner->consumer[i])
        if (rn_planner_node(planner, planner->consumer[i])->kind == RN_NODE_ADD)
            return planner->consumer[i];
    return -1;
}

// The node of the chain that the addition's operand comes from.
static int operand_of(const rn_planner *planner, int start, int add)
{
    while (planner->consumer[start] != add)
        start = planner->consumer[start];
    return start;
}

// Convolution [+ BN] [+ add] [+ ReLU] in inference, convolution + add in training, from node
// `start` to node `end`.
static rn_status lower_conv(rn_planner *planner, int start, int end)
{
    rn_status st = RN_OK;
    rn_planned_op op;
    int add = addition_of(planner, start, end);
    int second = start == end ? -1 : planner->consumer[start];

    RN_TRY(start_op(planner, &op, RN_OP_CONV, start, end));
    op.desc.training = rn_planner_trains(planner, start);
    op.desc.constant = !op.desc.training;
    op.desc.statistics = rn_planner_of_batch(planner, start) && feeds_batch_norm(planner, end);
    op.desc.bias = rn_planner_node(planner, start)->bias != RN_NO_PARAM;
    take_norm(planner, &op);
    take_range(planner, &op);
    op.desc.fold = second >= 0 && rn_planner_node(planner, second)->kind == RN_NODE_BATCH_NORM;
    op.desc.add = add >= 0;
    op.desc.relu = rn_planner_node(planner, end)->kind == RN_NODE_RELU;
    if (op.desc.add)
        RN_TRY(set_second_source(planner, &op,
                                 other_operand(planner, add, operand_of(planner, start, add))));
    if (op.desc.fold) {
        const rn_node *norm = rn_planner_node(planner, second);
        op.desc.epsilon = norm->epsilon;
        op.args[RN_ARG_GAIN] = rn_value_ref(norm->weight);
        op.args[RN_ARG_SHIFT] = rn_value_ref(norm->bias);
        op.args[RN_ARG_RUNNING_MEAN] = rn_value_ref(norm->running_mean);
        op.args[RN_ARG_RUNNING_VARIANCE] = rn_value_ref(norm->running_variance);
    }
    RN_TRY(rn_planner_emit(planner, &op));
out:
    return st;
}

static rn_status lower_add(rn_planner *planner, int start, int end)
{
    rn_status st = RN_OK;
    rn_planned_op op;

    RN_TRY(start_op(planner, &op, RN_OP_ADD, start, end));
    op.desc.relu = rn_planner_node(planner, end)->kind == RN_NODE_RELU;
    RN_TRY(set_second_source(planner, &op,
                             planner->value[rn_planner_node(planner, start)->inputs[1]]));
    RN_TRY(rn_planner_emit(planner, &op));
out:
    return st;
}

static rn_status lower_gate(rn_planner *planner, int node)
{
    rn_status st = RN_OK;
    rn_planned_op op;

    RN_TRY(start_op(planner, &op, RN_OP_GATE, node, node));
    RN_TRY(
        set_second_source(planner, &op, planner->value[rn_planner_node(planner, node)->inputs[1]]));
    RN_TRY(rn_planner_emit(planner, &op));
out:
    return st;
}

// The node hands on what it reads: nothing to compute.
static rn_status lower_to_nothing(rn_planner *planner, int node)
{
    planner->value[node] = planner->value[rn_planner_node(planner, node)->inputs[0]];
    return RN_OK;
}

// `scale` is what is kept times. The stream has the node's number, so that no two draw alike.
static rn_status lower_draw(rn_planner *planner, int node, float scale, bool whole)
{
    rn_status st = RN_OK;
    rn_planned_op op;

    RN_TRY(start_op(planner, &op, RN_OP_DROPOUT, node, node));
    op.desc.scale = scale;
    op.desc.rate = rn_planner_node(planner, node)->rate;
    op.desc.whole = whole;
    op.desc.stream = (uint32_t)node;
    op.args[RN_ARG_RANDOM] = (rn_ref){RN_SPACE_RANDOM, 0};
    RN_TRY(rn_planner_emit(planner, &op));
out:
    return st;
}

static rn_status lower_dropout(rn_planner *planner, int node)
{
    float rate = rn_planner_node(planner, node)->rate;

    if (!rn_planner_trains(planner, node) || rate <= 0)
        return lower_to_nothing(planner, node);
    return lower_draw(planner, node, 1 / (1 - rate), false);
}

// Inference: times the probability that training keeps the branch.
static rn_status lower_drop_branch(rn_planner *planner, int node)
{
    rn_status st = RN_OK;
    rn_planned_op op;
    float rate = rn_planner_node(planner, node)->rate;

    if (rate <= 0)
        return lower_to_nothing(planner, node);
    if (rn_planner_trains(planner, node))
        return lower_draw(planner, node, 1, true);
    RN_TRY(start_op(planner, &op, RN_OP_SCALE, node, node));
    op.desc.scale = 1 - rate;
    RN_TRY(rn_planner_emit(planner, &op));
out:
    return st;
}

static rn_status lower_cross_entropy(rn_planner *planner, int node)
{
    rn_status st = RN_OK;
    rn_plan *plan = planner->plan;
    int gradient;
    const rn_tensor_desc *logits = tensor_desc(planner, plan->logits);
    rn_planned_op op = {
        .node = node,
        .last_node = node,
        .desc = {.kind = RN_OP_CROSS_ENTROPY,
                 .src = *logits,
                 .dst = *logits,
                 .label_smoothing = plan->options.label_smoothing,
                 .mixed = plan->options.mixed_labels},
    };

    RN_TRY(rn_planner_tensor(planner, &gradient, &op.desc.src, rn_tensor_bytes(&op.desc.src)));
    op.args[RN_ARG_SRC] = rn_tensor_ref(plan->logits);
    op.args[RN_ARG_LABELS] = (rn_ref){RN_SPACE_LABELS, 0};
    if (op.desc.mixed) {
        op.args[RN_ARG_LABELS_B] = (rn_ref){RN_SPACE_LABELS_B, 0};
        op.args[RN_ARG_SHARES] = (rn_ref){RN_SPACE_SHARES, 0};
    }
    op.args[RN_ARG_LOSS] = (rn_ref){RN_SPACE_LOSS, 0};
    op.args[RN_ARG_DIFF_SRC] = rn_tensor_ref(gradient);
    RN_TRY(rn_planner_emit(planner, &op));
    RN_TRY(rn_planner_contribute(planner, plan->logits, gradient, node));
out:
    return st;
}

static rn_status lower_node(rn_planner *planner, int index)
{
    rn_plan *plan = planner->plan;
    int start = planner->chain[index];
    const rn_node *node = rn_planner_node(planner, index);

    if (planner->inside[index])
        return RN_OK;
    if (start >= 0 && rn_planner_node(planner, start)->kind == RN_NODE_CONV)
        return lower_conv(planner, start, index);
    if (start >= 0)
        return rn_planner_node(planner, start)->kind == RN_NODE_ADD
                   ? lower_add(planner, start, index)
                   : lower_batch_norm(planner, start, index);
    switch (node->kind) {
    case RN_NODE_CONV:
        return lower_simple(planner, index, RN_OP_CONV);
    case RN_NODE_RELU:
        return lower_simple(planner, index, RN_OP_RELU);
    case RN_NODE_SHORTCUT_PAD:
        return lower_simple(planner, index, RN_OP_SHORTCUT_PAD);
    case RN_NODE_MAX_POOL:
        return lower_simple(planner, index, RN_OP_MAX_POOL);
    case RN_NODE_AVERAGE_POOL:
        return lower_simple(planner, index, RN_OP_AVERAGE_POOL);
    case RN_NODE_LINEAR:
        return lower_simple(planner, index, RN_OP_LINEAR);
    case RN_NODE_FLATTEN:
        return lower_simple(planner, index, RN_OP_FLATTEN);
    case RN_NODE_SCALE:
        return lower_simple(planner, index, RN_OP_SCALE);
    case RN_NODE_GATE:
        return lower_gate(planner, index);
    case RN_NODE_DROPOUT:
        return lower_dropout(planner, index);
    case RN_NODE_DROP_BRANCH:
        return lower_drop_branch(planner, index);
    case RN_NODE_CROSS_ENTROPY:
        plan->logits = planner->value[node->inputs[0]];
        return plan->options.training ? lower_cross_entropy(planner, index) : RN_OK;
    case RN_NODE_INPUT:
    case RN_NODE_BATCH_NORM: // always start a chain
    case RN_NODE_ADD:
        break;
    }
    return RN_OK;
}

rn_status rn_plan_forward(rn_planner *planner)
{
    rn_status st = RN_OK;
    rn_plan *plan = planner->plan;

    rn_planner_find_chains(planner);
    RN_TRY(new_output(planner, 0, 0, -1));
    plan->input = planner->value[0];
    plan->output = -1;
    for (int i = 1; i < rn_graph_nodes(plan->graph); i++) {
        RN_TRY(lower_node(planner, i));
        if (i != plan->options.output)
            continue;
        plan->output = planner->value[i];
        plan->output_count = plan->op_count;
    }
    plan->forward_count = plan->op_count;
out:
    return st;
}
