#include "train/progressive.h"

#include "augment/photo_crop.h"
#include "base/json_write.h"
#include "base/text.h"
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LARGEST_SIZE = 4096, ITEM_TEXT = 64 };

// The text

// item: "128:0.4", behind what *out has already.
static bool parse_item(rn_progressive *out, const char *item)
{
    char size[ITEM_TEXT];
    const char *colon = strchr(item, ':');
    int64_t pixels;
    double until;
    int last = out->count - 1;

    if (colon == NULL || out->count == RN_MAX_SIZES)
        return false;
    snprintf(size, sizeof size, "%.*s", (int)(colon - item), item);
    if (!rn_text_int64(size, 1, LARGEST_SIZE, &pixels) ||
        !rn_text_double(colon + 1, 0, 1, &until) || !(until > 0 && until < 1))
        return false;
    if (last >= 0 && (pixels <= out->size[last] || !(until > out->until[last])))
        return false;
    out->size[out->count] = (int)pixels;
    out->until[out->count++] = until;
    return true;
}

bool rn_progressive_parse(rn_progressive *out, const char *text)
{
    char item[ITEM_TEXT];

    *out = (rn_progressive){0};
    if (strcmp(text, "none") == 0)
        return true;
    for (;; text++) {
        size_t length = strcspn(text, ",");
        if (length >= sizeof item)
            return false;
        memcpy(item, text, length);
        item[length] = '\0';
        if (!parse_item(out, item))
            return false;
        text += length;
        if (*text == '\0')
            return true;
    }
}

void rn_progressive_print(char text[RN_PROGRESSIVE_TEXT], const rn_progressive *progressive)
{
    char until[RN_NUMBER_TEXT];
    size_t length = 0;

    snprintf(text, RN_PROGRESSIVE_TEXT, progressive->count == 0 ? "none" : "%d sizes",
             progressive->count);
    if (progressive->count > RN_MAX_SIZES)
        return;
    for (int i = 0; i < progressive->count && length < RN_PROGRESSIVE_TEXT; i++) {
        rn_json_number_text(until, progressive->until[i]);
        length += (size_t)snprintf(text + length, RN_PROGRESSIVE_TEXT - length, "%s%d:%s",
                                   i > 0 ? "," : "", progressive->size[i], until);
    }
}

// The network

static rn_status check_same_params(const rn_graph *graph, const rn_graph *small, int size)
{
    for (int i = 0; i < rn_graph_params(graph); i++) {
        const rn_param *full = rn_graph_param(graph, i), *param = rn_graph_param(small, i);
        if (full->count != param->count)
            return rn_error(RN_EINVAL,
                            "'progressive' has size %d, but '%s' of '%s' has %zu values there and "
                            "%zu at its own size: expected a network that ends in global pooling",
                            size, full->name, rn_graph_model(graph), param->count, full->count);
    }
    return RN_OK;
}

// A window that moves by 2 halves a map, unless that is a line already.
static rn_status check_maps(const rn_graph *small, int size)
{
    for (int i = 1; i < rn_graph_nodes(small); i++) {
        const rn_node *node = rn_graph_node(small, i),
                      *from = rn_graph_node(small, node->inputs[0]);
        if (node->stride > 1 && (from->height < node->stride || from->width < node->stride))
            return rn_error(RN_EINVAL,
                            "'progressive' has size %d, too small for '%s': '%s' sees a map of "
                            "%d x %d",
                            size, rn_graph_model(small), node->name, from->height, from->width);
    }
    return RN_OK;
}

// The same shape, with the shorter side of this length.
static rn_model_options shrink(const rn_model_options *full, int size)
{
    rn_model_options options = *full;
    int shorter = full->height < full->width ? full->height : full->width;

    options.height = (int)lround((double)full->height * size / shorter);
    options.width = (int)lround((double)full->width * size / shorter);
    return options;
}

rn_status rn_progressive_graph(rn_graph **out, const rn_graph *graph, int size)
{
    rn_status st = RN_OK;
    rn_graph *small = NULL;
    const rn_model_options *full = rn_graph_options(graph);
    const rn_model_options options = shrink(full, size);

    *out = NULL;
    if (size >= full->height || size >= full->width)
        return rn_error(RN_EINVAL,
                        "'progressive' has size %d, expected less than the network's own %d x %d",
                        size, full->height, full->width);
    st = rn_graph_create(&small, rn_graph_model(graph), &options);
    if (st != RN_OK)
        return rn_error_prefix(st, "'progressive' has size %d", size);
    RN_TRY(check_same_params(graph, small, size));
    RN_TRY(check_maps(small, size));
    *out = small;
    small = NULL; // now the caller's
out:
    rn_graph_free(small);
    return st;
}

static rn_status check_normalize(rn_normalize normalize)
{
    if (normalize == RN_NORMALIZE_PIXEL || normalize == RN_NORMALIZE_PIXEL_MEAN)
        return rn_error(RN_EINVAL,
                        "'progressive' and normalisation '%s' exclude each other: a mean of each "
                        "pixel is for one size, one of each channel for all",
                        rn_normalize_name(normalize));
    return RN_OK;
}

rn_status rn_progressive_preprocess(rn_preprocess **out, const rn_preprocess *preprocess,
                                    const rn_graph *graph)
{
    const rn_model_options *size = rn_graph_options(graph);
    rn_status st = check_normalize(preprocess->normalize);

    *out = NULL;
    if (st != RN_OK)
        return st;
    return rn_preprocess_create(out, preprocess->normalize, size->channels, size->height,
                                size->width, preprocess->mean, preprocess->deviation);
}

static int in_proportion(int pixels, double ratio)
{
    return (int)lround(pixels * ratio);
}

// The range of sides keeps at least a pixel, as 0 means the usual.
rn_augment rn_progressive_augment(const rn_augment *augment, double ratio)
{
    rn_augment small = *augment;
    const int low = rn_augment_low(augment), high = rn_augment_high(augment);

    small.pad = in_proportion(augment->pad, ratio);
    small.resize_low = in_proportion(low, ratio) > 0 ? in_proportion(low, ratio) : 1;
    small.resize_high = in_proportion(high, ratio) > 0 ? in_proportion(high, ratio) : 1;
    return small;
}

rn_status rn_progressive_check(const rn_train_options *options)
{
    rn_status st = RN_OK;
    rn_graph *graph = NULL;
    const rn_progressive *progressive = &options->recipe->progressive;

    if (progressive->count == 0)
        return RN_OK;
    RN_TRY(check_normalize(options->from != NULL ? options->from->preprocess->normalize
                                                 : options->recipe->normalize));
    RN_TRY(rn_train_graph(&graph, options));
    for (int i = 0; i < progressive->count; i++) {
        rn_graph *small = NULL;
        RN_TRY(rn_progressive_graph(&small, graph, progressive->size[i]));
        rn_graph_free(small);
    }
out:
    rn_graph_free(graph);
    return st;
}
