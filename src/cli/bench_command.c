#include "cli/bench_ops.h"
#include "cli/bench_serve.h"
#include "cli/command.h"
#include "cli/network.h"
#include "cli/step_plan.h"
#include "cli/term.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WARM_UP = 3, LEAST_STEPS = 1, MOST_STEPS = 1000000 };

/** What is measured of each step. */
typedef enum part { PART_FORWARD, PART_BACKWARD, PART_UPDATE, PART_STEP, PARTS } part;

static const char *const part_names[PARTS] = {"forward", "backward", "update", "step"};

typedef struct bench {
    rn_engine *engine;
    rn_plan *plan;
    rn_run *run;
    rn_sgd *sgd; // NULL for inference
    int steps;
    double *times[PARTS];
    double predicted, flops;
    size_t loaded; // bytes resident before engine, network and plan are made; 0 if unknown
    size_t peak;   // bytes resident at most until the end of the steps; likewise
    bool by_op;    // ops are timed one by one
    cli_op_times op_times;
    cli_op_span update; // of the last step
    rn_peaks machine;   // zeroes if unknown
    cli_op_costs costs;
} bench;

static float next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / (1 << 23) - 1.0f;
}

// Any numbers do, as long as none is zero, infinite or denormal.
static void fill_input(rn_run *run, const rn_graph *graph, const rn_plan_options *options)
{
    const rn_node *input = rn_graph_node(graph, 0);
    size_t count = (size_t)options->batch * (size_t)input->channels * (size_t)input->height *
                   (size_t)input->width;
    float *images = rn_run_input(run);
    int32_t *labels = rn_run_labels(run);
    uint32_t state = 1;

    for (size_t i = 0; i < count; i++)
        images[i] = next_random(&state);
    for (int i = 0; labels != NULL && i < options->batch; i++)
        labels[i] = i % rn_graph_options(graph)->classes;
}

// Weights as deep as rn_weights_initialise() makes them; the rest as it starts.
static void fill_values(const rn_param *param, float *values)
{
    uint32_t state = 2;
    size_t fan = param->count / (size_t)param->shape[1];
    float width = sqrtf(6.0f / (float)fan); // deviation sqrt(2 / fan)

    for (size_t i = 0; i < param->count; i++)
        values[i] = param->dims > 1 ? width * next_random(&state) : param->initial;
}

static rn_status fill_padded(rn_run *run, int index, const rn_param_view *view)
{
    float *values = calloc(view->param->count, sizeof *values);
    rn_status st;

    if (values == NULL)
        return rn_error(RN_ENOMEM, "no memory for '%s'", view->param->name);
    fill_values(view->param, values);
    st = rn_run_pack(run, index, values, view->value);
    free(values);
    return st;
}

// In place, because copies would be memory that a step does not take: random values may stand in
// any order. Only where there is padding, which must stay 0, the order has to be known.
static rn_status fill_parameters(rn_run *run)
{
    rn_status st = RN_OK;

    for (int i = 0; i < rn_run_params(run); i++) {
        rn_param_view view = rn_run_param(run, i);
        if (view.count == view.param->count)
            fill_values(view.param, view.value);
        else
            RN_TRY(fill_padded(run, i, &view));
    }
out:
    return st;
}

static rn_status prepare_run(bench *b, const rn_graph *graph)
{
    rn_status st;
    const rn_plan_options *options = rn_plan_options_of(b->plan);
    rn_sgd_options sgd = {.momentum = 0.9, .weight_decay = 1e-4};

    RN_TRY(rn_run_create(&b->run, b->plan));
    RN_TRY(fill_parameters(b->run));
    if (options->training)
        RN_TRY(rn_sgd_create(&b->sgd, b->run, b->engine, &sgd));
    fill_input(b->run, graph, options);
    RN_TRY(cli_op_times_init(&b->op_times, b->plan));
    b->flops = cli_step_flops(b->plan);
out:
    return st;
}

// The steps first, then, without their memory, the prediction: its calibration has arrays of its
// own, which must not show in the peak.
static void release_run(bench *b)
{
    rn_sgd_free(b->sgd);
    rn_run_free(b->run);
    b->sgd = NULL;
    b->run = NULL;
}

// Op by op where the ops are to be timed.
static rn_status run_list(bench *b, bool backward)
{
    if (b->by_op)
        return cli_op_times_run(&b->op_times, b->run, backward);
    return backward ? rn_run_backward(b->run) : rn_run_forward(b->run);
}

static rn_status step(bench *b, double times[PARTS])
{
    rn_status st;
    double start = rn_clock(), forward, backward;

    RN_TRY(run_list(b, false));
    forward = backward = rn_clock();
    if (b->sgd != NULL) {
        RN_TRY(run_list(b, true));
        backward = rn_clock();
        rn_sgd_step(b->sgd, 1e-4);
    }
    times[PART_STEP] = rn_clock() - start;
    times[PART_FORWARD] = forward - start;
    times[PART_BACKWARD] = backward - forward;
    times[PART_UPDATE] = times[PART_STEP] - times[PART_FORWARD] - times[PART_BACKWARD];
    b->update = (cli_op_span){backward, start + times[PART_STEP]};
out:
    return st;
}

static rn_status serve_step(void *context, double *seconds)
{
    double times[PARTS];
    rn_status st = step(context, times);

    *seconds = st == RN_OK ? times[PART_STEP] : 0;
    return st;
}

static rn_status serve(bench *b)
{
    rn_status st = RN_OK;
    cli_bench_server server = {
        .step = serve_step, .context = b, .flops = b->flops, .loaded = b->loaded};
    double seconds;

    for (int i = 0; i < WARM_UP; i++)
        RN_TRY(serve_step(b, &seconds));
    RN_TRY(cli_bench_serve(&server));
out:
    return st;
}

static int by_time(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static rn_status measure(bench *b)
{
    rn_status st = RN_OK;
    double times[PARTS];

    for (int p = 0; p < PARTS; p++) {
        b->times[p] = calloc((size_t)b->steps, sizeof *b->times[p]);
        if (b->times[p] == NULL)
            return rn_error(RN_ENOMEM, "no memory for the times of %d steps", b->steps);
    }
    for (int i = -WARM_UP; i < b->steps; i++) {
        RN_TRY(step(b, times));
        for (int p = 0; p < PARTS && i >= 0; p++)
            b->times[p][i] = times[p];
        if (b->by_op && i >= 0)
            cli_op_times_keep(&b->op_times, b->update, times[PART_STEP]);
    }
    for (int p = 0; p < PARTS; p++)
        qsort(b->times[p], (size_t)b->steps, sizeof *b->times[p], by_time);
out:
    return st;
}

static double median(const bench *b, part p)
{
    int half = b->steps / 2;

    return b->steps % 2 == 1 ? b->times[p][half] : (b->times[p][half - 1] + b->times[p][half]) / 2;
}

static void print_part(const bench *b, part p, int batch)
{
    double best = b->times[p][0], middle = median(b, p);

    printf("  %-10s %12s %12s", part_names[p], cli_time(best).text, cli_time(middle).text);
    if (p == PART_STEP)
        printf("   %.0f images/s, %.1f GFLOP/s at the median", batch / middle,
               b->flops / middle / 1e9);
    printf("\n");
}

static void print_memory(const bench *b)
{
    cli_step_memory memory = cli_step_memory_of(b->plan);

    printf("\n  memory planned %s", cli_bytes((double)memory.total).text);
    if (b->peak > 0)
        printf(", peak of the process %s, %.3f times that", cli_bytes((double)b->peak).text,
               (double)b->peak / (double)memory.total);
    printf("\n");
    if (memory.plan.recomputed > 0)
        printf("  %d ops computed twice instead of kept, %.2g%% more flops\n",
               memory.plan.recomputed, memory.repeated);
}

static void print_result(const bench *b, const rn_graph *graph)
{
    const rn_plan_options *options = rn_plan_options_of(b->plan);
    char processor[128];
    double plain; // what the prediction is of: a step without the update

    cli_processor_name(processor, sizeof processor);
    printf("%s, batch %d, %s, %s: %d step%s\n", rn_graph_model(graph), options->batch,
           options->training ? "training" : "inference", cli_step_type_name(b->plan), b->steps,
           b->steps == 1 ? "" : "s");
    printf("%s, %d thread%s, %s engine (%s)\n\n", processor, rn_threads(),
           rn_threads() == 1 ? "" : "s", rn_engine_name(b->engine),
           rn_engine_description(b->engine));
    printf("  %s%-10s %12s %12s%s\n", cli_style(stdout, CLI_BOLD), "", "best", "median",
           cli_style(stdout, CLI_NORMAL));
    for (part p = PART_FORWARD; p < PARTS; p++)
        if (options->training || p == PART_STEP)
            print_part(b, p, options->batch);
    plain = options->training ? median(b, PART_FORWARD) + median(b, PART_BACKWARD)
                              : median(b, PART_STEP);
    printf("  %-10s %12s %12s   the median is %.2f times that%s\n", "predicted", "",
           cli_time(b->predicted).text, b->predicted > 0 ? plain / b->predicted : 0,
           options->training ? ", update excluded" : "");
    print_memory(b);
    cli_limits_print(&b->machine, &b->costs, b->flops, median(b, PART_STEP));
}

static rn_status print_json(const bench *b, const rn_graph *graph)
{
    const rn_plan_options *options = rn_plan_options_of(b->plan);
    cli_step_memory memory = cli_step_memory_of(b->plan);
    cJSON *json = cJSON_CreateObject();
    char processor[128];

    cli_processor_name(processor, sizeof processor);
    cJSON_AddStringToObject(json, "model", rn_graph_model(graph));
    cli_json_add(json, "batch", options->batch);
    cJSON_AddStringToObject(json, "dtype", cli_step_type_name(b->plan));
    cJSON_AddBoolToObject(json, "training", options->training);
    cJSON_AddStringToObject(json, "processor", processor);
    cJSON_AddStringToObject(json, "engine", rn_engine_name(b->engine));
    cJSON_AddStringToObject(json, "engine_description", rn_engine_description(b->engine));
    cli_json_add(json, "threads", rn_threads());
    cli_json_add(json, "steps", b->steps);
    for (part p = PART_FORWARD; p < PARTS; p++) {
        cJSON *item = cJSON_AddObjectToObject(json, part_names[p]);
        cli_json_add(item, "best_seconds", b->times[p][0]);
        cli_json_add(item, "median_seconds", median(b, p));
    }
    cli_json_add(json, "predicted_seconds", b->predicted);
    cli_step_memory_json(json, &memory);
    cli_json_add(json, "loaded_bytes", (double)b->loaded);
    cli_json_add(json, "peak_bytes", (double)b->peak);
    cli_json_add(json, "peak_over_planned", (double)b->peak / (double)memory.total);
    cli_json_add(json, "flops", b->flops);
    cli_json_add(json, "images_per_second", options->batch / median(b, PART_STEP));
    cli_json_add(json, "gflops", b->flops / median(b, PART_STEP) / 1e9);
    cli_limits_json(json, &b->machine, &b->costs);
    return cli_print_json(json);
}

static void release(bench *b)
{
    for (int p = 0; p < PARTS; p++)
        free(b->times[p]);
    release_run(b);
    cli_op_costs_release(&b->costs);
    cli_op_times_release(&b->op_times);
    rn_plan_free(b->plan);
    rn_engine_free(b->engine);
}

// What is measured without the steps' memory: the machine, and what the plan's ops should take.
static rn_status assess(bench *b)
{
    rn_status st;

    RN_TRY(rn_plan_predict(b->plan, &b->predicted, NULL));
    RN_TRY(cli_peaks_measure(&b->machine));
    RN_TRY(cli_op_costs_init(&b->costs, &b->op_times, &b->machine));
out:
    return st;
}

static rn_status report(const bench *b, const rn_graph *graph, const cli_arguments *args)
{
    rn_status st = RN_OK;
    const char *trace = cli_text(args, "trace"), *ops = cli_text(args, "ops");

    if (trace != NULL)
        RN_TRY(cli_trace_write(trace, &b->op_times, &b->costs, rn_graph_model(graph)));
    if (cli_flag(args, "json"))
        return print_json(b, graph);
    print_result(b, graph);
    if (ops != NULL)
        cli_op_costs_print(&b->costs, strcmp(ops, "all") != 0);
out:
    return st;
}

static rn_status run_bench(const cli_arguments *args)
{
    rn_status st = RN_OK;
    cli_network network = {0};
    bench b = {.steps = (int)cli_integer(args, "steps"), .loaded = rn_process_memory().resident};
    rn_plan_options plan_options = {.batch = (int)cli_integer(args, "batch"),
                                    .training = !cli_flag(args, "inference")};

    b.by_op = cli_given(args, "ops") || cli_given(args, "trace") || cli_flag(args, "json");
    if (cli_given(args, "trace"))
        RN_TRY(cli_trace_check(cli_text(args, "trace")));
    if (cli_flag(args, "serve") && (cli_given(args, "steps") || b.by_op))
        return rn_error(RN_EINVAL, "'--serve' excludes '--steps', '--ops', '--trace' and '--json'");
    RN_TRY(rn_threads_set((int)cli_integer(args, "threads")));
    RN_TRY(cli_network_open(&network, args, "resnet-20"));
    RN_TRY(rn_engine_create(&b.engine, cli_text(args, "engine")));
    RN_TRY(cli_step_plan(&b.plan, network.graph, b.engine, plan_options, cli_text(args, "dtype"),
                         cli_size(args, "memory")));
    RN_TRY(prepare_run(&b, network.graph));
    if (cli_flag(args, "serve")) {
        st = serve(&b);
        goto out;
    }
    RN_TRY(measure(&b));
    b.peak = rn_process_memory().peak;
    release_run(&b);
    RN_TRY(assess(&b));
    RN_TRY(report(&b, network.graph, args));
out:
    release(&b);
    cli_network_release(&network);
    return st;
}

static const cli_option options[] = {
    CLI_BATCH_OPTION,
    CLI_DTYPE_OPTION,
    {.name = "steps",
     .letter = 'n',
     .kind = CLI_INTEGER,
     .argument = "N",
     .help = "steps measured",
     .fallback = "20",
     .low = LEAST_STEPS,
     .high = MOST_STEPS},
    {.name = "inference", .kind = CLI_FLAG, .help = "measure the forward pass alone"},
    {.name = "ops",
     .kind = CLI_CHOICE,
     .argument = "HOW",
     .help = "also list the ops with their times and how near they come to the machine's limits: "
             "like ones together, the longest first, or all in order",
     .choices = "group|all"},
    {.name = "trace",
     .kind = CLI_FILE,
     .argument = "FILE",
     .help = "write the fastest step as a Chrome trace, for chrome://tracing or Perfetto"},
    {.name = "serve",
     .kind = CLI_FLAG,
     .help = "measure on demand: answer each line of standard input, a number of steps, with a "
             "line of JSON, their times in seconds"},
    CLI_MEMORY_OPTION("most memory that a step with its optimiser may take, such as 16G or 500MB; "
                      "where it needs more, activations are computed twice instead of kept"),
    CLI_INPUT_OPTION,
    CLI_CLASSES_OPTION,
    CLI_THREADS_OPTION,
    CLI_ENGINE_OPTION,
    CLI_JSON_OPTION,
    {0}};

const cli_command cli_bench = {
    .name = "bench",
    .usage = "[MODEL|MODEL-FILE|RUN]",
    .summary = "measure the time of a step on this machine",
    .description = "Measure the time of training steps (or, with --inference, of forward passes) "
                   "of a network, resnet-20 if none is named, on random pictures: best and median, "
                   "pictures and floating-point operations a second, beside the prediction of "
                   "'resnet plan'; the peak of the memory in use, beside what was planned; and "
                   "the share of what the machine can do, whose highest rate of multiply-adds and "
                   "of memory are measured too.\n\n"
                   "An op takes at least the longer of its operations at the one rate and its "
                   "bytes at the other: with --ops that limit is shown beside each op's best time, "
                   "and how much of it was reached. What caches hold may be faster.\n\n"
                   "With --serve the first line of JSON comes when all is set up, and the process "
                   "sleeps between requests, so that several programs can be measured in turn.",
    .examples = "resnet bench\n"
                "resnet bench resnet-110 --batch 64 --steps 50\n"
                "resnet bench resnet-20 --batch 1 --inference\n"
                "resnet bench resnet-56 --ops group\n"
                "resnet bench resnet-20 --trace step.json\n"
                "printf '5\\n5\\n' | resnet bench resnet-20 --serve",
    .most = 1,
    .word = CLI_WORD_MODEL,
    .options = options,
    .run = run_bench,
};
