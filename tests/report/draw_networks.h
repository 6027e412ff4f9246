// Networks built by hand, to be drawn: those of figure 3 of the 2015 paper, and units of the 2016
// paper. Graphs are the caller's (rn_graph_free()).
#ifndef REPORT_DRAW_NETWORKS_H
#define REPORT_DRAW_NETWORKS_H

#include "base/memory.h"
#include "graph/build.h"

#include <stdio.h>

#define UNUSED __attribute__((unused))

static rn_status begin_network(rn_builder *builder, const char *model, int size)
{
    *builder = (rn_builder){0};
    rn_status st = RN_NEW(&builder->graph, 1);
    if (st == RN_OK)
        st = rn_strdup(&builder->graph->model, model);
    builder->status = st;
    if (st == RN_OK)
        builder->graph->options =
            (rn_model_options){.classes = 1000, .channels = 3, .height = size, .width = size};
    return st;
}

static rn_graph *end_network(rn_builder *builder)
{
    if (builder->status == RN_OK)
        return builder->graph;
    if (builder->graph != NULL)
        rn_graph_free(builder->graph);
    return NULL;
}

static int conv_bn(rn_builder *b, int x, rn_conv_shape shape, const char *prefix, int number)
{
    x = rn_build_conv(b, x, shape, "%sconv%d", prefix, number);
    return rn_build_batch_norm(b, x, "%sbn%d", prefix, number);
}

typedef struct unit_kind {
    bool residual, bottleneck;
} unit_kind;

// One unit of an ImageNet network of 2015 with option B; its channels are the narrow ones.
static int original_unit(rn_builder *b, int input, int channels, int stride, unit_kind kind)
{
    char prefix[32];
    int wide = kind.bottleneck ? 4 * channels : channels, x = input, y = input;

    snprintf(prefix, sizeof prefix, "layer%d.%d.", b->stage, b->unit);
    if (kind.bottleneck) {
        x = conv_bn(b, x, (rn_conv_shape){channels, 1, stride, 0, false}, prefix, 1);
        x = rn_build_relu(b, x, "%srelu1", prefix);
        x = conv_bn(b, x, (rn_conv_shape){channels, 3, 1, 1, false}, prefix, 2);
        x = rn_build_relu(b, x, "%srelu2", prefix);
        x = conv_bn(b, x, (rn_conv_shape){wide, 1, 1, 0, false}, prefix, 3);
    } else {
        x = conv_bn(b, x, (rn_conv_shape){channels, 3, stride, 1, false}, prefix, 1);
        x = rn_build_relu(b, x, "%srelu1", prefix);
        x = conv_bn(b, x, (rn_conv_shape){channels, 3, 1, 1, false}, prefix, 2);
    }
    if (kind.residual && (stride > 1 || rn_build_channels(b, input) != wide)) {
        y = rn_build_conv(b, input, (rn_conv_shape){wide, 1, stride, 0, false}, "%sdownsample.0",
                          prefix);
        y = rn_build_batch_norm(b, y, "%sdownsample.1", prefix);
    }
    if (kind.residual)
        x = rn_build_add(b, x, y, "%sadd", prefix);
    return rn_build_relu(b, x, "%srelu3", prefix);
}

// The ImageNet networks of the 2015 paper's table 1.
UNUSED static rn_graph *imagenet_network(const char *model, const int units[4], unit_kind kind)
{
    rn_builder b;

    begin_network(&b, model, 224);
    int x = rn_build_input(&b, 3, 224, 224);
    x = conv_bn(&b, x, (rn_conv_shape){64, 7, 2, 3, false}, "", 1);
    x = rn_build_relu(&b, x, "relu");
    x = rn_build_max_pool(&b, x, 3, 2, 1, "maxpool");
    for (int stage = 1; stage <= 4; stage++)
        for (int unit = 0; unit < units[stage - 1]; unit++) {
            rn_build_unit(&b, stage, unit);
            x = original_unit(&b, x, 32 << stage, stage > 1 && unit == 0 ? 2 : 1, kind);
        }
    rn_build_unit(&b, 0, -1);
    x = rn_build_average_pool(&b, x, "avgpool");
    x = rn_build_linear(&b, x, 1000, "fc");
    rn_build_cross_entropy(&b, x, "loss");
    return end_network(&b);
}

UNUSED static rn_graph *vgg_network(const char *model, const int convs[5])
{
    rn_builder b;
    int layer = 0;

    begin_network(&b, model, 224);
    int x = rn_build_input(&b, 3, 224, 224);
    for (int block = 0; block < 5; block++) {
        for (int i = 0; i < convs[block]; i++) {
            int channels = block < 3 ? 64 << block : 512;
            x = rn_build_conv(&b, x, (rn_conv_shape){channels, 3, 1, 1, true}, "features.%d",
                              layer++);
            x = rn_build_relu(&b, x, "features.%d", layer++);
        }
        x = rn_build_max_pool(&b, x, 2, 2, 0, "features.%d", layer++);
    }
    x = rn_build_flatten(&b, x, "flatten");
    x = rn_build_linear(&b, x, 4096, "classifier.0");
    x = rn_build_relu(&b, x, "classifier.1");
    x = rn_build_dropout(&b, x, 0.5f, "classifier.2");
    x = rn_build_linear(&b, x, 4096, "classifier.3");
    x = rn_build_relu(&b, x, "classifier.4");
    x = rn_build_dropout(&b, x, 0.5f, "classifier.5");
    x = rn_build_linear(&b, x, 1000, "classifier.6");
    rn_build_cross_entropy(&b, x, "loss");
    return end_network(&b);
}

// Full pre-activation (2016, figure 4e), the first unit of each stage with a projection.
static int preact_unit(rn_builder *b, int input, int channels, int stride)
{
    char prefix[32];

    snprintf(prefix, sizeof prefix, "layer%d.%d.", b->stage, b->unit);
    int x = rn_build_batch_norm(b, input, "%sbn1", prefix);
    x = rn_build_relu(b, x, "%srelu1", prefix);
    int y = input;
    if (stride > 1)
        y = rn_build_conv(b, x, (rn_conv_shape){channels, 1, stride, 0, false}, "%sdownsample.0",
                          prefix);
    x = rn_build_conv(b, x, (rn_conv_shape){channels, 3, stride, 1, false}, "%sconv1", prefix);
    x = rn_build_batch_norm(b, x, "%sbn2", prefix);
    x = rn_build_relu(b, x, "%srelu2", prefix);
    x = rn_build_dropout(b, x, 0.3f, "%sdropout", prefix);
    x = rn_build_conv(b, x, (rn_conv_shape){channels, 3, 1, 1, false}, "%sconv2", prefix);
    x = rn_build_drop_branch(b, x, 0.1f * (float)(b->unit + 1), "%sdrop", prefix);
    return rn_build_add(b, x, y, "%sadd", prefix);
}

UNUSED static rn_graph *preact_network(const char *model, int units)
{
    rn_builder b;

    begin_network(&b, model, 32);
    int x = rn_build_input(&b, 3, 32, 32);
    x = rn_build_conv(&b, x, (rn_conv_shape){16, 3, 1, 1, false}, "conv1");
    for (int stage = 1; stage <= 3; stage++)
        for (int unit = 0; unit < units; unit++) {
            rn_build_unit(&b, stage, unit);
            x = preact_unit(&b, x, 8 << stage, stage > 1 && unit == 0 ? 2 : 1);
        }
    rn_build_unit(&b, 0, -1);
    x = rn_build_batch_norm(&b, x, "bn");
    x = rn_build_relu(&b, x, "relu");
    x = rn_build_average_pool(&b, x, "avgpool");
    x = rn_build_linear(&b, x, 10, "fc");
    rn_build_cross_entropy(&b, x, "loss");
    return end_network(&b);
}

typedef enum shortcut_kind {
    CONSTANT_SCALING,
    EXCLUSIVE_GATE,
    SHORTCUT_GATE,
    CONV_SHORTCUT,
    DROPOUT_SHORTCUT,
    SHORTCUT_KINDS
} shortcut_kind;

// One unit of the 2016 paper's figure 2, in its order.
static int studied_unit(rn_builder *b, int input, shortcut_kind kind)
{
    char prefix[32];
    int channels = rn_build_channels(b, input), y = input, gate = -1;
    const rn_conv_shape wide = {channels, 3, 1, 1, false}, narrow = {channels, 1, 1, 0, true};

    snprintf(prefix, sizeof prefix, "layer%d.%d.", b->stage, b->unit);
    int x = conv_bn(b, input, wide, prefix, 1);
    x = rn_build_relu(b, x, "%srelu1", prefix);
    x = conv_bn(b, x, wide, prefix, 2);
    if (kind == EXCLUSIVE_GATE || kind == SHORTCUT_GATE)
        gate = rn_build_conv(b, input, narrow, "%sgate", prefix);
    if (kind == EXCLUSIVE_GATE)
        x = rn_build_gate(b, x, gate, false, "%sgated", prefix);
    if (gate >= 0)
        y = rn_build_gate(b, y, gate, true, "%sgated_path", prefix);
    if (kind == CONSTANT_SCALING) {
        x = rn_build_scale(b, x, 0.5f, "%sscale", prefix);
        y = rn_build_scale(b, y, 0.5f, "%sscale_path", prefix);
    }
    if (kind == CONV_SHORTCUT)
        y = rn_build_conv(b, y, narrow, "%spath", prefix);
    if (kind == DROPOUT_SHORTCUT)
        y = rn_build_dropout(b, y, 0.5f, "%spath", prefix);
    x = rn_build_add(b, x, y, "%sadd", prefix);
    return rn_build_relu(b, x, "%srelu2", prefix);
}

// Two units of one kind. The graph ends in them: no layer follows the last sum.
UNUSED static rn_graph *studied_network(const char *model, shortcut_kind kind)
{
    rn_builder b;

    begin_network(&b, model, 16);
    int x = rn_build_input(&b, 16, 16, 16);
    x = rn_build_conv(&b, x, (rn_conv_shape){16, 3, 1, 1, false}, "conv1");
    for (int unit = 0; unit < 2; unit++) {
        rn_build_unit(&b, 1, unit);
        x = studied_unit(&b, x, kind);
    }
    return end_network(&b);
}

#endif
