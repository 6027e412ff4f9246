#include "store/safetensors.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 8, MAX_ELEMENT = 8 };

// The tensor comes first, so that one pointer is the other's.
typedef struct entry {
    rn_tensor tensor;
    const rn_element_type *type;
    size_t bytes;
} entry;

struct rn_safetensors {
    char *bytes;
    size_t size;
    size_t header_length;
    cJSON *header;
    const cJSON *metadata; // in header, or NULL
    entry *entries;        // in the order of their bytes
    const rn_tensor **by_name;
    size_t count;
    bool checked;
};

void rn_safetensors_free(rn_safetensors *file)
{
    if (file == NULL)
        return;
    rn_free(file->by_name);
    rn_free(file->entries);
    cJSON_Delete(file->header);
    rn_free(file->bytes);
    rn_free(file);
}

static const char *data_of(const rn_safetensors *file)
{
    return file->bytes + LENGTH_BYTES + file->header_length;
}

static size_t data_size(const rn_safetensors *file)
{
    return file->size - LENGTH_BYTES - file->header_length;
}

// Of the header, as the file's first bytes claim it.
static uint64_t claimed_length(const char *head)
{
    uint64_t length = 0;

    for (int i = 0; i < LENGTH_BYTES; i++)
        length |= (uint64_t)(unsigned char)head[i] << (8 * i);
    return length;
}

rn_status rn_safetensors_judge(const char *head, size_t bytes, uint64_t size)
{
    if (bytes < LENGTH_BYTES)
        return rn_error(RN_EFORMAT, "%zu bytes, expected at least %d", bytes, LENGTH_BYTES);
    const uint64_t length = claimed_length(head);
    if (length > size - LENGTH_BYTES)
        return rn_error(RN_EFORMAT,
                        "no safetensors file, or cut short: it claims a header of %llu bytes in a "
                        "file of %llu",
                        (unsigned long long)length, (unsigned long long)size);
    if (length > RN_SAFETENSORS_HEADER)
        return rn_error(RN_EFORMAT, "header of %llu bytes, expected at most %zu",
                        (unsigned long long)length, RN_SAFETENSORS_HEADER);
    if (length == 0 || bytes == LENGTH_BYTES || head[LENGTH_BYTES] != '{')
        return rn_error(RN_EFORMAT, "byte %d is not the '{' of a safetensors header", LENGTH_BYTES);
    return RN_OK;
}

static rn_status read_length(rn_safetensors *file)
{
    rn_status st = rn_safetensors_judge(file->bytes, file->size, file->size);

    if (st == RN_OK)
        file->header_length = (size_t)claimed_length(file->bytes);
    return st;
}

static rn_status parse_header(rn_safetensors *file)
{
    rn_status st = RN_OK;
    char *text = NULL; // with the NUL that parsing needs

    RN_TRY(rn_alloc((void **)&text, file->header_length + 1, 1));
    memcpy(text, file->bytes + LENGTH_BYTES, file->header_length);
    RN_TRY(rn_json_parse(&file->header, text, file->header_length, "header"));
out:
    rn_free(text);
    return st;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// Members with equal names would hide one another.
static rn_status check_unique_keys(const cJSON *object, const char *what)
{
    rn_status st = RN_OK;
    const char **keys = NULL;
    size_t count = 0;
    const cJSON *item;

    RN_TRY(RN_NEW(&keys, (size_t)cJSON_GetArraySize(object)));
    cJSON_ArrayForEach(item, object)
    {
        keys[count++] = item->string;
    }
    qsort(keys, count, sizeof *keys, compare_texts);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(keys[i - 1], keys[i]) == 0) {
            st = rn_error(RN_EFORMAT, "%s '%s' appears twice", what, keys[i]);
            goto out;
        }
    }
out:
    rn_free(keys);
    return st;
}

static rn_status check_metadata(rn_safetensors *file)
{
    rn_status st = RN_OK;
    const cJSON *item;

    file->metadata = cJSON_GetObjectItemCaseSensitive(file->header, "__metadata__");
    if (file->metadata == NULL)
        return RN_OK;
    if (!cJSON_IsObject(file->metadata))
        return rn_error(RN_EFORMAT, "'__metadata__' is not an object");
    RN_TRY(check_unique_keys(file->metadata, "metadata"));
    cJSON_ArrayForEach(item, file->metadata)
    {
        if (!cJSON_IsString(item))
            return rn_error(RN_EFORMAT, "metadata '%s' is not a text", item->string);
    }
out:
    return st;
}

// Either checksum says that this file was written here, and then the other must be there too: a
// damaged key must not turn checking off.
static rn_status check_header_crc(rn_safetensors *file)
{
    rn_status st = RN_OK;
    const char *stored = rn_safetensors_metadata(file, RN_SAFETENSORS_HEADER_CRC);
    const char *tensors = rn_safetensors_metadata(file, RN_SAFETENSORS_TENSORS_CRC);
    const size_t place = strlen(RN_SAFETENSORS_PREFIX);
    char *header = NULL, computed[RN_CRC_DIGITS + 1];

    if (stored == NULL && tensors == NULL)
        return RN_OK;
    if (stored == NULL || tensors == NULL)
        return rn_error(RN_EFORMAT, "metadata '%s' is missing: the header is damaged",
                        stored == NULL ? RN_SAFETENSORS_HEADER_CRC : RN_SAFETENSORS_TENSORS_CRC);
    if (strlen(stored) != RN_CRC_DIGITS || file->header_length < place + RN_CRC_DIGITS ||
        memcmp(file->bytes + LENGTH_BYTES, RN_SAFETENSORS_PREFIX, place) != 0)
        return rn_error(RN_EFORMAT, "metadata '%s' is not at its place: the header is damaged",
                        RN_SAFETENSORS_HEADER_CRC);
    RN_TRY(RN_NEW(&header, file->header_length));
    memcpy(header, file->bytes + LENGTH_BYTES, file->header_length);
    memset(header + place, '0', RN_CRC_DIGITS);
    rn_crc32_text(computed, rn_safetensors_header_crc(header, file->header_length));
    if (strcmp(computed, stored) != 0)
        st = rn_error(RN_EFORMAT, "header has checksum %s, expected %s: it is damaged", computed,
                      stored);
    file->checked = true;
out:
    rn_free(header);
    return st;
}

static bool read_whole(const cJSON *item, uint64_t *value)
{
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= 0x1p53) ||
        item->valuedouble != floor(item->valuedouble))
        return false;
    *value = (uint64_t)item->valuedouble;
    return true;
}

static rn_status read_shape(rn_tensor *tensor, const cJSON *shape)
{
    uint64_t count = 1;
    const cJSON *item;

    if (!cJSON_IsArray(shape))
        return rn_error(RN_EFORMAT, "tensor '%s': 'shape' is missing or not a list", tensor->name);
    cJSON_ArrayForEach(item, shape)
    {
        if (tensor->dims == RN_TENSOR_DIMS)
            return rn_error(RN_EFORMAT, "tensor '%s' has more than %d dimensions", tensor->name,
                            RN_TENSOR_DIMS);
        if (!read_whole(item, &tensor->shape[tensor->dims]) ||
            __builtin_mul_overflow(count, tensor->shape[tensor->dims], &count))
            return rn_error(RN_EFORMAT, "tensor '%s': dimension %d of its shape is out of range",
                            tensor->name, tensor->dims);
        tensor->dims++;
    }
    if (count > SIZE_MAX / MAX_ELEMENT)
        return rn_error(RN_EFORMAT, "tensor '%s' has too many elements", tensor->name);
    tensor->count = (size_t)count;
    return RN_OK;
}

static rn_status read_offsets(const rn_safetensors *file, entry *made, const cJSON *offsets)
{
    const char *name = made->tensor.name;
    uint64_t begin, end;

    made->bytes = made->tensor.count * made->type->bytes;
    if (!cJSON_IsArray(offsets) || cJSON_GetArraySize(offsets) != 2 ||
        !read_whole(offsets->child, &begin) || !read_whole(offsets->child->next, &end))
        return rn_error(RN_EFORMAT, "tensor '%s': 'data_offsets' are not two whole numbers", name);
    if (begin > end || end > data_size(file))
        return rn_error(RN_EFORMAT, "tensor '%s' has bytes %llu to %llu of %zu", name,
                        (unsigned long long)begin, (unsigned long long)end, data_size(file));
    if (end - begin != made->bytes)
        return rn_error(RN_EFORMAT, "tensor '%s' has %llu bytes, expected %zu for its shape", name,
                        (unsigned long long)(end - begin), made->bytes);
    made->tensor.data = data_of(file) + begin;
    return RN_OK;
}

static rn_status read_type(const rn_element_type **type, const cJSON *member, const char *name)
{
    rn_status st = RN_OK;
    const char *text = "";

    RN_TRY(rn_json_text(member, "dtype", &text, "tensor"));
    *type = rn_element_type_find(text);
    if (*type == NULL)
        st = rn_error(RN_EFORMAT, "tensor '%s' has the unknown type '%s', expected F32 or the like",
                      name, text);
out:
    return st;
}

static rn_status read_tensor(const rn_safetensors *file, entry *made, const cJSON *member)
{
    static const char *const keys[] = {"dtype", "shape", "data_offsets"};
    rn_status st = RN_OK;
    const char *name = member->string;

    *made = (entry){.tensor.name = name};
    if (!cJSON_IsObject(member))
        return rn_error(RN_EFORMAT, "tensor '%s' is not an object", name);
    RN_TRY(rn_json_known_keys(member, keys, sizeof keys / sizeof *keys, "tensor"));
    if (cJSON_GetArraySize(member) != (int)(sizeof keys / sizeof *keys))
        return rn_error(RN_EFORMAT, "tensor '%s' has a member too many or too few", name);
    RN_TRY(read_type(&made->type, member, name));
    RN_TRY(read_shape(&made->tensor, cJSON_GetObjectItemCaseSensitive(member, "shape")));
    RN_TRY(read_offsets(file, made, cJSON_GetObjectItemCaseSensitive(member, "data_offsets")));
out:
    return st;
}

// An empty tensor shares its place with the next one: it comes first, and two such by name.
static int compare_places(const void *a, const void *b)
{
    const rn_tensor *x = &((const entry *)a)->tensor, *y = &((const entry *)b)->tensor;
    const char *p = x->data, *q = y->data;

    if (p != q)
        return p < q ? -1 : 1;
    if ((x->count == 0) != (y->count == 0))
        return x->count == 0 ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(const rn_tensor *const *)a)->name, (*(const rn_tensor *const *)b)->name);
}

static rn_status check_coverage(const rn_safetensors *file)
{
    const char *next = data_of(file);

    for (size_t i = 0; i < file->count; i++) {
        const rn_tensor *tensor = &file->entries[i].tensor;
        if ((const char *)tensor->data != next)
            return rn_error(RN_EFORMAT, "tensor '%s' starts at data byte %td, expected %td",
                            tensor->name, (const char *)tensor->data - data_of(file),
                            next - data_of(file));
        next += file->entries[i].bytes;
    }
    if ((size_t)(next - data_of(file)) != data_size(file))
        return rn_error(RN_EFORMAT, "%zu bytes of data, expected %td", data_size(file),
                        next - data_of(file));
    return RN_OK;
}

static rn_status read_tensors(rn_safetensors *file)
{
    rn_status st = RN_OK;
    size_t members = (size_t)cJSON_GetArraySize(file->header);
    const cJSON *member;

    RN_TRY(check_unique_keys(file->header, "tensor"));
    RN_TRY(RN_NEW(&file->entries, members));
    RN_TRY(RN_NEW(&file->by_name, members));
    cJSON_ArrayForEach(member, file->header)
    {
        if (member != file->metadata)
            RN_TRY(read_tensor(file, &file->entries[file->count++], member));
    }
    qsort(file->entries, file->count, sizeof *file->entries, compare_places);
    for (size_t i = 0; i < file->count; i++)
        file->by_name[i] = &file->entries[i].tensor;
    qsort(file->by_name, file->count, sizeof *file->by_name, compare_names);
    st = check_coverage(file);
out:
    return st;
}

static rn_status check_tensor_crcs(const rn_safetensors *file)
{
    const char *stored = rn_safetensors_metadata(file, RN_SAFETENSORS_TENSORS_CRC);
    char computed[RN_CRC_DIGITS + 1];

    if (!file->checked)
        return RN_OK;
    if (strlen(stored) != file->count * RN_CRC_DIGITS)
        return rn_error(RN_EFORMAT, "metadata '%s' has %zu digits, expected %zu",
                        RN_SAFETENSORS_TENSORS_CRC, strlen(stored), file->count * RN_CRC_DIGITS);
    for (size_t i = 0; i < file->count; i++, stored += RN_CRC_DIGITS) {
        const rn_tensor *tensor = &file->entries[i].tensor;
        rn_crc32_text(computed, rn_crc32(0, tensor->data, file->entries[i].bytes));
        if (memcmp(computed, stored, RN_CRC_DIGITS) != 0)
            return rn_error(RN_EFORMAT, "tensor '%s' has checksum %s, expected %.8s: it is damaged",
                            tensor->name, computed, stored);
    }
    return RN_OK;
}

rn_status rn_safetensors_parse(rn_safetensors **out, char *bytes, size_t size)
{
    rn_status st = RN_OK;
    rn_safetensors *file = NULL;

    *out = NULL;
    RN_TRY(RN_NEW(&file, 1));
    file->bytes = bytes;
    file->size = size;
    bytes = NULL; // now the file's
    RN_TRY(read_length(file));
    RN_TRY(parse_header(file));
    RN_TRY(check_metadata(file));
    RN_TRY(check_header_crc(file));
    RN_TRY(read_tensors(file));
    RN_TRY(check_tensor_crcs(file));
    *out = file;
    file = NULL; // now the caller's
out:
    rn_safetensors_free(file);
    rn_free(bytes);
    return st;
}

rn_status rn_safetensors_open(rn_safetensors **out, const char *path)
{
    rn_status st = RN_OK;
    char *bytes = NULL;
    size_t size = 0;

    *out = NULL;
    RN_TRY(rn_file_read_if(&bytes, &size, path, SIZE_MAX, rn_safetensors_judge));
    st = rn_safetensors_parse(out, bytes, size);
    if (st != RN_OK)
        rn_error_prefix(st, "'%s'", path);
out:
    return st;
}

size_t rn_safetensors_count(const rn_safetensors *file)
{
    return file->count;
}

const rn_tensor *rn_safetensors_tensor(const rn_safetensors *file, size_t index)
{
    return &file->entries[index].tensor;
}

const rn_element_type *rn_safetensors_type(const rn_safetensors *file, size_t index)
{
    return file->entries[index].type;
}

const rn_tensor *rn_safetensors_find(const rn_safetensors *file, const char *name)
{
    const rn_tensor wanted = {.name = name}, *key = &wanted;
    const rn_tensor **found =
        bsearch(&key, file->by_name, file->count, sizeof *file->by_name, compare_names);

    return found == NULL ? NULL : *found;
}

const cJSON *rn_safetensors_metadata_all(const rn_safetensors *file)
{
    return file->metadata;
}

const char *rn_safetensors_metadata(const rn_safetensors *file, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(file->metadata, key));
}

bool rn_safetensors_checked(const rn_safetensors *file)
{
    return file->checked;
}
