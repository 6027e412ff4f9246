#include "store/checkpoint.h"

#include "base/json.h"
#include "base/memory.h"
#include "store/safetensors.h"

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

static rn_status parse_metadata(cJSON **out, const rn_safetensors *file, const char *key)
{
    const char *text = rn_safetensors_metadata(file, key);

    *out = NULL;
    return text == NULL ? RN_OK : rn_json_parse(out, text, strlen(text), key);
}

static rn_status read_int(const cJSON *json, const char *key, int *value)
{
    int64_t number = 0;
    rn_status st = rn_json_int64(json, key, 1, INT32_MAX, &number, RN_META_OPTIONS);

    *value = (int)number;
    return st;
}

static rn_status read_options(rn_model_options *options, const rn_safetensors *file)
{
    static const char *const keys[] = {"classes", "channels", "height", "width"};
    rn_status st = RN_OK;
    cJSON *json = NULL;

    RN_TRY(parse_metadata(&json, file, RN_META_OPTIONS));
    if (json == NULL)
        return RN_OK;
    RN_TRY(rn_json_known_keys(json, keys, sizeof keys / sizeof *keys, RN_META_OPTIONS));
    RN_TRY(read_int(json, "classes", &options->classes));
    RN_TRY(read_int(json, "channels", &options->channels));
    RN_TRY(read_int(json, "height", &options->height));
    RN_TRY(read_int(json, "width", &options->width));
out:
    cJSON_Delete(json);
    return st;
}

// What the library refuses as an argument is malformed data where it comes from a file.
static rn_status as_format(rn_status st)
{
    return st == RN_EINVAL || st == RN_EUNSUPPORTED ? RN_EFORMAT : st;
}

static rn_status load_graph(loading *load)
{
    rn_status st = RN_OK;
    rn_model_options options = {0};
    rn_graph *graph = NULL;

    RN_TRY(read_options(&options, load->file));
    st = rn_graph_create(&graph, rn_safetensors_metadata(load->file, RN_META_MODEL), &options);
    RN_TRY(as_format(st));
    load->made->graph = graph;
    load->made->options = *rn_graph_options(graph);
    RN_TRY(rn_strdup(&load->made->model, rn_graph_model(graph)));
out:
    return st;
}

static rn_status check_shape(const rn_tensor *tensor, int dims, const uint64_t *shape)
{
    if (tensor->dims != dims)
        return rn_error(RN_EFORMAT, "tensor '%s' has %d dimensions, expected %d", tensor->name,
                        tensor->dims, dims);
    for (int d = 0; d < dims; d++) {
        if (tensor->shape[d] != shape[d])
            return rn_error(RN_EFORMAT, "tensor '%s' has %llu at dimension %d, expected %llu",
                            tensor->name, (unsigned long long)tensor->shape[d], d,
                            (unsigned long long)shape[d]);
    }
    return RN_OK;
}

static rn_status find_tensor(loading *load, const rn_tensor **out, const char *name, int dims,
                             const uint64_t *shape)
{
    *out = rn_safetensors_find(load->file, name);
    if (*out == NULL)
        return rn_error(RN_EFORMAT, "tensor '%s' is missing", name);
    load->used++;
    return check_shape(*out, dims, shape);
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

static rn_status read_normalize(rn_normalize *normalize, const rn_safetensors *file)
{
    static const char *const keys[] = {"normalize"};
    rn_status st = RN_OK;
    cJSON *json = NULL;
    const char *name = "none";

    RN_TRY(parse_metadata(&json, file, RN_META_PREPROCESS));
    if (json != NULL) {
        RN_TRY(rn_json_known_keys(json, keys, 1, RN_META_PREPROCESS));
        RN_TRY(rn_json_text(json, "normalize", &name, RN_META_PREPROCESS));
    }
    RN_TRY(as_format(rn_normalize_parse(normalize, name)));
out:
    cJSON_Delete(json);
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
    rn_normalize normalize = RN_NORMALIZE_NONE;
    float *mean = NULL, *deviation = NULL;
    uint64_t shape[3];

    RN_TRY(read_normalize(&normalize, load->file));
    int dims = rn_preprocess_shape(shape, normalize, options);
    if (dims > 0) {
        RN_TRY(copy_floats(&mean, load, RN_TENSOR_MEAN, dims, shape));
        RN_TRY(copy_floats(&deviation, load, RN_TENSOR_DEVIATION, dims, shape));
    }
    st = rn_preprocess_create(&load->made->preprocess, normalize, options->channels,
                              options->height, options->width, mean, deviation);
    RN_TRY(as_format(st));
out:
    rn_free(mean);
    rn_free(deviation);
    return st;
}

static rn_status copy_labels(char **names, const cJSON *list)
{
    rn_status st = RN_OK;
    const cJSON *item;
    int i = 0;

    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsString(item))
            return rn_error(RN_EFORMAT, "%s: label %d is not a text", RN_META_LABELS, i);
        RN_TRY(rn_strdup(&names[i++], item->valuestring));
    }
out:
    return st;
}

static rn_status number_labels(char **names, int classes)
{
    rn_status st = RN_OK;

    for (int i = 0; i < classes; i++)
        RN_TRY(rn_format(&names[i], "%d", i));
out:
    return st;
}

static rn_status load_labels(loading *load)
{
    rn_status st = RN_OK;
    const char *text = rn_safetensors_metadata(load->file, RN_META_LABELS);
    int classes = load->made->options.classes;
    cJSON *list = text == NULL ? NULL : cJSON_Parse(text);

    if (text != NULL && (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != classes)) {
        st = rn_error(RN_EFORMAT, "%s is not a list of %d texts", RN_META_LABELS, classes);
        goto out;
    }
    RN_TRY(RN_NEW(&load->made->label_names, (size_t)classes));
    RN_TRY(list == NULL ? number_labels(load->made->label_names, classes)
                        : copy_labels(load->made->label_names, list));
out:
    cJSON_Delete(list);
    return st;
}

// Recipe and state are others' to understand; that they are JSON objects is checked here.
static rn_status load_json(char **out, const rn_safetensors *file, const char *key)
{
    rn_status st = RN_OK;
    cJSON *json = NULL;

    RN_TRY(parse_metadata(&json, file, key));
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
    RN_TRY(load_graph(load));
    RN_TRY(load_weights(load));
    RN_TRY(load_preprocess(load));
    RN_TRY(check_all_used(load));
    RN_TRY(load_labels(load));
    RN_TRY(load_json(&load->made->recipe, load->file, RN_META_RECIPE));
    RN_TRY(load_json(&load->made->state, load->file, RN_META_STATE));
out:
    return st;
}

rn_status rn_checkpoint_load(rn_checkpoint **out, const char *path)
{
    rn_status st = RN_OK;
    rn_safetensors *file = NULL;
    loading load = {0};

    *out = NULL;
    RN_TRY(rn_safetensors_open(&file, path));
    RN_TRY(RN_NEW(&load.made, 1));
    load.file = file;
    st = load_parts(&load);
    if (st != RN_OK) {
        rn_error_prefix(st, "'%s'", path);
        goto out;
    }
    *out = load.made;
    load.made = NULL; // now the caller's
out:
    rn_checkpoint_free(load.made);
    rn_safetensors_free(file);
    return st;
}
