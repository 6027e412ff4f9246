/** The memory's rate, from the op that does nothing else: c = a + b over long arrays. */
#ifndef PLAN_STREAM_H
#define PLAN_STREAM_H

#include "plan/op.h"

enum { RN_STREAM_ARRAYS = 3 };

/** The op that rn_stream_measure() runs; `bytes` of each array, a multiple of 4,096. */
rn_op_desc rn_stream_op(size_t bytes);

/**
 * Bytes a second that are read and written: the best of a few runs, after one that warms caches and
 * threads. What the processor reads of a line before it writes it is not counted, as in the bytes
 * of a plan's ops.
 *
 * @param kernel  Of rn_stream_op(bytes).
 * @param arrays  RN_STREAM_ARRAYS times `bytes`, 64-byte aligned, values that add up to no
 *                denormals; the last third is overwritten.
 */
rn_status rn_stream_measure(double *rate, rn_kernel *kernel, float *arrays, size_t bytes);

#endif
