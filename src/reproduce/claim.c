// Claims against results: means over seeds, their deviation, margins, straight lines.
#include "reproduce/outcome.h"

#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_POINTS = 64 }; // as many as a target has runs

static bool is_error(rn_metric metric)
{
    return metric == RN_METRIC_TEST_ERROR || metric == RN_METRIC_TRAIN_ERROR ||
           metric == RN_METRIC_BEST_TEST_ERROR || metric == RN_METRIC_TEN_CROP_ERROR;
}

// NaN where a job has none.
static double value_of(const rn_outcome *outcome, const rn_reproduction *r, rn_metric metric,
                       bool for_order)
{
    const int classes = r->settings.network.classes;

    if (for_order && outcome->state == RN_JOB_DIVERGED && is_error(metric))
        return classes > 1 ? 100 * (1 - 1.0 / classes) : 100;
    return outcome->value[metric];
}

static void add_value(rn_statistics *s, double value)
{
    const double before = value - s->mean;

    s->count++;
    s->mean += before / s->count;
    s->deviation += before * (value - s->mean); // sum of squares so far (Welford 1962)
    s->low = fmin(s->low, value);
    s->high = fmax(s->high, value);
}

static rn_statistics statistics(const rn_outcome *outcomes, const rn_reproduction *r, int run,
                                rn_metric metric, bool for_order)
{
    rn_statistics s = {.low = INFINITY, .high = -INFINITY};

    for (int i = 0; i < r->job_count; i++) {
        double value = value_of(&outcomes[i], r, metric, for_order);
        if (r->jobs[i].run != run)
            continue;
        s.diverged += outcomes[i].state == RN_JOB_DIVERGED;
        if (!isnan(value))
            add_value(&s, value);
    }
    if (s.count == 0)
        s.mean = NAN;
    else if (metric >= RN_METRIC_STEP_SECONDS) // other programs only ever add to what a step costs
        return (rn_statistics){.count = 1, .mean = s.low, .low = s.low, .high = s.low};
    s.deviation = s.count > 1 ? sqrt(s.deviation / (s.count - 1)) : 0;
    return s;
}

rn_statistics rn_statistics_shown(rn_statistics s, rn_metric metric)
{
    s.mean = rn_metric_shown(metric, s.mean);
    s.deviation = rn_metric_shown(metric, s.deviation);
    s.low = rn_metric_shown(metric, s.low);
    s.high = rn_metric_shown(metric, s.high);
    return s;
}

rn_statistics rn_outcome_statistics(const rn_outcome *outcomes, const rn_reproduction *r, int run,
                                    rn_metric metric)
{
    return statistics(outcomes, r, run, metric, false);
}

rn_statistics rn_outcome_statistics_for_order(const rn_outcome *outcomes, const rn_reproduction *r,
                                              int run, rn_metric metric)
{
    return statistics(outcomes, r, run, metric, true);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double rn_outcome_median(const rn_outcome *outcomes, const rn_reproduction *r, int run,
                         rn_metric metric)
{
    double values[RN_REPRODUCE_MOST_SEEDS];
    int count = 0;

    for (int i = 0; i < r->job_count && count < RN_REPRODUCE_MOST_SEEDS; i++) {
        values[count] = value_of(&outcomes[i], r, metric, false);
        count += r->jobs[i].run == run && !isnan(values[count]);
    }
    if (count == 0)
        return NAN;
    qsort(values, (size_t)count, sizeof *values, compare);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

bool rn_reproduction_has_its_data(const rn_reproduction *r)
{
    const char *needs = r->target->needs, *found = r->settings.data_name;
    const size_t length = needs != NULL ? strlen(needs) : 0;

    return needs == NULL || found == NULL ||
           (strncmp(needs, found, length) == 0 && (found[length] == '\0' || found[length] == ' '));
}

bool rn_reproduction_is_comparable(const rn_reproduction *r)
{
    if (r->target->cost && r->settings.batch != r->target->batch)
        return false;
    return r->settings.scale == 1 && rn_reproduction_has_its_data(r);
}

rn_line rn_line_fit(const double *x, const double *y, int points)
{
    double mean_x = 0, mean_y = 0, xx = 0, xy = 0, yy = 0, rest = 0, weight = 0;
    rn_line line = {0};

    for (int i = 0; i < points; i++) {
        weight += 1 / (y[i] * y[i]);
        mean_x += x[i] / (y[i] * y[i]);
        mean_y += y[i] / (y[i] * y[i]);
    }
    mean_x /= weight;
    mean_y /= weight;
    for (int i = 0; i < points; i++) {
        double w = 1 / (y[i] * y[i]);
        xx += w * (x[i] - mean_x) * (x[i] - mean_x);
        xy += w * (x[i] - mean_x) * (y[i] - mean_y);
        yy += w * (y[i] - mean_y) * (y[i] - mean_y);
    }
    line.b = xx > 0 ? xy / xx : 0;
    line.a = mean_y - line.b * mean_x;
    if (!isfinite(line.a) || !isfinite(line.b)) { // a value is 0, of which nothing is a share
        line.residual = line.r_squared = NAN;
        return line;
    }
    for (int i = 0; i < points; i++) {
        double residual = y[i] - line.a - line.b * x[i];
        double percent = 100 * fabs(residual) / fabs(y[i]);
        rest += residual * residual / (y[i] * y[i]);
        if (percent > line.residual) {
            line.residual = percent;
            line.worst = i;
        }
    }
    line.r_squared = yy > 0 ? 1 - rest / yy : 1;
    return line;
}

static bool concerns(const rn_claim *claim, int run)
{
    for (int i = 0; i < claim->run_count; i++)
        if (claim->runs[i] == run)
            return true;
    return claim->run_count == 0 && (claim->of == run || claim->than == run);
}

double rn_statistics_error(const rn_statistics *a, const rn_statistics *b)
{
    double variance = 0;

    if (a->count > 1)
        variance += a->deviation * a->deviation / a->count;
    if (b->count > 1)
        variance += b->deviation * b->deviation / b->count;
    return sqrt(variance);
}

static rn_verdict judge_order(double difference, double margin, double error)
{
    double least = fmax(margin, 2 * error);

    if (difference > least)
        return RN_VERDICT_SHOWN;
    return difference < -least ? RN_VERDICT_CONTRADICTED : RN_VERDICT_UNDECIDED;
}

static rn_verdict judge_nearness(double difference, double margin, double error)
{
    double distance = fabs(difference);

    if (distance + 2 * error <= margin)
        return RN_VERDICT_SHOWN;
    return distance - 2 * error > margin ? RN_VERDICT_CONTRADICTED : RN_VERDICT_UNDECIDED;
}

// ", 3 of 5 runs of plain-110, 1 of them diverged" where that is so.
static void add_count(char *text, size_t size, const rn_statistics *s, const rn_reproduction *r,
                      int run)
{
    size_t used = strlen(text);

    if (s->count < r->settings.seeds && !r->target->cost)
        rn_print(text + used, size - used, "; %d of %d runs of %s", s->count, r->settings.seeds,
                 r->target->runs[run].name);
    used = strlen(text);
    if (s->diverged > 0)
        rn_print(text + used, size - used, "; %d of %d runs of %s diverged", s->diverged,
                 r->settings.seeds, r->target->runs[run].name);
}

// A claim's text names the networks that the target has.
static void add_depth(char *text, size_t size, const rn_reproduction *r, int run)
{
    const size_t used = strlen(text);

    if (r->runs[run].depth != r->runs[run].whole.depth)
        rn_print(text + used, size - used, "; %s has %d layers here", r->target->runs[run].name,
                 r->runs[run].depth);
}

/** Both sides of a comparison, in the units of rn_metric_title(). */
typedef struct sides {
    rn_statistics of, than;
    double margin, error; // error: standard error of the difference
    bool lone;            // a side with one run
} sides;

static sides read_sides(const rn_claim *claim, const rn_reproduction *r, const rn_outcome *outcomes)
{
    const bool for_order = claim->kind != RN_CLAIM_NEAR;
    const rn_statistics of = statistics(outcomes, r, claim->of, claim->metric, for_order);
    sides s = {.of = rn_statistics_shown(of, claim->metric),
               .than = {.mean = rn_metric_shown(claim->metric, claim->value)},
               .margin = rn_metric_shown(claim->metric, claim->margin)};

    if (claim->than >= 0)
        s.than = rn_statistics_shown(statistics(outcomes, r, claim->than, claim->metric, for_order),
                                     claim->metric);
    s.error = rn_statistics_error(&s.of, &s.than);
    s.lone = s.of.count == 1 || s.than.count == 1;
    return s;
}

static void describe_sides(char text[RN_VERDICT_TEXT], const sides *s, const rn_claim *claim,
                           const rn_reproduction *r)
{
    char error[32] = "none";

    if (s->of.count > 1 || s->than.count > 1)
        rn_print(error, sizeof error, "%.2g", s->error);
    rn_print(text, RN_VERDICT_TEXT, "%.4g against %.4g: %+.3g, margin %g, standard error %s",
             s->of.mean, s->than.mean, s->of.mean - s->than.mean, s->margin, error);
    add_count(text, RN_VERDICT_TEXT, &s->of, r, claim->of);
    add_depth(text, RN_VERDICT_TEXT, r, claim->of);
    if (claim->than < 0)
        return;
    add_count(text, RN_VERDICT_TEXT, &s->than, r, claim->than);
    add_depth(text, RN_VERDICT_TEXT, r, claim->than);
}

// Steps are timed, and their memory is planned, for one machine; operations are counted.
static bool machines_differ(char *text, const rn_claim *claim, const rn_reproduction *r,
                            const rn_outcome *outcomes)
{
    const char *first = NULL;
    size_t used = strlen(text);

    if (!r->target->cost || claim->metric == RN_METRIC_MULTIPLY_ADDS)
        return false;
    for (int i = 0; i < r->job_count; i++) {
        const char *machine = outcomes[i].machine;
        if (machine == NULL || !concerns(claim, r->jobs[i].run))
            continue;
        first = first != NULL ? first : machine;
        if (strcmp(first, machine) != 0) {
            rn_print(text + used, RN_VERDICT_TEXT - used, "; measured on different machines");
            return true;
        }
    }
    return false;
}

// A run that diverged has no such number: what the others have is a selection.
static bool is_selection(const rn_claim *claim, const rn_statistics *s)
{
    return s->diverged > 0 && (claim->kind == RN_CLAIM_NEAR || claim->kind == RN_CLAIM_LINEAR ||
                               !is_error(claim->metric));
}

static rn_verdict judge_comparison(char text[RN_VERDICT_TEXT], const rn_claim *claim,
                                   const rn_reproduction *r, const rn_outcome *outcomes)
{
    const sides s = read_sides(claim, r, outcomes);
    const double difference = s.of.mean - s.than.mean;

    if (isnan(s.of.mean) || isnan(s.than.mean)) {
        int missing = isnan(s.of.mean) ? claim->of : claim->than;
        rn_print(text, RN_VERDICT_TEXT, "no result of %s", r->target->runs[missing].name);
        return RN_VERDICT_MISSING;
    }
    describe_sides(text, &s, claim, r);
    if (claim->than < 0 && !rn_reproduction_is_comparable(r))
        return RN_VERDICT_INCOMPARABLE;
    if (s.lone && !(claim->margin > 0) && !r->target->cost)
        return RN_VERDICT_ONE_RUN;
    if (machines_differ(text, claim, r, outcomes) || is_selection(claim, &s.of) ||
        is_selection(claim, &s.than))
        return RN_VERDICT_UNDECIDED;
    if (claim->kind == RN_CLAIM_NEAR)
        return judge_nearness(difference, s.margin, s.error);
    return judge_order(claim->kind == RN_CLAIM_BELOW ? -difference : difference, s.margin, s.error);
}

static rn_verdict judge_line(char text[RN_VERDICT_TEXT], const rn_claim *claim,
                             const rn_reproduction *r, const rn_outcome *outcomes)
{
    double x[MOST_POINTS], y[MOST_POINTS];
    int runs[MOST_POINTS], points = 0;
    bool selection = false;

    for (int i = 0; i < claim->run_count; i++) {
        rn_statistics s = rn_outcome_statistics(outcomes, r, claim->runs[i], claim->metric);
        selection = selection || is_selection(claim, &s);
        if (s.count == 0)
            continue;
        runs[points] = claim->runs[i];
        x[points] = r->runs[claim->runs[i]].depth;
        y[points++] = rn_metric_shown(claim->metric, s.mean);
    }
    if (points < 3) {
        rn_print(text, RN_VERDICT_TEXT, "%d of %d points", points, claim->run_count);
        return RN_VERDICT_MISSING;
    }
    rn_line line = rn_line_fit(x, y, points);
    rn_print(text, RN_VERDICT_TEXT,
             "%.4g + %.4g x depth over %d of %d depths, R^2 = %.6f, largest residual %.2f %% (%s), "
             "margin %g %%",
             line.a, line.b, points, claim->run_count, line.r_squared, line.residual,
             r->target->runs[runs[line.worst]].name, claim->margin);
    if (isnan(line.residual) || machines_differ(text, claim, r, outcomes) || selection)
        return RN_VERDICT_UNDECIDED;
    if (line.residual <= claim->margin && points < claim->run_count)
        return RN_VERDICT_UNDECIDED;
    return line.residual <= claim->margin ? RN_VERDICT_SHOWN : RN_VERDICT_CONTRADICTED;
}

const char *rn_verdict_name(rn_verdict verdict)
{
    static const char *const names[] = {
        [RN_VERDICT_SHOWN] = "shown",
        [RN_VERDICT_CONTRADICTED] = "contradicted",
        [RN_VERDICT_UNDECIDED] = "not decided",
        [RN_VERDICT_ONE_RUN] = "not decided (one run)",
        [RN_VERDICT_INCOMPARABLE] = "not comparable",
        [RN_VERDICT_MISSING] = "no result",
    };

    return names[verdict];
}

rn_verdict rn_claim_judge(char text[RN_VERDICT_TEXT], const rn_claim *claim,
                          const rn_reproduction *r, const rn_outcome *outcomes)
{
    return claim->kind == RN_CLAIM_LINEAR ? judge_line(text, claim, r, outcomes)
                                          : judge_comparison(text, claim, r, outcomes);
}
