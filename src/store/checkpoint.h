/** Names inside a model file that saving and loading share, and its metadata. */
#ifndef STORE_CHECKPOINT_H
#define STORE_CHECKPOINT_H

#include "resnet/store.h"

#include "store/safetensors.h"

#define RN_FORMAT_VERSION "1"

#define RN_META_VERSION "resnet.format_version"
#define RN_META_MODEL "resnet.model"     // "resnet-20"
#define RN_META_OPTIONS "resnet.options" // {"classes":10,"channels":3,"height":32,"width":32}
#define RN_META_PREPROCESS                                                                         \
    "resnet.preprocess"                // {"normalize":"channel"}; in a file that has no
                                       // tensors for them: "mean":[...],"deviation":[...];
                                       // unless it is the usual one: "centre_ratio":0.9
#define RN_META_LABELS "resnet.labels" // ["airplane", ...]
#define RN_META_RANGES "resnet.ranges" // {"layer1.0.relu1":[0,2.5], ...}
#define RN_META_RECIPE "resnet.recipe" // as rn_recipe_print()
#define RN_META_STATE "resnet.state"   // the trainer's
#define RN_META_FROM "resnet.from"     // "FILE sha256:SUM"

#define RN_PREFIX_MOMENTUM "momentum."
#define RN_PREFIX_EMA "ema."
#define RN_TENSOR_MEAN "preprocess.mean"
#define RN_TENSOR_DEVIATION "preprocess.deviation"

enum { RN_TENSOR_NAME = RN_MAX_NAME + 32 }; // a parameter's name with a prefix

/** Shape of mean and deviation: [c], [c][h][w], or 0 dimensions for RN_NORMALIZE_NONE. */
int rn_preprocess_shape(uint64_t shape[3], rn_normalize normalize, const rn_model_options *options);

/** The graph's where there is one, else the fields. Borrowed. */
const char *rn_checkpoint_model(const rn_checkpoint *checkpoint);
const rn_model_options *rn_checkpoint_options(const rn_checkpoint *checkpoint);
/** RN_EINVAL if a part is missing or the preprocess is of another size. */
rn_status rn_checkpoint_check(const rn_checkpoint *checkpoint);

/** A parameter of a set of weights as a tensor that borrows from it. */
rn_tensor rn_checkpoint_tensor(const rn_weights *weights, int index, const char *name);

/** RN_EFORMAT if the shape is not `dims` numbers like `shape`. */
rn_status rn_tensor_check_shape(const rn_tensor *tensor, int dims, const uint64_t *shape);

/**
 * Model, options, preprocess and labels as an object of texts, the caller's (cJSON_Delete()).
 *
 * @param own  For a file of ours: with the format's version, and mean and deviation are tensors.
 *             Else they are in the text.
 */
rn_status rn_meta_build(cJSON **out, const rn_checkpoint *checkpoint, bool own);

/** A member of metadata (NULL: there are none) as text, or NULL; borrowed. */
const char *rn_meta_text(const cJSON *metadata, const char *key);
/** A member whose text is a JSON object, parsed; NULL if absent. */
rn_status rn_meta_object(cJSON **out, const cJSON *metadata, const char *key);

/** Numbers of "resnet.options" that are there; the others stay as they are. */
rn_status rn_meta_options(rn_model_options *options, const cJSON *metadata);

/** What "resnet.preprocess" says. */
typedef struct rn_meta_normalization {
    bool said; // it is there
    rn_normalize normalize;
    float *mean, *deviation; // NULL: not in the metadata; the caller's (rn_free())
    double centre_ratio;     // 0: not said
} rn_meta_normalization;

/** NONE where absent. Values must be as many as the normalization and the options want. */
rn_status rn_meta_preprocess(rn_meta_normalization *out, const cJSON *metadata,
                             const rn_model_options *options);

/** The preprocess that this amounts to, its values being there. RN_EFORMAT; RN_ENOMEM. */
rn_status rn_meta_make_preprocess(rn_preprocess **out, const rn_meta_normalization *found,
                                  const rn_model_options *options);

/** The label names, or the classes' numbers where absent; [classes], set even on failure. */
rn_status rn_meta_labels(char ***out, const cJSON *metadata, int classes);

/** The ranges, if there are any; and back: [nodes], the caller's (rn_free()), or NULL. */
rn_status rn_meta_add_ranges(cJSON *metadata, const rn_checkpoint *checkpoint);
rn_status rn_meta_ranges(rn_range **out, const cJSON *metadata, const rn_graph *graph);

/** The model or checkpoint that a file of ours holds, checked in every part (but for the path in
 * messages as rn_checkpoint_load()). */
rn_status rn_checkpoint_from(rn_checkpoint **out, const rn_safetensors *file);

/** What the library refuses as an argument is malformed data where it comes from a file. */
rn_status rn_as_format(rn_status st);

#endif
