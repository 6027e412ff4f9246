#include "store/torch.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN = 100 }; // most bytes of a name in a message

static const char *const containers[] = {"state_dict", "model", "model_state_dict", "net"};

static bool is_named_tensor(const rn_pickle *pickle, const rn_pickle_value *key,
                            const rn_pickle_value *value)
{
    return key->kind == RN_PICKLE_TEXT && rn_torch_is_tensor(pickle, value);
}

static size_t count_tensors(const rn_pickle *pickle, const rn_pickle_value *dict)
{
    size_t count = 0;
    uint32_t cell = dict->items.first;

    for (uint32_t i = 0; i < dict->length; i += 2) {
        const rn_pickle_value *key = rn_pickle_next(pickle, &cell);
        count += is_named_tensor(pickle, key, rn_pickle_next(pickle, &cell));
    }
    return count;
}

// Containers come first: beside one may lie tensors, such as the best accuracy so far.
static rn_status find_state(const rn_pickle_value **out, size_t *count, const rn_pickle *pickle)
{
    const rn_pickle_value *root = rn_pickle_root(pickle);

    if (root->kind != RN_PICKLE_DICT)
        return rn_error(RN_EFORMAT, "the object saved is not a dict, expected a state dict");
    for (size_t i = 0; i < sizeof containers / sizeof *containers; i++) {
        *out = rn_pickle_find(pickle, root, containers[i]);
        if (*out == NULL || (*out)->kind != RN_PICKLE_DICT)
            continue;
        *count = count_tensors(pickle, *out);
        if (*count > 0)
            return RN_OK;
    }
    *out = root;
    *count = count_tensors(pickle, root);
    if (*count == 0)
        return rn_error(RN_EFORMAT, "no tensors in the dict saved, nor in a 'state_dict', 'model', "
                                    "'model_state_dict' or 'net' within");
    return RN_OK;
}

static void list(rn_torch_entry *entries, const rn_pickle *pickle, const rn_pickle_value *dict)
{
    uint32_t cell = dict->items.first;

    for (uint32_t i = 0; i < dict->length; i += 2) {
        const rn_pickle_value *key = rn_pickle_next(pickle, &cell);
        const rn_pickle_value *value = rn_pickle_next(pickle, &cell);
        if (is_named_tensor(pickle, key, value))
            *entries++ =
                (rn_torch_entry){.name = key->text, .length = key->length, .tensor = value};
    }
}

// One text may be the name of any number of entries: comparing long ones would take hours.
static rn_status check_lengths(const rn_torch_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (entries[i].length > RN_TORCH_NAME)
            return rn_error(RN_EFORMAT, "the name of tensor %zu has %zu bytes, expected at most %d",
                            i, entries[i].length, RN_TORCH_NAME);
    }
    return RN_OK;
}

static int compare_names(const void *a, const void *b)
{
    const rn_torch_entry *x = *(const rn_torch_entry *const *)a;
    const rn_torch_entry *y = *(const rn_torch_entry *const *)b;

    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    return memcmp(x->name, y->name, x->length);
}

static rn_status check_names(const rn_torch_entry *entries, size_t count)
{
    rn_status st = RN_OK;
    const rn_torch_entry **sorted = NULL;

    RN_TRY(RN_NEW(&sorted, count));
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &entries[i];
        if (memchr(entries[i].name, '\0', entries[i].length) != NULL) {
            st = rn_error(RN_EFORMAT, "the name of tensor %zu has a NUL in it", i);
            goto out;
        }
    }
    qsort(sorted, count, sizeof *sorted, compare_names);
    for (size_t i = 1; i < count; i++) {
        const rn_torch_entry *entry = sorted[i];
        if (compare_names(&sorted[i - 1], &sorted[i]) == 0) {
            st = rn_error(RN_EFORMAT, "tensor '%.*s' appears twice",
                          entry->length > SHOWN ? SHOWN : (int)entry->length, entry->name);
            goto out;
        }
    }
out:
    rn_free(sorted);
    return st;
}

rn_status rn_torch_list_entries(rn_torch_entry **out, size_t *count, const rn_pickle *pickle)
{
    rn_status st = RN_OK;
    const rn_pickle_value *state = NULL;

    *out = NULL;
    RN_TRY(find_state(&state, count, pickle));
    RN_TRY(RN_NEW(out, *count));
    list(*out, pickle, state);
    RN_TRY(check_lengths(*out, *count));
    st = check_names(*out, *count);
out:
    if (st != RN_OK) {
        rn_free(*out);
        *out = NULL;
    }
    return st;
}
