// Operators that move values or tell sizes: slices and padding of option A, flattening, constants.
#include "store/onnx_lower.h"

#include "base/memory.h"

#include <limits.h>

enum { LARGEST_STRIDE = 1024 };

// An input of the node, or the attribute of the same purpose in old operator sets.
static rn_status read_list(rn_onnx_ints *list, const rn_lowering *lowering,
                           const rn_onnx_node *node, int index, const char *attribute)
{
    rn_status st = RN_OK;
    rn_onnx_attribute old = {0};

    if (rn_lower_input(lowering, node, index) != NULL)
        return rn_lower_ints(list, lowering, node, index);
    RN_TRY(rn_onnx_find_attribute(&old, node, attribute, RN_ONNX_ATTRIBUTE_INTS));
    rn_onnx_ints_set(list, old.ints, old.count);
out:
    return st;
}

// The step along height or width; both must come to the same in the end.
static rn_status read_steps(int64_t steps[2], const rn_lowering *lowering, const rn_onnx_node *node,
                            const rn_net_node *from)
{
    rn_status st = RN_OK;
    rn_onnx_ints starts, ends, axes, step;
    const int sizes[] = {0, from->channels, from->height, from->width};

    RN_TRY(read_list(&starts, lowering, node, 1, "starts"));
    RN_TRY(read_list(&ends, lowering, node, 2, "ends"));
    RN_TRY(read_list(&axes, lowering, node, 3, "axes"));
    RN_TRY(read_list(&step, lowering, node, 4, "steps"));
    for (int i = 0; i < starts.count; i++) {
        int64_t axis = i < axes.count ? axes.values[i] : i,
                by = i < step.count ? step.values[i] : 1;
        axis = axis < 0 ? axis + 4 : axis;
        bool whole =
            i < ends.count && starts.values[i] == 0 && axis >= 0 && axis < 4 &&
            (ends.values[i] >= INT32_MAX || (sizes[axis] > 0 && ends.values[i] == sizes[axis]));
        if (!whole || by < 1 || by > LARGEST_STRIDE || (axis < 2 && by != 1))
            return rn_onnx_node_error(RN_EUNSUPPORTED, node,
                                      "it takes other parts than every n-th row and column");
        if (axis >= 2)
            steps[axis - 2] *= by;
        if (steps[0] > LARGEST_STRIDE || steps[1] > LARGEST_STRIDE)
            return rn_onnx_node_error(RN_EFORMAT, node, "a step of more than %d", LARGEST_STRIDE);
    }
out:
    return st;
}

// Exporters slice rows first, and columns in a second node, which makes one of the two. Until then
// `kernel` is the step along rows and `stride` that along columns.
static rn_status half_slice(rn_lowering *lowering, const rn_onnx_node *node, const rn_known *input,
                            const int64_t steps[2], rn_known *out)
{
    rn_status st = RN_OK;
    rn_net_node *made;

    RN_TRY(rn_lower_append(&made, lowering, node, RN_NET_HALF_SLICE, input, out));
    made->kernel = (int)steps[0];
    made->stride = (int)steps[1];
    if (made->height > 0)
        made->height = (made->height - 1) / made->kernel + 1;
    if (made->width > 0)
        made->width = (made->width - 1) / made->stride + 1;
out:
    return st;
}

rn_status rn_lower_slice(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    rn_status st = RN_OK;
    const rn_known *input;
    int64_t steps[2] = {1, 1};

    RN_TRY(rn_lower_data(&input, lowering, node, 0));
    if (input->rank != 4)
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "input 0 has %d dimensions, expected 4",
                                  input->rank);
    rn_known source = *input;
    const rn_net_node *from = &lowering->net->nodes[source.node];
    RN_TRY(read_steps(steps, lowering, node, from));
    if (from->kind == RN_NET_HALF_SLICE) {
        steps[0] *= from->kernel;
        steps[1] *= from->stride;
        source.node = from->inputs[0];
    }
    *out = source;
    if (steps[0] > LARGEST_STRIDE || steps[1] > LARGEST_STRIDE)
        return rn_onnx_node_error(RN_EFORMAT, node, "a step of more than %d", LARGEST_STRIDE);
    if (steps[0] != steps[1])
        return half_slice(lowering, node, &source, steps, out);
    if (steps[0] > 1)
        RN_TRY(rn_lower_subsample(lowering, node, &source, (int)steps[0], out));
out:
    return st;
}

static rn_status check_pad(const rn_lowering *lowering, const rn_onnx_node *node,
                           const rn_onnx_ints *pads)
{
    rn_status st = RN_OK;
    rn_onnx_attribute mode, old;
    float value = 0;

    RN_TRY(rn_onnx_find_attribute(&mode, node, "mode", RN_ONNX_ATTRIBUTE_TEXT));
    if (mode.present && !rn_onnx_is(mode.text, "constant"))
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "mode is '%.*s', expected 'constant'",
                                  RN_ONNX_TEXT(mode.text));
    RN_TRY(rn_onnx_find_attribute(&old, node, "value", RN_ONNX_ATTRIBUTE_FLOAT));
    if (old.present)
        value = old.real;
    if (rn_lower_input(lowering, node, 3) != NULL)
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "it chooses axes");
    if ((rn_lower_input(lowering, node, 2) != NULL && !rn_lower_real(&value, lowering, node, 2)) ||
        value != 0)
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "it pads with another value than 0");
    for (int i = 0; i < pads->count; i++) {
        if (i % 4 != 1 && pads->values[i] != 0)
            return rn_onnx_node_error(RN_EUNSUPPORTED, node, "it pads other axes than channels");
    }
    if (pads->count != 8 || pads->values[1] < 0 || pads->values[1] > INT16_MAX ||
        pads->values[5] < 0 || pads->values[5] > INT16_MAX)
        st = rn_onnx_node_error(RN_EFORMAT, node, "these pads do not go with channels");
out:
    return st;
}

rn_status rn_lower_pad(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    rn_status st = RN_OK;
    const rn_known *input;
    rn_onnx_ints pads;
    rn_net_node *made;

    RN_TRY(rn_lower_data(&input, lowering, node, 0));
    RN_TRY(read_list(&pads, lowering, node, 1, "pads"));
    RN_TRY(check_pad(lowering, node, &pads));
    rn_known source = *input;
    rn_net_node sampled = lowering->net->nodes[source.node];
    if (sampled.channels == 0 || sampled.channels > RN_NET_LARGEST)
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "%d channels come in", sampled.channels);
    bool joins = sampled.kind == RN_NODE_SHORTCUT_PAD && sampled.kernel == 0;
    if (joins)
        source.node = sampled.inputs[0]; // one node for the slice and this
    RN_TRY(rn_lower_append(&made, lowering, node, RN_NODE_SHORTCUT_PAD, &source, out));
    made->stride = joins ? sampled.stride : 1;
    made->height = sampled.height;
    made->width = sampled.width;
    made->channel_offset = (int)pads.values[1];
    made->channels = sampled.channels + (int)(pads.values[1] + pads.values[5]);
    made->kernel = 1; // padded: another Pad would be another node
out:
    return st;
}

// Values of one sample's map; false where they are too many to be counted.
static bool count_map(int64_t *total, const rn_net_node *map)
{
    return !__builtin_mul_overflow((int64_t)map->channels, (int64_t)map->height, total) &&
           !__builtin_mul_overflow(*total, (int64_t)map->width, total);
}

// From a map to a list a sample; after pooling that changes nothing.
static rn_status flatten(rn_lowering *lowering, const rn_onnx_node *node, const rn_known *input,
                         rn_known *out)
{
    rn_status st = RN_OK;
    rn_net_node *made;
    int64_t total;

    *out = *input;
    out->rank = 2;
    if (input->rank == 2 || lowering->net->nodes[input->node].kind == RN_NODE_AVERAGE_POOL)
        return RN_OK;
    RN_TRY(rn_lower_append(&made, lowering, node, RN_NODE_FLATTEN, input, out));
    out->rank = 2;
    if (!count_map(&total, made) || total > INT32_MAX)
        return rn_onnx_node_error(RN_EFORMAT, node, "a map of %d x %d x %d", made->channels,
                                  made->height, made->width);
    made->channels = (int)total;
    made->height = made->width = total > 0;
out:
    return st;
}

rn_status rn_lower_flatten(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    rn_status st = RN_OK;
    const rn_known *input;
    int64_t axis = 1;

    RN_TRY(rn_lower_data(&input, lowering, node, 0));
    RN_TRY(rn_lower_int(&axis, node, "axis"));
    if (axis != 1 && axis != 1 - input->rank)
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "axis is %lld, expected 1",
                                  (long long)axis);
    RN_TRY(flatten(lowering, node, input, out));
out:
    return st;
}

static bool keeps_batch(const rn_lowering *lowering, int64_t size)
{
    return size == RN_ONNX_BATCH || size == 0 || (size > 0 && size == lowering->batch);
}

rn_status rn_lower_reshape(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    rn_status st = RN_OK;
    const rn_known *input;
    rn_onnx_ints shape;
    rn_onnx_attribute old;

    RN_TRY(rn_lower_data(&input, lowering, node, 0));
    RN_TRY(rn_lower_ints(&shape, lowering, node, 1));
    RN_TRY(rn_onnx_find_attribute(&old, node, "allowzero", RN_ONNX_ATTRIBUTE_INT));
    const rn_net_node *from = &lowering->net->nodes[input->node];
    int64_t flat;
    int64_t first = shape.count > 0 ? shape.values[0] : 0, rest = shape.values[1];
    bool batch = keeps_batch(lowering, first),
         whole = count_map(&flat, from) && rest == flat && flat > 0;
    if (shape.count != 2 ||
        !((batch && (rest == -1 || rest == RN_ONNX_UNTOLD || whole)) || (first == -1 && whole)))
        return rn_onnx_node_error(RN_EUNSUPPORTED, node,
                                  "it does more than to flatten each sample");
    RN_TRY(flatten(lowering, node, input, out));
out:
    return st;
}

rn_status rn_lower_squeeze(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    rn_status st = RN_OK;
    const rn_known *input;
    rn_onnx_ints axes;

    RN_TRY(rn_lower_data(&input, lowering, node, 0));
    RN_TRY(read_list(&axes, lowering, node, 1, "axes"));
    *out = *input;
    for (int i = 0; i < axes.count; i++) {
        int64_t axis = axes.values[i] < 0 ? axes.values[i] + input->rank : axes.values[i];
        if (axis < 2 || axis >= input->rank)
            return rn_onnx_node_error(RN_EUNSUPPORTED, node, "it removes axis %lld",
                                      (long long)axes.values[i]);
        out->rank--;
    }
    if (axes.count == 0 || out->rank < 2 ||
        lowering->net->nodes[input->node].kind != RN_NODE_AVERAGE_POOL)
        st = rn_onnx_node_error(RN_EUNSUPPORTED, node, "only pooled maps are squeezed");
out:
    return st;
}

static int64_t told(int size)
{
    return size > 0 ? size : RN_ONNX_UNTOLD;
}

rn_status rn_lower_shape(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    rn_status st = RN_OK;
    const rn_known *input;
    int64_t start = 0, end = INT64_MAX;

    RN_TRY(rn_lower_data(&input, lowering, node, 0));
    const rn_net_node *from = &lowering->net->nodes[input->node];
    const int64_t sizes[] = {RN_ONNX_BATCH, told(from->channels), told(from->height),
                             told(from->width)};
    RN_TRY(rn_lower_int(&start, node, "start"));
    RN_TRY(rn_lower_int(&end, node, "end"));
    end = end > input->rank ? input->rank : end;
    if (start < 0 || start > end)
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "dimensions %lld to %lld",
                                  (long long)start, (long long)end);
    *out = (rn_known){.kind = RN_KNOWN_INTS};
    RN_TRY(RN_NEW(&out->ints, 1));
    rn_onnx_ints_set(out->ints, sizes + start, (int)(end - start));
out:
    return st;
}

static rn_status constant_tensor(rn_lowering *lowering, const rn_onnx_attribute *value,
                                 rn_known *out)
{
    rn_status st = RN_OK;
    rn_net *net = lowering->net;

    RN_TRY(rn_grow((void **)&net->constants, &net->constant_capacity, net->constant_count + 1,
                   sizeof(rn_onnx_tensor *)));
    RN_TRY(RN_NEW(&net->constants[net->constant_count], 1));
    rn_onnx_tensor *tensor = net->constants[net->constant_count++];
    RN_TRY(rn_onnx_read_tensor(tensor, value->tensor, false));
    *out = (rn_known){.kind = RN_KNOWN_TENSOR, .tensor = tensor};
out:
    return st;
}

static rn_status constant_ints(const int64_t *values, int count, rn_known *out)
{
    *out = (rn_known){.kind = RN_KNOWN_INTS};
    rn_status st = RN_NEW(&out->ints, 1);

    if (st == RN_OK)
        rn_onnx_ints_set(out->ints, values, count);
    return st;
}

rn_status rn_lower_constant(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    rn_status st = RN_OK;
    rn_onnx_attribute value;

    RN_TRY(rn_onnx_find_attribute(&value, node, "value", RN_ONNX_ATTRIBUTE_TENSOR));
    if (value.present) {
        st = constant_tensor(lowering, &value, out);
        return st == RN_OK ? st : rn_onnx_node_error(st, node, "%s", rn_error_message());
    }
    RN_TRY(rn_onnx_find_attribute(&value, node, "value_float", RN_ONNX_ATTRIBUTE_FLOAT));
    *out = (rn_known){.kind = RN_KNOWN_REAL, .real = value.real};
    if (value.present)
        return RN_OK;
    RN_TRY(rn_onnx_find_attribute(&value, node, "value_int", RN_ONNX_ATTRIBUTE_INT));
    if (value.present)
        return constant_ints(&value.integer, -1, out);
    RN_TRY(rn_onnx_find_attribute(&value, node, "value_ints", RN_ONNX_ATTRIBUTE_INTS));
    if (!value.present)
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "it has no value");
    RN_TRY(constant_ints(value.ints, value.count, out));
out:
    return st;
}

rn_status rn_lower_transpose(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    rn_status st = RN_OK;
    const rn_known *input;
    rn_onnx_attribute order;

    RN_TRY(rn_lower_floats(&input, lowering, node, 0, 2));
    RN_TRY(rn_onnx_find_attribute(&order, node, "perm", RN_ONNX_ATTRIBUTE_INTS));
    if (order.present && (order.count != 2 || order.ints[0] != 1 || order.ints[1] != 0))
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "only two dimensions are swapped");
    *out = *input;
    out->transposed = !input->transposed;
out:
    return st;
}

rn_status rn_lower_cast(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    rn_status st = RN_OK;
    int64_t type = 0;

    RN_TRY(rn_lower_int(&type, node, "to"));
    if (type < 0 || type > INT_MAX || !rn_onnx_is_float((int)type))
        return rn_onnx_node_error(RN_EUNSUPPORTED, node,
                                  "it converts to type %lld, expected a float's", (long long)type);
    RN_TRY(rn_lower_identity(lowering, node, out));
out:
    return st;
}

rn_status rn_lower_identity(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    const rn_known *input = rn_lower_input(lowering, node, 0);
    const rn_known *training = rn_lower_input(lowering, node, 2); // of Dropout
    rn_onnx_ints flag;

    if (input == NULL || input->kind == RN_KNOWN_NOTHING || input->kind == RN_KNOWN_INTS)
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "input 0 is not known");
    if (training != NULL && (rn_lower_ints(&flag, lowering, node, 2) != RN_OK || flag.count != 1 ||
                             flag.values[0] != 0))
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "it is in training mode");
    *out = *input;
    return RN_OK;
}

// Probabilities of the logits: the network's last word, and none of its layers.
rn_status rn_lower_softmax(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    rn_status st = RN_OK;
    const rn_known *input;
    int64_t axis = -1;

    RN_TRY(rn_lower_data(&input, lowering, node, 0));
    RN_TRY(rn_lower_int(&axis, node, "axis"));
    if (lowering->model->links[node->first_output].value != lowering->model->output_value ||
        input->rank != 2 || (axis != 1 && axis != -1))
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "it is known only at the end");
    *out = *input;
out:
    return st;
}
