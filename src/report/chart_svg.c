// A chart as SVG: presentation attributes only, coordinates in tenths of a pixel.
#include "report/chart_layout.h"

#include "base/memory.h"
#include "report/draw_text.h"

static void write_head(draw_text *out, const chart_list *list, const char *title)
{
    draw_text_print(out,
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                    "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%d\" "
                    "height=\"%d\" viewBox=\"0 0 %d %d\" font-family=\"system-ui, 'Segoe UI', "
                    "'Helvetica Neue', Helvetica, Arial, sans-serif\">\n",
                    (list->width + CHART_UNIT / 2) / CHART_UNIT,
                    (list->height + CHART_UNIT / 2) / CHART_UNIT, list->width, list->height);
    if (title != NULL && *title != '\0') {
        draw_text_print(out, "<title>");
        draw_text_xml(out, title);
        draw_text_print(out, "</title>\n");
    }
    draw_text_print(out, "<rect width=\"%d\" height=\"%d\" fill=\"#%06x\"/>\n", list->width,
                    list->height, CHART_PAPER);
}

static void write_fill(draw_text *out, const chart_item *item)
{
    draw_text_print(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#%06x\"/>\n",
                    item->x, item->y, item->width, item->height, item->style.colour);
}

static void write_dashes(draw_text *out, const chart_style *style)
{
    const int *dash = chart_dashes[style->dash];

    if (dash[0] == 0)
        return;
    draw_text_print(out, " stroke-dasharray=\"");
    for (int i = 0; dash[i] != 0; i++)
        draw_text_print(out, "%s%d", i > 0 ? " " : "",
                        style->width > CHART_UNIT ? dash[i] * 3 / 2 : dash[i]);
    draw_text_print(out, "\"");
}

static void begin_path(draw_text *out, const chart_style *style, const char *shape)
{
    draw_text_print(out, "<path fill=\"none\" stroke=\"#%06x\" stroke-width=\"%d\" %s=\"round\"",
                    style->colour, style->width, shape);
}

static void write_path(draw_text *out, const chart_item *item, const chart_point *points)
{
    begin_path(out, &item->style, "stroke-linejoin");
    write_dashes(out, &item->style);
    draw_text_print(out, " d=\"");
    for (size_t i = 0; i < item->count; i++) {
        const int dx = i > 0 ? points[i].x - points[i - 1].x : 0;
        const int dy = i > 0 ? points[i].y - points[i - 1].y : 0;
        if (points[i].jump || i == 0)
            draw_text_print(out, "M%d %d", points[i].x, points[i].y);
        else
            draw_text_print(out, "l%d%s%d", dx, dy < 0 ? "" : " ", dy);
    }
    draw_text_print(out, "\"/>\n");
}

static void write_area(draw_text *out, const chart_item *item, const chart_point *points)
{
    draw_text_print(out, "<path fill=\"#%06x\" fill-opacity=\"0.%02d\" d=\"", item->style.colour,
                    CHART_PALE);
    for (size_t begin = 0, end; begin < item->count; begin = end) {
        for (end = begin + 2; end < item->count && !points[end].jump; end += 2)
            ;
        // along the upper edge, and back along the lower one
        for (size_t i = begin; i < end; i += 2)
            draw_text_print(out, "%c%d %d", i == begin ? 'M' : 'L', points[i].x, points[i].y);
        for (size_t i = end; i > begin; i -= 2)
            draw_text_print(out, "L%d %d", points[i - 1].x, points[i - 1].y);
        draw_text_print(out, "z");
    }
    draw_text_print(out, "\"/>\n");
}

static void write_cells(draw_text *out, const chart_item *item, const chart_point *points)
{
    const int side = item->style.width;

    draw_text_print(out, "<path fill=\"#%06x\" d=\"", item->style.colour);
    for (size_t i = 0; i < item->count; i++)
        draw_text_print(out, "M%d %dh%dv%dh-%dz", points[i].x, points[i].y, side, side, side);
    draw_text_print(out, "\"/>\n");
}

// A line of no length with round ends is a dot.
static void write_dots(draw_text *out, const chart_item *item, const chart_point *points)
{
    begin_path(out, &item->style, "stroke-linecap");
    draw_text_print(out, " d=\"");
    for (size_t i = 0; i < item->count; i++)
        draw_text_print(out, "M%d %dh0", points[i].x, points[i].y);
    draw_text_print(out, "\"/>\n");
}

static void write_letters(draw_text *out, const chart_item *item)
{
    static const char *const anchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
    const chart_style *style = &item->style;
    const int size = CHART_UNIT * chart_font_sizes[style->size], below = size * 36 / 100;

    // The baseline lies below the middle of the letters.
    draw_text_print(out, "<text x=\"%d\" y=\"%d\" font-size=\"%d\" fill=\"#%06x\"%s",
                    item->x + (style->upwards ? below : 0), item->y + (style->upwards ? 0 : below),
                    size, style->colour, anchors[style->anchor]);
    if (style->upwards)
        draw_text_print(out, " transform=\"rotate(-90 %d %d)\"", item->x + below, item->y);
    draw_text_print(out, ">");
    draw_text_xml(out, item->text);
    draw_text_print(out, "</text>\n");
}

static void write_item(draw_text *out, const chart_list *list, const chart_item *item)
{
    const chart_point *points = list->points + item->first;

    switch (item->kind) {
    case CHART_FILL:
        write_fill(out, item);
        break;
    case CHART_AREA:
        write_area(out, item, points);
        break;
    case CHART_CELLS:
        write_cells(out, item, points);
        break;
    case CHART_PATH:
        write_path(out, item, points);
        break;
    case CHART_DOTS:
        write_dots(out, item, points);
        break;
    case CHART_LETTERS:
        write_letters(out, item);
        break;
    }
}

rn_status chart_list_svg(char **out, const chart_list *list, const char *title)
{
    rn_status st;
    draw_text text = {0};

    *out = NULL;
    RN_TRY(list->status);
    write_head(&text, list, title);
    for (size_t i = 0; i < list->count; i++)
        write_item(&text, list, &list->items[i]);
    draw_text_print(&text, "</svg>\n");
    RN_TRY(text.status);
    *out = text.text;
    text.text = NULL; // now the caller's
out:
    rn_free(text.text);
    return st;
}

rn_status rn_plot_svg(char **out, const rn_plot *plot)
{
    rn_status st;
    chart_list list = {0};

    *out = NULL;
    RN_TRY(chart_draw(&list, plot));
    RN_TRY(chart_list_svg(out, &list, plot->title));
out:
    chart_list_release(&list);
    return st;
}
