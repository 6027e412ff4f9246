// Pictures: curves, layer responses, costs against depth.
#include "reproduce/figures.h"

#include "base/memory.h"
#include "base/number.h"
#include "reproduce/mean_curve.h"
#include "resnet/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIXELS = 2 }; // for each unit of the SVG

/** Panels in the making; the arrays that series borrow belong to it. */
typedef struct canvas {
    rn_plot_panel panels[RN_PLOT_MOST_PANELS];
    size_t panel_count;
    rn_plot_series *series[RN_PLOT_MOST_PANELS];
    void **owned;
    size_t owned_count, owned_room;
} canvas;

static void release(canvas *c)
{
    for (size_t i = 0; i < c->panel_count; i++)
        rn_free(c->series[i]);
    for (size_t i = 0; i < c->owned_count; i++)
        rn_free(c->owned[i]);
    rn_free(c->owned);
}

// The canvas' from here on, also on failure.
static rn_status keep(canvas *c, void *memory)
{
    rn_status st =
        rn_grow((void **)&c->owned, &c->owned_room, c->owned_count + 1, sizeof *c->owned);

    if (st == RN_OK)
        c->owned[c->owned_count++] = memory;
    else
        rn_free(memory);
    return st;
}

static rn_status new_array(double **out, canvas *c, size_t count)
{
    rn_status st;

    RN_TRY(RN_NEW(out, count));
    st = keep(c, *out);
out:
    return st;
}

static rn_status new_panel(canvas *c, const char *title, const char *x, const char *y)
{
    rn_status st = RN_NEW(&c->series[c->panel_count], RN_PLOT_MOST_SERIES);

    if (st == RN_OK)
        c->panels[c->panel_count++] = (rn_plot_panel){.title = title, .x_label = x, .y_label = y};
    return st;
}

static rn_plot_series *new_series(canvas *c, size_t panel, rn_plot_series series)
{
    rn_plot_panel *p = &c->panels[panel];

    if (p->series_count == RN_PLOT_MOST_SERIES)
        return NULL;
    p->series = c->series[panel];
    c->series[panel][p->series_count] = series;
    return &c->series[panel][p->series_count++];
}

static rn_status draw(rn_figure *figure, const canvas *c, bool share, const char *note)
{
    rn_status st = RN_OK;
    bool empty = true;
    const rn_plot plot = {.panels = c->panels,
                          .panel_count = c->panel_count,
                          .share_x = share,
                          .share_y = share,
                          .note = note};

    for (size_t i = 0; i < c->panel_count; i++)
        empty = empty && c->panels[i].series_count == 0;
    if (empty)
        return RN_OK;
    RN_TRY(rn_plot_svg(&figure->svg, &plot));
    RN_TRY(rn_plot_image(&figure->image, &plot, PIXELS));
out:
    if (st != RN_OK)
        rn_figure_release(figure);
    return st;
}

void rn_figure_release(rn_figure *figure)
{
    rn_free(figure->svg);
    rn_image_free(figure->image);
    *figure = (rn_figure){0};
}

// The job with a network's first seed.
static const rn_outcome *first_outcome(const rn_reproduction *r, const rn_outcome *outcomes,
                                       int run)
{
    for (int i = 0; i < r->job_count; i++)
        if (r->jobs[i].run == run)
            return &outcomes[i];
    return NULL;
}

// Curves

static bool same_panel(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static rn_status panel_of(size_t *panel, canvas *c, const char *title)
{
    for (*panel = 0; *panel < c->panel_count; (*panel)++)
        if (same_panel(c->panels[*panel].title, title))
            return RN_OK;
    if (c->panel_count == RN_PLOT_MOST_PANELS) { // the last takes what is left
        *panel = c->panel_count - 1;
        return RN_OK;
    }
    return new_panel(c, title, "iteration", "error, %");
}

// What a network's curves are if none of its runs is trained; else NULL.
static const char *state_of(const rn_reproduction *r, const rn_outcome *outcomes, int run)
{
    const char *state = "diverged";

    for (int i = 0; i < r->job_count; i++) {
        if (r->jobs[i].run != run)
            continue;
        if (rn_outcome_is_trained(&outcomes[i]))
            return NULL;
        if (outcomes[i].history != NULL && outcomes[i].state != RN_JOB_DIVERGED)
            state = "unfinished";
    }
    return state;
}

static void add_remark(char *text, size_t size, const char *remark)
{
    const size_t used = strlen(text);

    rn_print(text + used, size - used, "%s%s", used > 0 ? ", " : "", remark);
}

// "resnet-110 (38 layers here, 2 of 3 runs)" where depth is scaled or runs are missing,
// "(unfinished)"; the canvas' own.
static rn_status label_of(const char **out, canvas *c, const rn_reproduction *r, int run, int seeds,
                          const char *state)
{
    rn_status st;
    char *text = NULL, remarks[96] = "", remark[32];
    const rn_scaled_run *here = &r->runs[run];

    *out = r->target->runs[run].name;
    if (here->depth != here->whole.depth) {
        rn_print(remark, sizeof remark, "%d layers here", here->depth);
        add_remark(remarks, sizeof remarks, remark);
    }
    if (seeds < r->settings.seeds) {
        rn_print(remark, sizeof remark, "%d of %d runs", seeds, r->settings.seeds);
        add_remark(remarks, sizeof remarks, remark);
    }
    if (state != NULL)
        add_remark(remarks, sizeof remarks, state);
    if (remarks[0] == '\0')
        return RN_OK;
    RN_TRY(rn_format(&text, "%s (%s)", *out, remarks));
    RN_TRY(keep(c, text));
    *out = text;
out:
    return st;
}

static void add_curve(canvas *c, size_t panel, const rn_mean_curve *curve, rn_plot_series series)
{
    series.x = curve->iteration;
    series.y = curve->mean;
    series.count = curve->count;
    new_series(c, panel, series);
}

// A network's curves, which the series borrow. A training error's deviation would hide what
// matters.
static rn_status add_curves(canvas *c, const rn_reproduction *r, int run, const char *state,
                            const rn_mean_curve *training, const rn_mean_curve *test)
{
    rn_status st = RN_OK;
    const char *label;
    size_t panel;

    if (training->count == 0 && test->count == 0)
        return RN_OK;
    RN_TRY(panel_of(&panel, c, r->target->runs[run].panel));
    RN_TRY(label_of(&label, c, r, run, test->seeds > 0 ? test->seeds : training->seeds, state));
    int place = (int)c->panels[panel].series_count / 2;
    const rn_plot_series thin = {.colour = place, .dash = place};
    rn_plot_series bold = thin;
    bold.weight = RN_PLOT_BOLD;
    bold.label = label;
    bold.deviation = test->deviation;
    add_curve(c, panel, training, thin);
    add_curve(c, panel, test, bold);
out:
    return st;
}

// As the papers do, the curves' ends are shown, not their beginnings.
static double highest_shown(const rn_reproduction *r, const rn_outcome *outcomes)
{
    double most = 0;

    for (int i = 0; i < r->job_count; i++)
        if (!isnan(outcomes[i].value[RN_METRIC_TEST_ERROR]))
            most = fmax(most, outcomes[i].value[RN_METRIC_TEST_ERROR]);
    return most > 0 && most < 40 ? 2.5 * most : 100;
}

// Each point of a training curve is the mean of the iterations since the one before.
static void write_note(char *note, size_t size, const rn_reproduction *r, int seeds)
{
    uint64_t low = UINT64_MAX, high = 0;
    char means[32], runs[96] = "", scale[64] = "";

    for (int i = 0; i < r->target->run_count; i++) {
        low = r->runs[i].log_every < low ? r->runs[i].log_every : low;
        high = r->runs[i].log_every > high ? r->runs[i].log_every : high;
    }
    snprintf(means, sizeof means, low == high ? "%llu" : "%llu to %llu", (unsigned long long)low,
             (unsigned long long)high);
    if (seeds > 1)
        snprintf(runs, sizeof runs,
                 "; means of %d runs, bands: a standard deviation of the test error", seeds);
    if (r->settings.scale < 1)
        snprintf(scale, sizeof scale, "; %.3g of the target's cost", rn_reproduction_cost(r));
    snprintf(note, size, "thin: training error, means of %s iterations; bold: test error%s%s",
             means, runs, scale);
}

rn_status rn_figure_curves(rn_figure *figure, const rn_reproduction *r, const rn_outcome *outcomes)
{
    rn_status st = RN_OK;
    canvas c = {0};
    char note[256];
    int seeds = 0;
    const int runs = r->target->run_count;
    rn_mean_curve *curves = NULL; // each run's training and test

    *figure = (rn_figure){0};
    RN_TRY(RN_NEW(&curves, 2 * (size_t)runs));
    for (int i = 0; i < runs; i++) {
        rn_mean_curve *training = &curves[2 * i], *test = training + 1;
        RN_TRY(rn_mean_curve_create(training, r, outcomes, i, RN_CURVE_TRAINING));
        RN_TRY(rn_mean_curve_create(test, r, outcomes, i, RN_CURVE_TEST));
        RN_TRY(add_curves(&c, r, i, state_of(r, outcomes, i), training, test));
        seeds = test->seeds > seeds ? test->seeds : seeds;
    }
    for (size_t i = 0; i < c.panel_count; i++)
        c.panels[i].y_range = (rn_plot_range){0, highest_shown(r, outcomes)};
    write_note(note, sizeof note, r, seeds);
    st = draw(figure, &c, true, note);
out:
    release(&c);
    for (int i = 0; curves != NULL && i < 2 * runs; i++)
        rn_mean_curve_release(&curves[i]);
    rn_free(curves);
    return st;
}

// Responses

static int descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x < y) - (x > y);
}

static rn_status add_responses(canvas *c, const rn_reproduction *r, const rn_outcome *outcome,
                               int run)
{
    rn_status st;
    size_t count = (size_t)outcome->response_count;
    double *sorted;
    rn_plot_series series = {.y = outcome->responses,
                             .count = count,
                             .style = RN_PLOT_LINE_MARKERS,
                             .colour = run,
                             .dash = run,
                             .marker = run};

    RN_TRY(label_of(&series.label, c, r, run, r->settings.seeds, NULL));
    RN_TRY(new_array(&sorted, c, count));
    memcpy(sorted, outcome->responses, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, descending);
    new_series(c, 0, series);
    series.y = sorted;
    new_series(c, 1, series);
out:
    return st;
}

rn_status rn_figure_responses(rn_figure *figure, const rn_reproduction *r,
                              const rn_outcome *outcomes)
{
    rn_status st;
    canvas c = {0};

    *figure = (rn_figure){0};
    RN_TRY(new_panel(&c, "layers in order", "layer", "deviation of responses"));
    RN_TRY(new_panel(&c, "sorted", "layer, sorted by deviation", ""));
    for (int i = 0; i < r->target->run_count; i++) {
        const rn_outcome *outcome = first_outcome(r, outcomes, i);
        if (outcome != NULL && outcome->response_count > 0)
            RN_TRY(add_responses(&c, r, outcome, i));
    }
    st = draw(figure, &c, true, r->settings.seeds > 1 ? "of each network's first run" : NULL);
out:
    release(&c);
    return st;
}

// Costs

// In the order of x, two arrays.
typedef struct points {
    double *x, *y;
    size_t count;
} points;

static rn_status add_line(canvas *c, size_t panel, const points *measured, int colour)
{
    rn_status st;
    points line = {.count = 2};
    size_t last = measured->count - 1;

    if (measured->count < 3)
        return RN_OK;
    RN_TRY(new_array(&line.x, c, line.count));
    RN_TRY(new_array(&line.y, c, line.count));
    rn_line fit = rn_line_fit(measured->x, measured->y, (int)measured->count);
    if (isnan(fit.residual))
        return RN_OK;
    line.x[0] = measured->x[0];
    line.x[1] = measured->x[last];
    for (int i = 0; i < 2; i++)
        line.y[i] = fit.a + fit.b * line.x[i];
    new_series(c, panel, (rn_plot_series){.x = line.x, .y = line.y, .count = 2, .colour = colour});
out:
    return st;
}

static rn_status add_claim(canvas *c, size_t panel, const rn_reproduction *r,
                           const rn_outcome *outcomes, const rn_claim *claim, int place)
{
    rn_status st;
    points measured = {0};

    RN_TRY(new_array(&measured.x, c, (size_t)claim->run_count));
    RN_TRY(new_array(&measured.y, c, (size_t)claim->run_count));
    for (int i = 0; i < claim->run_count; i++) {
        const rn_statistics s = rn_outcome_statistics(outcomes, r, claim->runs[i], claim->metric);
        if (s.count == 0)
            continue;
        measured.x[measured.count] = r->runs[claim->runs[i]].depth;
        measured.y[measured.count++] = rn_metric_shown(claim->metric, s.mean);
    }
    if (measured.count == 0)
        goto out;
    const rn_plot_series marks = {.label = r->target->runs[claim->of].panel,
                                  .x = measured.x,
                                  .y = measured.y,
                                  .count = measured.count,
                                  .style = RN_PLOT_MARKERS,
                                  .colour = place,
                                  .marker = place};
    new_series(c, panel, marks);
    RN_TRY(add_line(c, panel, &measured, place));
out:
    return st;
}

rn_status rn_figure_costs(rn_figure *figure, const rn_reproduction *r, const rn_outcome *outcomes)
{
    static const rn_metric metrics[] = {RN_METRIC_STEP_SECONDS, RN_METRIC_STEP_BYTES,
                                        RN_METRIC_MULTIPLY_ADDS};
    rn_status st;
    canvas c = {0};

    *figure = (rn_figure){0};
    for (size_t p = 0; p < sizeof metrics / sizeof *metrics; p++) {
        int place = 0; // colour and marker
        RN_TRY(new_panel(&c, rn_metric_title(metrics[p]), "depth", ""));
        for (int i = 0; i < r->target->claim_count; i++)
            if (r->target->claims[i].kind == RN_CLAIM_LINEAR &&
                r->target->claims[i].metric == metrics[p])
                RN_TRY(add_claim(&c, p, r, outcomes, &r->target->claims[i], place++));
    }
    st = draw(figure, &c, false, "points measured; lines by least squares");
out:
    release(&c);
    return st;
}
