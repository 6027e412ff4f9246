#include "resnet/report.h"

#include "image/image.h"
#include "report/raster.h"

#include <stdio.h>
#include <string.h>

enum { MOST_CLASSES = 4096, LONGEST_NAME = 24, MARGIN = 8, INK = 0x202020, PAPER = 0xffffff };

// Sizes by the number of classes, in pixels.
typedef struct layout {
    int cell, scale; // side of a cell; of letters
    int step;        // one class in so many is named
    int names;       // length of the longest name
    int left, top;   // of the matrix
    int side;        // of the matrix
} layout;

// "tench, Tinca tinca" cut to what a label can hold.
static void shorten(char short_name[LONGEST_NAME + 4], const char *name)
{
    size_t length = strlen(name);

    if (length > LONGEST_NAME) {
        length = LONGEST_NAME - 2;
        while (length > 0 && ((unsigned char)name[length] & 0xc0) == 0x80)
            length--; // not within a character
        snprintf(short_name, LONGEST_NAME + 4, "%.*s..", (int)length, name);
        return;
    }
    snprintf(short_name, LONGEST_NAME + 4, "%s", name);
}

static int cell_of(int classes)
{
    return classes <= 10    ? 56
           : classes <= 20  ? 40
           : classes <= 50  ? 20
           : classes <= 150 ? 12
           : classes < 1600 ? 1600 / classes
                            : 1;
}

static layout lay_out(const rn_confusion *confusion)
{
    layout l = {.cell = cell_of(confusion->classes), .scale = confusion->classes <= 50 ? 2 : 1};
    const rn_pen pen = {.scale = l.scale};
    const int line = (RN_FONT_HEIGHT + 2) * l.scale;
    char name[LONGEST_NAME + 4];

    for (int i = 0; i < confusion->classes; i++) {
        shorten(name, confusion->names[i]);
        int length = rn_raster_length(&pen, name);
        l.names = length > l.names ? length : l.names;
    }
    l.step = (line + l.cell - 1) / l.cell;
    l.side = l.cell * confusion->classes;
    l.left = l.top = 3 * MARGIN + line + l.names; // the axis' title, names, ticks
    return l;
}

// From white over blue to nearly black, so that lightness alone tells the share.
static uint32_t shade(double share)
{
    static const double stops[3][3] = {{255, 255, 255}, {66, 133, 200}, {8, 24, 72}};
    const int from = share < 0.5 ? 0 : 1;
    const double along = 2 * share - from;
    uint32_t colour = 0;

    for (int c = 0; c < 3; c++)
        colour = colour << 8 |
                 (uint32_t)(stops[from][c] + along * (stops[from + 1][c] - stops[from][c]) + 0.5);
    return colour;
}

static int64_t row_total(const rn_confusion *confusion, int row)
{
    int64_t total = 0;

    for (int i = 0; i < confusion->classes; i++)
        total += confusion->counts[(size_t)row * (size_t)confusion->classes + (size_t)i];
    return total;
}

// The number in the cell's middle, if it has room.
static void draw_count(const rn_pen *paper, const layout *l, rn_box box, int64_t count)
{
    char text[24];
    rn_pen pen = *paper;

    snprintf(text, sizeof text, "%lld", (long long)count);
    const int length = rn_raster_length(&pen, text) - pen.scale;
    if (count == 0 || length + 2 > l->cell)
        return;
    rn_raster_text(&pen, box.left + (l->cell - length) / 2,
                   box.top + (l->cell - RN_FONT_HEIGHT * pen.scale) / 2, text);
}

static void draw_row(rn_image *image, const layout *l, const rn_confusion *confusion, int row)
{
    const int64_t total = row_total(confusion, row);
    const int64_t *counts = confusion->counts + (size_t)row * (size_t)confusion->classes;
    const int gap = l->cell >= 10 ? 1 : 0;

    for (int i = 0; i < confusion->classes; i++) {
        const double share = total > 0 ? (double)counts[i] / (double)total : 0;
        const rn_box box = {l->left + i * l->cell, l->top + row * l->cell, l->cell - gap,
                            l->cell - gap};
        const rn_pen cell = {image, total > 0 ? shade(share) : 0xf0f0f0, 1, false};
        const rn_pen ink = {image, share > 0.4 ? PAPER : INK, l->scale, false};
        rn_raster_fill(&cell, box);
        draw_count(&ink, l, box, counts[i]);
    }
}

static void draw_frame(rn_image *image, const layout *l)
{
    const rn_pen pen = {image, 0x909090, 1, false};
    const int side = l->side + 2;

    rn_raster_fill(&pen, (rn_box){l->left - 1, l->top - 1, side, 1});
    rn_raster_fill(&pen, (rn_box){l->left - 1, l->top - 1, 1, side});
    rn_raster_fill(&pen, (rn_box){l->left - 1, l->top + l->side, side, 1});
    rn_raster_fill(&pen, (rn_box){l->left + l->side, l->top - 1, 1, side});
}

// A tick, a gap of as much, and the name: of rows its end, of columns its start.
static void draw_names(rn_image *image, const layout *l, const rn_confusion *confusion)
{
    rn_pen pen = {image, INK, l->scale, false};
    const int tick = MARGIN / 2, half = RN_FONT_HEIGHT * l->scale / 2;
    char name[LONGEST_NAME + 4];

    for (int i = 0; i < confusion->classes; i += l->step) {
        const int middle = i * l->cell + l->cell / 2;
        shorten(name, confusion->names[i]);
        pen.upwards = false;
        rn_raster_text(&pen, l->left - 2 * tick - rn_raster_length(&pen, name),
                       l->top + middle - half, name);
        rn_raster_fill(&pen, (rn_box){l->left - tick, l->top + middle, tick - 1, 1});
        pen.upwards = true;
        rn_raster_text(&pen, l->left + middle - half, l->top - 2 * tick, name);
        rn_raster_fill(&pen, (rn_box){l->left + middle, l->top - tick, 1, tick - 1});
    }
}

static void draw_titles(rn_image *image, const layout *l)
{
    const rn_pen across = {image, INK, l->scale, false}, up = {image, INK, l->scale, true};
    const char *columns = "predicted", *rows = "label";

    rn_raster_text(&across, l->left + (l->side - rn_raster_length(&across, columns)) / 2, MARGIN,
                   columns);
    rn_raster_text(&up, MARGIN, l->top + (l->side + rn_raster_length(&up, rows)) / 2, rows);
}

rn_status rn_confusion_draw(rn_image **out, const rn_confusion *confusion)
{
    rn_status st = RN_OK;
    layout l;

    *out = NULL;
    if (confusion->classes < 1 || confusion->classes > MOST_CLASSES)
        return rn_error(RN_EINVAL, "confusion of %d classes, expected 1 to %d to be drawn",
                        confusion->classes, MOST_CLASSES);
    l = lay_out(confusion);
    // A title is longer than a matrix of one class.
    const int room = l.side > 64 * l.scale ? l.side : 64 * l.scale;
    RN_TRY(rn_image_create(out, 3, l.left + room + MARGIN, l.top + room + MARGIN));
    rn_raster_fill(&(rn_pen){*out, PAPER, 1, false}, (rn_box){0, 0, (*out)->width, (*out)->height});
    for (int row = 0; row < confusion->classes; row++)
        draw_row(*out, &l, confusion, row);
    draw_frame(*out, &l);
    draw_names(*out, &l, confusion);
    draw_titles(*out, &l);
out:
    return st;
}
