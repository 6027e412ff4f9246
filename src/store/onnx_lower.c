// From an ONNX graph to a net: order, the table of operators, and what is known of each value.
#include "store/onnx_lower.h"

#include "base/memory.h"
#include "base/number.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *op;
    rn_lower lower;
    const char *attributes;
    bool sizes; // also computes on sizes
} operators[] = {
    {"Add", rn_lower_add, "", true},
    {"AveragePool", rn_lower_average_pool,
     "kernel_shape strides pads auto_pad ceil_mode count_include_pad dilations", false},
    {"BatchNormalization", rn_lower_batch_norm, "epsilon momentum spatial training_mode", false},
    {"Cast", rn_lower_cast, "to saturate", true},
    {"Concat", NULL, "axis", true},
    {"Constant", rn_lower_constant, "value value_float value_int value_ints", false},
    {"ConstantOfShape", NULL, "value", true},
    {"Conv", rn_lower_conv, "kernel_shape strides pads dilations group auto_pad", false},
    {"Div", NULL, "", true},
    {"Dropout", rn_lower_identity, "ratio seed", false},
    {"Flatten", rn_lower_flatten, "axis", false},
    {"Gather", NULL, "axis", true},
    {"Gemm", rn_lower_gemm, "alpha beta transA transB", false},
    {"GlobalAveragePool", rn_lower_global_pool, "", false},
    {"Identity", rn_lower_identity, "", true},
    {"LogSoftmax", rn_lower_softmax, "axis", false},
    {"MatMul", rn_lower_matmul, "", false},
    {"MaxPool", rn_lower_max_pool,
     "kernel_shape strides pads dilations auto_pad ceil_mode storage_order", false},
    {"Mul", rn_lower_mul, "", true},
    {"Pad", rn_lower_pad, "mode pads value", false},
    {"ReduceMean", rn_lower_reduce_mean, "axes keepdims noop_with_empty_axes", false},
    {"Relu", rn_lower_relu, "", false},
    {"Reshape", rn_lower_reshape, "allowzero", true},
    {"Shape", rn_lower_shape, "start end", true},
    {"Sigmoid", rn_lower_sigmoid, "", false},
    {"Slice", rn_lower_slice, "axes starts ends", true},
    {"Softmax", rn_lower_softmax, "axis", false},
    {"Squeeze", rn_lower_squeeze, "axes", true},
    {"Sub", rn_lower_sub, "", true},
    {"Sum", rn_lower_add, "", false},
    {"Transpose", rn_lower_transpose, "perm", true},
    {"Unsqueeze", NULL, "axes", true},
};

rn_status rn_net_error(rn_status code, const rn_net_node *node, const char *fmt, ...)
{
    char text[512];
    va_list args;

    va_start(args, fmt);
    rn_vprint(text, sizeof text, fmt, args);
    va_end(args);
    return rn_error(code, "node '%.*s' (%.*s): %s", RN_ONNX_TEXT(node->name),
                    RN_ONNX_TEXT(node->op), text);
}

const rn_known *rn_lower_input(const rn_lowering *lowering, const rn_onnx_node *node, int index)
{
    if (index >= node->inputs)
        return NULL;
    int value = lowering->model->links[node->first_input + index].value;
    return value < 0 ? NULL : &lowering->known[value];
}

rn_status rn_lower_data(const rn_known **out, const rn_lowering *lowering, const rn_onnx_node *node,
                        int index)
{
    *out = rn_lower_input(lowering, node, index);
    if (*out == NULL || (*out)->kind != RN_KNOWN_DATA)
        return rn_onnx_node_error(*out == NULL ? RN_EFORMAT : RN_EUNSUPPORTED, node,
                                  "input %d is not computed from the graph's input", index);
    return RN_OK;
}

rn_status rn_lower_floats(const rn_known **out, const rn_lowering *lowering,
                          const rn_onnx_node *node, int index, int dims)
{
    const rn_known *known = rn_lower_input(lowering, node, index);

    *out = known;
    if (known == NULL)
        return rn_onnx_node_error(RN_EFORMAT, node, "input %d is missing", index);
    if (known->kind != RN_KNOWN_TENSOR)
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "input %d is not a constant tensor",
                                  index);
    if (!rn_onnx_is_float(known->tensor->type))
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "tensor '%.*s' has %s, expected floats",
                                  RN_ONNX_TEXT(known->tensor->name),
                                  rn_onnx_type_name(known->tensor->type));
    if (known->tensor->dims != dims)
        return rn_onnx_node_error(RN_EFORMAT, node, "tensor '%.*s' has %d dimensions, expected %d",
                                  RN_ONNX_TEXT(known->tensor->name), known->tensor->dims, dims);
    return RN_OK;
}

static bool ints_of(rn_onnx_ints *out, const rn_known *known)
{
    if (known == NULL)
        return false;
    if (known->kind == RN_KNOWN_INTS)
        *out = *known->ints;
    return known->kind == RN_KNOWN_INTS ||
           (known->kind == RN_KNOWN_TENSOR && rn_onnx_ints_of(out, known->tensor));
}

rn_status rn_lower_ints(rn_onnx_ints *out, const rn_lowering *lowering, const rn_onnx_node *node,
                        int index)
{
    if (!ints_of(out, rn_lower_input(lowering, node, index)))
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "input %d is not a list of known integers",
                                  index);
    return RN_OK;
}

bool rn_lower_real(float *out, const rn_lowering *lowering, const rn_onnx_node *node, int index)
{
    const rn_known *known = rn_lower_input(lowering, node, index);

    if (known == NULL)
        return false;
    if (known->kind == RN_KNOWN_REAL)
        *out = known->real;
    if (known->kind != RN_KNOWN_TENSOR)
        return known->kind == RN_KNOWN_REAL;
    return known->tensor->count == 1 && rn_onnx_is_float(known->tensor->type) &&
           rn_onnx_copy_floats(out, known->tensor) == RN_OK;
}

rn_status rn_lower_int(int64_t *value, const rn_onnx_node *node, const char *name)
{
    rn_onnx_attribute attribute;
    rn_status st = rn_onnx_find_attribute(&attribute, node, name, RN_ONNX_ATTRIBUTE_INT);

    if (st == RN_OK && attribute.present)
        *value = attribute.integer;
    return st;
}

static rn_status append(rn_net_node **made, rn_net *net, rn_net_node node)
{
    rn_status st =
        rn_grow((void **)&net->nodes, &net->capacity, (size_t)net->count + 1, sizeof *net->nodes);

    if (st != RN_OK)
        return st;
    *made = &net->nodes[net->count++];
    **made = node;
    return RN_OK;
}

rn_status rn_lower_append(rn_net_node **made, rn_lowering *lowering, const rn_onnx_node *node,
                          int kind, const rn_known *input, rn_known *out)
{
    rn_net *net = lowering->net;
    const rn_net_node *from = &net->nodes[input->node];

    *out = (rn_known){.kind = RN_KNOWN_DATA, .node = net->count, .rank = input->rank};
    return append(made, net,
                  (rn_net_node){.kind = kind,
                                .name = node->name,
                                .op = node->op,
                                .inputs = {input->node, -1},
                                .channels = from->channels,
                                .height = from->height,
                                .width = from->width,
                                .stride = 1});
}

static rn_status compute_sizes(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    rn_status st = RN_OK;
    rn_onnx_ints inputs[RN_ONNX_LINKS], result;

    for (int i = 0; i < node->inputs; i++)
        RN_TRY(rn_lower_ints(&inputs[i], lowering, node, i));
    RN_TRY(rn_onnx_ints_compute(&result, node, inputs, node->inputs));
    *out = (rn_known){.kind = RN_KNOWN_INTS};
    RN_TRY(RN_NEW(&out->ints, 1));
    *out->ints = result;
out:
    return st;
}

static bool are_sizes(const rn_lowering *lowering, const rn_onnx_node *node)
{
    rn_onnx_ints ignored;

    return node->inputs > 0 && ints_of(&ignored, rn_lower_input(lowering, node, 0));
}

static rn_status lower_node(rn_lowering *lowering, const rn_onnx_node *node)
{
    rn_status st = RN_OK;
    rn_known made = {0};
    size_t count = sizeof operators / sizeof *operators, i = 0;

    while (i < count && !rn_onnx_is(node->op, operators[i].op))
        i++;
    if (i == count)
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "the operator is not known");
    RN_TRY(rn_onnx_known_attributes(node, operators[i].attributes));
    if (operators[i].sizes && are_sizes(lowering, node))
        st = compute_sizes(lowering, node, &made);
    else if (operators[i].lower == NULL)
        st = rn_onnx_node_error(RN_EUNSUPPORTED, node,
                                "no network here has it but to compute sizes");
    else
        st = operators[i].lower(lowering, node, &made);
    int value = lowering->model->links[node->first_output].value;
    if (value >= 0 && st == RN_OK)
        lowering->known[value] = made;
    else
        rn_free(made.ints);
out:
    return st;
}

// The nodes that the output needs, each after those that it reads.
typedef struct node_order {
    int *nodes, *stack, *next; // next input to look at, for each node
    char *state;               // 0 new, 1 on the stack, 2 done
    int count, depth;
} node_order;

static rn_status push(node_order *order, const rn_onnx_model *model, int node)
{
    if (node < 0 || order->state[node] == 2)
        return RN_OK;
    if (order->state[node] == 1)
        return rn_onnx_node_error(RN_EFORMAT, &model->nodes[node], "it depends on its own output");
    order->state[node] = 1;
    order->stack[order->depth++] = node;
    return RN_OK;
}

static rn_status visit(node_order *order, const rn_onnx_model *model)
{
    int index = order->stack[order->depth - 1];
    const rn_onnx_node *node = &model->nodes[index];

    if (order->next[index] < node->inputs) {
        int value = model->links[node->first_input + order->next[index]++].value;
        return value < 0 ? RN_OK : push(order, model, model->values[value].node);
    }
    order->state[index] = 2;
    order->nodes[order->count++] = index;
    order->depth--;
    return RN_OK;
}

static rn_status order_nodes(node_order *order, const rn_onnx_model *model)
{
    rn_status st = RN_OK;

    RN_TRY(RN_NEW(&order->nodes, model->node_count));
    RN_TRY(RN_NEW(&order->stack, model->node_count));
    RN_TRY(RN_NEW(&order->next, model->node_count));
    RN_TRY(RN_NEW(&order->state, model->node_count));
    RN_TRY(push(order, model, model->values[model->output_value].node));
    while (order->depth > 0)
        RN_TRY(visit(order, model));
out:
    return st;
}

static rn_status start_input(rn_lowering *lowering)
{
    rn_status st = RN_OK;
    const rn_onnx_port *port = &lowering->model->inputs[0];
    rn_net_node *node;

    if (port->type != 0 && !rn_onnx_is_float(port->type))
        return rn_error(RN_EUNSUPPORTED, "graph input '%.*s' has elements of %s, expected floats",
                        RN_ONNX_TEXT(port->name), rn_onnx_type_name(port->type));
    if (port->dims >= 0 && port->dims != 4)
        return rn_error(RN_EUNSUPPORTED,
                        "graph input '%.*s' has %d dimensions, expected 4: batch, channels, "
                        "height, width",
                        RN_ONNX_TEXT(port->name), port->dims);
    RN_TRY(append(&node, lowering->net,
                  (rn_net_node){.kind = RN_NODE_INPUT, .name = port->name, .inputs = {-1, -1}}));
    node->op = (rn_onnx_text){"input", 5};
    lowering->batch = port->dims == 4 ? port->shape[0] : -1;
    for (int d = 1; d < port->dims; d++) {
        if (port->shape[d] > RN_NET_LARGEST / 16)
            return rn_error(RN_EFORMAT, "graph input '%.*s' has %lld at dimension %d",
                            RN_ONNX_TEXT(port->name), (long long)port->shape[d], d);
    }
    if (port->dims == 4) {
        node->channels = port->shape[1] < 0 ? 0 : (int)port->shape[1];
        node->height = port->shape[2] < 0 ? 0 : (int)port->shape[2];
        node->width = port->shape[3] < 0 ? 0 : (int)port->shape[3];
    }
out:
    return st;
}

static rn_status start_values(rn_lowering *lowering)
{
    rn_status st = RN_OK;
    const rn_onnx_model *model = lowering->model;

    RN_TRY(RN_NEW(&lowering->known, model->value_count));
    RN_TRY(start_input(lowering));
    for (size_t i = 0; i < model->value_count; i++) {
        int tensor = model->values[i].tensor;
        if (tensor >= 0)
            lowering->known[i] =
                (rn_known){.kind = RN_KNOWN_TENSOR, .tensor = &model->tensors[tensor]};
    }
    lowering->known[model->input_value] = (rn_known){.kind = RN_KNOWN_DATA, .rank = 4};
out:
    return st;
}

static void count_readers(rn_net *net)
{
    net->nodes[net->output].live = true;
    for (int i = net->count - 1; i >= 0; i--) {
        for (int k = 0; net->nodes[i].live && k < 2; k++) {
            if (net->nodes[i].inputs[k] < 0)
                continue;
            rn_net_node *input = &net->nodes[net->nodes[i].inputs[k]];
            input->live = true;
            input->readers++;
        }
    }
}

static rn_status finish(rn_lowering *lowering)
{
    const rn_onnx_port *port = &lowering->model->output;
    const rn_known *output = &lowering->known[lowering->model->output_value];

    if (output->kind != RN_KNOWN_DATA)
        return rn_error(RN_EUNSUPPORTED, "graph output '%.*s' does not depend on the input",
                        RN_ONNX_TEXT(port->name));
    lowering->net->output = output->node;
    count_readers(lowering->net);
    for (int i = 0; i < lowering->net->count; i++) {
        const rn_net_node *node = &lowering->net->nodes[i];
        if (node->live && node->kind >= RN_NET_SIGMOID)
            return rn_net_error(RN_EUNSUPPORTED, node, "it stands alone");
    }
    return RN_OK;
}

rn_status rn_net_lower(rn_net *net, const rn_onnx_model *model)
{
    rn_status st = RN_OK;
    rn_lowering lowering = {.model = model, .net = net};
    node_order order = {0};

    *net = (rn_net){0};
    RN_TRY(order_nodes(&order, model));
    RN_TRY(start_values(&lowering));
    for (int i = 0; i < order.count; i++)
        RN_TRY(lower_node(&lowering, &model->nodes[order.nodes[i]]));
    RN_TRY(finish(&lowering));
out:
    for (size_t i = 0; lowering.known != NULL && i < model->value_count; i++)
        rn_free(lowering.known[i].ints);
    rn_free(lowering.known);
    rn_free(order.nodes);
    rn_free(order.stack);
    rn_free(order.next);
    rn_free(order.state);
    return st;
}

void rn_net_release(rn_net *net)
{
    for (size_t i = 0; i < net->constant_count; i++)
        rn_free(net->constants[i]);
    rn_free(net->constants);
    rn_free(net->nodes);
    *net = (rn_net){0};
}
