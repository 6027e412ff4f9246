#include "data/photo_labels.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/csv.h"

#include <string.h>

enum { MOST_BYTES = 64 << 20, IMAGENET_CLASSES = 1000 };

static const char *const list_names[] = {"classes.txt", "synset_words.txt",
                                         "LOC_synset_mapping.txt"};
static const char solution[] = "LOC_val_solution.csv";
static const char ground_truth[] = "ILSVRC2012_validation_ground_truth.txt";

// The first folder's file of this name; *out is NULL if there is none. `above` may be NULL.
static rn_status find_file(char **out, bool *above, const rn_label_folder *folders,
                           const char *name)
{
    rn_status st = RN_OK;
    char *path = NULL;

    *out = NULL;
    for (; folders->path != NULL && *out == NULL; folders++) {
        RN_TRY(rn_format(&path, "%s/%s", folders->path, name));
        if (rn_file_exists(path)) {
            *out = path;
            path = NULL;
            if (above != NULL)
                *above = folders->above;
        }
        rn_free(path);
        path = NULL;
    }
out:
    rn_free(path);
    return st;
}

static rn_status read_text(char **out, const char *path)
{
    rn_status st = RN_OK;
    size_t size;

    RN_TRY(rn_file_read(out, &size, path, MOST_BYTES));
    if (strlen(*out) != size)
        st = rn_error(RN_EFORMAT, "'%s': byte %zu is NUL, expected text", path, strlen(*out));
out:
    return st;
}

// Cuts the first line off *text; NULL at the end.
static char *take_line(char **text)
{
    char *line = *text;

    if (*line == '\0')
        return NULL;
    size_t length = strcspn(line, "\n");
    *text = line + length + (line[length] == '\n');
    line[length] = '\0';
    if (length > 0 && line[length - 1] == '\r')
        line[length - 1] = '\0';
    return line;
}

// Lines "KEY NAME", in the file's order.
static rn_status read_list(rn_class_list *list, const char *path)
{
    rn_status st = RN_OK;
    char *text = NULL;

    RN_TRY(read_text(&text, path));
    for (char *rest = text, *line; (line = take_line(&rest)) != NULL;) {
        size_t length = strcspn(line, " \t,");
        const char *name = line + length + strspn(line + length, " \t,");
        if (length > 0)
            RN_TRY(rn_class_list_add(list, line, length, *name == '\0' ? NULL : name));
    }
out:
    rn_free(text);
    return st;
}

// All or nothing: names that fit by halves are of other classes.
static rn_status take_names(bool *taken, rn_class_list *classes, const rn_class_list *list)
{
    rn_status st = RN_OK;
    size_t known = 0;

    *taken = false;
    while (known < classes->count && rn_class_list_find(list, classes->classes[known].key) >= 0)
        known++;
    if (known < classes->count)
        return RN_OK;
    for (size_t i = 0; i < classes->count; i++) {
        rn_class *class = &classes->classes[i];
        const char *name = list->classes[rn_class_list_find(list, class->key)].name;
        if (name != NULL && class->name == NULL)
            RN_TRY(rn_strdup(&class->name, name));
    }
    *taken = true;
out:
    return st;
}

// A list of this name in one of the folders. What lies above the data may be anything: a file there
// that is no such list is passed over.
static rn_status take_list(bool *taken, rn_class_list *classes, const rn_label_folder *folders,
                           const char *name)
{
    rn_status st = RN_OK;
    char *path = NULL;
    bool above = false;
    rn_class_list list = {0};

    RN_TRY(find_file(&path, &above, folders, name));
    if (path == NULL)
        goto out;
    st = read_list(&list, path);
    if (st == RN_OK)
        st = rn_class_list_sort(&list);
    if (st == RN_OK)
        st = take_names(taken, classes, &list);
    else if (above && (st == RN_EFORMAT || st == RN_EIO))
        st = RN_OK;
out:
    rn_class_list_release(&list);
    rn_free(path);
    return st;
}

rn_status rn_photo_labels_name(rn_class_list *classes, const rn_label_folder *folders)
{
    rn_status st = RN_OK;
    bool taken = false;

    for (int i = 0; i < 3 && !taken; i++)
        RN_TRY(take_list(&taken, classes, folders, list_names[i]));
out:
    return st;
}

// LOC_val_solution.csv

// Of "n01440764 1 2 3 4 ..." the first word names the class.
static rn_status read_solution(rn_class_list *ids, const char *path)
{
    rn_status st = RN_OK;
    rn_csv csv = {0};
    bool more;

    RN_TRY(rn_csv_open(&csv, path));
    int id = rn_csv_column(&csv, "ImageId"), class = rn_csv_column(&csv, "PredictionString");
    if (id < 0 || class < 0) {
        st = rn_error(RN_EFORMAT, "'%s' has no columns ImageId and PredictionString", path);
        goto out;
    }
    for (;;) {
        RN_TRY(rn_csv_next(&csv, &more));
        if (!more)
            break;
        csv.fields[class][strcspn(csv.fields[class], " ")] = '\0';
        RN_TRY(rn_class_list_add(ids, csv.fields[id], strlen(csv.fields[id]), csv.fields[class]));
    }
    RN_TRY(rn_class_list_sort(ids));
out:
    rn_csv_release(&csv);
    return st;
}

static rn_status collect_classes(rn_class_list *classes, const rn_class_list *ids)
{
    rn_status st = RN_OK;

    for (size_t i = 0; i < ids->count; i++) {
        const char *key = ids->classes[i].name;
        RN_TRY(rn_class_list_add(classes, key, strlen(key), NULL));
    }
    RN_TRY(rn_class_list_sort(classes));
out:
    return st;
}

// The picture's file name without its ending is its id.
static rn_status label_by_id(rn_photo_list *list, size_t i, const rn_class_list *ids,
                             const rn_class_list *classes, const char *path)
{
    rn_status st = RN_OK;
    const char *name = rn_photo_list_name(list, i), *slash = strrchr(name, '/');
    char shown[300], *id = NULL;

    RN_TRY(rn_strdup(&id, slash == NULL ? name : slash + 1));
    *strrchr(id, '.') = '\0';
    int32_t row = rn_class_list_find(ids, id);
    list->entries[i].label = row < 0 ? -1 : rn_class_list_find(classes, ids->classes[row].name);
    rn_text_escape(shown, sizeof shown, name);
    if (row < 0)
        st = rn_error(RN_EFORMAT, "'%s' has no label for '%s'", path, shown);
    else if (list->entries[i].label < 0)
        st = rn_error(RN_EFORMAT, "'%s': '%s' is of class '%s', which the training set lacks", path,
                      shown, ids->classes[row].name);
out:
    rn_free(id);
    return st;
}

static rn_status label_by_solution(rn_photo_list *list, rn_class_list *classes, const char *path)
{
    rn_status st = RN_OK;
    rn_class_list ids = {0};

    RN_TRY(read_solution(&ids, path));
    if (classes->count == 0)
        RN_TRY(collect_classes(classes, &ids));
    for (size_t i = 0; i < list->count; i++)
        RN_TRY(label_by_id(list, i, &ids, classes, path));
out:
    rn_class_list_release(&ids);
    return st;
}

// The devkit's ground truth

static bool is_sorted(const rn_class_list *list)
{
    for (size_t i = 1; i < list->count; i++) {
        if (strcmp(list->classes[i - 1].key, list->classes[i].key) >= 0)
            return false;
    }
    return true;
}

// The common lists are in the order of WordNet ids, in which the devkit's numbers would be wrong
// without any other sign.
static rn_status read_numbered(rn_class_list *numbered, const rn_label_folder *folders)
{
    rn_status st = RN_OK;
    char *path = NULL;

    for (int i = 0; i < 3 && path == NULL; i++)
        RN_TRY(find_file(&path, NULL, folders, list_names[i]));
    if (path == NULL) {
        st = rn_error(RN_ENOTFOUND,
                      "%s numbers its classes as meta.mat does, which cannot be read: expected a "
                      "list of WordNet ids in that order, classes.txt, beside it or in '%s'",
                      ground_truth, folders->path);
        goto out;
    }
    RN_TRY(read_list(numbered, path));
    if (numbered->count == IMAGENET_CLASSES && is_sorted(numbered))
        st = rn_error(RN_EFORMAT,
                      "'%s' has its classes in the order of WordNet ids, but %s numbers them in "
                      "another, that of the devkit's meta.mat: write classes.txt in that order",
                      path, ground_truth);
out:
    rn_free(path);
    return st;
}

static rn_status take_classes(rn_class_list *classes, const rn_class_list *numbered)
{
    rn_status st = RN_OK;

    for (size_t i = 0; i < numbered->count; i++) {
        const rn_class *class = &numbered->classes[i];
        RN_TRY(rn_class_list_add(classes, class->key, strlen(class->key), class->name));
    }
    RN_TRY(rn_class_list_sort(classes));
out:
    return st;
}

static rn_status label_by_number(int32_t *label, const char *line, const rn_class_list *classes,
                                 const rn_class_list *numbered)
{
    int64_t number;

    if (numbered->classes == NULL || !rn_text_int64(line, 1, (int64_t)numbered->count, &number))
        return rn_error(RN_EFORMAT, "class is '%s', expected 1 to %zu", line, numbered->count);
    *label = rn_class_list_find(classes, numbered->classes[number - 1].key);
    if (*label < 0)
        return rn_error(RN_EFORMAT, "class %s is '%s', which the training set lacks", line,
                        numbered->classes[number - 1].key);
    return RN_OK;
}

static rn_status label_lines(rn_photo_list *list, char *text, const rn_class_list *classes,
                             const rn_class_list *numbered)
{
    rn_status st = RN_OK;
    size_t lines = 0;

    for (char *line; (line = take_line(&text)) != NULL; lines++) {
        if (lines == list->count)
            return rn_error(RN_EFORMAT, "over %zu lines, expected one for each picture",
                            list->count);
        st = label_by_number(&list->entries[lines].label, line, classes, numbered);
        if (st != RN_OK)
            return rn_error_prefix(st, "line %zu", lines + 1);
    }
    if (lines < list->count)
        return rn_error(RN_EFORMAT, "%zu lines for %zu pictures", lines, list->count);
    return RN_OK;
}

static rn_status label_by_truth(rn_photo_list *list, rn_class_list *classes, const char *path,
                                const rn_label_folder *folders)
{
    rn_status st = RN_OK;
    rn_class_list numbered = {0};
    char *text = NULL;

    RN_TRY(read_numbered(&numbered, folders));
    if (classes->count == 0)
        RN_TRY(take_classes(classes, &numbered));
    RN_TRY(read_text(&text, path));
    st = label_lines(list, text, classes, &numbered);
    if (st != RN_OK)
        rn_error_prefix(st, "'%s'", path);
out:
    rn_free(text);
    rn_class_list_release(&numbered);
    return st;
}

rn_status rn_photo_labels_read(rn_photo_list *list, rn_class_list *classes,
                               const rn_label_folder *folders)
{
    rn_status st = RN_OK;
    char *by_id = NULL, *by_order = NULL;

    RN_TRY(find_file(&by_id, NULL, folders, solution));
    RN_TRY(find_file(&by_order, NULL, folders, ground_truth));
    if (by_id != NULL)
        st = label_by_solution(list, classes, by_id);
    else if (by_order != NULL)
        st = label_by_truth(list, classes, by_order, folders);
    else
        st = rn_error(RN_ENOTFOUND,
                      "'%s' has pictures, but no folders of classes, and no labels: looked for %s "
                      "and %s there, in the folders above, and in their ILSVRC2012_devkit_t12/data",
                      folders->path, solution, ground_truth);
out:
    rn_free(by_order);
    rn_free(by_id);
    return st;
}
