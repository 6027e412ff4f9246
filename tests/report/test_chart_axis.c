// Ticks: round numbers, in their places, written as people write them.
#include "report/chart_axis.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static chart_axis make(double low, double high, bool log, bool upright)
{
    chart_axis axis = {.length = 4000, .upright = upright};

    chart_axis_fit(&axis, (rn_plot_range){low, high}, CHART_NO_BOUNDS, log);
    chart_axis_tick(&axis);
    return axis;
}

// "0 5 10", minor ticks left out.
static const char *labels(const chart_axis *axis)
{
    static char text[2048];

    text[0] = '\0';
    for (int i = 0; i < axis->count; i++)
        if (axis->ticks[i].label[0] != '\0')
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s",
                     text[0] == '\0' ? "" : " ", axis->ticks[i].label);
    return text;
}

static void numbers_are_round(void **state)
{
    static const struct {
        double low, high;
        bool log;
        const char *labels;
    } cases[] = {
        {0, 20, false, "0 5 10 15 20"},
        {0, 1, false, "0 0.2 0.4 0.6 0.8 1.0"},
        {0, 64000, false, "0 10k 20k 30k 40k 50k 60k"},
        {0, 1e6, false, "0 0.2M 0.4M 0.6M 0.8M 1.0M"},
        {0, 999999, false, "0 0.2M 0.4M 0.6M 0.8M 1.0M"},
        {0, 980000, false, "0 200k 400k 600k 800k"},
        {0, 9000, false, "0 2000 4000 6000 8000"},
        {-1, 1, false, "-1.0 -0.5 0 0.5 1.0"},
        {0.0999, 0.1001, false, "0.09990 0.09995 0.10000 0.10005 0.10010"},
        {0, 3e-9, false, "0 5e-10 1.0e-9 1.5e-9 2.0e-9 2.5e-9 3.0e-9"},
        {1, 1000, true, "1 2 5 10 20 50 100 200 500 1000"},
        {1e-8, 10, true, "1e-8 1e-6 1e-4 0.01 1"},
        {0.5, 5, true, "0.5 0.7 1 2 3 5"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        chart_axis axis = make(cases[i].low, cases[i].high, cases[i].log, false);
        assert_string_equal(labels(&axis), cases[i].labels);
    }
}

// Whatever the range: labels do not touch, are all different, and there are some.
static void any_range_has_ticks(void **state)
{
    (void)state;
    for (int log = 0; log < 2; log++)
        for (int exponent = -299; exponent < 299; exponent += 13)
            for (double span = 1e-8; span < 1e12; span *= 37) {
                const double low = pow(10, exponent) * 1.7, high = low * (1 + span);
                chart_axis axis = make(low, high, log == 1, span < 1);
                const chart_tick *last = NULL;
                for (int i = 0; i < axis.count; i++) {
                    const chart_tick *tick = &axis.ticks[i];
                    assert_true(tick->place >= 0 && tick->place <= axis.length);
                    if (tick->label[0] == '\0')
                        continue;
                    if (last != NULL)
                        assert_string_not_equal(tick->label, last->label);
                    if (last != NULL && !axis.upright)
                        assert_true(tick->place - last->place >= axis.label_length);
                    if (last != NULL && axis.upright)
                        assert_true(last->place - tick->place >= chart_line_heights[CHART_NORMAL]);
                    last = tick;
                }
                if (last == NULL || axis.count == CHART_TICKS)
                    fail_msg("%g .. %g, log %d: %d ticks", low, high, log, axis.count);
            }
}

static chart_axis fitted(const double *values, size_t count, bool log, bool upright)
{
    chart_axis axis = {.length = 1000, .upright = upright};
    chart_bounds bounds = CHART_NO_BOUNDS;

    chart_bounds_add(&bounds, values, count, log);
    chart_axis_fit(&axis, RN_PLOT_AUTOMATIC, bounds, log);
    return axis;
}

static void ends_come_from_the_values(void **state)
{
    chart_axis axis = fitted((double[]){5, NAN, 80, INFINITY}, 4, false, true);

    (void)state;
    assert_true(axis.low == 0 && axis.high > 80 && axis.high < 85);
    axis = fitted((double[]){50, 64000}, 2, false, false);
    assert_true(axis.low == 0 && axis.high == 64000);
    axis = fitted((double[]){70, 80}, 2, false, true);
    assert_true(axis.low > 69 && axis.low < 70 && axis.high > 80 && axis.high < 81);
    axis = fitted((double[]){-1, 0, 0.1, 10}, 4, true, true); // what is not positive has no place
    assert_true(axis.low > 0.05 && axis.low < 0.1 && axis.high > 10 && axis.high < 20);
    axis = fitted((double[]){3}, 1, false, true);
    assert_true(axis.low < 3 && axis.high > 3);
    axis = fitted((double[]){0, 0}, 2, false, true);
    assert_true(axis.low < 0 && axis.high > 0);
    axis = fitted(NULL, 0, false, true);
    assert_true(axis.low < axis.high);
    axis = fitted(NULL, 11, false, false);
    assert_true(axis.low == 0 && axis.high == 10);
    axis = fitted((double[]){-1.7e308, 1.7e308}, 2, false, true);
    assert_true(isfinite(axis.high - axis.low));
}

static void one_end_may_be_given(void **state)
{
    chart_axis axis = {.length = 1000, .upright = true};

    (void)state;
    chart_axis_fit(&axis, (rn_plot_range){NAN, 20}, (chart_bounds){8, 90}, false);
    assert_true(axis.high == 20 && axis.low < 20);
    chart_axis_fit(&axis, (rn_plot_range){100, NAN}, (chart_bounds){8, 90}, false);
    assert_true(axis.low == 100 && axis.high > 100);
    chart_axis_fit(&axis, (rn_plot_range){NAN, 1}, (chart_bounds){8, 90}, true);
    assert_true(axis.high == 1 && axis.low < 1 && axis.low > 0);
}

static void values_have_places(void **state)
{
    chart_axis axis = make(1, 100, true, false);

    (void)state;
    assert_true(fabs(chart_axis_place(&axis, 10) - 2000) < 1e-6);
    assert_true(isnan(chart_axis_place(&axis, 0)));
    assert_true(isnan(chart_axis_place(&axis, NAN)));
    axis = make(0, 10, false, true);
    assert_true(chart_axis_place(&axis, 0) == 4000 && chart_axis_place(&axis, 10) == 0);
    assert_true(isfinite(chart_axis_place(&axis, 1e308)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_round),         cmocka_unit_test(any_range_has_ticks),
        cmocka_unit_test(ends_come_from_the_values), cmocka_unit_test(one_end_may_be_given),
        cmocka_unit_test(values_have_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
