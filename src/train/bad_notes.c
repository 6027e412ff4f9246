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

static rn_status more_room(rn_bad_notes *notes)
{
    rn_status st = RN_OK;
    const size_t room = 2 * notes->room + 8;
    char **texts = NULL;

    RN_TRY(RN_NEW(&texts, room));
    if (notes->count > 0)
        memcpy(texts, notes->texts, notes->count * sizeof *texts);
    rn_free(notes->texts);
    notes->texts = texts;
    notes->room = room;
out:
    return st;
}

bool rn_bad_notes_add(rn_bad_notes *notes, const char *text)
{
    if (is_known(notes, text))
        return false;
    if (notes->count == notes->room && more_room(notes) != RN_OK)
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
