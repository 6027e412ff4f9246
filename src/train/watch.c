#include "train/watch.h"

#include "train/inference.h"

#include <math.h>

void rn_watch_init(rn_watch *watch, size_t count, int classes)
{
    *watch = (rn_watch){
        .count = count, .classes = classes, .guesses = classes < RN_GUESSES ? classes : RN_GUESSES};
}

// Whether the picture is one of RN_WATCHED, or of all that there are, evenly over the set; for one
// that cannot be read the next stands in.
static bool is_spread(const rn_watch *watch, size_t index)
{
    size_t places = watch->count < RN_WATCHED ? watch->count : RN_WATCHED;
    size_t place = (size_t)watch->spread_count;

    return place < places && index >= place * watch->count / places;
}

static int highest(const rn_watch *watch, const float *scores, const int *taken, int taken_count)
{
    int best = -1;

    for (int k = 0; k < watch->classes; k++) {
        bool free = true;
        for (int i = 0; i < taken_count; i++)
            free = free && taken[i] != k;
        if (free && (best < 0 || scores[k] > scores[best]))
            best = k;
    }
    return best;
}

// normaliser: log of the sum of exp(scores); NULL: these are probabilities
static rn_watch_picture look(const rn_watch *watch, size_t index, int label, const float *scores,
                             const double *normaliser)
{
    rn_watch_picture picture = {.index = index, .label = label};

    for (int i = 0; i < watch->guesses; i++) {
        int best = highest(watch, scores, picture.classes, i);
        picture.classes[i] = best;
        picture.probabilities[i] =
            normaliser == NULL ? (double)scores[best] : exp((double)scores[best] - *normaliser);
    }
    return picture;
}

// Among the surest so far, if it is one of them.
static void keep_mistake(rn_watch *watch, const rn_watch_picture *picture)
{
    rn_watch_picture *mistakes = watch->mistakes;
    int place = watch->mistake_count;

    while (place > 0 && picture->probabilities[0] > mistakes[place - 1].probabilities[0])
        place--;
    if (place == RN_WATCHED || isnan(picture->probabilities[0]))
        return;
    watch->mistake_count += watch->mistake_count < RN_WATCHED;
    for (int i = watch->mistake_count - 1; i > place; i--)
        mistakes[i] = mistakes[i - 1];
    mistakes[place] = *picture;
}

static void see(rn_watch *watch, const rn_watch_picture *picture, bool spread)
{
    if (spread)
        watch->spread[watch->spread_count++] = *picture;
    else if (picture->classes[0] != picture->label)
        keep_mistake(watch, picture);
}

void rn_watch_probabilities(rn_watch *watch, size_t index, int label, const float *probabilities)
{
    const rn_watch_picture picture = look(watch, index, label, probabilities, NULL);

    see(watch, &picture, is_spread(watch, index));
}

void rn_watch_logits(rn_watch *watch, size_t index, int label, const float *logits)
{
    bool spread = is_spread(watch, index);
    double normaliser;

    if (!spread && highest(watch, logits, NULL, 0) == label)
        return; // most pictures, of most networks
    normaliser = rn_log_sum_exp(logits, watch->classes);
    const rn_watch_picture picture = look(watch, index, label, logits, &normaliser);
    see(watch, &picture, spread);
}

static rn_watched describe(const rn_watch *watch, const rn_watch_picture *picture, bool mistake,
                           char *const *label_names)
{
    rn_watched watched = {.index = picture->index,
                          .label = label_names[picture->label],
                          .right = picture->classes[0] == picture->label,
                          .mistake = mistake,
                          .guess_count = watch->guesses};

    for (int i = 0; i < watch->guesses; i++)
        watched.guesses[i] =
            (rn_guess){label_names[picture->classes[i]], picture->probabilities[i]};
    return watched;
}

int rn_watch_result(rn_watched watched[2 * RN_WATCHED], const rn_watch *watch,
                    char *const *label_names)
{
    int count = 0;

    for (int i = 0; i < watch->spread_count; i++)
        watched[count++] = describe(watch, &watch->spread[i], false, label_names);
    for (int i = 0; i < watch->mistake_count; i++)
        watched[count++] = describe(watch, &watch->mistakes[i], true, label_names);
    return count;
}
