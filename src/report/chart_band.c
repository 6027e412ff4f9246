// The band around a series: of each column, as far up and down as any point's deviation reaches.
#include "report/chart_trace.h"

#include "base/memory.h"

#include <math.h>

/** What the points of one column, one unit wide, reach. */
typedef struct reach {
    bool open, jump;
    long column;
    double x, top, bottom;
} reach;

static rn_status add_reach(chart_trace *trace, const reach *last, int aside)
{
    const size_t n = trace->band_count;
    const int x = (int)lround(last->x) + aside;
    rn_status st = rn_grow((void **)&trace->band, &trace->band_room, n + 2, sizeof *trace->band);

    if (st != RN_OK)
        return st;
    trace->band[n] = (chart_point){x, (int)lround(last->top), last->jump && aside <= 0};
    trace->band[n + 1] = (chart_point){x, (int)lround(last->bottom), false};
    trace->band_count += 2;
    return RN_OK;
}

// A band that begins and ends here would have no width.
static rn_status end_reach(chart_trace *trace, const reach *last, bool goes_on)
{
    rn_status st;

    if (goes_on || !last->jump)
        return add_reach(trace, last, 0);
    RN_TRY(add_reach(trace, last, -CHART_UNIT));
    st = add_reach(trace, last, CHART_UNIT);
out:
    return st;
}

// False where there is none, or where it lies beside the panel.
static bool reach_of(reach *out, const rn_plot_series *series, const chart_axis axes[2], size_t i)
{
    const double length = axes[1].length, y = series->y[i], deviation = series->deviation[i];
    const double x = chart_axis_place(&axes[0], series->x != NULL ? series->x[i] : (double)i);
    double top = chart_axis_place(&axes[1], y + deviation);
    double bottom = chart_axis_place(&axes[1], y - deviation);

    if (isnan(x) || isnan(top) || x < -0.5 || x > axes[0].length + 0.5)
        return false;
    if (isnan(bottom)) // nothing is that low on a logarithmic axis
        bottom = length;
    top = fmin(fmax(top, 0), length);
    bottom = fmin(fmax(bottom, 0), length);
    *out = (reach){.column = lround(floor(x / CHART_UNIT)), .x = x, .top = top, .bottom = bottom};
    return true;
}

rn_status chart_band_trace(chart_trace *trace, const rn_plot_series *series,
                           const chart_axis axes[2])
{
    rn_status st = RN_OK;
    reach last = {0};

    for (size_t i = 0; i < series->count; i++) {
        reach next = {0};
        const bool there = reach_of(&next, series, axes, i);
        if (there && last.open && next.column == last.column) {
            last.top = fmin(last.top, next.top);
            last.bottom = fmax(last.bottom, next.bottom);
            continue;
        }
        if (last.open)
            RN_TRY(end_reach(trace, &last, there));
        next.open = there;
        next.jump = !last.open;
        last = next;
    }
    if (last.open)
        st = end_reach(trace, &last, false);
out:
    return st;
}
