#include "store/onnx_match.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DESCRIPTION = 160 };

// The node that really computes what node `index` gives when a network is used.
static int source(const rn_graph *graph, int index)
{
    for (;;) {
        const rn_node *node = rn_graph_node(graph, index);
        bool nothing = node->kind == RN_NODE_DROPOUT ||
                       (node->kind == RN_NODE_DROP_BRANCH && node->rate == 0) ||
                       (node->kind == RN_NODE_SCALE && node->scale == 1);
        if (node->kind == RN_NODE_FLATTEN)
            nothing =
                rn_graph_node(graph, source(graph, node->inputs[0]))->kind == RN_NODE_AVERAGE_POOL;
        if (!nothing)
            return index;
        index = node->inputs[0];
    }
}

// What two nodes must have in common, but for the factor of a scale and the batch norms.
typedef struct shape {
    int kind, kernel, stride, pad, offset, channels;
    bool complement;
} shape;

static bool has_window(int kind)
{
    return kind == RN_NODE_CONV || kind == RN_NODE_MAX_POOL;
}

static shape shape_of(const rn_node *node)
{
    shape made = {.kind = node->kind == RN_NODE_DROP_BRANCH ? RN_NODE_SCALE : (int)node->kind};

    if (has_window(made.kind)) {
        made.kernel = node->kernel;
        made.stride = node->stride;
        made.pad = node->pad;
    }
    if (made.kind == RN_NODE_CONV || made.kind == RN_NODE_LINEAR)
        made.channels = node->channels;
    if (made.kind == RN_NODE_SHORTCUT_PAD) {
        made.stride = node->stride;
        made.offset = node->channel_offset;
        made.channels = node->channels;
    }
    made.complement = made.kind == RN_NODE_GATE && node->complement;
    return made;
}

static shape net_shape_of(const rn_net_node *node)
{
    rn_node alike = {
        .kind = (rn_node_kind)node->kind,
        .kernel = node->kernel,
        .stride = node->stride,
        .pad = node->pad,
        .channel_offset = node->channel_offset,
        .channels = node->channels,
        .complement = node->complement,
    };

    return shape_of(&alike);
}

static bool equal_shapes(const shape *a, const shape *b)
{
    return a->kind == b->kind && a->kernel == b->kernel && a->stride == b->stride &&
           a->pad == b->pad && a->offset == b->offset && a->channels == b->channels &&
           a->complement == b->complement;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

// Equal for nodes that compute the same up to here, whatever the parameters.
static uint64_t hash_of(const shape *own, uint64_t first, uint64_t second)
{
    const int values[] = {own->kind,   own->kernel,   own->stride,    own->pad,
                          own->offset, own->channels, own->complement};
    uint64_t hash = 1;

    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        hash = mix(hash, (uint64_t)values[i]);
    if (own->kind == RN_NODE_ADD)
        return mix(hash, first + second); // in either order
    return mix(mix(hash, first), second);
}

static void hash_graph(rn_match *match)
{
    for (int i = 0; i < rn_graph_nodes(match->graph); i++) {
        const rn_node *node = rn_graph_node(match->graph, i);
        shape own = shape_of(node);
        uint64_t of[2] = {0, 0};
        int first = -1;
        for (int k = 0; k < 2 && node->inputs[k] >= 0; k++) {
            int from = source(match->graph, node->inputs[k]);
            of[k] = match->hash[from];
            first = k == 0 ? from : first;
        }
        bool folds = node->kind == RN_NODE_BATCH_NORM &&
                     rn_graph_node(match->graph, first)->kind == RN_NODE_CONV;
        match->hash[i] = folds ? of[0] : hash_of(&own, of[0], of[1]);
    }
}

static void hash_net(rn_match *match)
{
    const rn_net_node *nodes = match->net->nodes;

    for (int i = 0; i < match->net->count; i++) {
        shape own = net_shape_of(&nodes[i]);
        uint64_t of[2] = {0, 0};
        for (int k = 0; k < 2; k++)
            of[k] = nodes[i].inputs[k] < 0 ? 0 : match->net_hash[nodes[i].inputs[k]];
        bool folds =
            nodes[i].kind == RN_NODE_BATCH_NORM && nodes[nodes[i].inputs[0]].kind == RN_NODE_CONV;
        match->net_hash[i] = folds ? of[0] : hash_of(&own, of[0], of[1]);
    }
}

static void describe(char text[DESCRIPTION], const shape *own)
{
    if (own->kind == RN_NODE_SHORTCUT_PAD)
        snprintf(text, DESCRIPTION, "a padded shortcut to %d channels with stride %d from %d",
                 own->channels, own->stride, own->offset);
    else if (own->kind == RN_NODE_CONV)
        snprintf(text, DESCRIPTION, "a %d x %d convolution to %d channels, stride %d, pad %d",
                 own->kernel, own->kernel, own->channels, own->stride, own->pad);
    else if (own->kind == RN_NODE_MAX_POOL)
        snprintf(text, DESCRIPTION, "a %d x %d max pool, stride %d, pad %d", own->kernel,
                 own->kernel, own->stride, own->pad);
    else if (own->kind == RN_NODE_LINEAR)
        snprintf(text, DESCRIPTION, "a linear layer to %d", own->channels);
    else
        snprintf(text, DESCRIPTION, "'%s'", rn_node_kind_name((rn_node_kind)own->kind));
}

static int compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

// What the graph has where the net has node `at`: a node that reads the same.
static int counterpart(const rn_match *match, int at)
{
    int from = match->net->nodes[at].inputs[0];

    for (int i = 0; i < rn_graph_nodes(match->graph); i++) {
        int input = rn_graph_node(match->graph, i)->inputs[0];
        bool silent = source(match->graph, i) != i || match->hash[i] == match->net_hash[from];
        if (input >= 0 && from >= 0 && !silent &&
            match->hash[source(match->graph, input)] == match->net_hash[from])
            return i;
    }
    return -1;
}

static rn_status mismatch_at(const rn_match *match, int at, int expected)
{
    char found[DESCRIPTION], wanted[DESCRIPTION] = "nothing";
    const rn_net_node *node = &match->net->nodes[at];
    shape own = net_shape_of(node), other;

    describe(found, &own);
    if (expected >= 0) {
        other = shape_of(rn_graph_node(match->graph, expected));
        describe(wanted, &other);
    }
    return rn_net_error(RN_EUNSUPPORTED, node, "%s, where %s has %s%s%s%s", found,
                        rn_graph_model(match->graph), wanted, expected >= 0 ? ", '" : "",
                        expected >= 0 ? rn_graph_node(match->graph, expected)->name : "",
                        expected >= 0 ? "'" : "");
}

// The first node in the way of the data that computes something that the graph nowhere does.
static rn_status mismatch(const rn_match *match, int graph_node, int net_node)
{
    rn_status st = RN_OK;
    int count = rn_graph_nodes(match->graph), first = -1;
    uint64_t *sorted = NULL;

    RN_TRY(RN_NEW(&sorted, (size_t)count));
    memcpy(sorted, match->hash, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, compare_hashes);
    for (int i = 1; i < match->net->count && first < 0; i++) {
        if (match->net->nodes[i].live && bsearch(&match->net_hash[i], sorted, (size_t)count,
                                                 sizeof *sorted, compare_hashes) == NULL)
            first = i;
    }
    st = first < 0 ? mismatch_at(match, net_node, graph_node)
                   : mismatch_at(match, first, counterpart(match, first));
out:
    rn_free(sorted);
    return st;
}

// A convolution may carry a bias that the graph's has not, if a batch norm alone reads it.
static bool may_have_bias(const rn_match *match, int index)
{
    const rn_node *node = rn_graph_node(match->graph, index);

    return node->bias != RN_NO_PARAM ||
           (match->readers[index] == 1 &&
            rn_graph_node(match->graph, match->reader[index])->kind == RN_NODE_BATCH_NORM);
}

// Input channels of a node's weights.
static int inputs_of(const rn_match *match, const rn_node *node)
{
    return rn_graph_param(match->graph, node->weight)->shape[1];
}

static bool fits_params(const rn_match *match, int index, const rn_net_node *at)
{
    const rn_node *node = rn_graph_node(match->graph, index);
    int channels = node->channels;

    if (node->kind == RN_NODE_CONV)
        return at->weight->shape[1] == inputs_of(match, node) &&
               (at->bias == NULL || may_have_bias(match, index));
    if (node->kind == RN_NODE_LINEAR)
        return at->weight->shape[at->transposed ? 0 : 1] == inputs_of(match, node);
    if (node->kind == RN_NODE_BATCH_NORM)
        return at->weight->shape[0] == channels && at->bias->shape[0] == channels &&
               at->mean->shape[0] == channels && at->variance->shape[0] == channels;
    if (node->kind == RN_NODE_SCALE)
        return fabsf(node->scale - at->scale) < 2e-6f;
    if (node->kind == RN_NODE_DROP_BRANCH)
        return fabsf(1 - node->rate - at->scale) < 2e-6f;
    return true;
}

static rn_status pair_up(rn_match *match, int graph_node, int net_node)
{
    int from = source(match->graph, graph_node);

    if (match->found[from] >= 0 && match->found[from] != net_node)
        return mismatch(match, from, net_node);
    match->found[from] = net_node;
    return RN_OK;
}

static bool stands_folded(const rn_match *match, int index, const rn_net_node *at)
{
    const rn_node *node = rn_graph_node(match->graph, index);

    if (node->kind != RN_NODE_BATCH_NORM || at->kind != RN_NODE_CONV)
        return false;
    int conv = node->inputs[0];
    return rn_graph_node(match->graph, conv)->kind == RN_NODE_CONV && match->readers[conv] == 1;
}

static rn_status follow(rn_match *match, int index)
{
    rn_status st = RN_OK;
    const rn_node *node = rn_graph_node(match->graph, index);
    const rn_net_node *at = &match->net->nodes[match->found[index]];
    shape own = shape_of(node), other = net_shape_of(at);
    int swap = 0;

    if (stands_folded(match, index, at)) {
        match->folded[index] = true;
        return pair_up(match, node->inputs[0], match->found[index]);
    }
    if (!equal_shapes(&own, &other) || !fits_params(match, index, at))
        return mismatch(match, index, match->found[index]);
    if (node->kind == RN_NODE_ADD)
        swap = match->hash[source(match->graph, node->inputs[0])] != match->net_hash[at->inputs[0]];
    for (int k = 0; k < 2 && node->inputs[k] >= 0; k++)
        RN_TRY(pair_up(match, node->inputs[k], at->inputs[k ^ swap]));
out:
    return st;
}

static int find_logits(const rn_graph *graph)
{
    int logits = 0;

    for (int i = 0; i < rn_graph_nodes(graph); i++) {
        if (rn_graph_node(graph, i)->kind == RN_NODE_LINEAR)
            logits = i;
    }
    return logits;
}

static rn_status start(rn_match *match)
{
    rn_status st = RN_OK;
    size_t count = (size_t)rn_graph_nodes(match->graph);

    RN_TRY(RN_NEW(&match->found, count));
    RN_TRY(RN_NEW(&match->folded, count));
    RN_TRY(RN_NEW(&match->readers, count));
    RN_TRY(RN_NEW(&match->reader, count));
    RN_TRY(RN_NEW(&match->hash, count));
    RN_TRY(RN_NEW(&match->net_hash, (size_t)match->net->count));
    for (int i = 0; i < (int)count; i++) {
        match->found[i] = -1;
        for (int k = 0; k < 2; k++) {
            int from = rn_graph_node(match->graph, i)->inputs[k];
            if (from < 0)
                continue;
            match->readers[from]++;
            match->reader[from] = i;
        }
    }
    hash_graph(match);
    hash_net(match);
out:
    return st;
}

rn_status rn_match_create(rn_match *match, const rn_net *net, const rn_graph *graph)
{
    rn_status st = RN_OK;
    int logits = find_logits(graph);

    *match = (rn_match){.net = net, .graph = graph};
    RN_TRY(start(match));
    match->found[logits] = net->output;
    for (int i = logits; i >= 0; i--) {
        if (match->found[i] >= 0)
            RN_TRY(follow(match, i));
    }
out:
    return st;
}

void rn_match_release(rn_match *match)
{
    rn_free(match->found);
    rn_free(match->folded);
    rn_free(match->readers);
    rn_free(match->reader);
    rn_free(match->hash);
    rn_free(match->net_hash);
    *match = (rn_match){0};
}
