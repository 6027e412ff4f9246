#include "store/torch.h"

#include <string.h>

// The format before version 1.6: five pickles (magic number, version, system, the object, the
// storages' keys), then each storage as its element count and its data.
enum { PROTOCOL_VERSION = 1001, COUNT_BYTES = 8, SHOWN = 80 };

static const char MAGIC[] = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"; // 0x1950a86a20f9469cfc6c
static const char DECIMAL_MAGIC[] = "119547037146038801333356L";        // as protocol 1 spells it

static rn_status read_pickle(rn_pickle **out, const rn_torch_file *file, size_t *at)
{
    const rn_pickle_input input = {.bytes = file->bytes,
                                   .size = file->size,
                                   .at = *at,
                                   .globals = rn_torch_globals,
                                   .global_count = rn_torch_global_count};

    return rn_pickle_read(out, at, &input);
}

static bool is_magic(const rn_pickle_value *value)
{
    const char *text = value->text;

    if (value->kind != RN_PICKLE_LONG)
        return false;
    return (value->length == sizeof MAGIC - 1 && memcmp(text, MAGIC, sizeof MAGIC - 1) == 0) ||
           (value->length == sizeof DECIMAL_MAGIC - 1 &&
            memcmp(text, DECIMAL_MAGIC, sizeof DECIMAL_MAGIC - 1) == 0);
}

static rn_status check_magic(const rn_pickle *pickle)
{
    if (!is_magic(rn_pickle_root(pickle)))
        return rn_error(RN_EFORMAT, "a pickle, but none that begins a file of PyTorch");
    return RN_OK;
}

static rn_status check_version(const rn_pickle *pickle)
{
    const rn_pickle_value *version = rn_pickle_root(pickle);

    if (version->kind != RN_PICKLE_INTEGER || version->integer != PROTOCOL_VERSION)
        return rn_error(RN_EFORMAT, "the second pickle is not version %d", PROTOCOL_VERSION);
    return RN_OK;
}

static rn_status check_system(const rn_pickle *pickle)
{
    const rn_pickle_value *system = rn_pickle_root(pickle);

    if (system->kind != RN_PICKLE_DICT)
        return rn_error(RN_EFORMAT, "the third pickle is not a dict of the system's traits");
    const rn_pickle_value *little = rn_pickle_find(pickle, system, "little_endian");
    if (little != NULL && (little->kind != RN_PICKLE_BOOL || little->integer != 1))
        return rn_error(RN_EFORMAT, "byte order 'big', expected 'little'");
    return RN_OK;
}

static rn_status check_prologue(const rn_torch_file *file, size_t *at)
{
    static rn_status (*const checks[])(const rn_pickle *) = {check_magic, check_version,
                                                             check_system};
    rn_status st = RN_OK;
    rn_pickle *pickle = NULL;

    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        RN_TRY(read_pickle(&pickle, file, at));
        RN_TRY(checks[i](pickle));
        rn_pickle_free(pickle);
        pickle = NULL;
    }
out:
    rn_pickle_free(pickle);
    return st;
}

static rn_status read_storage(rn_torch_file *file, const rn_pickle_value *key, size_t *at)
{
    uint64_t count = 0;
    int shown = key->length > SHOWN ? SHOWN : (int)key->length;

    if (key->kind != RN_PICKLE_TEXT)
        return rn_error(RN_EFORMAT, "a storage's key is no text");
    rn_torch_storage *storage = rn_torch_find_storage(file, key->text, key->length);
    if (storage == NULL || storage->data != NULL)
        return rn_error(RN_EFORMAT, "storage '%.*s' %s", shown, key->text,
                        storage == NULL ? "belongs to nothing" : "appears twice");
    if (file->size - *at < COUNT_BYTES)
        return rn_error(RN_EFORMAT, "storage '%.*s' is missing: the file is cut short", shown,
                        key->text);
    for (int i = COUNT_BYTES; i-- > 0;)
        count = count << 8 | (unsigned char)file->bytes[*at + (size_t)i];
    *at += COUNT_BYTES;
    if (count != storage->count)
        return rn_error(RN_EFORMAT, "storage '%.*s' has %llu elements, expected %llu", shown,
                        key->text, (unsigned long long)count, (unsigned long long)storage->count);
    if (rn_torch_storage_bytes(storage) > file->size - *at)
        return rn_error(RN_EFORMAT, "storage '%.*s' needs %llu bytes, %zu are left", shown,
                        key->text, (unsigned long long)rn_torch_storage_bytes(storage),
                        file->size - *at);
    storage->data = file->bytes + *at;
    *at += (size_t)rn_torch_storage_bytes(storage);
    return RN_OK;
}

static rn_status read_storages(rn_torch_file *file, size_t *at)
{
    rn_status st = RN_OK;
    rn_pickle *pickle = NULL;

    RN_TRY(read_pickle(&pickle, file, at));
    const rn_pickle_value *keys = rn_pickle_root(pickle);
    if (keys->kind != RN_PICKLE_LIST) {
        st = rn_error(RN_EFORMAT, "the fifth pickle is not the list of storages");
        goto out;
    }
    uint32_t cell = keys->items.first;
    for (uint32_t i = 0; i < keys->length; i++)
        RN_TRY(read_storage(file, rn_pickle_next(pickle, &cell), at));
out:
    rn_pickle_free(pickle);
    return st;
}

rn_status rn_torch_open_legacy(rn_torch_file *file)
{
    rn_status st = RN_OK;
    size_t at = 0;

    RN_TRY(check_prologue(file, &at));
    RN_TRY(read_pickle(&file->pickle, file, &at));
    RN_TRY(rn_torch_list_storages(file));
    st = read_storages(file, &at);
out:
    return st;
}
