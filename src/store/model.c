// Models in files of any format, which their first bytes tell.
#include "base/file.h"
#include "base/memory.h"
#include "store/import.h"

#include <string.h>

enum { LENGTH_BYTES = 8, HEADER_START = LENGTH_BYTES + 1 };

const char *rn_file_format_name(rn_file_format format)
{
    static const char *const names[] = {[RN_FILE_RESNET] = "resnet",
                                        [RN_FILE_SAFETENSORS] = "safetensors",
                                        [RN_FILE_TORCH] = "torch",
                                        [RN_FILE_ONNX] = "onnx"};

    return (unsigned)format < sizeof names / sizeof *names ? names[format] : NULL;
}

// A length below 2^40, then JSON.
static bool is_safetensors(const char *bytes, size_t size)
{
    return size >= HEADER_START && bytes[LENGTH_BYTES] == '{' &&
           memcmp(bytes + 5, "\0\0\0", 3) == 0;
}

// Protobuf's writers go by field numbers, and ONNX's first is ir_version, a small number.
static bool is_onnx(const char *bytes, size_t size)
{
    return size >= 2 && bytes[0] == 0x08 && bytes[1] > 0;
}

static rn_file_format recognise(const char *bytes, size_t size)
{
    if (is_safetensors(bytes, size))
        return RN_FILE_SAFETENSORS;
    if (rn_torch_recognise(bytes, size))
        return RN_FILE_TORCH;
    return is_onnx(bytes, size) ? RN_FILE_ONNX : RN_FILE_UNKNOWN;
}

static rn_status unknown_format(const char *bytes, size_t size)
{
    const unsigned char *b = (const unsigned char *)bytes;

    if (size < 4)
        return rn_error(RN_EFORMAT, "no model file: it has %zu byte%s", size, size == 1 ? "" : "s");
    return rn_error(RN_EFORMAT,
                    "no model file: it begins with %02x %02x %02x %02x, expected safetensors, a "
                    "PyTorch zip or pickle, or ONNX",
                    b[0], b[1], b[2], b[3]);
}

static rn_status judge(const char *head, size_t bytes, uint64_t size)
{
    switch (recognise(head, bytes)) {
    case RN_FILE_SAFETENSORS:
        return rn_safetensors_judge(head, bytes, size);
    case RN_FILE_UNKNOWN:
        return unknown_format(head, bytes);
    default:
        return RN_OK;
    }
}

// The whole file is either ours, in every part, or a state dict.
static rn_status load_safetensors(rn_checkpoint **out, rn_foreign **foreign, rn_origin *origin,
                                  char *bytes, size_t size)
{
    rn_status st = RN_OK;
    rn_safetensors *file = NULL;

    RN_TRY(rn_safetensors_parse(&file, bytes, size));
    if (rn_safetensors_metadata(file, RN_META_VERSION) != NULL) {
        origin->format = RN_FILE_RESNET;
        RN_TRY(rn_checkpoint_from(out, file));
        goto out;
    }
    rn_safetensors *given = file;
    file = NULL; // the result's, whatever happens
    RN_TRY(rn_safetensors_foreign(foreign, given));
out:
    rn_safetensors_free(file);
    return st;
}

// Exactly one of `out` and `foreign` is set.
static rn_status read_bytes(rn_checkpoint **out, rn_foreign **foreign, rn_origin *origin,
                            char *bytes, size_t size, const char *path)
{
    origin->format = recognise(bytes, size);
    switch (origin->format) {
    case RN_FILE_SAFETENSORS:
        return load_safetensors(out, foreign, origin, bytes, size);
    case RN_FILE_TORCH:
        return rn_torch_parse(foreign, bytes, size);
    default: // judged before it was read
        return rn_onnx_parse(foreign, bytes, size, path);
    }
}

static rn_status load_bytes(rn_checkpoint **out, rn_origin *origin, char *bytes, size_t size,
                            const char *path, const rn_import_options *options)
{
    rn_status st = RN_OK;
    rn_foreign *foreign = NULL;
    rn_checkpoint *made = NULL;

    RN_TRY(read_bytes(&made, &foreign, origin, bytes, size, path));
    if (foreign != NULL)
        RN_TRY(rn_import(&made, origin, foreign, options));
    else if (options != NULL)
        RN_TRY(rn_import_agree(made, options));
    *out = made;
    made = NULL; // now the caller's
out:
    rn_checkpoint_free(made);
    rn_foreign_free(foreign);
    return st;
}

rn_status rn_model_load(rn_checkpoint **out, rn_origin *origin, const char *path,
                        const rn_import_options *options)
{
    rn_status st = RN_OK;
    rn_origin found = {0};
    char *bytes = NULL;
    size_t size = 0;

    *out = NULL;
    RN_TRY(rn_file_read_if(&bytes, &size, path, SIZE_MAX, judge));
    st = load_bytes(out, &found, bytes, size, path, options);
    if (st != RN_OK)
        rn_error_prefix(st, "'%s'", path);
    if (origin != NULL)
        *origin = found;
out:
    return st;
}

rn_status rn_model_create(rn_checkpoint **out, const char *model, const rn_model_options *options,
                          uint64_t seed)
{
    rn_status st = RN_OK;
    rn_checkpoint *made = NULL;

    *out = NULL;
    RN_TRY(RN_NEW(&made, 1));
    RN_TRY(rn_graph_create(&made->graph, model, options));
    made->options = *rn_graph_options(made->graph);
    RN_TRY(rn_strdup(&made->model, rn_graph_model(made->graph)));
    RN_TRY(rn_weights_create(&made->weights, made->graph));
    rn_weights_initialise(made->weights, seed);
    RN_TRY(rn_preprocess_create(&made->preprocess, RN_NORMALIZE_NONE, made->options.channels,
                                made->options.height, made->options.width, NULL, NULL));
    RN_TRY(rn_meta_labels(&made->label_names, NULL, made->options.classes));
    *out = made;
    made = NULL; // now the caller's
out:
    rn_checkpoint_free(made);
    return st;
}
