/**
 * Safetensors files of other programs: the parser, and what makes a model of named tensors.
 * Networks that need more than a corpus file holds are tried no further than their names.
 */
#include "base/memory.h"
#include "store/import.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// What a result promises: every byte of it can be read.
static float touch(const rn_foreign *foreign)
{
    float sum = 0;

    for (size_t i = 0; i < foreign->count; i++) {
        const rn_tensor *tensor = &foreign->tensors[i].tensor;
        for (size_t j = 0; tensor->data != NULL && j < tensor->count; j++) {
            float value;
            memcpy(&value, (const char *)tensor->data + j * sizeof value, sizeof value);
            sum += value;
        }
    }
    return sum;
}

static void import(const rn_foreign *foreign)
{
    rn_checkpoint *made = NULL;
    rn_origin origin = {0};
    rn_status st = rn_import(&made, &origin, foreign, NULL);

    if ((st == RN_OK) != (made != NULL) || (st != RN_OK && *rn_error_message() == '\0'))
        abort();
    rn_checkpoint_free(made);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static volatile float seen;
    rn_safetensors *file = NULL;
    rn_foreign *foreign = NULL;
    rn_checkpoint *own = NULL;
    char *bytes = NULL;

    if (rn_alloc((void **)&bytes, size, 1) != RN_OK)
        return 0;
    memcpy(bytes, data, size);
    if (rn_safetensors_parse(&file, bytes, size) != RN_OK)
        return 0;
    if (rn_checkpoint_from(&own, file) == RN_OK)
        rn_checkpoint_free(own);
    if (rn_safetensors_foreign(&foreign, file) != RN_OK)
        return 0;
    seen = touch(foreign);
    (void)seen; // volatile: the reading is done
    import(foreign);
    rn_foreign_free(foreign);
    return 0;
}
