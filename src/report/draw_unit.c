// Units of a graph, and those that are alike.
#include "report/draw.h"

#include <stdio.h>

bool draw_unit_of(const rn_node *node, int *stage, int *unit)
{
    int used = 0;

    *stage = node->stage;
    *unit = node->unit;
    if (node->stage > 0)
        return true;
    if (sscanf(node->name, "layer%5d.%5d.%n", stage, unit, &used) == 2 && used > 0 && *stage > 0)
        return true;
    *stage = 0;
    *unit = -1;
    return false;
}

// True if both nodes are of one unit.
static bool same_unit(const rn_graph *graph, int a, int b)
{
    int stage[2], unit[2];

    return draw_unit_of(rn_graph_node(graph, a), &stage[0], &unit[0]) &&
           draw_unit_of(rn_graph_node(graph, b), &stage[1], &unit[1]) && stage[0] == stage[1] &&
           unit[0] == unit[1];
}

// The node after the unit that begins here; `node` itself if none does.
static int unit_end(const rn_graph *graph, int node)
{
    int end = node;

    if (node >= rn_graph_nodes(graph) || (node > 0 && same_unit(graph, node - 1, node)))
        return node;
    while (end < rn_graph_nodes(graph) && same_unit(graph, node, end))
        end++;
    return end;
}

static bool same_inputs(const rn_node *a, int a_index, const rn_node *b, int b_index)
{
    for (int k = 0; k < 2; k++) {
        bool absent = a->inputs[k] < 0;
        if (absent != (b->inputs[k] < 0))
            return false;
        if (!absent && a_index - a->inputs[k] != b_index - b->inputs[k])
            return false;
    }
    return true;
}

static bool same_node(const rn_graph *graph, int a_index, int b_index)
{
    const rn_node *a = rn_graph_node(graph, a_index), *b = rn_graph_node(graph, b_index);

    return a->kind == b->kind && a->channels == b->channels && a->height == b->height &&
           a->width == b->width && a->kernel == b->kernel && a->stride == b->stride &&
           a->pad == b->pad && a->channel_offset == b->channel_offset &&
           !(a->scale < b->scale || a->scale > b->scale) && a->complement == b->complement &&
           rn_node_parameters(graph, a_index) == rn_node_parameters(graph, b_index) &&
           same_inputs(a, a_index, b, b_index);
}

static bool same_stage(const rn_graph *graph, int a, int b)
{
    int stage[2], unit;

    return draw_unit_of(rn_graph_node(graph, a), &stage[0], &unit) &&
           draw_unit_of(rn_graph_node(graph, b), &stage[1], &unit) && stage[0] == stage[1];
}

// True if a unit of this many nodes begins at b, like that at a.
static bool is_like(const rn_graph *graph, int a, int b, int nodes)
{
    if (unit_end(graph, b) - b != nodes || !same_stage(graph, a, b))
        return false;
    for (int i = 0; i < nodes; i++)
        if (!same_node(graph, a + i, b + i))
            return false;
    return true;
}

bool rn_graph_unit_run(rn_unit_run *run, const rn_graph *graph, int node)
{
    *run = (rn_unit_run){.unit = -1, .first = node, .nodes = unit_end(graph, node) - node};
    run->times = 1;
    if (run->nodes == 0) {
        run->nodes = 1;
        return false;
    }
    draw_unit_of(rn_graph_node(graph, node), &run->stage, &run->unit);
    while (is_like(graph, node, node + run->nodes * run->times, run->nodes))
        run->times++;
    return true;
}
