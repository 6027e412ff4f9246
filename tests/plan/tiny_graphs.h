// Small networks, one for each way in which units are wired.
#ifndef TESTS_PLAN_TINY_GRAPHS_H
#define TESTS_PLAN_TINY_GRAPHS_H

#include "base/memory.h"
#include "graph/build.h"

#include <stdio.h>

typedef struct tiny_graph {
    const char *name;
    int (*body)(rn_builder *b, int x); // from the input to the logits
} tiny_graph;

enum { TINY_CLASSES = 3 };

static inline int tiny_conv(rn_builder *b, int x, int out, int kernel, int stride, const char *name)
{
    rn_conv_shape shape = {.out = out, .kernel = kernel, .stride = stride, .pad = kernel / 2};

    return rn_build_conv(b, x, shape, "%s", name);
}

static inline int tiny_bn_relu(rn_builder *b, int x, const char *name)
{
    return rn_build_relu(b, rn_build_batch_norm(b, x, "%s.bn", name), "%s.relu", name);
}

static inline int tiny_head(rn_builder *b, int x)
{
    return rn_build_linear(b, rn_build_average_pool(b, x, "pool"), TINY_CLASSES, "fc");
}

// conv - BN - ReLU - conv: what a branch has in common; `in` channels kept.
static inline int tiny_branch(rn_builder *b, int x, int unit, int out, int stride)
{
    char name[RN_MAX_NAME];

    snprintf(name, sizeof name, "unit%d.conv1", unit);
    int y = tiny_bn_relu(b, tiny_conv(b, x, out, 3, stride, name), name);
    snprintf(name, sizeof name, "unit%d.conv2", unit);
    return tiny_conv(b, y, out, 3, 1, name);
}

// Stem with max pooling, identity, projection and padded shortcuts, ReLU after addition.
static int tiny_original(rn_builder *b, int x)
{
    int y = tiny_bn_relu(b, tiny_conv(b, x, 5, 3, 1, "stem"), "stem");

    y = rn_build_max_pool(b, y, 3, 2, 1, "pool1");
    for (int unit = 0; unit < 5; unit++) {
        int out = unit == 1 ? 6 : unit == 3 ? 8 : rn_build_channels(b, y);
        int stride = unit == 1 || unit == 3 ? 2 : 1, shortcut = y;
        int z = rn_build_batch_norm(b, tiny_branch(b, y, unit, out, stride), "unit%d.bn2", unit);
        if (unit == 1)
            shortcut =
                rn_build_batch_norm(b, tiny_conv(b, y, out, 1, stride, "projection"), "shortcut");
        if (unit == 3)
            shortcut = rn_build_shortcut_pad(b, y, out, stride, "pad");
        y = rn_build_relu(b, rn_build_add(b, z, shortcut, "unit%d.add", unit), "unit%d.out", unit);
    }
    return tiny_head(b, y);
}

// 2016, figure 4 (b): the shortcut's signal passes a BN of its own in every unit.
static int tiny_bn_after_add(rn_builder *b, int x)
{
    int y = tiny_bn_relu(b, tiny_conv(b, x, 5, 3, 1, "stem"), "stem");

    for (int unit = 0; unit < 3; unit++) {
        int z = rn_build_add(b, tiny_branch(b, y, unit, 5, 1), y, "unit%d.add", unit);
        z = rn_build_batch_norm(b, z, "unit%d.bn2", unit);
        y = rn_build_relu(b, z, "unit%d.out", unit);
    }
    return tiny_head(b, y);
}

// (c): the branch ends in BN and ReLU, the sum has no ReLU and several readers.
static int tiny_relu_before_add(rn_builder *b, int x)
{
    int y = tiny_bn_relu(b, tiny_conv(b, x, 5, 3, 1, "stem"), "stem");

    for (int unit = 0; unit < 3; unit++) {
        int z = rn_build_batch_norm(b, tiny_branch(b, y, unit, 5, 1), "unit%d.bn2", unit);
        y = rn_build_add(b, rn_build_relu(b, z, "unit%d.relu2", unit), y, "unit%d.add", unit);
    }
    return tiny_head(b, y);
}

// (d): ReLU before the convolutions only; (e): full pre-activation, with a projection from the
// activated signal where the size changes.
static int tiny_preact(rn_builder *b, int x)
{
    int y = tiny_conv(b, x, 4, 3, 1, "stem");

    for (int unit = 0; unit < 4; unit++) {
        int out = unit == 2 ? 6 : rn_build_channels(b, y), stride = unit == 2 ? 2 : 1;
        int a = rn_build_relu(b, unit == 1 ? y : rn_build_batch_norm(b, y, "unit%d.bn1", unit),
                              "unit%d.relu1", unit);
        int shortcut = unit == 2 ? tiny_conv(b, a, out, 1, stride, "projection") : y;
        y = rn_build_add(b, tiny_branch(b, a, unit, out, stride), shortcut, "unit%d.add", unit);
    }
    return tiny_head(b, tiny_bn_relu(b, y, "last"));
}

// Pre-activation with one convolution a unit, which reads and adds one tensor.
static int tiny_single(rn_builder *b, int x)
{
    int y = tiny_conv(b, x, 4, 3, 1, "stem");

    for (int unit = 0; unit < 5; unit++) {
        char name[RN_MAX_NAME];
        snprintf(name, sizeof name, "unit%d.conv1", unit);
        int z = tiny_conv(b, tiny_bn_relu(b, y, name), 4, 3, 1, name);
        y = rn_build_add(b, z, y, "unit%d.add", unit);
    }
    return tiny_head(b, tiny_bn_relu(b, y, "last"));
}

// A stem wider than the first stage, stages that narrow: projections drop channels.
static int tiny_narrowing(rn_builder *b, int x)
{
    int y = tiny_bn_relu(b, tiny_conv(b, x, 18, 3, 1, "stem"), "stem");

    for (int unit = 0; unit < 2; unit++) {
        int out = unit == 0 ? 9 : 4;
        int z = rn_build_batch_norm(b, tiny_branch(b, y, unit, out, 2), "unit%d.bn2", unit);
        int s = rn_build_conv(b, y, (rn_conv_shape){.out = out, .kernel = 1, .stride = 2},
                              "unit%d.projection", unit);
        s = rn_build_batch_norm(b, s, "unit%d.shortcut", unit);
        y = rn_build_relu(b, rn_build_add(b, z, s, "unit%d.add", unit), "unit%d.out", unit);
    }
    return tiny_head(b, y);
}

// 2016, section 3.1: exclusive gating, shortcut-only gating; a gate that is its own source.
static int tiny_gates(rn_builder *b, int x)
{
    rn_conv_shape gate = {.out = 5, .kernel = 1, .stride = 1, .bias = true};
    int y = tiny_bn_relu(b, tiny_conv(b, x, 5, 3, 1, "stem"), "stem");

    for (int unit = 0; unit < 3; unit++) {
        int g = rn_build_conv(b, y, gate, "unit%d.gate", unit);
        rn_build_initial(b, g, -1);
        int z = rn_build_batch_norm(b, tiny_branch(b, y, unit, 5, 1), "unit%d.bn2", unit);
        if (unit != 1)
            z = rn_build_gate(b, z, g, false, "unit%d.open", unit);
        int s = rn_build_gate(b, y, g, true, "unit%d.shut", unit);
        y = rn_build_relu(b, rn_build_add(b, z, s, "unit%d.add", unit), "unit%d.out", unit);
    }
    return tiny_head(b, rn_build_gate(b, y, y, false, "swish"));
}

// Scaled shortcut and branch, dropout on the shortcut, stochastic depth.
static int tiny_scaled(rn_builder *b, int x)
{
    int y = tiny_bn_relu(b, tiny_conv(b, x, 5, 3, 1, "stem"), "stem");

    for (int unit = 0; unit < 4; unit++) {
        int s = y, z = rn_build_batch_norm(b, tiny_branch(b, y, unit, 5, 1), "unit%d.bn2", unit);
        if (unit == 0)
            s = rn_build_scale(b, y, 0.5f, "unit%d.shortcut", unit);
        if (unit == 1)
            s = rn_build_dropout(b, y, 0.5f, "unit%d.shortcut", unit);
        if (unit <= 1)
            z = rn_build_scale(b, z, 0.5f, "unit%d.branch", unit);
        else
            z = rn_build_drop_branch(b, z, unit == 2 ? 0.25f : 0.75f, "unit%d.branch", unit);
        y = rn_build_relu(b, rn_build_add(b, s, z, "unit%d.add", unit), "unit%d.out", unit);
    }
    return tiny_head(b, y);
}

// Zagoruyko & Komodakis 2016: pre-activation with dropout between the convolutions.
static int tiny_wide(rn_builder *b, int x)
{
    int y = tiny_conv(b, x, 6, 3, 1, "stem");

    for (int unit = 0; unit < 3; unit++) {
        char name[RN_MAX_NAME];
        snprintf(name, sizeof name, "unit%d.conv1", unit);
        int z = tiny_bn_relu(b, y, name);
        z = tiny_conv(b, z, 6, 3, 1, name);
        snprintf(name, sizeof name, "unit%d.conv2", unit);
        z = rn_build_dropout(b, tiny_bn_relu(b, z, name), 0.3f, "unit%d.dropout", unit);
        y = rn_build_add(b, tiny_conv(b, z, 6, 3, 1, name), y, "unit%d.add", unit);
    }
    return tiny_head(b, tiny_bn_relu(b, y, "last"));
}

// Convolutions with bias and no BN, max pooling, three linear layers.
static int tiny_vgg(rn_builder *b, int x)
{
    for (int i = 0; i < 3; i++) {
        rn_conv_shape shape = {.out = 4 + i, .kernel = 3, .stride = 1, .pad = 1, .bias = true};
        x = rn_build_relu(b, rn_build_conv(b, x, shape, "conv%d", i), "relu%d", i);
        if (i < 2)
            x = rn_build_max_pool(b, x, 2, 2, 0, "pool%d", i);
    }
    x = rn_build_flatten(b, x, "flatten");
    x = rn_build_relu(b, rn_build_linear(b, x, 7, "fc1"), "fc1.relu");
    x = rn_build_dropout(b, x, 0.5f, "fc1.dropout");
    x = rn_build_relu(b, rn_build_linear(b, x, 5, "fc2"), "fc2.relu");
    x = rn_build_dropout(b, x, 0.5f, "fc2.dropout");
    return rn_build_linear(b, x, TINY_CLASSES, "fc3");
}

// A tensor with five readers, one of them twice; element-wise nodes on flat tensors; a branch
// straight from the input, which needs no gradient.
static int tiny_many_readers(rn_builder *b, int x)
{
    int y = tiny_bn_relu(b, tiny_conv(b, x, 5, 3, 1, "stem"), "stem");
    int a = rn_build_add(b, tiny_conv(b, y, 5, 3, 1, "a"), tiny_conv(b, y, 5, 1, 1, "b"), "a+b");
    int c = rn_build_add(b, rn_build_scale(b, y, -0.5f, "half"), y, "c");
    int d = rn_build_add(b, rn_build_add(b, a, c, "a+c"), rn_build_add(b, y, y, "twice"), "d");
    int p = rn_build_average_pool(b, d, "pool"), q = rn_build_average_pool(b, y, "pool2");
    int f = rn_build_relu(b, rn_build_add(b, p, rn_build_scale(b, q, 2, "flat.scale"), "flat.add"),
                          "flat.relu");
    int g = rn_build_linear(b, rn_build_flatten(b, x, "flatten"), 5, "fc1");
    return rn_build_linear(b, rn_build_add(b, f, g, "join"), TINY_CLASSES, "fc");
}

static const tiny_graph tiny_graphs[] = {
    {"original", tiny_original},
    {"bn-after-add", tiny_bn_after_add},
    {"relu-before-add", tiny_relu_before_add},
    {"preact", tiny_preact},
    {"single", tiny_single},
    {"narrowing", tiny_narrowing},
    {"gates", tiny_gates},
    {"scaled", tiny_scaled},
    {"wide", tiny_wide},
    {"vgg", tiny_vgg},
    {"many-readers", tiny_many_readers},
};

enum { TINY_GRAPHS = sizeof tiny_graphs / sizeof *tiny_graphs };

/** The caller's (rn_graph_free()); NULL on failure. */
static inline rn_graph *tiny_create(const tiny_graph *tiny)
{
    rn_builder b = {0};

    if (RN_NEW(&b.graph, 1) != RN_OK || rn_strdup(&b.graph->model, tiny->name) != RN_OK)
        return NULL;
    b.graph->options.classes = TINY_CLASSES;
    b.graph->options.channels = 2;
    b.graph->options.height = 12;
    b.graph->options.width = 9;
    rn_build_cross_entropy(&b, tiny->body(&b, rn_build_input(&b, 2, 12, 9)), "loss");
    if (b.status == RN_OK)
        return b.graph;
    rn_graph_free(b.graph);
    return NULL;
}

#endif
