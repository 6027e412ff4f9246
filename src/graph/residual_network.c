// Residual and plain networks: 2015 paper, table 1 (ImageNet) and section 4.2 (CIFAR); widened as
// by Zagoruyko & Komodakis 2016, with stochastic depth as by Huang et al. 2016.
#include "graph/networks.h"

// conv1, or conv1 and pool of table 1. BN and ReLU right after conv1 are in pre-activation networks
// those of the first unit.
static int stem(rn_builder *builder, const rn_spec *spec)
{
    static const rn_conv_shape cifar = {.kernel = 3, .stride = 1, .pad = 1};
    static const rn_conv_shape imagenet = {.kernel = 7, .stride = 2, .pad = 3};
    const rn_model_options *options = &builder->graph->options;
    rn_conv_shape shape = spec->stem == RN_STEM_CIFAR ? cifar : imagenet;

    shape.out = spec->width;
    int x = rn_build_input(builder, options->channels, options->height, options->width);
    x = rn_build_conv(builder, x, shape, "conv1");
    x = rn_build_batch_norm(builder, x, "bn1");
    x = rn_build_relu(builder, x, "relu");
    if (spec->stem == RN_STEM_IMAGENET)
        x = rn_build_max_pool(builder, x, 3, 2, 1, "maxpool");
    return x;
}

// Channels of a stage's units; stage from 1. Bottlenecks give out four times their 3x3's channels.
static int stage_channels(const rn_spec *spec, int stage)
{
    int channels = rn_stage_width(spec, stage);

    return spec->block == RN_BLOCK_BOTTLENECK ? 4 * channels : channels;
}

// How often unit l of L, l from 1, is left out: 1 - p_l = l / L (1 - p_L) (Huang et al. 2016, eq.
// 4).
static float drop_rate(const rn_spec *spec, int l)
{
    int all = 0;

    for (int i = 0; i < spec->units.count; i++)
        all += spec->units.values[i];
    return (float)((double)l / all * (1 - (double)spec->survival));
}

// down=pool: a convolution to the stage's channels and a 2x2 pool before the first unit.
static int pooled_entry(rn_builder *builder, const rn_spec *spec, int stage, int x)
{
    rn_conv_shape shape = {.out = stage_channels(spec, stage), .kernel = 3, .stride = 1, .pad = 1};

    rn_build_unit(builder, stage, 0);
    x = rn_build_conv(builder, x, shape, "layer%d.0.down.0", stage);
    if (spec->down_init == RN_DOWN_INIT_IDENTITY)
        rn_build_identity(builder, x);
    x = rn_build_max_pool(builder, x, 2, 2, 0, "layer%d.0.down.1", stage);
    x = rn_build_batch_norm(builder, x, "layer%d.0.down.2", stage);
    return rn_build_relu(builder, x, "layer%d.0.down.3", stage);
}

// Each stage halves height and width: with down=pool at its entry, else, but for the first stage,
// in its first unit.
static int stages(rn_builder *builder, const rn_spec *spec, int x)
{
    bool pools = spec->down == RN_DOWN_POOL;
    int number = 1;

    for (int stage = 1; stage <= spec->units.count; stage++) {
        if (pools)
            x = pooled_entry(builder, spec, stage, x);
        for (int index = 0; index < spec->units.values[stage - 1]; index++, number++) {
            rn_unit unit = {
                .spec = spec,
                .stage = stage,
                .index = index,
                .channels = stage_channels(spec, stage),
                .stride = stage > 1 && index == 0 && !pools ? 2 : 1,
                .first = number == 1,
                .drop = drop_rate(spec, number),
            };
            rn_build_unit(builder, stage, index);
            x = rn_build_residual_unit(builder, &unit, x);
        }
    }
    rn_build_unit(builder, 0, -1);
    return x;
}

// What the orders (d) and (e) lack after the last addition (2016 paper, appendix).
static int closing(rn_builder *builder, const rn_spec *spec, int x)
{
    int what = rn_unit_order(spec->unit)->closing;

    if ((what & RN_NORM) != 0)
        x = rn_build_batch_norm(builder, x, "bn_last");
    if ((what & RN_RELU) != 0)
        x = rn_build_relu(builder, x, "relu_last");
    return x;
}

// One value a channel, and the logits. A max pool is square: of what is not, the average follows.
static int head(rn_builder *builder, const rn_spec *spec, int x)
{
    int side = rn_build_side(builder, x);

    if (spec->head == RN_HEAD_MAX && side > 1)
        x = rn_build_max_pool(builder, x, side, side, 0, "maxpool_last");
    x = rn_build_average_pool(builder, x, "avgpool");
    x = rn_build_linear(builder, x, builder->graph->options.classes, "fc");
    rn_build_initial(builder, x, spec->head_init);
    return x;
}

void rn_build_resnet(rn_builder *builder, const rn_spec *spec)
{
    int x = stem(builder, spec);
    x = stages(builder, spec, x);
    x = closing(builder, spec, x);
    x = head(builder, spec, x);
    rn_build_cross_entropy(builder, x, "loss");
}
