/** Samples of a set, images in memory or encoded pictures, as inputs of a network. */
#ifndef AUGMENT_READER_H
#define AUGMENT_READER_H

#include "resnet/augment.h"

/** What one thread needs for it; the set and the preprocess are borrowed. */
typedef struct rn_reader {
    const rn_samples *samples;
    const rn_preprocess *preprocess;
    rn_scratch *scratch; // NULL for images in memory
} rn_reader;

/** RN_EINVAL: images are not of the size that the preprocess takes. Pictures may have any. */
rn_status rn_reader_check(const rn_samples *samples, const rn_preprocess *preprocess);

/**
 * @param reader  rn_reader_release() is legal after a failure.
 * @return RN_OK; RN_EINVAL (rn_reader_check()); RN_ENOMEM.
 */
rn_status rn_reader_init(rn_reader *reader, const rn_samples *samples,
                         const rn_preprocess *preprocess);
void rn_reader_release(rn_reader *reader);

/** Make inputs of another preprocess from here on: of any size, to which images are resized. */
void rn_reader_use(rn_reader *reader, const rn_preprocess *preprocess);

/**
 * Make one input: rn_preprocess_sample() of an image, rn_preprocess_resized() if its size is
 * another, rn_preprocess_photo() of a picture, which may be decoded at a part of its size where
 * that is enough.
 *
 * @param dst      float32 [channels][height][width] of the preprocess.
 * @param augment  NULL: none (evaluation).
 * @param where    What random changes are drawn from; its `sample` is the one to read. The reader
 *                 sees to the scratch.
 * @return RN_OK; where rn_is_bad_picture() the message names the picture; RN_ENOMEM.
 */
rn_status rn_reader_input(const rn_reader *reader, float *dst, const rn_augment *augment,
                          const rn_augment_where *where);

/** Whether a status tells of a picture that cannot be read, rather than of this machine. */
bool rn_is_bad_picture(rn_status status);

#endif
