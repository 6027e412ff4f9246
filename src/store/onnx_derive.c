// The net's family, the facts of nets without additions, and the spec's text.
#include "store/onnx_derive.h"

#include "base/number.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool is_kind(const rn_net *net, int index, int kind)
{
    return net->nodes[index].live && net->nodes[index].kind == kind;
}

static int count_kind(const rn_net *net, int kind)
{
    int count = 0;

    for (int i = 0; i < net->count; i++)
        count += is_kind(net, i, kind);
    return count;
}

static rn_status too_many_stages(const rn_net_node *node)
{
    return rn_net_error(RN_EUNSUPPORTED, node, "it begins stage %d, and networks have at most %d",
                        RN_NET_STAGES + 1, RN_NET_STAGES);
}

// conv1, and conv2_x's max pool, of the 2015 paper's table 1.
static rn_status find_stem(rn_net_facts *facts, const rn_net *net)
{
    int i = 1;

    while (i < net->count && !is_kind(net, i, RN_NODE_CONV))
        i++;
    if (i == net->count)
        return rn_error(RN_EUNSUPPORTED, "the graph has no convolution");
    const rn_net_node *conv = &net->nodes[i];
    bool pool = count_kind(net, RN_NODE_MAX_POOL) == 1;
    facts->width = conv->channels;
    facts->imagenet = conv->kernel == 7 && conv->stride == 2 && pool;
    if (!facts->imagenet && (conv->kernel != 3 || conv->stride != 1 || pool))
        return rn_net_error(RN_EUNSUPPORTED, conv,
                            "the first convolution is %d x %d with stride %d and %s max pool, "
                            "expected 7 x 7 with stride 2 and one, or 3 x 3 with stride 1 and none",
                            conv->kernel, conv->kernel, conv->stride, pool ? "one" : "no");
    return RN_OK;
}

// Convolutions between two max pools make a stage.
static rn_status find_vgg(rn_net_facts *facts, const rn_net *net)
{
    int stage = 0;

    facts->vgg = true;
    facts->batch_norm = count_kind(net, RN_NODE_BATCH_NORM) > 0;
    for (int i = 1; i < net->count; i++) {
        if (is_kind(net, i, RN_NODE_MAX_POOL))
            stage++;
        if (!is_kind(net, i, RN_NODE_CONV))
            continue;
        if (stage == RN_NET_STAGES)
            return too_many_stages(&net->nodes[i]);
        facts->units[stage]++;
        facts->stages = stage + 1;
    }
    return RN_OK;
}

// Convolutions of the same width between two strides make a stage; two of them a unit, if they can.
static rn_status find_plain(rn_net_facts *facts, const rn_net *net)
{
    const rn_net_node *last = NULL; // convolution before, the stem's first
    bool even = true;

    for (int i = 1; i < net->count; i++) {
        const rn_net_node *conv = &net->nodes[i];
        if (!is_kind(net, i, RN_NODE_CONV))
            continue;
        if (last != NULL &&
            (facts->stages == 0 || conv->stride != 1 || conv->channels != last->channels)) {
            if (facts->stages == RN_NET_STAGES)
                return too_many_stages(conv);
            facts->stages++;
        }
        if (last != NULL)
            facts->units[facts->stages - 1]++;
        if (facts->inner == 0 && last != NULL)
            facts->inner = conv->channels;
        last = conv;
    }
    for (int s = 0; s < facts->stages; s++)
        even = even && facts->units[s] % 2 == 0;
    facts->block = even ? RN_NET_BASIC : RN_NET_SINGLE;
    for (int s = 0; s < facts->stages && even; s++)
        facts->units[s] /= 2;
    return RN_OK;
}

static rn_status find_facts(rn_net_facts *facts, const rn_net *net)
{
    rn_status st = RN_OK;
    const rn_net_node *output = &net->nodes[net->output];

    *facts = (rn_net_facts){.residual = count_kind(net, RN_NODE_ADD) > 0};
    if (output->kind != RN_NODE_LINEAR)
        return rn_net_error(RN_EUNSUPPORTED, output,
                            "it gives the output, expected a linear layer");
    if (!facts->residual && count_kind(net, RN_NODE_LINEAR) > 1)
        return find_vgg(facts, net);
    RN_TRY(find_stem(facts, net));
    RN_TRY(facts->residual ? rn_net_find_units(facts, net) : find_plain(facts, net));
    if (facts->stages == 0)
        st = rn_error(RN_EUNSUPPORTED, "the graph has a first convolution and no other");
out:
    return st;
}

// A text that grows: what does not fit is left out, and the spec will not do.
typedef struct text {
    char *at;
    size_t left;
} text;

static void put(text *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(text *to, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int length = rn_vprint(to->at, to->left, fmt, args);
    va_end(args);
    size_t moved = length < 0 ? 0 : (size_t)length;
    moved = moved < to->left ? moved : to->left - 1;
    to->at += moved;
    to->left -= moved;
}

static void put_units(text *to, const rn_net_facts *facts)
{
    for (int s = 0; s < facts->stages; s++)
        put(to, "%s%d", s > 0 ? "," : "", facts->units[s]);
}

// How a unit's two ways are weighted (2016 paper, section 3.1; Huang et al. 2016).
static void put_path(text *to, const rn_net_facts *facts)
{
    if (facts->shortcut_gated)
        put(to, ";path=%s", facts->residual_gated ? "exclusive-gate" : "shortcut-gate");
    else if (facts->residual_varies)
        put(to, ";survival=%.6f", (double)facts->residual_scale);
    else if (facts->scaled)
        put(to, ";path=scale;shortcut-scale=%.6f;residual-scale=%.6f",
            (double)facts->shortcut_scale, (double)facts->residual_scale);
}

static void put_residual(text *to, const rn_net_facts *facts, char order)
{
    static const char *const orders[] = {"original", "bn-after-add", "relu-before-add", "relu-only",
                                         "preact"};

    put(to, ";unit=%s", orders[order >= 'a' && order <= 'e' ? order - 'a' : 0]);
    if (facts->shortcut != '\0')
        put(to, ";shortcut=%c", facts->shortcut);
    if (facts->stride_3x3)
        put(to, ";stride=3x3");
    put_path(to, facts);
}

static void write_spec(rn_derived *out, const rn_net_facts *facts, char order)
{
    static const char *const blocks[] = {"", "basic", "bottleneck", "single"};
    text to = {.at = out->specs[out->count], .left = RN_DERIVED_SPEC};

    out->count++;
    put(&to, "%s", facts->vgg ? "vgg:convs=" : "resnet:units=");
    put_units(&to, facts);
    if (facts->vgg) {
        put(&to, ";bn=%s", facts->batch_norm ? "yes" : "no");
        return;
    }
    put(&to, ";block=%s;width=%d;stem=%s", blocks[facts->block], facts->width,
        facts->imagenet ? "imagenet" : "cifar");
    if (facts->width > 0 && facts->inner > facts->width && facts->inner % facts->width == 0)
        put(&to, ";widen=%d", facts->inner / facts->width);
    if (facts->residual)
        put_residual(&to, facts, order);
    else
        put(&to, ";residual=no");
}

// Where no unit but the first has an identity for its shortcut, what follows an addition may as
// well belong to the next unit.
static char other_order(char order)
{
    return order == 'a' ? 'd' : order == 'b' ? 'e' : '\0';
}

rn_status rn_net_derive(rn_derived *out, const rn_net *net)
{
    rn_status st = RN_OK;
    rn_net_facts facts;

    *out = (rn_derived){0};
    RN_TRY(find_facts(&facts, net));
    write_spec(out, &facts, facts.order);
    if (facts.residual && other_order(facts.order) != '\0')
        write_spec(out, &facts, other_order(facts.order));
out:
    return st;
}
