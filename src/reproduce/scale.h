/** Shrinking networks and trainings. */
#ifndef REPRODUCE_SCALE_H
#define REPRODUCE_SCALE_H

#include "resnet/reproduce.h"

/**
 * Factors whose product (of width the square) is `scale`. RN_EINVAL if the target's steps do not
 * go so far.
 */
rn_status rn_scale_factors(double factor[RN_SCALES], const rn_target *target, double scale);

/** Fill in `model` of all runs, and what there is of it in numbers, here and at scale 1. */
rn_status rn_scale_models(rn_scaled_run *runs, const rn_target *target,
                          const double factor[RN_SCALES], const rn_model_options *network);

/**
 * Shrink what a recipe counts in steps, to 1 at least, and epochs, of which fewer pictures (`data`)
 * leave as many.
 */
void rn_scale_recipe(rn_recipe *recipe, double length, double data);

#endif
