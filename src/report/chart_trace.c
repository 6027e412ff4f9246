#include "report/chart_trace.h"

#include "base/memory.h"

#include <math.h>

enum { MARK_GAP = 120 }; // between marks on a line

typedef struct place {
    double x, y;
} place;

// Points of one column, one unit wide: what is drawn of them covers what all would cover.
typedef struct column {
    bool open;
    long number;
    place first, low, high, last;
    bool low_before_high;
} column;

typedef struct tracer {
    chart_trace *trace;
    const rn_plot_series *series;
    const chart_axis *axes; // x, y
    column column;
    place pen; // where the line has come to
    bool down; // there is such a place
    rn_status status;
} tracer;

static place place_of(const tracer *t, size_t i)
{
    const double x = t->series->x != NULL ? t->series->x[i] : (double)i;

    return (place){chart_axis_place(&t->axes[0], x),
                   chart_axis_place(&t->axes[1], t->series->y[i])};
}

static bool is_inside(const tracer *t, place at)
{
    return at.x >= -0.5 && at.x <= t->axes[0].length + 0.5 && at.y >= -0.5 &&
           at.y <= t->axes[1].length + 0.5;
}

static chart_point rounded(place at, bool jump)
{
    return (chart_point){(int)lround(at.x), (int)lround(at.y), jump};
}

static void add_line_point(tracer *t, place at, bool jump)
{
    chart_trace *trace = t->trace;
    const chart_point point = rounded(at, jump);
    const size_t n = trace->line_count;

    if (t->status != RN_OK)
        return;
    if (n > 0 && trace->line[n - 1].x == point.x && trace->line[n - 1].y == point.y)
        return;
    t->status = rn_grow((void **)&trace->line, &trace->line_room, n + 1, sizeof *trace->line);
    if (t->status == RN_OK)
        trace->line[trace->line_count++] = point;
}

static void add_mark(tracer *t, place at)
{
    chart_trace *trace = t->trace;

    if (t->status != RN_OK || !is_inside(t, at))
        return;
    t->status = rn_grow((void **)&trace->marks, &trace->mark_room, trace->mark_count + 1,
                        sizeof *trace->marks);
    if (t->status == RN_OK)
        trace->marks[trace->mark_count++] = rounded(at, true);
}

// One edge of Liang and Barsky's clipping: what is left of [*from, *to] where along * t <= room.
static bool clip_edge(double along, double room, double *from, double *to)
{
    if (along == 0)
        return room >= 0;
    const double at = room / along;
    if (along < 0)
        *from = fmax(*from, at);
    else
        *to = fmin(*to, at);
    return *from <= *to;
}

// The part of a straight line that lies in the panel.
static void draw_to(tracer *t, place to)
{
    const place from = t->pen, along = {to.x - from.x, to.y - from.y};
    double first = 0, last = 1;

    t->pen = to;
    if (!clip_edge(-along.x, from.x, &first, &last) ||
        !clip_edge(along.x, t->axes[0].length - from.x, &first, &last) ||
        !clip_edge(-along.y, from.y, &first, &last) ||
        !clip_edge(along.y, t->axes[1].length - from.y, &first, &last))
        return;
    if (first > 0)
        add_line_point(t, (place){from.x + first * along.x, from.y + first * along.y}, true);
    add_line_point(t, (place){from.x + last * along.x, from.y + last * along.y}, false);
}

static void visit(tracer *t, place at)
{
    if (t->series->style == RN_PLOT_MARKERS) {
        add_mark(t, at);
    } else if (t->down) {
        draw_to(t, at);
    } else {
        t->pen = at;
        t->down = true;
        if (is_inside(t, at))
            add_line_point(t, at, true);
    }
}

static void flush(tracer *t)
{
    const column c = t->column;

    if (!c.open)
        return;
    visit(t, c.first);
    if (c.low.y < fmin(c.first.y, c.last.y) && c.low_before_high)
        visit(t, c.low);
    if (c.high.y > fmax(c.first.y, c.last.y))
        visit(t, c.high);
    if (c.low.y < fmin(c.first.y, c.last.y) && !c.low_before_high)
        visit(t, c.low);
    if (c.last.x != c.first.x || c.last.y != c.first.y)
        visit(t, c.last);
    t->column.open = false;
}

static void take_point(tracer *t, place at)
{
    column *c = &t->column;
    const long number = lround(floor(at.x / CHART_UNIT));

    if (c->open && c->number != number)
        flush(t);
    if (!c->open) {
        *c = (column){.open = true, .number = number, .first = at, .low = at, .high = at};
    } else if (at.y < c->low.y) {
        c->low = at;
        c->low_before_high = false;
    } else if (at.y > c->high.y) {
        c->high = at;
        c->low_before_high = true;
    }
    c->last = at;
}

// A line that consists of one point would not be seen.
static void mark_if_alone(tracer *t, size_t line_before)
{
    const chart_trace *trace = t->trace;

    if (trace->line_count == line_before + 1)
        add_mark(t, (place){trace->line[line_before].x, trace->line[line_before].y});
}

static void trace_points(tracer *t)
{
    size_t before = t->trace->line_count;

    for (size_t i = 0; i <= t->series->count && t->status == RN_OK; i++) {
        place at = i < t->series->count ? place_of(t, i) : (place){NAN, NAN};
        if (!isnan(at.x) && !isnan(at.y)) {
            take_point(t, at);
            continue;
        }
        flush(t);
        mark_if_alone(t, before);
        t->down = false;
        before = t->trace->line_count;
    }
}

static void mark_points(tracer *t)
{
    place last = {-INFINITY, 0};

    for (size_t i = 0; i < t->series->count && t->status == RN_OK; i++) {
        place at = place_of(t, i);
        if (isnan(at.x) || isnan(at.y) || hypot(at.x - last.x, at.y - last.y) < MARK_GAP)
            continue;
        add_mark(t, at);
        last = at;
    }
}

// Bars

chart_bars chart_bars_measure(const rn_plot_series *series, size_t count)
{
    chart_bars bars = {.spacing = INFINITY};

    for (size_t i = 0; i < count; i++) {
        if (series[i].style != RN_PLOT_BARS)
            continue;
        bars.groups++;
        if (series[i].x == NULL)
            bars.spacing = fmin(bars.spacing, 1);
        for (size_t k = 1; series[i].x != NULL && k < series[i].count; k++) {
            const double step = fabs(series[i].x[k] - series[i].x[k - 1]);
            if (step > 0 && isfinite(step))
                bars.spacing = fmin(bars.spacing, step);
        }
    }
    if (!isfinite(bars.spacing))
        bars.spacing = 1;
    return bars;
}

static double clamped(double value, double most)
{
    return fmin(fmax(value, 0), most);
}

static void add_bar(tracer *t, place at, double width, double base)
{
    chart_trace *trace = t->trace;
    const double right = t->axes[0].length, bottom = t->axes[1].length;
    const place upper = {clamped(at.x, right), clamped(fmin(at.y, base), bottom)};
    const place lower = {clamped(at.x + width, right), clamped(fmax(at.y, base), bottom)};
    const size_t n = trace->bar_count;

    if (lower.x <= upper.x || lower.y <= upper.y)
        return;
    t->status = rn_grow((void **)&trace->bars, &trace->bar_room, n + 2, sizeof *trace->bars);
    if (t->status != RN_OK)
        return;
    trace->bars[n] = rounded(upper, true);
    trace->bars[n + 1] = rounded(lower, true);
    trace->bar_count += 2;
}

// Bars narrower than a column share it: the longest is seen.
static void trace_bars(tracer *t, const chart_bars *bars)
{
    const chart_axis *x = &t->axes[0];
    const double unit = x->log ? 0 : x->length / (x->high - x->low);
    const double all = fmax(0.8 * bars->spacing * unit, CHART_UNIT);
    const double width = fmax(all / bars->groups, CHART_UNIT / 2.0);
    const double zero = chart_axis_place(&t->axes[1], 0);
    const double base = isnan(zero) ? t->axes[1].length : zero;
    place longest = {-INFINITY, base};

    for (size_t i = 0; i < t->series->count && t->status == RN_OK; i++) {
        place at = place_of(t, i);
        if (isnan(at.x) || isnan(at.y))
            continue;
        at.x += bars->group * width - all / 2;
        if (at.x >= longest.x && at.x < longest.x + CHART_UNIT / 2.0 &&
            fabs(at.y - base) <= fabs(longest.y - base))
            continue;
        longest = at;
        add_bar(t, at, width, base);
    }
}

rn_status chart_trace_init(chart_trace *trace, const rn_plot_series *series,
                           const chart_axis axes[2], const chart_bars *bars)
{
    tracer t = {.trace = trace, .series = series, .axes = axes};

    if (series->style == RN_PLOT_BARS)
        trace_bars(&t, bars);
    else
        trace_points(&t);
    if (series->style == RN_PLOT_LINE_MARKERS)
        mark_points(&t);
    if (t.status == RN_OK && series->deviation != NULL)
        t.status = chart_band_trace(trace, series, axes);
    return t.status;
}

void chart_trace_release(chart_trace *trace)
{
    rn_free(trace->line);
    rn_free(trace->marks);
    rn_free(trace->bars);
    rn_free(trace->band);
    *trace = (chart_trace){0};
}
