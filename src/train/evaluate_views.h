/** Evaluation by views with a plan that stays from one evaluation to the next. */
#ifndef TRAIN_EVALUATE_VIEWS_H
#define TRAIN_EVALUATE_VIEWS_H

#include "train/view_plans.h"

/** Pictures that rn_evaluate_views() holds at once, resized. */
int rn_views_held(const rn_evaluate_views_options *options);

/** The shape of its largest batch of views of this size. */
rn_view_shape rn_views_shape(const rn_evaluate_views_options *options, int height, int width);

/**
 * rn_evaluate_views() of one model whose plans are the caller's: their weights are loaded anew.
 * All batches are of the largest shape, the last one filled in part, so that one plan does.
 *
 * @param plans  Of the model, and of the weights that `member` says.
 */
rn_status rn_evaluate_planned(rn_evaluation *out, const rn_member *member,
                              const rn_samples *samples, const rn_evaluate_views_options *options,
                              rn_view_plans *plans);

#endif
