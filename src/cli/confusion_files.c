#include "cli/confusion_files.h"

#include "cli/run_folder.h"
#include "cli/shown.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST_PATH = 4096, SCALE = 2 };

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

static bool has_empty_name(const char *files)
{
    size_t length = strlen(files);

    return length > 0 && (*files == ',' || files[length - 1] == ',' || strstr(files, ",,") != NULL);
}

bool cli_confusion_names(const char *files, const char *path)
{
    char name[LONGEST_PATH];

    while (files != NULL && next_file(name, &files))
        if (cli_same_place(name, path))
            return true;
    return false;
}

rn_status cli_confusion_check(const char *files)
{
    rn_status st = RN_OK;
    char path[LONGEST_PATH];

    if (files != NULL && has_empty_name(files))
        return rn_error(RN_EINVAL,
                        "option '--confusion' expects names of files with a comma between, "
                        "found '%s'",
                        files);
    while (files != NULL && next_file(path, &files)) {
        if (!cli_ends_in(path, ".csv") && !cli_ends_in(path, ".svg") && !cli_ends_in(path, ".png"))
            return rn_error(RN_EINVAL,
                            "option '--confusion' expects files that end in .csv, .svg or .png, "
                            "found '%s'",
                            path);
        RN_TRY(cli_check_writable(path));
    }
out:
    return st;
}

rn_status cli_picture_write(const char *path, const char *svg, const rn_image *image)
{
    if (image != NULL)
        return rn_image_save(image, path);
    if (strcmp(path, "-") != 0)
        return rn_text_write(path, svg);
    fputs(svg, stdout);
    return RN_OK;
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
        cli_put_csv(stream, names[i]);
    }
    for (int i = 0; i < e->classes; i++) {
        putc('\n', stream);
        cli_put_csv(stream, names[i]);
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

rn_status cli_confusion_draw(const char *path, const rn_confusion *confusion, const char *title,
                             int scale)
{
    rn_status st;
    char *text = NULL;
    rn_image *image = NULL;

    if (cli_ends_in(path, ".png"))
        RN_TRY(rn_confusion_image(&image, confusion, title, scale));
    else
        RN_TRY(rn_confusion_svg(&text, confusion, title));
    RN_TRY(cli_picture_write(path, text, image));
out:
    rn_image_free(image);
    rn_text_free(text);
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
            RN_TRY(cli_confusion_draw(path,
                                      &(rn_confusion){.classes = evaluation->classes,
                                                      .counts = evaluation->confusion,
                                                      .names = (const char *const *)names},
                                      NULL, SCALE));
    }
out:
    return st;
}
