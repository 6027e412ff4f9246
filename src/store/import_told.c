// What the caller says about a file, against what the file says itself.
#include "store/import.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

rn_status rn_import_check(const rn_import_options *told)
{
    if (told->deviation != NULL && told->mean == NULL)
        return rn_error(RN_EINVAL, "a deviation is told without a mean");
    if ((told->height > 0) != (told->width > 0) || told->height < 0 || told->width < 0)
        return rn_error(RN_EINVAL, "input of %d x %d told, expected both sides", told->height,
                        told->width);
    return RN_OK;
}

rn_status rn_import_lengths(const rn_model_options *options, const rn_import_options *told)
{
    if (told->mean != NULL && told->channels != options->channels)
        return rn_error(RN_EINVAL, "mean and deviation of %d channel%s told, the model has %d",
                        told->channels, told->channels == 1 ? "" : "s", options->channels);
    if (told->label_names != NULL && told->classes != options->classes)
        return rn_error(RN_EINVAL, "%d label%s told, the model has %d classes", told->classes,
                        told->classes == 1 ? "" : "s", options->classes);
    return RN_OK;
}

static rn_status agree_model(const rn_checkpoint *made, const char *told)
{
    rn_status st = RN_OK;
    const rn_model_options *o = &made->options;
    const rn_model_options sizes = {
        .classes = o->classes, .channels = o->channels, .height = o->height, .width = o->width};
    rn_graph *graph = NULL;

    RN_TRY(rn_graph_create(&graph, told, &sizes));
    if (strcmp(rn_graph_model(graph), made->model) != 0)
        st = rn_error(RN_EINVAL, "model '%s' told, the file says '%s'", rn_graph_model(graph),
                      made->model);
out:
    rn_graph_free(graph);
    return st;
}

static rn_status agree_size(const rn_checkpoint *made, const rn_import_options *told)
{
    if (told->height == made->options.height && told->width == made->options.width)
        return RN_OK;
    return rn_error(RN_EINVAL, "input of %d x %d told, the file says %d x %d", told->height,
                    told->width, made->options.height, made->options.width);
}

static rn_status agree_preprocess(const rn_preprocess *made, const rn_import_options *told)
{
    bool same =
        made->normalize == RN_NORMALIZE_CHANNEL || made->normalize == RN_NORMALIZE_CHANNEL_MEAN;

    for (size_t c = 0; same && c < made->entries; c++) {
        float deviation = told->deviation != NULL ? told->deviation[c] : 1.0f;
        same = made->mean[c] == told->mean[c] && made->deviation[c] == deviation;
    }
    if (same)
        return RN_OK;
    return rn_error(RN_EINVAL, "a mean is told, the file says another normalization ('%s')",
                    rn_normalize_name(made->normalize));
}

// "0", "1", ...: what a class is called that nobody has named.
static bool are_numbers(char *const *names, int classes)
{
    char number[16];

    for (int i = 0; i < classes; i++) {
        snprintf(number, sizeof number, "%d", i);
        if (strcmp(names[i], number) != 0)
            return false;
    }
    return true;
}

static rn_status agree_labels(rn_checkpoint *made, const char *const *told)
{
    rn_status st = RN_OK;
    char *name = NULL;
    bool free_to_name = are_numbers(made->label_names, made->options.classes);

    for (int i = 0; i < made->options.classes; i++) {
        rn_free(name);
        RN_TRY(rn_text_repair(&name, told[i])); // as files of models hold them
        if (strcmp(made->label_names[i], name) == 0)
            continue;
        if (!free_to_name) {
            st = rn_error(RN_EINVAL, "label '%s' told for class %d, the file says '%s'", name, i,
                          made->label_names[i]);
            goto out;
        }
        rn_free(made->label_names[i]);
        made->label_names[i] = name;
        name = NULL; // now the model's
    }
out:
    rn_free(name);
    return st;
}

rn_status rn_import_agree(rn_checkpoint *made, const rn_import_options *told)
{
    rn_status st = RN_OK;

    RN_TRY(rn_import_check(told));
    RN_TRY(rn_import_lengths(&made->options, told));
    if (told->model != NULL)
        RN_TRY(agree_model(made, told->model));
    if (told->height > 0)
        RN_TRY(agree_size(made, told));
    if (told->mean != NULL)
        RN_TRY(agree_preprocess(made->preprocess, told));
    if (told->label_names != NULL)
        RN_TRY(agree_labels(made, told->label_names));
out:
    return st;
}
