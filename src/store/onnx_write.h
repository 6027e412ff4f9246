/** Inside the ONNX writer. */
#ifndef STORE_ONNX_WRITE_H
#define STORE_ONNX_WRITE_H

#include "store/foreign.h"
#include "store/onnx.h"

#define RN_ONNX_INPUT "input"
#define RN_ONNX_OUTPUT "logits"

typedef struct rn_onnx_writer {
    const rn_graph *graph;
    const rn_weights *weights;
    bool fold;
    int logits;         // the node that gives them
    int *readers;       // of each node
    int *folded;        // of a convolution its batch norm, of that the convolution; else -1
    float **made;       // folded weights and bias of a convolution
    rn_message nodes;   // fields of GraphProto
    rn_message tensors; // these too
} rn_onnx_writer;

/** Write a finished model, atomically; RN_EUNSUPPORTED if it is larger than protobuf allows. */
rn_status rn_onnx_write_message(const char *path, const rn_message *model);

/** Fill `nodes` and `tensors`; failures stick in them. */
void rn_onnx_write_nodes(rn_onnx_writer *writer);

#endif
