#include "cli/plot_chart.h"

#include "cli/run_folder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void cli_chart_release(cli_chart *chart)
{
    for (int i = 0; i < chart->owned_count; i++)
        free(chart->owned[i]);
    free(chart->owned);
    for (size_t i = 0; i < RN_PLOT_MOST_PANELS; i++)
        free(chart->series[i]);
    *chart = (cli_chart){0};
}

// Keep what was allocated as long as the chart; NULL if it was not.
static void *own(cli_chart *chart, void *memory)
{
    void **larger = realloc(chart->owned, ((size_t)chart->owned_count + 1) * sizeof *chart->owned);

    if (larger != NULL)
        chart->owned = larger;
    if (larger == NULL || memory == NULL) {
        free(memory);
        return NULL;
    }
    chart->owned[chart->owned_count++] = memory;
    return memory;
}

double *cli_chart_numbers(cli_chart *chart, size_t count)
{
    return own(chart, calloc(count + 1, sizeof(double)));
}

rn_status cli_chart_add(cli_chart *chart, size_t panel, const rn_plot_series *look, double **x,
                        double **y)
{
    const size_t before = chart->panels[panel].series_count, count = look->count;
    rn_plot_series *larger =
        realloc(chart->series[panel], (before + 1) * sizeof *chart->series[panel]);

    if (larger != NULL)
        chart->series[panel] = larger;
    *x = cli_chart_numbers(chart, count);
    *y = cli_chart_numbers(chart, count);
    if (larger == NULL || *x == NULL || *y == NULL)
        return rn_error(RN_ENOMEM, "no memory for a curve of %zu points", count);
    larger[before] = *look;
    larger[before].x = *x;
    larger[before].y = *y;
    chart->panels[panel].series = larger;
    chart->panels[panel].series_count++;
    chart->points += count;
    return RN_OK;
}

const char *cli_chart_text(cli_chart *chart, const char *fmt, ...)
{
    char *text = NULL;
    va_list values;

    va_start(values, fmt);
    if (vasprintf(&text, fmt, values) < 0)
        text = NULL;
    va_end(values);
    return own(chart, text);
}
