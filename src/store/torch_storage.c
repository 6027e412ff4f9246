#include "store/torch.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN = 80 }; // most bytes of a key in a message

/** A part of a storage under a name of its own, which files of old versions have. */
typedef struct view {
    bool given;
    uint64_t offset, count; // elements
} view;

static int shown(const rn_torch_storage *storage)
{
    return storage->key_length > SHOWN ? SHOWN : (int)storage->key_length;
}

static bool read_count(const rn_pickle_value *value, uint64_t *count)
{
    if (value == NULL || value->kind != RN_PICKLE_INTEGER || value->integer < 0)
        return false;
    *count = (uint64_t)value->integer;
    return true;
}

// (key, offset, count), or None.
static rn_status read_view(view *out, const rn_pickle *pickle, const rn_pickle_value *value)
{
    *out = (view){0};
    if (value == NULL || value->kind == RN_PICKLE_NONE)
        return RN_OK;
    if (value->kind != RN_PICKLE_TUPLE ||
        !read_count(rn_pickle_item(pickle, value, 1), &out->offset) ||
        !read_count(rn_pickle_item(pickle, value, 2), &out->count))
        return rn_error(RN_EFORMAT, "the view of a storage is not (key, offset, size)");
    out->given = true;
    return RN_OK;
}

// ("storage", type, key, location, count[, view])
static rn_status read_id(rn_torch_storage *out, view *part, const rn_pickle *pickle,
                         const rn_pickle_value *id)
{
    const rn_pickle_value *tuple = rn_pickle_value_at(pickle, id->call.args);
    const rn_pickle_value *kind = NULL, *type = NULL, *key = NULL;

    if (tuple->kind == RN_PICKLE_TUPLE && tuple->length >= 5) {
        kind = rn_pickle_item(pickle, tuple, 0);
        type = rn_pickle_item(pickle, tuple, 1);
        key = rn_pickle_item(pickle, tuple, 2);
    }
    if (kind == NULL || !rn_pickle_text_is(kind, "storage"))
        return rn_error(RN_EFORMAT, "a persistent id is not ('storage', ...)");
    if (type->kind != RN_PICKLE_GLOBAL || type->global->tag != RN_TORCH_STORAGE)
        return rn_error(RN_EFORMAT, "the type of a storage is none that is known");
    if (key->kind != RN_PICKLE_TEXT)
        return rn_error(RN_EFORMAT, "the key of a storage is no text");
    if (key->length > RN_TORCH_NAME) // all ids may have the same one, and are compared
        return rn_error(RN_EFORMAT, "the key of a storage has %zu bytes, expected at most %d",
                        (size_t)key->length, RN_TORCH_NAME);
    *out =
        (rn_torch_storage){.key = key->text, .key_length = key->length, .type = type->global->data};
    uint64_t bytes;
    if (!read_count(rn_pickle_item(pickle, tuple, 4), &out->count) ||
        __builtin_mul_overflow(out->count, out->type->size, &bytes))
        return rn_error(RN_EFORMAT, "storage '%.*s' has a size that is out of range", shown(out),
                        out->key);
    return read_view(part, pickle, rn_pickle_item(pickle, tuple, 5));
}

uint64_t rn_torch_storage_bytes(const rn_torch_storage *storage)
{
    return storage->count * storage->type->size;
}

static int compare_keys(const void *a, const void *b)
{
    const rn_torch_storage *x = a, *y = b;

    if (x->key_length != y->key_length)
        return x->key_length < y->key_length ? -1 : 1;
    return memcmp(x->key, y->key, x->key_length);
}

static size_t count_ids(const rn_pickle *pickle)
{
    size_t count = 0;

    for (uint32_t i = 0; i < rn_pickle_count(pickle); i++)
        count += rn_pickle_value_at(pickle, i)->kind == RN_PICKLE_PERSISTENT;
    return count;
}

// A storage that several tensors share is described with each of them, always alike.
static rn_status merge_equal_keys(rn_torch_file *file)
{
    size_t kept = 0;

    for (size_t i = 0; i < file->storage_count; i++) {
        rn_torch_storage *storage = &file->storages[i];
        if (kept == 0 || compare_keys(&file->storages[kept - 1], storage) != 0)
            file->storages[kept++] = *storage;
        else if (file->storages[kept - 1].type != storage->type ||
                 file->storages[kept - 1].count != storage->count)
            return rn_error(RN_EFORMAT, "storage '%.*s' is described in two ways", shown(storage),
                            storage->key);
    }
    file->storage_count = kept;
    return RN_OK;
}

rn_status rn_torch_list_storages(rn_torch_file *file)
{
    rn_status st = RN_OK;
    view part;

    RN_TRY(RN_NEW(&file->storages, count_ids(file->pickle)));
    for (uint32_t i = 0; i < rn_pickle_count(file->pickle); i++) {
        const rn_pickle_value *value = rn_pickle_value_at(file->pickle, i);
        if (value->kind == RN_PICKLE_PERSISTENT)
            RN_TRY(read_id(&file->storages[file->storage_count++], &part, file->pickle, value));
    }
    qsort(file->storages, file->storage_count, sizeof *file->storages, compare_keys);
    st = merge_equal_keys(file);
out:
    return st;
}

rn_torch_storage *rn_torch_find_storage(const rn_torch_file *file, const char *key, size_t length)
{
    const rn_torch_storage wanted = {.key = key, .key_length = length};

    return bsearch(&wanted, file->storages, file->storage_count, sizeof *file->storages,
                   compare_keys);
}

rn_status rn_torch_storage_of(rn_torch_storage *out, const rn_torch_file *file,
                              const rn_pickle_value *id)
{
    rn_status st = RN_OK;
    view part;

    RN_TRY(read_id(out, &part, file->pickle, id));
    const rn_torch_storage *found = rn_torch_find_storage(file, out->key, out->key_length);
    if (found == NULL || found->data == NULL) // all ids were listed and all storages located
        return rn_error(RN_EFORMAT, "storage '%.*s' is missing", shown(out), out->key);
    out->data = found->data;
    if (!part.given)
        goto out;
    if (part.offset > out->count || part.count > out->count - part.offset)
        return rn_error(RN_EFORMAT, "a view of storage '%.*s' has elements %llu to %llu of %llu",
                        shown(out), out->key, (unsigned long long)part.offset,
                        (unsigned long long)(part.offset + part.count),
                        (unsigned long long)out->count);
    out->data += part.offset * out->type->size;
    out->count = part.count;
out:
    return st;
}

void rn_torch_file_release(rn_torch_file *file)
{
    rn_free(file->storages);
    rn_pickle_free(file->pickle);
}
