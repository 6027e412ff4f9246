/** Plans of one network for inputs of several sizes. */
#ifndef TRAIN_VIEW_PLANS_H
#define TRAIN_VIEW_PLANS_H

#include "train/inference.h"

typedef struct rn_view_plans rn_view_plans;

/** The shape of a batch. */
typedef struct rn_view_shape {
    int batch, height, width;
} rn_view_shape;

/**
 * @param model    Borrowed; must outlive the result. Its graph is built anew for each size.
 * @param weights  Borrowed: the model's last ones or their average.
 * @param engine   NULL: "cpu".
 * @param memory   Bytes of plans to keep. The one in use is kept in any case.
 */
rn_status rn_view_plans_create(rn_view_plans **out, const rn_checkpoint *model,
                               const rn_weights *weights, const char *engine, size_t memory);
void rn_view_plans_free(rn_view_plans *plans);

/**
 * The network ready for a batch of this shape; the plans that were not used for the longest time
 * make room for a new one.
 *
 * @param[out] out  Borrowed until the next call.
 * @return RN_OK; RN_EINVAL (the network does not take this size: too small, or weights of its
 *         linear layers belong to another); as rn_plan_create().
 */
rn_status rn_view_plans_get(rn_view_plans *plans, rn_inference **out, rn_view_shape shape);

/** Take the weights again, which have changed. */
rn_status rn_view_plans_load(rn_view_plans *plans);

/** How many are kept, and their bytes; 0 of NULL. */
int rn_view_plans_count(const rn_view_plans *plans);
size_t rn_view_plans_memory(const rn_view_plans *plans);

#endif
