// The names that other programs give to the parameters of our networks.
#include "store/import.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What wrappers put in front of every name: DataParallel and DistributedDataParallel;
// torch.compile(); a network that is a member of a Lightning module. One may lie in the other.
static const char *const wrappers[] = {"module.", "_orig_mod.", "model."};
enum { WRAPPERS = sizeof wrappers / sizeof *wrappers, MOST_WRAPPED = 4, LONGER = 2 };

/** What is in front of every name, and how long it is. */
typedef struct wrapping {
    const char *text; // within a name
    size_t length;
} wrapping;

static bool begins(const char *name, const wrapping *around, const char *prefix)
{
    return strncmp(name, around->text, around->length) == 0 &&
           strncmp(name + around->length, prefix, strlen(prefix)) == 0;
}

// Whole numbers may stand beside the network, as "n_averaged" does in what averages its weights.
static bool all_begin(const rn_foreign *foreign, const wrapping *around, const char *prefix)
{
    size_t values = 0;

    for (size_t i = 0; i < foreign->count; i++) {
        const rn_tensor *tensor = &foreign->tensors[i].tensor;
        if (tensor->data != NULL && !begins(tensor->name, around, prefix))
            return false;
        values += tensor->data != NULL;
    }
    return values > 0;
}

static wrapping find_wrapping(const rn_foreign *foreign)
{
    wrapping around = {.text = ""};

    for (size_t i = 0; i < foreign->count; i++)
        if (foreign->tensors[i].tensor.data != NULL)
            around.text = foreign->tensors[i].tensor.name;
    for (int layer = 0; layer < MOST_WRAPPED; layer++)
        for (int i = 0; i < WRAPPERS; i++)
            if (all_begin(foreign, &around, wrappers[i]))
                around.length += strlen(wrappers[i]);
    return around;
}

// The ".shortcut." of a unit's projection: its 0 is the convolution, its 1 the batch norm.
static const char *find_shortcut(const char *name)
{
    const char *found = strstr(name, ".shortcut.");
    const char *member = found == NULL ? NULL : found + strlen(".shortcut.");

    return member != NULL && (*member == '0' || *member == '1') && member[1] == '.' ? found : NULL;
}

// At most LONGER characters longer than `name`.
static size_t translate(char *dst, const char *name)
{
    const char *shortcut = find_shortcut(name);

    if (strncmp(name, "linear.", 7) == 0)
        return (size_t)sprintf(dst, "fc.%s", name + 7);
    if (shortcut != NULL)
        return (size_t)sprintf(dst, "%.*s.downsample.%s", (int)(shortcut - name), name,
                               shortcut + strlen(".shortcut."));
    return (size_t)sprintf(dst, "%s", name);
}

static bool is_batch_count(const char *name)
{
    static const char ending[] = "num_batches_tracked";
    size_t length = strlen(name);

    return length >= sizeof ending - 1 && strcmp(name + length - (sizeof ending - 1), ending) == 0;
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const rn_state_entry *)a)->name, ((const rn_state_entry *)b)->name);
}

static void fill(rn_state *state, const wrapping *around)
{
    char *next = state->names;

    for (size_t i = 0; i < state->foreign->count; i++) {
        const rn_foreign_tensor *source = &state->foreign->tensors[i];
        const char *name = source->tensor.name;
        if (is_batch_count(name))
            continue;
        state->entries[state->count++] = (rn_state_entry){.name = next, .source = source};
        next += translate(next, begins(name, around, "") ? name + around->length : name) + 1;
    }
    qsort(state->entries, state->count, sizeof *state->entries, compare_entries);
}

static rn_status check_unique(const rn_state *state)
{
    for (size_t i = 1; i < state->count; i++)
        if (compare_entries(&state->entries[i - 1], &state->entries[i]) == 0)
            return rn_error(RN_EFORMAT, "tensor '%s' appears twice, as '%s' and as '%s'",
                            state->entries[i].name, state->entries[i - 1].source->tensor.name,
                            state->entries[i].source->tensor.name);
    return RN_OK;
}

rn_status rn_state_init(rn_state *state, const rn_foreign *foreign)
{
    rn_status st = RN_OK;
    size_t characters = 0;

    const wrapping around = find_wrapping(foreign);
    *state = (rn_state){.foreign = foreign};
    for (size_t i = 0; i < foreign->count; i++)
        characters += strlen(foreign->tensors[i].tensor.name) + LONGER + 1;
    RN_TRY(RN_NEW(&state->entries, foreign->count));
    RN_TRY(rn_alloc((void **)&state->names, characters, 1));
    fill(state, &around);
    RN_TRY(check_unique(state));
out:
    if (st != RN_OK)
        rn_state_release(state);
    return st;
}

void rn_state_release(rn_state *state)
{
    rn_free(state->entries);
    rn_free(state->names);
    *state = (rn_state){0};
}

rn_state_entry *rn_state_find(const rn_state *state, const char *fmt, ...)
{
    char name[RN_TENSOR_NAME];
    const rn_state_entry wanted = {.name = name};
    va_list values;

    va_start(values, fmt);
    vsnprintf(name, sizeof name, fmt, values);
    va_end(values);
    return bsearch(&wanted, state->entries, state->count, sizeof wanted, compare_entries);
}
