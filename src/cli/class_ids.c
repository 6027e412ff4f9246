#include "cli/class_ids.h"

#include "cli/model_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
    const rn_checkpoint *model;
    const char *path;
    int *ids; // 0: not given yet
    int line;
    int owner[CLI_IMAGENET_CLASSES + 1]; // class of each number, from 1; 0: none
} reader;

static rn_status set_id(reader *r, int class, const char *number)
{
    char *end;
    long id = strtol(number, &end, 10);

    if (end == number || *end != '\0' || id < 1 || id > CLI_IMAGENET_CLASSES)
        return rn_error(RN_EFORMAT, "'%s' line %d: expected a number from 1 to %d, found '%s'",
                        r->path, r->line, CLI_IMAGENET_CLASSES, number);
    if (r->owner[id] != 0 || r->ids[class] != 0)
        return rn_error(RN_EFORMAT, "'%s' line %d: number %ld or class '%s' is there twice",
                        r->path, r->line, id, r->model->label_names[class]);
    r->owner[id] = class + 1;
    r->ids[class] = (int)id;
    return RN_OK;
}

// "NUMBER" of the class that has the line's place, or "LABEL NUMBER".
static rn_status take_line(reader *r, char *line)
{
    char *blank;
    int class = r->line - 1;

    line[strcspn(line, "\r\n")] = '\0';
    blank = strrchr(line, ' ');
    if (blank != NULL) {
        *blank = '\0';
        class = cli_find_label(r->model, line);
    }
    if (blank != NULL && class < 0)
        return rn_error(RN_EFORMAT, "'%s' line %d: the network has no class '%s'", r->path, r->line,
                        line);
    if (class >= r->model->options.classes)
        return rn_error(RN_EFORMAT, "'%s' has more lines than the network has classes, %d", r->path,
                        r->model->options.classes);
    return set_id(r, class, blank != NULL ? blank + 1 : line);
}

static rn_status read_lines(reader *r, FILE *file)
{
    rn_status st = RN_OK;
    char *line = NULL;
    size_t room = 0;

    while (st == RN_OK && getline(&line, &room, file) >= 0) {
        r->line++;
        st = take_line(r, line);
    }
    free(line);
    if (st == RN_OK && ferror(file))
        st = rn_error(RN_EIO, "cannot read '%s': %s", r->path, strerror(errno));
    for (int i = 0; st == RN_OK && i < r->model->options.classes; i++)
        if (r->ids[i] == 0)
            st = rn_error(RN_EFORMAT, "'%s' has no number for class %d, '%s'", r->path, i,
                          r->model->label_names[i]);
    return st;
}

static rn_status read_file(reader *r)
{
    FILE *file = fopen(r->path, "r");
    rn_status st;

    if (file == NULL)
        return rn_error(errno == ENOENT ? RN_ENOTFOUND : RN_EIO, "cannot open '%s': %s", r->path,
                        strerror(errno));
    st = read_lines(r, file);
    fclose(file);
    return st;
}

rn_status cli_class_ids_read(int **ids, const rn_checkpoint *model, const char *path)
{
    rn_status st = RN_OK;
    int classes = model->options.classes;
    reader r = {.model = model, .path = path};

    *ids = NULL;
    if (classes < 5 || classes > CLI_IMAGENET_CLASSES)
        return rn_error(RN_EINVAL, "'--format imagenet' is for 5 to %d classes, the network has %d",
                        CLI_IMAGENET_CLASSES, classes);
    r.ids = calloc((size_t)classes, sizeof *r.ids);
    if (r.ids == NULL)
        return rn_error(RN_ENOMEM, "no memory for %d classes", classes);
    for (int i = 0; path == NULL && i < classes; i++)
        r.ids[i] = i + 1;
    if (path != NULL)
        RN_TRY(read_file(&r));
    *ids = r.ids;
    r.ids = NULL; // now the caller's
out:
    free(r.ids);
    return st;
}
