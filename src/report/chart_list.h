/** What a chart consists of, once it is laid out: the same for SVG and for pictures. */
#ifndef REPORT_CHART_LIST_H
#define REPORT_CHART_LIST_H

#include "resnet/image.h"

/**
 * Lengths are whole tenths of a unit, so that their texts are short and the same everywhere. An
 * AREA hides CHART_PALE percent of what is below.
 */
enum { CHART_UNIT = 10, CHART_TEXT = 128, CHART_PALE = 20 };

enum { CHART_INK = 0x1f2328, CHART_GREY = 0x57606a, CHART_GRID = 0xe4e7eb, CHART_PAPER = 0xffffff };

typedef struct chart_point {
    int x, y;
    bool jump; // begins a line: not joined to the point before
} chart_point;

/**
 * An AREA is pale, and lies between pairs of points, upper and lower, at one x each. CELLS are
 * squares, points their upper left corners.
 */
typedef enum chart_kind {
    CHART_FILL,
    CHART_AREA,
    CHART_CELLS,
    CHART_PATH,
    CHART_DOTS,
    CHART_LETTERS
} chart_kind;
typedef enum chart_anchor { CHART_START, CHART_MIDDLE, CHART_END } chart_anchor;
typedef enum chart_size { CHART_SMALL, CHART_NORMAL, CHART_LARGE, CHART_SIZES } chart_size;

typedef struct chart_style {
    uint32_t colour; // 0xRRGGBB
    int width;       // of a line; diameter of a dot; side of a cell
    int dash;        // index of chart_dashes
    chart_anchor anchor;
    chart_size size;
    bool upwards; // text
} chart_style;

typedef struct chart_item {
    chart_kind kind;
    chart_style style;
    int x, y, width, height; // of a FILL; LETTERS have x and y: the middle of their height
    size_t first, count;     // points of a PATH, an AREA, DOTS or CELLS
    char text[CHART_TEXT];
} chart_item;

/** Start from zeroes, with `width` and `height`. The first failure sticks in `status`. */
typedef struct chart_list {
    int width, height;
    chart_item *items;
    size_t count, room;
    chart_point *points;
    size_t point_count, point_room;
    rn_status status;
} chart_list;

void chart_list_release(chart_list *list);

/** The item is valid until the next one is added; NULL after a failure. */
chart_item *chart_add(chart_list *list, chart_kind kind, const chart_style *style);
void chart_add_box(chart_list *list, const chart_item *box);
/** Cut to what CHART_TEXT can hold. */
void chart_add_text(chart_list *list, const chart_style *style, chart_point at, const char *text);
/** The same, cut to `length` tenths (chart_text_cut()); NULL is legal. */
void chart_add_cut(chart_list *list, const chart_style *style, chart_point at, const char *text,
                   int length);
/** To the last item, which must have points. */
void chart_add_point(chart_list *list, chart_point point);
/** A PATH around a box. */
void chart_add_frame(chart_list *list, const chart_item *box);
/** A PATH of one straight line. */
void chart_add_line(chart_list *list, const chart_style *style, chart_point from, chart_point to);

/** Lengths drawn and left out in turn, in tenths, of a line one unit wide; ends with 0. */
extern const int chart_dashes[][5];

/** Length of a text in tenths, whoever draws it: an upper bound. */
int chart_text_length(const char *text, chart_size size);

/**
 * Copy a text, cut so that it is no longer than `length` tenths: then it ends in "...", or it is
 * empty where not even this has room.
 */
void chart_text_cut(char out[CHART_TEXT], const char *text, int length, chart_size size);

/**
 * The list as SVG, on paper; title NULL or "": none. Unless list.status is a failure, which it
 * returns.
 *
 * @param[out] out  The caller's (rn_free()); NULL on failure.
 * @return RN_OK; RN_ENOMEM.
 */
rn_status chart_list_svg(char **out, const chart_list *list, const char *title);

/** The same as a picture: as rn_plot_image(). RN_EINVAL: a scale out of range, or too large. */
rn_status chart_list_image(rn_image **out, const chart_list *list, int scale);

/** Heights of letters' lines, in tenths; font sizes in units. */
extern const int chart_line_heights[CHART_SIZES], chart_font_sizes[CHART_SIZES];

#endif
