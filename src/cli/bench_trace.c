// One step as a Chrome trace: the format of chrome://tracing, which Perfetto reads too.
#include "cli/bench_ops.h"
#include "cli/model_file.h"
#include "cli/run_folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

rn_status cli_trace_check(const char *path)
{
    rn_status st;

    RN_TRY(cli_refuse_model_name("trace", path));
    st = cli_check_writable(path);
out:
    return st;
}

static cJSON *event(cJSON *events, const char *phase, const char *name)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "ph", phase);
    cJSON_AddStringToObject(json, "name", name);
    cli_json_add(json, "pid", 1);
    cli_json_add(json, "tid", 1);
    cJSON_AddItemToArray(events, json);
    return json;
}

static double microseconds(const cli_op_times *times, double clock)
{
    return (clock - times->fastest_step[0].begin) * 1e6;
}

static cJSON *span(cJSON *events, const char *name, const cli_op_times *times, int first, int last)
{
    cJSON *json = event(events, "X", name);
    double begin = microseconds(times, times->fastest_step[first].begin);

    cli_json_add(json, "ts", begin);
    cli_json_add(json, "dur", microseconds(times, times->fastest_step[last].end) - begin);
    return json;
}

static void op_args(cJSON *json, const cli_op_cost *cost, double seconds)
{
    cJSON *args = cJSON_AddObjectToObject(json, "args");
    const rn_plan_op *op = &cost->op;
    char shape[64];

    snprintf(shape, sizeof shape, "%dx%dx%dx%d", op->shape[0], op->shape[1], op->shape[2],
             op->shape[3]);
    cJSON_AddStringToObject(args, "layer", op->name);
    cJSON_AddStringToObject(args, "shape", shape);
    cJSON_AddStringToObject(args, "layout", op->layout);
    cJSON_AddStringToObject(args, "implementation", op->implementation);
    cli_json_add(args, "flops", op->flops);
    cli_json_add(args, "bytes", (double)op->bytes);
    cli_json_add(args, "GFLOP/s", op->flops / seconds / 1e9);
    cli_json_add(args, "GB/s", (double)op->bytes / seconds / 1e9);
    if (cost->limit > 0) {
        cJSON_AddStringToObject(args, "limit", cost->memory_bound ? "memory" : "compute");
        cli_json_add(args, "% of the limit", 100 * cost->limit / seconds);
    }
}

static void add_op(cJSON *events, const cli_op_times *times, const cli_op_cost *cost)
{
    const cli_op_span *when = &times->fastest_step[cost->first];
    const char *category = cost->first >= times->ops ? "update"
                           : cost->op.backward       ? "backward"
                                                     : "forward";
    char name[256];

    snprintf(name, sizeof name, "%s %s", cost->op.name, cost->op.op);
    cJSON *json = span(events, name, times, cost->first, cost->first);
    cJSON_AddStringToObject(json, "cat", category);
    op_args(json, cost, when->end - when->begin);
    json = event(events, "C", "arena in use");
    cli_json_add(json, "ts", microseconds(times, when->begin));
    cli_json_add(cJSON_AddObjectToObject(json, "args"), "bytes", (double)cost->alive);
}

static void add_title(cJSON *events, const char *kind, const char *name)
{
    cJSON *json = event(events, "M", kind);

    cJSON_AddStringToObject(cJSON_AddObjectToObject(json, "args"), "name", name);
}

rn_status cli_trace_write(const char *path, const cli_op_times *times, const cli_op_costs *costs,
                          const char *title)
{
    rn_status st;
    char *text = NULL;
    cJSON *json = cJSON_CreateObject(), *events = cJSON_AddArrayToObject(json, "traceEvents");

    cJSON_AddStringToObject(json, "displayTimeUnit", "ms");
    add_title(events, "process_name", title);
    add_title(events, "thread_name", "step");
    cJSON_AddStringToObject(span(events, "forward", times, 0, times->forward - 1), "cat", "step");
    if (times->ops > times->forward)
        cJSON_AddStringToObject(span(events, "backward", times, times->forward, times->ops - 1),
                                "cat", "step");
    for (int i = 0; i < costs->op_count; i++)
        add_op(events, times, &costs->ops[i]);
    RN_TRY(cli_json_text(&text, json));
    RN_TRY(rn_text_write(path, text));
out:
    free(text);
    return st;
}
