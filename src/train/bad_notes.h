/** Bad pictures that were told of: each once, whether training or an evaluation met it first. */
#ifndef TRAIN_BAD_NOTES_H
#define TRAIN_BAD_NOTES_H

#include "resnet/base.h"

typedef struct rn_bad_notes {
    char **texts; // messages, which name the pictures
    size_t count, room;
} rn_bad_notes;

/**
 * Whether a message is new; from then on it is known. Where there is no memory to remember it, it
 * will be new once more, which is better than the end of a training.
 */
bool rn_bad_notes_add(rn_bad_notes *notes, const char *text);

void rn_bad_notes_release(rn_bad_notes *notes);

#endif
