// Each node of a graph as the ONNX operators that compute it.
#include "store/onnx_write.h"

#include <stdio.h>
#include <string.h>

// Field numbers of the format.
enum {
    GRAPH_NODE = 1,
    GRAPH_INITIALIZER = 5,
    NODE_INPUT = 1,
    NODE_OUTPUT = 2,
    NODE_NAME = 3,
    NODE_OP = 4,
    NODE_ATTRIBUTE = 5,
    ATTRIBUTE_NAME = 1,
    ATTRIBUTE_FLOAT = 2,
    ATTRIBUTE_INT = 3,
    ATTRIBUTE_INTS = 8,
    ATTRIBUTE_TYPE = 20,
    TENSOR_DIMS = 1,
    TENSOR_TYPE = 2,
    TENSOR_FLOATS = 4,
    TENSOR_INT64S = 7,
    TENSOR_NAME = 8,
    TENSOR_RAW = 9
};

enum { NAME_SIZE = RN_MAX_NAME + 16, MAP_AXES = 2 };

// A node in the making.
typedef struct onnx_op {
    rn_message message;
    rn_message attributes;
} onnx_op;

static onnx_op start_operator(const char *op, const char *name)
{
    onnx_op made = {0};

    rn_message_text(&made.message, NODE_NAME, name);
    rn_message_text(&made.message, NODE_OP, op);
    return made;
}

static void add_int(onnx_op *op, const char *name, int64_t value)
{
    rn_message attribute = {0};

    rn_message_text(&attribute, ATTRIBUTE_NAME, name);
    rn_message_int(&attribute, ATTRIBUTE_INT, value);
    rn_message_int(&attribute, ATTRIBUTE_TYPE, RN_ONNX_ATTRIBUTE_INT);
    rn_message_append(&op->attributes, NODE_ATTRIBUTE, &attribute);
}

static void add_float(onnx_op *op, const char *name, float value)
{
    rn_message attribute = {0};

    rn_message_text(&attribute, ATTRIBUTE_NAME, name);
    rn_message_float(&attribute, ATTRIBUTE_FLOAT, value);
    rn_message_int(&attribute, ATTRIBUTE_TYPE, RN_ONNX_ATTRIBUTE_FLOAT);
    rn_message_append(&op->attributes, NODE_ATTRIBUTE, &attribute);
}

// The same number for each axis, or each side of each.
static void add_ints(onnx_op *op, const char *name, int value, int count)
{
    rn_message attribute = {0};

    rn_message_text(&attribute, ATTRIBUTE_NAME, name);
    for (int i = 0; i < count; i++)
        rn_message_int(&attribute, ATTRIBUTE_INTS, value);
    rn_message_int(&attribute, ATTRIBUTE_TYPE, RN_ONNX_ATTRIBUTE_INTS);
    rn_message_append(&op->attributes, NODE_ATTRIBUTE, &attribute);
}

static void add_window(onnx_op *op, const rn_node *node)
{
    add_ints(op, "kernel_shape", node->kernel, MAP_AXES);
    add_ints(op, "strides", node->stride, MAP_AXES);
    add_ints(op, "pads", node->pad, 2 * MAP_AXES);
}

static void finish_operator(rn_onnx_writer *writer, onnx_op *op, const char *output)
{
    rn_message_text(&op->message, NODE_OUTPUT, output);
    rn_message_join(&op->message, &op->attributes);
    rn_message_append(&writer->nodes, GRAPH_NODE, &op->message);
}

static void add_input(onnx_op *op, const char *name)
{
    rn_message_text(&op->message, NODE_INPUT, name);
}

// The name of what a node computes, past nodes that change nothing when a network is used.
static const char *value_name(const rn_onnx_writer *writer, int index)
{
    const rn_node *node = rn_graph_node(writer->graph, index);

    while (node->kind == RN_NODE_DROPOUT ||
           (node->kind == RN_NODE_BATCH_NORM && writer->folded[index] >= 0)) {
        index = node->inputs[0];
        node = rn_graph_node(writer->graph, index);
    }
    if (node->kind == RN_NODE_INPUT)
        return RN_ONNX_INPUT;
    return index == writer->logits ? RN_ONNX_OUTPUT : node->name;
}

static void write_floats(rn_onnx_writer *writer, const char *name, const int *shape, int dims,
                         const float *values)
{
    rn_message tensor = {0};
    size_t count = 1;

    for (int d = 0; d < dims; d++) {
        rn_message_int(&tensor, TENSOR_DIMS, shape[d]);
        count *= (size_t)shape[d];
    }
    rn_message_int(&tensor, TENSOR_TYPE, RN_ONNX_FLOAT);
    rn_message_text(&tensor, TENSOR_NAME, name);
    rn_message_refer(&tensor, TENSOR_RAW, values, count * sizeof *values);
    rn_message_append(&writer->tensors, GRAPH_INITIALIZER, &tensor);
}

static void add_param(rn_onnx_writer *writer, onnx_op *op, int index)
{
    const rn_param *param = rn_graph_param(writer->graph, index);

    add_input(op, param->name);
    write_floats(writer, param->name, param->shape, param->dims,
                 rn_weights_read(writer->weights, index));
}

// Small integers of an operator's own, as an initializer NODE.PART.
static void add_integers(rn_onnx_writer *writer, onnx_op *op, const rn_node *node, const char *part,
                         const int64_t *values, int count)
{
    rn_message tensor = {0};
    char name[NAME_SIZE];

    snprintf(name, sizeof name, "%s.%s", node->name, part);
    rn_message_int(&tensor, TENSOR_DIMS, count);
    rn_message_int(&tensor, TENSOR_TYPE, RN_ONNX_INT64);
    for (int i = 0; i < count; i++)
        rn_message_int(&tensor, TENSOR_INT64S, values[i]);
    rn_message_text(&tensor, TENSOR_NAME, name);
    rn_message_append(&writer->tensors, GRAPH_INITIALIZER, &tensor);
    add_input(op, name);
}

static void add_number(rn_onnx_writer *writer, onnx_op *op, const rn_node *node, float value)
{
    rn_message tensor = {0};
    char name[NAME_SIZE];

    snprintf(name, sizeof name, "%s.factor", node->name);
    rn_message_int(&tensor, TENSOR_TYPE, RN_ONNX_FLOAT);
    rn_message_float(&tensor, TENSOR_FLOATS, value);
    rn_message_text(&tensor, TENSOR_NAME, name);
    rn_message_append(&writer->tensors, GRAPH_INITIALIZER, &tensor);
    add_input(op, name);
}

static void write_conv(rn_onnx_writer *writer, int index)
{
    const rn_node *node = rn_graph_node(writer->graph, index);
    const rn_param *weight = rn_graph_param(writer->graph, node->weight);
    onnx_op op = start_operator("Conv", node->name);
    char bias[NAME_SIZE];

    add_input(&op, value_name(writer, node->inputs[0]));
    add_window(&op, node);
    if (writer->folded[index] >= 0) {
        snprintf(bias, sizeof bias, "%s.bias", node->name);
        add_input(&op, weight->name);
        write_floats(writer, weight->name, weight->shape, weight->dims, writer->made[index]);
        add_input(&op, bias);
        write_floats(writer, bias, &node->channels, 1, writer->made[index] + weight->count);
    } else {
        add_param(writer, &op, node->weight);
        if (node->bias != RN_NO_PARAM)
            add_param(writer, &op, node->bias);
    }
    finish_operator(writer, &op, value_name(writer, index));
}

static void write_batch_norm(rn_onnx_writer *writer, int index)
{
    const rn_node *node = rn_graph_node(writer->graph, index);
    onnx_op op = start_operator("BatchNormalization", node->name);

    add_input(&op, value_name(writer, node->inputs[0]));
    add_param(writer, &op, node->weight);
    add_param(writer, &op, node->bias);
    add_param(writer, &op, node->running_mean);
    add_param(writer, &op, node->running_variance);
    add_float(&op, "epsilon", node->epsilon);
    finish_operator(writer, &op, value_name(writer, index));
}

static void write_linear(rn_onnx_writer *writer, int index)
{
    const rn_node *node = rn_graph_node(writer->graph, index);
    onnx_op op = start_operator("Gemm", node->name);

    add_input(&op, value_name(writer, node->inputs[0]));
    add_param(writer, &op, node->weight);
    if (node->bias != RN_NO_PARAM)
        add_param(writer, &op, node->bias);
    add_int(&op, "transB", 1);
    finish_operator(writer, &op, value_name(writer, index));
}

// Operators that take the node's inputs as they are.
static void write_plain(rn_onnx_writer *writer, int index)
{
    static const char *const names[] = {
        [RN_NODE_RELU] = "Relu",
        [RN_NODE_ADD] = "Add",
        [RN_NODE_MAX_POOL] = "MaxPool",
        [RN_NODE_FLATTEN] = "Flatten",
    };
    const rn_node *node = rn_graph_node(writer->graph, index);
    onnx_op op = start_operator(names[node->kind], node->name);

    for (int k = 0; k < 2 && node->inputs[k] >= 0; k++)
        add_input(&op, value_name(writer, node->inputs[k]));
    if (node->kind == RN_NODE_MAX_POOL)
        add_window(&op, node);
    if (node->kind == RN_NODE_FLATTEN)
        add_int(&op, "axis", 1);
    finish_operator(writer, &op, value_name(writer, index));
}

static void write_average_pool(rn_onnx_writer *writer, int index)
{
    const rn_node *node = rn_graph_node(writer->graph, index);
    char name[NAME_SIZE];

    snprintf(name, sizeof name, "%s.mean", node->name);
    onnx_op mean = start_operator("GlobalAveragePool", name);
    add_input(&mean, value_name(writer, node->inputs[0]));
    finish_operator(writer, &mean, name);
    onnx_op flat = start_operator("Flatten", node->name);
    add_input(&flat, name);
    add_int(&flat, "axis", 1);
    finish_operator(writer, &flat, value_name(writer, index));
}

// Every stride-th row and column of `input`, as `output`.
static void write_slice(rn_onnx_writer *writer, const rn_node *node, const char *input,
                        const char *output)
{
    const rn_node *from = rn_graph_node(writer->graph, node->inputs[0]);
    const int64_t starts[] = {0, 0}, ends[] = {from->height, from->width}, axes[] = {2, 3};
    const int64_t steps[] = {node->stride, node->stride};
    onnx_op op = start_operator("Slice", output);

    add_input(&op, input);
    add_integers(writer, &op, node, "starts", starts, MAP_AXES);
    add_integers(writer, &op, node, "ends", ends, MAP_AXES);
    add_integers(writer, &op, node, "axes", axes, MAP_AXES);
    add_integers(writer, &op, node, "steps", steps, MAP_AXES);
    finish_operator(writer, &op, output);
}

static void write_shortcut_pad(rn_onnx_writer *writer, int index)
{
    const rn_node *node = rn_graph_node(writer->graph, index);
    const rn_node *from = rn_graph_node(writer->graph, node->inputs[0]);
    const char *input = value_name(writer, node->inputs[0]), *output = value_name(writer, index);
    int before = node->channel_offset, after = node->channels - from->channels - before;
    const int64_t pads[] = {0, before, 0, 0, 0, after, 0, 0};
    char sliced[NAME_SIZE];

    if (before + after == 0) {
        write_slice(writer, node, input, output);
        return;
    }
    if (node->stride > 1) {
        snprintf(sliced, sizeof sliced, "%s.slice", node->name);
        write_slice(writer, node, input, sliced);
        input = sliced;
    }
    onnx_op op = start_operator("Pad", node->name);
    add_input(&op, input);
    add_integers(writer, &op, node, "pads", pads, 8);
    finish_operator(writer, &op, output);
}

static void write_scale(rn_onnx_writer *writer, int index, float scale)
{
    const rn_node *node = rn_graph_node(writer->graph, index);
    onnx_op op = start_operator("Mul", node->name);

    add_input(&op, value_name(writer, node->inputs[0]));
    add_number(writer, &op, node, scale);
    finish_operator(writer, &op, value_name(writer, index));
}

static void write_gate(rn_onnx_writer *writer, int index)
{
    const rn_node *node = rn_graph_node(writer->graph, index);
    char gate[NAME_SIZE], rest[NAME_SIZE];

    snprintf(gate, sizeof gate, "%s.sigmoid", node->name);
    snprintf(rest, sizeof rest, "%s.rest", node->name);
    onnx_op sigmoid = start_operator("Sigmoid", gate);
    add_input(&sigmoid, value_name(writer, node->inputs[1]));
    finish_operator(writer, &sigmoid, gate);
    if (node->complement) {
        onnx_op sub = start_operator("Sub", rest);
        add_number(writer, &sub, node, 1);
        add_input(&sub, gate);
        finish_operator(writer, &sub, rest);
    }
    onnx_op mul = start_operator("Mul", node->name);
    add_input(&mul, value_name(writer, node->inputs[0]));
    add_input(&mul, node->complement ? rest : gate);
    finish_operator(writer, &mul, value_name(writer, index));
}

static void write_node(rn_onnx_writer *writer, int index)
{
    const rn_node *node = rn_graph_node(writer->graph, index);

    switch (node->kind) {
    case RN_NODE_CONV:
        write_conv(writer, index);
        break;
    case RN_NODE_BATCH_NORM:
        if (writer->folded[index] < 0)
            write_batch_norm(writer, index);
        break;
    case RN_NODE_RELU:
    case RN_NODE_ADD:
    case RN_NODE_MAX_POOL:
    case RN_NODE_FLATTEN:
        write_plain(writer, index);
        break;
    case RN_NODE_SHORTCUT_PAD:
        write_shortcut_pad(writer, index);
        break;
    case RN_NODE_AVERAGE_POOL:
        write_average_pool(writer, index);
        break;
    case RN_NODE_LINEAR:
        write_linear(writer, index);
        break;
    case RN_NODE_SCALE:
        write_scale(writer, index, node->scale);
        break;
    case RN_NODE_DROP_BRANCH:
        write_scale(writer, index, 1 - node->rate);
        break;
    case RN_NODE_GATE:
        write_gate(writer, index);
        break;
    case RN_NODE_INPUT:
    case RN_NODE_DROPOUT:       // nothing when a network is used
    case RN_NODE_CROSS_ENTROPY: // training only
        break;
    }
}

void rn_onnx_write_nodes(rn_onnx_writer *writer)
{
    int count = rn_graph_nodes(writer->graph);

    for (int i = 0; i < count; i++)
        if (rn_graph_node(writer->graph, i)->kind == RN_NODE_LINEAR)
            writer->logits = i; // the last one's output
    for (int i = 0; i < count; i++)
        write_node(writer, i);
}
