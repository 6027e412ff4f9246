/** Names inside a model file that saving and loading share. */
#ifndef STORE_CHECKPOINT_H
#define STORE_CHECKPOINT_H

#include "resnet/store.h"

#define RN_FORMAT_VERSION "1"

#define RN_META_VERSION "resnet.format_version"
#define RN_META_MODEL "resnet.model"           // "resnet-20"
#define RN_META_OPTIONS "resnet.options"       // {"classes":10,"channels":3,"height":32,"width":32}
#define RN_META_PREPROCESS "resnet.preprocess" // {"normalize":"channel"}
#define RN_META_LABELS "resnet.labels"         // ["airplane", ...]
#define RN_META_RECIPE "resnet.recipe"         // as rn_recipe_print()
#define RN_META_STATE "resnet.state"           // the trainer's

#define RN_PREFIX_MOMENTUM "momentum."
#define RN_PREFIX_EMA "ema."
#define RN_TENSOR_MEAN "preprocess.mean"
#define RN_TENSOR_DEVIATION "preprocess.deviation"

enum { RN_TENSOR_NAME = RN_MAX_NAME + 32 }; // a parameter's name with a prefix

/** Shape of mean and deviation: [c], [c][h][w], or 0 dimensions for RN_NORMALIZE_NONE. */
int rn_preprocess_shape(uint64_t shape[3], rn_normalize normalize, const rn_model_options *options);

#endif
