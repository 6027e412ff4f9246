/**
 * What the operators of an ONNX graph compute, in the terms of graph.h: a list of nodes from the
 * one input to the one output, without what changes nothing (Identity, Dropout, sizes).
 */
#ifndef STORE_ONNX_NET_H
#define STORE_ONNX_NET_H

#include "resnet/graph.h"
#include "store/onnx.h"

/** Kinds beyond rn_node_kind, which become part of a gate or of a padded shortcut. */
enum { RN_NET_SIGMOID = RN_NODE_CROSS_ENTROPY + 1, RN_NET_COMPLEMENT, RN_NET_HALF_SLICE };

/** Channels of a map; height and width of the input are at most 1/16 of it. */
enum { RN_NET_LARGEST = 1 << 20 };

typedef struct rn_net_node {
    int kind;                // rn_node_kind or RN_NET_*
    rn_onnx_text name, op;   // of the file
    int inputs[2];           // earlier nodes; -1 where absent
    int channels;            // of the output; 0: unknown, as are sizes of symbolic inputs
    int height, width;       //
    int kernel, stride, pad; // conv, max pool; stride of the padded shortcut
    int channel_offset;      // padded shortcut
    float scale;             // scale
    float epsilon;           // batch norm
    bool complement;         // gate
    bool transposed;         // linear: weight is [in][out]
    const rn_onnx_tensor *weight, *bias, *mean, *variance; // BN: gain is the weight
    int readers;                                           // live nodes that read it
    bool live;                                             // the output depends on it
} rn_net_node;

typedef struct rn_net {
    rn_net_node *nodes; // node 0 is the input
    int count;
    size_t capacity;
    int output;
    rn_onnx_tensor **constants; // of Constant nodes
    size_t constant_count, constant_capacity;
} rn_net;

/**
 * Lower a model's graph. The net borrows from the model.
 *
 * @return RN_OK; RN_EFORMAT (a cycle, shapes that do not go together); RN_EUNSUPPORTED (an operator
 *         or a way to use it that no network here has; names the node); RN_ENOMEM. In any case
 *         rn_net_release() is due.
 */
rn_status rn_net_lower(rn_net *net, const rn_onnx_model *model);
void rn_net_release(rn_net *net);

/** An error that begins "node 'NAME' (OP): ". */
rn_status rn_net_error(rn_status code, const rn_net_node *node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
