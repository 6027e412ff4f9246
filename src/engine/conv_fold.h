/** A batch norm from running statistics as what it does to a convolution's results. */
#ifndef ENGINE_CONV_FOLD_H
#define ENGINE_CONV_FOLD_H

#include "plan/op.h"

/** Whether the argument is a vector of the batch norm that the op, a CONV, has folded into it. */
bool rn_conv_folds(const rn_op_desc *desc, rn_arg arg);

/**
 * result = scale * (src * weights) + shift, with the bias and the batch norm that desc has.
 *
 * @param args          BIAS, GAIN, SHIFT, RUNNING_MEAN and RUNNING_VARIANCE as op.h says, all of
 *                      `count` values.
 * @param scale, shift  `count` floats each; without a batch norm scale is 1.
 */
void rn_conv_fold(const rn_op_desc *desc, void *const args[RN_ARGS], size_t count, float *scale,
                  float *shift);

#endif
