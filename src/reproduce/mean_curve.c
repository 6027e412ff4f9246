#include "reproduce/mean_curve.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

static size_t lines_of(const rn_history *history, rn_curve curve)
{
    return curve == RN_CURVE_TRAINING ? history->step_count : history->evaluation_count;
}

// One line of a log more, if it is a point of the curve.
static void read_line(rn_mean_curve *out, const rn_history *history, rn_curve curve, size_t i)
{
    if (curve == RN_CURVE_TRAINING) {
        out->iteration[out->count] = (double)history->steps[i].iteration;
        out->mean[out->count++] = history->steps[i].error;
    } else if (strncmp(history->evaluations[i].set, "test", 4) == 0) {
        out->iteration[out->count] = (double)history->evaluations[i].iteration;
        out->mean[out->count++] = history->evaluations[i].error;
    }
}

// The curve of one seed.
static rn_status read_curve(rn_mean_curve *out, const rn_history *history, rn_curve curve)
{
    rn_status st;
    const size_t lines = lines_of(history, curve);

    RN_TRY(RN_NEW(&out->iteration, lines));
    RN_TRY(RN_NEW(&out->mean, lines));
    for (size_t i = 0; i < lines; i++)
        read_line(out, history, curve, i);
    out->seeds = 1;
out:
    return st;
}

static bool same_points(const rn_mean_curve *a, const rn_mean_curve *b)
{
    return a->count == b->count &&
           memcmp(a->iteration, b->iteration, a->count * sizeof *a->iteration) == 0;
}

// Mean and, as deviation, sum of squares of one seed more (Welford 1962).
static rn_status take(rn_mean_curve *out, const rn_mean_curve *seed)
{
    rn_status st = RN_OK;

    if (out->deviation == NULL)
        RN_TRY(RN_NEW(&out->deviation, out->count));
    out->seeds++;
    for (size_t i = 0; i < out->count; i++) {
        const double before = seed->mean[i] - out->mean[i];
        out->mean[i] += before / out->seeds;
        out->deviation[i] += before * (seed->mean[i] - out->mean[i]);
    }
out:
    return st;
}

// A longer curve replaces what there is, one of the same points joins it.
static rn_status join(rn_mean_curve *out, const rn_history *history, rn_curve curve)
{
    rn_status st;
    rn_mean_curve seed = {0};

    RN_TRY(read_curve(&seed, history, curve));
    if (seed.count > out->count) {
        rn_mean_curve_release(out);
        *out = seed;
        seed = (rn_mean_curve){0};
    } else if (seed.count > 0 && same_points(out, &seed)) {
        st = take(out, &seed);
    }
out:
    rn_mean_curve_release(&seed);
    return st;
}

rn_status rn_mean_curve_create(rn_mean_curve *out, const rn_reproduction *reproduction,
                               const rn_outcome *outcomes, int run, rn_curve curve)
{
    rn_status st = RN_OK;

    *out = (rn_mean_curve){0};
    for (int i = 0; i < reproduction->job_count; i++)
        if (reproduction->jobs[i].run == run && outcomes[i].history != NULL)
            RN_TRY(join(out, outcomes[i].history, curve));
    for (size_t i = 0; out->deviation != NULL && i < out->count; i++)
        out->deviation[i] = sqrt(out->deviation[i] / (out->seeds - 1));
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
