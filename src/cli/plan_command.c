#include "cli/command.h"
#include "cli/network.h"
#include "cli/step_plan.h"
#include "cli/term.h"

#include <stdlib.h>
#include <string.h>

typedef struct planned {
    rn_engine *engine;
    rn_plan *plan;
    double seconds; // predicted
    double *per_op;
} planned;

static rn_status make_plan(planned *p, const rn_graph *graph, const cli_arguments *args)
{
    rn_status st;
    rn_plan_options options = {.batch = (int)cli_integer(args, "batch"),
                               .training = !cli_flag(args, "inference")};

    RN_TRY(rn_threads_set((int)cli_integer(args, "threads")));
    RN_TRY(rn_engine_create(&p->engine, cli_text(args, "engine")));
    RN_TRY(cli_step_plan(&p->plan, graph, p->engine, options, cli_text(args, "dtype"),
                         cli_size(args, "memory")));
    p->per_op = calloc((size_t)rn_plan_ops(p->plan) + 1, sizeof *p->per_op);
    if (p->per_op == NULL)
        return rn_error(RN_ENOMEM, "no memory for %d ops", rn_plan_ops(p->plan));
    RN_TRY(rn_plan_predict(p->plan, &p->seconds, p->per_op));
out:
    return st;
}

static void release(planned *p)
{
    free(p->per_op);
    rn_plan_free(p->plan);
    rn_engine_free(p->engine);
}

typedef struct widths {
    int op, name, implementation, layout;
} widths;

static void widen(int *width, const char *text)
{
    if ((int)strlen(text) > *width)
        *width = (int)strlen(text);
}

static widths measure(const rn_plan *plan)
{
    widths w = {2, 4, 14, 6};

    for (int i = 0; i < rn_plan_ops(plan); i++) {
        rn_plan_op op = rn_plan_op_at(plan, i);
        widen(&w.op, op.op);
        widen(&w.name, op.name);
        widen(&w.implementation, op.implementation);
        widen(&w.layout, op.layout);
    }
    return w;
}

static void print_op(const widths *w, const rn_plan_op *op, double seconds)
{
    char shape[64];

    snprintf(shape, sizeof shape, "%dx%dx%dx%d", op->shape[0], op->shape[1], op->shape[2],
             op->shape[3]);
    printf("%-*s  %-*s  %-*s  %-*s  %-16s  %10s  %7s  %9s\n", w->name, op->name, w->op, op->op,
           w->implementation, op->implementation, w->layout, op->layout, shape,
           cli_bytes((double)op->bytes).text, cli_scaled(op->flops).text, cli_time(seconds).text);
}

static void print_heading(const widths *w, const char *heading)
{
    printf("%s%s%s\n%-*s  %-*s  %-*s  %-*s  %-16s  %10s  %7s  %9s\n", cli_style(stdout, CLI_BOLD),
           heading, cli_style(stdout, CLI_NORMAL), w->name, "layer", w->op, "op", w->implementation,
           "implementation", w->layout, "layout", "output", "bytes", "flops", "predicted");
}

static void print_line(size_t bytes, const char *what)
{
    printf("  %10s  %s\n", cli_bytes((double)bytes).text, what);
}

static void print_memory(const rn_plan *plan)
{
    cli_step_memory memory = cli_step_memory_of(plan);
    const rn_plan_memory *use = &memory.plan;

    printf("  %10s  arena (%s without sharing", cli_bytes((double)use->arena).text,
           cli_bytes((double)use->unshared).text);
    if (use->recomputed > 0)
        printf(", %s if all were kept", cli_bytes((double)use->kept).text);
    printf(")\n");
    print_line(use->parameters, "parameters");
    if (rn_plan_options_of(plan)->training) {
        print_line(use->gradients, "gradients of parameters, in the arena");
        print_line(memory.momentum, "momentum");
    }
    print_line(memory.total, "in all");
    if (use->recomputed > 0)
        printf("  %10d  ops computed twice instead of kept, %.2g%% more flops\n", use->recomputed,
               memory.repeated);
}

static void print_totals(const planned *p, const rn_graph *graph)
{
    const rn_plan_options *options = rn_plan_options_of(p->plan);
    double flops = cli_step_flops(p->plan);

    printf("\n%s, batch %d, %s, %s, %s engine (%s), %d thread%s\n", rn_graph_model(graph),
           options->batch, options->training ? "training" : "inference",
           cli_step_type_name(p->plan), rn_engine_name(p->engine), rn_engine_description(p->engine),
           rn_threads(), rn_threads() == 1 ? "" : "s");
    print_memory(p->plan);
    printf("  %10s  a step, predicted: %.0f images/s, %.1f GFLOP/s\n", cli_time(p->seconds).text,
           p->seconds > 0 ? options->batch / p->seconds : 0,
           p->seconds > 0 ? flops / p->seconds / 1e9 : 0);
}

static void print_plan(const planned *p, const rn_graph *graph)
{
    widths w = measure(p->plan);
    bool backward = false;

    print_heading(&w, "forward");
    for (int i = 0; i < rn_plan_ops(p->plan); i++) {
        rn_plan_op op = rn_plan_op_at(p->plan, i);
        if (op.backward && !backward) {
            printf("\n");
            print_heading(&w, "backward");
        }
        backward = op.backward;
        print_op(&w, &op, p->per_op[i]);
    }
    print_totals(p, graph);
}

static cJSON *op_json(const rn_plan_op *op, double seconds)
{
    cJSON *json = cli_plan_op_json(op);

    cli_json_add(json, "predicted_seconds", seconds);
    return json;
}

static rn_status print_json(const planned *p, const rn_graph *graph)
{
    cli_step_memory memory = cli_step_memory_of(p->plan);
    const rn_plan_options *options = rn_plan_options_of(p->plan);
    cJSON *json = cJSON_CreateObject(), *ops;

    cJSON_AddStringToObject(json, "model", rn_graph_model(graph));
    cli_json_add(json, "batch", options->batch);
    cJSON_AddStringToObject(json, "dtype", cli_step_type_name(p->plan));
    cJSON_AddBoolToObject(json, "training", options->training);
    cJSON_AddStringToObject(json, "engine", rn_engine_name(p->engine));
    cJSON_AddStringToObject(json, "engine_description", rn_engine_description(p->engine));
    cli_json_add(json, "threads", rn_threads());
    cli_step_memory_json(json, &memory);
    cli_json_add(json, "flops", cli_step_flops(p->plan));
    cli_json_add(json, "predicted_seconds", p->seconds);
    ops = cJSON_AddArrayToObject(json, "ops");
    for (int i = 0; i < rn_plan_ops(p->plan); i++) {
        rn_plan_op op = rn_plan_op_at(p->plan, i);
        cJSON_AddItemToArray(ops, op_json(&op, p->per_op[i]));
    }
    return cli_print_json(json);
}

static rn_status run_plan(const cli_arguments *args)
{
    rn_status st;
    cli_network network = {0};
    planned p = {0};

    RN_TRY(cli_network_open(&network, args, NULL));
    RN_TRY(make_plan(&p, network.graph, args));
    if (cli_flag(args, "json"))
        st = print_json(&p, network.graph);
    else
        print_plan(&p, network.graph);
out:
    release(&p);
    cli_network_release(&network);
    return st;
}

static const cli_option options[] = {
    CLI_BATCH_OPTION,
    CLI_DTYPE_OPTION,
    {.name = "inference", .kind = CLI_FLAG, .help = "plan the forward pass alone"},
    CLI_MEMORY_OPTION("most memory that a step with its optimiser may take, such as 16G or 500MB; "
                      "where it needs more, activations are computed twice instead of kept"),
    CLI_INPUT_OPTION,
    CLI_CLASSES_OPTION,
    CLI_THREADS_OPTION,
    CLI_ENGINE_OPTION,
    CLI_JSON_OPTION,
    {0}};

const cli_command cli_plan = {
    .name = "plan",
    .usage = "MODEL|MODEL-FILE|RUN",
    .summary = "show how a network would be computed on this machine",
    .description = "Show the ops that a step consists of, with implementation, memory layout, "
                   "bytes moved, floating-point operations and predicted time, the memory that "
                   "a step takes, and what keeping to --memory costs. The prediction rests on a "
                   "calibration of about half a second.",
    .examples = "resnet plan resnet-20 --batch 128\n"
                "resnet plan resnet-110 --batch 1 --inference\n"
                "resnet plan resnet-1202 --memory 2G",
    .least = 1,
    .most = 1,
    .word = CLI_WORD_MODEL,
    .options = options,
    .run = run_plan,
};
