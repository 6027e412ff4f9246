/** A series as points of a panel, cut at its edges and no more of them than it can show. */
#ifndef REPORT_CHART_TRACE_H
#define REPORT_CHART_TRACE_H

#include "report/chart_axis.h"

/** Points are relative to the panel's upper left corner. */
typedef struct chart_trace {
    chart_point *line; // joined, but for jumps
    size_t line_count, line_room;
    chart_point *marks; // marked
    size_t mark_count, mark_room;
    chart_point *bars; // upper left corner and lower right corner in turn
    size_t bar_count, bar_room;
    chart_point *band; // upper and lower edge at one x in turn; an upper one with a jump begins
    size_t band_count, band_room;
} chart_trace;

/** Bars of a panel stand beside each other. */
typedef struct chart_bars {
    int groups;     // series that are bars
    int group;      // which of them this is
    double spacing; // least difference between two of their x
} chart_bars;

/** Fill a trace, which must be zero; release it also after a failure. RN_OK; RN_ENOMEM. */
rn_status chart_trace_init(chart_trace *trace, const rn_plot_series *series,
                           const chart_axis axes[2], const chart_bars *bars);
void chart_trace_release(chart_trace *trace);

/** Add the band of a series that has deviations. RN_OK; RN_ENOMEM. */
rn_status chart_band_trace(chart_trace *trace, const rn_plot_series *series,
                           const chart_axis axes[2]);

/** What bars of these series need to know. */
chart_bars chart_bars_measure(const rn_plot_series *series, size_t count);

#endif
