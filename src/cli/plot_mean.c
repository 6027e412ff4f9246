// Curves of runs with one name, made one: their mean and, where there is room, their deviation.
#include "cli/plot_chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// The runs of a name have a colour of their own, and their training and test curves a weight.
static bool belong(const rn_plot_series *a, const rn_plot_series *b)
{
    return a->colour == b->colour && a->weight == b->weight;
}

typedef struct mean {
    double *x, *y, *squares; // [count]; squares: sum of squared differences (Welford 1962)
    size_t count, dropped;
    int runs;
} mean;

static rn_status begin(mean *m, cli_chart *chart, const rn_plot_series *series)
{
    const size_t count = series->count;

    *m = (mean){.x = cli_chart_numbers(chart, count),
                .y = cli_chart_numbers(chart, count),
                .squares = cli_chart_numbers(chart, count),
                .count = count,
                .runs = 1};
    if (m->x == NULL || m->y == NULL || m->squares == NULL)
        return rn_error(RN_ENOMEM, "no memory for a curve of %zu points", count);
    memcpy(m->x, series->x, count * sizeof *m->x);
    memcpy(m->y, series->y, count * sizeof *m->y);
    return RN_OK;
}

// One run more; points that it does not have are left out.
static void take(mean *m, const rn_plot_series *series)
{
    const size_t longer = series->count > m->count ? series->count : m->count;
    size_t kept = 0, k = 0;

    m->runs++;
    for (size_t i = 0; i < m->count; i++) {
        while (k < series->count && series->x[k] < m->x[i])
            k++;
        if (k == series->count)
            break;
        if (series->x[k] != m->x[i])
            continue;
        const double before = series->y[k] - m->y[i], y = m->y[i] + before / m->runs;
        m->x[kept] = m->x[i];
        m->squares[kept] = m->squares[i] + before * (series->y[k] - y);
        m->y[kept++] = y;
    }
    m->dropped += longer - kept;
    m->count = kept;
}

static void deviate(mean *m)
{
    for (size_t i = 0; i < m->count; i++)
        m->squares[i] = sqrt(m->squares[i] / (m->runs - 1));
}

// Only bold curves are shaded: around the thin ones there would be little else than shade.
static void put(rn_plot_series *out, cli_chart *chart, const mean *m)
{
    if (out->label != NULL)
        out->label = cli_chart_text(chart, "%s (mean of %d)", out->label, m->runs);
    out->x = m->x;
    out->y = m->y;
    out->deviation = out->weight == RN_PLOT_BOLD ? m->squares : NULL;
    out->count = m->count;
}

// `first` becomes the mean of itself and of those behind it that belong to it.
static rn_status average(cli_chart *chart, rn_plot_series *first, const rn_plot_series *end)
{
    rn_status st;
    mean m;

    RN_TRY(begin(&m, chart, first));
    for (const rn_plot_series *other = first + 1; other < end; other++)
        if (belong(first, other))
            take(&m, other);
    if (m.runs == 1)
        goto out;
    if (m.count == 0)
        return rn_error(RN_ENOTFOUND, "'--mean': %d runs of one name have no point in common",
                        m.runs);
    if (m.dropped > 0)
        fprintf(stderr,
                "resnet: note: a mean of %d runs has the %zu points that all of them have\n",
                m.runs, m.count);
    deviate(&m);
    put(first, chart, &m);
out:
    return st;
}

// Leave out those that have gone into a mean before them.
static size_t keep_first(rn_plot_series *series, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t k = 0; k < kept && !found; k++)
            found = belong(&series[k], &series[i]);
        if (!found)
            series[kept++] = series[i];
    }
    return kept;
}

static bool is_first(const rn_plot_series *series, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (belong(&series[k], &series[i]))
            return false;
    return true;
}

rn_status cli_chart_average(cli_chart *chart)
{
    rn_status st = RN_OK;

    for (int p = 0; p < RN_PLOT_MOST_PANELS; p++) {
        rn_plot_series *series = chart->series[p];
        const size_t count = chart->panels[p].series_count;
        for (size_t i = 0; i < count; i++)
            if (is_first(series, i))
                RN_TRY(average(chart, &series[i], series + count));
        chart->panels[p].series_count = keep_first(series, count);
    }
out:
    return st;
}
