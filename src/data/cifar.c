#include "data/cifar.h"

#include "base/file.h"
#include "base/memory.h"

#include <string.h>

static const rn_cifar_file cifar10_files[] = {
    {"data_batch_1.bin", RN_SPLIT_TRAIN, 10000, "md5:5dd7e06a14cb22eb9f671a540d1b7c25"},
    {"data_batch_2.bin", RN_SPLIT_TRAIN, 10000, "md5:5ea93a67294ea407fff1d09f752e9692"},
    {"data_batch_3.bin", RN_SPLIT_TRAIN, 10000, "md5:942cd6a4bcdd0dd3c604fbe906cb4421"},
    {"data_batch_4.bin", RN_SPLIT_TRAIN, 10000, "md5:ae636b3ba5c66a11e91e8cb52e771fcb"},
    {"data_batch_5.bin", RN_SPLIT_TRAIN, 10000, "md5:53f37980c15c3d472c316c40844f3f0d"},
    {"test_batch.bin", RN_SPLIT_TEST, 10000, "md5:803d5f7f4d78ea53de84dbe85f74fb6d"},
    {NULL, RN_SPLIT_TEST, 0, NULL}};

static const rn_cifar_file cifar100_files[] = {{"train.bin", RN_SPLIT_TRAIN, 50000, NULL},
                                               {"test.bin", RN_SPLIT_TEST, 10000, NULL},
                                               {NULL, RN_SPLIT_TEST, 0, NULL}};

const rn_cifar_kind rn_cifar10 = {.name = "CIFAR-10",
                                  .folder = "cifar-10-batches-bin",
                                  .files = cifar10_files,
                                  .label_bytes = 1,
                                  .classes = {10},
                                  .names_files = {"batches.meta.txt"}};

const rn_cifar_kind rn_cifar100 = {
    .name = "CIFAR-100",
    .folder = "cifar-100-binary",
    .files = cifar100_files,
    .label_bytes = 2,
    .classes = {20, 100},
    .names_files = {"coarse_label_names.txt", "fine_label_names.txt"}};

enum { MOST_FILES = 5 };

/** The files of one split with their numbers of records. */
typedef struct file_list {
    char *paths[MOST_FILES];
    size_t records[MOST_FILES];
    int count;
    size_t total;
} file_list;

static size_t record_bytes(const rn_cifar_kind *kind)
{
    return (size_t)kind->label_bytes + RN_CIFAR_IMAGE_BYTES;
}

rn_status rn_cifar_count(size_t *records, const rn_cifar_kind *kind, const rn_cifar_file *file,
                         uint64_t bytes, const char *path)
{
    size_t record = record_bytes(kind);

    *records = 0;
    if (bytes == 0 || bytes % record != 0)
        return rn_error(RN_EFORMAT, "'%s' has %llu bytes, expected a multiple of %zu (%s records)",
                        path, (unsigned long long)bytes, record, kind->name);
    if (bytes / record > file->records)
        return rn_error(RN_EFORMAT, "'%s' has %llu bytes, expected at most %zu (%u %s records)",
                        path, (unsigned long long)bytes, file->records * record, file->records,
                        kind->name);
    *records = (size_t)(bytes / record);
    return RN_OK;
}

rn_status rn_cifar_check_labels(const rn_cifar_kind *kind, const char *bytes, size_t size,
                                const char *path)
{
    size_t record = record_bytes(kind);

    for (size_t at = 0; at < size; at += record) {
        for (int k = 0; k < kind->label_bytes; k++) {
            int label = (unsigned char)bytes[at + (size_t)k];
            if (label >= kind->classes[k])
                return rn_error(RN_EFORMAT, "'%s': label at byte %zu is %d, expected 0 to %d", path,
                                at + (size_t)k, label, kind->classes[k] - 1);
        }
    }
    return RN_OK;
}

static void release_list(file_list *list)
{
    for (int i = 0; i < list->count; i++)
        rn_free(list->paths[i]);
}

static rn_status list_files(file_list *list, const rn_cifar_kind *kind, const char *folder,
                            rn_split split)
{
    rn_status st = RN_OK;

    for (const rn_cifar_file *file = kind->files; file->name != NULL; file++) {
        uint64_t bytes;
        if (file->split != split)
            continue;
        int i = list->count;
        RN_TRY(rn_format(&list->paths[i], "%s/%s", folder, file->name));
        list->count++;
        RN_TRY(rn_file_size(&bytes, list->paths[i]));
        RN_TRY(rn_cifar_count(&list->records[i], kind, file, bytes, list->paths[i]));
        list->total += list->records[i];
    }
out:
    return st;
}

static rn_status read_records(rn_samples *samples, size_t first, size_t count,
                              const rn_cifar_kind *kind, const char *path, int label)
{
    rn_status st = RN_OK;
    char *bytes = NULL;
    size_t size, record = record_bytes(kind);

    RN_TRY(rn_file_read(&bytes, &size, path, count * record));
    if (size != count * record) {
        st = rn_error(RN_EIO, "'%s' shrank from %zu to %zu bytes while being read", path,
                      count * record, size);
        goto out;
    }
    RN_TRY(rn_cifar_check_labels(kind, bytes, size, path));
    for (size_t i = 0; i < count; i++) {
        const char *at = bytes + i * record;
        samples->labels[first + i] = (unsigned char)at[label];
        memcpy(samples->images + (first + i) * RN_CIFAR_IMAGE_BYTES, at + kind->label_bytes,
               RN_CIFAR_IMAGE_BYTES);
    }
out:
    rn_free(bytes);
    return st;
}

// Without the file the labels keep their numbers.
static rn_status read_names(rn_samples *samples, const rn_cifar_kind *kind, const char *folder,
                            int label)
{
    rn_status st = RN_OK;
    rn_label_names names = {0};
    char *path = NULL;

    RN_TRY(rn_format(&path, "%s/%s", folder, kind->names_files[label]));
    st = rn_label_names_read(&names, path, samples->classes);
    if (st == RN_ENOTFOUND)
        st = RN_OK;
    else if (st == RN_OK)
        st = rn_samples_set_label_names(samples, names.names);
out:
    rn_label_names_release(&names);
    rn_free(path);
    return st;
}

rn_status rn_cifar_open(rn_samples **out, const rn_cifar_kind *kind, const char *folder,
                        rn_split split, int label)
{
    rn_status st = RN_OK;
    rn_samples *samples = NULL;
    file_list list = {0};
    char *name = NULL;
    size_t first = 0;

    *out = NULL;
    RN_TRY(list_files(&list, kind, folder, split));
    RN_TRY(rn_format(&name, "%s %s%s", kind->name, split == RN_SPLIT_TRAIN ? "train" : "test",
                     kind->label_bytes == 2 && label == 0 ? " (coarse)" : ""));
    RN_TRY(rn_samples_create(
        &samples, &(rn_samples_shape){list.total, 3, 32, 32, kind->classes[label]}, name));
    RN_TRY(read_names(samples, kind, folder, label));
    for (int i = 0; i < list.count; i++) {
        RN_TRY(read_records(samples, first, list.records[i], kind, list.paths[i], label));
        first += list.records[i];
    }
    *out = samples;
    samples = NULL;
out:
    rn_samples_free(samples);
    release_list(&list);
    rn_free(name);
    return st;
}
