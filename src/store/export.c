// Models for other programs.
#include "base/json_write.h"
#include "base/memory.h"
#include "store/checkpoint.h"
#include "store/foreign.h"

#include <string.h>
#include <strings.h>

static rn_file_format format_of_path(const char *path)
{
    static const struct {
        const char *ending;
        rn_file_format format;
    } endings[] = {{".safetensors", RN_FILE_RESNET},
                   {".pth", RN_FILE_TORCH},
                   {".pt", RN_FILE_TORCH},
                   {".th", RN_FILE_TORCH},
                   {".onnx", RN_FILE_ONNX}};
    size_t length = strlen(path);

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t ending = strlen(endings[i].ending);
        if (length > ending && strcasecmp(path + length - ending, endings[i].ending) == 0)
            return endings[i].format;
    }
    return RN_FILE_UNKNOWN;
}

static rn_status choose_format(rn_file_format *format, const char *path,
                               const rn_export_options *options)
{
    *format = options->format != RN_FILE_UNKNOWN ? options->format : format_of_path(path);
    if (rn_file_format_name(*format) == NULL)
        return rn_error(RN_EINVAL,
                        "'%s': its ending says no format, expected .safetensors, .pth, .pt, .th or "
                        ".onnx",
                        path);
    if (options->fold_batch_norm && *format != RN_FILE_ONNX)
        return rn_error(RN_EINVAL, "'%s': batch norms are folded in ONNX files only, not in '%s'",
                        path, rn_file_format_name(*format));
    return RN_OK;
}

static rn_status list_weights(rn_tensor **out, const rn_weights *weights)
{
    rn_status st = RN_OK;

    RN_TRY(RN_NEW(out, (size_t)rn_weights_count(weights)));
    for (int i = 0; i < rn_weights_count(weights); i++)
        (*out)[i] = rn_checkpoint_tensor(weights, i, rn_weights_param(weights, i)->name);
out:
    return st;
}

// Only the weights, by the names that PyTorch's load_state_dict() wants; the rest is metadata.
static rn_status save_state_dict(const rn_checkpoint *model, const char *path)
{
    rn_status st = RN_OK;
    cJSON *metadata = NULL;
    rn_tensor *tensors = NULL;

    RN_TRY(rn_meta_build(&metadata, model, false));
    RN_TRY(rn_json_add_text(metadata, "format", "pt")); // some loaders insist
    RN_TRY(list_weights(&tensors, model->weights));
    RN_TRY(rn_safetensors_write(path, metadata, tensors, (size_t)rn_weights_count(model->weights)));
out:
    rn_free(tensors);
    cJSON_Delete(metadata);
    return st;
}

static rn_status save_torch(const rn_checkpoint *model, const char *path)
{
    rn_status st = RN_OK;
    rn_tensor *tensors = NULL;

    RN_TRY(list_weights(&tensors, model->weights));
    RN_TRY(rn_torch_write(path, tensors, (size_t)rn_weights_count(model->weights)));
out:
    rn_free(tensors);
    return st;
}

static rn_status save_onnx(const rn_checkpoint *model, const char *path, bool fold)
{
    rn_status st = RN_OK;
    cJSON *metadata = NULL;

    RN_TRY(rn_meta_build(&metadata, model, false));
    RN_TRY(rn_onnx_write(path, model, model->weights, metadata, fold));
out:
    cJSON_Delete(metadata);
    return st;
}

rn_status rn_model_save(const rn_checkpoint *checkpoint, const char *path,
                        const rn_export_options *options)
{
    static const rn_export_options defaults = {0};
    rn_status st = RN_OK;
    rn_file_format format;
    rn_checkpoint model = *checkpoint; // borrows every part

    options = options == NULL ? &defaults : options;
    RN_TRY(choose_format(&format, path, options));
    RN_TRY(rn_checkpoint_check(checkpoint));
    if (checkpoint->ema != NULL && !options->last)
        model.weights = checkpoint->ema;
    model.momentum = model.ema = NULL;
    model.state = NULL;
    switch (format) {
    case RN_FILE_RESNET:
        return rn_checkpoint_save(&model, path);
    case RN_FILE_SAFETENSORS:
        return save_state_dict(&model, path);
    case RN_FILE_TORCH:
        return save_torch(&model, path);
    default:
        return save_onnx(&model, path, options->fold_batch_norm);
    }
out:
    return st;
}
