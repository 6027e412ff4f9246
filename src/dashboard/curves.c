#include "dashboard/curves.h"

#include <math.h>
#include <string.h>

enum { MOST_SETS = 8 };

// A point of either kind.
typedef struct point {
    int64_t iteration;
    double epoch, seconds, value;
} point;

// Points that are one in the picture.
typedef struct bucket {
    point last;
    double sum, low, high;
    int count; // of finite values
} bucket;

// Evaluations of one set, or the steps where set is NULL.
typedef struct series {
    const rn_history *history;
    const char *set;
    rn_quantity quantity;
    size_t count; // points
    size_t width; // points of a bucket
} series;

static double step_value(const rn_history_step *step, rn_quantity quantity)
{
    switch (quantity) {
    case RN_QUANTITY_LOSS:
        return step->loss;
    case RN_QUANTITY_LR:
        return step->lr;
    case RN_QUANTITY_SPEED:
        return step->images_per_second;
    case RN_QUANTITY_WAIT:
        return 100 * step->data_wait; // percent, as errors are
    case RN_QUANTITY_MEMORY:
        return step->memory;
    default:
        return step->error;
    }
}

// Point number *at or a later one of the series; false if there is none.
static bool next_point(point *out, const series *s, size_t *at)
{
    const rn_history *h = s->history;

    if (s->set == NULL) {
        if (*at == h->step_count)
            return false;
        const rn_history_step *step = &h->steps[(*at)++];
        *out = (point){step->iteration, step->epoch, step->seconds, step_value(step, s->quantity)};
        return true;
    }
    while (*at < h->evaluation_count) {
        const rn_history_evaluation *e = &h->evaluations[(*at)++];
        if (e->set != s->set) // one pointer for each name
            continue;
        *out = (point){e->iteration, e->epoch, e->seconds,
                       s->quantity == RN_QUANTITY_LOSS ? e->loss : e->error};
        return true;
    }
    return false;
}

static bool next_bucket(bucket *out, const series *s, size_t *at)
{
    size_t taken = 0;

    *out = (bucket){.low = NAN, .high = NAN};
    while (taken < s->width && next_point(&out->last, s, at)) {
        double value = out->last.value;
        taken++;
        if (!isfinite(value))
            continue;
        out->sum += value;
        out->low = fmin(out->low, value); // which take the number where the other is NaN
        out->high = fmax(out->high, value);
        out->count++;
    }
    return taken > 0;
}

static void write_iteration(draw_text *out, const bucket *b)
{
    draw_text_number(out, (double)b->last.iteration, 16);
}

static void write_epoch(draw_text *out, const bucket *b)
{
    draw_text_number(out, b->last.epoch, 7);
}

static void write_seconds(draw_text *out, const bucket *b)
{
    draw_text_number(out, b->last.seconds, 8);
}

static void write_mean(draw_text *out, const bucket *b)
{
    draw_text_number(out, b->count > 0 ? b->sum / b->count : NAN, 6);
}

static void write_low(draw_text *out, const bucket *b)
{
    draw_text_number(out, b->low, 6);
}

static void write_high(draw_text *out, const bucket *b)
{
    draw_text_number(out, b->high, 6);
}

static void write_series(draw_text *out, const series *s)
{
    static const struct {
        const char *key;
        void (*write)(draw_text *out, const bucket *b);
        bool thinned; // the same as the mean where a point is a point
    } columns[] = {{"iteration", write_iteration, false},
                   {"epoch", write_epoch, false},
                   {"seconds", write_seconds, false},
                   {"mean", write_mean, false},
                   {"low", write_low, true},
                   {"high", write_high, true}};

    draw_text_print(out, "{\"set\":");
    draw_text_json(out, s->set == NULL ? "train" : s->set);
    draw_text_print(out, ",\"evaluated\":%s,\"count\":%zu,\"bucket\":%zu",
                    s->set == NULL ? "false" : "true", s->count, s->width);
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
        const char *comma = "";
        bucket b;
        if (columns[c].thinned && s->width == 1)
            continue;
        draw_text_print(out, ",\"%s\":[", columns[c].key);
        for (size_t at = 0; next_bucket(&b, s, &at); comma = ",") {
            draw_text_print(out, "%s", comma);
            columns[c].write(out, &b);
        }
        draw_text_print(out, "]");
    }
    draw_text_print(out, "}");
}

static size_t width_of(size_t count)
{
    size_t width = 1;

    while ((count + width - 1) / width > CURVE_POINTS)
        width *= 2;
    return width;
}

static int list_sets(const char *sets[MOST_SETS], size_t counts[MOST_SETS],
                     const rn_history *history)
{
    int found = 0;

    for (size_t i = 0; i < history->evaluation_count; i++) {
        const char *set = history->evaluations[i].set;
        int k = 0;
        while (k < found && sets[k] != set)
            k++;
        if (k == MOST_SETS)
            continue;
        if (k == found) {
            sets[found] = set;
            counts[found++] = 0;
        }
        counts[k]++;
    }
    return found;
}

void rn_curves_write(draw_text *out, const rn_history *history, rn_quantity quantity)
{
    const char *sets[MOST_SETS];
    size_t counts[MOST_SETS];
    series s = {history, NULL, quantity, history->step_count, width_of(history->step_count)};
    bool evaluated = quantity == RN_QUANTITY_ERROR || quantity == RN_QUANTITY_LOSS;
    int found = evaluated ? list_sets(sets, counts, history) : 0;

    draw_text_print(out, "\"series\":[");
    write_series(out, &s);
    for (int i = 0; i < found; i++) {
        s.set = sets[i];
        s.count = counts[i];
        s.width = width_of(counts[i]);
        draw_text_print(out, ",");
        write_series(out, &s);
    }
    draw_text_print(out, "]");
}
