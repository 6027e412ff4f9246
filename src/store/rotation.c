// Checkpoints of a run folder: keep the newest few, find the newest whole one.
#include "resnet/store.h"

#include "base/file.h"
#include "base/memory.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "checkpoint-"
#define SUFFIX ".safetensors"

typedef struct listing {
    uint64_t *iterations; // falling
    size_t count, capacity;
} listing;

static rn_status iteration_path(char **out, const char *folder, uint64_t iteration)
{
    return rn_format(out, "%s/" PREFIX "%" PRIu64 SUFFIX, folder, iteration);
}

// Only names that iteration_path() makes: no sign, no leading zero, no overflow.
static bool parse_name(uint64_t *iteration, const char *name)
{
    char *end;

    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
        return false;
    const char *digits = name + strlen(PREFIX);
    if (!isdigit((unsigned char)*digits) || (digits[0] == '0' && isdigit((unsigned char)digits[1])))
        return false;
    errno = 0;
    *iteration = strtoull(digits, &end, 10);
    return errno == 0 && strcmp(end, SUFFIX) == 0;
}

static int compare_falling(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x > y ? -1 : x < y;
}

static rn_status list_checkpoints(listing *list, const char *folder)
{
    rn_status st = RN_OK;
    uint64_t iteration;
    DIR *dir = opendir(folder);

    if (dir == NULL)
        return rn_error(errno == ENOENT ? RN_ENOTFOUND : RN_EIO, "cannot list '%s': %s", folder,
                        strerror(errno));
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (entry == NULL)
            break;
        if (!parse_name(&iteration, entry->d_name))
            continue;
        RN_TRY(rn_grow((void **)&list->iterations, &list->capacity, list->count + 1,
                       sizeof *list->iterations));
        list->iterations[list->count++] = iteration;
    }
    if (errno != 0) { // or a resumed run would begin anew
        st = rn_error(RN_EIO, "cannot list '%s': %s", folder, strerror(errno));
        goto out;
    }
    if (list->count > 0)
        qsort(list->iterations, list->count, sizeof *list->iterations, compare_falling);
out:
    closedir(dir);
    return st;
}

static rn_status remove_old(const listing *list, const char *folder, uint64_t saved, size_t keep)
{
    rn_status st = RN_OK;
    char *path = NULL;

    for (size_t i = keep; i < list->count; i++) {
        // A folder may hold later ones of an earlier run; the one just saved must stay all the
        // same.
        if (list->iterations[i] == saved)
            continue;
        RN_TRY(iteration_path(&path, folder, list->iterations[i]));
        if (unlink(path) != 0 && errno != ENOENT) {
            st = rn_error(RN_EIO, "cannot remove '%s': %s", path, strerror(errno));
            goto out;
        }
        rn_free(path);
        path = NULL;
    }
out:
    rn_free(path);
    return st;
}

static rn_status check_keep(int keep)
{
    return keep >= 1 ? RN_OK
                     : rn_error(RN_EINVAL, "%d checkpoints to keep, expected at least 1", keep);
}

rn_status rn_checkpoint_remove_old(const char *folder, uint64_t iteration, int keep)
{
    rn_status st = RN_OK;
    listing list = {0};

    RN_TRY(check_keep(keep));
    RN_TRY(list_checkpoints(&list, folder));
    RN_TRY(remove_old(&list, folder, iteration, (size_t)keep));
out:
    rn_free(list.iterations);
    return st;
}

rn_status rn_checkpoint_add(char **path, const rn_checkpoint *checkpoint, const char *folder,
                            uint64_t iteration)
{
    rn_status st = RN_OK;

    *path = NULL;
    RN_TRY(rn_folder_create(folder));
    rn_folder_remove_orphans(folder); // before writing: they may be what fills the disk
    RN_TRY(iteration_path(path, folder, iteration));
    RN_TRY(rn_checkpoint_save(checkpoint, *path));
out:
    if (st != RN_OK) {
        rn_free(*path);
        *path = NULL;
    }
    return st;
}

rn_status rn_checkpoint_save_in(const rn_checkpoint *checkpoint, const char *folder,
                                uint64_t iteration, int keep)
{
    rn_status st = RN_OK;
    char *path = NULL;

    RN_TRY(check_keep(keep)); // before anything is written
    RN_TRY(rn_checkpoint_add(&path, checkpoint, folder, iteration));
    RN_TRY(rn_checkpoint_remove_old(folder, iteration, keep));
out:
    rn_free(path);
    return st;
}

static bool passes_over(rn_status st)
{
    return st == RN_EFORMAT || st == RN_EIO || st == RN_ENOTFOUND;
}

// From newest to oldest; *first becomes the message of the first failure.
static rn_status try_each(rn_checkpoint **out, char **path, int *skipped, char **first,
                          const listing *list, const char *folder)
{
    rn_status st = RN_OK;

    for (size_t i = 0; i < list->count; i++) {
        RN_TRY(iteration_path(path, folder, list->iterations[i]));
        st = rn_checkpoint_load(out, *path);
        if (!passes_over(st))
            goto out;
        if (*first == NULL)
            RN_TRY(rn_strdup(first, rn_error_message()));
        (*skipped)++;
        rn_free(*path);
        *path = NULL;
    }
    st = rn_error(RN_EFORMAT, "none of the %zu checkpoints in '%s' is valid: %s", list->count,
                  folder, *first);
out:
    return st;
}

rn_status rn_checkpoint_load_newest(rn_checkpoint **out, char **path, int *skipped,
                                    const char *folder)
{
    rn_status st = RN_OK;
    listing list = {0};
    char *first = NULL;

    *out = NULL;
    *path = NULL;
    *skipped = 0;
    RN_TRY(list_checkpoints(&list, folder));
    if (list.count == 0) {
        st = rn_error(RN_ENOTFOUND, "no " PREFIX "N" SUFFIX " in '%s'", folder);
        goto out;
    }
    RN_TRY(try_each(out, path, skipped, &first, &list, folder));
    if (*skipped > 0)
        rn_error(RN_EFORMAT, "%s", first);
out:
    if (st != RN_OK) {
        rn_free(*path);
        *path = NULL;
    }
    rn_free(first);
    rn_free(list.iterations);
    return st;
}
