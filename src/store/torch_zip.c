#include "store/torch.h"

#include "store/zip_read.h"

#include <string.h>

enum { SHOWN = 80, NAME = 1024 }; // most bytes of a name in a message, and of a record's name

/** The archive, and the folder in it that all records lie in: named after the file, as a rule. */
typedef struct archive {
    rn_zip *zip;
    const char *folder;
    size_t folder_length; // with the slash
} archive;

// PyTorch, too, takes the folder from the first entry.
static rn_status find_folder(archive *from)
{
    const char *slash = NULL;

    if (from->zip->count > 0)
        slash = memchr(from->zip->first_name, '/', from->zip->first_name_length);
    if (slash == NULL)
        return rn_error(RN_EFORMAT, "zip archive without a folder, no file of PyTorch");
    from->folder = from->zip->first_name;
    from->folder_length = (size_t)(slash + 1 - from->folder);
    return RN_OK;
}

static const rn_zip_entry *find_record(const archive *from, const char *kind, const char *key,
                                       size_t key_length)
{
    char name[NAME];
    size_t kind_length = strlen(kind);
    size_t length = from->folder_length + kind_length + key_length;

    if (length > sizeof name) // no file system has such a file, so PyTorch no such folder
        return NULL;
    memcpy(name, from->folder, from->folder_length);
    memcpy(name + from->folder_length, kind, kind_length);
    memcpy(name + from->folder_length + kind_length, key, key_length);
    return rn_zip_find(from->zip, name, length);
}

static rn_status check_byte_order(const archive *from)
{
    rn_status st = RN_OK;
    const rn_zip_entry *record = find_record(from, "byteorder", "", 0);

    if (record == NULL) // of a version before 2.1
        return RN_OK;
    RN_TRY(rn_zip_check(record));
    if (record->size != 6 || memcmp(record->data, "little", 6) != 0)
        st = rn_error(RN_EFORMAT, "byte order '%.*s', expected 'little'",
                      record->size > SHOWN ? SHOWN : (int)record->size, record->data);
out:
    return st;
}

static rn_status read_object(rn_torch_file *file, const archive *from)
{
    rn_status st = RN_OK;
    const rn_zip_entry *record = find_record(from, "data.pkl", "", 0);

    if (find_record(from, "constants.pkl", "", 0) != NULL)
        return rn_error(RN_EUNSUPPORTED, "a TorchScript archive, expected a state dict");
    if (record == NULL)
        return rn_error(RN_EFORMAT, "zip archive without '%.*sdata.pkl', no file of PyTorch",
                        from->folder_length > SHOWN ? SHOWN : (int)from->folder_length,
                        from->folder);
    RN_TRY(rn_zip_check(record));
    const rn_pickle_input input = {.bytes = record->data,
                                   .size = (size_t)record->size,
                                   .globals = rn_torch_globals,
                                   .global_count = rn_torch_global_count};
    st = rn_pickle_read(&file->pickle, NULL, &input);
out:
    return st;
}

static rn_status find_data(const archive *from, rn_torch_storage *storage)
{
    rn_status st = RN_OK;
    int shown = storage->key_length > SHOWN ? SHOWN : (int)storage->key_length;
    const rn_zip_entry *record = find_record(from, "data/", storage->key, storage->key_length);

    if (record == NULL)
        return rn_error(RN_EFORMAT, "zip archive without the record 'data/%.*s'", shown,
                        storage->key);
    RN_TRY(rn_zip_check(record));
    if (record->size != rn_torch_storage_bytes(storage))
        return rn_error(RN_EFORMAT, "record 'data/%.*s' has %llu bytes, expected %llu of %s", shown,
                        storage->key, (unsigned long long)record->size,
                        (unsigned long long)rn_torch_storage_bytes(storage), storage->type->name);
    storage->data = record->data;
out:
    return st;
}

rn_status rn_torch_open_zip(rn_torch_file *file)
{
    rn_status st = RN_OK;
    archive from = {0};

    RN_TRY(rn_zip_open(&from.zip, file->bytes, file->size));
    RN_TRY(find_folder(&from));
    RN_TRY(check_byte_order(&from));
    RN_TRY(read_object(file, &from));
    RN_TRY(rn_torch_list_storages(file));
    for (size_t i = 0; i < file->storage_count; i++)
        RN_TRY(find_data(&from, &file->storages[i]));
out:
    rn_zip_free(from.zip);
    return st;
}
