/**
 * Building blocks from which network builders are written.
 *
 * Each function appends one node and returns its index. The first failure sticks in
 * builder->status and turns the calls after it into no-ops that return 0, so that a builder reads
 * like the network's table in the paper and checks once, at its end.
 */
#ifndef GRAPH_BUILD_H
#define GRAPH_BUILD_H

#include "resnet/graph.h"

struct rn_graph {
    char *model;
    rn_model_options options;
    rn_node *nodes;
    int node_count;
    size_t node_capacity;
    rn_param *params;
    int param_count;
    size_t param_capacity;
    int *slots; // hash table of parameter names: index + 1, 0 where free
    size_t slot_count;
};

/** Make the names of the finished graph known to rn_graph_find_param(). */
rn_status rn_graph_index_params(rn_graph *graph);

typedef struct rn_builder {
    rn_graph *graph;
    rn_status status;
    int stage, unit;     // of the nodes being appended
    uint64_t parameters; // so far: RN_MAX_PARAMETERS at most
} rn_builder;

#define RN_MAX_PARAMETERS ((uint64_t)1 << 31)

/** Square kernel; `out` channels; parameter NAME.weight, and NAME.bias if wanted. */
typedef struct rn_conv_shape {
    int out, kernel, stride, pad;
    bool bias;
} rn_conv_shape;

/** Output channels of a node; 0 after a failure. */
int rn_build_channels(const rn_builder *builder, int index);
/** The lower of its height and width; 0 after a failure. */
int rn_build_side(const rn_builder *builder, int index);

int rn_build_input(rn_builder *builder, int channels, int height, int width);
int rn_build_conv(rn_builder *builder, int input, rn_conv_shape shape, const char *name_fmt, ...)
    __attribute__((format(printf, 4, 5)));
int rn_build_batch_norm(rn_builder *builder, int input, const char *name_fmt, ...)
    __attribute__((format(printf, 3, 4)));
int rn_build_relu(rn_builder *builder, int input, const char *name_fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** Shapes of a and b must be equal. */
int rn_build_add(rn_builder *builder, int a, int b, const char *name_fmt, ...)
    __attribute__((format(printf, 4, 5)));
/** Option A: every stride-th position, zero channels added equally before and after. RN_EINVAL
 * where `channels` is below the input's. */
int rn_build_shortcut_pad(rn_builder *builder, int input, int channels, int stride,
                          const char *name_fmt, ...) __attribute__((format(printf, 5, 6)));
int rn_build_max_pool(rn_builder *builder, int input, int kernel, int stride, int pad,
                      const char *name_fmt, ...) __attribute__((format(printf, 6, 7)));
int rn_build_flatten(rn_builder *builder, int input, const char *name);
int rn_build_scale(rn_builder *builder, int input, float scale, const char *name_fmt, ...)
    __attribute__((format(printf, 4, 5)));
/** src times sigmoid(gate), or times 1 - sigmoid(gate); shapes must be equal. */
int rn_build_gate(rn_builder *builder, int src, int gate, bool complement, const char *name_fmt,
                  ...) __attribute__((format(printf, 5, 6)));
int rn_build_dropout(rn_builder *builder, int input, float rate, const char *name_fmt, ...)
    __attribute__((format(printf, 4, 5)));
int rn_build_drop_branch(rn_builder *builder, int input, float rate, const char *name_fmt, ...)
    __attribute__((format(printf, 4, 5)));
/** Nodes appended from now on belong to this unit; (0, -1): to none. */
void rn_build_unit(rn_builder *builder, int stage, int unit);
/** What a convolution's bias or a BN's gain starts with, instead of 0 or 1; the factor on the
 * deviation of a linear layer's weights, instead of 1. */
void rn_build_initial(rn_builder *builder, int node, float initial);
/** A convolution whose first filters start as the identity (rn_param.identity). */
void rn_build_identity(rn_builder *builder, int conv);
int rn_build_average_pool(rn_builder *builder, int input, const char *name);
int rn_build_linear(rn_builder *builder, int input, int out, const char *name);
int rn_build_cross_entropy(rn_builder *builder, int input, const char *name);

#endif
