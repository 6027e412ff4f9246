// Operators of layers: batch norm, activations, additions, gates, the linear layer.
#include "store/onnx_lower.h"

static rn_status norm_part(const rn_onnx_tensor **part, const rn_lowering *lowering,
                           const rn_onnx_node *node, int index, int channels)
{
    const rn_known *known;
    rn_status st = rn_lower_floats(&known, lowering, node, index, 1);

    if (st != RN_OK)
        return st;
    *part = known->tensor;
    if (channels > 0 && known->tensor->shape[0] != channels)
        return rn_onnx_node_error(RN_EFORMAT, node, "tensor '%.*s' has %lld values, expected %d",
                                  RN_ONNX_TEXT(known->tensor->name),
                                  (long long)known->tensor->shape[0], channels);
    return RN_OK;
}

rn_status rn_lower_batch_norm(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    rn_status st = RN_OK;
    const rn_known *input;
    rn_net_node *made;
    rn_onnx_attribute epsilon;
    int64_t training = 0;

    RN_TRY(rn_lower_data(&input, lowering, node, 0));
    RN_TRY(rn_lower_int(&training, node, "training_mode"));
    if (training != 0)
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "it is in training mode");
    RN_TRY(rn_onnx_find_attribute(&epsilon, node, "epsilon", RN_ONNX_ATTRIBUTE_FLOAT));
    RN_TRY(rn_lower_append(&made, lowering, node, RN_NODE_BATCH_NORM, input, out));
    made->epsilon = epsilon.present ? epsilon.real : 1e-5f;
    if (!(made->epsilon >= 0 && made->epsilon < 1))
        return rn_onnx_node_error(RN_EFORMAT, node, "epsilon is %g", (double)made->epsilon);
    RN_TRY(norm_part(&made->weight, lowering, node, 1, made->channels));
    RN_TRY(norm_part(&made->bias, lowering, node, 2, made->channels));
    RN_TRY(norm_part(&made->mean, lowering, node, 3, made->channels));
    RN_TRY(norm_part(&made->variance, lowering, node, 4, made->channels));
out:
    return st;
}

static rn_status lower_plain(rn_lowering *lowering, const rn_onnx_node *node, int kind,
                             rn_known *out)
{
    rn_status st = RN_OK;
    const rn_known *input;
    rn_net_node *made;

    RN_TRY(rn_lower_data(&input, lowering, node, 0));
    RN_TRY(rn_lower_append(&made, lowering, node, kind, input, out));
out:
    return st;
}

rn_status rn_lower_relu(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    return lower_plain(lowering, node, RN_NODE_RELU, out);
}

rn_status rn_lower_sigmoid(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    return lower_plain(lowering, node, RN_NET_SIGMOID, out);
}

// Both operands, in shapes that are equal as far as they are known.
static rn_status two_data(const rn_known *both[2], const rn_lowering *lowering,
                          const rn_onnx_node *node)
{
    rn_status st = RN_OK;

    RN_TRY(rn_lower_data(&both[0], lowering, node, 0));
    RN_TRY(rn_lower_data(&both[1], lowering, node, 1));
    const rn_net_node *a = &lowering->net->nodes[both[0]->node];
    const rn_net_node *b = &lowering->net->nodes[both[1]->node];
    if ((a->channels && b->channels && a->channels != b->channels) ||
        (a->height && b->height && a->height != b->height) ||
        (a->width && b->width && a->width != b->width) || both[0]->rank != both[1]->rank)
        st = rn_onnx_node_error(RN_EFORMAT, node, "%d x %d x %d does not go with %d x %d x %d",
                                a->channels, a->height, a->width, b->channels, b->height, b->width);
out:
    return st;
}

// The bias that follows MatMul: a copy of the layer has it, and the first is left for dead.
static rn_status add_bias(rn_lowering *lowering, const rn_onnx_node *node, int data, rn_known *out)
{
    rn_status st = RN_OK;
    const rn_known *input, *bias;
    rn_net_node *made;

    RN_TRY(rn_lower_data(&input, lowering, node, data));
    RN_TRY(rn_lower_floats(&bias, lowering, node, 1 - data, 1));
    rn_net_node layer = lowering->net->nodes[input->node];
    if (layer.kind != RN_NODE_LINEAR || layer.bias != NULL)
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "it adds a constant to what is no MatMul");
    if (bias->tensor->shape[0] != layer.channels)
        return rn_onnx_node_error(RN_EFORMAT, node, "bias of %lld values, expected %d",
                                  (long long)bias->tensor->shape[0], layer.channels);
    layer.bias = bias->tensor;
    RN_TRY(rn_lower_append(&made, lowering, node, RN_NODE_LINEAR, input, out));
    *made = layer;
out:
    return st;
}

rn_status rn_lower_add(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    rn_status st = RN_OK;
    const rn_known *both[2];
    rn_net_node *made;

    if (node->inputs != 2)
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "%d inputs, expected 2", node->inputs);
    for (int i = 0; i < 2; i++) {
        const rn_known *input = rn_lower_input(lowering, node, i);
        if (input != NULL && input->kind == RN_KNOWN_TENSOR)
            return add_bias(lowering, node, 1 - i, out);
    }
    RN_TRY(two_data(both, lowering, node));
    RN_TRY(rn_lower_append(&made, lowering, node, RN_NODE_ADD, both[0], out));
    made->inputs[1] = both[1]->node;
out:
    return st;
}

// 1 - sigmoid(x)
rn_status rn_lower_sub(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    rn_status st = RN_OK;
    const rn_known *input;
    rn_net_node *made;
    float one = 0;

    RN_TRY(rn_lower_data(&input, lowering, node, 1));
    if (lowering->net->nodes[input->node].kind != RN_NET_SIGMOID ||
        !rn_lower_real(&one, lowering, node, 0) || one != 1)
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "only 1 - sigmoid(x) is known");
    RN_TRY(rn_lower_append(&made, lowering, node, RN_NET_COMPLEMENT, input, out));
out:
    return st;
}

static rn_status lower_scale(rn_lowering *lowering, const rn_onnx_node *node, int data, float scale,
                             rn_known *out)
{
    rn_status st = RN_OK;
    const rn_known *input;
    rn_net_node *made;

    RN_TRY(rn_lower_data(&input, lowering, node, data));
    *out = *input;
    if (scale == 1)
        return RN_OK;
    RN_TRY(rn_lower_append(&made, lowering, node, RN_NODE_SCALE, input, out));
    made->scale = scale;
out:
    return st;
}

static bool opens_gate(const rn_net_node *node)
{
    return node->kind == RN_NET_SIGMOID || node->kind == RN_NET_COMPLEMENT;
}

static rn_status lower_gate(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    rn_status st = RN_OK;
    const rn_known *both[2];
    rn_net_node *made;

    RN_TRY(two_data(both, lowering, node));
    int second = opens_gate(&lowering->net->nodes[both[1]->node]) ? 1 : 0;
    const rn_net_node *nodes = lowering->net->nodes, *gate = &nodes[both[second]->node];
    if (!opens_gate(gate))
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "neither factor is a sigmoid or constant");
    bool complement = gate->kind == RN_NET_COMPLEMENT;
    int source = complement ? nodes[gate->inputs[0]].inputs[0] : gate->inputs[0];
    RN_TRY(rn_lower_append(&made, lowering, node, RN_NODE_GATE, both[1 - second], out));
    made->inputs[1] = source;
    made->complement = complement;
out:
    return st;
}

rn_status rn_lower_mul(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    float scale;

    for (int i = 0; i < 2; i++) {
        if (rn_lower_real(&scale, lowering, node, i))
            return lower_scale(lowering, node, 1 - i, scale, out);
    }
    return lower_gate(lowering, node, out);
}

static rn_status lower_linear(rn_lowering *lowering, const rn_onnx_node *node, bool transposed,
                              rn_net_node **made, rn_known *out)
{
    rn_status st = RN_OK;
    const rn_known *input, *weight;

    RN_TRY(rn_lower_data(&input, lowering, node, 0));
    if (input->rank != 2)
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "input 0 has %d dimensions, expected 2",
                                  input->rank);
    RN_TRY(rn_lower_floats(&weight, lowering, node, 1, 2));
    transposed = transposed != weight->transposed;
    int64_t in = weight->tensor->shape[transposed ? 0 : 1];
    int64_t classes = weight->tensor->shape[transposed ? 1 : 0];
    RN_TRY(rn_lower_append(made, lowering, node, RN_NODE_LINEAR, input, out));
    if (weight->tensor->count == 0 || in > INT32_MAX || classes > INT32_MAX)
        return rn_onnx_node_error(RN_EFORMAT, node, "weights of %lld x %lld", (long long)classes,
                                  (long long)in);
    if ((*made)->channels != 0 && (*made)->channels != in)
        return rn_onnx_node_error(RN_EFORMAT, node, "weights for %lld values, where %d come in",
                                  (long long)in, (*made)->channels);
    (*made)->weight = weight->tensor;
    (*made)->transposed = transposed;
    (*made)->channels = (int)classes;
out:
    return st;
}

static rn_status check_factor(const rn_onnx_node *node, const char *name)
{
    rn_onnx_attribute factor;
    rn_status st = rn_onnx_find_attribute(&factor, node, name, RN_ONNX_ATTRIBUTE_FLOAT);

    if (st == RN_OK && factor.present && factor.real != 1)
        st = rn_onnx_node_error(RN_EUNSUPPORTED, node, "%s is %g, expected 1", name,
                                (double)factor.real);
    return st;
}

static rn_status linear_bias(rn_net_node *made, const rn_lowering *lowering,
                             const rn_onnx_node *node)
{
    const rn_known *bias = rn_lower_input(lowering, node, 2);

    if (bias == NULL || made == NULL) // made: not after success
        return RN_OK;
    if (bias->kind != RN_KNOWN_TENSOR || !rn_onnx_is_float(bias->tensor->type) ||
        bias->tensor->count != (size_t)made->channels || bias->tensor->dims < 1 ||
        bias->tensor->shape[bias->tensor->dims - 1] != made->channels)
        return rn_onnx_node_error(RN_EUNSUPPORTED, node,
                                  "input 2 is not a constant tensor of %d floats", made->channels);
    made->bias = bias->tensor;
    return RN_OK;
}

rn_status rn_lower_gemm(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    rn_status st = RN_OK;
    rn_net_node *made = NULL;
    int64_t first = 0, second = 0;

    RN_TRY(check_factor(node, "alpha"));
    RN_TRY(check_factor(node, "beta"));
    RN_TRY(rn_lower_int(&first, node, "transA"));
    RN_TRY(rn_lower_int(&second, node, "transB"));
    if (first != 0)
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "transA is set");
    RN_TRY(lower_linear(lowering, node, second == 0, &made, out));
    RN_TRY(linear_bias(made, lowering, node));
out:
    return st;
}

rn_status rn_lower_matmul(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    rn_net_node *made;

    return lower_linear(lowering, node, true, &made, out);
}
