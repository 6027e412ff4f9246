// What differs from layer to layer: responses, norms of gradients.
#include "cli/json_output.h"
#include "cli/plot_chart.h"
#include "cli/run_folder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_MOMENTS = 6 }; // lines of one run

static rn_plot_series look_of(const char *label, int look, size_t count)
{
    return (rn_plot_series){.label = label,
                            .weight = RN_PLOT_THIN,
                            .style = RN_PLOT_LINE_MARKERS,
                            .colour = look,
                            .dash = look,
                            .marker = look,
                            .count = count};
}

// Gradients

static rn_status add_norms(cli_chart *chart, const cli_plot_run *run,
                           const rn_history_gradients *line, const rn_plot_series *look)
{
    rn_status st;
    double *x, *y;

    RN_TRY(cli_chart_add(chart, run->panel, look, &x, &y));
    for (size_t i = 0; i < line->count; i++) {
        const rn_history_norm *norm = &run->history->norms[line->first + i];
        x[i] = (double)(i + 1);
        y[i] = norm->value;
    }
out:
    return st;
}

// Of several runs the last gradients of each; of one, its course.
static rn_status add_gradients(cli_chart *chart, const cli_plot_run *run, bool alone)
{
    rn_status st = RN_OK;
    const rn_history *h = run->history;
    const size_t count = h->gradients_count, most = alone ? MOST_MOMENTS : 1;
    const size_t lines = count < most ? count : most;

    for (size_t i = 0; i < lines; i++) {
        const size_t at = lines > 1 ? i * (count - 1) / (lines - 1) : count - 1;
        const rn_history_gradients *line = &h->gradients[at];
        const char *label =
            alone ? cli_chart_text(chart, "iteration %lld", (long long)line->iteration)
                  : run->label;
        const rn_plot_series look = look_of(label, alone ? (int)i : run->look, line->count);
        RN_TRY(add_norms(chart, run, line, &look));
    }
out:
    return st;
}

rn_status cli_plot_gradients(cli_chart *chart, const cli_plot_runs *runs, const cli_arguments *args)
{
    rn_status st = RN_OK;

    for (int i = 0; i < runs->count; i++) {
        if (runs->runs[i].history->gradients_count == 0) {
            st = rn_error(RN_ENOTFOUND,
                          "'%s/log.jsonl' has no norms of gradients: 'resnet train "
                          "--log-gradients' writes them",
                          runs->runs[i].path);
            goto out;
        }
        RN_TRY(add_gradients(chart, &runs->runs[i], runs->count == 1));
    }
    for (size_t i = 0; i < runs->panels; i++) {
        chart->panels[i].title = runs->titles[i];
        chart->panels[i].x_label = "parameter, from the input on";
        chart->panels[i].y_label = "L2 norm of the gradient";
        chart->panels[i].y_log = cli_flag(args, "log");
    }
    chart->plot.share_y = true;
    if (runs->count > 1)
        chart->plot.note = "the last of each run that is in its log";
out:
    return st;
}

// Responses

static rn_status read_responses(cJSON **out, const char *path)
{
    rn_status st;
    char *text = NULL;
    const char *slash = strrchr(path, '/');
    char *folder = NULL;

    *out = NULL;
    if (cli_is_folder(path)) {
        st = rn_run_folder_read(&text, path, "responses.json");
    } else {
        RN_TRY(cli_format(&folder, "%.*s", slash != NULL ? (int)(slash - path) : 1,
                          slash != NULL ? path : "."));
        st = rn_run_folder_read(&text, slash == path ? "/" : folder,
                                slash != NULL ? slash + 1 : path);
    }
    if (st == RN_ENOTFOUND)
        rn_error_prefix(st, "no responses to draw ('resnet responses' writes them)");
    if (st != RN_OK)
        goto out;
    *out = cJSON_Parse(text);
    if (!cJSON_IsObject(*out) && (!cJSON_IsArray(*out) || cJSON_GetArraySize(*out) == 0))
        st = rn_error(RN_EFORMAT, "'%s': responses are no JSON object, nor an array of such", path);
out:
    free(folder);
    rn_text_free(text);
    return st;
}

static bool is_wanted(const cJSON *layer, bool only_3x3)
{
    const cJSON *kernel = cJSON_GetObjectItemCaseSensitive(layer, "kernel");

    return !only_3x3 || (cJSON_IsNumber(kernel) && kernel->valuedouble == 3);
}

static size_t count_layers(const cJSON *layers, bool only_3x3)
{
    const cJSON *layer;
    size_t count = 0;

    cJSON_ArrayForEach(layer, layers) count += is_wanted(layer, only_3x3);
    return count;
}

static int descending(const void *a, const void *b)
{
    const double first = *(const double *)a, second = *(const double *)b;

    return first < second ? 1 : first > second ? -1 : 0;
}

static rn_status fill_values(double *x, double *y, const cJSON *layers, bool only_3x3)
{
    const cJSON *layer;
    size_t n = 0;

    cJSON_ArrayForEach(layer, layers)
    {
        const cJSON *std = cJSON_GetObjectItemCaseSensitive(layer, "std");
        if (!is_wanted(layer, only_3x3))
            continue;
        if (!cJSON_IsNumber(std))
            return rn_error(RN_EFORMAT, "layer %zu has no number 'std'", n + 1);
        if (!(std->valuedouble >= 0) || isinf(std->valuedouble))
            return rn_error(RN_EFORMAT, "'std' of layer %zu is %g, expected a number from 0", n + 1,
                            std->valuedouble);
        x[n] = (double)(n + 1);
        y[n++] = std->valuedouble;
    }
    return RN_OK;
}

// As the paper draws them: in the network's order, and from the largest to the smallest.
static rn_status add_responses(cli_chart *chart, const char *label, int place, const cJSON *model)
{
    rn_status st;
    const cJSON *layers = cJSON_GetObjectItemCaseSensitive(model, "layers");

    if (!cJSON_IsArray(layers))
        return rn_error(RN_EFORMAT, "responses are no JSON object with an array 'layers'");
    const bool only_3x3 = count_layers(layers, true) > 0;
    const size_t count = count_layers(layers, only_3x3);

    if (count == 0)
        return rn_error(RN_EFORMAT, "'layers' is empty");
    for (size_t panel = 0; panel < 2; panel++) {
        const rn_plot_series look = look_of(label, place, count);
        double *x, *y;
        RN_TRY(cli_chart_add(chart, panel, &look, &x, &y));
        RN_TRY(fill_values(x, y, layers, only_3x3));
        if (panel == 1)
            qsort(y, count, sizeof *y, descending);
    }
out:
    return st;
}

// A file of several models is an array, whose members say which model they are of.
static rn_status add_models(cli_chart *chart, int *place, const cli_plot_runs *runs,
                            const cli_plot_run *run, const cJSON *json)
{
    rn_status st = RN_OK;
    const cJSON *item;

    if (!cJSON_IsArray(json))
        return add_responses(chart, run->label, (*place)++, json);
    cJSON_ArrayForEach(item, json)
    {
        const char *model = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "model"));
        const char *name = model != NULL ? model : "unnamed";
        RN_TRY(add_responses(chart,
                             runs->count == 1 ? cli_chart_text(chart, "%s", name)
                                              : cli_chart_text(chart, "%s %s", run->label, name),
                             (*place)++, item));
    }
out:
    return st;
}

rn_status cli_plot_responses(cli_chart *chart, const cli_plot_runs *runs, const cli_arguments *args)
{
    rn_status st = RN_OK;
    cJSON *json = NULL;
    int place = 0;
    static const char *const orders[] = {"layer (original order)", "layer (sorted by magnitude)"};

    for (int i = 0; i < runs->count; i++) {
        RN_TRY(read_responses(&json, runs->runs[i].path));
        st = add_models(chart, &place, runs, &runs->runs[i], json);
        if (st != RN_OK) {
            rn_error_prefix(st, "'%s'", runs->runs[i].path);
            goto out;
        }
        cJSON_Delete(json);
        json = NULL;
    }
    for (int i = 0; i < 2; i++) {
        chart->panels[i].x_label = orders[i];
        chart->panels[i].y_label = "standard deviation";
        chart->panels[i].y_log = cli_flag(args, "log");
    }
    chart->plot.share_y = true;
    chart->plot.note = "responses of 3x3 convolutions behind their batch norm; of networks without "
                       "any, of all layers";
out:
    cJSON_Delete(json);
    return st;
}
