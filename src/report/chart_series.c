// Series as lines, marks and bars.
#include "report/chart_layout.h"

enum { THIN = 10, BOLD = 22, MARK = 35, DOT = 50 };

// After Okabe & Ito 2008, "Color Universal Design", in an order in which neighbours differ in
// lightness as well; gray instead of yellow, which hardly shows on white, and light, as the eighth
// curve has the dashes of the second.
static const uint32_t colours[RN_PLOT_COLOURS] = {0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7,
                                                  0x000000, 0xe69f00, 0x56b4e9, 0xaaaaaa};

static int of(int index, int count)
{
    return (int)((unsigned)index % (unsigned)count);
}

chart_style chart_line_style(const rn_plot_series *series)
{
    return (chart_style){.colour = colours[of(series->colour, RN_PLOT_COLOURS)],
                         .width = series->weight == RN_PLOT_BOLD ? BOLD : THIN,
                         .dash = of(series->dash, RN_PLOT_DASHES)};
}

// Outlines around a point.
static const struct {
    int count;
    chart_point points[6];
} shapes[RN_PLOT_SHAPES] = {
    {0, {{0, 0, true}}}, // a dot
    {5,
     {{-MARK, -MARK, true},
      {MARK, -MARK, false},
      {MARK, MARK, false},
      {-MARK, MARK, false},
      {-MARK, -MARK, false}}},
    {4, {{0, -MARK, true}, {MARK, MARK, false}, {-MARK, MARK, false}, {0, -MARK, false}}},
    {4, {{-MARK, -MARK, true}, {MARK, MARK, false}, {-MARK, MARK, true}, {MARK, -MARK, false}}},
    {5,
     {{0, -MARK, true}, {MARK, 0, false}, {0, MARK, false}, {-MARK, 0, false}, {0, -MARK, false}}},
    {4, {{-MARK, 0, true}, {MARK, 0, false}, {0, -MARK, true}, {0, MARK, false}}},
};

// Bars have no dashes: of every other dash they are pale.
chart_style chart_bar_style(const rn_plot_series *series)
{
    chart_style style = chart_line_style(series);

    if (style.dash % 2 == 1)
        style.colour = (style.colour >> 1 & 0x7f7f7f) + 0x808080;
    return style;
}

static int shape_of(const rn_plot_series *series)
{
    return of(series->marker, RN_PLOT_SHAPES);
}

// The item that holds the marks of a series.
static void begin_marks(chart_list *list, const rn_plot_series *series)
{
    chart_style style = chart_line_style(series);

    style.dash = 0;
    style.width = shape_of(series) == 0 ? DOT : THIN + THIN / 2;
    chart_add(list, shape_of(series) == 0 ? CHART_DOTS : CHART_PATH, &style);
}

static void add_mark(chart_list *list, const rn_plot_series *series, chart_point at)
{
    const int shape = shape_of(series);

    if (shapes[shape].count == 0)
        chart_add_point(list, at);
    for (int i = 0; i < shapes[shape].count; i++) {
        const chart_point corner = shapes[shape].points[i];
        chart_add_point(list, (chart_point){at.x + corner.x, at.y + corner.y, corner.jump});
    }
}

void chart_mark_draw(chart_list *list, const rn_plot_series *series, chart_point at)
{
    begin_marks(list, series);
    add_mark(list, series, at);
}

void chart_band_draw(chart_list *list, const chart_panel *p, size_t index)
{
    const chart_trace *trace = &p->traces[index];
    const chart_style style = chart_line_style(&p->panel->series[index]);

    if (trace->band_count == 0)
        return;
    chart_add(list, CHART_AREA, &style);
    for (size_t i = 0; i < trace->band_count; i++)
        chart_add_point(list, (chart_point){p->place.left + trace->band[i].x,
                                            p->place.top + trace->band[i].y, trace->band[i].jump});
}

void chart_series_draw(chart_list *list, const chart_panel *p, size_t index)
{
    const rn_plot_series *series = &p->panel->series[index];
    const chart_trace *trace = &p->traces[index];
    const chart_style style = chart_line_style(series), filled = chart_bar_style(series);
    const int left = p->place.left, top = p->place.top;

    for (size_t i = 0; i < trace->bar_count; i += 2) {
        const chart_point *bar = &trace->bars[i];
        chart_add_box(list, &(chart_item){.style = filled,
                                          .x = left + bar[0].x,
                                          .y = top + bar[0].y,
                                          .width = bar[1].x - bar[0].x,
                                          .height = bar[1].y - bar[0].y});
    }
    if (trace->line_count > 0)
        chart_add(list, CHART_PATH, &style);
    for (size_t i = 0; i < trace->line_count; i++)
        chart_add_point(list, (chart_point){left + trace->line[i].x, top + trace->line[i].y,
                                            trace->line[i].jump || i == 0});
    if (trace->mark_count > 0)
        begin_marks(list, series);
    for (size_t i = 0; i < trace->mark_count; i++)
        add_mark(list, series,
                 (chart_point){left + trace->marks[i].x, top + trace->marks[i].y, true});
}
