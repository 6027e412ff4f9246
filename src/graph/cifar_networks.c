// The CIFAR networks of the 2015 paper, section 4.2: a 3x3 convolution, three stages of n units
// with 16, 32 and 64 channels, global average pooling, a linear layer; 6n + 2 weighted layers.
#include "graph/build.h"

// Shortcuts of figure 3's dotted lines: where the shape changes, or everywhere (option C).
static int shortcut(rn_builder *builder, int input, int channels, int stride, int stage, int unit)
{
    rn_shortcut option = builder->graph->options.shortcut;
    bool changes = stride != 1 || rn_build_channels(builder, input) != channels;

    if (!changes && option != RN_SHORTCUT_C)
        return input;
    if (option == RN_SHORTCUT_A)
        return rn_build_shortcut_pad(builder, input, channels, stride, "layer%d.%d.shortcut", stage,
                                     unit);
    rn_conv_shape projection = {.out = channels, .kernel = 1, .stride = stride};
    int x = rn_build_conv(builder, input, projection, "layer%d.%d.downsample.0", stage, unit);
    return rn_build_batch_norm(builder, x, "layer%d.%d.downsample.1", stage, unit);
}

// y = relu(x + F(x)), F = conv-BN-ReLU-conv-BN (eq. 1); a plain network leaves out the "x +".
static int basic_unit(rn_builder *builder, int input, int channels, int stride, int stage, int unit,
                      bool residual)
{
    rn_conv_shape first = {.out = channels, .kernel = 3, .stride = stride, .pad = 1};
    rn_conv_shape second = {.out = channels, .kernel = 3, .stride = 1, .pad = 1};

    int x = rn_build_conv(builder, input, first, "layer%d.%d.conv1", stage, unit);
    x = rn_build_batch_norm(builder, x, "layer%d.%d.bn1", stage, unit);
    x = rn_build_relu(builder, x, "layer%d.%d.relu1", stage, unit);
    x = rn_build_conv(builder, x, second, "layer%d.%d.conv2", stage, unit);
    x = rn_build_batch_norm(builder, x, "layer%d.%d.bn2", stage, unit);
    if (residual) {
        int y = shortcut(builder, input, channels, stride, stage, unit);
        x = rn_build_add(builder, x, y, "layer%d.%d.add", stage, unit);
    }
    return rn_build_relu(builder, x, "layer%d.%d.relu2", stage, unit);
}

void rn_build_cifar(rn_builder *builder, int depth, bool residual)
{
    const rn_model_options *options = &builder->graph->options;
    const rn_conv_shape stem = {.out = 16, .kernel = 3, .stride = 1, .pad = 1};
    int units = (depth - 2) / 6;

    int x = rn_build_input(builder, options->channels, options->height, options->width);
    x = rn_build_conv(builder, x, stem, "conv1");
    x = rn_build_batch_norm(builder, x, "bn1");
    x = rn_build_relu(builder, x, "relu");
    for (int stage = 1; stage <= 3; stage++)
        for (int unit = 0; unit < units; unit++)
            x = basic_unit(builder, x, 16 << (stage - 1), stage > 1 && unit == 0 ? 2 : 1, stage,
                           unit, residual);
    x = rn_build_average_pool(builder, x, "avgpool");
    x = rn_build_linear(builder, x, options->classes, "fc");
    rn_build_cross_entropy(builder, x, "loss");
}
