/** The arithmetic of normalisation, one span of values at a time. */
#ifndef AUGMENT_NORMALIZE_H
#define AUGMENT_NORMALIZE_H

#include "resnet/augment.h"

/**
 * dst = (src / 255 - mean) / deviation over a part of one row.
 *
 * @param entry  Of mean and deviation: of the first value where each pixel has its own, else the
 *               channel.
 */
void rn_normalize_span(const rn_preprocess *preprocess, float *restrict dst,
                       const uint8_t *restrict src, size_t entry, int count);

/** Turn a row around. */
void rn_mirror_row(float *row, int width);

#endif
