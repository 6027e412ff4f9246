/** What the parts of the comparison of two models share. */
#ifndef TRAIN_COMPARE_H
#define TRAIN_COMPARE_H

#include "resnet/compare.h"
#include "resnet/engine.h"

/** Those that a model is used with, unless the last are asked for. */
static inline const rn_weights *rn_compared_weights(const rn_checkpoint *model, bool last)
{
    return model->ema != NULL && !last ? model->ema : model->weights;
}

/** max |a|, max |a - b| and their quotient, over `count` values. */
rn_difference rn_difference_measure(const float *a, const float *b, size_t count, double tolerance);

/**
 * The first difference in structure, in words, as rn_comparison.structure; both "" if there is
 * none.
 */
void rn_compare_structure(char texts[2][RN_MAX_DIFFERENCE], const rn_graph *a, const rn_graph *b);

/** Run both networks; fills layers and what follows. Structures must be equal. */
rn_status rn_compare_layers(rn_comparison *out, const rn_checkpoint *const models[2],
                            const rn_weights *const weights[2], const rn_compare_options *options);

/**
 * Where one model's batch norms are part of its convolutions and the other's are not, replace the
 * other's weights by ones in that form, kept in out->folded. Structures must be equal.
 */
rn_status rn_compare_fold(rn_comparison *out, const rn_checkpoint *const models[2],
                          const rn_weights *weights[2]);

#endif
