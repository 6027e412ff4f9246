// VGG (Simonyan & Zisserman 2014, table 1), the plain networks that the 2015 paper compares with.
// Layers are numbered as in torchvision: "features.N", "classifier.N".
#include "graph/networks.h"

#include <stdio.h>

enum {
    FIRST_WIDTH = 64,
    LAST_WIDTH = 512,
    HIDDEN = 4096 // of the two linear layers before the last
};

// Stages of 3x3 convolutions with 64, 128, 256, 512, 512 channels, a 2x2 pool after each.
static int features(rn_builder *builder, const rn_spec *spec, int x)
{
    rn_conv_shape shape = {.out = FIRST_WIDTH, .kernel = 3, .stride = 1, .pad = 1, .bias = true};
    int number = 0;

    for (int stage = 0; stage < spec->convs.count; stage++) {
        for (int i = 0; i < spec->convs.values[stage]; i++) {
            x = rn_build_conv(builder, x, shape, "features.%d", number++);
            if (spec->bn)
                x = rn_build_batch_norm(builder, x, "features.%d", number++);
            x = rn_build_relu(builder, x, "features.%d", number++);
        }
        x = rn_build_max_pool(builder, x, 2, 2, 0, "features.%d", number++);
        if (shape.out < LAST_WIDTH)
            shape.out *= 2;
    }
    return x;
}

static int linear(rn_builder *builder, int x, int out, int number)
{
    char name[RN_MAX_NAME];

    snprintf(name, sizeof name, "classifier.%d", number);
    return rn_build_linear(builder, x, out, name);
}

static int classifier(rn_builder *builder, const rn_spec *spec, int x)
{
    int number = 0;

    x = rn_build_flatten(builder, x, "flatten");
    for (int hidden = 0; hidden < 2; hidden++) {
        x = linear(builder, x, HIDDEN, number++);
        x = rn_build_relu(builder, x, "classifier.%d", number++);
        if (spec->dropout > 0)
            x = rn_build_dropout(builder, x, spec->dropout, "classifier.%d", number);
        number++;
    }
    return linear(builder, x, builder->graph->options.classes, number);
}

void rn_build_vgg(rn_builder *builder, const rn_spec *spec)
{
    const rn_model_options *options = &builder->graph->options;
    int least = 1 << spec->convs.count;

    if (options->height < least || options->width < least) {
        builder->status =
            rn_error(RN_EINVAL,
                     "'%s' halves its input %d times: %d x %d is less "
                     "than the least, %d x %d",
                     spec->name, spec->convs.count, options->height, options->width, least, least);
        return;
    }
    int x = rn_build_input(builder, options->channels, options->height, options->width);
    x = features(builder, spec, x);
    x = classifier(builder, spec, x);
    rn_build_cross_entropy(builder, x, "loss");
}
