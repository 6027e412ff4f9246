// Which network a state dict belongs to, by its names and shapes alone.
#include "store/import.h"

#include "base/memory.h"
#include "base/number.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    MAX_STAGES = 8,
    MAX_SIDE = 1 << 24, // of a shape; larger ones fit no network
    MAX_VGG_INDEX = 100,
    MAX_CLASSIFIER = 9,
    SPEC_TEXT = 256,
    CIFAR_WIDTH = 16,
    IMAGENET_WIDTH = 64,
    CIFAR_SIZE = 32,
    IMAGENET_SIZE = 224,
    EXPANSION = 4 // of a bottleneck
};

typedef enum block { BASIC, BOTTLENECK, SINGLE } block;

typedef struct residual {
    int stages, units[MAX_STAGES];
    int width, widen;
    block block;
    bool imagenet_stem, preact;
    char shortcut; // 'A', 'B', 'C'
} residual;

// Entry `d` of a tensor's shape; 0 where there is none.
static int side(const rn_state_entry *entry, int d)
{
    const rn_tensor *tensor = entry == NULL ? NULL : &entry->source->tensor;

    return tensor != NULL && d < tensor->dims && tensor->shape[d] <= MAX_SIDE
               ? (int)tensor->shape[d]
               : 0;
}

static bool has_unit(const rn_state *state, int stage, int unit)
{
    return rn_state_find(state, "layer%d.%d.conv1.weight", stage, unit) != NULL;
}

static bool has_projection(const rn_state *state, int stage, int unit)
{
    return rn_state_find(state, "layer%d.%d.downsample.0.weight", stage, unit) != NULL;
}

static void count_units(residual *net, const rn_state *state)
{
    while (net->stages < MAX_STAGES && has_unit(state, net->stages + 1, 0)) {
        int unit = 1;
        while (has_unit(state, net->stages + 1, unit))
            unit++;
        net->units[net->stages++] = unit;
    }
}

static int last_conv(const residual *net)
{
    return net->block == BOTTLENECK ? 3 : net->block == BASIC ? 2 : 1;
}

// Channels that enter the network's first unit and leave it.
static bool first_unit_keeps_channels(const residual *net, const rn_state *state)
{
    return side(rn_state_find(state, "layer1.0.conv1.weight"), 1) ==
           side(rn_state_find(state, "layer1.0.conv%d.weight", last_conv(net)), 0);
}

// A: none is projected; C: also units where no size changes.
static char find_shortcut(const residual *net, const rn_state *state)
{
    char found = 'A';

    if (has_projection(state, 1, 0) && first_unit_keeps_channels(net, state))
        return 'C';
    for (int s = 0; s < net->stages; s++) {
        if (net->units[s] > 1 && has_projection(state, s + 1, 1))
            return 'C';
        if (has_projection(state, s + 1, 0))
            found = 'B';
    }
    return found;
}

static block find_block(const rn_state *state)
{
    if (rn_state_find(state, "layer1.0.conv3.weight") != NULL)
        return BOTTLENECK;
    return rn_state_find(state, "layer1.0.conv2.weight") != NULL ? BASIC : SINGLE;
}

// Our own have a batch norm behind the last unit. Else, where a unit's first convolution changes
// the channels, batch norm before it has as many as enter.
static bool is_preact(const residual *net, const rn_state *state)
{
    if (rn_state_find(state, "bn_last.weight") != NULL)
        return true;
    for (int s = 1; s <= net->stages; s++) {
        const rn_state_entry *conv = rn_state_find(state, "layer%d.0.conv1.weight", s);
        int norm = side(rn_state_find(state, "layer%d.0.bn1.weight", s), 0);
        if (side(conv, 0) != side(conv, 1))
            return norm == side(conv, 1);
    }
    return false;
}

static int find_widen(const residual *net, const rn_state *state)
{
    int out = side(rn_state_find(state, "layer1.0.conv%d.weight", last_conv(net)), 0);
    int narrow = net->width * (net->block == BOTTLENECK ? EXPANSION : 1);

    return narrow > 0 && out > narrow && out % narrow == 0 ? out / narrow : 1;
}

static rn_status describe(residual *net, const rn_state *state)
{
    const rn_state_entry *stem = rn_state_find(state, "conv1.weight");
    int kernel = side(stem, 2);

    if (kernel != side(stem, 3) || (kernel != 3 && kernel != 7))
        return rn_error(RN_EUNSUPPORTED,
                        "tensor 'conv1.weight' has a kernel of %d x %d, expected "
                        "3 x 3 or 7 x 7",
                        kernel, side(stem, 3));
    net->imagenet_stem = kernel == 7;
    net->width = side(stem, 0);
    net->block = find_block(state);
    count_units(net, state);
    net->shortcut = find_shortcut(net, state);
    net->preact = is_preact(net, state);
    net->widen = find_widen(net, state);
    return RN_OK;
}

static void append(char text[SPEC_TEXT], const char *fmt, ...)
{
    size_t used = strlen(text);
    va_list values;

    va_start(values, fmt);
    rn_vprint(text + used, SPEC_TEXT - used, fmt, values);
    va_end(values);
}

// 20 of three stages of 3 units: 6n + 2; 0 where the depth alone does not say it.
static int cifar_depth(const residual *net)
{
    bool even = net->stages == 3 && net->units[0] == net->units[1] &&
                net->units[0] == net->units[2] && net->units[0] <= 200;

    if (!even || net->imagenet_stem || net->block != BASIC || net->width != CIFAR_WIDTH)
        return 0;
    return 6 * net->units[0] + 2;
}

// Table 1 of the 2015 paper.
static int imagenet_depth(const residual *net)
{
    static const struct {
        int depth, units[4];
        block block;
    } table[] = {{18, {2, 2, 2, 2}, BASIC},
                 {34, {3, 4, 6, 3}, BASIC},
                 {50, {3, 4, 6, 3}, BOTTLENECK},
                 {101, {3, 4, 23, 3}, BOTTLENECK},
                 {152, {3, 8, 36, 3}, BOTTLENECK}};

    if (!net->imagenet_stem || net->width != IMAGENET_WIDTH || net->stages != 4)
        return 0;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].block == net->block &&
            memcmp(table[i].units, net->units, sizeof table[i].units) == 0)
            return table[i].depth;
    return 0;
}

static void add_general(char text[SPEC_TEXT], const residual *net)
{
    static const char *const blocks[] = {"basic", "bottleneck", "single"};

    append(text, "resnet:units=");
    for (int s = 0; s < net->stages; s++)
        append(text, "%s%d", s > 0 ? "," : "", net->units[s]);
    append(text, ";width=%d;block=%s;stem=%s;shortcut=%c", net->width, blocks[net->block],
           net->imagenet_stem ? "imagenet" : "cifar", net->shortcut);
}

// The shortest spec: a known depth with what differs from it, else every property.
static void print_spec(char text[SPEC_TEXT], const residual *net)
{
    int cifar = cifar_depth(net), depth = cifar > 0 ? cifar : imagenet_depth(net);
    char separator = ';';

    text[0] = '\0';
    if (depth == 0) {
        add_general(text, net);
    } else {
        append(text, "resnet-%d", depth);
        separator = ':';
        if (net->shortcut != (cifar > 0 ? 'A' : 'B')) {
            append(text, ":shortcut=%c", net->shortcut);
            separator = ';';
        }
    }
    if (net->preact) {
        append(text, "%cunit=preact", separator);
        separator = ';';
    }
    if (net->widen > 1) {
        append(text, "%cwiden=%d", separator, net->widen);
        separator = ';';
    }
    if (net->block == BOTTLENECK)
        append(text, "%cstride=3x3", separator);
}

static rn_status infer_vgg(char **model, const rn_state *state)
{
    static const struct {
        int depth, convolutions;
    } table[] = {{11, 8}, {13, 10}, {16, 13}, {19, 16}};
    int convolutions = 0;
    bool normalized = false;

    for (int i = 0; i < MAX_VGG_INDEX; i++) {
        convolutions += side(rn_state_find(state, "features.%d.weight", i), 3) > 0;
        normalized |= rn_state_find(state, "features.%d.running_mean", i) != NULL;
    }
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].convolutions == convolutions)
            return rn_format(model, "vgg-%d%s", table[i].depth, normalized ? "-bn" : "");
    return rn_error(RN_EUNSUPPORTED,
                    "'features' has %d convolutions, expected a VGG's 8, 10, 13 "
                    "or 16",
                    convolutions);
}

static rn_status infer_residual(char **model, const rn_state *state)
{
    rn_status st = RN_OK;
    residual net = {0};
    char text[SPEC_TEXT];

    RN_TRY(describe(&net, state));
    print_spec(text, &net);
    RN_TRY(rn_strdup(model, text));
out:
    return st;
}

rn_status rn_infer_model(char **model, const rn_state *state)
{
    *model = NULL;
    if (rn_state_find(state, "conv1.weight") != NULL && has_unit(state, 1, 0))
        return infer_residual(model, state);
    if (rn_state_find(state, "features.0.weight") != NULL)
        return infer_vgg(model, state);
    if (state->count == 0)
        return rn_error(RN_EUNSUPPORTED, "the file holds no tensors");
    return rn_error(RN_EUNSUPPORTED,
                    "no known network: neither 'conv1.weight' with 'layer1.0.conv1.weight' nor "
                    "'features.0.weight' is among its %zu tensors, such as '%s'",
                    state->count, state->entries[0].name);
}

// Five poolings halve the picture before the classifier, which sees squares of the last channels.
static int vgg_size(const rn_state *state, int last)
{
    int in = side(rn_state_find(state, "classifier.0.weight"), 1), places = 1;

    if (last == 0 || in % last != 0)
        return IMAGENET_SIZE;
    while (places * places < in / last && places < IMAGENET_SIZE)
        places++;
    return places * places == in / last ? CIFAR_SIZE * places : IMAGENET_SIZE;
}

static void infer_vgg_options(rn_model_options *options, const rn_state *state)
{
    int last = 0, size;

    for (int i = 0; i < MAX_VGG_INDEX; i++) {
        const rn_state_entry *weight = rn_state_find(state, "features.%d.weight", i);
        last = side(weight, 3) > 0 ? side(weight, 0) : last;
    }
    for (int i = MAX_CLASSIFIER; i >= 0 && options->classes == 0; i--)
        options->classes = side(rn_state_find(state, "classifier.%d.weight", i), 0);
    options->channels = side(rn_state_find(state, "features.0.weight"), 1);
    size = vgg_size(state, last);
    options->height = options->width = size;
}

void rn_infer_options(rn_model_options *options, const rn_state *state)
{
    const rn_state_entry *stem = rn_state_find(state, "conv1.weight");

    *options = (rn_model_options){0};
    if (stem == NULL) {
        infer_vgg_options(options, state);
    } else {
        options->classes = side(rn_state_find(state, "fc.weight"), 0);
        options->channels = side(stem, 1);
        options->height = options->width = side(stem, 2) == 7 ? IMAGENET_SIZE : CIFAR_SIZE;
    }
    if (options->channels == 0) // without them no size can be given either
        options->height = options->width = 0;
}
