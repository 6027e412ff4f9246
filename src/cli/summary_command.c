#include "cli/command.h"
#include "cli/json_output.h"
#include "cli/network.h"
#include "cli/term.h"

#include <string.h>

typedef struct totals {
    int64_t parameters, multiply_adds, statistics;
} totals;

static totals add_up(const rn_graph *graph)
{
    totals sum = {0};

    for (int i = 0; i < rn_graph_nodes(graph); i++) {
        sum.parameters += rn_node_parameters(graph, i);
        sum.multiply_adds += rn_node_multiply_adds(graph, i);
    }
    for (int i = 0; i < rn_graph_params(graph); i++)
        if (!rn_param_trained(rn_graph_param(graph, i)))
            sum.statistics += (int64_t)rn_graph_param(graph, i)->count;
    return sum;
}

static int name_width(const rn_graph *graph)
{
    size_t width = strlen("layer");

    for (int i = 0; i < rn_graph_nodes(graph); i++)
        if (strlen(rn_graph_node(graph, i)->name) > width)
            width = strlen(rn_graph_node(graph, i)->name);
    return (int)width;
}

// The size of an average pool's output says nothing more than its channels.
static void spell_shape(char *text, size_t size, const rn_node *node)
{
    if (node->height == 1 && node->width == 1)
        snprintf(text, size, "%d", node->channels);
    else
        snprintf(text, size, "%d x %d x %d", node->channels, node->height, node->width);
}

static void spell_kind(char *text, size_t size, const rn_node *node)
{
    if (node->kind == RN_NODE_CONV || node->kind == RN_NODE_MAX_POOL)
        snprintf(text, size, "%s %dx%d%s", rn_node_kind_name(node->kind), node->kernel,
                 node->kernel, node->stride == 2 ? " /2" : "");
    else
        snprintf(text, size, "%s", rn_node_kind_name(node->kind));
}

static cli_number count_or_dash(int64_t value)
{
    return value != 0 ? cli_count(value) : (cli_number){"-"};
}

static void print_nodes(const rn_graph *graph)
{
    int width = name_width(graph);
    char shape[48], kind[48];

    printf("%s%-*s  %-16s  %-14s  %11s  %13s%s\n", cli_style(stdout, CLI_BOLD), width, "layer",
           "kind", "output", "parameters", "multiply-adds", cli_style(stdout, CLI_NORMAL));
    for (int i = 0; i < rn_graph_nodes(graph); i++) {
        const rn_node *node = rn_graph_node(graph, i);
        if (node->kind == RN_NODE_CROSS_ENTROPY)
            continue;
        spell_shape(shape, sizeof shape, node);
        spell_kind(kind, sizeof kind, node);
        printf("%-*s  %-16s  %-14s  %11s  %13s\n", width, node->name, kind, shape,
               count_or_dash(rn_node_parameters(graph, i)).text,
               count_or_dash(rn_node_multiply_adds(graph, i)).text);
    }
}

static void print_summary(const rn_graph *graph)
{
    totals sum = add_up(graph);
    const rn_model_options *options = rn_graph_options(graph);

    print_nodes(graph);
    printf("\n%s: %d layers deep, input %d x %d x %d, %d classes\n", rn_graph_model(graph),
           rn_graph_depth(graph), options->channels, options->height, options->width,
           options->classes);
    printf("  %13s  trained parameters (%s as float32)\n", cli_count(sum.parameters).text,
           cli_bytes(4 * (double)sum.parameters).text);
    printf("  %13s  running statistics\n", cli_count(sum.statistics).text);
    printf("  %13s  multiply-adds for one image (%s)\n", cli_count(sum.multiply_adds).text,
           cli_scaled((double)sum.multiply_adds).text);
}

static cJSON *node_json(const rn_graph *graph, int index)
{
    const rn_node *node = rn_graph_node(graph, index);
    cJSON *json = cJSON_CreateObject();
    int shape[3] = {node->channels, node->height, node->width};

    cJSON_AddStringToObject(json, "name", node->name);
    cJSON_AddStringToObject(json, "kind", rn_node_kind_name(node->kind));
    cJSON_AddItemToObject(json, "output", cJSON_CreateIntArray(shape, 3));
    cli_json_add(json, "parameters", (double)rn_node_parameters(graph, index));
    cli_json_add(json, "multiply_adds", (double)rn_node_multiply_adds(graph, index));
    return json;
}

static rn_status print_json(const rn_graph *graph)
{
    totals sum = add_up(graph);
    cJSON *json = cJSON_CreateObject(), *layers;

    cJSON_AddStringToObject(json, "model", rn_graph_model(graph));
    cli_json_add(json, "classes", rn_graph_options(graph)->classes);
    cli_json_add(json, "depth", rn_graph_depth(graph));
    cli_json_add(json, "parameters", (double)sum.parameters);
    cli_json_add(json, "running_statistics", (double)sum.statistics);
    cli_json_add(json, "multiply_adds", (double)sum.multiply_adds);
    layers = cJSON_AddArrayToObject(json, "layers");
    for (int i = 0; i < rn_graph_nodes(graph); i++)
        cJSON_AddItemToArray(layers, node_json(graph, i));
    return cli_print_json(json);
}

static void print_models(void)
{
    for (int i = 0; rn_model_name(i) != NULL; i++)
        printf("%-14s  %s\n", rn_model_name(i), rn_model_summary(i));
}

static rn_status run_summary(const cli_arguments *args)
{
    rn_status st;
    cli_network network = {0};

    if (args->word_count == 0) {
        print_models();
        return RN_OK;
    }
    RN_TRY(cli_network_open(&network, args, NULL));
    if (cli_flag(args, "json"))
        st = print_json(network.graph);
    else
        print_summary(network.graph);
out:
    cli_network_release(&network);
    return st;
}

static const cli_option options[] = {CLI_INPUT_OPTION, CLI_CLASSES_OPTION, CLI_JSON_OPTION, {0}};

const cli_command cli_summary = {
    .name = "summary",
    .usage = "[MODEL|MODEL-FILE|RUN]",
    .summary = "list a network's layers, or the networks there are",
    .description = "List a network's layers with their output, trained parameters and "
                   "multiply-adds for one picture, and the totals. Without a word, list the "
                   "networks that have a name.",
    .examples = "resnet summary\n"
                "resnet summary resnet-20\n"
                "resnet summary resnet-56:shortcut=B --classes 100",
    .most = 1,
    .word = CLI_WORD_MODEL,
    .options = options,
    .run = run_summary,
};
