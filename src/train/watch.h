/** Pictures of a set to show, chosen while it is evaluated. */
#ifndef TRAIN_WATCH_H
#define TRAIN_WATCH_H

#include "resnet/train.h"

/** A picture that was seen. */
typedef struct rn_watch_picture {
    size_t index;
    int label;
    int classes[RN_GUESSES]; // the most probable first
    double probabilities[RN_GUESSES];
} rn_watch_picture;

typedef struct rn_watch {
    size_t count; // pictures of the set
    int classes, guesses;
    rn_watch_picture spread[RN_WATCHED];   // evenly over the set
    rn_watch_picture mistakes[RN_WATCHED]; // the surest first
    int spread_count, mistake_count;
} rn_watch;

void rn_watch_init(rn_watch *watch, size_t count, int classes);

/** One picture, in the order of the set: its logits, or the probabilities. */
void rn_watch_logits(rn_watch *watch, size_t index, int label, const float *logits);
void rn_watch_probabilities(rn_watch *watch, size_t index, int label, const float *probabilities);

/** What was chosen, with the classes' names (borrowed); returns how many. */
int rn_watch_result(rn_watched watched[2 * RN_WATCHED], const rn_watch *watch,
                    char *const *label_names);

#endif
