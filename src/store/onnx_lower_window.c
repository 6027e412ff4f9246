// Operators with windows: convolution and pooling.
#include "store/onnx_lower.h"

enum { LARGEST_WINDOW = 1024 };

typedef struct window {
    int kernel, stride, pad;
} window;

// A list of numbers that are all equal, as square windows have.
static rn_status read_equal(int *value, const rn_onnx_node *node, const char *name, int count)
{
    rn_status st = RN_OK;
    rn_onnx_attribute list;

    RN_TRY(rn_onnx_find_attribute(&list, node, name, RN_ONNX_ATTRIBUTE_INTS));
    if (!list.present)
        return RN_OK;
    if (list.count != count)
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "%s has %d numbers, expected %d", name,
                                  list.count, count);
    for (int i = 0; i < count; i++) {
        if (list.ints[i] != list.ints[0])
            return rn_onnx_node_error(RN_EUNSUPPORTED, node,
                                      "%s has %lld and %lld, expected equal numbers", name,
                                      (long long)list.ints[0], (long long)list.ints[i]);
    }
    if (list.ints[0] < 0 || list.ints[0] > LARGEST_WINDOW)
        return rn_onnx_node_error(RN_EFORMAT, node, "%s is %lld, expected at most %d", name,
                                  (long long)list.ints[0], LARGEST_WINDOW);
    *value = (int)list.ints[0];
out:
    return st;
}

static rn_status read_auto_pad(window *w, const rn_onnx_node *node)
{
    rn_status st = RN_OK;
    rn_onnx_attribute mode;

    RN_TRY(rn_onnx_find_attribute(&mode, node, "auto_pad", RN_ONNX_ATTRIBUTE_TEXT));
    if (!mode.present || mode.text.size == 0 || rn_onnx_is(mode.text, "NOTSET"))
        return RN_OK;
    if (rn_onnx_is(mode.text, "VALID"))
        w->pad = 0;
    else if (w->stride == 1 && w->kernel % 2 == 1)
        w->pad = w->kernel / 2; // "SAME": as much on all sides only here
    else
        st = rn_onnx_node_error(RN_EUNSUPPORTED, node, "auto_pad '%.*s' pads unequally",
                                RN_ONNX_TEXT(mode.text));
out:
    return st;
}

static rn_status read_window(window *w, const rn_onnx_node *node)
{
    rn_status st = RN_OK;
    int dilation = 1;

    w->stride = 1;
    w->pad = 0;
    RN_TRY(read_equal(&w->kernel, node, "kernel_shape", 2));
    RN_TRY(read_equal(&w->stride, node, "strides", 2));
    RN_TRY(read_equal(&w->pad, node, "pads", 4));
    RN_TRY(read_equal(&dilation, node, "dilations", 2));
    RN_TRY(read_auto_pad(w, node));
    if (dilation != 1)
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "dilation is %d, expected 1", dilation);
    if (w->kernel < 1 || w->stride < 1 || w->pad >= w->kernel)
        st = rn_onnx_node_error(RN_EFORMAT, node, "a window of %d with stride %d and pad %d",
                                w->kernel, w->stride, w->pad);
out:
    return st;
}

static rn_status move_window(rn_net_node *made, const rn_onnx_node *node, const window *w)
{
    int *sizes[] = {&made->height, &made->width};

    made->kernel = w->kernel;
    made->stride = w->stride;
    made->pad = w->pad;
    for (int i = 0; i < 2; i++) {
        if (*sizes[i] == 0)
            continue;
        int64_t room = (int64_t)*sizes[i] + 2 * w->pad - w->kernel;
        if (room < 0)
            return rn_onnx_node_error(RN_EFORMAT, node,
                                      "a %d x %d window does not fit a map of %d x %d", w->kernel,
                                      w->kernel, made->height, made->width);
        *sizes[i] = (int)(room / w->stride) + 1;
    }
    return RN_OK;
}

static rn_status map_input(const rn_known **input, const rn_lowering *lowering,
                           const rn_onnx_node *node)
{
    rn_status st = rn_lower_data(input, lowering, node, 0);

    if (st == RN_OK && (*input)->rank != 4)
        st = rn_onnx_node_error(RN_EFORMAT, node, "input 0 has %d dimensions, expected 4",
                                (*input)->rank);
    return st;
}

static rn_status check_conv(const rn_onnx_node *node, const rn_onnx_tensor *weight, int *channels)
{
    rn_status st = RN_OK;
    int64_t group = 1;

    RN_TRY(rn_lower_int(&group, node, "group"));
    if (group != 1)
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "group is %lld, expected 1",
                                  (long long)group);
    if (weight->shape[2] != weight->shape[3] || weight->shape[2] > LARGEST_WINDOW)
        return rn_onnx_node_error(RN_EUNSUPPORTED, node, "a kernel of %lld x %lld",
                                  (long long)weight->shape[2], (long long)weight->shape[3]);
    if (weight->count == 0 || weight->shape[0] > RN_NET_LARGEST ||
        weight->shape[1] > RN_NET_LARGEST)
        return rn_onnx_node_error(RN_EFORMAT, node, "weights of %lld x %lld channels",
                                  (long long)weight->shape[0], (long long)weight->shape[1]);
    if (*channels == 0)
        *channels = (int)weight->shape[1];
    if (weight->shape[1] != *channels)
        st = rn_onnx_node_error(RN_EFORMAT, node, "weights for %lld channels, where %d come in",
                                (long long)weight->shape[1], *channels);
out:
    return st;
}

static rn_status conv_bias(rn_net_node *made, const rn_lowering *lowering, const rn_onnx_node *node)
{
    rn_status st = RN_OK;
    const rn_known *bias;

    if (rn_lower_input(lowering, node, 2) == NULL)
        return RN_OK;
    RN_TRY(rn_lower_floats(&bias, lowering, node, 2, 1));
    made->bias = bias->tensor;
    if (made->bias->shape[0] != made->channels)
        st = rn_onnx_node_error(RN_EFORMAT, node, "bias of %lld values, expected %d",
                                (long long)made->bias->shape[0], made->channels);
out:
    return st;
}

rn_status rn_lower_conv(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    rn_status st = RN_OK;
    const rn_known *input, *weight;
    rn_net_node *made;
    window w = {0};

    RN_TRY(map_input(&input, lowering, node));
    RN_TRY(rn_lower_floats(&weight, lowering, node, 1, 4));
    RN_TRY(check_conv(node, weight->tensor, &lowering->net->nodes[input->node].channels));
    w.kernel = (int)weight->tensor->shape[2];
    RN_TRY(read_window(&w, node));
    if (w.kernel != weight->tensor->shape[2])
        return rn_onnx_node_error(RN_EFORMAT, node, "kernel_shape is %d, the weights' %lld",
                                  w.kernel, (long long)weight->tensor->shape[2]);
    RN_TRY(rn_lower_append(&made, lowering, node, RN_NODE_CONV, input, out));
    made->weight = weight->tensor;
    made->channels = (int)weight->tensor->shape[0];
    RN_TRY(move_window(made, node, &w));
    RN_TRY(conv_bias(made, lowering, node));
out:
    return st;
}

rn_status rn_lower_subsample(rn_lowering *lowering, const rn_onnx_node *node, const rn_known *input,
                             int stride, rn_known *out)
{
    rn_status st = RN_OK;
    rn_net_node *made;
    window w = {.kernel = 1, .stride = stride};

    RN_TRY(rn_lower_append(&made, lowering, node, RN_NODE_SHORTCUT_PAD, input, out));
    RN_TRY(move_window(made, node, &w));
    made->kernel = 0;
out:
    return st;
}

// ceil_mode matters only where the last window would hang over the edge.
static rn_status check_ceil(const rn_lowering *lowering, const rn_onnx_node *node,
                            const rn_known *input, const window *w)
{
    rn_status st = RN_OK;
    int64_t ceil_mode = 0;
    const rn_net_node *from = &lowering->net->nodes[input->node];

    RN_TRY(rn_lower_int(&ceil_mode, node, "ceil_mode"));
    if (ceil_mode != 0 && (from->height == 0 || from->width == 0 ||
                           (from->height + 2 * w->pad - w->kernel) % w->stride != 0 ||
                           (from->width + 2 * w->pad - w->kernel) % w->stride != 0))
        st = rn_onnx_node_error(RN_EUNSUPPORTED, node, "ceil_mode is set");
out:
    return st;
}

// A window of one pixel copies, or subsamples.
static rn_status lower_copy(rn_lowering *lowering, const rn_onnx_node *node, const rn_known *input,
                            const window *w, rn_known *out)
{
    *out = *input;
    return w->stride == 1 ? RN_OK : rn_lower_subsample(lowering, node, input, w->stride, out);
}

rn_status rn_lower_max_pool(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    rn_status st = RN_OK;
    const rn_known *input;
    rn_net_node *made;
    window w = {0};

    RN_TRY(map_input(&input, lowering, node));
    RN_TRY(read_window(&w, node));
    RN_TRY(check_ceil(lowering, node, input, &w));
    if (w.kernel == 1)
        return lower_copy(lowering, node, input, &w, out);
    RN_TRY(rn_lower_append(&made, lowering, node, RN_NODE_MAX_POOL, input, out));
    RN_TRY(move_window(made, node, &w));
out:
    return st;
}

static rn_status pool_all(rn_lowering *lowering, const rn_onnx_node *node, const rn_known *input,
                          rn_known *out)
{
    rn_net_node *made;
    rn_status st = rn_lower_append(&made, lowering, node, RN_NODE_AVERAGE_POOL, input, out);

    if (st == RN_OK)
        made->height = made->width = 1;
    return st;
}

rn_status rn_lower_average_pool(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    rn_status st = RN_OK;
    const rn_known *input;
    window w = {0};

    RN_TRY(map_input(&input, lowering, node));
    RN_TRY(read_window(&w, node));
    RN_TRY(check_ceil(lowering, node, input, &w));
    const rn_net_node *from = &lowering->net->nodes[input->node];
    bool whole = from->height == w.kernel && from->width == w.kernel && w.pad == 0;
    if (w.kernel == 1 && !whole)
        return lower_copy(lowering, node, input, &w, out);
    if (!whole)
        return rn_onnx_node_error(RN_EUNSUPPORTED, node,
                                  "it averages %d x %d of a map of %d x %d, expected all of it",
                                  w.kernel, w.kernel, from->height, from->width);
    RN_TRY(pool_all(lowering, node, input, out));
out:
    return st;
}

rn_status rn_lower_global_pool(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    const rn_known *input;
    rn_status st = map_input(&input, lowering, node);

    return st != RN_OK ? st : pool_all(lowering, node, input, out);
}

// The axes are an attribute before operator set 18, then an input.
static rn_status read_axes(rn_onnx_ints *axes, const rn_lowering *lowering,
                           const rn_onnx_node *node)
{
    rn_status st = RN_OK;
    rn_onnx_attribute list;

    if (rn_lower_input(lowering, node, 1) != NULL)
        return rn_lower_ints(axes, lowering, node, 1);
    RN_TRY(rn_onnx_find_attribute(&list, node, "axes", RN_ONNX_ATTRIBUTE_INTS));
    rn_onnx_ints_set(axes, list.ints, list.count);
out:
    return st;
}

rn_status rn_lower_reduce_mean(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out)
{
    rn_status st = RN_OK;
    const rn_known *input;
    rn_onnx_ints axes;
    int64_t keep = 1;
    bool seen[4] = {false};

    RN_TRY(map_input(&input, lowering, node));
    RN_TRY(read_axes(&axes, lowering, node));
    RN_TRY(rn_lower_int(&keep, node, "keepdims"));
    for (int i = 0; i < axes.count; i++) {
        if (axes.values[i] >= -4 && axes.values[i] < 4)
            seen[(axes.values[i] + 4) % 4] = true;
    }
    if (axes.count != 2 || !seen[2] || !seen[3])
        return rn_onnx_node_error(RN_EUNSUPPORTED, node,
                                  "it averages other axes than height and width");
    RN_TRY(pool_all(lowering, node, input, out));
    if (keep == 0)
        out->rank = 2;
out:
    return st;
}
