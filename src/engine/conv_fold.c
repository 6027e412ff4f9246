#include "engine/conv_fold.h"

#include <math.h>

bool rn_conv_folds(const rn_op_desc *desc, rn_arg arg)
{
    return desc->fold && (arg == RN_ARG_GAIN || arg == RN_ARG_SHIFT || arg == RN_ARG_RUNNING_MEAN ||
                          arg == RN_ARG_RUNNING_VARIANCE);
}

void rn_conv_fold(const rn_op_desc *desc, void *const args[RN_ARGS], size_t count, float *scale,
                  float *shift)
{
    const float *bias = args[RN_ARG_BIAS], *gain = args[RN_ARG_GAIN], *beta = args[RN_ARG_SHIFT];
    const float *mean = args[RN_ARG_RUNNING_MEAN], *variance = args[RN_ARG_RUNNING_VARIANCE];

    for (size_t c = 0; c < count; c++) {
        double b = desc->bias ? (double)bias[c] : 0, s = 1;
        if (desc->fold) {
            s = (double)gain[c] / sqrt((double)variance[c] + (double)desc->epsilon);
            b = (double)beta[c] + (b - (double)mean[c]) * s;
        }
        scale[c] = (float)s;
        shift[c] = (float)b;
    }
}
