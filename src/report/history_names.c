#include "report/history_reader.h"

#include "base/memory.h"

#include <string.h>

enum { MOST_NAMES = 1 << 16, FIRST_SLOTS = 64 };

// FNV-1a
static size_t hash(log_span name)
{
    uint64_t value = 0xcbf29ce484222325;

    for (size_t i = 0; i < name.length; i++)
        value = (value ^ (unsigned char)name.text[i]) * 0x100000001b3;
    return (size_t)(value ^ value >> 32);
}

// Where the name is, or the free slot where it would be.
static size_t slot_of(const history_names *names, log_span name)
{
    size_t slot = hash(name) & (names->slots - 1);

    while (names->table[slot] != 0 && !log_span_is(name, names->names[names->table[slot] - 1]))
        slot = (slot + 1) & (names->slots - 1);
    return slot;
}

// At most half of the slots are in use.
static rn_status make_slots(history_names *names)
{
    rn_status st = RN_OK;
    history_names larger = *names;

    if (names->count * 2 < names->slots)
        return RN_OK;
    larger.slots = names->slots == 0 ? (size_t)FIRST_SLOTS : 2 * names->slots;
    RN_TRY(RN_NEW(&larger.table, larger.slots));
    for (size_t i = 0; i < names->count; i++) {
        log_span name = {names->names[i], strlen(names->names[i])};
        larger.table[slot_of(&larger, name)] = (int)i + 1;
    }
    rn_free(names->table);
    *names = larger;
out:
    return st;
}

rn_status history_names_find(history_names *names, log_span name, int *index)
{
    rn_status st = RN_OK;

    *index = -1;
    RN_TRY(make_slots(names));
    size_t slot = slot_of(names, name);
    if (names->table[slot] == 0) {
        if (names->count == MOST_NAMES)
            goto out;
        RN_TRY(rn_grow((void **)&names->names, &names->room, names->count + 1, sizeof(char *)));
        RN_TRY(rn_format(&names->names[names->count], "%.*s", (int)name.length, name.text));
        names->table[slot] = (int)++names->count;
    }
    *index = names->table[slot] - 1;
out:
    return st;
}

void history_names_release(history_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        rn_free(names->names[i]);
    rn_free(names->names);
    rn_free(names->table);
    *names = (history_names){0};
}
