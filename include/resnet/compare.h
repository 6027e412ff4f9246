/** Two models beside each other. */
#ifndef RESNET_COMPARE_H
#define RESNET_COMPARE_H

#include "resnet/store.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { RN_MAX_DIFFERENCE = 256 }; // bytes of a text on two structures

/** How far two tensors lie apart. */
typedef struct rn_difference {
    double largest;  // max |a|, over its finite values
    double absolute; // max |a - b|; INFINITY where one value is finite and the other is not, or
                     // both are infinities of other signs; a NaN equals a NaN
    double relative; // absolute / largest; 0 where nothing differs
    bool beyond;     // relative > the tolerance
} rn_difference;

/** One parameter, or running statistic, of two models; matched by name. */
typedef struct rn_param_difference {
    const rn_param *a, *b; // borrowed from the models; NULL: that one has none of this name
    bool measured;         // both have it, in one shape
    rn_difference difference;
} rn_param_difference;

/** One output of two networks. */
typedef struct rn_layer_difference {
    const rn_node *node; // borrowed from the first model
    rn_difference difference;
} rn_layer_difference;

typedef struct rn_comparison {
    rn_param_difference *params; // in the first model's order, then what only the second has
    int param_count;
    int params_beyond; // beyond the tolerance, missing or of another shape

    // Where one model's batch norms were folded into its convolutions (ONNX files often have them
    // so) the other's are too before anything is compared: that other model, 0 or 1.
    int folded_model;
    rn_weights *folded; // its weights in that form; NULL: nothing was folded

    bool same_preprocess; // to the last bit
    int labels_differing; // classes that the two name differently

    // Where the first difference in structure is: what stands there in either network, such as
    // "'conv1' gives 16 x 32 x 32". Both "" where the structures are equal; the rest is there only
    // then.
    char structure[2][RN_MAX_DIFFERENCE];
    rn_layer_difference *layers; // the input, then every output that both engines show, in order
    int layer_count;
    int first_beyond; // index into layers of the first beyond the tolerance; -1: none
    int unmatched;    // outputs that one engine shows and the other computes inside a larger op
    int images, classes;
    float *logits[2]; // [images][classes]

    bool within; // parameters, structure and layers: no difference beyond the tolerance
} rn_comparison;

typedef struct rn_compare_options {
    double tolerance;      // relative, >= 0
    const char *engine[2]; // NULL: "cpu"
    bool last;             // the last weights even where there is a moving average
    const rn_image *image; // both networks see this picture, or where NULL
    int random;            // that many pictures of noise, 1 .. 1024; 0: 1
    uint64_t seed;         // of these
} rn_compare_options;

/**
 * Compare two models: their parameters; then, where the structures are equal, both networks layer
 * by layer on the same pictures, each through its own preprocess. A model compared with itself on
 * two engines checks the one against the other.
 *
 * Dropout is nothing in inference, so that networks that differ in it only have one structure. All
 * outputs of the first network are kept while the second runs.
 *
 * @param[out] out  Release with the function below; zeroes on failure. Differences are no failure.
 * @param a, b      Borrowed; must outlive *out.
 * @param options   NULL: tolerance 1e-4, cpu engine, one picture of noise.
 * @return RN_OK; RN_EINVAL (option out of range, unknown engine); RN_ENOMEM; as rn_plan_create(),
 *         rn_preprocess_image().
 */
RN_API rn_status rn_compare(rn_comparison *out, const rn_checkpoint *a, const rn_checkpoint *b,
                            const rn_compare_options *options);
RN_API void rn_comparison_release(rn_comparison *comparison);

#ifdef __cplusplus
}
#endif
#endif
