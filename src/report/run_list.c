// Which runs a folder means.
#include "resnet/history.h"

#include "report/run_list.h"

#include "base/file.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

rn_status rn_run_list_is_run(bool *found, const char *folder)
{
    char *path;
    rn_status st = rn_format(&path, "%s/log.jsonl", folder);

    *found = st == RN_OK && rn_file_exists(path);
    rn_free(path);
    return st;
}

static rn_status add_if_run(rn_run_list *list, size_t *room, char *folder)
{
    rn_status st;
    bool found;

    RN_TRY(rn_run_list_is_run(&found, folder));
    if (found) {
        RN_TRY(rn_grow((void **)&list->folders, room, list->count + 1, sizeof *list->folders));
        list->folders[list->count++] = folder;
        folder = NULL; // now the list's
    }
out:
    rn_free(folder);
    return st;
}

static int compare(const void *a, const void *b)
{
    const char *first = *(char *const *)a, *second = *(char *const *)b;
    int order = strverscmp(first, second);

    return order != 0 ? order : strcmp(first, second);
}

static rn_status list_folders(rn_run_list *list, const char *folder)
{
    rn_status st = RN_OK;
    size_t room = 0;
    size_t length = strlen(folder);
    char *path;
    DIR *directory = opendir(folder);

    if (directory == NULL)
        return rn_error(errno == ENOENT ? RN_ENOTFOUND : RN_EIO, "cannot open '%s': %s", folder,
                        strerror(errno));
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        RN_TRY(rn_format(&path, "%s%s%s", folder,
                         length > 0 && folder[length - 1] == '/' ? "" : "/", entry->d_name));
        RN_TRY(add_if_run(list, &room, path));
    }
out:
    closedir(directory);
    return st;
}

rn_status rn_run_list_place(char **out, const char *folder)
{
    rn_status st;
    char *plan = NULL, *runs = NULL;

    *out = NULL;
    RN_TRY(rn_format(&plan, "%s/plan.json", folder));
    RN_TRY(rn_format(&runs, "%s/runs", folder));
    if (rn_file_exists(plan) && rn_folder_exists(runs)) {
        *out = runs;
        runs = NULL; // now the caller's
    } else {
        st = rn_strdup(out, folder);
    }
out:
    rn_free(runs);
    rn_free(plan);
    return st;
}

rn_status rn_run_list_read(rn_run_list *list, const char *folder)
{
    rn_status st;
    bool itself;
    char *copy, *place = NULL;

    *list = (rn_run_list){0};
    RN_TRY(rn_run_list_is_run(&itself, folder));
    if (itself) {
        size_t room = 0;
        RN_TRY(rn_strdup(&copy, folder));
        RN_TRY(add_if_run(list, &room, copy));
    } else {
        RN_TRY(rn_run_list_place(&place, folder));
        RN_TRY(list_folders(list, place));
    }
    if (list->count == 0)
        st = rn_error(RN_ENOTFOUND,
                      "no run in '%s': neither it nor a folder in it holds a "
                      "log.jsonl",
                      folder);
    else
        qsort(list->folders, list->count, sizeof *list->folders, compare);
out:
    rn_free(place);
    if (st != RN_OK)
        rn_run_list_release(list);
    return st;
}

void rn_run_list_release(rn_run_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        rn_free(list->folders[i]);
    rn_free(list->folders);
    *list = (rn_run_list){0};
}
