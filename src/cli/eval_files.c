#include "cli/eval_files.h"

#include "cli/run_folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NPY_HEADER = 128, LONGEST_PATH = 4096 };

// Next of "FILE,FILE"; false: there is none.
static bool next_file(char path[LONGEST_PATH], const char **files)
{
    size_t length = strcspn(*files, ",");

    if (length == 0)
        return false;
    snprintf(path, LONGEST_PATH, "%.*s", (int)length, *files);
    *files += length + ((*files)[length] == ',' ? 1 : 0);
    return true;
}

rn_status cli_confusion_check(const char *files)
{
    char path[LONGEST_PATH];

    while (files != NULL && next_file(path, &files))
        if (!cli_ends_in(path, ".csv") && !cli_ends_in(path, ".png"))
            return rn_error(RN_EINVAL,
                            "option '--confusion' expects files that end in .csv or .png, found "
                            "'%s'",
                            path);
    return RN_OK;
}

// Quoted, so that names may hold commas.
static void put_csv_text(FILE *stream, const char *text)
{
    putc('"', stream);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            putc('"', stream);
        putc(*text, stream);
    }
    putc('"', stream);
}

static rn_status write_failed(const char *path)
{
    return rn_error(RN_EIO, "cannot write '%s': %s", path, strerror(errno));
}

static rn_status write_csv(const char *path, const rn_evaluation *e, char *const *names)
{
    rn_status st;
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    if (stream == NULL)
        return rn_error(RN_ENOMEM, "no memory for '%s'", path);
    fputs("label", stream);
    for (int i = 0; i < e->classes; i++) {
        putc(',', stream);
        put_csv_text(stream, names[i]);
    }
    for (int i = 0; i < e->classes; i++) {
        putc('\n', stream);
        put_csv_text(stream, names[i]);
        for (int j = 0; j < e->classes; j++)
            fprintf(stream, ",%lld",
                    (long long)e->confusion[(size_t)i * (size_t)e->classes + (size_t)j]);
    }
    putc('\n', stream);
    st = fclose(stream) == 0 ? rn_text_write(path, text)
                             : rn_error(RN_ENOMEM, "no memory for '%s'", path);
    free(text);
    return st;
}

static rn_status write_picture(const char *path, const rn_evaluation *e, char *const *names)
{
    rn_status st;
    rn_image *image = NULL;

    RN_TRY(rn_confusion_draw(&image, &(rn_confusion){.classes = e->classes,
                                                     .counts = e->confusion,
                                                     .names = (const char *const *)names}));
    RN_TRY(rn_image_save(image, path));
out:
    rn_image_free(image);
    return st;
}

rn_status cli_confusion_write(const char *files, const rn_evaluation *evaluation,
                              char *const *names)
{
    rn_status st = RN_OK;
    char path[LONGEST_PATH];

    while (files != NULL && next_file(path, &files)) {
        if (cli_ends_in(path, ".csv"))
            RN_TRY(write_csv(path, evaluation, names));
        else
            RN_TRY(write_picture(path, evaluation, names));
    }
out:
    return st;
}

// A fixed number of bytes, so that it can be written last: how many rows there are is known then.
static void print_npy_header(char header[NPY_HEADER], int64_t rows, int classes)
{
    int length;

    memset(header, ' ', NPY_HEADER);
    memcpy(header, "\x93NUMPY\x01\x00", 8);
    header[8] = NPY_HEADER - 10; // of what follows, little-endian
    header[9] = 0;
    length = snprintf(header + 10, NPY_HEADER - 10,
                      "{'descr': '<f4', 'fortran_order': False, 'shape': (%lld, %d), }",
                      (long long)rows, classes);
    header[10 + length] = ' '; // instead of the NUL
    header[NPY_HEADER - 1] = '\n';
}

rn_status cli_scores_file_open(cli_scores_file *file, const char *path)
{
    rn_status st;
    const char header[NPY_HEADER] = {0};
    size_t length = strlen(path);

    if (!cli_ends_in(path, ".npy"))
        return rn_error(RN_EINVAL,
                        "option '--save-logits' expects a name that ends in .npy, found "
                        "'%s'",
                        path);
    RN_TRY(cli_format(&file->list_path, "%.*s.csv", (int)length - 4, path));
    file->path = path;
    file->array = fopen(path, "wb");
    if (file->array == NULL || fwrite(header, sizeof header, 1, file->array) != 1)
        return write_failed(path);
    file->list = fopen(file->list_path, "w");
    if (file->list == NULL || fputs("row,picture,label,predicted,error\n", file->list) < 0)
        return write_failed(file->list_path);
out:
    return st;
}

static void put_picture(const cli_scores_file *file, size_t index)
{
    char number[32];

    snprintf(number, sizeof number, "%zu", index);
    put_csv_text(file->list, file->samples->photos != NULL
                                 ? rn_photos_name(file->samples->photos, index)
                                 : number);
}

static int largest(const float *scores, int classes)
{
    int best = 0;

    for (int k = 1; k < classes; k++)
        if (scores[k] > scores[best])
            best = k;
    return best;
}

rn_status cli_scores_file_add(cli_scores_file *file, const rn_picture_scores *scores)
{
    const size_t classes = (size_t)file->classes;

    if (file->list == NULL)
        return RN_OK;
    if (scores->scores != NULL)
        fprintf(file->list, "%lld", (long long)file->rows++);
    putc(',', file->list);
    put_picture(file, scores->index);
    putc(',', file->list);
    put_csv_text(file->list, file->names[scores->label]);
    putc(',', file->list);
    if (scores->scores != NULL)
        put_csv_text(file->list, file->names[largest(scores->scores, file->classes)]);
    putc(',', file->list);
    if (scores->error != NULL)
        put_csv_text(file->list, scores->error);
    putc('\n', file->list);
    if (scores->scores != NULL &&
        fwrite(scores->scores, sizeof(float), classes, file->array) != classes)
        return write_failed(file->path);
    return RN_OK;
}

rn_status cli_scores_file_finish(cli_scores_file *file)
{
    char header[NPY_HEADER];
    FILE *array = file->array, *list = file->list;

    if (list == NULL)
        return RN_OK;
    print_npy_header(header, file->rows, file->classes);
    if (fseek(array, 0, SEEK_SET) != 0 || fwrite(header, sizeof header, 1, array) != 1 ||
        fflush(array) != 0)
        return write_failed(file->path);
    if (fflush(list) != 0 || ferror(list))
        return write_failed(file->list_path);
    fclose(array);
    fclose(list);
    file->array = file->list = NULL;
    return RN_OK;
}

void cli_scores_file_close(cli_scores_file *file)
{
    if (file->array != NULL) {
        fclose(file->array);
        unlink(file->path);
    }
    if (file->list != NULL) {
        fclose(file->list);
        unlink(file->list_path);
    }
    free(file->list_path);
    *file = (cli_scores_file){0};
}
