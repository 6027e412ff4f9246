#include "train/finetune.h"

#include "base/memory.h"
#include "graph/spec.h"
#include "train/compare.h"

#include <stdio.h>
#include <string.h>

static void note(const rn_trainer *trainer, const char *text)
{
    rn_trainer_tell(trainer, (rn_event){.kind = RN_EVENT_NOTE, .text = text});
}

// Keys that change training only: parameters mean the same without them.
static bool is_training_key(const char *key)
{
    return strncmp(key, "dropout=", 8) == 0 || strncmp(key, "survival=", 9) == 0;
}

// A canonical spec without these keys.
static void strip(char text[RN_MAX_SPEC + 1], const char *spec)
{
    size_t name = strcspn(spec, ":"), length = name;

    memcpy(text, spec, name);
    for (const char *key = spec + name; *key != '\0';) {
        size_t size = strcspn(++key, ";");
        if (!is_training_key(key)) {
            text[length] = length == name ? ':' : ';';
            length++;
            memcpy(text + length, key, size);
            length += size;
        }
        key += size;
    }
    text[length] = '\0';
}

// Both networks for one number of classes and one size, so that only the rest is compared.
static rn_status check_same_network(const rn_graph *graph, const rn_checkpoint *from)
{
    rn_status st = RN_OK;
    char own[RN_MAX_SPEC + 1], other[RN_MAX_SPEC + 1], texts[2][RN_MAX_DIFFERENCE];
    rn_graph *graphs[2] = {NULL, NULL};

    strip(own, rn_graph_model(graph));
    strip(other, rn_graph_model(from->graph));
    if (strcmp(own, other) == 0)
        return RN_OK;
    RN_TRY(rn_graph_create(&graphs[0], own, rn_graph_options(graph)));
    RN_TRY(rn_graph_create(&graphs[1], other, rn_graph_options(graph)));
    rn_compare_structure(texts, graphs[0], graphs[1]);
    if (texts[0][0] != '\0')
        st = rn_error(RN_EINVAL,
                      "the weights to start from are of '%s', not of '%s': there %s, here %s",
                      from->model, rn_graph_model(graph), texts[1], texts[0]);
out:
    rn_graph_free(graphs[0]);
    rn_graph_free(graphs[1]);
    return st;
}

// The head's parameters, the last ones: those from the last linear layer's weights on.
static int first_of_head(const rn_weights *weights)
{
    int i = rn_weights_count(weights) - 1;

    while (i > 0 && rn_weights_param(weights, i)->kind != RN_PARAM_LINEAR_WEIGHT)
        i--;
    return i;
}

static rn_status check_shape(const rn_param *to, const rn_param *from, const rn_model_options *size)
{
    if (memcmp(to->shape, from->shape, sizeof to->shape) == 0)
        return RN_OK;
    return rn_error(RN_EINVAL,
                    "'%s' has %zu values in the weights to start from, and %zu in a network for "
                    "pictures of %d x %d x %d",
                    to->name, from->count, to->count, size->channels, size->height, size->width);
}

static rn_status check_shapes(const rn_graph *graph, const rn_checkpoint *from)
{
    rn_status st = RN_OK;

    for (int i = 0; i < first_of_head(from->weights); i++)
        RN_TRY(check_shape(rn_graph_param(graph, i), rn_weights_param(from->weights, i),
                           rn_graph_options(graph)));
out:
    return st;
}

static void copy_weights(rn_weights *to, const rn_checkpoint *from, bool with_head)
{
    const rn_weights *source = rn_compared_weights(from, false);
    int count = with_head ? rn_weights_count(source) : first_of_head(source);

    for (int i = 0; i < count; i++)
        memcpy(rn_weights_data(to, i), rn_weights_read(source, i),
               rn_weights_param(to, i)->count * sizeof(float));
}

// Statistics of each channel go with any size.
static rn_status check_preprocess(const rn_preprocess *from, const rn_model_options *size)
{
    bool resized = from->height != size->height || from->width != size->width;

    if (from->channels != size->channels)
        return rn_error(RN_EINVAL,
                        "the weights to start from are for %d channels, the data have %d",
                        from->channels, size->channels);
    if (resized &&
        (from->normalize == RN_NORMALIZE_PIXEL || from->normalize == RN_NORMALIZE_PIXEL_MEAN))
        return rn_error(RN_EINVAL,
                        "the weights to start from go with a mean of each of %d x %d pixels, "
                        "the input is %d x %d",
                        from->height, from->width, size->height, size->width);
    return RN_OK;
}

static rn_status check_graph(const rn_graph *graph, const rn_checkpoint *from, rn_freeze freeze)
{
    rn_status st = RN_OK;
    int nodes;

    RN_TRY(check_same_network(graph, from));
    RN_TRY(check_preprocess(from->preprocess, rn_graph_options(graph)));
    RN_TRY(check_shapes(graph, from));
    RN_TRY(rn_graph_frozen_nodes(graph, freeze, &nodes));
out:
    return st;
}

rn_status rn_finetune_check(const rn_train_options *options)
{
    rn_status st = RN_OK;
    rn_graph *graph = NULL;

    RN_TRY(rn_train_graph(&graph, options));
    RN_TRY(check_graph(graph, options->from, options->recipe->freeze_until));
    RN_TRY(rn_trainer_check_data(rn_graph_options(graph), options));
out:
    rn_graph_free(graph);
    return st;
}

static void note_recipe(rn_trainer *trainer)
{
    char text[200];
    rn_recipe *recipe = &trainer->recipe;
    rn_normalize normalize = trainer->checkpoint->preprocess->normalize;

    snprintf(text, sizeof text,
             "normalisation is that of the weights to start from ('%s'), not measured anew%s",
             rn_normalize_name(normalize), recipe->whiten > 0 ? ", nor are filters whitened" : "");
    note(trainer, text);
    recipe->normalize = normalize;
    recipe->whiten = 0;
}

// -1: all alike.
static int first_other_label(const rn_checkpoint *a, const rn_checkpoint *b)
{
    for (int i = 0; i < a->options.classes; i++)
        if (strcmp(a->label_names[i], b->label_names[i]) != 0)
            return i;
    return -1;
}

static bool keeps_head(const rn_trainer *trainer)
{
    char text[400];
    const rn_checkpoint *to = trainer->checkpoint, *from = trainer->options->from;
    int other = to->options.classes == from->options.classes ? first_other_label(to, from) : 0;

    if (other < 0)
        return true;
    if (to->options.classes != from->options.classes)
        snprintf(text, sizeof text, "the last layer starts anew: %d classes instead of %d",
                 to->options.classes, from->options.classes);
    else
        snprintf(text, sizeof text,
                 "the last layer starts anew: class %d is '%.100s' instead of '%.100s'", other,
                 to->label_names[other], from->label_names[other]);
    note(trainer, text);
    return false;
}

static rn_status note_source(const rn_trainer *trainer)
{
    rn_status st = RN_OK;
    char *text = NULL;
    const char *name = trainer->options->from_name;

    RN_TRY(rn_strdup(&trainer->checkpoint->from, name != NULL ? name : "a model in memory"));
    RN_TRY(rn_format(&text, "starts from the weights of %s", trainer->checkpoint->from));
    note(trainer, text);
out:
    rn_free(text);
    return st;
}

rn_status rn_finetune_begin(rn_trainer *trainer)
{
    rn_status st = RN_OK;
    rn_checkpoint *checkpoint = trainer->checkpoint;
    const rn_checkpoint *from = trainer->options->from;
    const rn_preprocess *preprocess = from->preprocess;
    const rn_model_options *size = &checkpoint->options;

    RN_TRY(check_graph(checkpoint->graph, from, trainer->recipe.freeze_until));
    RN_TRY(rn_preprocess_create(&checkpoint->preprocess, preprocess->normalize, size->channels,
                                size->height, size->width, preprocess->mean,
                                preprocess->deviation));
    RN_TRY(note_source(trainer));
    note_recipe(trainer);
    copy_weights(checkpoint->weights, from, keeps_head(trainer));
out:
    return st;
}
