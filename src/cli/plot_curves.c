// Curves over the training: error, loss, learning rate, throughput.
#include "cli/plot_chart.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What can be drawn of a run: of its steps, and of its evaluations, if there.
typedef struct quantity {
    const char *what, *axis, *name;
    size_t step;
    bool evaluated;
    size_t evaluation;
} quantity;

static const quantity quantities[] = {
    {"error", "error (%)", "error", offsetof(rn_history_step, error), true,
     offsetof(rn_history_evaluation, error)},
    {"loss", "loss", "loss", offsetof(rn_history_step, loss), true,
     offsetof(rn_history_evaluation, loss)},
    {"lr", "learning rate", "learning rate", offsetof(rn_history_step, lr), false, 0},
    {"rate", "images/s", "images/s", offsetof(rn_history_step, images_per_second), false, 0},
};

typedef struct curves {
    cli_chart *chart;
    const cli_plot_runs *runs;
    const quantity *quantity;
    const char *x;         // "iteration", "epoch", "time"
    double x_unit;         // seconds that are 1 of "time"
    const char *unit;      // its name
    const char *set;       // of evaluations; NULL: of each run its most frequent
    const char *drawn_set; // that was drawn; "evaluation": several
    int smooth, windows;   // points of a mean; curves that were smoothed
    bool evaluated;
} curves;

static const quantity *find_quantity(const char *what)
{
    for (size_t i = 0; i < sizeof quantities / sizeof *quantities; i++)
        if (strcmp(quantities[i].what, what) == 0)
            return &quantities[i];
    return NULL;
}

static double number_at(const void *point, size_t offset)
{
    return *(const double *)((const char *)point + offset);
}

static double x_of(const curves *c, int64_t iteration, double epoch, double seconds)
{
    if (strcmp(c->x, "epoch") == 0)
        return epoch;
    return strcmp(c->x, "time") == 0 ? seconds / c->x_unit : (double)iteration;
}

// Hours, minutes or seconds, as the longest run needs.
static void choose_unit(curves *c)
{
    double longest = 0;

    for (int i = 0; i < c->runs->count; i++) {
        const rn_history *h = c->runs->runs[i].history;
        if (h->step_count > 0)
            longest = fmax(longest, h->steps[h->step_count - 1].seconds);
    }
    c->x_unit = longest > 7200 ? 3600 : longest > 300 ? 60 : 1;
    c->unit = longest > 7200 ? "hours" : longest > 300 ? "minutes" : "seconds";
}

// Mean over the points around each one, as far as there are any.
static void smooth(double *y, size_t count, int points, double *copy)
{
    const size_t half = (size_t)(points - 1) / 2, rest = (size_t)points - 1 - half;

    memcpy(copy, y, count * sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        const size_t first = i > half ? i - half : 0;
        const size_t last = i + rest < count ? i + rest : count - 1;
        double sum = 0, finite = 0;
        for (size_t k = first; k <= last; k++) {
            sum += isfinite(copy[k]) ? copy[k] : 0;
            finite += isfinite(copy[k]);
        }
        y[i] = finite > 0 && isfinite(copy[i]) ? sum / finite : NAN;
    }
}

static rn_plot_series look_of(const cli_plot_run *run, const char *label, bool bold)
{
    return (rn_plot_series){.label = label,
                            .weight = bold ? RN_PLOT_BOLD : RN_PLOT_THIN,
                            .style = RN_PLOT_LINE,
                            .colour = run->look,
                            .dash = run->look,
                            .marker = run->look};
}

static rn_status add_steps(curves *c, const cli_plot_run *run, rn_plot_series look)
{
    rn_status st;
    const rn_history *h = run->history;
    double *x, *y, *copy;

    look.count = h->step_count;
    RN_TRY(cli_chart_add(c->chart, run->panel, &look, &x, &y));
    for (size_t i = 0; i < h->step_count; i++) {
        const rn_history_step *step = &h->steps[i];
        x[i] = x_of(c, step->iteration, step->epoch, step->seconds);
        y[i] = number_at(step, c->quantity->step);
    }
    if (c->smooth < 2 || h->step_count == 0)
        goto out;
    copy = malloc(h->step_count * sizeof *copy);
    if (copy == NULL) {
        st = rn_error(RN_ENOMEM, "no memory for a curve of %zu points", h->step_count);
        goto out;
    }
    smooth(y, h->step_count, c->smooth, copy);
    free(copy);
out:
    return st;
}

static size_t count_of_set(const rn_history *h, const char *set)
{
    size_t found = 0;

    for (size_t i = 0; i < h->evaluation_count; i++)
        found += strcmp(h->evaluations[i].set, set) == 0;
    return found;
}

// The set that was evaluated most often, the later of two.
static const char *usual_set(const rn_history *h)
{
    const char *usual = NULL, *last = NULL;

    for (size_t i = h->evaluation_count; i-- > 0;) {
        const char *set = h->evaluations[i].set;
        if (last != NULL && strcmp(set, last) == 0)
            continue;
        last = set;
        if (usual == NULL || count_of_set(h, set) > count_of_set(h, usual))
            usual = set;
    }
    return usual;
}

// "SET (ema)", where the run has been evaluated with averaged weights only; else SET.
static const char *set_or_average(const rn_history *h, const char *set)
{
    const size_t length = strlen(set);

    for (size_t i = 0; i < h->evaluation_count && count_of_set(h, set) == 0; i++) {
        const char *other = h->evaluations[i].set;
        if (strncmp(other, set, length) == 0 && strcmp(other + length, " (ema)") == 0)
            return other;
    }
    return set;
}

static const char *set_of(const curves *c, const rn_history *h)
{
    return c->set != NULL ? set_or_average(h, c->set) : usual_set(h);
}

static rn_status add_evaluations(curves *c, const cli_plot_run *run, rn_plot_series look)
{
    rn_status st;
    const rn_history *h = run->history;
    const char *set = set_of(c, h);
    double *x, *y;
    size_t n = 0;

    look.count = count_of_set(h, set);
    RN_TRY(cli_chart_add(c->chart, run->panel, &look, &x, &y));
    for (size_t i = 0; i < h->evaluation_count; i++) {
        const rn_history_evaluation *e = &h->evaluations[i];
        if (strcmp(e->set, set) != 0)
            continue;
        x[n] = x_of(c, e->iteration, e->epoch, e->seconds);
        y[n++] = number_at(e, c->quantity->evaluation);
    }
    c->drawn_set = c->evaluated && strcmp(c->drawn_set, set) != 0 ? "evaluation" : set;
    c->evaluated = true;
out:
    return st;
}

static bool has_evaluations(const curves *c, const rn_history *h)
{
    const char *set = c->quantity->evaluated ? set_of(c, h) : NULL;

    return set != NULL && count_of_set(h, set) > 0;
}

// Of one run the legend says which curve is which; of several, which run.
static rn_status add_run(curves *c, const cli_plot_run *run)
{
    rn_status st;
    const bool evaluated = has_evaluations(c, run->history), alone = c->runs->names == 1;
    const char *name = c->quantity->name;
    const char *steps = evaluated ? NULL : run->label, *tests = run->label;

    if (alone && c->quantity->evaluated) {
        steps = cli_chart_text(c->chart, "training %s", name);
        tests = evaluated ? cli_chart_text(c->chart, "%s %s", set_of(c, run->history), name) : NULL;
    } else if (alone) {
        steps = NULL;
    }
    RN_TRY(add_steps(c, run, look_of(run, steps, !c->quantity->evaluated)));
    if (evaluated)
        RN_TRY(add_evaluations(c, run, look_of(run, tests, true)));
out:
    return st;
}

// How many iterations a point of a training curve is the mean of; 0: it differs.
static int64_t iterations_between(const cli_plot_runs *runs)
{
    int64_t every = 0;

    for (int i = 0; i < runs->count; i++) {
        const rn_history *h = runs->runs[i].history;
        for (size_t k = 1; k + 1 < h->step_count; k++) { // the last is what was left
            const int64_t step = h->steps[k].iteration - h->steps[k - 1].iteration;
            if (every != 0 && step != every)
                return 0;
            every = step;
        }
    }
    return every;
}

static const char *note_of(curves *c)
{
    char mean[96] = "", smoothed[96] = "";
    const char *runs =
        c->runs->names < c->runs->count ? "; means of runs, shaded: a standard deviation" : "";
    const int64_t every = iterations_between(c->runs);
    const char *name = c->quantity->name;

    if (every > 0 && strcmp(c->quantity->what, "lr") != 0)
        snprintf(mean, sizeof mean, ", each point the mean of %lld iterations", (long long)every);
    if (c->smooth > 1)
        snprintf(smoothed, sizeof smoothed, ", smoothed: moving mean of %d points", c->smooth);
    if (!c->quantity->evaluated)
        return *mean == '\0' && *smoothed == '\0' && *runs == '\0'
                   ? NULL
                   : cli_chart_text(c->chart, "%s%s%s%s", name, mean, smoothed, runs);
    if (!c->evaluated)
        return cli_chart_text(c->chart, "training %s%s%s%s", name, mean, smoothed, runs);
    return cli_chart_text(c->chart, "thin: training %s%s%s; bold: %s %s%s", name, mean, smoothed,
                          c->drawn_set, name, runs);
}

static void label_panels(curves *c, const cli_arguments *args)
{
    for (size_t i = 0; i < c->runs->panels; i++) {
        rn_plot_panel *panel = &c->chart->panels[i];
        panel->title = c->runs->titles[i];
        panel->x_label = strcmp(c->x, "time") != 0
                             ? c->x
                             : cli_chart_text(c->chart, "training time (%s)", c->unit);
        panel->y_label = c->quantity->axis;
        panel->y_log = cli_flag(args, "log");
    }
    c->chart->plot.note = note_of(c);
    c->chart->plot.share_x = c->chart->plot.share_y = c->runs->panels > 1;
}

rn_status cli_plot_curves(cli_chart *chart, const cli_plot_runs *runs, const cli_arguments *args)
{
    rn_status st = RN_OK;
    curves c = {.chart = chart,
                .runs = runs,
                .quantity = find_quantity(cli_text(args, "what")),
                .x = cli_text(args, "x"),
                .set = cli_text(args, "set"),
                .smooth = (int)cli_integer(args, "smooth")};

    choose_unit(&c);
    for (int i = 0; i < runs->count; i++)
        RN_TRY(add_run(&c, &runs->runs[i]));
    if (c.set != NULL && !c.evaluated)
        st = rn_error(RN_ENOTFOUND, "no run has an evaluation of '%s'", c.set);
    else if (chart->points == 0)
        st = rn_error(RN_ENOTFOUND, "no run has a point to draw yet: no %s in '%s/log.jsonl'",
                      c.quantity->what, runs->runs[0].path);
    label_panels(&c, args);
out:
    return st;
}
