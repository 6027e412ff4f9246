/** The views of test-time augmentation. */
#ifndef TRAIN_TTA_H
#define TRAIN_TTA_H

#include "resnet/recipe.h"

typedef struct rn_tta_view {
    rn_view view;
    float weight; // of its logits; all weights of a kind add up to 1
} rn_tta_view;

/** View `index` from 0 of a kind; NULL past the last. Static. */
const rn_tta_view *rn_tta_view_at(rn_tta tta, int index);

#endif
