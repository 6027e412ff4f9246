// A chart as a picture.
#include "report/chart_layout.h"

#include "image/image.h"
#include "report/raster.h"
#include "report/raster_stroke.h"

#include <math.h>

typedef struct canvas {
    rn_image *image;
    rn_stroke stroke;
    double scale; // pixels for a tenth of a unit
    int letters;  // pixels for a letter's pixel
} canvas;

static int pixels(const canvas *c, int tenths)
{
    return (int)lround(tenths * c->scale);
}

static void fill(const canvas *c, const chart_item *item)
{
    const int left = pixels(c, item->x), top = pixels(c, item->y);
    const rn_pen pen = {c->image, item->style.colour, 1, false};
    int width = pixels(c, item->x + item->width) - left;
    int height = pixels(c, item->y + item->height) - top;

    rn_raster_fill(&pen, (rn_box){left, top, width > 0 ? width : 1, height > 0 ? height : 1});
}

// One straight line in dashes; *phase is the length already gone, in tenths.
static void stroke_dashed(canvas *c, const double from[2], const double to[2],
                          const chart_style *style, double *phase)
{
    const int *dash = chart_dashes[style->dash];
    const double stretch = style->width > CHART_UNIT ? 1.5 : 1; // of bold lines
    const double dx = to[0] - from[0], dy = to[1] - from[1], length = sqrt(dx * dx + dy * dy);
    double period = 0;

    for (int i = 0; dash[i] != 0; i++)
        period += dash[i] * stretch * c->scale;
    for (double at = 0; at < length;) {
        double rest = fmod(*phase, period);
        int part = 0;
        while (rest >= dash[part] * stretch * c->scale - 1e-9 && dash[part + 1] != 0)
            rest -= dash[part++] * stretch * c->scale;
        const double step = fmin(fmax(dash[part] * stretch * c->scale - rest, 1e-3), length - at);
        const double a = at / length, b = (at + step) / length;
        if (part % 2 == 0)
            rn_stroke_line(&c->stroke, (double[]){from[0] + a * dx, from[1] + a * dy},
                           (double[]){from[0] + b * dx, from[1] + b * dy}, style->width * c->scale);
        at += step;
        *phase += step;
    }
}

static void stroke_path(canvas *c, const chart_item *item, const chart_point *points)
{
    const chart_style *style = &item->style;
    double phase = 0;

    for (size_t i = 1; i < item->count; i++) {
        const double from[2] = {points[i - 1].x * c->scale, points[i - 1].y * c->scale};
        const double to[2] = {points[i].x * c->scale, points[i].y * c->scale};
        if (points[i].jump)
            phase = 0;
        else if (style->dash == 0)
            rn_stroke_line(&c->stroke, from, to, style->width * c->scale);
        else
            stroke_dashed(c, from, to, style, &phase);
    }
    rn_stroke_paint(&c->stroke, style->colour);
}

// The pixels whose middle lies between two pairs of points, upper and lower.
static void fill_stretch(canvas *c, const chart_point from[2], const chart_point to[2])
{
    const double left = from->x * c->scale, right = to->x * c->scale;

    for (int x = (int)ceil(left - 0.5); x + 0.5 < right; x++) {
        const double t = (x + 0.5 - left) / (right - left);
        double edges[2];
        for (int i = 0; i < 2; i++)
            edges[i] = (from[i].y + t * (to[i].y - from[i].y)) * c->scale;
        rn_stroke_column(&c->stroke, x, edges[0], edges[1], CHART_PALE / 100.0);
    }
}

static void fill_area(canvas *c, const chart_item *item, const chart_point *points)
{
    for (size_t i = 2; i < item->count; i += 2)
        if (!points[i].jump)
            fill_stretch(c, points + i - 2, points + i);
    rn_stroke_paint(&c->stroke, item->style.colour);
}

static void fill_cells(const canvas *c, const chart_item *item, const chart_point *points)
{
    chart_item cell = {.style = item->style};

    cell.width = cell.height = item->style.width;
    for (size_t i = 0; i < item->count; i++) {
        cell.x = points[i].x;
        cell.y = points[i].y;
        fill(c, &cell);
    }
}

static void stroke_dots(canvas *c, const chart_item *item, const chart_point *points)
{
    for (size_t i = 0; i < item->count; i++) {
        const double at[2] = {points[i].x * c->scale, points[i].y * c->scale};
        rn_stroke_line(&c->stroke, at, at, item->style.width * c->scale);
    }
    rn_stroke_paint(&c->stroke, item->style.colour);
}

static void write_letters(const canvas *c, const chart_item *item)
{
    const chart_style *style = &item->style;
    const int scale = style->size == CHART_LARGE ? c->letters * 3 / 2 : c->letters;
    const rn_pen pen = {c->image, style->colour, scale, style->upwards};
    const int length = rn_raster_length(&pen, item->text) - scale; // without the last gap
    const int back = style->anchor == CHART_START    ? 0
                     : style->anchor == CHART_MIDDLE ? length / 2
                                                     : length;
    const int half = RN_FONT_HEIGHT * scale / 2;

    if (style->upwards)
        rn_raster_text(&pen, pixels(c, item->x) - half, pixels(c, item->y) + back, item->text);
    else
        rn_raster_text(&pen, pixels(c, item->x) - back, pixels(c, item->y) - half, item->text);
}

static void paint(canvas *c, const chart_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const chart_item *item = &list->items[i];
        const chart_point *points = list->points + item->first;
        if (item->kind == CHART_FILL)
            fill(c, item);
        else if (item->kind == CHART_AREA)
            fill_area(c, item, points);
        else if (item->kind == CHART_CELLS)
            fill_cells(c, item, points);
        else if (item->kind == CHART_PATH)
            stroke_path(c, item, points);
        else if (item->kind == CHART_DOTS)
            stroke_dots(c, item, points);
        else
            write_letters(c, item);
    }
}

static rn_status check_scale(const chart_list *list, int scale)
{
    if (scale < 1 || scale > RN_PLOT_MOST_SCALE)
        return rn_error(RN_EINVAL, "plot: scale %d, expected 1 to %d", scale, RN_PLOT_MOST_SCALE);
    const int64_t width = (int64_t)list->width * scale / CHART_UNIT;
    const int64_t height = (int64_t)list->height * scale / CHART_UNIT;

    if (width * height > RN_IMAGE_MAX_PIXELS)
        return rn_error(RN_EINVAL, "plot: a picture of %lld x %lld pixels, expected up to %d",
                        (long long)width, (long long)height, RN_IMAGE_MAX_PIXELS);
    return RN_OK;
}

rn_status chart_list_image(rn_image **out, const chart_list *list, int scale)
{
    rn_status st;
    canvas c = {.scale = (double)scale / CHART_UNIT, .letters = scale};

    *out = NULL;
    RN_TRY(list->status);
    RN_TRY(check_scale(list, scale));
    RN_TRY(rn_image_create(&c.image, 3, pixels(&c, list->width), pixels(&c, list->height)));
    RN_TRY(rn_stroke_init(&c.stroke, c.image));
    fill(&c, &(chart_item){
                 .style = {.colour = CHART_PAPER}, .width = list->width, .height = list->height});
    paint(&c, list);
    *out = c.image;
    c.image = NULL; // now the caller's
out:
    rn_stroke_release(&c.stroke);
    rn_image_free(c.image);
    return st;
}

rn_status rn_plot_image(rn_image **out, const rn_plot *plot, int scale)
{
    rn_status st;
    chart_list list = {0};

    *out = NULL;
    RN_TRY(chart_draw(&list, plot));
    RN_TRY(chart_list_image(out, &list, scale));
out:
    chart_list_release(&list);
    return st;
}
