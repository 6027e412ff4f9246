/** Recipes: everything that decides what a training computes. */
#ifndef RESNET_RECIPE_H
#define RESNET_RECIPE_H

#include "resnet/batch.h"
#include "resnet/optim.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Test-time augmentation: the logits of an image are a weighted mean over views of it. */
typedef enum rn_tta {
    RN_TTA_NONE,          // the image
    RN_TTA_FLIP,          // the image and its mirror image, 1/2 each
    RN_TTA_FLIP_TRANSLATE // these 1/4 each; the crops a pixel up and left, and a pixel down and
                          // right (reflect padding), and their mirror images, 1/8 each
} rn_tta;

/** Names "none", "flip", "flip-translate". Static; NULL if out of range. */
RN_API const char *rn_tta_name(rn_tta tta);
/** RN_EINVAL: unknown; the message has the names. */
RN_API rn_status rn_tta_parse(rn_tta *out, const char *name);

enum { RN_MAX_SIZES = 8 };

/**
 * Progressive resizing: smaller images first, which cost less (as in Howard et al.'s DAWNBench
 * entry of 2018; Tan & Le 2021, arXiv:2104.00298, section 4).
 *
 * Inputs are made at the size, not resized a second time: photographs are cut to it, images of one
 * size are resized and then padded and cropped. Lengths in pixels (pad, resize_low, resize_high)
 * shrink in proportion. Evaluations are at the network's own size.
 */
typedef struct rn_progressive {
    int count;                  // sizes before the network's own; 0: it alone
    int size[RN_MAX_SIZES];     // of the shorter side in pixels, the longer one in proportion; 1 ..
                                // 4096, rising, below the network's own
    double until[RN_MAX_SIZES]; // share of all iterations, rounded down, that is done when the size
                                // ends; rising, above 0, below 1
} rn_progressive;

/** Everything that decides what training computes. Plain data; copy freely. */
typedef struct rn_recipe {
    char name[64];       // "paper-cifar", "quick", "shapes", or the file's
    double epochs;       // > 0, or 0 if iterations is set
    uint64_t iterations; // > 0, or 0 if epochs is set
    int batch;           // 1 .. 65536
    rn_dtype dtype;      // of activations in a training step; evaluations are in float32
    uint64_t seed; // of weights, order, augmentation, and which pictures are held out, trained on
    rn_schedule schedule;
    rn_sgd_options sgd;
    double label_smoothing; // 0 .. 1
    double bn_momentum;     // share of a batch in the running statistics; 0: the network's, 0.1
    rn_augment augment;
    rn_mix mix;
    rn_progressive progressive;
    rn_normalize normalize;
    rn_tta tta;      // of its evaluations
    uint64_t whiten; // training images whose patches make the first convolution; 0: random filters
    uint64_t hold_out;      // training images set aside for validation (paper: 5,000); 0: none
    uint64_t train_images;  // that are trained on, drawn class by class; 0: all that are left
    rn_freeze freeze_until; // layers that keep the weights they start from; plan.h says how
} rn_recipe;

/**
 * Steps of a training on `images` pictures: the recipe's iterations, or its epochs of them. A step
 * that is begun counts.
 */
RN_API uint64_t rn_recipe_iterations(const rn_recipe *recipe, uint64_t images);

/**
 * What share of a picture's shorter side evaluations show (rn_preprocess.centre_ratio): crop_ratio,
 * else all where training does (RN_CROP_PAD, RN_CROP_CENTRE), else RN_CENTRE_RATIO.
 */
RN_API double rn_recipe_centre_ratio(const rn_recipe *recipe);

/** Built-in recipes, index from 0; NULL past the last. Static. */
RN_API const char *rn_recipe_name(int index);
RN_API const char *rn_recipe_summary(int index);

/**
 * The default recipe for a model and a data source: "shapes" for the generated data, "modern" for
 * encoded pictures, "fast-cifar" for "fast-" networks, "quick-deep" from 110 layers on, else
 * "quick". Static.
 */
RN_API const char *rn_recipe_default(const char *model, const char *source);

/**
 * Get a recipe.
 *
 * @param name   A built-in name or the path of a JSON file (a name with '/' or ending in ".json").
 *               A file starts from built-in "paper-cifar", or from the one its "base" names.
 * @return RN_OK; RN_ENOTFOUND (with the nearest name); RN_EFORMAT (unknown key, type, range: names
 *         file, key, expected, found); RN_EIO; RN_ENOMEM.
 */
RN_API rn_status rn_recipe_load(rn_recipe *out, const char *name);
/**
 * From JSON text, over the values that *recipe already has, or over those of the built-in recipe
 * that its "base" names; `what` names it in messages. Ranges are checked; whether the values fit
 * together is for rn_recipe_check(), after the last change.
 *
 * @return RN_OK; RN_EFORMAT (no JSON object; key or "base" unknown, type or range wrong: names key,
 *         expected and found); RN_ENOMEM. On failure *recipe is unchanged.
 */
RN_API rn_status rn_recipe_parse(rn_recipe *recipe, const char *json, const char *what);
/**
 * Set one value by its JSON key from text, as an option does: "lr" "0.05", "flip" "false",
 * "milestones" "32000,48000", "progressive" "128:0.4,160:0.75". Setting "epochs" above 0 clears
 * "iterations", and the other way round.
 *
 * @return RN_OK; RN_EINVAL (key unknown, with the nearest; value not of the type or out of range,
 *         with what was expected); RN_ENOMEM. On failure *recipe is unchanged.
 */
RN_API rn_status rn_recipe_set(rn_recipe *recipe, const char *key, const char *value);
/** Check every value, and that they fit together. RN_EINVAL names the first that does not. */
RN_API rn_status rn_recipe_check(const rn_recipe *recipe);
/**
 * What a key's value would need to decide anything: "schedule step" for "milestones" under another
 * schedule. NULL: it counts, or is no key. Static.
 */
RN_API const char *rn_recipe_unused(const rn_recipe *recipe, const char *key);
/** Indented JSON with every key; the caller's (rn_text_free()), NULL on failure. RN_ENOMEM. */
RN_API rn_status rn_recipe_print(char **out, const rn_recipe *recipe);

#ifdef __cplusplus
}
#endif
#endif
