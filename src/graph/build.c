#include "graph/build.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// PyTorch's defaults, which are those of the authors' Caffe models up to the name of momentum.
static const float BN_EPSILON = 1e-5f, BN_MOMENTUM = 0.1f;

static const rn_node *node_at(const rn_builder *builder, int index)
{
    return &builder->graph->nodes[index];
}

// A new node with the output shape of its input; the caller changes what differs.
static rn_node *append(rn_builder *builder, rn_node_kind kind, int input, const char *name_fmt,
                       va_list args)
{
    rn_graph *graph = builder->graph;

    if (builder->status != RN_OK)
        return NULL;
    builder->status = rn_grow((void **)&graph->nodes, &graph->node_capacity,
                              (size_t)graph->node_count + 1, sizeof *graph->nodes);
    if (builder->status != RN_OK)
        return NULL;
    rn_node *node = &graph->nodes[graph->node_count++];
    *node = (rn_node){
        .kind = kind,
        .inputs = {input, -1},
        .stride = 1,
        .stage = builder->stage,
        .unit = builder->stage > 0 ? builder->unit : -1,
        .weight = RN_NO_PARAM,
        .bias = RN_NO_PARAM,
        .running_mean = RN_NO_PARAM,
        .running_variance = RN_NO_PARAM,
    };
    if (input >= 0) {
        node->depth = graph->nodes[input].depth;
        node->channels = graph->nodes[input].channels;
        node->height = graph->nodes[input].height;
        node->width = graph->nodes[input].width;
    }
    vsnprintf(node->name, sizeof node->name, name_fmt, args);
    return node;
}

static rn_node *append_named(rn_builder *builder, rn_node_kind kind, int input, const char *fmt,
                             ...) __attribute__((format(printf, 4, 5)));

static rn_node *append_named(rn_builder *builder, rn_node_kind kind, int input, const char *fmt,
                             ...)
{
    va_list args;

    va_start(args, fmt);
    rn_node *node = append(builder, kind, input, fmt, args);
    va_end(args);
    return node;
}

static int add_param(rn_builder *builder, rn_param_kind kind, const char *node, const char *part,
                     int dims, const int *shape)
{
    rn_graph *graph = builder->graph;

    if (builder->status != RN_OK)
        return RN_NO_PARAM;
    builder->status = rn_grow((void **)&graph->params, &graph->param_capacity,
                              (size_t)graph->param_count + 1, sizeof *graph->params);
    if (builder->status != RN_OK)
        return RN_NO_PARAM;
    rn_param *param = &graph->params[graph->param_count];
    *param = (rn_param){.kind = kind, .dims = dims, .shape = {1, 1, 1, 1}, .count = 1};
    snprintf(param->name, sizeof param->name, "%s.%s", node, part);
    if (kind != RN_PARAM_BIAS && kind != RN_PARAM_BN_BIAS && kind != RN_PARAM_RUNNING_MEAN)
        param->initial = 1;
    for (int d = 0; d < dims; d++) {
        param->shape[d] = shape[d];
        param->count *=
            (size_t)shape[d]; // below 2^64: no more than 2^16 x 2^16 x 49, or 2^31 x 2^20
    }
    builder->parameters += param->count;
    if (builder->parameters > RN_MAX_PARAMETERS)
        builder->status = rn_error(RN_EINVAL, "'%s': more than %llu parameters", param->name,
                                   (unsigned long long)RN_MAX_PARAMETERS);
    return graph->param_count++;
}

// The index of the node that is now complete. Engines count the values of one picture in an int.
static int last_index(rn_builder *builder)
{
    if (builder->status != RN_OK)
        return 0;
    const rn_node *node = node_at(builder, builder->graph->node_count - 1);
    if ((int64_t)node->channels * node->height * node->width > INT32_MAX) {
        builder->status =
            rn_error(RN_EINVAL, "'%s': %d x %d x %d values for one picture, at most %d", node->name,
                     node->channels, node->height, node->width, INT32_MAX);
        return 0;
    }
    return builder->graph->node_count - 1;
}

int rn_build_channels(const rn_builder *builder, int index)
{
    return builder->status == RN_OK ? node_at(builder, index)->channels : 0;
}

int rn_build_side(const rn_builder *builder, int index)
{
    if (builder->status != RN_OK)
        return 0;
    const rn_node *node = node_at(builder, index);
    return node->height < node->width ? node->height : node->width;
}

int rn_build_input(rn_builder *builder, int channels, int height, int width)
{
    rn_node *node = append_named(builder, RN_NODE_INPUT, -1, "input");

    if (node != NULL) {
        node->channels = channels;
        node->height = height;
        node->width = width;
    }
    return last_index(builder);
}

// Positions of a window along one axis; 0 where the window does not fit.
static int window_positions(int extent, int kernel, int stride, int pad)
{
    int room = extent + 2 * pad - kernel;

    return room < 0 ? 0 : room / stride + 1;
}

static void set_window(rn_builder *builder, rn_node *node, int kernel, int stride, int pad)
{
    int height = window_positions(node->height, kernel, stride, pad);
    int width = window_positions(node->width, kernel, stride, pad);

    if (height < 1 || width < 1)
        builder->status =
            rn_error(RN_EINVAL, "'%s': a %d x %d window does not fit an input of %d x %d",
                     node->name, kernel, kernel, node->height, node->width);
    node->kernel = kernel;
    node->stride = stride;
    node->pad = pad;
    node->height = height;
    node->width = width;
}

int rn_build_conv(rn_builder *builder, int input, rn_conv_shape shape, const char *name_fmt, ...)
{
    va_list args;

    va_start(args, name_fmt);
    rn_node *node = append(builder, RN_NODE_CONV, input, name_fmt, args);
    va_end(args);
    if (node == NULL)
        return 0;
    int weight[4] = {shape.out, node->channels, shape.kernel, shape.kernel};
    node->depth++;
    node->weight = add_param(builder, RN_PARAM_CONV_WEIGHT, node->name, "weight", 4, weight);
    if (shape.bias)
        node->bias = add_param(builder, RN_PARAM_BIAS, node->name, "bias", 1, &shape.out);
    node->channels = shape.out;
    set_window(builder, node, shape.kernel, shape.stride, shape.pad);
    return last_index(builder);
}

int rn_build_batch_norm(rn_builder *builder, int input, const char *name_fmt, ...)
{
    va_list args;

    va_start(args, name_fmt);
    rn_node *node = append(builder, RN_NODE_BATCH_NORM, input, name_fmt, args);
    va_end(args);
    if (node == NULL)
        return 0;
    const int *c = &node->channels;
    node->epsilon = BN_EPSILON;
    node->momentum = BN_MOMENTUM;
    node->weight = add_param(builder, RN_PARAM_BN_GAIN, node->name, "weight", 1, c);
    node->bias = add_param(builder, RN_PARAM_BN_BIAS, node->name, "bias", 1, c);
    node->running_mean =
        add_param(builder, RN_PARAM_RUNNING_MEAN, node->name, "running_mean", 1, c);
    node->running_variance =
        add_param(builder, RN_PARAM_RUNNING_VARIANCE, node->name, "running_var", 1, c);
    return last_index(builder);
}

int rn_build_relu(rn_builder *builder, int input, const char *name_fmt, ...)
{
    va_list args;

    va_start(args, name_fmt);
    append(builder, RN_NODE_RELU, input, name_fmt, args);
    va_end(args);
    return last_index(builder);
}

// The second operand, of the same shape as the node so far.
static void set_second_input(rn_builder *builder, rn_node *node, int other_index)
{
    const rn_node *other = node_at(builder, other_index);

    node->inputs[1] = other_index;
    if (other->depth > node->depth)
        node->depth = other->depth;
    if (node->channels != other->channels || node->height != other->height ||
        node->width != other->width)
        builder->status = rn_error(RN_EINVAL, "'%s': %d x %d x %d does not go with %d x %d x %d",
                                   node->name, node->channels, node->height, node->width,
                                   other->channels, other->height, other->width);
}

int rn_build_add(rn_builder *builder, int a, int b, const char *name_fmt, ...)
{
    va_list args;

    va_start(args, name_fmt);
    rn_node *node = append(builder, RN_NODE_ADD, a, name_fmt, args);
    va_end(args);
    if (node == NULL)
        return 0;
    set_second_input(builder, node, b);
    return last_index(builder);
}

int rn_build_gate(rn_builder *builder, int src, int gate, bool complement, const char *name_fmt,
                  ...)
{
    va_list args;

    va_start(args, name_fmt);
    rn_node *node = append(builder, RN_NODE_GATE, src, name_fmt, args);
    va_end(args);
    if (node == NULL)
        return 0;
    node->complement = complement;
    set_second_input(builder, node, gate);
    return last_index(builder);
}

int rn_build_scale(rn_builder *builder, int input, float scale, const char *name_fmt, ...)
{
    va_list args;

    va_start(args, name_fmt);
    rn_node *node = append(builder, RN_NODE_SCALE, input, name_fmt, args);
    va_end(args);
    if (node != NULL)
        node->scale = scale;
    return last_index(builder);
}

int rn_build_dropout(rn_builder *builder, int input, float rate, const char *name_fmt, ...)
{
    va_list args;

    va_start(args, name_fmt);
    rn_node *node = append(builder, RN_NODE_DROPOUT, input, name_fmt, args);
    va_end(args);
    if (node != NULL)
        node->rate = rate;
    return last_index(builder);
}

int rn_build_drop_branch(rn_builder *builder, int input, float rate, const char *name_fmt, ...)
{
    va_list args;

    va_start(args, name_fmt);
    rn_node *node = append(builder, RN_NODE_DROP_BRANCH, input, name_fmt, args);
    va_end(args);
    if (node != NULL)
        node->rate = rate;
    return last_index(builder);
}

void rn_build_unit(rn_builder *builder, int stage, int unit)
{
    builder->stage = stage;
    builder->unit = unit;
}

void rn_build_initial(rn_builder *builder, int node, float initial)
{
    if (builder->status != RN_OK)
        return;
    const rn_node *at = node_at(builder, node);
    int param = at->kind == RN_NODE_CONV ? at->bias : at->weight;
    builder->graph->params[param].initial = initial;
}

void rn_build_identity(rn_builder *builder, int conv)
{
    if (builder->status == RN_OK)
        builder->graph->params[node_at(builder, conv)->weight].identity = true;
}

int rn_build_shortcut_pad(rn_builder *builder, int input, int channels, int stride,
                          const char *name_fmt, ...)
{
    va_list args;

    va_start(args, name_fmt);
    rn_node *node = append(builder, RN_NODE_SHORTCUT_PAD, input, name_fmt, args);
    va_end(args);
    if (node == NULL)
        return 0;
    if (channels < node->channels)
        builder->status = rn_error(RN_EINVAL,
                                   "'%s': a shortcut of option A cannot go from %d to %d channels, "
                                   "use shortcut=B",
                                   node->name, node->channels, channels);
    node->channel_offset = (channels - node->channels) / 2;
    node->channels = channels;
    node->stride = stride;
    node->height = (node->height + stride - 1) / stride;
    node->width = (node->width + stride - 1) / stride;
    return last_index(builder);
}

int rn_build_max_pool(rn_builder *builder, int input, int kernel, int stride, int pad,
                      const char *name_fmt, ...)
{
    va_list args;

    va_start(args, name_fmt);
    rn_node *node = append(builder, RN_NODE_MAX_POOL, input, name_fmt, args);
    va_end(args);
    if (node != NULL)
        set_window(builder, node, kernel, stride, pad);
    return last_index(builder);
}

int rn_build_average_pool(rn_builder *builder, int input, const char *name)
{
    rn_node *node = append_named(builder, RN_NODE_AVERAGE_POOL, input, "%s", name);

    if (node != NULL)
        node->height = node->width = 1;
    return last_index(builder);
}

int rn_build_flatten(rn_builder *builder, int input, const char *name)
{
    rn_node *node = append_named(builder, RN_NODE_FLATTEN, input, "%s", name);

    if (node == NULL)
        return 0;
    node->channels *= node->height * node->width; // last_index() has checked the input's product
    node->height = node->width = 1;
    return last_index(builder);
}

int rn_build_linear(rn_builder *builder, int input, int out, const char *name)
{
    rn_node *node = append_named(builder, RN_NODE_LINEAR, input, "%s", name);

    if (node == NULL)
        return 0;
    int shape[2] = {out, node->channels};
    node->depth++;
    node->weight = add_param(builder, RN_PARAM_LINEAR_WEIGHT, node->name, "weight", 2, shape);
    node->bias = add_param(builder, RN_PARAM_BIAS, node->name, "bias", 1, &out);
    node->channels = out;
    return last_index(builder);
}

int rn_build_cross_entropy(rn_builder *builder, int input, const char *name)
{
    rn_node *node = append_named(builder, RN_NODE_CROSS_ENTROPY, input, "%s", name);

    if (node != NULL)
        node->channels = 1;
    return last_index(builder);
}
