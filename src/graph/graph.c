#include "graph/build.h"

#include "base/memory.h"

#include <string.h>

void rn_graph_free(rn_graph *graph)
{
    if (graph == NULL)
        return;
    rn_free(graph->model);
    rn_free(graph->nodes);
    rn_free(graph->params);
    rn_free(graph);
}

const char *rn_graph_model(const rn_graph *graph)
{
    return graph->model;
}

const rn_model_options *rn_graph_options(const rn_graph *graph)
{
    return &graph->options;
}

int rn_graph_depth(const rn_graph *graph)
{
    return graph->nodes[graph->node_count - 1].depth;
}

int rn_graph_nodes(const rn_graph *graph)
{
    return graph->node_count;
}

const rn_node *rn_graph_node(const rn_graph *graph, int index)
{
    return &graph->nodes[index];
}

int rn_graph_params(const rn_graph *graph)
{
    return graph->param_count;
}

const rn_param *rn_graph_param(const rn_graph *graph, int index)
{
    return &graph->params[index];
}

int rn_graph_find_param(const rn_graph *graph, const char *name)
{
    for (int i = 0; i < graph->param_count; i++)
        if (strcmp(graph->params[i].name, name) == 0)
            return i;
    return RN_NO_PARAM;
}

bool rn_param_trained(const rn_param *param)
{
    return param->kind != RN_PARAM_RUNNING_MEAN && param->kind != RN_PARAM_RUNNING_VARIANCE;
}

const char *rn_node_kind_name(rn_node_kind kind)
{
    static const char *const names[] = {
        [RN_NODE_INPUT] = "input",
        [RN_NODE_CONV] = "conv",
        [RN_NODE_BATCH_NORM] = "batch norm",
        [RN_NODE_RELU] = "relu",
        [RN_NODE_ADD] = "add",
        [RN_NODE_SHORTCUT_PAD] = "shortcut pad",
        [RN_NODE_MAX_POOL] = "max pool",
        [RN_NODE_AVERAGE_POOL] = "average pool",
        [RN_NODE_FLATTEN] = "flatten",
        [RN_NODE_SCALE] = "scale",
        [RN_NODE_GATE] = "gate",
        [RN_NODE_DROPOUT] = "dropout",
        [RN_NODE_DROP_BRANCH] = "drop branch",
        [RN_NODE_LINEAR] = "linear",
        [RN_NODE_CROSS_ENTROPY] = "cross entropy",
    };

    return (unsigned)kind < sizeof names / sizeof *names ? names[kind] : "unknown node";
}

int64_t rn_node_parameters(const rn_graph *graph, int index)
{
    const rn_node *node = &graph->nodes[index];
    int64_t count = 0;

    if (node->weight != RN_NO_PARAM)
        count += (int64_t)graph->params[node->weight].count;
    if (node->bias != RN_NO_PARAM)
        count += (int64_t)graph->params[node->bias].count;
    return count;
}

int64_t rn_node_multiply_adds(const rn_graph *graph, int index)
{
    const rn_node *node = &graph->nodes[index];

    // Convolutions and linear layers only, as the papers count.
    if (node->kind != RN_NODE_CONV && node->kind != RN_NODE_LINEAR)
        return 0;
    return (int64_t)graph->params[node->weight].count * node->height * node->width;
}
