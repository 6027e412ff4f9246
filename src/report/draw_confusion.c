// Confusion matrices as charts.
#include "resnet/report.h"

#include "base/memory.h"
#include "report/chart_list.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// Lengths in tenths, as all of a chart's.
enum {
    MOST_CLASSES = 4096,
    LONGEST_NAME = 1500,
    NAME_LINE = 110,  // from one name to the next at least
    LEAST_ROOM = 600, // for a title beside a matrix of one class
    EDGE = 80,
    GAP = 40,
    TICK = 30,
    NO_IMAGES = 0xf0f0f0,
    SHADES = 256 // 0: nothing of the row, else it is drawn, however little
};

static const chart_style LINE = {.colour = 0x909090, .width = CHART_UNIT / 2};

typedef struct layout {
    int cell; // side
    int step; // one class in so many is named
    int left, top, side;
} layout;

// Up to 150 classes, each has room for its name.
static int cell_of(int classes)
{
    return classes <= 10     ? 280
           : classes <= 20   ? 200
           : classes <= 50   ? 140
           : classes <= 150  ? NAME_LINE
           : classes <= 400  ? 20
           : classes <= 1600 ? 10
                             : 5;
}

// Edge, title, what the axis is, names, ticks.
static layout lay_out(const rn_confusion *confusion, bool titled)
{
    const int line = chart_line_heights[CHART_SMALL];
    layout l = {.cell = cell_of(confusion->classes)};
    char name[CHART_TEXT];
    int names = 0;

    for (int i = 0; i < confusion->classes; i++) {
        chart_text_cut(name, confusion->names[i], LONGEST_NAME, CHART_SMALL);
        const int length = chart_text_length(name, CHART_SMALL);
        names = length > names ? length : names;
    }
    l.step = (NAME_LINE + l.cell - 1) / l.cell;
    l.side = l.cell * confusion->classes;
    l.left = EDGE + line + names + GAP + TICK;
    l.top = l.left + (titled ? chart_line_heights[CHART_LARGE] + GAP : 0);
    return l;
}

// From white over blue to nearly black, so that lightness alone tells the share.
static uint32_t colour_of(int shade)
{
    static const double stops[3][3] = {{255, 255, 255}, {66, 133, 200}, {8, 24, 72}};
    const double share = (double)shade / (SHADES - 1);
    const int from = share < 0.5 ? 0 : 1;
    const double along = 2 * share - from;
    uint32_t colour = 0;

    for (int c = 0; c < 3; c++)
        colour = colour << 8 |
                 (uint32_t)(stops[from][c] + along * (stops[from + 1][c] - stops[from][c]) + 0.5);
    return colour;
}

static const int64_t *row_of(const rn_confusion *confusion, int row)
{
    return confusion->counts + (size_t)row * (size_t)confusion->classes;
}

static int64_t row_total(const rn_confusion *confusion, int row)
{
    int64_t total = 0;

    for (int i = 0; i < confusion->classes; i++)
        total += row_of(confusion, row)[i];
    return total;
}

// Each cell's shade, and which of them there are.
static void find_shades(uint8_t *shades, bool used[SHADES], const rn_confusion *confusion)
{
    for (int row = 0; row < confusion->classes; row++) {
        const int64_t total = row_total(confusion, row);
        for (int i = 0; i < confusion->classes; i++) {
            const int64_t count = row_of(confusion, row)[i];
            const double share = count > 0 ? (double)count / (double)total : 0;
            *shades = (uint8_t)ceil(share * (SHADES - 1));
            used[*shades++] = true;
        }
    }
}

static chart_point corner(const layout *l, int row, int column)
{
    return (chart_point){l->left + column * l->cell, l->top + row * l->cell, false};
}

// Cells of one shade are one item.
static void draw_cells(chart_list *list, const layout *l, const rn_confusion *confusion,
                       const uint8_t *shades, const bool used[SHADES])
{
    const int gap = l->cell > 50 ? 5 : 0;
    chart_style style = {.width = l->cell - gap};

    for (int shade = 1; shade < SHADES; shade++) {
        if (!used[shade])
            continue;
        style.colour = colour_of(shade);
        chart_add(list, CHART_CELLS, &style);
        for (int row = 0; row < confusion->classes; row++)
            for (int i = 0; i < confusion->classes; i++)
                if (shades[(size_t)row * (size_t)confusion->classes + (size_t)i] == shade)
                    chart_add_point(list, corner(l, row, i));
    }
    for (int row = 0; row < confusion->classes; row++)
        if (row_total(confusion, row) == 0)
            chart_add_box(list, &(chart_item){.style = {.colour = NO_IMAGES},
                                              .x = l->left,
                                              .y = l->top + row * l->cell,
                                              .width = l->side - gap,
                                              .height = l->cell - gap});
}

// Each number in its cell's middle, if it has room.
static void draw_counts(chart_list *list, const layout *l, const rn_confusion *confusion,
                        const uint8_t *shades)
{
    chart_style style = {.anchor = CHART_MIDDLE, .size = CHART_SMALL};
    char text[24];

    for (int row = 0; row < confusion->classes; row++)
        for (int i = 0; i < confusion->classes; i++, shades++) {
            chart_point at = corner(l, row, i);
            snprintf(text, sizeof text, "%lld", (long long)row_of(confusion, row)[i]);
            if (*shades == 0 || chart_text_length(text, CHART_SMALL) + 2 * CHART_UNIT > l->cell)
                continue;
            at.x += l->cell / 2;
            at.y += l->cell / 2;
            style.colour = *shades > SHADES * 4 / 10 ? CHART_PAPER : CHART_INK;
            chart_add_text(list, &style, at, text);
        }
}

// A tick and the name: of rows its end, of columns its start.
static void draw_names(chart_list *list, const layout *l, const rn_confusion *confusion)
{
    const chart_style across = {.colour = CHART_INK, .anchor = CHART_END, .size = CHART_SMALL};
    const chart_style up = {.colour = CHART_INK, .size = CHART_SMALL, .upwards = true};

    for (int i = 0; i < confusion->classes; i += l->step) {
        const int x = l->left + i * l->cell + l->cell / 2;
        const int y = l->top + i * l->cell + l->cell / 2;
        const char *name = confusion->names[i];
        chart_add_line(list, &LINE, (chart_point){l->left - TICK, y, true},
                       (chart_point){l->left, y, false});
        chart_add_cut(list, &across, (chart_point){l->left - GAP - TICK / 2, y, true}, name,
                      LONGEST_NAME);
        chart_add_line(list, &LINE, (chart_point){x, l->top - TICK, true},
                       (chart_point){x, l->top, false});
        chart_add_cut(list, &up, (chart_point){x, l->top - GAP - TICK / 2, true}, name,
                      LONGEST_NAME);
    }
}

static void draw_titles(chart_list *list, const layout *l, const char *title)
{
    const int line = chart_line_heights[CHART_SMALL], middle = l->side / 2;
    const int above = l->top - l->left; // the title's
    chart_style style = {.colour = CHART_INK, .anchor = CHART_MIDDLE, .size = CHART_LARGE};

    chart_add_cut(list, &style,
                  (chart_point){list->width / 2, EDGE + chart_line_heights[CHART_LARGE] / 2, true},
                  title, list->width - 2 * EDGE);
    style.size = CHART_SMALL;
    chart_add_text(list, &style, (chart_point){l->left + middle, above + EDGE + line / 2, true},
                   "predicted");
    style.upwards = true;
    chart_add_text(list, &style, (chart_point){EDGE + line / 2, l->top + middle, true}, "label");
}

// The list is in any case the caller's to release.
static rn_status draw(chart_list *list, const rn_confusion *confusion, const char *title)
{
    rn_status st;
    const size_t cells = (size_t)confusion->classes * (size_t)confusion->classes;
    bool used[SHADES] = {false};
    uint8_t *shades = NULL;

    if (confusion->classes < 1 || confusion->classes > MOST_CLASSES)
        return rn_error(RN_EINVAL, "confusion of %d classes, expected 1 to %d to be drawn",
                        confusion->classes, MOST_CLASSES);
    RN_TRY(RN_NEW(&shades, cells));
    const layout l = lay_out(confusion, title != NULL && *title != '\0');
    const int room = l.side > LEAST_ROOM ? l.side : LEAST_ROOM;
    list->width = l.left + room + EDGE;
    list->height = l.top + room + EDGE;
    find_shades(shades, used, confusion);
    draw_cells(list, &l, confusion, shades, used);
    draw_counts(list, &l, confusion, shades);
    chart_add_frame(
        list,
        &(chart_item){.style = LINE, .x = l.left, .y = l.top, .width = l.side, .height = l.side});
    draw_names(list, &l, confusion);
    draw_titles(list, &l, title);
    st = list->status;
out:
    rn_free(shades);
    return st;
}

rn_status rn_confusion_svg(char **out, const rn_confusion *confusion, const char *title)
{
    rn_status st;
    chart_list list = {0};

    *out = NULL;
    RN_TRY(draw(&list, confusion, title));
    RN_TRY(chart_list_svg(out, &list, title));
out:
    chart_list_release(&list);
    return st;
}

rn_status rn_confusion_image(rn_image **out, const rn_confusion *confusion, const char *title,
                             int scale)
{
    rn_status st;
    chart_list list = {0};

    *out = NULL;
    RN_TRY(draw(&list, confusion, title));
    RN_TRY(chart_list_image(out, &list, scale));
out:
    chart_list_release(&list);
    return st;
}
