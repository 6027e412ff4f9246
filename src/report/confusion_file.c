// Confusion matrices read back.
#include "resnet/report.h"

#include "base/memory.h"
#include "base/text.h"
#include "data/csv.h"

#include <string.h>

enum { MOST_CLASSES = 4096 };

// What rn_confusion_read() gives, with what it is made of.
typedef struct confusion_file {
    rn_confusion confusion; // first, so that one pointer is the other
    rn_csv csv;
    const char **names;
    int64_t *counts;
} confusion_file;

static rn_status read_names(confusion_file *file)
{
    rn_status st;
    const rn_csv *csv = &file->csv;
    const size_t classes = csv->count - 1;

    if (strcmp(csv->fields[0], "label") != 0 || classes < 1 || classes > MOST_CLASSES)
        return rn_error(RN_EFORMAT,
                        "'%s', line %d: '%.40s' and %zu more, expected 'label' and the names of 1 "
                        "to %d classes",
                        csv->path, csv->line, csv->fields[0], classes, MOST_CLASSES);
    RN_TRY(RN_NEW(&file->names, classes));
    RN_TRY(RN_NEW(&file->counts, classes * classes));
    for (size_t i = 0; i < classes; i++)
        file->names[i] = csv->fields[i + 1];
    file->confusion = (rn_confusion){(int)classes, file->counts, file->names};
out:
    return st;
}

static rn_status read_row(confusion_file *file, int row)
{
    const rn_csv *csv = &file->csv;
    const int classes = file->confusion.classes;

    if (row == classes)
        return rn_error(RN_EFORMAT, "'%s', line %d: a row more than the %d classes of its header",
                        csv->path, csv->line, classes);
    if (strcmp(csv->fields[0], file->names[row]) != 0)
        return rn_error(RN_EFORMAT,
                        "'%s', line %d: row of '%.40s', expected '%.40s' as in the "
                        "header",
                        csv->path, csv->line, csv->fields[0], file->names[row]);
    for (int i = 0; i < classes; i++)
        if (!rn_text_int64(csv->fields[i + 1], 0, (int64_t)1 << 40,
                           &file->counts[(size_t)row * (size_t)classes + (size_t)i]))
            return rn_error(RN_EFORMAT, "'%s', line %d: '%.40s', expected a count", csv->path,
                            csv->line, csv->fields[i + 1]);
    return RN_OK;
}

rn_status rn_confusion_read(rn_confusion **out, const char *path)
{
    rn_status st;
    confusion_file *file = NULL;
    bool more = true;
    int row = 0;

    *out = NULL;
    RN_TRY(RN_NEW(&file, 1));
    RN_TRY(rn_csv_open(&file->csv, path));
    RN_TRY(read_names(file));
    for (;; row++) {
        RN_TRY(rn_csv_next(&file->csv, &more));
        if (!more)
            break;
        RN_TRY(read_row(file, row));
    }
    if (row != file->confusion.classes) {
        st = rn_error(RN_EFORMAT, "'%s': %d rows, expected %d as in the header", path, row,
                      file->confusion.classes);
        goto out;
    }
    *out = &file->confusion;
    file = NULL; // now the caller's
out:
    if (file != NULL)
        rn_confusion_free(&file->confusion);
    return st;
}

void rn_confusion_free(rn_confusion *confusion)
{
    confusion_file *file = (confusion_file *)confusion;

    if (file == NULL)
        return;
    rn_csv_release(&file->csv);
    rn_free(file->names);
    rn_free(file->counts);
    rn_free(file);
}
