// A graph's main line, found backwards from its output: at a sum the line comes from the residual
// branch; what leads there otherwise is a shortcut. Gates take their second input from the side.
#include "report/draw.h"

#include "base/memory.h"

#include <string.h>

enum { LONG_NETWORK = 64 }; // layers; above, like units are drawn once

static const rn_node *node_at(const rn_graph *graph, int index)
{
    return rn_graph_node(graph, index);
}

static bool has_weights(const rn_node *node)
{
    return node->kind == RN_NODE_CONV || node->kind == RN_NODE_LINEAR;
}

static bool is_shortcut_name(const char *name)
{
    return strstr(name, "downsample") != NULL || strstr(name, "shortcut") != NULL;
}

int draw_main_operand(const rn_graph *graph, const rn_node *sum)
{
    int at[2] = {sum->inputs[0], sum->inputs[1]};
    int layers[2] = {0, 0};

    // Back to where both branches meet: inputs have lower indices, so the higher one steps.
    while (at[0] != at[1]) {
        int step = at[1] > at[0];
        layers[step] += has_weights(node_at(graph, at[step]));
        at[step] = node_at(graph, at[step])->inputs[0];
    }
    bool first_is_shortcut = is_shortcut_name(node_at(graph, sum->inputs[0])->name);
    bool second_is_shortcut = is_shortcut_name(node_at(graph, sum->inputs[1])->name);
    if (layers[0] == layers[1] && first_is_shortcut != second_is_shortcut)
        return sum->inputs[first_is_shortcut];
    return sum->inputs[layers[1] > layers[0]];
}

static int output_node(const rn_graph *graph)
{
    int node = rn_graph_nodes(graph) - 1;

    return node_at(graph, node)->kind == RN_NODE_CROSS_ENTROPY ? node_at(graph, node)->inputs[0]
                                                               : node;
}

static void find_main_line(draw_chain *chain, const rn_graph *graph)
{
    for (int i = chain->nodes - 1; i >= 0;) {
        const rn_node *node = node_at(graph, i);
        chain->lane[i] = 0;
        i = node->kind == RN_NODE_ADD ? draw_main_operand(graph, node) : node->inputs[0];
    }
}

// A branch with a gate stands outside of the convolution that controls the gate.
static int side_lane(const draw_chain *chain, const rn_graph *graph, int node)
{
    for (; node >= 0 && chain->lane[node] < 0; node = node_at(graph, node)->inputs[0])
        if (node_at(graph, node)->kind == RN_NODE_GATE)
            return 2;
    return 1;
}

static void mark_branch(draw_chain *chain, const rn_graph *graph, int node, int lane)
{
    for (; node >= 0 && chain->lane[node] < 0; node = node_at(graph, node)->inputs[0])
        chain->lane[node] = lane;
}

// Whatever else leads to the output. Downwards: each node is marked before its inputs are looked
// at.
static void find_side_lines(draw_chain *chain, const rn_graph *graph)
{
    for (int i = chain->nodes - 1; i >= 0; i--)
        for (int k = 0; chain->lane[i] >= 0 && k < 2; k++) {
            int input = node_at(graph, i)->inputs[k];
            if (input >= 0 && chain->lane[input] < 0)
                mark_branch(chain, graph, input, side_lane(chain, graph, input));
        }
}

static bool same_shape(const rn_node *a, const rn_node *b)
{
    return a->channels == b->channels && a->height == b->height && a->width == b->width;
}

// Where the shortcut of a sum leaves the main line, and what kind of shortcut it is.
static void find_shortcut(draw_chain *chain, const rn_graph *graph, int index)
{
    const rn_node *sum = node_at(graph, index);
    int start = sum->inputs[draw_main_operand(graph, sum) == sum->inputs[0]];
    int node = start;

    while (chain->lane[node] != 0)
        node = node_at(graph, node)->inputs[0];
    draw_line line = node == start                            ? DRAW_IDENTITY
                     : !same_shape(node_at(graph, node), sum) ? DRAW_CHANGES
                                                              : DRAW_OTHER;
    chain->source[index] = node;
    chain->line[index] = line;
    for (node = start; chain->lane[node] != 0; node = node_at(graph, node)->inputs[0])
        chain->line[node] = line;
}

static int count_layers(const draw_chain *chain, const rn_graph *graph)
{
    int layers = 0;

    for (int i = 0; i < chain->nodes; i++)
        layers += chain->lane[i] == 0 && has_weights(node_at(graph, i));
    return layers;
}

static void find_like_units(draw_chain *chain, const rn_graph *graph)
{
    rn_unit_run run;

    for (int i = 0; i < chain->nodes; i += run.nodes * run.times) {
        rn_graph_unit_run(&run, graph, i);
        for (int k = i; k < i + run.nodes * run.times && k < chain->nodes; k++)
            chain->like[k] = run.first + (k - run.first) % run.nodes;
    }
}

rn_status draw_chain_init(draw_chain *chain, const rn_graph *graph, bool collapse)
{
    rn_status st;

    chain->nodes = output_node(graph) + 1;
    RN_TRY(RN_NEW(&chain->lane, (size_t)chain->nodes));
    RN_TRY(RN_NEW(&chain->like, (size_t)chain->nodes));
    RN_TRY(RN_NEW(&chain->line, (size_t)chain->nodes));
    RN_TRY(RN_NEW(&chain->source, (size_t)chain->nodes));
    for (int i = 0; i < chain->nodes; i++) {
        chain->lane[i] = chain->source[i] = -1;
        chain->like[i] = i;
        chain->line[i] = DRAW_SIDE;
    }
    find_main_line(chain, graph);
    find_side_lines(chain, graph);
    for (int i = 0; i < chain->nodes; i++)
        if (chain->lane[i] == 0 && node_at(graph, i)->kind == RN_NODE_ADD)
            find_shortcut(chain, graph, i);
    if (collapse && count_layers(chain, graph) > LONG_NETWORK)
        find_like_units(chain, graph);
out:
    return st;
}

void draw_chain_release(draw_chain *chain)
{
    rn_free(chain->lane);
    rn_free(chain->like);
    rn_free(chain->line);
    rn_free(chain->source);
}
