/** Whether a net computes a graph's network, node by node, and where its parameters then come from.
 */
#ifndef STORE_ONNX_MATCH_H
#define STORE_ONNX_MATCH_H

#include "store/foreign.h"
#include "store/onnx_net.h"

/** Which node of the net each node of the graph is. */
typedef struct rn_match {
    const rn_net *net;
    const rn_graph *graph;
    int *found;            // -1: none
    bool *folded;          // a batch norm that is part of its convolution's node
    int *readers, *reader; // of the graph's nodes: how many, and the last
    uint64_t *hash, *net_hash;
} rn_match;

/**
 * Follow the data from the logits back to the input. A convolution with bias stands for one with
 * batch norm.
 *
 * @return RN_OK; RN_EUNSUPPORTED (the first node that does not fit, and what is expected there);
 *         RN_ENOMEM. In any case rn_match_release() is due.
 */
rn_status rn_match_create(rn_match *match, const rn_net *net, const rn_graph *graph);
void rn_match_release(rn_match *match);

/** Blocks of memory that are freed together. */
typedef struct rn_blocks {
    void **blocks;
    size_t count, capacity;
} rn_blocks;

void rn_blocks_free(rn_blocks *blocks);

/**
 * The graph's parameters, one tensor each in its order: names are the graph's, data the file's
 * where they lie there as float32, else in `blocks`.
 */
rn_status rn_match_tensors(rn_foreign_tensor *tensors, const rn_match *match, rn_blocks *blocks);

#endif
