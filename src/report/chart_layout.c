#include "report/chart_layout.h"

#include "base/memory.h"

#include <math.h>

enum {
    EDGE = 100,    // around everything
    GAP = 60,      // between ticks, numbers, labels
    SMALLEST = 60, // of a drawing area, in units
    LARGEST = 20000
};

static bool is_text(const char *text)
{
    return text != NULL && *text != '\0';
}

static bool is_automatic(rn_plot_range range)
{
    return range.low == 0 && range.high == 0;
}

static rn_plot_range wanted_range(rn_plot_range range)
{
    return is_automatic(range) ? RN_PLOT_AUTOMATIC : range;
}

static rn_status check_range(rn_plot_range range, bool log, const char *axis)
{
    if (is_automatic(range))
        return RN_OK;
    if (isinf(range.low) || isinf(range.high) || range.low >= range.high)
        return rn_error(RN_EINVAL, "plot: %s axis from %g to %g, expected a lower and a higher end",
                        axis, range.low, range.high);
    if (log && (range.low <= 0 || range.high <= 0))
        return rn_error(RN_EINVAL, "plot: logarithmic %s axis from %g to %g, expected ends above 0",
                        axis, range.low, range.high);
    return RN_OK;
}

static rn_status check_panel(const rn_plot_panel *panel)
{
    rn_status st;

    if (panel->series_count > RN_PLOT_MOST_SERIES)
        return rn_error(RN_EINVAL, "plot: %zu series in a panel, expected up to %d",
                        panel->series_count, RN_PLOT_MOST_SERIES);
    for (size_t i = 0; i < panel->series_count; i++)
        if (panel->series[i].count > 0 && panel->series[i].y == NULL)
            return rn_error(RN_EINVAL, "plot: series %zu has %zu points and no values", i,
                            panel->series[i].count);
    RN_TRY(check_range(panel->x_range, panel->x_log, "x"));
    RN_TRY(check_range(panel->y_range, panel->y_log, "y"));
out:
    return st;
}

static rn_status check(const rn_plot *plot)
{
    rn_status st = RN_OK;

    if (plot->panel_count < 1 || plot->panel_count > RN_PLOT_MOST_PANELS)
        return rn_error(RN_EINVAL, "plot: %zu panels, expected 1 to %d", plot->panel_count,
                        RN_PLOT_MOST_PANELS);
    if ((plot->width != 0 && plot->width < SMALLEST) || plot->width > LARGEST ||
        (plot->height != 0 && plot->height < SMALLEST) || plot->height > LARGEST)
        return rn_error(RN_EINVAL, "plot: panels of %d x %d, expected %d to %d, or 0", plot->width,
                        plot->height, SMALLEST, LARGEST);
    for (size_t i = 0; i < plot->panel_count && st == RN_OK; i++) {
        st = check_panel(&plot->panels[i]);
        if (st == RN_OK && ((plot->share_y && plot->panels[i].y_log != plot->panels[0].y_log) ||
                            (plot->share_x && plot->panels[i].x_log != plot->panels[0].x_log)))
            st =
                rn_error(RN_EINVAL, "plot: panels that share an axis are logarithmic, all or none");
    }
    return st;
}

// Axes

// Of its points, with their band.
static void add_heights(chart_bounds *bounds, const rn_plot_series *series, bool log)
{
    const double *y = series->y, *deviation = series->deviation;

    chart_bounds_add(bounds, y, series->count, log);
    for (size_t i = 0; deviation != NULL && i < series->count; i++)
        chart_bounds_add(bounds, (double[]){y[i] - deviation[i], y[i] + deviation[i]}, 2, log);
}

static chart_bounds bounds_of(const rn_plot_panel *panel, bool upright)
{
    chart_bounds bounds = CHART_NO_BOUNDS;
    const bool log = upright ? panel->y_log : panel->x_log;

    for (size_t i = 0; i < panel->series_count; i++) {
        const rn_plot_series *series = &panel->series[i];
        const bool bars = series->style == RN_PLOT_BARS;
        if (upright && series->y != NULL)
            add_heights(&bounds, series, log);
        else if (!upright)
            chart_bounds_add(&bounds, series->x, series->count, log);
        if (upright && bars && !log)
            chart_bounds_add(&bounds, (double[]){0}, 1, log);
    }
    return bounds;
}

// Bars at the first and last x stand wholly within the panel.
static void widen_for_bars(chart_bounds *bounds, const rn_plot_panel *panel)
{
    const chart_bars bars = chart_bars_measure(panel->series, panel->series_count);

    if (bars.groups == 0 || panel->x_log || bounds->low > bounds->high)
        return;
    bounds->low -= bars.spacing / 2;
    bounds->high += bars.spacing / 2;
}

static chart_bounds bounds_on(const rn_plot *plot, size_t index, bool upright)
{
    chart_bounds bounds = bounds_of(&plot->panels[index], upright);

    if (!upright)
        widen_for_bars(&bounds, &plot->panels[index]);
    return bounds;
}

// The range wanted of an axis, and the bounds of what is on it.
static rn_plot_range range_on(chart_bounds *bounds, const rn_plot *plot, size_t index, bool upright)
{
    const bool shared = upright ? plot->share_y : plot->share_x;
    const rn_plot_panel *panel = &plot->panels[shared ? 0 : index];

    *bounds = bounds_on(plot, shared ? 0 : index, upright);
    for (size_t i = 1; shared && i < plot->panel_count; i++) {
        const chart_bounds other = bounds_on(plot, i, upright);
        bounds->low = fmin(bounds->low, other.low);
        bounds->high = fmax(bounds->high, other.high);
    }
    return wanted_range(upright ? panel->y_range : panel->x_range);
}

static void size_panels(const rn_plot *plot, int *width, int *height)
{
    static const int sizes[][2] = {{560, 340}, {400, 320}, {300, 260}};
    const size_t choice = plot->panel_count < 3 ? plot->panel_count - 1 : 2;

    *width = CHART_UNIT * (plot->width > 0 ? plot->width : sizes[choice][0]);
    *height = CHART_UNIT * (plot->height > 0 ? plot->height : sizes[choice][1]);
}

static void make_axes(chart_panel *p, const rn_plot *plot, size_t index)
{
    chart_bounds x, y;
    const rn_plot_range x_range = range_on(&x, plot, index, false);
    const rn_plot_range y_range = range_on(&y, plot, index, true);

    size_panels(plot, &p->axes[0].length, &p->axes[1].length);
    p->axes[1].upright = true;
    chart_axis_fit(&p->axes[0], x_range, x, p->panel->x_log);
    chart_axis_fit(&p->axes[1], y_range, y, p->panel->y_log);
    chart_axis_tick(&p->axes[0]);
    chart_axis_tick(&p->axes[1]);
}

static rn_status trace_all(chart_panel *p)
{
    rn_status st;
    chart_bars bars = chart_bars_measure(p->panel->series, p->panel->series_count);

    RN_TRY(RN_NEW(&p->traces, p->panel->series_count));
    for (size_t i = 0; i < p->panel->series_count; i++) {
        RN_TRY(chart_trace_init(&p->traces[i], &p->panel->series[i], p->axes, &bars));
        bars.group += p->panel->series[i].style == RN_PLOT_BARS;
    }
out:
    return st;
}

// Places

static bool any_panel_title(const rn_plot *plot)
{
    for (size_t i = 0; i < plot->panel_count; i++)
        if (is_text(plot->panels[i].title))
            return true;
    return false;
}

// What stands at the left of a panel: label, numbers, ticks, half of the first number below it;
// and half of the last number below the panel before.
static int room_at_left(const chart_panel *panels, const rn_plot *plot, size_t index)
{
    const chart_panel *p = &panels[index];
    const int half = p->axes[0].label_length / 2 + GAP;
    int room = plot->share_y && index > 0 ? 0 : p->axes[1].label_length + 2 * GAP;

    if (room > 0 && is_text(p->panel->y_label))
        room += chart_line_heights[CHART_NORMAL] + GAP;
    room = room > half ? room : half;
    return index > 0 ? room + panels[index - 1].axes[0].label_length / 2 + GAP : room;
}

static int room_below(const chart_panel *p)
{
    int room = GAP + chart_line_heights[CHART_NORMAL];

    if (is_text(p->panel->x_label))
        room += chart_line_heights[CHART_NORMAL];
    if (p->legend.rows > 0 && !p->legend.inside)
        room += GAP + p->legend.place.height;
    return room;
}

static void place_panels(chart_layout *l)
{
    const rn_plot *plot = l->plot;
    int left = EDGE, below = 0, top = EDGE + l->titles;

    if (any_panel_title(plot))
        top += chart_line_heights[CHART_NORMAL] + GAP;
    for (size_t i = 0; i < plot->panel_count; i++) {
        chart_panel *p = &l->panels[i];
        left += room_at_left(l->panels, plot, i);
        p->place = (chart_rect){left, top, p->axes[0].length, p->axes[1].length};
        left += p->place.width;
        below = room_below(p) > below ? room_below(p) : below;
    }
    const chart_panel *last = &l->panels[plot->panel_count - 1];
    l->width = left + EDGE + last->axes[0].label_length / 2;
    l->height = top + last->place.height + below;
    l->height +=
        chart_note_draw(NULL, plot, l->width - 2 * EDGE, 0) * chart_line_heights[CHART_SMALL];
    l->height += EDGE + (is_text(plot->note) ? GAP : 0);
}

rn_status chart_layout_init(chart_layout *layout, const rn_plot *plot)
{
    rn_status st;

    *layout = (chart_layout){.plot = plot};
    RN_TRY(check(plot));
    layout->titles = is_text(plot->title) ? chart_line_heights[CHART_LARGE] + GAP : 0;
    for (size_t i = 0; i < plot->panel_count; i++) {
        chart_panel *p = &layout->panels[i];
        p->panel = &plot->panels[i];
        make_axes(p, plot, i);
        RN_TRY(trace_all(p));
        chart_legend_place(p);
    }
    place_panels(layout);
out:
    return st;
}

void chart_layout_release(chart_layout *layout)
{
    for (size_t i = 0; i < RN_PLOT_MOST_PANELS; i++) {
        chart_panel *p = &layout->panels[i];
        for (size_t k = 0; p->traces != NULL && k < p->panel->series_count; k++)
            chart_trace_release(&p->traces[k]);
        rn_free(p->traces);
    }
    *layout = (chart_layout){0};
}
