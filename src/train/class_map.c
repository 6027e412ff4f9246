#include "train/class_map.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

typedef struct named_class {
    const char *name;
    int32_t index;
} named_class;

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const named_class *)a)->name, ((const named_class *)b)->name);
}

rn_status rn_check_labelled(const rn_samples *samples)
{
    for (size_t i = 0; i < samples->count; i++)
        if (samples->labels[i] < 0)
            return rn_error(RN_EINVAL, "%s: image %zu has no label to compare with", samples->name,
                            i);
    return RN_OK;
}

// Whether the set's classes are the model's first, which needs no search, and holds where names
// come twice, as two of ImageNet's do.
static bool names_are_first(int32_t *map, const rn_checkpoint *model, const rn_samples *samples)
{
    for (int i = 0; i < samples->classes; i++) {
        if (i >= model->options.classes ||
            strcmp(samples->label_names[i], model->label_names[i]) != 0)
            return false;
        map[i] = i;
    }
    return true;
}

// The first name of the set that the model does not know; NULL: it knows all.
static const char *map_names(int32_t *map, const named_class *known, size_t count,
                             const rn_samples *samples)
{
    for (int i = 0; i < samples->classes; i++) {
        const named_class wanted = {.name = samples->label_names[i]};
        const named_class *found = bsearch(&wanted, known, count, sizeof *known, compare_names);
        if (found == NULL)
            return wanted.name;
        map[i] = found->index;
    }
    return NULL;
}

rn_status rn_class_map(int32_t **map, const rn_checkpoint *model, const rn_samples *samples)
{
    rn_status st = RN_OK;
    named_class *known = NULL;
    const char *unknown;
    int32_t *made = NULL;
    const int classes = model->options.classes;

    *map = NULL;
    RN_TRY(RN_NEW(&known, (size_t)classes));
    RN_TRY(RN_NEW(&made, (size_t)samples->classes));
    for (int i = 0; i < classes; i++)
        known[i] = (named_class){model->label_names[i], i};
    qsort(known, (size_t)classes, sizeof *known, compare_names);
    unknown = names_are_first(made, model, samples)
                  ? NULL
                  : map_names(made, known, (size_t)classes, samples);
    if (unknown != NULL && samples->classes != classes) {
        st =
            rn_error(RN_EINVAL, "%s has %d classes, the model has %d, of which none is called '%s'",
                     samples->name, samples->classes, classes, unknown);
        goto out;
    }
    for (int i = 0; unknown != NULL && i < classes; i++)
        made[i] = i;
    *map = made;
    made = NULL; // now the caller's
out:
    rn_free(made);
    rn_free(known);
    return st;
}
