// Model names: the table of named models, and parsing of "resnet-20:shortcut=B".
#include "graph/build.h"

#include "base/memory.h"
#include "base/text.h"

#include <string.h>

enum {
    MIN_DEPTH = 8,
    MAX_DEPTH = 1202,
    MAX_CLASSES = 1000000,
    MAX_CHANNELS = 1024,
    MAX_SIZE = 4096
};

static const struct {
    const char *name, *summary;
} named_models[] = {
    {"resnet-20", "CIFAR residual network, 20 layers, 0.27M parameters"},
    {"resnet-32", "CIFAR residual network, 32 layers, 0.46M parameters"},
    {"resnet-44", "CIFAR residual network, 44 layers, 0.66M parameters"},
    {"resnet-56", "CIFAR residual network, 56 layers, 0.85M parameters"},
    {"resnet-110", "CIFAR residual network, 110 layers, 1.7M parameters"},
    {"resnet-1202", "CIFAR residual network, 1202 layers, 19.4M parameters"},
    {"plain-20", "resnet-20 without its shortcuts"},
    {"plain-32", "resnet-32 without its shortcuts"},
    {"plain-44", "resnet-44 without its shortcuts"},
    {"plain-56", "resnet-56 without its shortcuts"},
    {"plain-110", "resnet-110 without its shortcuts"},
};

enum { NAMED_MODELS = sizeof named_models / sizeof *named_models };

const char *rn_model_name(int index)
{
    return index >= 0 && index < NAMED_MODELS ? named_models[index].name : NULL;
}

const char *rn_model_summary(int index)
{
    return index >= 0 && index < NAMED_MODELS ? named_models[index].summary : NULL;
}

static rn_status unknown_model(const char *model)
{
    const char *names[NAMED_MODELS];

    for (int i = 0; i < NAMED_MODELS; i++)
        names[i] = named_models[i].name;
    const char *nearest = rn_text_nearest(model, names, NAMED_MODELS);
    if (nearest == NULL)
        return rn_error(RN_EINVAL,
                        "unknown model '%s', expected resnet-N or plain-N with N = 6n + 2, such as "
                        "resnet-20",
                        model);
    return rn_error(RN_EINVAL, "unknown model '%s', did you mean '%s'?", model, nearest);
}

static rn_status depth_error(const char *model, int64_t depth)
{
    int64_t below = depth < MIN_DEPTH ? MIN_DEPTH : depth > MAX_DEPTH ? MAX_DEPTH : depth;

    below -= (below - 2) % 6;
    return rn_error(RN_EINVAL,
                    "model '%s' has depth %lld, expected 6n + 2 from %d to %d, such as %lld", model,
                    (long long)depth, MIN_DEPTH, MAX_DEPTH, (long long)below);
}

// "resnet-20" -> residual, 20. The depth may have any value that the family has.
static rn_status parse_name(const char *model, const char *name, bool *residual, int *depth)
{
    int64_t number = 0;
    const char *digits;

    if (strncmp(name, "resnet-", 7) == 0)
        *residual = true, digits = name + 7;
    else if (strncmp(name, "plain-", 6) == 0)
        *residual = false, digits = name + 6;
    else
        return unknown_model(model);
    if (*digits < '0' || *digits > '9' || !rn_text_int64(digits, 0, INT32_MAX, &number))
        return unknown_model(model);
    if (number < MIN_DEPTH || number > MAX_DEPTH || (number - 2) % 6 != 0)
        return depth_error(model, number);
    *depth = (int)number;
    return RN_OK;
}

static rn_status parse_option(const char *model, const char *option, rn_shortcut *shortcut)
{
    if (strncmp(option, "shortcut=", 9) != 0)
        return rn_error(RN_EINVAL, "model '%s': unknown option '%s', expected shortcut=A, B or C",
                        model, option);
    const char *value = option + 9;
    if (strlen(value) != 1 || value[0] < 'A' || value[0] > 'C')
        return rn_error(RN_EINVAL, "model '%s': shortcut is '%s', expected A, B or C", model,
                        value);
    *shortcut = (rn_shortcut)(RN_SHORTCUT_A + (value[0] - 'A'));
    return RN_OK;
}

static rn_status in_range(const char *what, int value, int high)
{
    if (value < 1 || value > high)
        return rn_error(RN_EINVAL, "%s is %d, expected 1 to %d", what, value, high);
    return RN_OK;
}

static rn_status fill_options(rn_model_options *options, const rn_model_options *given)
{
    rn_status st = RN_OK;

    *options = given == NULL ? (rn_model_options){0} : *given;
    if (options->classes == 0)
        options->classes = 10;
    if (options->channels == 0 && options->height == 0 && options->width == 0) {
        options->channels = 3;
        options->height = options->width = 32;
    }
    RN_TRY(in_range("class count", options->classes, MAX_CLASSES));
    RN_TRY(in_range("input channel count", options->channels, MAX_CHANNELS));
    RN_TRY(in_range("input height", options->height, MAX_SIZE));
    RN_TRY(in_range("input width", options->width, MAX_SIZE));
    if ((unsigned)options->shortcut > RN_SHORTCUT_C)
        st = rn_error(RN_EINVAL, "shortcut option is %d, expected A, B or C",
                      (int)options->shortcut);
out:
    return st;
}

// Shortcut given in the spec, in the options, or neither; both must agree.
static rn_status settle_shortcut(const char *model, rn_shortcut in_spec, bool residual,
                                 rn_shortcut *option)
{
    if (!residual && (in_spec != RN_SHORTCUT_DEFAULT || *option != RN_SHORTCUT_DEFAULT))
        return rn_error(RN_EINVAL, "model '%s' is plain and has no shortcuts to choose", model);
    if (in_spec != RN_SHORTCUT_DEFAULT && *option != RN_SHORTCUT_DEFAULT && in_spec != *option)
        return rn_error(RN_EINVAL, "model '%s' and the shortcut option %c contradict each other",
                        model, 'A' + (int)*option - RN_SHORTCUT_A);
    if (in_spec != RN_SHORTCUT_DEFAULT)
        *option = in_spec;
    if (residual && *option == RN_SHORTCUT_DEFAULT)
        *option = RN_SHORTCUT_A;
    return RN_OK;
}

static rn_status canonical_name(char **out, bool residual, int depth, rn_shortcut shortcut)
{
    if (!residual)
        return rn_format(out, "plain-%d", depth);
    if (shortcut == RN_SHORTCUT_A)
        return rn_format(out, "resnet-%d", depth);
    return rn_format(out, "resnet-%d:shortcut=%c", depth, 'A' + (int)shortcut - RN_SHORTCUT_A);
}

rn_status rn_graph_create(rn_graph **out, const char *model, const rn_model_options *options)
{
    rn_status st = RN_OK;
    rn_builder builder = {0};
    char *name = NULL;
    bool residual = true;
    int depth = 0;
    rn_shortcut in_spec = RN_SHORTCUT_DEFAULT;

    *out = NULL;
    RN_TRY(RN_NEW(&builder.graph, 1));
    RN_TRY(rn_strdup(&name, model));
    char *colon = strchr(name, ':');
    if (colon != NULL) {
        *colon = '\0';
        RN_TRY(parse_option(model, colon + 1, &in_spec));
    }
    RN_TRY(parse_name(model, name, &residual, &depth));
    RN_TRY(fill_options(&builder.graph->options, options));
    RN_TRY(settle_shortcut(model, in_spec, residual, &builder.graph->options.shortcut));
    RN_TRY(canonical_name(&builder.graph->model, residual, depth, builder.graph->options.shortcut));
    rn_build_cifar(&builder, depth, residual);
    RN_TRY(builder.status);
    *out = builder.graph;
    builder.graph = NULL; // now the caller's
out:
    rn_free(name);
    rn_graph_free(builder.graph);
    return st;
}
