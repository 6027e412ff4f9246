/** Inside the lowering of ONNX operators: what is known of each value, and the handlers' tools. */
#ifndef STORE_ONNX_LOWER_H
#define STORE_ONNX_LOWER_H

#include "store/onnx_ints.h"
#include "store/onnx_net.h"

typedef enum rn_known_kind {
    RN_KNOWN_NOTHING, // an output that no node here uses
    RN_KNOWN_DATA,    // what the network computes
    RN_KNOWN_TENSOR,  // a constant of the file
    RN_KNOWN_REAL,    // a constant number
    RN_KNOWN_INTS     // sizes
} rn_known_kind;

typedef struct rn_known {
    rn_known_kind kind;
    int node; // of the net
    int rank; // of the data: 4, or less after pooling
    const rn_onnx_tensor *tensor;
    bool transposed; // the tensor's two dimensions are swapped
    float real;
    rn_onnx_ints *ints;
} rn_known;

typedef struct rn_lowering {
    const rn_onnx_model *model;
    rn_net *net;
    rn_known *known; // one a value
    int64_t batch;   // that the input tells, or -1
} rn_lowering;

/** Lowers one node whose inputs are known; `out` is what its first output then is. */
typedef rn_status (*rn_lower)(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);

/** What input `index` is; NULL where it is left out. */
const rn_known *rn_lower_input(const rn_lowering *lowering, const rn_onnx_node *node, int index);
/** The same, which must be data; NULL leaves an error. */
rn_status rn_lower_data(const rn_known **out, const rn_lowering *lowering, const rn_onnx_node *node,
                        int index);
/** The same, which must be floats of so many dimensions. */
rn_status rn_lower_floats(const rn_known **out, const rn_lowering *lowering,
                          const rn_onnx_node *node, int index, int dims);
/** The same, which must be a list of integers. */
rn_status rn_lower_ints(rn_onnx_ints *out, const rn_lowering *lowering, const rn_onnx_node *node,
                        int index);
/** The same, which must be one number. */
bool rn_lower_real(float *out, const rn_lowering *lowering, const rn_onnx_node *node, int index);

/** A new node that reads `input`, with its shape; the last node's place is in out->node. */
rn_status rn_lower_append(rn_net_node **made, rn_lowering *lowering, const rn_onnx_node *node,
                          int kind, const rn_known *input, rn_known *out);

/** An integer attribute, or `value` as it is where absent. */
rn_status rn_lower_int(int64_t *value, const rn_onnx_node *node, const char *name);

// Handlers, by subject.
rn_status rn_lower_conv(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);
rn_status rn_lower_max_pool(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);
rn_status rn_lower_average_pool(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);
rn_status rn_lower_global_pool(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);
rn_status rn_lower_reduce_mean(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);
rn_status rn_lower_batch_norm(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);
rn_status rn_lower_relu(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);
rn_status rn_lower_sigmoid(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);
rn_status rn_lower_add(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);
rn_status rn_lower_sub(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);
rn_status rn_lower_mul(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);
rn_status rn_lower_gemm(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);
rn_status rn_lower_matmul(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);
rn_status rn_lower_slice(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);
rn_status rn_lower_pad(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);
rn_status rn_lower_flatten(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);
rn_status rn_lower_reshape(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);
rn_status rn_lower_squeeze(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);
rn_status rn_lower_shape(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);
rn_status rn_lower_constant(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);
rn_status rn_lower_transpose(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);
rn_status rn_lower_cast(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);
rn_status rn_lower_identity(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);
rn_status rn_lower_softmax(rn_lowering *lowering, const rn_onnx_node *node, rn_known *out);

/** A subsampled map: every stride-th row and column. */
rn_status rn_lower_subsample(rn_lowering *lowering, const rn_onnx_node *node, const rn_known *input,
                             int stride, rn_known *out);

#endif
