// Residual units: the branch F of figure 5 of the 2015 paper, in the orders of figure 4 of the 2016
// one. Convolutions are numbered from 1, and a BN or ReLU has the number of the convolution that it
// goes with: the one before it, or with pre-activation the one after it.
#include "graph/networks.h"

enum { MAX_LAYERS = 3 };

static const struct block {
    int layers;
    int kernels[MAX_LAYERS];
    int narrow; // all convolutions but the last have 1 / narrow of the unit's channels
} blocks[RN_BLOCKS] = {
    [RN_BLOCK_BASIC] = {2, {3, 3}, 1},
    [RN_BLOCK_BOTTLENECK] = {3, {1, 3, 1}, 4},
    [RN_BLOCK_SINGLE] = {1, {3}, 1},
};

// 2016 paper, fig. 4. In every order BN and ReLU lie between two convolutions.
static const rn_unit_layers orders[RN_ORDERS] = {
    [RN_ORDER_ORIGINAL] = {.end = RN_NORM, .joined = RN_RELU},                       // (a)
    [RN_ORDER_BN_AFTER_ADD] = {.joined = RN_NORM | RN_RELU},                         // (b)
    [RN_ORDER_RELU_BEFORE_ADD] = {.end = RN_NORM | RN_RELU},                         // (c)
    [RN_ORDER_RELU_ONLY] = {.before = RN_RELU, .end = RN_NORM, .closing = RN_RELU},  // (d)
    [RN_ORDER_PREACT] = {.before = RN_NORM | RN_RELU, .closing = RN_NORM | RN_RELU}, // (e)
};

int rn_block_layers(rn_block block)
{
    return blocks[block].layers;
}

const rn_unit_layers *rn_unit_order(rn_order order)
{
    return &orders[order];
}

static int norm(rn_builder *builder, const rn_unit *unit, int input, int number)
{
    return rn_build_batch_norm(builder, input, "layer%d.%d.bn%d", unit->stage, unit->index, number);
}

static int relu(rn_builder *builder, const rn_unit *unit, int input, int number)
{
    return rn_build_relu(builder, input, "layer%d.%d.relu%d", unit->stage, unit->index, number);
}

// BN and ReLU as asked for, both with the same number.
static int activate(rn_builder *builder, const rn_unit *unit, int x, int what, int number)
{
    if ((what & RN_NORM) != 0)
        x = norm(builder, unit, x, number);
    if ((what & RN_RELU) != 0)
        x = relu(builder, unit, x, number);
    return x;
}

// The unit's stride is that of its first convolution; in "v1.5" bottlenecks that of the 3x3.
static int convolve(rn_builder *builder, const rn_unit *unit, int input, int number)
{
    const struct block *block = &blocks[unit->spec->block];
    int strided = unit->spec->stride == RN_STRIDE_3X3 ? 2 : 1;
    rn_conv_shape shape = {
        .out = number < block->layers ? unit->channels / block->narrow : unit->channels,
        .kernel = block->kernels[number - 1],
        .stride = number == strided ? unit->stride : 1,
        .pad = block->kernels[number - 1] / 2,
    };

    return rn_build_conv(builder, input, shape, "layer%d.%d.conv%d", unit->stage, unit->index,
                         number);
}

// BN and ReLU between convolutions `number` and `number` + 1, and dropout before the last.
static int activate_between(rn_builder *builder, const rn_unit *unit, int x, int number)
{
    const rn_unit_layers *order = &orders[unit->spec->unit];

    x = norm(builder, unit, x, (order->before & RN_NORM) != 0 ? number + 1 : number);
    x = relu(builder, unit, x, (order->before & RN_RELU) != 0 ? number + 1 : number);
    if (unit->spec->dropout > 0 && number == blocks[unit->spec->block].layers - 1)
        x = rn_build_dropout(builder, x, unit->spec->dropout, "layer%d.%d.dropout", unit->stage,
                             unit->index);
    return x;
}

// F(x), from what its first convolution reads.
static int residual_branch(rn_builder *builder, const rn_unit *unit, int x)
{
    const rn_unit_layers *order = &orders[unit->spec->unit];
    int layers = blocks[unit->spec->block].layers;

    for (int number = 1; number <= layers; number++) {
        x = convolve(builder, unit, x, number);
        if (number < layers)
            x = activate_between(builder, unit, x, number);
    }
    if ((order->end & RN_NORM) != 0)
        x = norm(builder, unit, x, layers);
    if (unit->spec->zero_gain)
        rn_build_initial(builder, x, 0);
    if ((order->end & RN_RELU) != 0)
        x = relu(builder, unit, x, layers);
    return x;
}

// The network's first unit has its activation in the stem, before the two ways part (2016,
// appendix).
int rn_build_residual_unit(rn_builder *builder, const rn_unit *unit, int input)
{
    const rn_unit_layers *order = &orders[unit->spec->unit];
    int activated = unit->first ? input : activate(builder, unit, input, order->before, 1);

    int x = residual_branch(builder, unit, activated);
    if (unit->spec->residual)
        x = rn_build_addition(builder, unit, input, activated, x);
    return activate(builder, unit, x, order->joined, blocks[unit->spec->block].layers);
}
