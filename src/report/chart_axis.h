/** Axes: from values to places, and the ticks that name some of them. */
#ifndef REPORT_CHART_AXIS_H
#define REPORT_CHART_AXIS_H

#include "report/chart_list.h"
#include "resnet/plot.h"

enum { CHART_TICKS = 128, CHART_TICK_TEXT = 24 };

typedef struct chart_tick {
    int place;                   // on the axis, in tenths
    char label[CHART_TICK_TEXT]; // "": a minor tick
} chart_tick;

typedef struct chart_axis {
    double low, high; // of a logarithmic axis both are above zero
    bool log, upright;
    int length; // in tenths
    chart_tick ticks[CHART_TICKS];
    int count;
    int label_length; // of the longest label
} chart_axis;

/** Values found among the points of a panel; low > high: none. */
typedef struct chart_bounds {
    double low, high;
} chart_bounds;

#define CHART_NO_BOUNDS ((chart_bounds){INFINITY, -INFINITY})

/** Take the values that an axis can show into the bounds; values NULL: 0 .. count - 1. */
void chart_bounds_add(chart_bounds *bounds, const double *values, size_t count, bool log);

/**
 * Choose an axis' ends: those of `wanted`, and where these are NaN those of the bounds, with some
 * room for an upright axis. Sets low, high and log.
 */
void chart_axis_fit(chart_axis *axis, rn_plot_range wanted, chart_bounds bounds, bool log);

/** Choose the ticks, once ends, length and upright are known. */
void chart_axis_tick(chart_axis *axis);

/** Place of a value, in tenths from the axis' start; NaN if it has none. Far outside it is cut. */
double chart_axis_place(const chart_axis *axis, double value);

#endif
