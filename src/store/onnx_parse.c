// An ONNX file as a model: read, lowered, recognised, and its parameters handed out.
#include "base/json.h"
#include "base/memory.h"
#include "store/checkpoint.h"
#include "store/foreign.h"
#include "store/onnx_derive.h"
#include "store/onnx_match.h"

#include <stdio.h>
#include <string.h>

// What a result points into.
typedef struct onnx_owner {
    char *bytes;
    rn_onnx_files files;
    rn_graph *graph; // names of the tensors
    rn_blocks blocks;
} onnx_owner;

// A file on its way.
typedef struct parsing {
    rn_onnx_model model;
    rn_onnx_files files;
    rn_net net;
    rn_match match;
    rn_model_options said; // by the metadata
    rn_graph *graph;
    rn_status failed; // of the first spec that was tried
    char message[1024];
} parsing;

static void release_owner(void *pointer)
{
    onnx_owner *owner = pointer;

    rn_free(owner->bytes);
    rn_onnx_files_release(&owner->files);
    rn_graph_free(owner->graph);
    rn_blocks_free(&owner->blocks);
    rn_free(owner);
}

// Where the file leaves the size of the input open, it is the model's usual one.
static rn_status create_graph(rn_graph **out, const char *spec, rn_model_options options)
{
    rn_status st = RN_OK;
    rn_model_options usual = {.classes = options.classes};
    rn_graph *first = NULL;

    if (options.height == 0 || options.width == 0) {
        RN_TRY(rn_graph_create(&first, spec, &usual));
        usual = *rn_graph_options(first);
        if (options.height == 0)
            options.height = options.width > 0 ? options.width : usual.height;
        if (options.width == 0)
            options.width = options.height;
    }
    RN_TRY(rn_graph_create(out, spec, &options));
out:
    rn_graph_free(first);
    return st;
}

// The shape that the graph itself shows; what it leaves open may stand in the metadata.
static rn_model_options find_options(const parsing *parse)
{
    const rn_net_node *nodes = parse->net.nodes;

    return (rn_model_options){
        .classes = nodes[parse->net.output].channels,
        .channels = nodes[0].channels,
        .height = nodes[0].height > 0 ? nodes[0].height : parse->said.height,
        .width = nodes[0].width > 0 ? nodes[0].width : parse->said.width,
    };
}

// Keep the message of the first spec: it was the likeliest.
static rn_status remember(parsing *parse, rn_status st)
{
    if (parse->failed == RN_OK)
        snprintf(parse->message, sizeof parse->message, "%s", rn_error_message());
    if (parse->failed == RN_OK)
        parse->failed = st;
    return st == RN_ENOMEM ? st : RN_OK;
}

// RN_OK without parse->graph: this is not the network.
static rn_status try_spec(parsing *parse, const char *spec)
{
    rn_status st = RN_OK;
    rn_graph *graph = NULL;

    if (parse->graph != NULL || spec == NULL)
        return RN_OK;
    st = create_graph(&graph, spec, find_options(parse));
    if (st != RN_OK) {
        rn_error_prefix(st, "the graph would be '%s'", spec);
        return remember(parse, st == RN_ENOMEM ? st : RN_EUNSUPPORTED);
    }
    st = rn_match_create(&parse->match, &parse->net, graph);
    if (st == RN_OK) {
        parse->graph = graph;
        return RN_OK;
    }
    rn_match_release(&parse->match);
    rn_graph_free(graph);
    return remember(parse, st);
}

static rn_status find_network(parsing *parse)
{
    rn_status st = RN_OK;
    rn_derived derived;
    const cJSON *metadata = parse->model.metadata;

    RN_TRY(rn_meta_options(&parse->said, metadata));
    RN_TRY(try_spec(parse, rn_meta_text(metadata, RN_META_MODEL)));
    if (parse->graph != NULL)
        return RN_OK;
    RN_TRY(rn_net_derive(&derived, &parse->net));
    for (int i = 0; i < derived.count; i++)
        RN_TRY(try_spec(parse, derived.specs[i]));
    if (parse->graph == NULL)
        st = rn_error(parse->failed, "%s", parse->message);
out:
    return st;
}

// A tensor of the file may serve several nodes, as equal batch norms do in PyTorch's files. Where
// large ones do, a small file would take any amount of memory.
static rn_status check_sharing(const parsing *parse, size_t size)
{
    const size_t most = 4 * size + ((size_t)1 << 20);
    size_t bytes = 0;

    for (int i = 0; i < rn_graph_params(parse->graph); i++)
        bytes += rn_graph_param(parse->graph, i)->count * sizeof(float);
    if (bytes > most)
        return rn_error(RN_EUNSUPPORTED,
                        "a model of %zu bytes for %zu bytes of parameters: layers share weights, "
                        "which %s does not",
                        size, bytes, rn_graph_model(parse->graph));
    return RN_OK;
}

static rn_status make_foreign(rn_foreign **out, parsing *parse)
{
    rn_status st = RN_OK;
    rn_foreign *foreign = NULL;
    onnx_owner *owner = NULL;
    size_t count = (size_t)rn_graph_params(parse->graph);

    RN_TRY(RN_NEW(&foreign, 1));
    RN_TRY(RN_NEW(&owner, 1));
    foreign->owner = owner;
    foreign->release = release_owner;
    RN_TRY(RN_NEW(&foreign->tensors, count));
    foreign->count = count;
    RN_TRY(rn_match_tensors(foreign->tensors, &parse->match, &owner->blocks));
    RN_TRY(rn_strdup(&foreign->model, rn_graph_model(parse->graph)));
    foreign->options = *rn_graph_options(parse->graph);
    foreign->open_height = parse->net.nodes[0].height == 0;
    foreign->open_width = parse->net.nodes[0].width == 0;
    if (parse->model.metadata != NULL)
        RN_TRY(rn_json_print(&foreign->metadata, parse->model.metadata, false));
    owner->graph = parse->graph;
    parse->graph = NULL; // the owner's
    owner->files = parse->files;
    parse->files = (rn_onnx_files){0};
    *out = foreign;
    foreign = NULL; // now the caller's
out:
    rn_foreign_free(foreign);
    return st;
}

static rn_status parse_bytes(rn_foreign **out, const char *bytes, size_t size, const char *path)
{
    rn_status st = RN_OK;
    parsing parse = {0};

    RN_TRY(rn_onnx_read(&parse.model, bytes, size));
    RN_TRY(rn_onnx_fetch(&parse.files, &parse.model, path));
    RN_TRY(rn_net_lower(&parse.net, &parse.model));
    RN_TRY(find_network(&parse));
    RN_TRY(check_sharing(&parse, size + parse.files.bytes));
    RN_TRY(make_foreign(out, &parse));
out:
    rn_match_release(&parse.match);
    rn_graph_free(parse.graph);
    rn_net_release(&parse.net);
    rn_onnx_release(&parse.model);
    rn_onnx_files_release(&parse.files);
    return st;
}

rn_status rn_onnx_parse(rn_foreign **out, char *bytes, size_t size, const char *path)
{
    *out = NULL;
    rn_status st = parse_bytes(out, bytes, size, path);

    if (st == RN_OK)
        ((onnx_owner *)(*out)->owner)->bytes = bytes;
    else
        rn_free(bytes);
    return st;
}
