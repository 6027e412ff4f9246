// Frames, numbers and titles around the curves.
#include "report/chart_layout.h"

#include <stdio.h>
#include <string.h>

enum { EDGE = 100, GAP = 60, TICK = 40, MINOR_TICK = 25 };

static const chart_style FRAME = {.colour = CHART_GREY, .width = 8},
                         GRID = {.colour = CHART_GRID, .width = 8};

// To the list's last item, a PATH.
static void add_stretch(chart_list *list, chart_point from, int dx, int dy)
{
    from.jump = true;
    chart_add_point(list, from);
    chart_add_point(list, (chart_point){from.x + dx, from.y + dy, false});
}

static void draw_grid(chart_list *list, const chart_panel *p)
{
    const chart_rect *at = &p->place;

    chart_add(list, CHART_PATH, &GRID);
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < p->axes[k].count; i++) {
            const chart_tick *tick = &p->axes[k].ticks[i];
            if (tick->label[0] == '\0')
                continue;
            if (k == 0)
                add_stretch(list, (chart_point){at->left + tick->place, at->top, true}, 0,
                            at->height);
            else
                add_stretch(list, (chart_point){at->left, at->top + tick->place, true}, at->width,
                            0);
        }
}

static void draw_ticks(chart_list *list, const chart_panel *p)
{
    const chart_rect *at = &p->place;

    chart_add(list, CHART_PATH, &FRAME);
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < p->axes[k].count; i++) {
            const chart_tick *tick = &p->axes[k].ticks[i];
            const int length = tick->label[0] != '\0' ? TICK : MINOR_TICK;
            if (k == 0)
                add_stretch(list, (chart_point){at->left + tick->place, at->top + at->height, true},
                            0, -length);
            else
                add_stretch(list, (chart_point){at->left, at->top + tick->place, true}, length, 0);
        }
}

static void draw_numbers(chart_list *list, const chart_panel *p, bool y_too)
{
    const int below = p->place.top + p->place.height + GAP + chart_line_heights[CHART_NORMAL] / 2;
    chart_style style = {.colour = CHART_INK, .anchor = CHART_MIDDLE, .size = CHART_NORMAL};

    for (int i = 0; i < p->axes[0].count; i++)
        chart_add_text(list, &style,
                       (chart_point){p->place.left + p->axes[0].ticks[i].place, below, true},
                       p->axes[0].ticks[i].label);
    style.anchor = CHART_END;
    for (int i = 0; y_too && i < p->axes[1].count; i++)
        chart_add_text(
            list, &style,
            (chart_point){p->place.left - GAP, p->place.top + p->axes[1].ticks[i].place, true},
            p->axes[1].ticks[i].label);
}

static void draw_labels(chart_list *list, const chart_panel *p, bool numbers)
{
    const chart_rect *at = &p->place;
    const int line = chart_line_heights[CHART_NORMAL], middle = at->left + at->width / 2;
    chart_style style = {.colour = CHART_INK, .anchor = CHART_MIDDLE, .size = CHART_NORMAL};

    chart_add_cut(list, &style, (chart_point){middle, at->top - GAP - line / 2, true},
                  p->panel->title, at->width);
    chart_add_cut(list, &style,
                  (chart_point){middle, at->top + at->height + GAP + line + line / 2, true},
                  p->panel->x_label, at->width);
    style.upwards = true;
    if (numbers)
        chart_add_cut(list, &style,
                      (chart_point){at->left - 2 * GAP - p->axes[1].label_length - line / 2,
                                    at->top + at->height / 2, true},
                      p->panel->y_label, at->height);
}

// Bands, then thin lines, so that bold ones lie on top.
static void draw_panel(chart_list *list, const chart_panel *p, bool numbers)
{
    draw_grid(list, p);
    for (size_t i = 0; i < p->panel->series_count; i++)
        chart_band_draw(list, p, i);
    for (int weight = RN_PLOT_THIN; weight <= RN_PLOT_BOLD; weight++)
        for (size_t i = 0; i < p->panel->series_count; i++)
            if ((int)p->panel->series[i].weight == weight)
                chart_series_draw(list, p, i);
    chart_add_frame(list, &(chart_item){.style = FRAME,
                                        .x = p->place.left,
                                        .y = p->place.top,
                                        .width = p->place.width,
                                        .height = p->place.height});
    draw_ticks(list, p);
    draw_numbers(list, p, numbers);
    draw_labels(list, p, numbers);
    chart_legend_draw(list, p);
}

// How many bytes of a text fit on a line: up to a blank, if there is one.
static size_t bytes_of_line(const char *text, int width)
{
    char line[CHART_TEXT];
    size_t fitting = 0;

    for (size_t i = 1; i < CHART_TEXT; i++) {
        memcpy(line, text, i);
        line[i] = '\0';
        if (chart_text_length(line, CHART_SMALL) > width)
            break;
        if (text[i] == ' ' || text[i] == '\0')
            fitting = i;
        if (text[i] == '\0')
            break;
    }
    return fitting;
}

// The note's next line, and the text behind it. A word that is too long is cut.
static const char *next_line(char line[CHART_TEXT], const char *text, int width)
{
    const size_t bytes = bytes_of_line(text, width);

    if (bytes > 0) {
        snprintf(line, CHART_TEXT, "%.*s", (int)bytes, text);
        text += bytes;
    } else {
        chart_text_cut(line, text, width, CHART_SMALL);
        text += strcspn(text, " ");
    }
    return text + strspn(text, " ");
}

int chart_note_draw(chart_list *list, const rn_plot *plot, int width, int top)
{
    const int height = chart_line_heights[CHART_SMALL];
    const chart_style style = {.colour = CHART_GREY, .size = CHART_SMALL};
    const char *text = plot->note;
    char line[CHART_TEXT];
    int lines = 0;

    for (; text != NULL && *text != '\0'; lines++) {
        text = next_line(line, text, width);
        if (list != NULL)
            chart_add_text(list, &style,
                           (chart_point){EDGE, top + lines * height + height / 2, true}, line);
    }
    return lines;
}

static void draw_all(chart_list *list, const chart_layout *l)
{
    const rn_plot *plot = l->plot;
    const int width = l->width - 2 * EDGE;
    const chart_style title = {.colour = CHART_INK, .anchor = CHART_MIDDLE, .size = CHART_LARGE};

    list->width = l->width;
    list->height = l->height;
    chart_add_cut(list, &title,
                  (chart_point){l->width / 2, EDGE + chart_line_heights[CHART_LARGE] / 2, true},
                  plot->title, width);
    for (size_t i = 0; i < plot->panel_count; i++)
        draw_panel(list, &l->panels[i], i == 0 || !plot->share_y);
    const int lines = chart_note_draw(NULL, plot, width, 0);
    chart_note_draw(list, plot, width, l->height - EDGE - lines * chart_line_heights[CHART_SMALL]);
}

rn_status chart_draw(chart_list *list, const rn_plot *plot)
{
    rn_status st;
    chart_layout layout = {0};

    *list = (chart_list){0};
    RN_TRY(chart_layout_init(&layout, plot));
    draw_all(list, &layout);
    st = list->status;
out:
    chart_layout_release(&layout);
    return st;
}
