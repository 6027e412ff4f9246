// From a model's spec and options to its graph.
#include "base/memory.h"
#include "graph/networks.h"

enum { MAX_CLASSES = 1000000, MAX_CHANNELS = 1024, MAX_SIZE = 4096 };

static rn_status in_range(const char *what, int value, int high)
{
    if (value < 1 || value > high)
        return rn_error(RN_EINVAL, "%s is %d, expected 1 to %d", what, value, high);
    return RN_OK;
}

// CIFAR's or ImageNet's classes and size, where they are not given.
static void fill_defaults(rn_model_options *options, const rn_spec *spec)
{
    bool cifar = spec->family == RN_FAMILY_RESNET && spec->stem == RN_STEM_CIFAR;

    if (options->classes == 0)
        options->classes = cifar ? 10 : 1000;
    if (options->channels == 0 && options->height == 0 && options->width == 0) {
        options->channels = 3;
        options->height = options->width = cifar ? 32 : 224;
    }
}

static rn_status settle_options(rn_model_options *options, const rn_model_options *given,
                                const rn_spec *spec)
{
    rn_status st = RN_OK;

    *options = given == NULL ? (rn_model_options){0} : *given;
    fill_defaults(options, spec);
    RN_TRY(in_range("class count", options->classes, MAX_CLASSES));
    RN_TRY(in_range("input channel count", options->channels, MAX_CHANNELS));
    RN_TRY(in_range("input height", options->height, MAX_SIZE));
    RN_TRY(in_range("input width", options->width, MAX_SIZE));
out:
    return st;
}

rn_status rn_graph_create(rn_graph **out, const char *model, const rn_model_options *options)
{
    rn_status st = RN_OK;
    rn_builder builder = {0};
    rn_spec spec;

    *out = NULL;
    RN_TRY(rn_spec_parse(&spec, model));
    RN_TRY(RN_NEW(&builder.graph, 1));
    RN_TRY(settle_options(&builder.graph->options, options, &spec));
    RN_TRY(rn_spec_format(&builder.graph->model, &spec));
    if (spec.family == RN_FAMILY_VGG)
        rn_build_vgg(&builder, &spec);
    else
        rn_build_resnet(&builder, &spec);
    RN_TRY(builder.status);
    RN_TRY(rn_graph_index_params(builder.graph));
    *out = builder.graph;
    builder.graph = NULL; // now the caller's
out:
    rn_graph_free(builder.graph);
    return st;
}
