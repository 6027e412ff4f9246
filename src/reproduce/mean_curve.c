#include "reproduce/mean_curve.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

typedef struct curve_point {
    double iteration, error;
} curve_point;

// Whether line `i` of a log's steps or evaluations is a point of the curve.
static bool point_at(curve_point *out, const rn_history *history, rn_curve curve, size_t i)
{
    if (curve == RN_CURVE_TRAINING) {
        *out = (curve_point){(double)history->steps[i].iteration, history->steps[i].error};
        return true;
    }
    const rn_history_evaluation *evaluation = &history->evaluations[i];
    *out = (curve_point){(double)evaluation->iteration, evaluation->error};
    return strncmp(evaluation->set, "test", 4) == 0;
}

static size_t lines_of(const rn_history *history, rn_curve curve)
{
    if (history == NULL)
        return 0;
    return curve == RN_CURVE_TRAINING ? history->step_count : history->evaluation_count;
}

// How many points a history has, and whether their iterations are the curve's.
static size_t count_points(const rn_history *history, rn_curve curve, const rn_mean_curve *like,
                           bool *same)
{
    size_t count = 0;
    curve_point point;

    *same = true;
    for (size_t i = 0; i < lines_of(history, curve); i++)
        if (point_at(&point, history, curve, i)) {
            *same = *same && count < like->count && like->iteration[count] == point.iteration;
            count++;
        }
    *same = *same && count == like->count;
    return count;
}

static const rn_history *longest(const rn_reproduction *r, const rn_outcome *outcomes, int run,
                                 rn_curve curve, size_t *points)
{
    const rn_mean_curve none = {0};
    const rn_history *found = NULL;
    bool same;

    *points = 0;
    for (int i = 0; i < r->job_count; i++) {
        const rn_history *history = r->jobs[i].run == run ? outcomes[i].history : NULL;
        const size_t count = count_points(history, curve, &none, &same);
        if (count > *points) {
            *points = count;
            found = history;
        }
    }
    return found;
}

// Mean and sum of squares of one seed more (Welford 1962).
static void take(rn_mean_curve *out, const rn_history *history, rn_curve curve)
{
    size_t at = 0;
    curve_point point;

    out->seeds++;
    for (size_t i = 0; i < lines_of(history, curve); i++) {
        if (!point_at(&point, history, curve, i))
            continue;
        const double before = point.error - out->mean[at];
        out->mean[at] += before / out->seeds;
        out->deviation[at] += before * (point.error - out->mean[at]);
        at++;
    }
}

static void begin(rn_mean_curve *out, const rn_history *history, rn_curve curve)
{
    size_t at = 0;
    curve_point point;

    for (size_t i = 0; i < lines_of(history, curve); i++)
        if (point_at(&point, history, curve, i))
            out->iteration[at++] = point.iteration;
}

static void finish(rn_mean_curve *out)
{
    for (size_t i = 0; out->seeds > 1 && i < out->count; i++)
        out->deviation[i] = sqrt(out->deviation[i] / (out->seeds - 1));
    if (out->seeds > 1)
        return;
    rn_free(out->deviation);
    out->deviation = NULL;
}

rn_status rn_mean_curve_create(rn_mean_curve *out, const rn_reproduction *reproduction,
                               const rn_outcome *outcomes, int run, rn_curve curve)
{
    rn_status st = RN_OK;
    bool same;

    *out = (rn_mean_curve){0};
    const rn_history *reference = longest(reproduction, outcomes, run, curve, &out->count);
    if (reference == NULL)
        return RN_OK;
    RN_TRY(RN_NEW(&out->iteration, out->count));
    RN_TRY(RN_NEW(&out->mean, out->count));
    RN_TRY(RN_NEW(&out->deviation, out->count));
    begin(out, reference, curve);
    for (int i = 0; i < reproduction->job_count; i++) {
        if (reproduction->jobs[i].run != run || outcomes[i].history == NULL)
            continue;
        count_points(outcomes[i].history, curve, out, &same);
        if (same)
            take(out, outcomes[i].history, curve);
    }
    finish(out);
out:
    if (st != RN_OK)
        rn_mean_curve_release(out);
    return st;
}

void rn_mean_curve_release(rn_mean_curve *curve)
{
    rn_free(curve->iteration);
    rn_free(curve->mean);
    rn_free(curve->deviation);
    *curve = (rn_mean_curve){0};
}
