/**
 * Weights of the own convolutions in native layout: OIhw8i8o or OIhw16i16o, that is
 * [output block][input block][kernel][kernel][input channel][output channel], channels padded with
 * zeroes to whole blocks; [output block][kernel][kernel][input channel][output channel] where the
 * source is plain NCHW. Biases are padded vectors.
 */
#ifndef ENGINE_CPU_CONV_WEIGHTS_H
#define ENGINE_CPU_CONV_WEIGHTS_H

#include "plan/op.h"

/** Floats of WEIGHTS, and of the vectors that the op has; 0 for others. */
size_t rn_conv_native_count(const rn_op_desc *desc, rn_arg arg);

/** OIHW to native layout, and back. */
void rn_conv_pack(const rn_op_desc *desc, rn_arg arg, const float *canonical, float *native);
void rn_conv_unpack(const rn_op_desc *desc, rn_arg arg, const float *native, float *canonical);

#endif
