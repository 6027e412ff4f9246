/**
 * Graph: what a network computes. Nodes with shapes, parameters and their initialisation; no
 * engine, no batch size, no memory.
 */
#ifndef RESNET_GRAPH_H
#define RESNET_GRAPH_H

#include "resnet/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rn_node_kind {
    RN_NODE_INPUT,
    RN_NODE_CONV,
    RN_NODE_BATCH_NORM,
    RN_NODE_RELU,
    RN_NODE_ADD,
    RN_NODE_SHORTCUT_PAD, // option A: subsample, then zero channels around
    RN_NODE_MAX_POOL,
    RN_NODE_AVERAGE_POOL, // global
    RN_NODE_FLATTEN,      // c, h, w in this order become the channels
    RN_NODE_LINEAR,       // the last one's output are the logits
    RN_NODE_SCALE,        // `scale` times the input (2016 paper, section 3.1)
    RN_NODE_GATE,         // first input times sigmoid(second), or times 1 - it (`complement`)
    RN_NODE_DROPOUT,      // training: 0 with probability `rate`, else times 1 / (1 - rate)
    RN_NODE_DROP_BRANCH,  // stochastic depth: training: all 0 with probability `rate`, one draw a
                          // batch; inference: times 1 - rate (Huang et al. 2016, eq. 2 and 5)
    RN_NODE_CROSS_ENTROPY // softmax cross-entropy loss, training only
} rn_node_kind;

/** "conv", "batch norm", "relu", ... Static; "unknown node" if out of range. */
RN_API const char *rn_node_kind_name(rn_node_kind kind);

enum { RN_NO_PARAM = -1, RN_MAX_NAME = 64 };

/** One node. Indices refer to earlier nodes of the same graph. */
typedef struct rn_node {
    rn_node_kind kind;
    char name[RN_MAX_NAME];      // "layer1.0.conv1"; unique
    int inputs[2];               // -1 where absent
    int channels, height, width; // of the output
    int depth;                   // weighted layers on the longest way to here, itself included
    int kernel, stride, pad;     // conv, max pool; stride also of the padded shortcut
    int channel_offset;          // padded shortcut: where the copied channels start
    float scale;                 // scale
    float rate;                  // dropout, drop branch: 0 .. below 1
    bool complement;             // gate
    int stage, unit;             // from 1 and from 0, as in "layer1.0"; both 0 and -1 outside
    int weight, bias;            // parameter indices (BN: gain and bias) or RN_NO_PARAM
    int running_mean, running_variance;
    float epsilon, momentum; // BN
} rn_node;

typedef enum rn_param_kind {
    RN_PARAM_CONV_WEIGHT,      // shape [out][in][kernel][kernel]
    RN_PARAM_LINEAR_WEIGHT,    // shape [out][in]
    RN_PARAM_BIAS,             // of a convolution or linear layer; starts at 0, of a gate elsewhere
    RN_PARAM_BN_GAIN,          // gamma, starts at 1, or at 0 (option "zero-gain")
    RN_PARAM_BN_BIAS,          // beta, starts at 0
    RN_PARAM_RUNNING_MEAN,     // not trained, starts at 0
    RN_PARAM_RUNNING_VARIANCE, // not trained, starts at 1
} rn_param_kind;

typedef struct rn_param {
    rn_param_kind kind;
    char name[RN_MAX_NAME + 16]; // "layer1.0.conv1.weight", torchvision's scheme
    int dims;                    // 1, 2 or 4
    int shape[4];
    size_t count;  // product of shape
    float initial; // value that a bias or BN gain starts with; of a linear layer's weights a factor
                   // on their deviation
    bool identity; // of a convolution: filter i starts with 1 in the middle of channel i, else 0,
                   // for all i below the number of channels; other filters at random
} rn_param;

/** False for the running statistics. */
RN_API bool rn_param_trained(const rn_param *param);

typedef struct rn_graph rn_graph;

typedef struct rn_model_options {
    int classes; // 1 .. 1,000,000; 0: 10, or 1,000 (ImageNet stems, VGG)
    int channels, height,
        width; // of the input, up to 1024 and 4096; all 0: 3 x 32 x 32, or 3 x 224 x 224
} rn_model_options;

/**
 * Build a network from its spec, NAME[:key=value[;key=value...]] (docs/networks.md): "resnet-20",
 * "resnet-50:stride=3x3", "wrn-28-10:dropout=0.3", "resnet:units=36,36,36;block=single".
 *
 * @param[out] out  The caller's (rn_graph_free()); NULL on failure.
 * @param model     A name of rn_model_name(); resnet-N, plain-N or preact-N with N = 6n + 2 from 8
 * to 1202, preact-N also with 9n + 2; wrn-D-K with D = 6n + 4; "resnet", "vgg".
 * @param options   NULL: the defaults of each.
 * @return RN_OK; RN_EINVAL (unknown name, key or value, with the nearest suggested; a
 * contradiction; depth, size, class count, or more than 2^31 parameters); RN_ENOMEM.
 */
RN_API rn_status rn_graph_create(rn_graph **out, const char *model,
                                 const rn_model_options *options);
RN_API void rn_graph_free(rn_graph *graph);

/**
 * The canonical spec that rebuilds this graph: the name and the keys that differ from its defaults,
 * for example "resnet-20:shortcut=B". Borrowed.
 */
RN_API const char *rn_graph_model(const rn_graph *graph);
/** The options with every default filled in. Borrowed. */
RN_API const rn_model_options *rn_graph_options(const rn_graph *graph);

/** Named models, index from 0; NULL past the last. Static. */
RN_API const char *rn_model_name(int index);
/** One line on a named model; NULL past the last. Static. */
RN_API const char *rn_model_summary(int index);

/**
 * Weighted layers (convolutions, linear) on the longest way from input to output: 20 for resnet-20.
 */
RN_API int rn_graph_depth(const rn_graph *graph);
/** How many nodes there are. */
RN_API int rn_graph_nodes(const rn_graph *graph);
/** Borrowed until the graph is freed; index 0 is the input. */
RN_API const rn_node *rn_graph_node(const rn_graph *graph, int index);
/** Index of the node with this name, or -1. */
RN_API int rn_graph_find_node(const rn_graph *graph, const char *name);

/** What the values that a node puts out lie in, measured (rn_calibrate()); low > high: unknown. */
typedef struct rn_range {
    float low, high;
} rn_range;

/** Whether low <= high. */
RN_API bool rn_range_known(const rn_range *range);
/** Unknown ranges of all nodes; the caller's (rn_ranges_free()). RN_ENOMEM. */
RN_API rn_status rn_ranges_create(rn_range **out, const rn_graph *graph);
RN_API void rn_ranges_free(rn_range *ranges);

/** How many parameters there are, running statistics included. */
RN_API int rn_graph_params(const rn_graph *graph);
/** index 0 .. rn_graph_params() - 1. Borrowed until the graph is freed. */
RN_API const rn_param *rn_graph_param(const rn_graph *graph, int index);
/** Index of the parameter with this name, or RN_NO_PARAM; a hash table, so in constant time. */
RN_API int rn_graph_find_param(const rn_graph *graph, const char *name);

enum { RN_MAX_STAGES = 8 }; // each halves the picture

/** How far from the input a network is frozen, RN_FREEZE_STEM + s being to the end of stage s. */
typedef enum rn_freeze {
    RN_FREEZE_NONE,
    RN_FREEZE_STEM,                                    // all before the first stage
    RN_FREEZE_ALL = RN_FREEZE_STEM + RN_MAX_STAGES + 1 // all but the head
} rn_freeze;

/** Names "none", "stem", "stage1" to "stage8", "all". Static; NULL if out of range. */
RN_API const char *rn_freeze_name(rn_freeze freeze);
/** The one with this name. RN_OK; RN_EINVAL (names those that there are; *out is as before). */
RN_API rn_status rn_freeze_parse(rn_freeze *out, const char *name);

/**
 * Where the frozen part of a network ends: nodes below this index belong to it. The head, which
 * never does, is the last linear layer and the dropout before it. A stage of VGG ends at its pool;
 * VGG has no stem.
 *
 * @param[out] nodes  0 for RN_FREEZE_NONE.
 * @return RN_OK; RN_EINVAL (the network has no such part; the message names those that it has).
 */
RN_API rn_status rn_graph_frozen_nodes(const rn_graph *graph, rn_freeze until, int *nodes);

/** Trained parameters of one node, and multiply-adds of one forward pass of one image. */
RN_API int64_t rn_node_parameters(const rn_graph *graph, int index);
RN_API int64_t rn_node_multiply_adds(const rn_graph *graph, int index);

/** One float32 array for each parameter of a graph, in canonical layout (rn_param.shape). */
typedef struct rn_weights rn_weights;

/**
 * All zeroes. Keeps its own copy of the parameter list.
 *
 * @param[out] out  The caller's (rn_weights_free()); NULL on failure.
 * @return RN_OK; RN_ENOMEM.
 */
RN_API rn_status rn_weights_create(rn_weights **out, const rn_graph *graph);
RN_API void rn_weights_free(rn_weights *weights);
/** How many parameters there are: rn_graph_params(). */
RN_API int rn_weights_count(const rn_weights *weights);
/** index 0 .. rn_weights_count() - 1. Borrowed until the weights are freed. */
RN_API const rn_param *rn_weights_param(const rn_weights *weights, int index);
/** rn_param.count floats; borrowed. */
RN_API float *rn_weights_data(rn_weights *weights, int index);
/** The same, to read only. */
RN_API const float *rn_weights_read(const rn_weights *weights, int index);

/**
 * Initialise: convolutions normal with deviation sqrt(2 / (out x kernel x kernel)) (He et al. 2015,
 * "Delving deep into rectifiers", eq. 14); the linear layer normal with deviation sqrt(1 / in)
 * (times rn_param.initial); biases and BN gains rn_param.initial, which is 0 and 1 but where the
 * model says otherwise; running mean 0, variance 1. Where rn_param.identity is set, the first
 * filters pass their channel on. Each parameter has its own random stream.
 */
RN_API void rn_weights_initialise(rn_weights *weights, uint64_t seed);

#ifdef __cplusplus
}
#endif
#endif
