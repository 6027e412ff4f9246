#include "train/bad_notes.h"

#include "base/memory.h"

#include <string.h>

static bool is_known(const rn_bad_notes *notes, const char *text)
{
    for (size_t i = 0; i < notes->count; i++)
        if (strcmp(notes->texts[i], text) == 0)
            return true;
    return false;
}

bool rn_bad_notes_add(rn_bad_notes *notes, const char *text)
{
    if (is_known(notes, text))
        return false;
    if (rn_grow((void **)&notes->texts, &notes->room, notes->count + 1, sizeof *notes->texts) !=
        RN_OK)
        return true;
    if (rn_strdup(&notes->texts[notes->count], text) == RN_OK)
        notes->count++;
    return true;
}

void rn_bad_notes_release(rn_bad_notes *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        rn_free(notes->texts[i]);
    rn_free(notes->texts);
    *notes = (rn_bad_notes){0};
}
