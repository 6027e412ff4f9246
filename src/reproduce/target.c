// Targets by name: the built-in ones, made from src/reproduce/targets/, and files.
#include "reproduce_targets.h"
#include "resnet/reproduce.h"

#include "base/file.h"
#include "base/memory.h"

#include <string.h>

enum { TARGETS = sizeof targets / sizeof *targets, LARGEST_FILE = 1 << 20 };

const char *rn_target_name(int index)
{
    return index >= 0 && index < TARGETS ? targets[index].name : NULL;
}

static rn_status unknown_target(const char *name)
{
    const char *names[TARGETS];

    for (int i = 0; i < TARGETS; i++)
        names[i] = targets[i].name;
    const char *nearest = rn_nearest(name, names, TARGETS);
    if (nearest != NULL)
        return rn_error(RN_ENOTFOUND, "unknown target '%s'; did you mean '%s'?", name, nearest);
    return rn_error(RN_ENOTFOUND,
                    "unknown target '%s', expected one of those of 'resnet reproduce --list', the "
                    "path of a .json file, or the folder of a reproduction",
                    name);
}

static bool names_a_file(const char *name)
{
    size_t length = strlen(name);

    return strchr(name, '/') != NULL || (length >= 5 && strcmp(name + length - 5, ".json") == 0);
}

static rn_status load_file(rn_target **out, const char *path)
{
    rn_status st;
    char *text = NULL, *what = NULL;
    size_t size = 0;

    RN_TRY(rn_format(&what, "target '%s'", path));
    RN_TRY(rn_file_read(&text, &size, path, LARGEST_FILE));
    if (strlen(text) != size) {
        st = rn_error(RN_EFORMAT, "%s: JSON holds a NUL byte", what);
        goto out;
    }
    RN_TRY(rn_target_parse(out, text, what));
out:
    rn_free(what);
    rn_free(text);
    return st;
}

rn_status rn_target_load(rn_target **out, const char *name)
{
    rn_status st;
    char *what = NULL;

    *out = NULL;
    if (names_a_file(name))
        return load_file(out, name);
    for (int i = 0; i < TARGETS; i++)
        if (strcmp(targets[i].name, name) == 0) {
            RN_TRY(rn_format(&what, "target '%s'", name));
            RN_TRY(rn_target_parse(out, (const char *)targets[i].json, what));
            goto out;
        }
    st = unknown_target(name);
out:
    rn_free(what);
    return st;
}
