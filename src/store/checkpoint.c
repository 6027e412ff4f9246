#include "store/checkpoint.h"

#include "base/json.h"
#include "base/json_write.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

void rn_checkpoint_free(rn_checkpoint *checkpoint)
{
    if (checkpoint == NULL)
        return;
    for (int i = 0; checkpoint->label_names != NULL && i < checkpoint->options.classes; i++)
        rn_free(checkpoint->label_names[i]);
    rn_free(checkpoint->label_names);
    rn_free(checkpoint->model);
    rn_graph_free(checkpoint->graph);
    rn_weights_free(checkpoint->weights);
    rn_weights_free(checkpoint->momentum);
    rn_weights_free(checkpoint->ema);
    rn_preprocess_free(checkpoint->preprocess);
    rn_ranges_free(checkpoint->ranges);
    rn_free(checkpoint->recipe);
    rn_free(checkpoint->state);
    rn_free(checkpoint->from);
    rn_free(checkpoint);
}

void rn_checkpoint_forget_ranges(rn_checkpoint *checkpoint)
{
    rn_ranges_free(checkpoint->ranges);
    checkpoint->ranges = NULL;
}

int rn_preprocess_shape(uint64_t shape[3], rn_normalize normalize, const rn_model_options *options)
{
    shape[0] = (uint64_t)options->channels;
    shape[1] = (uint64_t)options->height;
    shape[2] = (uint64_t)options->width;
    switch (normalize) {
    case RN_NORMALIZE_CHANNEL:
    case RN_NORMALIZE_CHANNEL_MEAN:
        return 1;
    case RN_NORMALIZE_PIXEL:
    case RN_NORMALIZE_PIXEL_MEAN:
        return 3;
    case RN_NORMALIZE_NONE:
    case RN_NORMALIZE_IMAGENET: // which no preprocess has
        break;
    }
    return 0;
}

// The tensors of a file in the making, with the names that prefixes make.
typedef struct tensor_list {
    rn_tensor *tensors;
    char (*names)[RN_TENSOR_NAME];
    size_t count;
} tensor_list;

rn_tensor rn_checkpoint_tensor(const rn_weights *weights, int index, const char *name)
{
    const rn_param *param = rn_weights_param(weights, index);
    rn_tensor tensor = {.name = name,
                        .dims = param->dims,
                        .count = param->count,
                        .data = rn_weights_read(weights, index)};

    for (int d = 0; d < param->dims; d++)
        tensor.shape[d] = (uint64_t)param->shape[d];
    return tensor;
}

static void add_weights(tensor_list *list, const char *prefix, const rn_weights *weights,
                        bool trained_only)
{
    for (int i = 0; weights != NULL && i < rn_weights_count(weights); i++) {
        const rn_param *param = rn_weights_param(weights, i);
        if (trained_only && !rn_param_trained(param))
            continue;
        char *name = list->names[list->count];
        snprintf(name, RN_TENSOR_NAME, "%s%s", prefix, param->name);
        list->tensors[list->count++] = rn_checkpoint_tensor(weights, i, name);
    }
}

static void add_preprocess(tensor_list *list, const rn_preprocess *preprocess,
                           const rn_model_options *options)
{
    rn_tensor tensor = {.name = RN_TENSOR_MEAN, .count = preprocess->entries};

    tensor.dims = rn_preprocess_shape(tensor.shape, preprocess->normalize, options);
    if (tensor.dims == 0)
        return;
    tensor.data = preprocess->mean;
    list->tensors[list->count++] = tensor;
    tensor.name = RN_TENSOR_DEVIATION;
    tensor.data = preprocess->deviation;
    list->tensors[list->count++] = tensor;
}

static rn_status collect_tensors(tensor_list *list, const rn_checkpoint *checkpoint,
                                 const rn_model_options *options)
{
    rn_status st = RN_OK;
    size_t most = 3 * (size_t)rn_weights_count(checkpoint->weights) + 2;

    RN_TRY(RN_NEW(&list->tensors, most));
    RN_TRY(rn_alloc((void **)&list->names, most, sizeof *list->names));
    add_weights(list, "", checkpoint->weights, false);
    add_weights(list, RN_PREFIX_MOMENTUM, checkpoint->momentum, true);
    add_weights(list, RN_PREFIX_EMA, checkpoint->ema, false);
    add_preprocess(list, checkpoint->preprocess, options);
out:
    return st;
}

static rn_status build_metadata(cJSON **out, const rn_checkpoint *checkpoint)
{
    rn_status st = RN_OK;

    RN_TRY(rn_meta_build(out, checkpoint, true));
    if (checkpoint->recipe != NULL)
        RN_TRY(rn_json_add_text(*out, RN_META_RECIPE, checkpoint->recipe));
    if (checkpoint->state != NULL)
        RN_TRY(rn_json_add_text(*out, RN_META_STATE, checkpoint->state));
    if (checkpoint->from != NULL)
        RN_TRY(rn_json_add_text(*out, RN_META_FROM, checkpoint->from));
out:
    return st;
}

const char *rn_checkpoint_model(const rn_checkpoint *checkpoint)
{
    return checkpoint->graph == NULL ? checkpoint->model : rn_graph_model(checkpoint->graph);
}

const rn_model_options *rn_checkpoint_options(const rn_checkpoint *checkpoint)
{
    return checkpoint->graph == NULL ? &checkpoint->options : rn_graph_options(checkpoint->graph);
}

rn_status rn_checkpoint_check(const rn_checkpoint *checkpoint)
{
    const rn_preprocess *preprocess = checkpoint->preprocess;
    const rn_model_options *options = rn_checkpoint_options(checkpoint);

    if (rn_checkpoint_model(checkpoint) == NULL || checkpoint->weights == NULL ||
        preprocess == NULL || checkpoint->label_names == NULL)
        return rn_error(RN_EINVAL, "a checkpoint needs model, weights, preprocess and label names");
    if (preprocess->channels != options->channels || preprocess->height != options->height ||
        preprocess->width != options->width)
        return rn_error(RN_EINVAL, "preprocess is for %d x %d x %d, the model for %d x %d x %d",
                        preprocess->channels, preprocess->height, preprocess->width,
                        options->channels, options->height, options->width);
    return RN_OK;
}

rn_status rn_checkpoint_save(const rn_checkpoint *checkpoint, const char *path)
{
    rn_status st = RN_OK;
    cJSON *metadata = NULL;
    tensor_list list = {0};

    RN_TRY(rn_checkpoint_check(checkpoint));
    RN_TRY(build_metadata(&metadata, checkpoint));
    RN_TRY(collect_tensors(&list, checkpoint, rn_checkpoint_options(checkpoint)));
    RN_TRY(rn_safetensors_write(path, metadata, list.tensors, list.count));
out:
    rn_free(list.names);
    rn_free(list.tensors);
    cJSON_Delete(metadata);
    return st;
}
