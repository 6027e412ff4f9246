#include "data/photo_csv.h"

#include "base/memory.h"
#include "base/text.h"
#include "data/csv.h"
#include "data/photos.h"

#include <libgen.h>
#include <stdio.h>
#include <string.h>

typedef struct row {
    const char *label; // in the file's text
    bool wanted;       // of the split that is being opened
} row;

typedef struct reader {
    rn_csv csv;
    int path, label, split; // columns; split -1: none
    rn_split wanted;
    rn_photo_list list; // the wanted rows' pictures
    row *rows;          // all
    size_t count, room;
    bool numbers;    // all labels so far
    int64_t largest; // of them
    rn_class_list classes;
    size_t unsorted_from; // classes before it are sorted and differ
} reader;

static rn_status find_columns(reader *r)
{
    r->path = rn_csv_column(&r->csv, "path");
    r->label = rn_csv_column(&r->csv, "label");
    r->split = rn_csv_column(&r->csv, "split");
    if (r->path < 0 || r->label < 0)
        return rn_error(RN_EFORMAT,
                        "'%s' has no column '%s' in its first line, expected path,label[,split]",
                        r->csv.path, r->path < 0 ? "path" : "label");
    return RN_OK;
}

static rn_status read_split(bool *wanted, const reader *r)
{
    static const char *const names[] = {"train", "test", "val", "valid", "validation"};
    const char *text = r->split < 0 ? NULL : r->csv.fields[r->split];

    *wanted = true;
    if (text == NULL)
        return RN_OK;
    for (int i = 0; i < 5; i++) {
        *wanted = (i == 0) == (r->wanted == RN_SPLIT_TRAIN);
        if (strcmp(text, names[i]) == 0)
            return RN_OK;
    }
    return rn_error(RN_EFORMAT, "'%s', line %d: split is '%s', expected train, test or val",
                    r->csv.path, r->csv.line, text);
}

// Repeated labels are dropped whenever they may be half of the list, so that it stays short.
static rn_status add_class(reader *r, const char *label)
{
    rn_status st = RN_OK;

    if (r->count > 0 && strcmp(r->rows[r->count - 1].label, label) == 0)
        return RN_OK;
    RN_TRY(rn_class_list_add(&r->classes, label, strlen(label), NULL));
    if (r->classes.count >= 1024 && r->classes.count >= 2 * r->unsorted_from) {
        RN_TRY(rn_class_list_sort(&r->classes));
        r->unsorted_from = r->classes.count;
    }
out:
    return st;
}

static rn_status add_picture(reader *r)
{
    size_t bytes = strlen(r->csv.fields[r->path]);

    if (bytes > RN_PHOTO_NAME_BYTES)
        return rn_error(RN_EFORMAT, "'%s', line %d: the path has %zu bytes, expected at most %d",
                        r->csv.path, r->csv.line, bytes, RN_PHOTO_NAME_BYTES);
    return rn_photo_list_add(&r->list, "", r->csv.fields[r->path], -1);
}

static rn_status add_row(reader *r)
{
    rn_status st = RN_OK;
    const char *label = r->csv.fields[r->label];
    int64_t number = -1;
    bool wanted;

    RN_TRY(read_split(&wanted, r));
    if (*r->csv.fields[r->path] == '\0') {
        st = rn_error(RN_EFORMAT, "'%s', line %d: the path is empty", r->csv.path, r->csv.line);
        goto out;
    }
    if (*label != '\0') {
        r->numbers &= rn_text_int64(label, -1, RN_MOST_CLASSES - 1, &number);
        r->largest = number > r->largest ? number : r->largest;
        st = add_class(r, label);
        if (st != RN_OK) {
            rn_error_prefix(st, "'%s', line %d", r->csv.path, r->csv.line);
            goto out;
        }
    }
    RN_TRY(rn_grow((void **)&r->rows, &r->room, r->count + 1, sizeof *r->rows));
    r->rows[r->count++] = (row){label, wanted};
    if (wanted)
        RN_TRY(add_picture(r));
out:
    return st;
}

static rn_status read_rows(reader *r)
{
    rn_status st = RN_OK;
    bool more;

    for (;;) {
        RN_TRY(rn_csv_next(&r->csv, &more));
        if (!more)
            break;
        RN_TRY(add_row(r));
    }
    if (r->list.count == 0)
        st = rn_error(RN_ENOTFOUND, "'%s' lists no picture%s", r->csv.path,
                      r->split < 0                  ? ""
                      : r->wanted == RN_SPLIT_TRAIN ? " whose split is train"
                                                    : " whose split is test or val");
out:
    return st;
}

static rn_status number_classes(reader *r)
{
    rn_status st = RN_OK;
    char text[24];

    rn_class_list_release(&r->classes);
    for (int64_t i = 0; i <= r->largest; i++) {
        int length = snprintf(text, sizeof text, "%lld", (long long)i);
        RN_TRY(rn_class_list_add(&r->classes, text, (size_t)length, NULL));
    }
out:
    return st;
}

// No label at all: a set still has classes, if only for its shape.
static rn_status finish_classes(reader *r)
{
    if (r->largest < 0 && r->numbers) {
        rn_class_list_release(&r->classes);
        return rn_class_list_add(&r->classes, "unlabelled", 10, NULL);
    }
    if (r->numbers)
        return number_classes(r);
    rn_status st = rn_class_list_sort(&r->classes);
    return st == RN_OK ? st : rn_error_prefix(st, "'%s', line %d", r->csv.path, r->csv.line);
}

static void set_labels(reader *r)
{
    rn_photo_entry *entry = r->list.entries;

    for (size_t i = 0; i < r->count; i++) {
        int64_t number = -1;
        if (!r->rows[i].wanted)
            continue;
        if (r->numbers)
            rn_text_int64(r->rows[i].label, -1, r->largest, &number);
        else
            number = rn_class_list_find(&r->classes, r->rows[i].label);
        entry++->label = (int32_t)number;
    }
}

static rn_status make_set(rn_samples **out, reader *r)
{
    rn_status st = RN_OK;
    char *folder = NULL, *file = NULL, *name = NULL;
    char shown[200];

    RN_TRY(rn_strdup(&folder, r->csv.path));
    RN_TRY(rn_strdup(&file, r->csv.path));
    rn_text_escape(shown, sizeof shown, basename(file));
    RN_TRY(rn_format(&name, "%s%s", shown,
                     r->split < 0                  ? ""
                     : r->wanted == RN_SPLIT_TRAIN ? " train"
                                                   : " test"));
    RN_TRY(rn_samples_create_listed(out, dirname(folder), &r->list, &r->classes, name));
out:
    rn_free(name);
    rn_free(file);
    rn_free(folder);
    return st;
}

rn_status rn_photo_csv_open(rn_samples **out, const char *path, rn_split split)
{
    rn_status st = RN_OK;
    reader r = {.wanted = split, .numbers = true, .largest = -1};

    *out = NULL;
    RN_TRY(rn_csv_open(&r.csv, path));
    RN_TRY(find_columns(&r));
    RN_TRY(read_rows(&r));
    RN_TRY(finish_classes(&r));
    set_labels(&r);
    RN_TRY(make_set(out, &r));
out:
    rn_free(r.rows);
    rn_class_list_release(&r.classes);
    rn_photo_list_release(&r.list);
    rn_csv_release(&r.csv);
    return st;
}
