// Shortcuts: across sizes (2015 paper, section 4.1, options A, B, C), what the 2016 paper puts on
// them (section 3.1, fig. 2), and the addition.
#include "graph/networks.h"

// A 1x1 convolution; BN follows it exactly where it follows the branch's last convolution.
static int projection(rn_builder *builder, const rn_unit *unit, int input)
{
    rn_conv_shape shape = {.out = unit->channels, .kernel = 1, .stride = unit->stride};

    int x =
        rn_build_conv(builder, input, shape, "layer%d.%d.downsample.0", unit->stage, unit->index);
    if ((rn_unit_order(unit->spec->unit)->end & RN_NORM) != 0)
        x = rn_build_batch_norm(builder, x, "layer%d.%d.downsample.1", unit->stage, unit->index);
    return x;
}

// The dotted lines of the 2015 paper's figure 3, or with option C all lines.
static int across_sizes(rn_builder *builder, const rn_unit *unit, int input, int activated)
{
    bool changes = unit->stride != 1 || rn_build_channels(builder, input) != unit->channels;

    if (!changes && unit->spec->shortcut != RN_SHORTCUT_C)
        return input;
    if (unit->spec->shortcut == RN_SHORTCUT_A)
        return rn_build_shortcut_pad(builder, input, unit->channels, unit->stride,
                                     "layer%d.%d.shortcut", unit->stage, unit->index);
    return projection(builder, unit, activated);
}

// Figure 2 (b): each way times a constant.
static void scale_ways(rn_builder *builder, const rn_unit *unit, int *shortcut, int *branch)
{
    const rn_spec *spec = unit->spec;

    if (spec->shortcut_scale != 1)
        *shortcut = rn_build_scale(builder, *shortcut, spec->shortcut_scale,
                                   "layer%d.%d.shortcut_scale", unit->stage, unit->index);
    if (spec->residual_scale != 1)
        *branch = rn_build_scale(builder, *branch, spec->residual_scale,
                                 "layer%d.%d.residual_scale", unit->stage, unit->index);
}

// Figure 2 (c), (d): g(x) = sigmoid(W x + b), W a 1x1 convolution; the shortcut is multiplied by
// 1 - g(x), with the exclusive gate also the branch by g(x).
static void gate_ways(rn_builder *builder, const rn_unit *unit, int input, int *shortcut,
                      int *branch)
{
    rn_conv_shape shape = {
        .out = unit->channels, .kernel = 1, .stride = unit->stride, .bias = true};

    int gate = rn_build_conv(builder, input, shape, "layer%d.%d.gate", unit->stage, unit->index);
    rn_build_initial(builder, gate, unit->spec->gate_bias);
    if (unit->spec->path == RN_PATH_EXCLUSIVE_GATE)
        *branch = rn_build_gate(builder, *branch, gate, false, "layer%d.%d.residual_gate",
                                unit->stage, unit->index);
    *shortcut = rn_build_gate(builder, *shortcut, gate, true, "layer%d.%d.shortcut_gate",
                              unit->stage, unit->index);
}

int rn_build_addition(rn_builder *builder, const rn_unit *unit, int input, int activated,
                      int branch)
{
    int shortcut = across_sizes(builder, unit, input, activated);

    switch (unit->spec->path) {
    case RN_PATH_SCALE:
        scale_ways(builder, unit, &shortcut, &branch);
        break;
    case RN_PATH_EXCLUSIVE_GATE:
    case RN_PATH_SHORTCUT_GATE:
        gate_ways(builder, unit, input, &shortcut, &branch);
        break;
    case RN_PATH_DROPOUT: // figure 2 (f)
        shortcut = rn_build_dropout(builder, shortcut, unit->spec->shortcut_dropout,
                                    "layer%d.%d.shortcut_dropout", unit->stage, unit->index);
        break;
    case RN_PATH_CONV: // figure 2 (e) is option C
    case RN_PATH_IDENTITY:
        break;
    }
    if (unit->drop > 0)
        branch = rn_build_drop_branch(builder, branch, unit->drop, "layer%d.%d.drop_branch",
                                      unit->stage, unit->index);
    return rn_build_add(builder, branch, shortcut, "layer%d.%d.add", unit->stage, unit->index);
}
