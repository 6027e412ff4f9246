// Where axes begin and end.
#include "report/chart_axis.h"

#include <math.h>

static bool is_shown(double value, bool log)
{
    return isfinite(value) && (!log || value > 0);
}

static void add_value(chart_bounds *bounds, double value, bool log)
{
    if (!is_shown(value, log))
        return;
    bounds->low = fmin(bounds->low, value);
    bounds->high = fmax(bounds->high, value);
}

void chart_bounds_add(chart_bounds *bounds, const double *values, size_t count, bool log)
{
    if (values != NULL) {
        for (size_t i = 0; i < count; i++)
            add_value(bounds, values[i], log);
    } else if (count > 0) {
        add_value(bounds, 0, log);
        add_value(bounds, 1, log);
        add_value(bounds, (double)(count - 1), log);
    }
}

// One value, or values that a double can hardly tell apart, get some room to either side.
static void widen(chart_axis *axis)
{
    const double largest = fmax(fabs(axis->low), fabs(axis->high));
    const double least = largest > 0 ? 1e-9 * largest : 1e-300;

    if (axis->high - axis->low > least)
        return;
    if (axis->log) {
        axis->low = fmax(axis->low / 2, 1e-300);
        axis->high *= 2;
        return;
    }
    const double room = largest > 0 ? fmax(largest / 10, 1e-300) : 1;
    axis->low -= room;
    axis->high += room;
}

// Values that begin near zero are shown from zero; others have a little room above and below.
static void make_room(chart_axis *axis, chart_bounds bounds, rn_plot_range wanted)
{
    const double span = axis->high - axis->low;
    const bool from_zero = !axis->log && bounds.low >= 0 && bounds.low < 0.35 * bounds.high;
    double factor = 1;

    if (axis->log)
        factor = pow(10, 0.03 * (log10(axis->high) - log10(axis->low)));
    if (isnan(wanted.low) && axis->log)
        axis->low /= factor;
    else if (isnan(wanted.low))
        axis->low = from_zero ? 0 : axis->low - (axis->upright ? 0.04 * span : 0);
    if (isnan(wanted.high) && axis->log)
        axis->high *= factor;
    else if (isnan(wanted.high) && axis->upright)
        axis->high += 0.04 * span;
}

void chart_axis_fit(chart_axis *axis, rn_plot_range wanted, chart_bounds bounds, bool log)
{
    axis->log = log;
    if (bounds.low > bounds.high) // nothing to show
        bounds = log ? (chart_bounds){0.1, 1} : (chart_bounds){0, 1};
    // What is wanted at one end may lie beyond all values: then a span like theirs follows.
    if (!isnan(wanted.low) && bounds.high <= wanted.low)
        bounds.high = log ? 10 * wanted.low : wanted.low + 1;
    if (!isnan(wanted.high) && bounds.low >= wanted.high)
        bounds.low = log ? wanted.high / 10 : wanted.high - 1;
    axis->low = isnan(wanted.low) ? bounds.low : wanted.low;
    axis->high = isnan(wanted.high) ? bounds.high : wanted.high;
    if (axis->high - axis->low > 0)
        make_room(axis, bounds, wanted);
    widen(axis);
    // Sums of the largest numbers must not overflow.
    axis->low = fmax(axis->low, log ? 1e-300 : -1e300);
    axis->high = fmax(fmin(axis->high, 1e300), log ? 1e-299 : axis->low + 1e-300);
}

double chart_axis_place(const chart_axis *axis, double value)
{
    double share;

    if (!is_shown(value, axis->log))
        return NAN;
    if (axis->log)
        share = (log10(value) - log10(axis->low)) / (log10(axis->high) - log10(axis->low));
    else
        share = (value - axis->low) / (axis->high - axis->low);
    share = fmin(fmax(share, -100), 100);
    return axis->length * (axis->upright ? 1 - share : share);
}
