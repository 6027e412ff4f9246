/** Reading PyTorch files in tests. Include after cmocka's headers. */
#ifndef STORE_TORCH_FILES_H
#define STORE_TORCH_FILES_H

#include "base/file.h"
#include "base/memory.h"
#include "store/foreign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline rn_status parse_torch(rn_foreign **out, const char *path)
{
    char *bytes = NULL;
    size_t size = 0;

    if (rn_file_read(&bytes, &size, path, (size_t)1 << 30) != RN_OK)
        fail_msg("%s", rn_error_message());
    return rn_torch_parse(out, bytes, size);
}

static inline rn_foreign *load_torch(const char *path)
{
    rn_foreign *foreign = NULL;

    if (parse_torch(&foreign, path) != RN_OK)
        fail_msg("%s: %s", path, rn_error_message());
    return foreign;
}

static inline rn_status parse_torch_copy(rn_foreign **out, const void *bytes, size_t size)
{
    char *copy = NULL;

    assert_int_equal(rn_alloc((void **)&copy, size + 1, 1), RN_OK);
    memcpy(copy, bytes, size);
    return rn_torch_parse(out, copy, size);
}

static inline const rn_foreign_tensor *find_torch(const rn_foreign *foreign, const char *name)
{
    for (size_t i = 0; i < foreign->count; i++) {
        if (strcmp(foreign->tensors[i].tensor.name, name) == 0)
            return &foreign->tensors[i];
    }
    fail_msg("no tensor '%s'", name);
    return NULL;
}

/** Element i, wherever it lies: data need not be aligned. */
static inline float torch_element(const rn_tensor *tensor, size_t i)
{
    float value;

    memcpy(&value, (const char *)tensor->data + i * sizeof value, sizeof value);
    return value;
}

#endif
