// The parameters of a matched graph, out of the file's tensors.
#include "base/memory.h"
#include "store/onnx_match.h"

#include <string.h>

void rn_blocks_free(rn_blocks *blocks)
{
    for (size_t i = 0; i < blocks->count; i++)
        rn_free(blocks->blocks[i]);
    rn_free(blocks->blocks);
    *blocks = (rn_blocks){0};
}

static rn_status new_floats(float **out, rn_blocks *blocks, size_t count)
{
    rn_status st = RN_OK;

    RN_TRY(rn_grow((void **)&blocks->blocks, &blocks->capacity, blocks->count + 1,
                   sizeof *blocks->blocks));
    RN_TRY(RN_NEW(out, count));
    blocks->blocks[blocks->count++] = *out;
out:
    return st;
}

// All tensors of a match in the making.
typedef struct filling {
    const rn_match *match;
    rn_foreign_tensor *tensors;
    rn_blocks *blocks;
} filling;

static rn_status new_param(float **out, filling *fill, int param)
{
    rn_status st = new_floats(out, fill->blocks, rn_graph_param(fill->match->graph, param)->count);

    if (st == RN_OK)
        fill->tensors[param].tensor.data = *out;
    return st;
}

static rn_status copy_param(float **out, filling *fill, int param, const rn_onnx_tensor *from)
{
    rn_status st = new_param(out, fill, param);

    return st == RN_OK ? rn_onnx_copy_floats(*out, from) : st;
}

static rn_status fill_constant(filling *fill, int param, float value)
{
    rn_status st = RN_OK;
    float *values;

    RN_TRY(new_param(&values, fill, param));
    for (size_t i = 0; i < rn_graph_param(fill->match->graph, param)->count; i++)
        values[i] = value;
out:
    return st;
}

// In place where the file has float32, else converted.
static rn_status take(filling *fill, int param, const rn_onnx_tensor *from)
{
    float *values;

    fill->tensors[param].type = rn_onnx_type_name(from->type);
    fill->tensors[param].tensor.data = rn_onnx_floats_in_place(from);
    return fill->tensors[param].tensor.data != NULL ? RN_OK
                                                    : copy_param(&values, fill, param, from);
}

static rn_status fill_linear(filling *fill, const rn_node *node, const rn_net_node *from)
{
    rn_status st = RN_OK;
    const rn_param *param = rn_graph_param(fill->match->graph, node->weight);
    size_t out = (size_t)param->shape[0], in = (size_t)param->shape[1];
    float *values, *turned;

    if (!from->transposed)
        return take(fill, node->weight, from->weight);
    RN_TRY(new_floats(&turned, fill->blocks, param->count));
    RN_TRY(rn_onnx_copy_floats(turned, from->weight));
    RN_TRY(new_param(&values, fill, node->weight));
    for (size_t i = 0; i < in; i++)
        for (size_t o = 0; o < out; o++)
            values[o * in + i] = turned[i * out + o];
    rn_free(fill->blocks->blocks[fill->blocks->count - 2]); // `turned`, before `values`
    fill->blocks->blocks[fill->blocks->count - 2] = NULL;
out:
    return st;
}

static rn_status fill_bias(filling *fill, int param, const rn_onnx_tensor *bias)
{
    if (param == RN_NO_PARAM)
        return RN_OK;
    return bias == NULL ? fill_constant(fill, param, 0) : take(fill, param, bias);
}

// y = x + b (no b: 0), as gain (x - mean) / sqrt(variance + epsilon) + bias is to rounding.
static rn_status fill_folded_norm(filling *fill, const rn_node *node, const rn_net_node *from)
{
    rn_status st = RN_OK;

    RN_TRY(fill_constant(fill, node->weight, 1));
    RN_TRY(fill_bias(fill, node->bias, from->bias));
    RN_TRY(fill_constant(fill, node->running_mean, 0));
    RN_TRY(fill_constant(fill, node->running_variance, 1 - node->epsilon));
out:
    return st;
}

// The bias of the convolution before, where the graph's has none: BN(x + b) has the mean less b.
static rn_status fill_mean(filling *fill, const rn_node *node, const rn_net_node *from)
{
    rn_status st = RN_OK;
    const rn_net_node *conv = &fill->match->net->nodes[from->inputs[0]];
    const rn_node *own = rn_graph_node(fill->match->graph, node->inputs[0]);
    float *values, *bias;

    if (conv->kind != RN_NODE_CONV || conv->bias == NULL || own->bias != RN_NO_PARAM)
        return take(fill, node->running_mean, from->mean);
    RN_TRY(new_floats(&bias, fill->blocks, (size_t)node->channels));
    RN_TRY(rn_onnx_copy_floats(bias, conv->bias));
    RN_TRY(copy_param(&values, fill, node->running_mean, from->mean));
    for (int c = 0; c < node->channels; c++)
        values[c] -= bias[c];
out:
    return st;
}

// Another epsilon than the graph's: what matters is its sum with the variance.
static rn_status fill_variance(filling *fill, const rn_node *node, const rn_net_node *from)
{
    rn_status st = RN_OK;
    float *values;

    if (from->epsilon == node->epsilon)
        return take(fill, node->running_variance, from->variance);
    RN_TRY(copy_param(&values, fill, node->running_variance, from->variance));
    for (int c = 0; c < node->channels; c++)
        values[c] = (float)((double)values[c] + from->epsilon - node->epsilon);
out:
    return st;
}

static rn_status fill_norm(filling *fill, const rn_node *node, const rn_net_node *from)
{
    rn_status st = RN_OK;

    RN_TRY(take(fill, node->weight, from->weight));
    RN_TRY(take(fill, node->bias, from->bias));
    RN_TRY(fill_mean(fill, node, from));
    RN_TRY(fill_variance(fill, node, from));
out:
    return st;
}

static rn_status fill_conv(filling *fill, int index, const rn_net_node *from)
{
    const rn_match *match = fill->match;
    const rn_node *node = rn_graph_node(match->graph, index);
    rn_status st = take(fill, node->weight, from->weight);

    if (st != RN_OK)
        return st;
    // The bias is the batch norm's, if that is part of the same node.
    bool given = match->readers[index] == 1 && match->folded[match->reader[index]];
    return fill_bias(fill, node->bias, given ? NULL : from->bias);
}

static rn_status fill_node(filling *fill, int index)
{
    rn_status st = RN_OK;
    const rn_node *node = rn_graph_node(fill->match->graph, index);
    int at = fill->match->found[index];

    if (node->weight == RN_NO_PARAM)
        return RN_OK;
    if (at < 0)
        return rn_error(RN_EUNSUPPORTED, "the graph has nothing like '%s' of %s", node->name,
                        rn_graph_model(fill->match->graph));
    const rn_net_node *from = &fill->match->net->nodes[at];
    if (node->kind == RN_NODE_CONV)
        return fill_conv(fill, index, from);
    if (node->kind == RN_NODE_BATCH_NORM)
        return fill->match->folded[index] ? fill_folded_norm(fill, node, from)
                                          : fill_norm(fill, node, from);
    RN_TRY(fill_linear(fill, node, from));
    RN_TRY(fill_bias(fill, node->bias, from->bias));
out:
    return st;
}

static void name_tensors(rn_foreign_tensor *tensors, const rn_graph *graph)
{
    for (int i = 0; i < rn_graph_params(graph); i++) {
        const rn_param *param = rn_graph_param(graph, i);
        rn_foreign_tensor *to = &tensors[i];
        *to = (rn_foreign_tensor){
            .tensor = {.name = param->name, .dims = param->dims, .count = param->count},
            .type = rn_onnx_type_name(RN_ONNX_FLOAT)};
        for (int d = 0; d < param->dims; d++)
            to->tensor.shape[d] = (uint64_t)param->shape[d];
    }
}

rn_status rn_match_tensors(rn_foreign_tensor *tensors, const rn_match *match, rn_blocks *blocks)
{
    rn_status st = RN_OK;
    filling fill = {.match = match, .tensors = tensors, .blocks = blocks};

    name_tensors(tensors, match->graph);
    for (int i = 0; i < rn_graph_nodes(match->graph); i++)
        RN_TRY(fill_node(&fill, i));
out:
    return st;
}
