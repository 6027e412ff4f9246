/** Batches: epoch order, rank shard, rings of batches and of pictures filled by worker threads. */
#ifndef RESNET_BATCH_H
#define RESNET_BATCH_H

#include "resnet/augment.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rn_loader rn_loader;

/** What becomes of encoded pictures that cannot be read or decoded. */
typedef enum rn_bad_images {
    RN_BAD_IMAGES_SKIP, // told of once; in its place comes the next picture of the set
    RN_BAD_IMAGES_STOP  // an error
} rn_bad_images;

/**
 * Mixing of pictures: sample i of a batch with sample batch - 1 - i, all in one way, which is drawn
 * from (seed, number of the batch) alone. A batch is changed by mixup or by CutMix, each with
 * probability 1/2 where both are on. Of an odd batch the sample in the middle stays as it is.
 */
typedef struct rn_mix {
    double mixup;  // alpha, 0 .. 100; 0: off. x = lambda x_a + (1 - lambda) x_b, lambda from
                   // Beta(alpha, alpha) (Zhang et al. 2018, section 2)
    double cutmix; // alpha, 0 .. 100; 0: off. A box of the share 1 - lambda, somewhere, holds what
                   // x_b has there; lambda is then what the picture's edges leave of the rest (Yun
                   // et al. 2019, section 3.1)
} rn_mix;

/** Whether anything is mixed. */
RN_API bool rn_mix_on(const rn_mix *mix);

enum { RN_MAX_INPUT_CHANGES = 16 };

/** From an iteration on, inputs are made otherwise. */
typedef struct rn_input_change {
    uint64_t first;                  // iteration, counted as rn_batch.iteration is
    const rn_preprocess *preprocess; // borrowed; must outlive the loader. Of any size: photographs
                                     // are cut to it, images of one size resized
    rn_augment augment;
} rn_input_change;

typedef struct rn_loader_options {
    int batch;     // 1 .. 65536, of this rank
    uint64_t seed; // of order and augmentation
    rn_augment augment;
    rn_mix mix;
    int workers;     // threads, 1 .. 64; 0: 1
    int depth;       // batches ready ahead, 1 .. 64; 0: 4
    uint64_t first;  // iteration to start with (resume), from 0
    int rank, ranks; // 0 of 1 where there is one process; ranks 0: 1
    rn_bad_images bad_images;
    const rn_input_change *changes; // copied; in the order of their iterations
    int change_count;               // 0 .. RN_MAX_INPUT_CHANGES
} rn_loader_options;

/**
 * Stream training batches without end. Samples follow one infinite sequence: epoch after epoch,
 * each a permutation drawn from (seed, epoch). Iteration i of rank r takes the entries
 * [(i * ranks + r) * batch, ... + batch) of it, so every sample comes once an epoch, batches are
 * always full (one may span two epochs), and iteration i is the same whatever came before, and
 * whatever the number of workers.
 *
 * @param[out] out      The caller's (rn_loader_free(), which stops the workers).
 * @param samples       Borrowed; must outlive the loader. At least 1.
 * @param preprocess    Borrowed; must outlive the loader; sizes must equal the samples', unless
 *                      these are encoded pictures. It and options->augment hold until the first
 *                      of options->changes.
 * @return RN_OK; RN_EINVAL (option out of range; sizes that differ); RN_ENOMEM (also of threads).
 *         *out is NULL on failure.
 */
RN_API rn_status rn_loader_create(rn_loader **out, const rn_samples *samples,
                                  const rn_preprocess *preprocess,
                                  const rn_loader_options *options);
RN_API void rn_loader_free(rn_loader *loader);

typedef struct rn_batch {
    const float *images;   // [batch][channels][height][width]
    const int32_t *labels; // [batch]
    // Of mixed samples, else NULL and 1:
    const int32_t *labels_b; // [batch], of the pictures mixed in
    float share;             // lambda: of `labels`, in every sample; 1 - it is of labels_b
    uint64_t iteration;
    int height, width; // of the images
} rn_batch;

/**
 * The next batch; borrowed until the next call. Waits for a worker if none is ready.
 *
 * @return RN_OK; what reading a picture gave, with RN_BAD_IMAGES_STOP or where none of the set can
 *         be read; RN_EINVAL past the last iteration that can be counted; RN_ENOMEM.
 */
RN_API rn_status rn_loader_next(rn_loader *loader, rn_batch *batch);

/**
 * The message of the next bad picture that was passed over, each once; the caller's
 * (rn_text_free()). NULL: none since the last call.
 */
RN_API char *rn_loader_bad_picture(rn_loader *loader);

/** Seconds that rn_loader_next() has waited since the loader was created. */
RN_API double rn_loader_wait(const rn_loader *loader);

/** Pictures of any size, decoded and made a network's inputs by worker threads, in order. */
typedef struct rn_pictures rn_pictures;

typedef struct rn_pictures_options {
    int workers;               // threads, 1 .. 64; 0: 1
    int ahead;                 // pictures that are ready or in work at most, 1 .. 65536; 0: 32
    bool keep;                 // the decoded picture, too; not of images in memory
    const rn_samples *samples; // the pictures of this set, in its order; borrowed, and must outlive
                               // the result. NULL: what the following functions give
    /**
     * The next name, in memory that free() releases; NULL: there are no more. Called by one worker
     * at a time. A failure ends the sequence.
     */
    rn_status (*next)(char **name, void *context);
    /** Decode what has this name; NULL: rn_image_open(). Called by several workers at a time. */
    rn_status (*open)(rn_image **out, const char *name, void *context);
    void *context;
} rn_pictures_options;

/** One picture, or why there is none. */
typedef struct rn_picture {
    size_t index;     // in the order, from 0
    const char *name; // of a set's, rn_photos_name(), or "" of images in memory
    rn_status status;
    const char *message;   // of a status other than RN_OK
    const float *input;    // [channels][height][width], of rn_preprocess_image(), or of images in
                           // memory of rn_preprocess_apply(); or NULL
    const rn_image *image; // NULL unless options.keep
} rn_picture;

/**
 * Start to decode pictures. What is held in memory is bounded by options.ahead, however many there
 * are.
 *
 * @param[out] out    The caller's (rn_pictures_free()); NULL on failure.
 * @param preprocess  Borrowed; must outlive the result.
 * @param options     Copied; the functions are called until rn_pictures_free() returns.
 * @return RN_OK; RN_EINVAL (option out of range; images of a set that are of another size);
 *         RN_ENOMEM.
 */
RN_API rn_status rn_pictures_create(rn_pictures **out, const rn_preprocess *preprocess,
                                    const rn_pictures_options *options);
/** Waits for the calls of options.next and options.open that are under way. */
RN_API void rn_pictures_free(rn_pictures *pictures);

/**
 * The next picture in the order of names, whether it could be decoded or not.
 *
 * @param[out] picture  Borrowed until the next call; NULL after the last and on failure.
 * @return RN_OK; the status of options.next if that failed, behind the pictures before it.
 */
RN_API rn_status rn_pictures_next(rn_pictures *pictures, const rn_picture **picture);

#ifdef __cplusplus
}
#endif
#endif
