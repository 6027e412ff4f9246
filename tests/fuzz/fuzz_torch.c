// PyTorch's files: zip archives and legacy pickles, and every float that they give.
#include "base/memory.h"
#include "store/foreign.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A sanitizer sees a read beyond the owner's memory; the sum keeps the compiler from leaving it
// out.
static float touch(const rn_foreign *foreign)
{
    float sum = 0, value;

    for (size_t t = 0; t < foreign->count; t++) {
        const rn_tensor *tensor = &foreign->tensors[t].tensor;
        sum += (float)strlen(tensor->name) + (float)strlen(foreign->tensors[t].type);
        for (size_t i = 0; tensor->data != NULL && i < tensor->count; i++) {
            memcpy(&value, (const char *)tensor->data + i * sizeof value, sizeof value);
            sum += value;
        }
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static volatile float sum;
    rn_foreign *foreign = NULL;
    char *bytes = NULL;

    (void)rn_torch_recognise((const char *)data, size);
    if (rn_alloc((void **)&bytes, size, 1) != RN_OK)
        return 0;
    if (size > 0)
        memcpy(bytes, data, size);
    if (rn_torch_parse(&foreign, bytes, size) == RN_OK)
        sum = touch(foreign);
    (void)sum;
    rn_foreign_free(foreign);
    return 0;
}
