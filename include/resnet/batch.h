/** Batches: epoch order, rank shard and a prefetch ring filled by worker threads. */
#ifndef RESNET_BATCH_H
#define RESNET_BATCH_H

#include "resnet/augment.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rn_loader rn_loader;

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

typedef struct rn_loader_options {
    int batch;     // 1 .. 65536, of this rank
    uint64_t seed; // of order and augmentation
    rn_augment augment;
    rn_mix mix;
    int workers;     // threads, 1 .. 64; 0: 1
    int depth;       // batches ready ahead, 1 .. 64; 0: 4
    uint64_t first;  // iteration to start with (resume), from 0
    int rank, ranks; // 0 of 1 where there is one process; ranks 0: 1
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
 * @param preprocess    Borrowed; must outlive the loader; sizes must equal the samples'.
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
} rn_batch;

/** The next batch; borrowed until the next call. Waits for a worker if none is ready. */
RN_API rn_status rn_loader_next(rn_loader *loader, rn_batch *batch);

/** Seconds that rn_loader_next() has waited since the loader was created. */
RN_API double rn_loader_wait(const rn_loader *loader);

#ifdef __cplusplus
}
#endif
#endif
