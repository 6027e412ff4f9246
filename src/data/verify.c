#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/checksum.h"
#include "data/cifar.h"
#include "data/idx.h"
#include "data/pack_picture.h"
#include "data/photos.h"
#include "data/source.h"

#include <stdatomic.h>
#include <string.h>

/** Counts the findings on their way to the caller's report. */
typedef struct checker {
    rn_verify_report report;
    void *context;
    uint64_t files, wrong;
    char *first; // the first finding that was wrong; for the final message
} checker;

// Takes the status of a check: success, a finding, or (out of memory) an end to all checks.
static rn_status record(checker *to, const char *path, rn_status st, const char *good)
{
    const char *finding = st == RN_OK ? good : rn_error_message();

    if (st == RN_ENOMEM)
        return st;
    to->files++;
    if (st != RN_OK && to->wrong++ == 0 && rn_strdup(&to->first, finding) != RN_OK)
        return RN_ENOMEM;
    if (to->report != NULL)
        to->report(path, st == RN_OK, finding, to->context);
    return RN_OK;
}

static rn_status check_cifar_file(size_t *records, const rn_cifar_kind *kind,
                                  const rn_cifar_file *file, const char *path)
{
    rn_status st = RN_OK;
    char *bytes = NULL;
    uint64_t file_bytes;
    size_t size;

    RN_TRY(rn_file_size(&file_bytes, path));
    RN_TRY(rn_cifar_count(records, kind, file, file_bytes, path));
    RN_TRY(rn_file_read(&bytes, &size, path, (size_t)file_bytes));
    RN_TRY(rn_cifar_check_labels(kind, bytes, size, path));
    if (*records != file->records) {
        st = rn_error(RN_EFORMAT, "'%s' has %zu records, expected %u as in the official file", path,
                      *records, file->records);
        goto out;
    }
    if (file->checksum != NULL)
        RN_TRY(rn_checksum_check(path, file->checksum));
out:
    rn_free(bytes);
    return st;
}

static rn_status verify_cifar_file(checker *to, const rn_cifar_kind *kind,
                                   const rn_cifar_file *file, const char *folder)
{
    rn_status st = RN_OK;
    char *path = NULL, *good = NULL;
    size_t records = 0;

    RN_TRY(rn_format(&path, "%s/%s", folder, file->name));
    rn_status found = check_cifar_file(&records, kind, file, path);
    if (found == RN_OK)
        RN_TRY(rn_format(&good, "ok: %zu images, %s", records,
                         file->checksum != NULL ? "official MD5"
                                                : "size and labels (no official sum is known)"));
    RN_TRY(record(to, path, found, good));
out:
    rn_free(good);
    rn_free(path);
    return st;
}

static rn_status verify_names(checker *to, const char *folder, const char *name, int expected)
{
    rn_status st = RN_OK;
    rn_label_names names = {0};
    char *path = NULL, *good = NULL;

    RN_TRY(rn_format(&path, "%s/%s", folder, name));
    rn_status found = rn_label_names_read(&names, path, expected);
    if (found == RN_OK)
        RN_TRY(rn_format(&good, "ok: %d label names", names.count));
    RN_TRY(record(to, path, found, good));
out:
    rn_label_names_release(&names);
    rn_free(good);
    rn_free(path);
    return st;
}

static rn_status verify_cifar(checker *to, const rn_cifar_kind *kind, const char *folder)
{
    rn_status st = RN_OK;

    for (const rn_cifar_file *file = kind->files; file->name != NULL; file++)
        RN_TRY(verify_cifar_file(to, kind, file, folder));
    for (int k = 0; k < kind->label_bytes; k++)
        RN_TRY(verify_names(to, folder, kind->names_files[k], kind->classes[k]));
out:
    return st;
}

static rn_status check_idx_values(const rn_idx *idx, bool labels, int classes)
{
    rn_status st = RN_OK;
    uint8_t *values = NULL;

    RN_TRY(rn_idx_decode(&values, idx));
    if (labels)
        RN_TRY(rn_idx_check_labels(idx, values, classes));
out:
    rn_free(values);
    return st;
}

// *items is 0 if the file is wrong.
static rn_status verify_idx_file(checker *to, uint32_t *items, const char *folder, rn_split split,
                                 bool labels, int classes)
{
    rn_status st = RN_OK;
    rn_idx idx = {0};
    char *good = NULL;

    *items = 0;
    rn_status found = rn_idx_read(&idx, folder, split, labels);
    if (found == RN_OK)
        found = check_idx_values(&idx, labels, classes);
    if (found == RN_OK) {
        *items = idx.dim[0];
        RN_TRY(rn_format(&good, "ok: %u %s", *items, labels ? "labels" : "images"));
    }
    RN_TRY(record(to, idx.path != NULL ? idx.path : folder, found, good));
out:
    rn_idx_release(&idx);
    rn_free(good);
    return st;
}

static rn_status verify_idx(checker *to, const char *folder)
{
    rn_status st = RN_OK;
    int classes;

    RN_TRY(rn_idx_classes(&classes, folder));
    for (int i = 0; i < 2; i++) {
        rn_split split = i == 0 ? RN_SPLIT_TRAIN : RN_SPLIT_TEST;
        uint32_t images, labels;
        RN_TRY(verify_idx_file(to, &images, folder, split, false, classes));
        RN_TRY(verify_idx_file(to, &labels, folder, split, true, classes));
        if (images != 0 && labels != 0 && images != labels)
            RN_TRY(record(to, folder,
                          rn_error(RN_EFORMAT, "'%s': %u %s images, but %u labels", folder, images,
                                   i == 0 ? "training" : "test", labels),
                          NULL));
    }
out:
    return st;
}

static rn_status record_photo(checker *to, const rn_photos *photos, size_t index, rn_status found)
{
    rn_status st = RN_OK;
    const char *name = rn_photos_name(photos, index);
    size_t bytes = 4 * strlen(name) + 1;
    char *shown = NULL;

    if (found == RN_OK) { // what is whole is not listed, but counted
        to->files++;
        return RN_OK;
    }
    RN_TRY(RN_NEW(&shown, bytes));
    rn_text_escape(shown, bytes, name);
    RN_TRY(record(to, shown, found, NULL));
out:
    rn_free(shown);
    return st;
}

// Threads decode ahead and wait for their turn to report.
static rn_status verify_set(checker *to, const rn_samples *set)
{
    rn_status st = RN_OK;
    uint64_t wrong = to->wrong;
    char *good = NULL;
    atomic_int failed = RN_OK;

#pragma omp parallel for ordered schedule(dynamic, 1)
    for (size_t i = 0; i < set->count; i++) {
        rn_status found = RN_OK;
        if (atomic_load(&failed) == RN_OK)
            found = rn_photo_check(set->photos, i);
#pragma omp ordered
        if (atomic_load(&failed) == RN_OK)
            atomic_store(&failed, record_photo(to, set->photos, i, found));
    }
    if (atomic_load(&failed) != RN_OK)
        return rn_error((rn_status)atomic_load(&failed), "out of memory while '%s' was checked",
                        set->name);
    if (to->wrong == wrong && to->report != NULL) {
        RN_TRY(rn_format(&good, "ok: %zu pictures", set->count));
        to->report(set->name, true, good, to->context);
    }
out:
    rn_free(good);
    return st;
}

// A source without splits gives one set, under one name, for both; one without test pictures is
// whole too.
static rn_status verify_photos(checker *to, const char *source)
{
    rn_status st = RN_OK;
    rn_samples *train = NULL, *test = NULL;

    st = rn_data_open(&train, source, RN_SPLIT_TRAIN);
    if (st != RN_OK && st != RN_ENOTFOUND)
        goto out;
    rn_status found = rn_data_open(&test, source, RN_SPLIT_TEST);
    if (found != RN_OK && (found != RN_ENOTFOUND || train == NULL)) {
        st = found;
        goto out;
    }
    st = RN_OK;
    if (train != NULL)
        RN_TRY(verify_set(to, train));
    if (test != NULL && (train == NULL || strcmp(train->name, test->name) != 0))
        RN_TRY(verify_set(to, test));
out:
    rn_samples_free(train);
    rn_samples_free(test);
    return st;
}

static rn_status verify_format(checker *to, const rn_source *source)
{
    switch (source->format) {
    case RN_FORMAT_CIFAR10:
        return verify_cifar(to, &rn_cifar10, source->folder);
    case RN_FORMAT_CIFAR100:
        return verify_cifar(to, &rn_cifar100, source->folder);
    case RN_FORMAT_IDX:
        return verify_idx(to, source->folder);
    case RN_FORMAT_PHOTO_FOLDER:
    case RN_FORMAT_PHOTO_CSV:
    case RN_FORMAT_PHOTO_PACK:
        return verify_photos(to, source->folder);
    case RN_FORMAT_SHAPES:
        break;
    }
    return record(to, "shapes", RN_OK, "ok: generated, there are no files to check");
}

rn_status rn_data_verify(const char *source, rn_verify_report report, void *context)
{
    rn_status st = RN_OK;
    rn_source found = {.format = RN_FORMAT_SHAPES};
    checker to = {.report = report, .context = context};

    RN_TRY(rn_source_resolve(&found, source));
    RN_TRY(verify_format(&to, &found));
    if (to.wrong > 0)
        st = rn_error(RN_EFORMAT, "%llu of %llu files are wrong; the first: %s",
                      (unsigned long long)to.wrong, (unsigned long long)to.files, to.first);
out:
    rn_free(to.first);
    rn_source_release(&found);
    return st;
}
