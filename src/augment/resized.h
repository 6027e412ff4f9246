/** Images in memory as inputs of another size. */
#ifndef AUGMENT_RESIZED_H
#define AUGMENT_RESIZED_H

#include "resnet/augment.h"

/**
 * rn_preprocess_sample() for an input of another size than the set's images. Resized once: with
 * RN_CROP_PAD the whole image is, before it is padded and cropped as one of this size; otherwise it
 * is cut as rn_preprocess_photo() cuts a picture.
 *
 * @param augment  Not NULL.
 * @param where    With a scratch; its `sample` is the one to take.
 * @return RN_OK; RN_EINVAL (channels not 1 or 3); RN_ENOMEM.
 */
rn_status rn_preprocess_resized(const rn_preprocess *preprocess, float *dst,
                                const rn_samples *samples, const rn_augment *augment,
                                const rn_augment_where *where);

#endif
