// What bench_ops.c found, as a table and as JSON.
#include "cli/bench_ops.h"
#include "cli/step_plan.h"
#include "cli/term.h"

#include <stdio.h>
#include <string.h>

typedef struct widths {
    int name, op, implementation;
} widths;

static void widen(int *width, const char *text)
{
    if ((int)strlen(text) > *width)
        *width = (int)strlen(text);
}

static widths measure(const cli_op_cost *rows, int count)
{
    widths w = {5, 2, 14};

    for (int i = 0; i < count; i++) {
        widen(&w.name, rows[i].op.name);
        widen(&w.op, rows[i].op.op);
        widen(&w.implementation, rows[i].op.implementation);
    }
    return w;
}

static double rate(double amount, double seconds)
{
    return seconds > 0 ? amount / seconds / 1e9 : 0;
}

static const char *limit_name(const cli_op_cost *cost)
{
    return cost->limit <= 0 ? "-" : cost->memory_bound ? "memory" : "compute";
}

static void print_row(const widths *w, const cli_op_cost *row)
{
    const rn_plan_op *op = &row->op;
    char shape[64], reached[16] = "-";

    snprintf(shape, sizeof shape, "%dx%dx%dx%d", op->shape[0], op->shape[1], op->shape[2],
             op->shape[3]);
    if (row->limit > 0 && row->best > 0)
        snprintf(reached, sizeof reached, "%.0f%%", 100 * row->limit / row->best);
    printf("%-*s  %-*s  %-*s  %-16s  %5d  %9s  %5.1f%%  %7.1f  %6.1f  %-7s  %5s  %10s\n", w->name,
           op->name, w->op, op->op, w->implementation, op->implementation, shape, row->count,
           cli_time(row->best).text, 100 * row->share, rate(op->flops * row->count, row->best),
           rate((double)op->bytes * row->count, row->best), limit_name(row), reached,
           cli_bytes((double)row->alive).text);
}

void cli_op_costs_print(const cli_op_costs *costs, bool grouped)
{
    const cli_op_cost *rows = grouped ? costs->groups : costs->ops;
    int count = grouped ? costs->group_count : costs->op_count;
    widths w = measure(rows, count);

    printf("\n%s%-*s  %-*s  %-*s  %-16s  %5s  %9s  %6s  %7s  %6s  %-7s  %5s  %10s%s\n",
           cli_style(stdout, CLI_BOLD), w.name, grouped ? "first" : "layer", w.op, "op",
           w.implementation, "implementation", "output", "times", "best", "share", "GFLOP/s",
           "GB/s", "limit", "of it", "alive", cli_style(stdout, CLI_NORMAL));
    for (int i = 0; i < count; i++)
        print_row(&w, &rows[i]);
    printf("%-*s  %-*s  %-*s  %-16s  %5d  %9s  %5.1f%%\n", w.name, "all", w.op, "",
           w.implementation, "", "", costs->op_count, cli_time(costs->best).text, 100.0);
}

rn_status cli_peaks_measure(rn_peaks *peaks)
{
    rn_status st = rn_peaks_measure(peaks);

    return st == RN_EUNSUPPORTED ? RN_OK : st;
}

static void print_peaks(const rn_peaks *peaks)
{
    printf("  machine at best");
    for (int i = 0; i < peaks->rate_count; i++)
        printf(", %.1f GFLOP/s %s (one thread %.1f)", peaks->rates[i].all / 1e9,
               peaks->rates[i].name, peaks->rates[i].one / 1e9);
    printf("; memory %.1f", peaks->memory / 1e9);
    if (peaks->l3_read > 0)
        printf(", L3 %.1f", peaks->l3_read / 1e9);
    if (peaks->l2_read > 0)
        printf(", L2 %.1f", peaks->l2_read / 1e9);
    printf(" GB/s\n");
}

void cli_limits_print(const rn_peaks *peaks, const cli_op_costs *costs, double flops,
                      double seconds)
{
    const cli_op_cost *fullest = &costs->ops[costs->fullest];

    printf("  activations, gradients, scratch: at most %s in use, at %s (%s)\n",
           cli_bytes((double)fullest->alive).text, fullest->op.name, fullest->op.op);
    if (peaks->flops <= 0)
        return;
    print_peaks(peaks);
    printf("  the step reaches %.1f%% of these GFLOP/s; with every op at its limit it would take "
           "%s, %.0f%% of the median\n",
           100 * flops / seconds / peaks->flops, cli_time(costs->limit).text,
           100 * costs->limit / seconds);
}

static void add_peaks(cJSON *json, const rn_peaks *peaks)
{
    cJSON *object = cJSON_AddObjectToObject(json, "peaks"), *rates;

    cli_json_add(object, "threads", peaks->threads);
    cli_json_add(object, "gflops", peaks->flops / 1e9);
    cli_json_add(object, "memory_gb_per_second", peaks->memory / 1e9);
    cli_json_add(object, "read_gb_per_second", peaks->read / 1e9);
    cli_json_add(object, "add_gb_per_second", peaks->add / 1e9);
    cli_json_add(object, "l2_read_gb_per_second", peaks->l2_read / 1e9);
    cli_json_add(object, "l3_read_gb_per_second", peaks->l3_read / 1e9);
    rates = cJSON_AddArrayToObject(object, "instructions");
    for (int i = 0; i < peaks->rate_count; i++) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "name", peaks->rates[i].name);
        cli_json_add(item, "one_thread_gflops", peaks->rates[i].one / 1e9);
        cli_json_add(item, "all_threads_gflops", peaks->rates[i].all / 1e9);
        cJSON_AddItemToArray(rates, item);
    }
}

static cJSON *op_json(const cli_op_cost *cost)
{
    const rn_plan_op *op = &cost->op;
    cJSON *json = cli_plan_op_json(op);

    cli_json_add(json, "best_seconds", cost->best);
    cli_json_add(json, "mean_seconds", cost->mean);
    cli_json_add(json, "share_percent", 100 * cost->share);
    cli_json_add(json, "gflops", rate(op->flops, cost->best));
    cli_json_add(json, "gb_per_second", rate((double)op->bytes, cost->best));
    if (cost->limit > 0) {
        cJSON_AddStringToObject(json, "limit", limit_name(cost));
        cli_json_add(json, "limit_seconds", cost->limit);
        cli_json_add(json, "limit_percent", 100 * cost->limit / cost->best);
    }
    cli_json_add(json, "alive_bytes", (double)cost->alive);
    return json;
}

void cli_limits_json(cJSON *json, const rn_peaks *peaks, const cli_op_costs *costs)
{
    const cli_op_cost *fullest = &costs->ops[costs->fullest];
    cJSON *ops;

    if (peaks->flops > 0) {
        add_peaks(json, peaks);
        cli_json_add(json, "limit_seconds", costs->limit);
    } else {
        cJSON_AddNullToObject(json, "peaks");
    }
    cli_json_add(json, "alive_peak_bytes", (double)fullest->alive);
    cJSON_AddStringToObject(json, "alive_peak_name", fullest->op.name);
    cJSON_AddStringToObject(json, "alive_peak_op", fullest->op.op);
    ops = cJSON_AddArrayToObject(json, "ops");
    for (int i = 0; i < costs->op_count; i++)
        cJSON_AddItemToArray(ops, op_json(&costs->ops[i]));
}
