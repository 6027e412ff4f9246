// Residual units: the two ways that meet in each addition, back to where they part.
#include "store/onnx_derive.h"

#include "base/memory.h"

enum { LONGEST_WAY = 64, MOST_CONVS = 4 };

typedef struct way {
    int nodes[LONGEST_WAY]; // from the addition back
    int count;
} way;

// What lies on one way.
typedef struct way_facts {
    int convs, conv[MOST_CONVS];
    int first; // kind of the node after the fork; -1: there is none
    bool padded, gated;
    float scale;
} way_facts;

// The main inputs, up to the addition before or the net's input.
static rn_status go_back(way *out, const rn_net *net, int from, int add)
{
    out->count = 0;
    for (int at = from;; at = net->nodes[at].inputs[0]) {
        if (out->count == LONGEST_WAY)
            return rn_net_error(RN_EUNSUPPORTED, &net->nodes[add],
                                "a branch before it has more than %d nodes", LONGEST_WAY);
        out->nodes[out->count++] = at;
        if (net->nodes[at].kind == RN_NODE_ADD || net->nodes[at].kind == RN_NODE_INPUT)
            return RN_OK;
    }
}

// Shorten both ways to what lies after the node that they share.
static rn_status find_fork(way ways[2], const rn_net *net, int add)
{
    for (int i = 0; i < ways[0].count; i++) {
        for (int j = 0; j < ways[1].count; j++) {
            if (ways[0].nodes[i] != ways[1].nodes[j])
                continue;
            ways[0].count = i;
            ways[1].count = j;
            return RN_OK;
        }
    }
    return rn_net_error(RN_EUNSUPPORTED, &net->nodes[add],
                        "its two branches do not come from one node of this unit");
}

static rn_status look_at(way_facts *facts, const rn_net *net, const way *from)
{
    *facts = (way_facts){.first = -1, .scale = 1};
    for (int i = from->count - 1; i >= 0; i--) {
        const rn_net_node *node = &net->nodes[from->nodes[i]];
        if (facts->first < 0)
            facts->first = node->kind;
        facts->padded = facts->padded || node->kind == RN_NODE_SHORTCUT_PAD;
        facts->gated = facts->gated || node->kind == RN_NODE_GATE;
        if (node->kind == RN_NODE_SCALE)
            facts->scale *= node->scale;
        if (node->kind != RN_NODE_CONV)
            continue;
        if (facts->convs == MOST_CONVS)
            return rn_net_error(RN_EUNSUPPORTED, node, "its branch has more than %d convolutions",
                                MOST_CONVS);
        facts->conv[facts->convs++] = from->nodes[i];
    }
    return RN_OK;
}

static bool has_large_kernel(const rn_net *net, const way_facts *facts)
{
    for (int i = 0; i < facts->convs; i++) {
        if (net->nodes[facts->conv[i]].kernel > 1)
            return true;
    }
    return false;
}

// Figure 5 of the 2015 paper, and the 2016 paper's units of one layer.
static rn_net_block find_block(const rn_net *net, const way_facts *residual)
{
    static const struct {
        rn_net_block block;
        int convs, kernels[MOST_CONVS];
    } blocks[] = {
        {RN_NET_BASIC, 2, {3, 3}},
        {RN_NET_BOTTLENECK, 3, {1, 3, 1}},
        {RN_NET_SINGLE, 1, {3}},
    };

    for (size_t b = 0; b < sizeof blocks / sizeof *blocks; b++) {
        bool fits = blocks[b].convs == residual->convs;
        for (int i = 0; fits && i < residual->convs; i++)
            fits = net->nodes[residual->conv[i]].kernel == blocks[b].kernels[i];
        if (fits)
            return blocks[b].block;
    }
    return RN_NET_NO_BLOCK;
}

// The net so far, for what compares a unit with those before it.
typedef struct unit_search {
    const rn_net *net;
    rn_net_facts *facts;
    const int *reader; // of each node that has one
    int units, last_inner;
    float first_residual_scale;
} unit_search;

static rn_status add_block(unit_search *search, const way_facts *residual, int add)
{
    rn_net_block block = find_block(search->net, residual);

    if (block == RN_NET_NO_BLOCK)
        return rn_net_error(RN_EUNSUPPORTED, &search->net->nodes[add],
                            "the %d convolutions before it are neither 3x3 3x3 nor 1x1 3x3 1x1 nor "
                            "3x3",
                            residual->convs);
    if (search->units > 0 && block != search->facts->block)
        return rn_net_error(RN_EUNSUPPORTED, &search->net->nodes[add],
                            "its unit has other convolutions than the one before");
    search->facts->block = block;
    return RN_OK;
}

// A stage begins with the first unit, and with each whose stride or width changes.
static rn_status add_unit(unit_search *search, const way_facts *residual)
{
    rn_net_facts *facts = search->facts;
    const rn_net_node *nodes = search->net->nodes;
    const rn_net_node *first = &nodes[residual->conv[0]];
    const rn_net_node *inner =
        facts->block == RN_NET_BOTTLENECK ? &nodes[residual->conv[1]] : first;
    bool strided = first->stride != 1 || inner->stride != 1;

    if (search->units == 0)
        facts->inner = inner->channels;
    if (search->units == 0 || strided || inner->channels != search->last_inner) {
        if (facts->stages == RN_NET_STAGES)
            return rn_net_error(RN_EUNSUPPORTED, first, "it begins stage %d, expected at most %d",
                                RN_NET_STAGES + 1, RN_NET_STAGES);
        facts->stages++;
    }
    if (first->stride == 1 && inner->stride != 1)
        facts->stride_3x3 = true;
    facts->units[facts->stages - 1]++;
    search->last_inner = inner->channels;
    search->units++;
    return RN_OK;
}

// Option A pads, B projects where the shape changes, C everywhere.
static void add_shortcut(unit_search *search, const way_facts *shortcut, const way_facts *residual)
{
    const rn_net_node *nodes = search->net->nodes;
    char *option = &search->facts->shortcut;

    if (shortcut->padded && *option == '\0')
        *option = 'A';
    if (shortcut->convs == 0)
        return;
    const rn_net_node *conv = &nodes[shortcut->conv[0]];
    const rn_net_node *from = &nodes[conv->inputs[0]];
    bool changes = conv->channels != from->channels || conv->stride != 1;
    for (int i = 0; i < residual->convs; i++)
        changes = changes || nodes[residual->conv[i]].stride != 1;
    if (!changes)
        *option = 'C';
    else if (*option != 'C')
        *option = 'B';
}

// Figure 4 of the 2016 paper. A unit that begins with BN or ReLU tells; else what comes after.
static char find_order(const unit_search *search, const way_facts *residual, int add)
{
    const rn_net_node *nodes = search->net->nodes;
    int after = nodes[add].readers == 1 ? nodes[search->reader[add]].kind : -1;

    if (residual->first == RN_NODE_BATCH_NORM)
        return 'e';
    if (residual->first == RN_NODE_RELU)
        return 'd';
    if (after == RN_NODE_BATCH_NORM)
        return 'b';
    return after == RN_NODE_RELU ? 'a' : 'c';
}

static void add_order(unit_search *search, const way_facts *residual, int add)
{
    char *order = &search->facts->order, found = find_order(search, residual, add);

    if (*order != 'd' && *order != 'e')
        *order = found;
}

static void add_weights(unit_search *search, const way_facts *shortcut, const way_facts *residual)
{
    rn_net_facts *facts = search->facts;

    facts->shortcut_gated = facts->shortcut_gated || shortcut->gated;
    facts->residual_gated = facts->residual_gated || residual->gated;
    facts->scaled = facts->scaled || shortcut->scale != 1 || residual->scale != 1;
    if (search->units == 1)
        search->first_residual_scale = residual->scale;
    else if (residual->scale != search->first_residual_scale)
        facts->residual_varies = true;
    facts->shortcut_scale = shortcut->scale;
    facts->residual_scale = residual->scale;
}

static rn_status look_at_unit(unit_search *search, int add)
{
    rn_status st = RN_OK;
    const rn_net *net = search->net;
    way ways[2];
    way_facts found[2];

    for (int k = 0; k < 2; k++)
        RN_TRY(go_back(&ways[k], net, net->nodes[add].inputs[k], add));
    RN_TRY(find_fork(ways, net, add));
    for (int k = 0; k < 2; k++)
        RN_TRY(look_at(&found[k], net, &ways[k]));
    bool large[2] = {has_large_kernel(net, &found[0]), has_large_kernel(net, &found[1])};
    if (large[0] == large[1])
        return rn_net_error(RN_EUNSUPPORTED, &net->nodes[add],
                            "%s of its branches have convolutions larger than 1 x 1, expected one",
                            large[0] ? "both" : "none");
    const way_facts *residual = &found[large[0] ? 0 : 1], *shortcut = &found[large[0] ? 1 : 0];
    RN_TRY(add_block(search, residual, add));
    RN_TRY(add_unit(search, residual));
    add_shortcut(search, shortcut, residual);
    add_order(search, residual, add);
    add_weights(search, shortcut, residual);
out:
    return st;
}

rn_status rn_net_find_units(rn_net_facts *facts, const rn_net *net)
{
    rn_status st = RN_OK;
    int *reader = NULL;
    unit_search search = {.net = net, .facts = facts};

    RN_TRY(RN_NEW(&reader, (size_t)net->count));
    search.reader = reader;
    for (int i = 0; i < net->count; i++) {
        for (int k = 0; net->nodes[i].live && k < 2; k++) {
            if (net->nodes[i].inputs[k] >= 0)
                reader[net->nodes[i].inputs[k]] = i;
        }
    }
    for (int i = 0; i < net->count; i++) {
        if (net->nodes[i].live && net->nodes[i].kind == RN_NODE_ADD)
            RN_TRY(look_at_unit(&search, i));
    }
out:
    rn_free(reader);
    return st;
}
