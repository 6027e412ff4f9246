#include "report/chart_layout.h"

#include <stdlib.h>

enum {
    SAMPLE = 260,         // length of a line's sample
    INDENT = SAMPLE + 60, // to the label
    PADDING = 50,
    INSET = 80, // from the panel's corner
    LONGEST_LABEL = 2600,
    STEP = 40 // at which lines are looked for
};

static bool has_entry(const rn_plot_series *series)
{
    return series->label != NULL && series->label[0] != '\0';
}

static void measure(chart_legend *legend, const rn_plot_panel *panel, int width)
{
    const int room = width - INDENT - 2 * PADDING;
    char label[CHART_TEXT];
    int longest = 0;

    legend->label_length = room < LONGEST_LABEL ? room : LONGEST_LABEL;

    for (size_t i = 0; i < panel->series_count; i++) {
        if (!has_entry(&panel->series[i]))
            continue;
        legend->entries++;
        chart_text_cut(label, panel->series[i].label, legend->label_length, CHART_NORMAL);
        const int length = chart_text_length(label, CHART_NORMAL);
        longest = length > longest ? length : longest;
    }
    legend->column_width = INDENT + longest + 2 * PADDING;
}

static void arrange(chart_legend *legend, int columns)
{
    legend->columns = columns < legend->entries ? columns : legend->entries;
    legend->rows = (legend->entries + legend->columns - 1) / legend->columns;
    legend->place.width = legend->columns * legend->column_width;
    legend->place.height = legend->rows * chart_line_heights[CHART_NORMAL] + 2 * PADDING;
}

static bool holds(const chart_rect *place, int x, int y)
{
    return x >= place->left && x <= place->left + place->width && y >= place->top &&
           y <= place->top + place->height;
}

// How much of a line lies in a place, in steps.
static int line_within(const chart_rect *place, chart_point from, chart_point to)
{
    const int dx = to.x - from.x, dy = to.y - from.y;
    const int steps = 1 + (abs(dx) > abs(dy) ? abs(dx) : abs(dy)) / STEP;
    int found = 0;

    for (int i = 0; i <= steps; i++)
        found += holds(place, from.x + (int)((int64_t)dx * i / steps),
                       from.y + (int)((int64_t)dy * i / steps));
    return found;
}

static int bar_within(const chart_rect *place, const chart_point bar[2])
{
    return bar[0].x <= place->left + place->width && bar[1].x >= place->left &&
           bar[0].y <= place->top + place->height && bar[1].y >= place->top;
}

// A band from one x to the next is taken for the box around it.
static int band_within(const chart_rect *place, const chart_point *from, const chart_point *to)
{
    const chart_point box[2] = {
        {from[0].x, from[0].y < to[0].y ? from[0].y : to[0].y, true},
        {to[0].x, from[1].y > to[1].y ? from[1].y : to[1].y, true},
    };

    return bar_within(place, box);
}

static int trace_within(const chart_rect *place, const chart_trace *trace)
{
    int found = 0;

    for (size_t i = 1; i < trace->line_count; i++)
        if (!trace->line[i].jump)
            found += line_within(place, trace->line[i - 1], trace->line[i]);
    for (size_t i = 0; i < trace->mark_count; i++)
        found += holds(place, trace->marks[i].x, trace->marks[i].y);
    for (size_t i = 0; i < trace->bar_count; i += 2)
        found += bar_within(place, &trace->bars[i]);
    for (size_t i = 2; i < trace->band_count; i += 2)
        if (!trace->band[i].jump)
            found += band_within(place, &trace->band[i - 2], &trace->band[i]);
    return found;
}

static int hidden(const chart_panel *p, const chart_rect *place)
{
    int found = 0;

    for (size_t i = 0; i < p->panel->series_count; i++)
        found += trace_within(place, &p->traces[i]);
    return found;
}

// The corner where it hides nothing; false: there is none.
static bool place_inside(chart_panel *p)
{
    chart_legend *legend = &p->legend;
    const int width = p->axes[0].length, height = p->axes[1].length;

    arrange(legend, 1);
    chart_rect *place = &legend->place;
    if (place->width > width * 6 / 10 || place->height > height / 2)
        return false;
    for (int corner = 0; corner < 4; corner++) { // upper right first, as in the papers
        place->left = corner % 2 == 0 ? width - INSET - place->width : INSET;
        place->top = corner < 2 ? INSET : height - INSET - place->height;
        if (hidden(p, place) == 0)
            return true;
    }
    return false;
}

void chart_legend_place(chart_panel *p)
{
    chart_legend *legend = &p->legend;

    if (p->panel->legend == RN_PLOT_LEGEND_NONE)
        return;
    measure(legend, p->panel, p->axes[0].length);
    if (legend->entries == 0)
        return;
    legend->inside = p->panel->legend == RN_PLOT_LEGEND_AUTO && place_inside(p);
    if (legend->inside)
        return;
    const int fitting = p->axes[0].length / legend->column_width;
    arrange(legend, fitting < 1 ? 1 : fitting);
    legend->place.left = 0;
    legend->place.top = p->axes[1].length + 120 + chart_line_heights[CHART_NORMAL];
    if (p->panel->x_label != NULL && p->panel->x_label[0] != '\0')
        legend->place.top += chart_line_heights[CHART_NORMAL];
}

static void draw_sample(chart_list *list, const rn_plot_series *series, chart_point at)
{
    const chart_style style = chart_line_style(series);

    if (series->style == RN_PLOT_BARS)
        chart_add_box(list, &(chart_item){.style = chart_bar_style(series),
                                          .x = at.x,
                                          .y = at.y - 35,
                                          .width = SAMPLE,
                                          .height = 70});
    if (series->style == RN_PLOT_LINE || series->style == RN_PLOT_LINE_MARKERS)
        chart_add_line(list, &style, at, (chart_point){at.x + SAMPLE, at.y, false});
    if (series->style == RN_PLOT_MARKERS || series->style == RN_PLOT_LINE_MARKERS)
        chart_mark_draw(list, series, (chart_point){at.x + SAMPLE / 2, at.y, true});
}

static void draw_entry(chart_list *list, const chart_legend *legend, const rn_plot_series *series,
                       chart_point at)
{
    char label[CHART_TEXT];

    draw_sample(list, series, at);
    chart_text_cut(label, series->label, legend->label_length, CHART_NORMAL);
    chart_add_text(list, &(chart_style){.colour = CHART_INK, .size = CHART_NORMAL},
                   (chart_point){at.x + INDENT, at.y, true}, label);
}

void chart_legend_draw(chart_list *list, const chart_panel *p)
{
    const chart_legend *legend = &p->legend;
    const int left = p->place.left + legend->place.left, top = p->place.top + legend->place.top;
    int entry = 0;

    if (legend->rows == 0)
        return;
    if (legend->inside)
        chart_add_box(list, &(chart_item){.style = {.colour = CHART_PAPER},
                                          .x = left,
                                          .y = top,
                                          .width = legend->place.width,
                                          .height = legend->place.height});
    for (size_t i = 0; i < p->panel->series_count; i++) {
        if (!has_entry(&p->panel->series[i]))
            continue;
        const int column = entry / legend->rows, row = entry % legend->rows;
        const int height = chart_line_heights[CHART_NORMAL];
        draw_entry(list, legend, &p->panel->series[i],
                   (chart_point){left + PADDING + column * legend->column_width,
                                 top + PADDING + row * height + height / 2, true});
        entry++;
    }
}
