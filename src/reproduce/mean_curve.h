/** Error curves of a network over its seeds. */
#ifndef REPRODUCE_MEAN_CURVE_H
#define REPRODUCE_MEAN_CURVE_H

#include "reproduce/outcome.h"

typedef struct rn_mean_curve {
    double *iteration, *mean; // [count], errors in percent
    double *deviation;        // of the sample; NULL: of one seed
    size_t count;
    int seeds; // that it is the mean of; 0: there is none
} rn_mean_curve;

typedef enum rn_curve { RN_CURVE_TRAINING, RN_CURVE_TEST } rn_curve;

/**
 * Average a network's curves. Seeds count whose points are those of the longest curve; runs that
 * ended early do not.
 *
 * @param[out] out  Release with rn_mean_curve_release(); zeroes on failure.
 * @return RN_OK; RN_ENOMEM.
 */
rn_status rn_mean_curve_create(rn_mean_curve *out, const rn_reproduction *reproduction,
                               const rn_outcome *outcomes, int run, rn_curve curve);
void rn_mean_curve_release(rn_mean_curve *curve);

#endif
