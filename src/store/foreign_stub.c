// Stands in for the readers and writers of PyTorch and ONNX files until they are there.
#include "store/foreign.h"

#include "base/memory.h"

#include <string.h>

void rn_foreign_free(rn_foreign *foreign)
{
    if (foreign == NULL)
        return;
    if (foreign->release != NULL)
        foreign->release(foreign->owner);
    rn_free(foreign->tensors);
    rn_free(foreign->model);
    rn_free(foreign->metadata);
    rn_free(foreign);
}

bool rn_torch_recognise(const char *bytes, size_t size)
{
    return size >= 4 &&
           (memcmp(bytes, "PK\3\4", 4) == 0 || memcmp(bytes, "\x80\2\x8a\x0a", 4) == 0);
}

static rn_status missing(const char *what)
{
    return rn_error(RN_EUNSUPPORTED, "this build has no %s", what);
}

rn_status rn_torch_parse(rn_foreign **out, char *bytes, size_t size)
{
    (void)size;
    *out = NULL;
    rn_free(bytes);
    return missing("reader of PyTorch files");
}

rn_status rn_torch_write(const char *path, const rn_tensor *tensors, size_t count)
{
    (void)path;
    (void)tensors;
    (void)count;
    return missing("writer of PyTorch files");
}

rn_status rn_onnx_parse(rn_foreign **out, char *bytes, size_t size)
{
    (void)size;
    *out = NULL;
    rn_free(bytes);
    return missing("reader of ONNX files");
}

rn_status rn_onnx_write(const char *path, const rn_checkpoint *checkpoint,
                        const rn_weights *weights, const cJSON *metadata, bool fold)
{
    (void)path;
    (void)checkpoint;
    (void)weights;
    (void)metadata;
    (void)fold;
    return missing("writer of ONNX files");
}
