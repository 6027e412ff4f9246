/** Which class of a model a class of a data set is. */
#ifndef TRAIN_CLASS_MAP_H
#define TRAIN_CLASS_MAP_H

#include "resnet/store.h"

/** RN_EINVAL: names the first image without label. */
rn_status rn_check_labelled(const rn_samples *samples);

/**
 * By name where the model knows every name of the set; else by number, if there are as many. A
 * model may have classes beyond the set's: trained with room for more, or for more to begin with.
 *
 * @param[out] map  [samples->classes], the caller's (rn_free()); NULL on failure.
 * @return RN_OK; RN_EINVAL (other numbers of classes, and a name that the model does not know);
 *         RN_ENOMEM.
 */
rn_status rn_class_map(int32_t **map, const rn_checkpoint *model, const rn_samples *samples);

#endif
