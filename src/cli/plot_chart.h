/** A chart in the making, which owns its numbers; and the runs that it shows. */
#ifndef CLI_PLOT_CHART_H
#define CLI_PLOT_CHART_H

#include "cli/options.h"

#include "resnet/resnet.h"

typedef struct cli_chart {
    rn_plot plot; // its panels are those below
    rn_plot_panel panels[RN_PLOT_MOST_PANELS];
    rn_plot_series *series[RN_PLOT_MOST_PANELS];
    void **owned;
    int owned_count;
    size_t points; // of all series, finite or not
} cli_chart;

/** Zero-initialise first; legal at any time. */
void cli_chart_release(cli_chart *chart);

/**
 * Add a series with room for `count` points, in its looks as `look`, whose texts must outlive the
 * chart.
 *
 * @param[out] x, y  Where the points go.
 */
rn_status cli_chart_add(cli_chart *chart, size_t panel, const rn_plot_series *look, double **x,
                        double **y);

/** `count` zeroes that live as long as the chart; NULL where there is no memory. */
double *cli_chart_numbers(cli_chart *chart, size_t count);

/** printf into a text that lives as long as the chart; NULL where there is no memory. */
const char *cli_chart_text(cli_chart *chart, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * Make one curve of those of a panel that have one colour and one weight: their mean, at the points
 * that all of them have, with the sample's deviation where the curve is bold.
 *
 * @return RN_OK; RN_ENOTFOUND: no such points; RN_ENOMEM.
 */
rn_status cli_chart_average(cli_chart *chart);

/** A word of the command line, or a run in the folder that it names. */
typedef struct cli_plot_run {
    const char *path;
    rn_history *history; // NULL: what is drawn needs none
    const char *label;
    size_t panel; // where it is drawn
    int look;     // index of its colour and dashes there; of means, runs of one label share it
} cli_plot_run;

typedef struct cli_plot_runs {
    cli_plot_run *runs;
    int count;
    int names; // labels in panels: `count`, but less where runs are averaged
    size_t panels;
    const char *titles[RN_PLOT_MOST_PANELS]; // NULL: none
    char *texts;                             // of --label
    char *patterns;                          // of --panels
    rn_run_list *lists;
    int list_count;
} cli_plot_runs;

/**
 * Find the runs that the words name, read them where `read` is set, label them and choose their
 * panels.
 */
rn_status cli_plot_runs_open(cli_plot_runs *runs, const cli_arguments *args, bool read);
void cli_plot_runs_release(cli_plot_runs *runs);

/** What the command draws, one function a kind: fills the chart. */
rn_status cli_plot_curves(cli_chart *chart, const cli_plot_runs *runs, const cli_arguments *args);
rn_status cli_plot_gradients(cli_chart *chart, const cli_plot_runs *runs,
                             const cli_arguments *args);
rn_status cli_plot_responses(cli_chart *chart, const cli_plot_runs *runs,
                             const cli_arguments *args);

#endif
