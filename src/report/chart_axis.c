// Ticks at 1, 2 and 5 times powers of ten.
#include "report/chart_axis.h"

#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LABELS = 9, MOST_LOG_LABELS = 12, GAP = 120 /* between two labels */ };

typedef struct tick_step {
    int mantissa, exponent; // mantissa * 10^exponent
} tick_step;

static double step_size(tick_step step)
{
    return step.mantissa * pow(10, step.exponent);
}

// i steps, as exact as a double can be: 3 * 0.1 is 0.3.
static double step_value(tick_step step, double i)
{
    double whole = i * step.mantissa;

    return step.exponent < 0 ? whole / pow(10, -step.exponent) : whole * pow(10, step.exponent);
}

static tick_step next_step(tick_step step)
{
    switch (step.mantissa) {
    case 1:
        return (tick_step){2, step.exponent};
    case 2:
        return (tick_step){5, step.exponent};
    default:
        return (tick_step){1, step.exponent + 1};
    }
}

static int decimals_of(double size)
{
    const int decimals = (int)ceil(-log10(size) - 1e-9);

    return decimals < 0 ? 0 : decimals > 15 ? 15 : decimals;
}

// "1.5e-7" for "1.5e-07".
static void write_power(char text[CHART_TICK_TEXT], double value, double size)
{
    int digits = (int)floor(log10(fabs(value)) + 1e-9) - (int)floor(log10(size) + 1e-9), exponent;
    char mantissa[CHART_TICK_TEXT];

    digits = digits < 0 ? 0 : digits > 12 ? 12 : digits;
    rn_print(mantissa, sizeof mantissa, "%.*e", digits, value);
    char *e = strchr(mantissa, 'e');
    if (e == NULL || sscanf(e + 1, "%d", &exponent) != 1)
        return;
    *e = '\0';
    snprintf(text, CHART_TICK_TEXT, "%.16se%d", mantissa, exponent);
}

// A number as people write it beside others that are `size` apart and up to `largest`.
static void write_label(char text[CHART_TICK_TEXT], double value, double size, double largest)
{
    static const struct {
        double from, unit;
        const char *suffix;
    } scales[] = {{1e9, 1e9, "G"}, {1e6, 1e6, "M"}, {1e4, 1e3, "k"}, {1e-4, 1, ""}};

    snprintf(text, CHART_TICK_TEXT, "0");
    if (value == 0)
        return;
    if (largest < 1e13 && size > 1e-12 * largest)
        for (size_t i = 0; i < sizeof scales / sizeof *scales; i++)
            if (largest >= scales[i].from) {
                rn_print(text, CHART_TICK_TEXT, "%.*f%s", decimals_of(size / scales[i].unit),
                         value / scales[i].unit, scales[i].suffix);
                return;
            }
    write_power(text, value, size);
}

static chart_tick *add_tick(chart_axis *axis, double value)
{
    double place = chart_axis_place(axis, value);

    if (!(place > -0.5 && place < axis->length + 0.5) || axis->count == CHART_TICKS)
        return NULL;
    chart_tick *tick = &axis->ticks[axis->count++];
    *tick = (chart_tick){.place = (int)lround(place)};
    return tick;
}

static void add_steps(chart_axis *axis, tick_step step)
{
    const double size = step_size(step);
    const double last = floor(axis->high / size + 1e-3); // add_tick() is as lenient

    axis->count = 0;
    // Counted from the first, since far from zero a double may not hold the next number of steps.
    const double first = ceil(axis->low / size - 1e-9);
    const double largest = fmax(fabs(first), fabs(last)) * size;
    for (int i = 0; i < CHART_TICKS; i++) {
        chart_tick *tick = add_tick(axis, step_value(step, first + i));
        if (tick != NULL)
            write_label(tick->label, step_value(step, first + i), size, largest);
    }
}

static void measure_labels(chart_axis *axis)
{
    axis->label_length = 0;
    for (int i = 0; i < axis->count; i++) {
        int length = chart_text_length(axis->ticks[i].label, CHART_NORMAL);
        axis->label_length = length > axis->label_length ? length : axis->label_length;
    }
}

static bool labels_fit(chart_axis *axis)
{
    int labels = 0;
    const chart_tick *last = NULL;

    measure_labels(axis);
    const int room =
        axis->upright ? 2 * chart_line_heights[CHART_NORMAL] : axis->label_length + GAP;
    for (int i = 0; i < axis->count; i++) {
        if (axis->ticks[i].label[0] == '\0')
            continue;
        if (last != NULL && abs(axis->ticks[i].place - last->place) < room)
            return false;
        last = &axis->ticks[i];
        labels++;
    }
    return labels <= (axis->log ? MOST_LOG_LABELS : MOST_LABELS);
}

static void tick_linear(chart_axis *axis)
{
    const double span = axis->high - axis->low;
    tick_step step = {1, (int)floor(log10(span / MOST_LABELS))};

    if (step.exponent < -300)
        step.exponent = -300;
    while (span / step_size(step) > MOST_LABELS)
        step = next_step(step);
    add_steps(axis, step);
    while (!labels_fit(axis) && axis->count > 1) {
        step = next_step(step);
        add_steps(axis, step);
    }
}

static void write_decade(char text[CHART_TICK_TEXT], int mantissa, int exponent)
{
    if (exponent >= -3 && exponent <= 4)
        rn_print(text, CHART_TICK_TEXT, "%.*f", exponent < 0 ? -exponent : 0,
                 step_value((tick_step){mantissa, exponent}, 1));
    else
        snprintf(text, CHART_TICK_TEXT, "%de%d", mantissa, exponent);
}

// Every `every`-th decade has a number; where all have, so do those of its parts in `named`.
static void add_decades(chart_axis *axis, int every, const char *named)
{
    const int first = (int)floor(log10(axis->low)), last = (int)ceil(log10(axis->high));

    axis->count = 0;
    for (int exponent = first; exponent <= last; exponent++) {
        if (every > 10 && exponent % every != 0)
            continue;
        for (int mantissa = 1; mantissa < (every > 1 ? 2 : 10); mantissa++) {
            const bool label = exponent % every == 0 && strchr(named, '0' + mantissa) != NULL;
            chart_tick *tick = add_tick(axis, step_value((tick_step){mantissa, exponent}, 1));
            if (tick != NULL && label)
                write_decade(tick->label, mantissa, exponent);
        }
    }
}

static void tick_log(chart_axis *axis)
{
    static const char *const named[] = {"123456789", "12357", "125", "13", "1"};
    const double decades = log10(axis->high) - log10(axis->low);

    if (decades < 0.7) { // too short to show what a logarithm is: nearly even
        tick_linear(axis);
        return;
    }
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        add_decades(axis, 1, named[i]);
        if (decades * 10 < CHART_TICKS && labels_fit(axis))
            return;
    }
    for (int every = 2; every < 700; every++) {
        add_decades(axis, every, "1");
        if (labels_fit(axis) && axis->count < CHART_TICKS)
            return;
    }
}

void chart_axis_tick(chart_axis *axis)
{
    if (axis->log)
        tick_log(axis);
    else
        tick_linear(axis);
    measure_labels(axis);
}
