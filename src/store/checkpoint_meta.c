// The metadata of a model file: model, options, preprocess, labels.
#include "store/checkpoint.h"

#include "augment/centre.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/memory.h"
#include "base/number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLOAT_TEXT = 24 };

rn_status rn_as_format(rn_status st)
{
    return st == RN_EINVAL || st == RN_EUNSUPPORTED ? RN_EFORMAT : st;
}

// Writing

static rn_status add_printed(cJSON *metadata, const char *key, const cJSON *json)
{
    rn_status st = RN_OK;
    char *text = NULL;

    RN_TRY(rn_json_print(&text, json, false));
    RN_TRY(rn_json_add_text(metadata, key, text));
out:
    rn_free(text);
    return st;
}

static rn_status add_options(cJSON *metadata, const rn_model_options *options)
{
    rn_status st = RN_OK;
    cJSON *json = NULL;

    RN_TRY(rn_json_object(&json));
    RN_TRY(rn_json_add_number(json, "classes", options->classes));
    RN_TRY(rn_json_add_number(json, "channels", options->channels));
    RN_TRY(rn_json_add_number(json, "height", options->height));
    RN_TRY(rn_json_add_number(json, "width", options->width));
    RN_TRY(add_printed(metadata, RN_META_OPTIONS, json));
out:
    cJSON_Delete(json);
    return st;
}

// The shortest text that a reader of doubles rounds back to this float.
static int print_float(char text[FLOAT_TEXT], float value)
{
    int length = 0;

    for (int digits = 1; digits <= FLT_DECIMAL_DIG; digits++) {
        length = rn_print(text, FLOAT_TEXT, "%.*g", digits, (double)value);
        if ((float)rn_strtod(text, NULL) == value)
            break;
    }
    return length;
}

static rn_status add_floats(cJSON *json, const char *key, const float *values, size_t count)
{
    rn_status st = RN_OK;
    char *text = NULL, *end;

    RN_TRY(rn_alloc((void **)&text, count + 1, FLOAT_TEXT));
    end = text;
    *end++ = '[';
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            *end++ = ',';
        end += print_float(end, values[i]);
    }
    memcpy(end, "]", 2);
    RN_TRY(rn_json_add_item(json, key, cJSON_CreateRaw(text)));
out:
    rn_free(text);
    return st;
}

static rn_status add_preprocess(cJSON *metadata, const rn_preprocess *preprocess, bool values)
{
    rn_status st = RN_OK;
    cJSON *json = NULL;

    RN_TRY(rn_json_object(&json));
    RN_TRY(rn_json_add_text(json, "normalize", rn_normalize_name(preprocess->normalize)));
    if (values && preprocess->entries > 0) {
        RN_TRY(add_floats(json, "mean", preprocess->mean, preprocess->entries));
        RN_TRY(add_floats(json, "deviation", preprocess->deviation, preprocess->entries));
    }
    if (preprocess->centre_ratio != rn_usual_centre_ratio(preprocess->height, preprocess->width))
        RN_TRY(rn_json_add_number(json, "centre_ratio", preprocess->centre_ratio));
    RN_TRY(add_printed(metadata, RN_META_PREPROCESS, json));
out:
    cJSON_Delete(json);
    return st;
}

static rn_status add_labels(cJSON *metadata, char *const *names, int classes)
{
    rn_status st = RN_OK;
    cJSON *json = cJSON_CreateArray();

    if (json == NULL)
        return rn_error(RN_ENOMEM, "out of memory: JSON cannot be built");
    for (int i = 0; i < classes; i++)
        RN_TRY(rn_json_append(json, rn_json_text_item(names[i])));
    st = add_printed(metadata, RN_META_LABELS, json);
out:
    cJSON_Delete(json);
    return st;
}

rn_status rn_meta_build(cJSON **out, const rn_checkpoint *checkpoint, bool own)
{
    rn_status st = RN_OK;
    const rn_model_options *options = rn_checkpoint_options(checkpoint);
    cJSON *metadata = NULL;

    *out = NULL;
    RN_TRY(rn_json_object(&metadata));
    if (own)
        RN_TRY(rn_json_add_text(metadata, RN_META_VERSION, RN_FORMAT_VERSION));
    RN_TRY(rn_json_add_text(metadata, RN_META_MODEL, rn_checkpoint_model(checkpoint)));
    RN_TRY(add_options(metadata, options));
    RN_TRY(add_preprocess(metadata, checkpoint->preprocess, !own));
    RN_TRY(add_labels(metadata, checkpoint->label_names, options->classes));
    if (own)
        RN_TRY(rn_meta_add_ranges(metadata, checkpoint));
    *out = metadata;
    metadata = NULL; // now the caller's
out:
    cJSON_Delete(metadata);
    return st;
}

// Reading

const char *rn_meta_text(const cJSON *metadata, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(metadata, key));
}

rn_status rn_meta_object(cJSON **out, const cJSON *metadata, const char *key)
{
    const char *text = rn_meta_text(metadata, key);

    *out = NULL;
    return text == NULL ? RN_OK : rn_json_parse(out, text, strlen(text), key);
}

static rn_status read_int(const cJSON *json, const char *key, int *value)
{
    int64_t number = *value;
    rn_status st = rn_json_int64(json, key, 1, INT32_MAX, &number, RN_META_OPTIONS);

    *value = (int)number;
    return st;
}

rn_status rn_meta_options(rn_model_options *options, const cJSON *metadata)
{
    static const char *const keys[] = {"classes", "channels", "height", "width"};
    rn_status st = RN_OK;
    cJSON *json = NULL;

    RN_TRY(rn_meta_object(&json, metadata, RN_META_OPTIONS));
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

static rn_status read_floats(float **out, const cJSON *json, const char *key, size_t count)
{
    rn_status st = RN_OK;
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, key), *item;
    float *next;

    if (list == NULL)
        return RN_OK;
    if (!cJSON_IsArray(list) || (size_t)cJSON_GetArraySize(list) != count)
        return rn_error(RN_EFORMAT, "%s: '%s' is not a list of %zu numbers", RN_META_PREPROCESS,
                        key, count);
    RN_TRY(RN_NEW(out, count));
    next = *out;
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsNumber(item))
            return rn_error(RN_EFORMAT, "%s: '%s' has something else than numbers",
                            RN_META_PREPROCESS, key);
        *next++ = (float)item->valuedouble;
    }
out:
    return st;
}

static rn_status read_centre_ratio(double *ratio, const cJSON *json)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, "centre_ratio");

    if (item == NULL)
        return RN_OK;
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0.01 && item->valuedouble <= 1))
        return rn_error(RN_EFORMAT, "%s: 'centre_ratio' is no number from 0.01 to 1",
                        RN_META_PREPROCESS);
    *ratio = item->valuedouble;
    return RN_OK;
}

static rn_status read_normalization(rn_meta_normalization *out, const cJSON *json,
                                    const rn_model_options *options)
{
    static const char *const keys[] = {"normalize", "mean", "deviation", "centre_ratio"};
    rn_status st = RN_OK;
    const char *name = "none";
    uint64_t shape[3];
    size_t count = 1;

    RN_TRY(rn_json_known_keys(json, keys, sizeof keys / sizeof *keys, RN_META_PREPROCESS));
    RN_TRY(rn_json_text(json, "normalize", &name, RN_META_PREPROCESS));
    RN_TRY(rn_as_format(rn_normalize_parse(&out->normalize, name)));
    if (out->normalize == RN_NORMALIZE_IMAGENET) {
        st =
            rn_error(RN_EFORMAT, "%s: 'normalize' is 'imagenet', expected 'channel' and its values",
                     RN_META_PREPROCESS);
        goto out;
    }
    RN_TRY(read_centre_ratio(&out->centre_ratio, json));
    int dims = rn_preprocess_shape(shape, out->normalize, options);
    for (int d = 0; d < dims; d++)
        count *= (size_t)shape[d];
    RN_TRY(read_floats(&out->mean, json, "mean", dims > 0 ? count : 0));
    RN_TRY(read_floats(&out->deviation, json, "deviation", dims > 0 ? count : 0));
    if ((out->mean == NULL) != (out->deviation == NULL))
        st = rn_error(RN_EFORMAT, "%s: '%s' is missing", RN_META_PREPROCESS,
                      out->mean == NULL ? "mean" : "deviation");
out:
    return st;
}

rn_status rn_meta_preprocess(rn_meta_normalization *out, const cJSON *metadata,
                             const rn_model_options *options)
{
    rn_status st = RN_OK;
    cJSON *json = NULL;

    *out = (rn_meta_normalization){.normalize = RN_NORMALIZE_NONE};
    RN_TRY(rn_meta_object(&json, metadata, RN_META_PREPROCESS));
    out->said = json != NULL;
    if (json != NULL)
        RN_TRY(read_normalization(out, json, options));
out:
    if (st != RN_OK) {
        rn_free(out->mean);
        rn_free(out->deviation);
        *out = (rn_meta_normalization){.normalize = RN_NORMALIZE_NONE};
    }
    cJSON_Delete(json);
    return st;
}

rn_status rn_meta_make_preprocess(rn_preprocess **out, const rn_meta_normalization *found,
                                  const rn_model_options *options)
{
    rn_status st =
        rn_as_format(rn_preprocess_create(out, found->normalize, options->channels, options->height,
                                          options->width, found->mean, found->deviation));

    if (st == RN_OK && found->centre_ratio > 0)
        (*out)->centre_ratio = found->centre_ratio;
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

rn_status rn_meta_labels(char ***out, const cJSON *metadata, int classes)
{
    rn_status st = RN_OK;
    const char *text = rn_meta_text(metadata, RN_META_LABELS);
    cJSON *list = NULL;

    *out = NULL;
    if (text != NULL)
        RN_TRY(rn_json_parse_list(&list, text, strlen(text), RN_META_LABELS));
    if (list != NULL && cJSON_GetArraySize(list) != classes) {
        st = rn_error(RN_EFORMAT, "%s is not a list of %d texts", RN_META_LABELS, classes);
        goto out;
    }
    RN_TRY(RN_NEW(out, (size_t)classes));
    RN_TRY(list == NULL ? number_labels(*out, classes) : copy_labels(*out, list));
out:
    cJSON_Delete(list);
    return st;
}
