// Charts as data: what is drawn of them, in SVG and in pixels.
#include "image/fail_allocation.h"
#include "report/chart_layout.h"
#include "report/golden_plot.h"
#include "resnet/plot.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 1000000 };

static double many_x[MANY], many_y[MANY];

static char *svg_of(const rn_plot *plot)
{
    char *svg;

    if (rn_plot_svg(&svg, plot) != RN_OK)
        fail_msg("%s", rn_error_message());
    return svg;
}

static int count(const char *text, const char *part)
{
    int found = 0;

    for (; (text = strstr(text, part)) != NULL; text += strlen(part))
        found++;
    return found;
}

static rn_plot plot_of(rn_plot_panel *panel, const rn_plot_series *series, size_t n)
{
    panel->series = series;
    panel->series_count = n;
    return (rn_plot){.panels = panel, .panel_count = 1};
}

static const double tiny_x[] = {0, 1, 2}, tiny_y[] = {0, 20, 10};

static void a_tiny_chart_is_these_bytes(void **state)
{
    const rn_plot_series series = {
        .label = "a<b", .x = tiny_x, .y = tiny_y, .count = 3, .weight = RN_PLOT_BOLD, .dash = 1};
    rn_plot_panel panel = {.x_label = "epoch", .y_label = "error (%)", .y_range = {0, 20}};
    rn_plot plot = plot_of(&panel, &series, 1);

    (void)state;
    plot.title = "A & \"B\"";
    plot.note = "note";
    plot.width = 200;
    plot.height = 100;
    char *svg = svg_of(&plot);
    assert_string_equal(svg, GOLDEN);
    rn_text_free(svg);
}

static chart_panel drawn;
static chart_trace trace;

// The trace of a series in a panel of 100 x 100 units, x and y from 0 to 10.
static void trace_of(const rn_plot_series *series)
{
    const chart_bars bars = chart_bars_measure(series, 1);

    chart_trace_release(&trace);
    for (int i = 0; i < 2; i++) {
        drawn.axes[i] = (chart_axis){.length = 1000, .upright = i == 1};
        chart_axis_fit(&drawn.axes[i], (rn_plot_range){0, 10}, CHART_NO_BOUNDS, false);
    }
    assert_int_equal(chart_trace_init(&trace, series, drawn.axes, &bars), RN_OK);
}

static void assert_points(const chart_point *found, size_t found_count, const chart_point *expected,
                          size_t n)
{
    assert_int_equal(found_count, n);
    for (size_t i = 0; i < n; i++)
        if (found[i].x != expected[i].x || found[i].y != expected[i].y ||
            found[i].jump != expected[i].jump)
            fail_msg("point %zu is %d,%d, jump %d", i, found[i].x, found[i].y, found[i].jump);
}

static void assert_line(const chart_point *expected, size_t n)
{
    assert_points(trace.line, trace.line_count, expected, n);
}

static void lines_are_cut_at_the_edges(void **state)
{
    const double x[] = {1, 3, 5, 7, 20}, y[] = {5, 15, -5, 15, 15};
    const chart_point expected[] = {{100, 500, true},   {200, 0, false},   {350, 0, true},
                                    {450, 1000, false}, {550, 1000, true}, {650, 0, false}};

    (void)state;
    trace_of(&(rn_plot_series){.x = x, .y = y, .count = 5});
    assert_line(expected, 6);
    trace_of(&(rn_plot_series){.x = (double[]){-5, 15}, .y = (double[]){5, 5}, .count = 2});
    assert_line((chart_point[]){{0, 500, true}, {1000, 500, false}}, 2);
    trace_of(&(rn_plot_series){.x = (double[]){-5, -1}, .y = (double[]){5, 5}, .count = 2});
    assert_line(NULL, 0);
    trace_of(&(rn_plot_series){.x = (double[]){2, 2}, .y = (double[]){-1e308, 1e308}, .count = 2});
    assert_line((chart_point[]){{200, 1000, true}, {200, 0, false}}, 2);
}

static void what_is_not_finite_breaks_the_line(void **state)
{
    const double y[] = {1, 2, NAN, 3, 4, INFINITY, 5, -INFINITY, 6};

    (void)state;
    trace_of(&(rn_plot_series){.y = y, .count = 9});
    const chart_point expected[] = {{0, 900, true},    {100, 800, false}, {300, 700, true},
                                    {400, 600, false}, {600, 500, true},  {800, 400, true}};
    assert_line(expected, 6);
    assert_int_equal(trace.mark_count, 2); // the points that are alone
    assert_int_equal(trace.marks[0].x, 600);
    trace_of(&(rn_plot_series){.y = (double[]){NAN, NAN}, .count = 2});
    assert_line(NULL, 0);
}

static void assert_band(const chart_point *expected, size_t n)
{
    assert_points(trace.band, trace.band_count, expected, n);
}

static void bands_reach_a_deviation_to_either_side(void **state)
{
    const double y[] = {5, 6, NAN, 5, 9.5, 20}, deviation[] = {1, 0, 1, 2, 1, 1};
    const chart_point expected[] = {
        {0, 400, true},    {0, 600, false}, {100, 400, false}, {100, 400, false}, {300, 300, true},
        {300, 700, false}, {400, 0, false}, {400, 150, false}, {500, 0, false},   {500, 0, false}};

    (void)state;
    trace_of(&(rn_plot_series){.y = y, .deviation = deviation, .count = 6});
    assert_band(expected, 10);
    // a column's points together; those beside the panel not at all
    trace_of(&(rn_plot_series){.x = (double[]){-1, 2, 2.01, 11},
                               .y = (double[]){5, 5, 6, 5},
                               .deviation = (double[]){1, 1, 1, 1},
                               .count = 4});
    assert_band((chart_point[]){{190, 300, true}, // a lone one has a width
                                {190, 600, false},
                                {210, 300, false},
                                {210, 600, false}},
                4);
    trace_of(&(rn_plot_series){.y = y, .count = 6});
    assert_band(NULL, 0);
}

static void bands_are_pale_in_both_forms(void **state)
{
    const double flat[] = {5, 5, 5}, deviation[] = {4, 4, 4};
    const rn_plot_series series = {.y = flat, .deviation = deviation, .count = 3, .colour = 4};
    rn_plot_panel panel = {0}; // y is found: 1 .. 9, and some room
    rn_plot plot = plot_of(&panel, &series, 1);
    rn_image *image;
    size_t paper = 0, pale = 0;

    (void)state;
    char *svg = svg_of(&plot);
    assert_int_equal(count(svg, "<path fill=\"#000000\" fill-opacity=\"0.20\""), 1);
    rn_text_free(svg);
    assert_int_equal(rn_plot_image(&image, &plot, 1), RN_OK);
    const size_t pixels = (size_t)image->width * (size_t)image->height;
    for (size_t i = 0; i < pixels; i++) {
        paper += image->pixels[3 * i] == 255;
        pale += image->pixels[3 * i] == 204; // four fifths of white
    }
    assert_true(pale > pixels / 2 && paper > pixels / 10);
    rn_image_free(image);
}

// Each column of pixels keeps its extremes, in their order.
static void many_points_keep_their_extremes(void **state)
{
    rn_plot_panel panel = {0};
    rn_plot_series series = {.x = many_x, .y = many_y, .count = MANY};
    uint32_t random = 1;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        random = random * 1664525 + 1013904223;
        many_x[i] = 10.0 * i / MANY;
        many_y[i] = 4 + (random >> 8) / 16777216.0;
    }
    many_y[123456] = 9.5;
    many_y[123457] = 0.5;
    trace_of(&series);
    assert_true(trace.line_count <= 4 * 101);
    bool found = false;
    for (size_t i = 1; i < trace.line_count; i++)
        found = found || (trace.line[i - 1].y == 50 && trace.line[i].y == 950);
    assert_true(found);
    rn_plot plot = plot_of(&panel, &series, 1);
    char *svg = svg_of(&plot);
    assert_in_range(strlen(svg), 5000, 40000);
    rn_text_free(svg);
    series.style = RN_PLOT_MARKERS;
    svg = svg_of(&plot);
    assert_in_range(strlen(svg), 5000, 60000);
    rn_text_free(svg);
}

static void bars_stand_on_zero(void **state)
{
    const rn_plot_series series = {.x = (double[]){2, 4, 6, 20},
                                   .y = (double[]){5, NAN, -5, 5},
                                   .count = 4,
                                   .style = RN_PLOT_BARS};

    (void)state;
    trace_of(&series);
    assert_int_equal(trace.bar_count, 2); // the second is none, the third lies below the panel
    assert_int_equal(trace.bars[0].x, 200 - 80);
    assert_int_equal(trace.bars[0].y, 500);
    assert_int_equal(trace.bars[1].x, 200 + 80);
    assert_int_equal(trace.bars[1].y, 1000);
}

// Layout

typedef struct box {
    int left, top, right, bottom;
} box;

static box box_of(const chart_item *item)
{
    const int length = chart_text_length(item->text, item->style.size);
    const int half = CHART_UNIT * chart_font_sizes[item->style.size] / 2;
    const int back = item->style.anchor == CHART_START    ? 0
                     : item->style.anchor == CHART_MIDDLE ? length / 2
                                                          : length;

    if (item->style.upwards)
        return (box){item->x - half, item->y + back - length, item->x + half, item->y + back};
    return (box){item->x - back, item->y - half, item->x - back + length, item->y + half};
}

static void assert_texts_apart(const rn_plot *plot)
{
    chart_list list;

    assert_int_equal(chart_draw(&list, plot), RN_OK);
    for (size_t i = 0; i < list.count; i++) {
        if (list.items[i].kind != CHART_LETTERS)
            continue;
        const box a = box_of(&list.items[i]);
        if (a.left < 0 || a.top < 0 || a.right > list.width || a.bottom > list.height)
            fail_msg("'%s' leaves the picture", list.items[i].text);
        for (size_t k = 0; k < i; k++) {
            const box b = box_of(&list.items[k]);
            if (list.items[k].kind == CHART_LETTERS && a.left < b.right && b.left < a.right &&
                a.top < b.bottom && b.top < a.bottom)
                fail_msg("'%s' lies over '%s'", list.items[i].text, list.items[k].text);
        }
    }
    chart_list_release(&list);
}

#define LONG                                                                                       \
    "a text that is much too long to stand where it is to stand, \xc3\xa9 by \xc3\xa9, and goes "  \
    "on and on, over the picture's edge and beyond, for no reason that anybody could tell"

static void texts_never_overlap(void **state)
{
    static const double scales[] = {1e-12, 1, 100, 64000, 1e6, 1e15, 1e200};
    static const char *const texts[] = {NULL, "short", LONG};
    rn_plot_series series[24];
    rn_plot_panel panels[3];
    double y[2];

    (void)state;
    for (size_t s = 0; s < sizeof scales / sizeof *scales; s++)
        for (int k = 0; k < 3; k++)
            for (size_t n = 1; n <= 3; n++)
                for (int size = 0; size < 300; size += 100) {
                    const char *text = texts[k];
                    y[0] = scales[s];
                    y[1] = 1.001 * scales[s] * (k + 1);
                    for (int i = 0; i < 24; i++)
                        series[i] = (rn_plot_series){.label = text,
                                                     .x = y,
                                                     .y = y,
                                                     .count = 2,
                                                     .style = (rn_plot_style)(i % 4)};
                    for (int i = 0; i < 3; i++)
                        panels[i] = (rn_plot_panel){.title = text,
                                                    .x_label = text,
                                                    .y_label = text,
                                                    .y_log = s % 2 == 0,
                                                    .series = series,
                                                    .series_count = (size_t)(8 * i + 1)};
                    const rn_plot plot = {text,       text,       panels, n,
                                          s % 5 == 0, s % 3 == 0, size,   size};
                    assert_texts_apart(&plot);
                }
}

static const chart_rect *legend_of(const double *y, const double *deviation, size_t n, bool *inside)
{
    static chart_layout layout;
    static rn_plot_series series;
    static rn_plot_panel panel;
    static rn_plot plot;

    chart_layout_release(&layout);
    series = (rn_plot_series){.label = "curve", .y = y, .deviation = deviation, .count = n};
    panel = (rn_plot_panel){.series = &series, .series_count = 1};
    plot = (rn_plot){.panels = &panel, .panel_count = 1};
    assert_int_equal(chart_layout_init(&layout, n > 0 ? &plot : &(rn_plot){0}),
                     n > 0 ? RN_OK : RN_EINVAL);
    *inside = layout.panels[0].legend.inside;
    return &layout.panels[0].legend.place;
}

static void legends_hide_no_curve(void **state)
{
    bool inside;
    const chart_rect *place = legend_of((double[]){9, 1, 1}, NULL, 3, &inside);

    (void)state;
    assert_true(inside && place->left > 2800 && place->top < 1700); // falls: upper right
    place = legend_of((double[]){1, 1, 9}, NULL, 3, &inside);
    assert_true(inside && place->left < 2800 && place->top < 1700); // rises: upper left
    place =
        legend_of((double[]){9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 0, 0}, NULL, 16, &inside);
    assert_true(inside && place->left < 2800 && place->top > 1700); // lower left
    legend_of((double[]){0, 9, 0, 9, 0, 9, 0, 9, 0, 9, 0, 9, 0, 9, 0}, NULL, 15, &inside);
    assert_false(inside);
    place = legend_of((double[]){1, 1, 1}, (double[]){0, 0, 9}, 3, &inside); // nor its band
    assert_true(inside && place->left < 2800 && place->top < 1700);
    legend_of(NULL, NULL, 0, &inside); // releases
}

// A bold line's dashes are half as long again, and its sample in the legend is 260 long.
static void samples_show_a_gap_and_what_follows(void **state)
{
    (void)state;
    for (int i = 1; i < RN_PLOT_DASHES; i++)
        assert_in_range((chart_dashes[i][0] + chart_dashes[i][1]) * 3 / 2, 1, 260 - 30);
}

static void labels_are_escaped(void **state)
{
    const rn_plot_series series = {.label = "<&\">'\x01\xff\xc3\xa9\xed\xa0\x80", .count = 0};
    rn_plot_panel panel = {0};
    rn_plot plot = plot_of(&panel, &series, 1);
    char *svg = svg_of(&plot);

    (void)state;
    assert_non_null(strstr(svg, ">&lt;&amp;&quot;&gt;&#39;?"
                                "?\xc3\xa9??"
                                "?</text>"));
    rn_text_free(svg);
}

static void panels_share_a_range_of_x(void **state)
{
    const rn_plot_series few = {.y = (double[]){1, 2}, .count = 2},
                         many = {.y = (double[]){1, 1, 1, 1, 1, 2}, .count = 6};
    const rn_plot_panel panels[] = {{.series = &few, .series_count = 1},
                                    {.series = &many, .series_count = 1}};
    rn_plot plot = {.panels = panels, .panel_count = 2, .share_x = true, .share_y = true};
    char *svg = svg_of(&plot);

    (void)state;
    assert_int_equal(count(svg, ">5</text>"), 2);
    rn_text_free(svg);
    plot.share_x = false;
    svg = svg_of(&plot);
    assert_int_equal(count(svg, ">5</text>"), 1);
    rn_text_free(svg);
}

static void panels_share_an_axis(void **state)
{
    const rn_plot_series low = {.y = (double[]){1, 2}, .count = 2},
                         high = {.y = (double[]){1, 90}, .count = 2};
    const rn_plot_panel panels[] = {{.title = "plain", .series = &low, .series_count = 1},
                                    {.title = "residual", .series = &high, .series_count = 1}};
    rn_plot plot = {.panels = panels, .panel_count = 2, .share_y = true};
    char *svg = svg_of(&plot);

    (void)state;
    assert_int_equal(count(svg, ">80</text>"), 1);
    assert_int_equal(count(svg, ">plain</text>") + count(svg, ">residual</text>"), 2);
    rn_text_free(svg);
    plot.share_y = false;
    svg = svg_of(&plot);
    assert_int_equal(count(svg, ">1.2</text>"), 1);
    rn_text_free(svg);
}

static void odd_plots_are_refused(void **state)
{
    rn_plot_series series = {.count = 3};
    rn_plot_panel panels[9] = {{0}};
    rn_plot plot = {.panels = panels};
    char *svg;
    rn_image *image;

    (void)state;
    assert_int_equal(rn_plot_svg(&svg, &plot), RN_EINVAL); // no panel
    assert_null(svg);
    plot.panel_count = 9;
    assert_int_equal(rn_plot_svg(&svg, &plot), RN_EINVAL);
    plot.panel_count = 2;
    plot.width = 30000;
    assert_int_equal(rn_plot_svg(&svg, &plot), RN_EINVAL);
    plot.width = 20000;
    plot.height = 20000;
    assert_int_equal(rn_plot_image(&image, &plot, 8), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "pixels"));
    assert_null(image);
    plot.width = plot.height = 0;
    assert_int_equal(rn_plot_image(&image, &plot, 0), RN_EINVAL);
    assert_int_equal(rn_plot_image(&image, &plot, 9), RN_EINVAL);
    plot.share_x = panels[1].x_log = true;
    assert_int_equal(rn_plot_svg(&svg, &plot), RN_EINVAL);
    plot.share_x = panels[1].x_log = false;
    plot.share_y = true;
    panels[1].y_log = true;
    assert_int_equal(rn_plot_svg(&svg, &plot), RN_EINVAL);
    panels[0].y_log = true;
    panels[0].y_range = (rn_plot_range){0, 20};
    assert_int_equal(rn_plot_svg(&svg, &plot), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "above 0"));
    panels[0].y_range = (rn_plot_range){20, 1};
    assert_int_equal(rn_plot_svg(&svg, &plot), RN_EINVAL);
    panels[0] = (rn_plot_panel){.series = &series, .series_count = 1};
    plot.share_y = false;
    assert_int_equal(rn_plot_svg(&svg, &plot), RN_EINVAL); // points without values
    panels[0].series_count = 257;
    assert_int_equal(rn_plot_svg(&svg, &plot), RN_EINVAL);
}

// Pixels

static const uint8_t *pixel(const rn_image *image, int x, int y)
{
    return image->pixels + ((size_t)y * (size_t)image->width + (size_t)x) * 3;
}

static void pictures_show_what_the_svg_shows(void **state)
{
    static const int scales[] = {1, 3};
    const rn_plot_series series = {
        .y = (double[]){5, 5}, .count = 2, .weight = RN_PLOT_BOLD, .colour = 1};
    rn_plot_panel panel = {.y_range = {0, 10}, .legend = RN_PLOT_LEGEND_NONE};
    rn_plot plot = plot_of(&panel, &series, 1);

    (void)state;
    for (int k = 0; k < 2; k++) {
        rn_image *image, *again;
        int red = 0;
        assert_int_equal(rn_plot_image(&image, &plot, scales[k]), RN_OK);
        assert_int_equal(rn_plot_image(&again, &plot, scales[k]), RN_OK);
        assert_memory_equal(image->pixels, again->pixels,
                            (size_t)image->width * (size_t)image->height * 3);
        for (int y = 0; y < image->height; y++) {
            const uint8_t *p = pixel(image, image->width / 2 + 10 * scales[k], y);
            red += p[0] == 0xd5 && p[1] == 0x5e && p[2] == 0;
        }
        assert_in_range(red, 2 * scales[k] - 1, 3 * scales[k]); // 2.2 units, its edges smooth
        assert_int_equal(pixel(image, 0, 0)[0], 255);
        rn_image_free(again);
        rn_image_free(image);
    }
}

static void allocation_failures_leave_nothing(void **state)
{
    const rn_plot_series series[] = {{.label = "a", .y = tiny_y, .count = 3},
                                     {.label = "b", .y = tiny_y, .count = 3, .style = RN_PLOT_BARS},
                                     {.label = "c",
                                      .y = tiny_y,
                                      .deviation = tiny_x,
                                      .count = 3,
                                      .style = RN_PLOT_LINE_MARKERS}};
    rn_plot_panel panel = {.title = "t"};
    rn_plot plot = plot_of(&panel, series, 3);

    (void)state;
    for (int picture = 0; picture < 2; picture++) {
        fail_allocation plan = {0, true};
        int k = 0;
        for (; plan.hit && k < 200; k++) {
            char *svg = NULL;
            rn_image *image = NULL;
            fail_allocation_start(&plan, k);
            rn_status st = picture ? rn_plot_image(&image, &plot, 1) : rn_plot_svg(&svg, &plot);
            fail_allocation_stop();
            assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
            assert_true((svg == NULL && image == NULL) == plan.hit);
            rn_text_free(svg);
            rn_image_free(image);
        }
        assert_in_range(k, 10, 199);
    }
}

static int release_trace(void **state)
{
    (void)state;
    chart_trace_release(&trace);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tiny_chart_is_these_bytes),
        cmocka_unit_test(lines_are_cut_at_the_edges),
        cmocka_unit_test(what_is_not_finite_breaks_the_line),
        cmocka_unit_test(bands_reach_a_deviation_to_either_side),
        cmocka_unit_test(bands_are_pale_in_both_forms),
        cmocka_unit_test(many_points_keep_their_extremes),
        cmocka_unit_test(bars_stand_on_zero),
        cmocka_unit_test(texts_never_overlap),
        cmocka_unit_test(legends_hide_no_curve),
        cmocka_unit_test(samples_show_a_gap_and_what_follows),
        cmocka_unit_test(labels_are_escaped),
        cmocka_unit_test(panels_share_an_axis),
        cmocka_unit_test(panels_share_a_range_of_x),
        cmocka_unit_test(odd_plots_are_refused),
        cmocka_unit_test(pictures_show_what_the_svg_shows),
        cmocka_unit_test(allocation_failures_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, release_trace);
}
