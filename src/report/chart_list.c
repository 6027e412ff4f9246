#include "report/chart_list.h"

#include "base/memory.h"
#include "report/draw.h"
#include "report/raster.h"

#include <stdio.h>
#include <string.h>

const int chart_dashes[][5] = {{0},         {60, 30, 0}, {15, 25, 0}, {90, 30, 15, 30, 0},
                               {90, 60, 0}, {35, 20, 0}};

const int chart_line_heights[CHART_SIZES] = {140, 160, 220};
const int chart_font_sizes[CHART_SIZES] = {10, 11, 15};

void chart_list_release(chart_list *list)
{
    rn_free(list->items);
    rn_free(list->points);
    *list = (chart_list){0};
}

chart_item *chart_add(chart_list *list, chart_kind kind, const chart_style *style)
{
    if (list->status == RN_OK)
        list->status =
            rn_grow((void **)&list->items, &list->room, list->count + 1, sizeof *list->items);
    if (list->status != RN_OK)
        return NULL;
    chart_item *item = &list->items[list->count++];
    *item = (chart_item){.kind = kind, .style = *style, .first = list->point_count};
    return item;
}

void chart_add_box(chart_list *list, const chart_item *box)
{
    chart_item *item = chart_add(list, CHART_FILL, &box->style);

    if (item == NULL)
        return;
    item->x = box->x;
    item->y = box->y;
    item->width = box->width;
    item->height = box->height;
}

void chart_add_text(chart_list *list, const chart_style *style, chart_point at, const char *text)
{
    chart_item *item;

    if (text == NULL || *text == '\0' || (item = chart_add(list, CHART_LETTERS, style)) == NULL)
        return;
    item->x = at.x;
    item->y = at.y;
    chart_text_cut(item->text, text, INT32_MAX, style->size);
}

void chart_add_cut(chart_list *list, const chart_style *style, chart_point at, const char *text,
                   int length)
{
    char cut[CHART_TEXT];

    if (text == NULL)
        return;
    chart_text_cut(cut, text, length, style->size);
    chart_add_text(list, style, at, cut);
}

void chart_add_point(chart_list *list, chart_point point)
{
    if (list->status == RN_OK)
        list->status = rn_grow((void **)&list->points, &list->point_room, list->point_count + 1,
                               sizeof *list->points);
    if (list->status != RN_OK)
        return;
    list->points[list->point_count++] = point;
    list->items[list->count - 1].count++;
}

void chart_add_frame(chart_list *list, const chart_item *box)
{
    const int right = box->x + box->width, bottom = box->y + box->height;

    chart_add(list, CHART_PATH, &box->style);
    chart_add_point(list, (chart_point){box->x, box->y, true});
    chart_add_point(list, (chart_point){right, box->y, false});
    chart_add_point(list, (chart_point){right, bottom, false});
    chart_add_point(list, (chart_point){box->x, bottom, false});
    chart_add_point(list, (chart_point){box->x, box->y, false});
}

void chart_add_line(chart_list *list, const chart_style *style, chart_point from, chart_point to)
{
    from.jump = true;
    chart_add(list, CHART_PATH, style);
    chart_add_point(list, from);
    chart_add_point(list, to);
}

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80; // a character's second byte or a later one
}

// A letter of the pictures' font is a tenth wider than high; titles are half as large again.
int chart_text_length(const char *text, chart_size size)
{
    const int pitch = RN_FONT_ADVANCE * CHART_UNIT * (size == CHART_LARGE ? 3 : 2) / 2;
    const int outlines = CHART_UNIT * draw_text_width(text, chart_font_sizes[size]);
    int letters = 0;

    for (; *text != '\0'; text++)
        letters += !continues(*text);
    return letters * pitch > outlines ? letters * pitch : outlines;
}

void chart_text_cut(char out[CHART_TEXT], const char *text, int length, chart_size size)
{
    size_t bytes = strnlen(text, CHART_TEXT);

    snprintf(out, CHART_TEXT, "%s", text);
    if (bytes < CHART_TEXT && chart_text_length(out, size) <= length)
        return;
    bytes = bytes < CHART_TEXT - 4 ? bytes : CHART_TEXT - 4;
    do {
        while (bytes > 0 && continues(text[bytes]))
            bytes--; // not within a character
        snprintf(out, CHART_TEXT, "%.*s...", (int)bytes, text);
    } while (chart_text_length(out, size) > length && bytes-- > 0);
    if (chart_text_length(out, size) > length)
        *out = '\0';
}
