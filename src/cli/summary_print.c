#include "cli/summary.h"
#include "cli/term.h"

#include <string.h>

enum { LONG_LIST = 80 }; // lines; in a longer one, units like the one before share a line

cli_totals cli_summary_totals(const rn_graph *graph)
{
    cli_totals sum = {0};

    for (int i = 0; i < rn_graph_nodes(graph); i++) {
        sum.parameters += rn_node_parameters(graph, i);
        sum.multiply_adds += rn_node_multiply_adds(graph, i);
    }
    for (int i = 0; i < rn_graph_params(graph); i++)
        if (!rn_param_trained(rn_graph_param(graph, i)))
            sum.statistics += (int64_t)rn_graph_param(graph, i)->count;
    return sum;
}

// Rows of the list

typedef struct row {
    char name[RN_MAX_NAME], kind[48], output[48];
    int64_t parameters, multiply_adds;
} row;

typedef struct widths {
    int rows, name, kind, output;
} widths;

typedef void (*row_use)(const row *line, widths *columns);

// The size of an average pool's output says nothing more than its channels.
static void spell_shape(char *text, size_t size, const rn_node *node)
{
    if (node->height == 1 && node->width == 1)
        snprintf(text, size, "%d", node->channels);
    else
        snprintf(text, size, "%d x %d x %d", node->channels, node->height, node->width);
}

static void spell_stride(char *text, size_t size, const rn_node *node)
{
    size_t used = strlen(text);

    if (node->stride > 1)
        snprintf(text + used, size - used, " /%d", node->stride);
}

static void spell_kind(char *text, size_t size, const rn_node *node)
{
    const char *name = rn_node_kind_name(node->kind);

    switch (node->kind) {
    case RN_NODE_CONV:
    case RN_NODE_MAX_POOL:
        snprintf(text, size, "%s %dx%d", name, node->kernel, node->kernel);
        spell_stride(text, size, node);
        break;
    case RN_NODE_SHORTCUT_PAD:
        snprintf(text, size, "%s", name);
        spell_stride(text, size, node);
        break;
    case RN_NODE_SCALE:
        snprintf(text, size, "%s %.4g", name, (double)node->scale);
        break;
    case RN_NODE_DROPOUT:
    case RN_NODE_DROP_BRANCH:
        snprintf(text, size, "%s %.4g", name, (double)node->rate);
        break;
    case RN_NODE_GATE:
        snprintf(text, size, "%s %s", name, node->complement ? "1 - sigmoid" : "sigmoid");
        break;
    default:
        snprintf(text, size, "%s", name);
    }
}

static void use_node(const rn_graph *graph, int index, row_use use, widths *columns)
{
    const rn_node *node = rn_graph_node(graph, index);
    row line = {.parameters = rn_node_parameters(graph, index),
                .multiply_adds = rn_node_multiply_adds(graph, index)};

    if (node->kind == RN_NODE_CROSS_ENTROPY)
        return;
    snprintf(line.name, sizeof line.name, "%s", node->name);
    spell_kind(line.kind, sizeof line.kind, node);
    spell_shape(line.output, sizeof line.output, node);
    use(&line, columns);
}

static bool same_rates(const rn_graph *graph, const rn_unit_run *run)
{
    for (int i = run->first + run->nodes; i < run->first + run->nodes * run->times; i++) {
        float rate = rn_graph_node(graph, i)->rate;
        float before = rn_graph_node(graph, i - run->nodes)->rate;
        if (rate < before || rate > before)
            return false;
    }
    return true;
}

// One line for all units of a run but the first.
static void use_rest(const rn_graph *graph, const rn_unit_run *run, row_use use, widths *columns)
{
    row line = {0};
    int last = run->first + run->nodes * run->times;

    for (int i = run->first + run->nodes; i < last; i++) {
        line.parameters += rn_node_parameters(graph, i);
        line.multiply_adds += rn_node_multiply_adds(graph, i);
    }
    if (run->times == 2)
        snprintf(line.name, sizeof line.name, "layer%d.%d", run->stage, run->unit + 1);
    else
        snprintf(line.name, sizeof line.name, "layer%d.%d ... layer%d.%d", run->stage,
                 run->unit + 1, run->stage, run->unit + run->times - 1);
    snprintf(line.kind, sizeof line.kind, "as layer%d.%d%s", run->stage, run->unit,
             same_rates(graph, run) ? "" : ", other rates");
    spell_shape(line.output, sizeof line.output, rn_graph_node(graph, last - 1));
    use(&line, columns);
}

static void use_rows(const rn_graph *graph, bool all, row_use use, widths *columns)
{
    rn_unit_run run;

    for (int i = 0; i < rn_graph_nodes(graph); i += all ? 1 : run.nodes * run.times) {
        if (all)
            run.nodes = run.times = 1;
        else
            rn_graph_unit_run(&run, graph, i);
        for (int k = i; k < i + run.nodes; k++)
            use_node(graph, k, use, columns);
        if (run.times > 1)
            use_rest(graph, &run, use, columns);
    }
}

static void widen(int *width, const char *text)
{
    if ((int)strlen(text) > *width)
        *width = (int)strlen(text);
}

static void measure_row(const row *line, widths *columns)
{
    columns->rows++;
    widen(&columns->name, line->name);
    widen(&columns->kind, line->kind);
    widen(&columns->output, line->output);
}

static cli_number count_or_dash(int64_t value)
{
    return value != 0 ? cli_count(value) : (cli_number){"-"};
}

static void print_row(const row *line, widths *columns)
{
    printf("%-*s  %-*s  %-*s  %11s  %14s\n", columns->name, line->name, columns->kind, line->kind,
           columns->output, line->output, count_or_dash(line->parameters).text,
           count_or_dash(line->multiply_adds).text);
}

static void print_nodes(const rn_graph *graph, bool all)
{
    widths whole = {0, 5, 4, 6}, columns = whole; // of the headings

    use_rows(graph, true, measure_row, &whole);
    all = all || whole.rows <= LONG_LIST;
    use_rows(graph, all, measure_row, &columns);
    printf("%s%-*s  %-*s  %-*s  %11s  %14s%s\n", cli_style(stdout, CLI_BOLD), columns.name, "layer",
           columns.kind, "kind", columns.output, "output", "parameters", "multiply-adds",
           cli_style(stdout, CLI_NORMAL));
    use_rows(graph, all, print_row, &columns);
}

void cli_summary_print(const rn_graph *graph, bool all)
{
    cli_totals sum = cli_summary_totals(graph);
    const rn_model_options *options = rn_graph_options(graph);

    print_nodes(graph, all);
    printf("\n%s: %d layers deep, input %d x %d x %d, %d classes\n", rn_graph_model(graph),
           rn_graph_depth(graph), options->channels, options->height, options->width,
           options->classes);
    printf("  %14s  trained parameters (%s as float32)\n", cli_count(sum.parameters).text,
           cli_bytes(4 * (double)sum.parameters).text);
    printf("  %14s  running statistics\n", cli_count(sum.statistics).text);
    printf("  %14s  multiply-adds for one image (%s)\n", cli_count(sum.multiply_adds).text,
           cli_scaled((double)sum.multiply_adds).text);
}

void cli_summary_compare(const rn_graph *const *graphs, int count)
{
    int width = (int)strlen("network");
    char input[48];

    for (int i = 0; i < count; i++)
        widen(&width, rn_graph_model(graphs[i]));
    printf("%s%-*s  %6s  %13s  %14s  %-13s  %7s%s\n", cli_style(stdout, CLI_BOLD), width, "network",
           "layers", "parameters", "multiply-adds", "input", "classes",
           cli_style(stdout, CLI_NORMAL));
    for (int i = 0; i < count; i++) {
        const rn_model_options *options = rn_graph_options(graphs[i]);
        cli_totals sum = cli_summary_totals(graphs[i]);
        snprintf(input, sizeof input, "%d x %d x %d", options->channels, options->height,
                 options->width);
        printf("%-*s  %6d  %13s  %14s  %-13s  %7s\n", width, rn_graph_model(graphs[i]),
               rn_graph_depth(graphs[i]), cli_count(sum.parameters).text,
               cli_count(sum.multiply_adds).text, input, cli_count(options->classes).text);
    }
}

// The list of networks

typedef enum family { CIFAR, IMAGENET, VGG, WIDE, FAMILIES } family;

static const char *const family_names[FAMILIES] = {
    [CIFAR] = "CIFAR",
    [IMAGENET] = "ImageNet",
    [VGG] = "VGG",
    [WIDE] = "Wide residual networks",
};

// By its name, or else by the size of the pictures it is made for.
static rn_status find_family(family *found, const char *name)
{
    rn_graph *graph;

    *found = strncmp(name, "vgg", 3) == 0 ? VGG : WIDE;
    if (*found == VGG || strncmp(name, "wrn", 3) == 0)
        return RN_OK;
    rn_status st = rn_graph_create(&graph, name, NULL);
    if (st == RN_OK)
        *found = rn_graph_options(graph)->height > 64 ? IMAGENET : CIFAR;
    rn_graph_free(graph);
    return st;
}

enum { MOST_MODELS = 256 };

rn_status cli_summary_models(void)
{
    family families[MOST_MODELS];
    int count = 0, width = 0;
    bool first = true;

    for (; count < MOST_MODELS && rn_model_name(count) != NULL; count++) {
        rn_status st = find_family(&families[count], rn_model_name(count));
        if (st != RN_OK)
            return st;
        widen(&width, rn_model_name(count));
    }
    for (family f = 0; f < FAMILIES; f++) {
        bool headed = false;
        for (int i = 0; i < count; i++) {
            if (families[i] != f)
                continue;
            if (!headed)
                printf("%s%s%s%s\n", first ? "" : "\n", cli_style(stdout, CLI_BOLD),
                       family_names[f], cli_style(stdout, CLI_NORMAL));
            headed = true;
            first = false;
            printf("%-*s  %s\n", width, rn_model_name(i), rn_model_summary(i));
        }
    }
    return RN_OK;
}
