/**
 * Charts as data, drawn as SVG or as a picture.
 */
#ifndef RESNET_PLOT_H
#define RESNET_PLOT_H

#include "resnet/image.h"
#include "resnet/store.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rn_plot_weight { RN_PLOT_THIN, RN_PLOT_BOLD } rn_plot_weight;

/** How a series' points are shown. */
typedef enum rn_plot_style {
    RN_PLOT_LINE,         // joined by a line; a lone point as a dot
    RN_PLOT_LINE_MARKERS, // and each point marked, where there is room
    RN_PLOT_MARKERS,      // marked only
    RN_PLOT_BARS          // a bar from zero (on a logarithmic axis, from the bottom)
} rn_plot_style;

/** Colours that also differ for colour-blind readers and in gray (Okabe & Ito 2008), repeating. */
enum { RN_PLOT_COLOURS = 8, RN_PLOT_DASHES = 6, RN_PLOT_SHAPES = 6 };

/**
 * One curve. A point with a coordinate that is not finite (or, on a logarithmic axis, not positive)
 * breaks the line. However many points there are, no more are written than the picture can show:
 * of each column of pixels the first, lowest, highest and last.
 */
typedef struct rn_plot_series {
    const char *label;       // in the legend; NULL or "": not there
    const double *x;         // borrowed; NULL: 0, 1, 2, ...
    const double *y;         // borrowed
    const double *deviation; // borrowed; y - deviation .. y + deviation is shaded; NULL: nothing is
    size_t count;            // points; 0: nothing but a place in the legend
    rn_plot_weight weight;
    rn_plot_style style;
    int colour; // index from 0; others are taken modulo: the same index, the same colour
    int dash;   // index from 0: 0 is solid
    int marker; // index from 0, a shape
} rn_plot_series;

/** Where the legend stands. */
typedef enum rn_plot_legend {
    RN_PLOT_LEGEND_AUTO,  // in the first corner where it hides no curve, band or bar; else below
    RN_PLOT_LEGEND_BELOW, // below the panel
    RN_PLOT_LEGEND_NONE
} rn_plot_legend;

/** Ends of an axis; NaN: found from the points, with some room. */
typedef struct rn_plot_range {
    double low, high;
} rn_plot_range;

/** Both ends found from the points. */
#define RN_PLOT_AUTOMATIC ((rn_plot_range){__builtin_nan(""), __builtin_nan("")})

typedef struct rn_plot_panel {
    const char *title, *x_label, *y_label; // NULL or "": none
    bool x_log, y_log;                     // logarithmic, base 10
    rn_plot_range x_range, y_range;        // zeroes (low = high): as RN_PLOT_AUTOMATIC
    rn_plot_legend legend;
    const rn_plot_series *series; // borrowed
    size_t series_count;
} rn_plot_panel;

/** Panels stand side by side, as in figures of papers. */
typedef struct rn_plot {
    const char *title; // above all; NULL or "": none
    const char *note;  // small, below all ("training curves: means of 5 points"); NULL or "": none
    const rn_plot_panel *panels; // borrowed
    size_t panel_count;          // 1 .. RN_PLOT_MOST_PANELS
    bool share_x;                // one range of x for all
    bool share_y;                // one y axis and range for all, with numbers at the left only
    int width, height;           // of a panel's drawing area; 0: chosen
} rn_plot;

enum { RN_PLOT_MOST_PANELS = 8, RN_PLOT_MOST_SERIES = 256, RN_PLOT_MOST_SCALE = 8 };

/**
 * Draw as SVG 1.1: no scripts, fonts or references; the same bytes for the same plot.
 *
 * @param[out] out  The caller's (rn_text_free()); NULL on failure.
 * @param plot      Borrowed. Texts are UTF-8; too long ones are cut.
 * @return RN_OK; RN_EINVAL (a count or a range out of bounds: says which); RN_ENOMEM.
 */
RN_API rn_status rn_plot_svg(char **out, const rn_plot *plot);

/**
 * The same as a picture: three channels, antialiased, the same bytes for the same plot.
 *
 * @param[out] out  The caller's (rn_image_free()); NULL on failure.
 * @param scale     Pixels for each unit of the SVG, 1 .. RN_PLOT_MOST_SCALE; 2 suits most screens.
 * @return As rn_plot_svg().
 */
RN_API rn_status rn_plot_image(rn_image **out, const rn_plot *plot, int scale);

#ifdef __cplusplus
}
#endif
#endif
