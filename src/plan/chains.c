// Which nodes become one op: chains of convolution, BN, addition and ReLU.
#include "plan/chains.h"

const rn_node *rn_planner_node(const rn_planner *planner, int index)
{
    return rn_graph_node(planner->plan->graph, index);
}

static void count_consumers(rn_planner *planner)
{
    for (int i = 0; i < rn_graph_nodes(planner->plan->graph); i++) {
        const rn_node *node = rn_planner_node(planner, i);
        for (int k = 0; k < 2; k++) {
            if (node->inputs[k] < 0)
                continue;
            planner->consumers[node->inputs[k]]++;
            planner->consumer[node->inputs[k]] = i;
        }
    }
    if (planner->plan->options.output > 0) // the caller reads it too: no chain goes on behind it
        planner->consumers[planner->plan->options.output]++;
}

int rn_planner_sole_consumer(const rn_planner *planner, int index, rn_node_kind kind)
{
    int reader = planner->consumer[index];

    if (planner->consumers[index] != 1 || rn_planner_node(planner, reader)->kind != kind)
        return -1;
    return reader;
}

bool rn_planner_trains(const rn_planner *planner, int index)
{
    return planner->plan->options.training && !rn_plan_frozen(planner->plan, index);
}

bool rn_planner_of_batch(const rn_planner *planner, int index)
{
    return rn_planner_trains(planner, index) || planner->plan->options.batch_statistics;
}

rn_op_desc rn_planner_conv_desc(const rn_planner *planner, int index)
{
    const rn_node *node = rn_planner_node(planner, index),
                  *from = rn_planner_node(planner, node->inputs[0]);
    rn_layout layout = planner->plan->engine->layout;
    rn_dtype dtype = planner->plan->options.dtype;
    int batch = planner->plan->options.batch;
    bool picture = from->kind == RN_NODE_INPUT;

    return (rn_op_desc){
        .kind = RN_OP_CONV,
        .src = {.dtype = picture ? RN_FLOAT32 : dtype,
                .layout = picture ? RN_LAYOUT_NCHW : layout,
                .n = batch,
                .c = from->channels,
                .h = from->height,
                .w = from->width},
        .dst = {.dtype = dtype,
                .layout = layout,
                .n = batch,
                .c = node->channels,
                .h = node->height,
                .w = node->width},
        .kernel = node->kernel,
        .stride = node->stride,
        .pad = node->pad,
        .bias = node->bias != RN_NO_PARAM,
        .training = rn_planner_trains(planner, index),
        .statistics = true,
    };
}

bool rn_planner_takes_statistics(const rn_planner *planner, const rn_op_desc *desc)
{
    rn_kernel *kernel = NULL;
    rn_status st = planner->plan->engine->create(planner->plan->engine, &kernel, desc);
    bool takes = st == RN_OK && kernel->statistics_bytes > 0;

    rn_kernel_free(kernel);
    return takes;
}

// In training a convolution takes over the addition behind it if it can take statistics of the sum.
static bool adds_in_training(const rn_planner *planner, int index)
{
    rn_op_desc desc = rn_planner_conv_desc(planner, index);
    int add = rn_planner_sole_consumer(planner, index, RN_NODE_ADD);

    desc.add = true;
    return rn_planner_trains(planner, index) && add >= 0 &&
           rn_planner_sole_consumer(planner, add, RN_NODE_RELU) < 0 &&
           rn_planner_takes_statistics(planner, &desc);
}

static bool starts_chain(const rn_planner *planner, int index)
{
    rn_node_kind kind = rn_planner_node(planner, index)->kind;
    bool conv = kind == RN_NODE_CONV && !planner->plan->options.separate &&
                (!rn_planner_of_batch(planner, index) || adds_in_training(planner, index));

    return (kind == RN_NODE_BATCH_NORM || kind == RN_NODE_ADD || conv) && !planner->inside[index] &&
           planner->chain[index] < 0;
}

// The chain that ends at `end` goes on to `next`, if there is one that is not beyond the frozen
// part.
static int extend_chain(rn_planner *planner, int end, int next)
{
    if (next < 0 || planner->chain[next] >= 0 || planner->inside[next] ||
        rn_plan_frozen(planner->plan, end) != rn_plan_frozen(planner->plan, next))
        return end;
    planner->inside[end] = true;
    return next;
}

void rn_planner_find_chains(rn_planner *planner)
{
    count_consumers(planner);
    for (int i = 0; i < rn_graph_nodes(planner->plan->graph); i++) {
        if (!starts_chain(planner, i))
            continue;
        int end = i;
        if (rn_planner_node(planner, i)->kind ==
            RN_NODE_CONV) // in training there is no BN: see above
            end = extend_chain(planner, end,
                               rn_planner_sole_consumer(planner, end, RN_NODE_BATCH_NORM));
        if (rn_planner_node(planner, i)->kind != RN_NODE_ADD)
            end = extend_chain(planner, end, rn_planner_sole_consumer(planner, end, RN_NODE_ADD));
        end = extend_chain(planner, end, rn_planner_sole_consumer(planner, end, RN_NODE_RELU));
        planner->chain[end] = i;
    }
}
