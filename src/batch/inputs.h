/** What a loader makes its samples into, iteration by iteration. */
#ifndef BATCH_INPUTS_H
#define BATCH_INPUTS_H

#include "resnet/batch.h"

typedef struct rn_inputs {
    rn_input_change list[RN_MAX_INPUT_CHANGES + 1]; // the first holds from iteration 0 on
    int count;
} rn_inputs;

/** Copies options->changes. RN_EINVAL names the first that does not fit. */
rn_status rn_inputs_init(rn_inputs *inputs, const rn_preprocess *preprocess,
                         const rn_loader_options *options);

/** What holds in an iteration. */
const rn_input_change *rn_inputs_at(const rn_inputs *inputs, uint64_t iteration);

/** Floats of one input, and of the largest. */
size_t rn_input_volume(const rn_input_change *input);
size_t rn_inputs_largest(const rn_inputs *inputs);

#endif
