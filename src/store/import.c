#include "store/import.h"

#include "base/memory.h"

#include <string.h>

// A model being made: what is in `made` so far is valid.
typedef struct importing {
    rn_state state;
    cJSON *metadata; // of texts, or NULL
    const rn_import_options *told;
    rn_origin *origin;
    rn_checkpoint *made;
    bool told_model; // the spec is the caller's
} importing;

static rn_status parse_metadata(importing *in)
{
    rn_status st = RN_OK;
    const char *text = in->state.foreign->metadata;
    const cJSON *item;

    if (text != NULL)
        RN_TRY(rn_json_parse(&in->metadata, text, strlen(text), "metadata"));
    cJSON_ArrayForEach(item, in->metadata)
    {
        if (!cJSON_IsString(item))
            return rn_error(RN_EFORMAT, "metadata '%s' is not a text", item->string);
    }
out:
    return st;
}

static void take(int *value, int said)
{
    if (said != 0)
        *value = said;
}

// What the tensors show, unless the file itself or else the options say it. A graph knows best;
// what it leaves open has been taken from metadata.
static rn_status find_options(rn_model_options *options, const importing *in)
{
    rn_status st = RN_OK;
    const rn_foreign *foreign = in->state.foreign;

    rn_infer_options(options, &in->state);
    take(&options->height, in->told->height);
    take(&options->width, in->told->width);
    RN_TRY(rn_meta_options(options, in->metadata));
    if (foreign->model == NULL)
        return RN_OK;
    *options = foreign->options;
    if (foreign->open_height)
        take(&options->height, in->told->height);
    if (foreign->open_width)
        take(&options->width, in->told->width);
out:
    return st;
}

static rn_status create_graph(importing *in)
{
    rn_status st = RN_OK;
    rn_model_options options;
    char *inferred = NULL;
    const char *said = in->state.foreign->model != NULL ? in->state.foreign->model
                                                        : rn_meta_text(in->metadata, RN_META_MODEL);

    RN_TRY(find_options(&options, in));
    if (said != NULL) {
        RN_TRY(rn_as_format(rn_graph_create(&in->made->graph, said, &options)));
    } else if (in->told->model != NULL) {
        in->told_model = true;
        RN_TRY(rn_graph_create(&in->made->graph, in->told->model, &options));
    } else {
        RN_TRY(rn_infer_model(&inferred, &in->state));
        st = rn_graph_create(&in->made->graph, inferred, &options);
        if (st == RN_EINVAL)
            st = rn_error_prefix(RN_EUNSUPPORTED, "as '%s'", inferred);
        in->origin->inferred_model = true;
    }
    RN_TRY(st);
    in->made->options = *rn_graph_options(in->made->graph);
    RN_TRY(rn_strdup(&in->made->model, rn_graph_model(in->made->graph)));
out:
    rn_free(inferred);
    return st;
}

static rn_status check_tensor(rn_state_entry *entry, const char *name, int dims,
                              const uint64_t *shape)
{
    if (entry == NULL)
        return rn_error(RN_EFORMAT, "tensor '%s' is missing", name);
    if (entry->source->tensor.data == NULL)
        return rn_error(RN_EFORMAT, "tensor '%s' has type %s, expected a float of 16 to 64 bits",
                        name, entry->source->type);
    entry->used = true;
    return rn_tensor_check_shape(&entry->source->tensor, dims, shape);
}

static rn_status check_param(const importing *in, const rn_param *param)
{
    uint64_t shape[4];

    for (int d = 0; d < param->dims; d++)
        shape[d] = (uint64_t)param->shape[d];
    return check_tensor(rn_state_find(&in->state, "%s", param->name), param->name, param->dims,
                        shape);
}

// Integers that no parameter is named like count something; floats are part of a network.
static rn_status check_all_used(const importing *in)
{
    for (size_t i = 0; i < in->state.count; i++) {
        const rn_state_entry *entry = &in->state.entries[i];
        if (!entry->used && entry->source->tensor.data != NULL &&
            strcmp(entry->name, RN_TENSOR_MEAN) != 0 &&
            strcmp(entry->name, RN_TENSOR_DEVIATION) != 0)
            return rn_error(RN_EFORMAT, "tensor '%s' has no place in it", entry->name);
    }
    return RN_OK;
}

// Before memory is taken for them: a file may claim any model.
static rn_status check_params(const importing *in)
{
    rn_status st = RN_OK;
    const rn_graph *graph = in->made->graph;

    for (int i = 0; i < rn_graph_params(graph); i++)
        RN_TRY(check_param(in, rn_graph_param(graph, i)));
    RN_TRY(check_all_used(in));
out:
    if (st == RN_EFORMAT && in->told_model)
        st = RN_EINVAL;
    if (st != RN_OK)
        rn_error_prefix(st, "as '%s'", rn_graph_model(graph));
    return st;
}

static rn_status copy_weights(importing *in)
{
    rn_status st = RN_OK;

    RN_TRY(rn_weights_create(&in->made->weights, in->made->graph));
    for (int i = 0; i < rn_weights_count(in->made->weights); i++) {
        const rn_param *param = rn_weights_param(in->made->weights, i);
        const rn_state_entry *entry = rn_state_find(&in->state, "%s", param->name);
        memcpy(rn_weights_data(in->made->weights, i), entry->source->tensor.data,
               param->count * sizeof(float));
    }
out:
    return st;
}

static rn_status make_preprocess(importing *in, rn_normalize normalize, const float *mean,
                                 const float *deviation)
{
    const rn_model_options *options = &in->made->options;

    return rn_preprocess_create(&in->made->preprocess, normalize, options->channels,
                                options->height, options->width, mean, deviation);
}

// A copy, because the file's bytes may lie at any address.
static rn_status copy_values(float **out, const importing *in, const char *name,
                             rn_normalize normalize)
{
    rn_status st = RN_OK;
    uint64_t shape[3];
    rn_state_entry *entry = rn_state_find(&in->state, "%s", name);
    int dims = rn_preprocess_shape(shape, normalize, &in->made->options);

    RN_TRY(check_tensor(entry, name, dims, shape));
    RN_TRY(RN_NEW(out, entry->source->tensor.count));
    memcpy(*out, entry->source->tensor.data, entry->source->tensor.count * sizeof **out);
out:
    return st;
}

static rn_status assume_preprocess(importing *in)
{
    static const float mean[] = {0.485f, 0.456f, 0.406f}; // ImageNet's, as all of torchvision's
    static const float deviation[] = {0.229f, 0.224f, 0.225f};
    const rn_import_options *told = in->told;

    if (told->mean != NULL)
        return make_preprocess(
            in, told->deviation != NULL ? RN_NORMALIZE_CHANNEL : RN_NORMALIZE_CHANNEL_MEAN,
            told->mean, told->deviation);
    in->origin->assumed_preprocess = true;
    if (in->made->options.channels == 3)
        return make_preprocess(in, RN_NORMALIZE_CHANNEL, mean, deviation);
    return make_preprocess(in, RN_NORMALIZE_NONE, NULL, NULL);
}

static rn_status find_preprocess(importing *in)
{
    rn_status st = RN_OK;
    rn_meta_normalization found;

    RN_TRY(rn_meta_preprocess(&found, in->metadata, &in->made->options));
    if (!found.said)
        return assume_preprocess(in);
    if (found.normalize != RN_NORMALIZE_NONE && found.mean == NULL) {
        RN_TRY(copy_values(&found.mean, in, RN_TENSOR_MEAN, found.normalize));
        RN_TRY(copy_values(&found.deviation, in, RN_TENSOR_DEVIATION, found.normalize));
    }
    RN_TRY(rn_meta_make_preprocess(&in->made->preprocess, &found, &in->made->options));
out:
    rn_free(found.mean);
    rn_free(found.deviation);
    return st;
}

rn_status rn_import(rn_checkpoint **out, rn_origin *origin, const rn_foreign *foreign,
                    const rn_import_options *options)
{
    static const rn_import_options nothing = {0};
    rn_status st = RN_OK;
    importing in = {.told = options == NULL ? &nothing : options, .origin = origin};

    *out = NULL;
    RN_TRY(rn_import_check(in.told));
    RN_TRY(rn_state_init(&in.state, foreign));
    RN_TRY(parse_metadata(&in));
    RN_TRY(RN_NEW(&in.made, 1));
    RN_TRY(create_graph(&in));
    RN_TRY(check_params(&in));
    RN_TRY(rn_import_lengths(&in.made->options, in.told));
    RN_TRY(copy_weights(&in));
    RN_TRY(find_preprocess(&in));
    RN_TRY(rn_meta_labels(&in.made->label_names, in.metadata, in.made->options.classes));
    RN_TRY(rn_import_agree(in.made, in.told));
    *out = in.made;
    in.made = NULL; // now the caller's
out:
    rn_checkpoint_free(in.made);
    cJSON_Delete(in.metadata);
    rn_state_release(&in.state);
    return st;
}
