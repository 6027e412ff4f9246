/** Where the parts of a chart stand. */
#ifndef REPORT_CHART_LAYOUT_H
#define REPORT_CHART_LAYOUT_H

#include "report/chart_trace.h"

typedef struct chart_rect {
    int left, top, width, height;
} chart_rect;

/** A legend: a sample and a label for each series that has one. */
typedef struct chart_legend {
    int entries, columns, rows;
    int column_width, label_length; // in tenths; labels are cut to that
    chart_rect place;               // relative to the panel's upper left corner
    bool inside;
} chart_legend;

typedef struct chart_panel {
    const rn_plot_panel *panel; // borrowed
    chart_axis axes[2];         // x, y
    chart_trace *traces;        // of its series
    chart_legend legend;
    chart_rect place; // of its drawing area, in the chart
} chart_panel;

typedef struct chart_layout {
    const rn_plot *plot; // borrowed
    chart_panel panels[RN_PLOT_MOST_PANELS];
    int width, height;
    int titles; // height of what is above all panels
} chart_layout;

/** Release also after a failure. Statuses as rn_plot_svg(). */
rn_status chart_layout_init(chart_layout *layout, const rn_plot *plot);
void chart_layout_release(chart_layout *layout);

/** Choose a legend's place: once the traces are known. */
void chart_legend_place(chart_panel *panel);

/** Draw into a list. */
void chart_legend_draw(chart_list *list, const chart_panel *panel);
void chart_band_draw(chart_list *list, const chart_panel *panel, size_t index);
void chart_series_draw(chart_list *list, const chart_panel *panel, size_t index);

/** The look of a series' line and marks, and of its bars. */
chart_style chart_line_style(const rn_plot_series *series);
chart_style chart_bar_style(const rn_plot_series *series);
/** A mark at a point, into the list. */
void chart_mark_draw(chart_list *list, const rn_plot_series *series, chart_point at);

/**
 * Lay out and draw.
 *
 * @param[out] list  Release with chart_list_release(), also after a failure.
 */
rn_status chart_draw(chart_list *list, const rn_plot *plot);

/** The note below all panels, broken into lines: its number of lines. Draws it where list is not
 * NULL. */
int chart_note_draw(chart_list *list, const rn_plot *plot, int width, int top);

#endif
