// Claims against results: means over seeds, their deviation, margins, straight lines.
#include "reproduce/outcome.h"

#include <math.h>
#include <stdio.h>

enum { MOST_POINTS = 64 };

rn_statistics rn_outcome_statistics(const rn_outcome *outcomes, const rn_reproduction *r, int run,
                                    rn_metric metric)
{
    rn_statistics s = {.mean = NAN, .low = INFINITY, .high = -INFINITY};
    double sum = 0, squares = 0;

    for (int i = 0; i < r->job_count; i++) {
        double value = rn_metric_shown(metric, outcomes[i].value[metric]);
        if (r->jobs[i].run != run || isnan(value))
            continue;
        sum += value;
        s.low = fmin(s.low, value);
        s.high = fmax(s.high, value);
        s.count++;
    }
    if (s.count == 0)
        return s;
    if (metric >= RN_METRIC_STEP_SECONDS) // other programs only ever add to what a step costs
        return (rn_statistics){.count = 1, .mean = s.low, .low = s.low, .high = s.low};
    s.mean = sum / s.count;
    for (int i = 0; i < r->job_count; i++) {
        double value = rn_metric_shown(metric, outcomes[i].value[metric]);
        if (r->jobs[i].run == run && !isnan(value))
            squares += (value - s.mean) * (value - s.mean);
    }
    s.deviation = s.count > 1 ? sqrt(squares / (s.count - 1)) : 0;
    return s;
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

// The standard error of a difference of means; a lone result tells nothing of its own.
static double uncertainty(const rn_statistics *a, const rn_statistics *b)
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

static rn_verdict judge_comparison(char text[RN_VERDICT_TEXT], const rn_claim *claim,
                                   const rn_reproduction *r, const rn_outcome *outcomes)
{
    rn_statistics of = rn_outcome_statistics(outcomes, r, claim->of, claim->metric), than = {0};

    double margin = rn_metric_shown(claim->metric, claim->margin);
    than.mean = rn_metric_shown(claim->metric, claim->value);
    if (claim->than >= 0)
        than = rn_outcome_statistics(outcomes, r, claim->than, claim->metric);
    if (isnan(of.mean) || isnan(than.mean)) {
        int missing = isnan(of.mean) ? claim->of : claim->than;
        snprintf(text, RN_VERDICT_TEXT, "no result of %s", r->target->runs[missing].name);
        return RN_VERDICT_MISSING;
    }
    double difference = of.mean - than.mean, error = uncertainty(&of, &than);
    snprintf(text, RN_VERDICT_TEXT, "%.4g against %.4g: %+.3g, margin %g, standard error %.2g",
             of.mean, than.mean, difference, margin, error);
    if (claim->kind == RN_CLAIM_NEAR)
        return judge_nearness(difference, margin, error);
    return judge_order(claim->kind == RN_CLAIM_BELOW ? -difference : difference, margin, error);
}

static rn_verdict judge_line(char text[RN_VERDICT_TEXT], const rn_claim *claim,
                             const rn_reproduction *r, const rn_outcome *outcomes)
{
    double x[MOST_POINTS], y[MOST_POINTS];
    int runs[MOST_POINTS], points = 0;

    for (int i = 0; i < claim->run_count && points < MOST_POINTS; i++) {
        rn_statistics s = rn_outcome_statistics(outcomes, r, claim->runs[i], claim->metric);
        if (s.count == 0)
            continue;
        runs[points] = claim->runs[i];
        x[points] = r->runs[claim->runs[i]].depth;
        y[points++] = s.mean;
    }
    if (points < 3) {
        snprintf(text, RN_VERDICT_TEXT, "%d of %d points, expected 3 or more", points,
                 claim->run_count);
        return RN_VERDICT_MISSING;
    }
    rn_line line = rn_line_fit(x, y, points);
    snprintf(
        text, RN_VERDICT_TEXT,
        "%.4g + %.4g x depth over %d depths, R^2 = %.6f, largest residual %.2f %% (%s), margin "
        "%g %%",
        line.a, line.b, points, line.r_squared, line.residual,
        r->target->runs[runs[line.worst]].name, claim->margin);
    return line.residual <= claim->margin ? RN_VERDICT_SHOWN : RN_VERDICT_CONTRADICTED;
}

rn_verdict rn_claim_judge(char text[RN_VERDICT_TEXT], const rn_claim *claim,
                          const rn_reproduction *r, const rn_outcome *outcomes)
{
    return claim->kind == RN_CLAIM_LINEAR ? judge_line(text, claim, r, outcomes)
                                          : judge_comparison(text, claim, r, outcomes);
}
