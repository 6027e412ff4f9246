#include "cli/command.h"
#include "cli/json_output.h"
#include "cli/model_file.h"
#include "cli/network.h"
#include "cli/summary.h"

#include <stdlib.h>
#include <string.h>

// The networks that a command's words name.
typedef struct networks {
    cli_network *opened;
    const rn_graph **graphs;
    int count;
} networks;

static void release_networks(networks *all)
{
    for (int i = 0; i < all->count; i++)
        cli_network_release(&all->opened[i]);
    free(all->opened);
    free(all->graphs);
}

static rn_status open_networks(networks *all, const cli_arguments *args)
{
    rn_status st = RN_OK;
    cli_arguments one = *args;

    one.word_count = 1;
    all->opened = calloc((size_t)args->word_count, sizeof *all->opened);
    all->graphs = calloc((size_t)args->word_count, sizeof *all->graphs);
    if (all->opened == NULL || all->graphs == NULL)
        return rn_error(RN_ENOMEM, "no memory for %d networks", args->word_count);
    while (all->count < args->word_count && st == RN_OK) {
        one.words = args->words + all->count;
        st = cli_network_open(&all->opened[all->count], &one, NULL);
        all->graphs[all->count] = all->opened[all->count].graph;
        all->count++;
    }
    return st;
}

// JSON

static void add_inputs(cJSON *json, const rn_graph *graph, const rn_node *node)
{
    cJSON *inputs = cJSON_AddArrayToObject(json, "inputs");

    for (int k = 0; k < 2 && node->inputs[k] >= 0; k++)
        cJSON_AddItemToArray(inputs,
                             cJSON_CreateString(rn_graph_node(graph, node->inputs[k])->name));
}

static void add_particulars(cJSON *json, const rn_node *node)
{
    if (node->kernel > 0) {
        cli_json_add(json, "kernel", node->kernel);
        cli_json_add(json, "pad", node->pad);
    }
    if (node->kernel > 0 || node->kind == RN_NODE_SHORTCUT_PAD)
        cli_json_add(json, "stride", node->stride);
    if (node->kind == RN_NODE_SCALE)
        cli_json_add(json, "scale", (double)node->scale);
    if (node->kind == RN_NODE_DROPOUT || node->kind == RN_NODE_DROP_BRANCH)
        cli_json_add(json, "rate", (double)node->rate);
    if (node->kind == RN_NODE_GATE)
        cJSON_AddBoolToObject(json, "complement", node->complement);
    if (node->stage > 0) {
        cli_json_add(json, "stage", node->stage);
        cli_json_add(json, "unit", node->unit);
    }
}

static cJSON *node_json(const rn_graph *graph, int index)
{
    const rn_node *node = rn_graph_node(graph, index);
    cJSON *json = cJSON_CreateObject();
    int shape[3] = {node->channels, node->height, node->width};

    cJSON_AddStringToObject(json, "name", node->name);
    cJSON_AddStringToObject(json, "kind", rn_node_kind_name(node->kind));
    add_inputs(json, graph, node);
    add_particulars(json, node);
    cJSON_AddItemToObject(json, "output", cJSON_CreateIntArray(shape, 3));
    cli_json_add(json, "parameters", (double)rn_node_parameters(graph, index));
    cli_json_add(json, "multiply_adds", (double)rn_node_multiply_adds(graph, index));
    return json;
}

static cJSON *graph_json(const rn_graph *graph)
{
    cli_totals sum = cli_summary_totals(graph);
    const rn_model_options *options = rn_graph_options(graph);
    int input[3] = {options->channels, options->height, options->width};
    cJSON *json = cJSON_CreateObject(), *layers;

    cJSON_AddStringToObject(json, "model", rn_graph_model(graph));
    cJSON_AddItemToObject(json, "input", cJSON_CreateIntArray(input, 3));
    cli_json_add(json, "classes", options->classes);
    cli_json_add(json, "depth", rn_graph_depth(graph));
    cli_json_add(json, "parameters", (double)sum.parameters);
    cli_json_add(json, "running_statistics", (double)sum.statistics);
    cli_json_add(json, "multiply_adds", (double)sum.multiply_adds);
    layers = cJSON_AddArrayToObject(json, "layers");
    for (int i = 0; i < rn_graph_nodes(graph); i++)
        cJSON_AddItemToArray(layers, node_json(graph, i));
    return json;
}

// One network: its object; several: an array of these.
static rn_status print_json(const networks *all)
{
    if (all->count == 1)
        return cli_print_json(graph_json(all->graphs[0]));
    cJSON *json = cJSON_CreateArray();
    for (int i = 0; i < all->count; i++)
        cJSON_AddItemToArray(json, graph_json(all->graphs[i]));
    return cli_print_json(json);
}

// Pictures

// "--svg resnet-20" names a file, which is hardly meant; a model file must not be drawn over.
static rn_status check_file(const char *option, const char *path)
{
    rn_status st;
    rn_graph *graph;

    RN_TRY(cli_refuse_model_name(option, path));
    if (rn_graph_create(&graph, path, NULL) != RN_OK)
        return RN_OK;
    rn_graph_free(graph);
    st = rn_error(RN_EINVAL,
                  "option '--%s' names the file to write, found model '%s': write it before the "
                  "option, or './%s' for the file",
                  option, path, path);
out:
    return st;
}

static rn_status draw(const networks *all, const cli_arguments *args, const char *option)
{
    rn_status st;
    const char *path = cli_text(args, option);
    bool to_file = *path != '\0' && strcmp(path, "-") != 0;
    bool detail = cli_flag(args, "detail");
    rn_draw_options how = {.detail = detail, .expand = detail || cli_flag(args, "all")};
    char *text = NULL;

    if (strcmp(option, "svg") == 0)
        RN_TRY(rn_graph_draw_svg(&text, all->graphs, all->count, &how));
    else
        RN_TRY(rn_graph_draw_dot(&text, all->graphs, all->count, &how));
    if (to_file)
        RN_TRY(rn_text_write(path, text));
    else
        fputs(text, stdout);
out:
    rn_text_free(text);
    return st;
}

// Which picture is wanted: "svg", "dot" or NULL.
static const char *wanted_picture(const cli_arguments *args)
{
    return cli_given(args, "svg") ? "svg" : cli_given(args, "dot") ? "dot" : NULL;
}

static rn_status check_options(const cli_arguments *args)
{
    const char *picture = wanted_picture(args);

    if (cli_given(args, "svg") + cli_given(args, "dot") + cli_flag(args, "json") > 1)
        return rn_error(RN_EINVAL, "'--svg', '--dot' and '--json' exclude each other");
    if (picture == NULL && cli_flag(args, "detail"))
        return rn_error(RN_EINVAL, "'--detail' is for '--svg' and '--dot'");
    if (picture == NULL)
        return RN_OK;
    if (args->word_count == 0 && *cli_text(args, picture) != '\0')
        return rn_error(RN_EINVAL, "no network to draw into '%s': name it before the option '--%s'",
                        cli_text(args, picture), picture);
    if (args->word_count == 0)
        return rn_error(RN_EINVAL, "option '--%s' expects networks to draw, found none", picture);
    if (args->word_count > RN_DRAW_MOST)
        return rn_error(RN_EINVAL, "option '--%s' expects up to %d networks, found %d", picture,
                        RN_DRAW_MOST, args->word_count);
    return check_file(picture, cli_text(args, picture));
}

static rn_status run_summary(const cli_arguments *args)
{
    rn_status st;
    networks all = {0};

    RN_TRY(check_options(args));
    if (args->word_count == 0)
        return cli_summary_models();
    RN_TRY(open_networks(&all, args));
    if (wanted_picture(args) != NULL)
        st = draw(&all, args, wanted_picture(args));
    else if (cli_flag(args, "json"))
        st = print_json(&all);
    else if (all.count == 1)
        cli_summary_print(all.graphs[0], cli_flag(args, "all"));
    else
        cli_summary_compare(all.graphs, all.count);
out:
    release_networks(&all);
    return st;
}

static const cli_option options[] = {
    CLI_INPUT_OPTION,
    CLI_CLASSES_OPTION,
    {.name = "all",
     .kind = CLI_FLAG,
     .help = "every unit, also where many are alike (lists of more than 80 lines and pictures of "
             "more than 64 layers show such units once)"},
    {.name = "svg",
     .kind = CLI_OPTIONAL_FILE,
     .argument = "FILE",
     .help = "draw the networks side by side, as SVG; without FILE on standard output"},
    {.name = "dot", .kind = CLI_OPTIONAL_FILE, .argument = "FILE", .help = "the same for Graphviz"},
    {.name = "detail",
     .kind = CLI_FLAG,
     .help = "draw every node of every unit: BN, ReLU, addition, what is on shortcuts"},
    CLI_JSON_OPTION,
    {0}};

const cli_command cli_summary = {
    .name = "summary",
    .usage = "[MODEL|MODEL-FILE|RUN]...",
    .summary = "list or draw a network's layers, or list the networks there are",
    .description =
        "List a network's layers with their output, trained parameters and multiply-adds for one "
        "picture, and the totals; of several networks, the totals. Without a word, list the "
        "networks that have a name.\n\n"
        "With --svg or --dot, draw one or several networks as figure 3 of the 2015 paper does: a "
        "box for each layer, rows of equal output size in line, shortcuts as arrows beside the "
        "boxes, dotted where the dimensions change.",
    .examples = "resnet summary\n"
                "resnet summary resnet-20\n"
                "resnet summary resnet-56:shortcut=B --classes 100\n"
                "resnet summary plain-20 resnet-20 --svg networks.svg\n"
                "resnet summary resnet-20 --dot --detail | dot -Tpdf >resnet-20.pdf",
    .most = -1,
    .word = CLI_WORD_MODEL,
    .options = options,
    .run = run_summary,
};
