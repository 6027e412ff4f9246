/** Mixing the pictures of one batch with each other: mixup and CutMix. */
#ifndef BATCH_MIX_H
#define BATCH_MIX_H

#include "resnet/batch.h"

/** How one batch is mixed. */
typedef struct rn_mixing {
    float share; // of each sample's own picture
    bool box;    // CutMix: the partner's picture fills a box, else (mixup) it shines through
    int top, left, height, width; // of the box
} rn_mixing;

/**
 * Draw from the stream (seed, RN_PURPOSE_MIX, high half of `number`, low half): CutMix or mixup
 * (below 2, 1 is CutMix; only where both are on), lambda from Beta(alpha, alpha), and for CutMix
 * the box's centre, row (below height) and column (below width). The box is sqrt(1 - lambda) of
 * height and width, rounded down to an even number of pixels and cut off at the picture's edges;
 * the share is what it leaves of the picture.
 *
 * @param mix     Something is on, alphas in range.
 * @param number  Of the batch, over all ranks.
 * @param height, width  Of the pictures.
 */
rn_mixing rn_mixing_draw(const rn_mix *mix, uint64_t seed, uint64_t number, int height, int width);

/** The batch to be mixed, where it lies. */
typedef struct rn_mix_batch {
    float *images; // [count][channels][height][width]
    const int32_t *labels;
    int32_t *labels_b; // written: the partners' labels
    int count, channels, height, width;
} rn_mix_batch;

/** Mix sample i with sample count - 1 - i, for all i at once. */
void rn_mixing_apply(const rn_mixing *mixing, const rn_mix_batch *batch);

#endif
