/**
 * Small arrays of integers, as exporters compute them to tell Reshape, Slice and Pad what to do:
 * the sizes of a value are known but for the batch's.
 */
#ifndef STORE_ONNX_INTS_H
#define STORE_ONNX_INTS_H

#include "store/onnx.h"

enum { RN_ONNX_INTS = 32, RN_ONNX_INT_DIMS = 4 };

/** Stand for the batch size, and for another one that the file does not tell. No file has them. */
#define RN_ONNX_BATCH (INT64_MIN / 2 + 271828)
#define RN_ONNX_UNTOLD (INT64_MIN / 2 + 314159)

typedef struct rn_onnx_ints {
    int dims;
    int shape[RN_ONNX_INT_DIMS];
    int count;
    int64_t values[RN_ONNX_INTS];
} rn_onnx_ints;

/** A list of 1 dimension, or of none where count is -1: one number. */
void rn_onnx_ints_set(rn_onnx_ints *ints, const int64_t *values, int count);

/** False if the tensor is not one of few integers. */
bool rn_onnx_ints_of(rn_onnx_ints *out, const rn_onnx_tensor *tensor);

/**
 * Compute a node whose inputs are all such arrays.
 *
 * @return RN_OK; RN_EUNSUPPORTED (another operator, or one on arrays that it is not used on).
 */
rn_status rn_onnx_ints_compute(rn_onnx_ints *out, const rn_onnx_node *node,
                               const rn_onnx_ints *inputs, int count);

#endif
