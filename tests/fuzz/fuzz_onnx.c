// Any bytes as an ONNX file: rn_onnx_parse() gives an error, or tensors that can all be read.
#include "base/memory.h"
#include "store/foreign.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// What the compiler must not leave out.
static volatile float sink;

static void touch(const rn_tensor *tensor)
{
    float sum = 0, value;

    for (size_t i = 0; i < tensor->count; i++) {
        memcpy(&value, (const char *)tensor->data + i * sizeof value, sizeof value);
        sum += value;
    }
    sink = sum + (float)strlen(tensor->name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = NULL;
    rn_foreign *foreign = NULL;

    if (rn_alloc((void **)&bytes, size, 1) != RN_OK)
        return 0;
    if (size > 0)
        memcpy(bytes, data, size);
    if (rn_onnx_parse(&foreign, bytes, size, NULL) != RN_OK) {
        if (foreign != NULL || rn_error_message()[0] == '\0')
            abort();
        return 0;
    }
    for (size_t i = 0; i < foreign->count; i++)
        touch(&foreign->tensors[i].tensor);
    rn_foreign_free(foreign);
    return 0;
}
