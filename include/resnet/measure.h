/** What a trained network shows over a set: statistics of batch norms, ranges, responses. */
#ifndef RESNET_MEASURE_H
#define RESNET_MEASURE_H

#include "resnet/augment.h"
#include "resnet/batch.h"
#include "resnet/store.h"

#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How far the statistics of one batch norm have moved: the channel that moved most. */
typedef struct rn_statistics_change {
    char name[RN_MAX_NAME]; // of the node: "layer1.0.bn1"
    int channels;
    double mean; // |new - old| / sqrt(new variance + epsilon); INFINITY if the old is not finite
    double variance; // |new - old| / (new variance + epsilon); likewise
} rn_statistics_change;

typedef struct rn_recalibration {
    uint64_t images;       // each seen once
    uint64_t skipped;      // encoded pictures that could not be read
    int batches;           // that they were split into,
    int smallest, largest; // of these sizes
    double seconds;
    rn_statistics_change *changes; // one a batch norm, in the network's order
    int layers;
} rn_recalibration;

typedef struct rn_recalibrate_options {
    const char *engine;        // NULL: "cpu"
    int batch;                 // most images at a time, 1 .. 65536; 0: 128
    uint64_t images;           // how many, drawn from the set; 0: all
    uint64_t seed;             // of the draw, of the order, and of augmentation
    const rn_augment *augment; // NULL: none; of encoded pictures the middle 0.875
    rn_bad_images bad_images;  // of encoded pictures; the next of the order counts instead
    void (*on_bad)(const char *message, void *context); // told of each; NULL: nobody is
    void *context;
    bool ema;                          // statistics of the averaged weights, not of the last
    const volatile sig_atomic_t *stop; // non-zero: RN_EINTERRUPTED
} rn_recalibrate_options;

/**
 * Measure the running mean and variance of every batch norm anew, with the weights as they are
 * ("precise BN", Wu & Johnson 2021, "Rethinking 'Batch' in BatchNorm", section 3), instead of the
 * moving average over weights that training has long left behind.
 *
 * Forward passes normalise by batch statistics, else as in inference (no dropout, branches scaled).
 * Pooled over all images, with weights n_b that are the batch's share of them,
 *
 *     mean = sum n_b mean_b,   variance = sum n_b (variance_b + mean_b^2) - mean^2,
 *
 * summed in double as Chan et al. (1979) merge moments, then unbiased over all values (times m /
 * (m - 1)), as PyTorch's running_var is. The images are shuffled, and split into batches whose
 * sizes differ by at most one, so that none is small. Encoded pictures are decoded a batch at a
 * time; those that cannot be read are replaced by others that were not drawn, as long as there are
 * any, else the last batches are smaller. Statistics behind the first batch norm depend a little
 * on the batch size, because what they see was normalised by a batch.
 *
 * @param[out] out  Release with the function below; zeroes on failure.
 * @param model     Its weights or EMA get the statistics, and it loses its ranges; unchanged on
 *                  failure.
 * @param samples   Training set; the model must know its classes (rn_evaluate()), labels are not
 *                  read. Images must be of the model's size, encoded pictures are cut to it.
 * @param options   NULL: all images, batches of up to 128, the last weights.
 * @return RN_OK; RN_EINVAL (no batch norm in the model, no EMA, set does not fit, option out of
 *         range); RN_EDIVERGED (statistics not finite; names the batch norm); RN_EINTERRUPTED;
 *         RN_EFORMAT (no picture could be read); of a bad picture, where it ends this, as
 *         rn_photos_decode(); RN_ENOMEM; as rn_plan_create().
 */
RN_API rn_status rn_recalibrate(rn_recalibration *out, rn_checkpoint *model,
                                const rn_samples *samples, const rn_recalibrate_options *options);
RN_API void rn_recalibration_release(rn_recalibration *recalibration);

typedef struct rn_calibrate_options {
    const char *engine;                // NULL: "cpu"
    int batch;                         // images at a time, 1 .. 65536; 0: 128
    uint64_t images;                   // how many, evenly over the set; 0: 512, or all there are
    bool ema;                          // of the averaged weights, not of the last
    const volatile sig_atomic_t *stop; // non-zero: RN_EINTERRUPTED
} rn_calibrate_options;

/**
 * Measure the ranges of what a model's convolutions read, so that they can multiply bytes in
 * inference (int8): a byte a source value, with one step for the whole tensor, a byte a weight,
 * with one for each output channel. The first convolution, which reads pixels, and linear layers
 * stay in float32, and so is all that is stored.
 *
 * A range goes from 0 up, or, where there are negative values, as far to both sides. It is cut
 * where the sum of squared errors is least, of rounding inside and of cutting off what is beyond.
 *
 * @param model    Gets `ranges`; unchanged on failure.
 * @param samples  Best training images; labels are not read. As for rn_responses_measure().
 * @param options  NULL: 512 images, the last weights.
 * @return RN_OK; RN_EINVAL (no EMA, set does not fit, option out of range); RN_EDIVERGED (values
 *         that are not finite); RN_EINTERRUPTED; RN_ENOMEM; as rn_plan_create(),
 *         rn_photos_decode().
 */
RN_API rn_status rn_calibrate(rn_checkpoint *model, const rn_samples *samples,
                              const rn_calibrate_options *options);

/** How strongly one convolution responds. */
typedef struct rn_response {
    const rn_node *conv;     // borrowed from the model
    const rn_node *measured; // whose output: of the batch norm that alone reads the convolution,
                             // else of the convolution itself
    double mean, deviation;  // over all values of all images; not finite if one is not
} rn_response;

typedef struct rn_responses {
    rn_response *layers; // every convolution, in the network's order
    int count;
    uint64_t images;
} rn_responses;

typedef struct rn_responses_options {
    const char *engine;                // NULL: "cpu"
    int batch;                         // images at a time, 1 .. 65536; 0: 128
    uint64_t images;                   // how many, evenly over the set; 0: all
    bool ema;                          // of the averaged weights, not of the last
    const volatile sig_atomic_t *stop; // non-zero: RN_EINTERRUPTED
} rn_responses_options;

/**
 * Layer responses (2015 paper, section 4.2 and figure 7): mean and standard deviation of what each
 * convolution gives in inference, behind its batch norm and before ReLU and addition.
 *
 * A batch norm is affine then, so its output's moments follow from the convolution's sums of each
 * channel, which are in double. In pre-activation units the batch norm behind a unit's last
 * convolution comes after the addition and is not this convolution's alone: there the branch itself
 * is measured.
 *
 * @param[out] out  Release with the function below; zeroes on failure.
 * @param model     Borrowed; must outlive *out.
 * @param samples   Images of the model's input, or encoded pictures, which are fitted to it as by
 *                  rn_preprocess_image().
 * @param options   NULL: all images, batches of 128, the last weights.
 * @return RN_OK; RN_EINVAL (no EMA, set does not fit, option out of range); RN_EINTERRUPTED;
 *         RN_ENOMEM; as rn_plan_create(), rn_photos_decode().
 */
RN_API rn_status rn_responses_measure(rn_responses *out, const rn_checkpoint *model,
                                      const rn_samples *samples,
                                      const rn_responses_options *options);
RN_API void rn_responses_release(rn_responses *responses);

#ifdef __cplusplus
}
#endif
#endif
