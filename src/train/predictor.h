/** What a predictor holds; shared by the files about it only. */
#ifndef TRAIN_PREDICTOR_H
#define TRAIN_PREDICTOR_H

#include "train/inference.h"

struct rn_predictor {
    const rn_checkpoint *model;
    rn_checkpoint *own; // NULL where the model is borrowed
    rn_inference *inference;
    const float *logits;  // of the last run
    float *probabilities; // [batch][classes]
    const rn_node *layer; // that is shown; NULL: none
    float *output;        // of it, [batch][channels][height][width]
};

/** EMA weights where there are some. */
const rn_weights *rn_predictor_weights(const rn_predictor *predictor);

#endif
