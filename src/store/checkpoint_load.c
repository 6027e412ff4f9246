#include "store/checkpoint.h"

#include "base/json.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

// A checkpoint being read: what is in `made` so far is valid.
typedef struct loading {
    const rn_safetensors *file;
    rn_checkpoint *made;
    size_t used; // tensors of the file that have found their place
} loading;

// A file of ours always carries checksums: a damaged name of theirs must not turn them off.
static rn_status check_version(const rn_safetensors *file)
{
    const char *version = rn_safetensors_metadata(file, RN_META_VERSION);

    if (rn_safetensors_metadata(file, RN_META_MODEL) == NULL)
        return rn_error(RN_EFORMAT, "metadata '%s' is missing: not a model file", RN_META_MODEL);
    if ((version != NULL) != rn_safetensors_checked(file))
        return rn_error(RN_EFORMAT, "metadata has %s but no %s",
                        version ? "a version" : "checksums", version ? "checksums" : "version");
    if (version != NULL && strcmp(version, RN_FORMAT_VERSION) != 0)
        return rn_error(RN_EFORMAT, "format version is '%s', expected '%s'", version,
                        RN_FORMAT_VERSION);
    return RN_OK;
}

static const cJSON *metadata_of(const loading *load)
{
    return rn_safetensors_metadata_all(load->file);
}

static rn_status check_types(const rn_safetensors *file)
{
    for (size_t i = 0; i < rn_safetensors_count(file); i++)
        if (strcmp(rn_safetensors_type(file, i)->name, "F32") != 0)
            return rn_error(RN_EFORMAT, "tensor '%s' has type '%s', expected F32",
                            rn_safetensors_tensor(file, i)->name,
                            rn_safetensors_type(file, i)->name);
    return RN_OK;
}

static rn_status load_graph(loading *load)
{
    rn_status st = RN_OK;
    rn_model_options options = {0};
    rn_graph *graph = NULL;

    RN_TRY(rn_meta_options(&options, metadata_of(load)));
    st = rn_graph_create(&graph, rn_safetensors_metadata(load->file, RN_META_MODEL), &options);
    RN_TRY(rn_as_format(st));
    load->made->graph = graph;
    load->made->options = *rn_graph_options(graph);
    RN_TRY(rn_strdup(&load->made->model, rn_graph_model(graph)));
out:
    return st;
}

enum { SHAPE_TEXT = RN_TENSOR_DIMS * 21 + 16 };

// "shape 16x3x3x3", "no dimensions"
static void print_shape(char text[SHAPE_TEXT], int dims, const uint64_t *shape)
{
    int length = snprintf(text, SHAPE_TEXT, "%s", dims == 0 ? "no dimensions" : "shape ");

    for (int d = 0; d < dims; d++)
        length += snprintf(text + length, (size_t)(SHAPE_TEXT - length), "%s%llu", d > 0 ? "x" : "",
                           (unsigned long long)shape[d]);
}

rn_status rn_tensor_check_shape(const rn_tensor *tensor, int dims, const uint64_t *shape)
{
    char found[SHAPE_TEXT], wanted[SHAPE_TEXT];

    if (tensor->dims == dims && memcmp(tensor->shape, shape, (size_t)dims * sizeof *shape) == 0)
        return RN_OK;
    print_shape(found, tensor->dims, tensor->shape);
    print_shape(wanted, dims, shape);
    return rn_error(RN_EFORMAT, "tensor '%s' has %s, expected %s", tensor->name, found, wanted);
}

static rn_status find_tensor(loading *load, const rn_tensor **out, const char *name, int dims,
                             const uint64_t *shape)
{
    *out = rn_safetensors_find(load->file, name);
    if (*out == NULL)
        return rn_error(RN_EFORMAT, "tensor '%s' is missing", name);
    load->used++;
    return rn_tensor_check_shape(*out, dims, shape);
}

static rn_status find_param(loading *load, const rn_tensor **out, const char *prefix,
                            const rn_param *param)
{
    char name[RN_TENSOR_NAME];
    uint64_t shape[4];

    snprintf(name, sizeof name, "%s%s", prefix, param->name);
    for (int d = 0; d < param->dims; d++)
        shape[d] = (uint64_t)param->shape[d];
    return find_tensor(load, out, name, param->dims, shape);
}

// Before memory is taken for them: a header may claim any model.
static rn_status check_set(loading *load, const char *prefix, bool trained_only)
{
    rn_status st = RN_OK;
    const rn_tensor *tensor;
    const rn_graph *graph = load->made->graph;

    for (int i = 0; i < rn_graph_params(graph); i++) {
        const rn_param *param = rn_graph_param(graph, i);
        if (!trained_only || rn_param_trained(param))
            RN_TRY(find_param(load, &tensor, prefix, param));
    }
out:
    return st;
}

static rn_status load_set(rn_weights **out, loading *load, const char *prefix, bool trained_only)
{
    rn_status st = RN_OK;
    rn_weights *weights = NULL;
    const rn_graph *graph = load->made->graph;
    const rn_tensor *tensor;
    size_t used;

    RN_TRY(check_set(load, prefix, trained_only));
    used = load->used; // what follows counts them again
    RN_TRY(rn_weights_create(&weights, graph));
    for (int i = 0; i < rn_graph_params(graph); i++) {
        const rn_param *param = rn_graph_param(graph, i);
        if (trained_only && !rn_param_trained(param))
            continue;
        RN_TRY(find_param(load, &tensor, prefix, param));
        memcpy(rn_weights_data(weights, i), tensor->data, tensor->count * sizeof(float));
    }
    load->used = used;
    *out = weights;
    weights = NULL; // now the caller's
out:
    rn_weights_free(weights);
    return st;
}

static bool has_set(const rn_safetensors *file, const char *prefix)
{
    for (size_t i = 0; i < rn_safetensors_count(file); i++) {
        if (strncmp(rn_safetensors_tensor(file, i)->name, prefix, strlen(prefix)) == 0)
            return true;
    }
    return false;
}

static rn_status load_weights(loading *load)
{
    rn_status st = RN_OK;

    RN_TRY(load_set(&load->made->weights, load, "", false));
    if (has_set(load->file, RN_PREFIX_MOMENTUM))
        RN_TRY(load_set(&load->made->momentum, load, RN_PREFIX_MOMENTUM, true));
    if (has_set(load->file, RN_PREFIX_EMA))
        RN_TRY(load_set(&load->made->ema, load, RN_PREFIX_EMA, false));
out:
    return st;
}

// A copy, because the file's bytes may lie at any address.
static rn_status copy_floats(float **out, loading *load, const char *name, int dims,
                             const uint64_t *shape)
{
    rn_status st = RN_OK;
    const rn_tensor *tensor;

    RN_TRY(find_tensor(load, &tensor, name, dims, shape));
    RN_TRY(RN_NEW(out, tensor->count));
    memcpy(*out, tensor->data, tensor->count * sizeof **out);
out:
    return st;
}

static rn_status load_preprocess(loading *load)
{
    rn_status st = RN_OK;
    const rn_model_options *options = &load->made->options;
    rn_meta_normalization found;
    uint64_t shape[3];

    RN_TRY(rn_meta_preprocess(&found, metadata_of(load), options));
    int dims = rn_preprocess_shape(shape, found.normalize, options);
    if (dims > 0 && found.mean == NULL) {
        RN_TRY(copy_floats(&found.mean, load, RN_TENSOR_MEAN, dims, shape));
        RN_TRY(copy_floats(&found.deviation, load, RN_TENSOR_DEVIATION, dims, shape));
    }
    RN_TRY(rn_meta_make_preprocess(&load->made->preprocess, &found, options));
out:
    rn_free(found.mean);
    rn_free(found.deviation);
    return st;
}

// Recipe and state are others' to understand; that they are JSON objects is checked here.
static rn_status load_json(char **out, const rn_safetensors *file, const char *key)
{
    rn_status st = RN_OK;
    cJSON *json = NULL;

    RN_TRY(rn_meta_object(&json, rn_safetensors_metadata_all(file), key));
    if (json != NULL)
        RN_TRY(rn_strdup(out, rn_safetensors_metadata(file, key)));
out:
    cJSON_Delete(json);
    return st;
}

static const rn_param *param_after(const rn_graph *graph, const char *prefix, const char *name)
{
    size_t length = strlen(prefix);

    if (strncmp(name, prefix, length) != 0)
        return NULL;
    int index = rn_graph_find_param(graph, name + length);
    return index == RN_NO_PARAM ? NULL : rn_graph_param(graph, index);
}

static bool has_place(const rn_checkpoint *made, const char *name)
{
    const rn_param *momentum = param_after(made->graph, RN_PREFIX_MOMENTUM, name);

    if (strcmp(name, RN_TENSOR_MEAN) == 0 || strcmp(name, RN_TENSOR_DEVIATION) == 0)
        return made->preprocess->entries > 0;
    return (momentum != NULL && rn_param_trained(momentum)) ||
           param_after(made->graph, RN_PREFIX_EMA, name) != NULL ||
           param_after(made->graph, "", name) != NULL;
}

// Cheap where all is well; only to name the first stranger is every tensor looked at.
static rn_status check_all_used(const loading *load)
{
    size_t i = 0, count = rn_safetensors_count(load->file);

    if (load->used == count)
        return RN_OK;
    while (i + 1 < count && has_place(load->made, rn_safetensors_tensor(load->file, i)->name))
        i++;
    return rn_error(RN_EFORMAT, "tensor '%s' has no place in '%s'",
                    rn_safetensors_tensor(load->file, i)->name, load->made->model);
}

static rn_status load_parts(loading *load)
{
    rn_status st = RN_OK;

    RN_TRY(check_version(load->file));
    RN_TRY(check_types(load->file));
    RN_TRY(load_graph(load));
    RN_TRY(load_weights(load));
    RN_TRY(load_preprocess(load));
    RN_TRY(check_all_used(load));
    RN_TRY(
        rn_meta_labels(&load->made->label_names, metadata_of(load), load->made->options.classes));
    RN_TRY(rn_meta_ranges(&load->made->ranges, metadata_of(load), load->made->graph));
    RN_TRY(load_json(&load->made->recipe, load->file, RN_META_RECIPE));
    RN_TRY(load_json(&load->made->state, load->file, RN_META_STATE));
    if (rn_safetensors_metadata(load->file, RN_META_FROM) != NULL)
        RN_TRY(rn_strdup(&load->made->from, rn_safetensors_metadata(load->file, RN_META_FROM)));
out:
    return st;
}

rn_status rn_checkpoint_from(rn_checkpoint **out, const rn_safetensors *file)
{
    rn_status st = RN_OK;
    loading load = {.file = file};

    *out = NULL;
    RN_TRY(RN_NEW(&load.made, 1));
    RN_TRY(load_parts(&load));
    *out = load.made;
    load.made = NULL; // now the caller's
out:
    rn_checkpoint_free(load.made);
    return st;
}

rn_status rn_checkpoint_load(rn_checkpoint **out, const char *path)
{
    rn_status st = RN_OK;
    rn_safetensors *file = NULL;

    *out = NULL;
    RN_TRY(rn_safetensors_open(&file, path));
    st = rn_checkpoint_from(out, file);
    if (st != RN_OK)
        rn_error_prefix(st, "'%s'", path);
out:
    rn_safetensors_free(file);
    return st;
}
