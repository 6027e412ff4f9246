// Boxes and edges of a network, without places: either its layers and shortcuts, as figure 3 of the
// 2015 paper shows them, or every node and every connection.
#include "report/draw.h"

#include "base/memory.h"

#include <limits.h>
#include <string.h>

typedef struct items {
    draw_picture *picture;
    draw_network *network;
    int index; // of the network
    draw_chain chain;
    int *box; // of a node: its own, or (layers) the last one up to it
    rn_status status;
} items;

static bool is_layer(const rn_node *node)
{
    switch (node->kind) {
    case RN_NODE_CONV:
    case RN_NODE_MAX_POOL:
    case RN_NODE_AVERAGE_POOL:
    case RN_NODE_LINEAR:
        return true;
    default:
        return false;
    }
}

static draw_shape shape_of(const rn_node *node)
{
    if (node->kind == RN_NODE_INPUT)
        return DRAW_WORD;
    if (node->kind == RN_NODE_ADD)
        return DRAW_SUM;
    return is_layer(node) ? DRAW_LAYER : DRAW_STEP;
}

static int stage_hue(const rn_node *node)
{
    int stage, unit;

    return node->kind == RN_NODE_CONV && draw_unit_of(node, &stage, &unit)
               ? (stage - 1) % DRAW_HUES + 1
               : 0;
}

static draw_box *add_box(items *it, int node)
{
    draw_picture *picture = it->picture;

    if (it->status == RN_OK)
        it->status = rn_grow((void **)&picture->boxes, &picture->box_capacity,
                             (size_t)picture->box_count + 1, sizeof *picture->boxes);
    if (it->status != RN_OK)
        return NULL;
    draw_box *box = &picture->boxes[picture->box_count++];
    *box = (draw_box){.network = it->index, .node = node};
    it->network->boxes++;
    return box;
}

static void add_node(items *it, int node)
{
    const rn_node *at = rn_graph_node(it->network->graph, node);
    draw_box *box = add_box(it, node);

    if (box == NULL)
        return;
    box->lane = it->chain.lane[node];
    box->shape = shape_of(at);
    box->hue = stage_hue(at);
    draw_label_node(box->label, at, it->picture->options.detail);
}

static draw_edge *add_edge(items *it, int from, int to, draw_line line)
{
    draw_picture *picture = it->picture;

    if (it->status == RN_OK)
        it->status = rn_grow((void **)&picture->edges, &picture->edge_capacity,
                             (size_t)picture->edge_count + 1, sizeof *picture->edges);
    if (it->status != RN_OK)
        return NULL;
    draw_edge *edge = &picture->edges[picture->edge_count++];
    *edge = (draw_edge){.from = from, .to = to, .joins = -1, .line = line};
    it->network->edges++;
    return edge;
}

// Layers and shortcuts

static void add_layers(items *it)
{
    int last = -1;

    for (int i = 0; i < it->chain.nodes; i++) {
        const rn_node *node = rn_graph_node(it->network->graph, i);
        if (it->chain.lane[i] != 0)
            continue;
        if (it->chain.like[i] != i) {
            it->box[i] = it->box[it->chain.like[i]];
            continue;
        }
        if (is_layer(node) || node->kind == RN_NODE_INPUT) {
            add_node(it, i);
            int box = it->picture->box_count - 1;
            if (last >= 0)
                add_edge(it, last, box, DRAW_FLOW);
            last = box;
        }
        it->box[i] = last;
    }
}

// The node of a shortcut that says most of it: a gate, else a convolution, else the first.
static const rn_node *telling_node(const items *it, int sum)
{
    const rn_graph *graph = it->network->graph;
    const rn_node *at = rn_graph_node(graph, sum), *best = NULL;
    int node = at->inputs[draw_main_operand(graph, at) == at->inputs[0]];

    for (; it->chain.lane[node] != 0; node = at->inputs[0]) {
        at = rn_graph_node(graph, node);
        if (best == NULL || at->kind == RN_NODE_GATE ||
            (at->kind == RN_NODE_CONV && best->kind != RN_NODE_GATE))
            best = at;
    }
    return best;
}

// A sum behind the last layer gets something to point to.
static void add_end(items *it)
{
    draw_box *box = add_box(it, -1);

    if (box == NULL)
        return;
    box->shape = DRAW_WORD;
    memcpy(box->label, "output", sizeof "output");
    add_edge(it, it->picture->box_count - 2, it->picture->box_count - 1, DRAW_FLOW);
}

static void add_shortcut(items *it, int sum)
{
    int from = it->box[it->chain.source[sum]], joins = it->box[sum];

    if (from == joins)
        return;
    if (joins == it->picture->box_count - 1)
        add_end(it);
    draw_edge *edge = add_edge(it, from, joins + 1, it->chain.line[sum]);
    if (edge == NULL)
        return;
    edge->joins = joins;
    if (edge->line == DRAW_OTHER)
        draw_label_shortcut(edge->label, telling_node(it, sum));
}

static void add_shortcuts(items *it)
{
    for (int i = 0; i < it->chain.nodes && it->status == RN_OK; i++)
        if (it->chain.source[i] >= 0 && it->chain.like[i] == i)
            add_shortcut(it, i);
}

// Every node

static void add_inputs(items *it, int index)
{
    const rn_node *node = rn_graph_node(it->network->graph, index);
    bool sum = node->kind == RN_NODE_ADD, in_line = it->chain.lane[index] == 0;
    int main_input = sum ? draw_main_operand(it->network->graph, node) : node->inputs[0];
    bool main_seen = false;

    for (int k = 0; k < 2 && node->inputs[k] >= 0; k++) {
        bool is_main = node->inputs[k] == main_input && !main_seen;
        draw_line line = is_main && in_line ? DRAW_FLOW : it->chain.line[index];
        if (line == DRAW_OTHER || (!is_main && !sum))
            line = DRAW_SIDE;
        draw_edge *edge = add_edge(it, it->box[it->chain.like[node->inputs[k]]],
                                   it->picture->box_count - 1, line);
        if (edge != NULL)
            edge->second = !is_main;
        main_seen |= is_main;
    }
}

static void add_every_node(items *it)
{
    for (int i = 0; i < it->chain.nodes && it->status == RN_OK; i++) {
        if (it->chain.lane[i] < 0 || it->chain.like[i] != i)
            continue;
        add_node(it, i);
        it->box[i] = it->picture->box_count - 1;
        add_inputs(it, i);
    }
}

// Both

// A box stands below all that leads to it; one beside the main line, just above what it leads to.
// Edges are in the order of the boxes they lead to.
static void set_rows(items *it)
{
    draw_picture *picture = it->picture;
    draw_edge *edges = picture->edges + it->network->first_edge;
    draw_box *boxes = picture->boxes;

    for (int i = 0; i < it->network->edges; i++)
        if (boxes[edges[i].to].row <= boxes[edges[i].from].row)
            boxes[edges[i].to].row = boxes[edges[i].from].row + 1;
    for (int i = it->network->first_box; i < picture->box_count; i++) {
        if (boxes[i].row >= it->network->rows)
            it->network->rows = boxes[i].row + 1;
        if (boxes[i].lane > 0)
            boxes[i].row = INT_MAX;
    }
    for (int i = it->network->edges - 1; i >= 0; i--)
        if (boxes[edges[i].from].lane > 0 && boxes[edges[i].from].row >= boxes[edges[i].to].row)
            boxes[edges[i].from].row = boxes[edges[i].to].row - 1;
}

static rn_status add_repeat(items *it, const rn_unit_run *run)
{
    draw_picture *picture = it->picture;
    draw_repeat repeat = {.first = -1, .times = run->times};

    for (int i = it->network->first_box; i < picture->box_count; i++) {
        int node = picture->boxes[i].node;
        if (node < run->first || node >= run->first + run->nodes)
            continue;
        if (repeat.first < 0)
            repeat.first = i;
        repeat.last = i;
    }
    if (repeat.first < 0)
        return RN_OK;
    rn_status st = rn_grow((void **)&picture->repeats, &picture->repeat_capacity,
                           (size_t)picture->repeat_count + 1, sizeof *picture->repeats);
    if (st == RN_OK)
        picture->repeats[picture->repeat_count++] = repeat;
    return st;
}

static void add_repeats(items *it)
{
    rn_unit_run run;

    for (int i = 0; i < it->chain.nodes && it->status == RN_OK; i += run.nodes * run.times) {
        rn_graph_unit_run(&run, it->network->graph, i);
        if (run.times > 1 && it->chain.like[run.first + run.nodes] == run.first)
            it->status = add_repeat(it, &run);
    }
}

rn_status draw_items_add(draw_picture *picture, int network)
{
    rn_status st;
    items it = {.picture = picture, .network = &picture->networks[network], .index = network};

    it.network->first_box = picture->box_count;
    it.network->first_edge = picture->edge_count;
    RN_TRY(draw_chain_init(&it.chain, it.network->graph, !picture->options.expand));
    RN_TRY(RN_NEW(&it.box, (size_t)it.chain.nodes));
    if (picture->options.detail) {
        add_every_node(&it);
    } else {
        add_layers(&it);
        add_shortcuts(&it);
    }
    RN_TRY(it.status);
    set_rows(&it);
    add_repeats(&it);
    RN_TRY(it.status);
out:
    rn_free(it.box);
    draw_chain_release(&it.chain);
    return st;
}
