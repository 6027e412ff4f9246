#include "store/safetensors.h"

#include "base/file.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { LENGTH_BYTES = 8, HEADER_ALIGNMENT = 8, ENTRY_TEXT = 320 };

uint32_t rn_crc32(uint32_t crc, const void *data, size_t bytes)
{
    return (uint32_t)crc32_z(crc, data, bytes);
}

void rn_crc32_text(char text[RN_CRC_DIGITS + 1], uint32_t crc)
{
    snprintf(text, RN_CRC_DIGITS + 1, "%08x", (unsigned)crc);
}

static void put_length(unsigned char bytes[LENGTH_BYTES], uint64_t length)
{
    for (int i = 0; i < LENGTH_BYTES; i++)
        bytes[i] = (unsigned char)(length >> (8 * i));
}

uint32_t rn_safetensors_header_crc(const char *header, size_t length)
{
    unsigned char prefix[LENGTH_BYTES];

    put_length(prefix, length);
    return rn_crc32(rn_crc32(0, prefix, sizeof prefix), header, length);
}

static rn_status check_tensor(const rn_tensor *tensor)
{
    uint64_t count = 1;
    bool overflow = tensor->dims < 0 || tensor->dims > RN_TENSOR_DIMS;

    for (int d = 0; d < tensor->dims && !overflow; d++)
        overflow = __builtin_mul_overflow(count, tensor->shape[d], &count);
    if (overflow || count != tensor->count || count > SIZE_MAX / sizeof(float))
        return rn_error(RN_EINVAL, "tensor '%s': %zu elements are not what its shape has",
                        tensor->name, tensor->count);
    return RN_OK;
}

// {"dtype":"F32","shape":[16,3,3,3],"data_offsets":[0,1728]}
static cJSON *entry_json(const rn_tensor *tensor, uint64_t begin)
{
    char text[ENTRY_TEXT];
    int length = snprintf(text, sizeof text, "{\"dtype\":\"F32\",\"shape\":[");

    for (int d = 0; d < tensor->dims; d++)
        length += snprintf(text + length, sizeof text - (size_t)length, "%s%llu", d ? "," : "",
                           (unsigned long long)tensor->shape[d]);
    snprintf(text + length, sizeof text - (size_t)length, "],\"data_offsets\":[%llu,%llu]}",
             (unsigned long long)begin,
             (unsigned long long)(begin + tensor->count * sizeof(float)));
    return cJSON_CreateRaw(text);
}

static rn_status tensor_checksums(char **out, const rn_tensor *tensors, size_t count)
{
    rn_status st = rn_alloc((void **)out, count * RN_CRC_DIGITS + 1, 1);

    for (size_t i = 0; i < count && st == RN_OK; i++)
        rn_crc32_text(*out + i * RN_CRC_DIGITS,
                      rn_crc32(0, tensors[i].data, tensors[i].count * sizeof(float)));
    return st;
}

static rn_status add_metadata(cJSON *header, const cJSON *metadata, const char *checksums)
{
    rn_status st = RN_OK;
    cJSON *own = NULL;
    const cJSON *item;

    RN_TRY(rn_json_object(&own));
    RN_TRY(rn_json_add_text(own, RN_SAFETENSORS_HEADER_CRC, "00000000"));
    RN_TRY(rn_json_add_text(own, RN_SAFETENSORS_TENSORS_CRC, checksums));
    cJSON_ArrayForEach(item, metadata)
    {
        RN_TRY(rn_json_add_text(own, item->string, item->valuestring));
    }
    cJSON *given = own;
    own = NULL; // the header's, whatever happens
    RN_TRY(rn_json_add_item(header, "__metadata__", given));
out:
    cJSON_Delete(own);
    return st;
}

static rn_status add_entries(cJSON *header, const rn_tensor *tensors, size_t count)
{
    rn_status st = RN_OK;
    uint64_t begin = 0;

    for (size_t i = 0; i < count; i++) {
        RN_TRY(check_tensor(&tensors[i]));
        RN_TRY(rn_json_add_item(header, tensors[i].name, entry_json(&tensors[i], begin)));
        begin += tensors[i].count * sizeof(float);
    }
out:
    return st;
}

// Print, pad with spaces so that the data is aligned, and put the checksum over its zeroes.
static rn_status finish_header(char **out, size_t *length, const cJSON *header)
{
    rn_status st = RN_OK;
    char *text = NULL, crc[RN_CRC_DIGITS + 1];

    RN_TRY(rn_json_print(&text, header, false));
    size_t printed = strlen(text);
    *length = (printed + HEADER_ALIGNMENT - 1) / HEADER_ALIGNMENT * HEADER_ALIGNMENT;
    if (*length > RN_SAFETENSORS_HEADER) {
        st = rn_error(RN_EUNSUPPORTED, "header of %zu bytes, expected at most %zu", *length,
                      RN_SAFETENSORS_HEADER);
        goto out;
    }
    RN_TRY(rn_alloc((void **)out, *length + 1, 1));
    memset(*out, ' ', *length);
    memcpy(*out, text, printed);
    rn_crc32_text(crc, rn_safetensors_header_crc(*out, *length));
    memcpy(*out + strlen(RN_SAFETENSORS_PREFIX), crc, RN_CRC_DIGITS);
out:
    rn_free(text);
    return st;
}

static rn_status build_header(char **out, size_t *length, const cJSON *metadata,
                              const rn_tensor *tensors, size_t count)
{
    rn_status st = RN_OK;
    cJSON *header = NULL;
    char *checksums = NULL;

    *out = NULL;
    RN_TRY(rn_json_object(&header));
    RN_TRY(tensor_checksums(&checksums, tensors, count));
    RN_TRY(add_metadata(header, metadata, checksums));
    RN_TRY(add_entries(header, tensors, count));
    RN_TRY(finish_header(out, length, header));
out:
    rn_free(checksums);
    cJSON_Delete(header);
    return st;
}

rn_status rn_safetensors_write(const char *path, const cJSON *metadata, const rn_tensor *tensors,
                               size_t count)
{
    rn_status st = RN_OK;
    rn_atomic_file file = {.descriptor = -1};
    unsigned char prefix[LENGTH_BYTES];
    char *header = NULL;
    size_t length = 0;

    st = build_header(&header, &length, metadata, tensors, count);
    if (st == RN_EUNSUPPORTED)
        rn_error_prefix(st, "'%s'", path);
    RN_TRY(st);
    put_length(prefix, length);
    RN_TRY(rn_atomic_file_open(&file, path));
    RN_TRY(rn_atomic_file_write(&file, prefix, sizeof prefix));
    RN_TRY(rn_atomic_file_write(&file, header, length));
    for (size_t i = 0; i < count; i++)
        RN_TRY(rn_atomic_file_write(&file, tensors[i].data, tensors[i].count * sizeof(float)));
    RN_TRY(rn_atomic_file_commit(&file));
out:
    rn_atomic_file_abandon(&file);
    rn_free(header);
    return st;
}
