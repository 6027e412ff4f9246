// Values of an ONNX model's initializers in files beside it, where PyTorch's exporter puts them.
#include "store/onnx.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <unistd.h>

typedef struct rn_onnx_file {
    rn_onnx_text name; // as the model has it
    char *bytes;
    size_t size;
} rn_onnx_file;

// The model's folder.
typedef struct fetching {
    rn_onnx_files *files;
    const char *folder;
    int descriptor;
} fetching;

static rn_status open_failed(rn_onnx_text name, const char *path)
{
    if (errno != ELOOP && errno != ENOTDIR && errno != EINVAL)
        return rn_file_error("open", path);
    return rn_error(RN_EFORMAT,
                    "values lie in '%.*s', expected a regular file in the model's folder or below "
                    "(links are not followed)",
                    RN_ONNX_TEXT(name));
}

static rn_status read_file(fetching *fetch, rn_onnx_file *file)
{
    rn_status st = RN_OK;
    char *name = NULL, *path = NULL;
    int descriptor = -1;

    RN_TRY(rn_format(&name, "%.*s", (int)file->name.size, file->name.data));
    RN_TRY(rn_format(&path, "%s/%s", fetch->folder, name));
    descriptor = rn_open_below(fetch->descriptor, name);
    if (descriptor < 0) {
        st = open_failed(file->name, path);
        goto out;
    }
    RN_TRY(rn_file_read_open(&file->bytes, &file->size, descriptor, path,
                             (size_t)RN_PROTO_LARGEST - fetch->files->bytes));
    fetch->files->bytes += file->size;
out:
    if (descriptor >= 0)
        close(descriptor);
    rn_free(path);
    rn_free(name);
    return st;
}

// Neighbouring tensors mostly lie in one file: the newest is looked at first.
static rn_status find_file(const rn_onnx_file **out, fetching *fetch, rn_onnx_text name)
{
    rn_status st = RN_OK;
    rn_onnx_files *files = fetch->files;

    for (size_t i = files->count; i-- > 0;) {
        *out = &files->files[i];
        if (rn_onnx_compare(name, (*out)->name) == 0)
            return RN_OK;
    }
    if (files->count == RN_ONNX_FILES)
        return rn_error(RN_EUNSUPPORTED, "values lie in more than %d files", RN_ONNX_FILES);
    RN_TRY(
        rn_grow((void **)&files->files, &files->capacity, files->count + 1, sizeof *files->files));
    rn_onnx_file *file = &files->files[files->count];
    *file = (rn_onnx_file){.name = name};
    RN_TRY(read_file(fetch, file));
    files->count++;
    *out = file;
out:
    return st;
}

static rn_status fetch_tensor(fetching *fetch, rn_onnx_tensor *tensor)
{
    rn_status st = RN_OK;
    const rn_onnx_file *file = NULL;
    uint64_t offset = tensor->place.offset, length = tensor->place.length;

    if (fetch->descriptor < 0)
        return rn_error(RN_EUNSUPPORTED, "values lie in another file, '%.*s'",
                        RN_ONNX_TEXT(tensor->place.file));
    RN_TRY(find_file(&file, fetch, tensor->place.file));
    if (offset <= file->size && length == UINT64_MAX)
        length = file->size - offset;
    if (offset > file->size || length > file->size - offset)
        return rn_error(RN_EFORMAT, "%llu bytes from byte %llu of '%.*s', which has %zu",
                        (unsigned long long)length, (unsigned long long)offset,
                        RN_ONNX_TEXT(file->name), file->size);
    tensor->external = false;
    st = rn_onnx_set_raw(tensor, rn_proto_start(file->bytes + offset, (size_t)length));
out:
    return st;
}

static rn_status fetch_all(fetching *fetch, rn_onnx_model *model)
{
    rn_status st = RN_OK;

    for (size_t i = 0; i < model->tensor_count && st == RN_OK; i++) {
        rn_onnx_tensor *tensor = &model->tensors[i];
        if (tensor->external)
            st = fetch_tensor(fetch, tensor);
        if (st != RN_OK)
            rn_error_prefix(st, "tensor '%.*s'", RN_ONNX_TEXT(tensor->name));
    }
    return st;
}

rn_status rn_onnx_fetch(rn_onnx_files *files, rn_onnx_model *model, const char *path)
{
    rn_status st = RN_OK;
    fetching fetch = {.files = files, .descriptor = -1};
    char *copy = NULL;

    if (path != NULL) {
        RN_TRY(rn_strdup(&copy, path));
        fetch.folder = dirname(copy);
        fetch.descriptor = rn_open_at(AT_FDCWD, fetch.folder, O_PATH | O_DIRECTORY);
        if (fetch.descriptor < 0) {
            st = rn_file_error("open", fetch.folder);
            goto out;
        }
    }
    RN_TRY(fetch_all(&fetch, model));
out:
    if (fetch.descriptor >= 0)
        close(fetch.descriptor);
    rn_free(copy);
    return st;
}

void rn_onnx_files_release(rn_onnx_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        rn_free(files->files[i].bytes);
    rn_free(files->files);
    *files = (rn_onnx_files){0};
}
