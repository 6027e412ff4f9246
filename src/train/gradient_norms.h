/** L2 norms of what a training step computed, read where it lies: nothing of the step changes. */
#ifndef TRAIN_GRADIENT_NORMS_H
#define TRAIN_GRADIENT_NORMS_H

#include "resnet/train.h"

typedef struct rn_gradient_norms rn_gradient_norms;

/** Of every parameter of the run that has a gradient, in the network's order. Borrows the run. */
rn_status rn_gradient_norms_create(rn_gradient_norms **out, rn_run *run);
void rn_gradient_norms_free(rn_gradient_norms *norms);

/**
 * Between rn_run_backward() and the update: the gradients of the batch's mean loss, without weight
 * decay, and the weights that they belong to. Sums are in double and in one order, whatever the
 * number of threads. Allocates nothing.
 */
void rn_gradient_norms_measure(rn_gradient_norms *norms);

/** What was measured last; borrowed, and overwritten by the next. */
const rn_param_norm *rn_gradient_norms_read(const rn_gradient_norms *norms, int *count);

#endif
