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
    rn_free(graph->slots);
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

// FNV-1a
static uint64_t hash(const char *name)
{
    uint64_t value = 14695981039346656037u;

    for (; *name != '\0'; name++)
        value = (value ^ (unsigned char)*name) * 1099511628211u;
    return value;
}

// The name's slot, or the free one where it would be.
static size_t find_slot(const rn_graph *graph, const char *name)
{
    size_t slot = (size_t)hash(name) & (graph->slot_count - 1);

    while (graph->slots[slot] != 0 && strcmp(graph->params[graph->slots[slot] - 1].name, name) != 0)
        slot = (slot + 1) & (graph->slot_count - 1);
    return slot;
}

rn_status rn_graph_index_params(rn_graph *graph)
{
    graph->slot_count = 16;
    while (graph->slot_count < 2 * (size_t)graph->param_count)
        graph->slot_count *= 2;
    rn_status st = RN_NEW(&graph->slots, graph->slot_count);
    for (int i = 0; st == RN_OK && i < graph->param_count; i++)
        graph->slots[find_slot(graph, graph->params[i].name)] = i + 1;
    return st;
}

int rn_graph_find_param(const rn_graph *graph, const char *name)
{
    return graph->slots[find_slot(graph, name)] - 1;
}

_Static_assert(RN_NO_PARAM == -1, "an empty slot is 0, which stands for no parameter");

bool rn_param_trained(const rn_param *param)
{
    return param->kind != RN_PARAM_RUNNING_MEAN && param->kind != RN_PARAM_RUNNING_VARIANCE;
}

int rn_graph_find_node(const rn_graph *graph, const char *name)
{
    for (int i = 0; i < rn_graph_nodes(graph); i++)
        if (strcmp(rn_graph_node(graph, i)->name, name) == 0)
            return i;
    return -1;
}

bool rn_range_known(const rn_range *range)
{
    return range->low <= range->high;
}

rn_status rn_ranges_create(rn_range **out, const rn_graph *graph)
{
    rn_status st = RN_NEW(out, (size_t)rn_graph_nodes(graph));

    for (int i = 0; st == RN_OK && i < rn_graph_nodes(graph); i++)
        (*out)[i] = (rn_range){1, 0};
    return st;
}

void rn_ranges_free(rn_range *ranges)
{
    rn_free(ranges);
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
