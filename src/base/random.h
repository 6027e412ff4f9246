/**
 * Counter-based random streams: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as
 * easy as 1, 2, 3").
 *
 * A stream is named by (seed, purpose, epoch, sample), so what is drawn for a sample depends
 * neither on threads nor ranks nor on what was drawn before, and resuming needs no generator state.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include "resnet/base.h"

/** What a stream is for; part of its name, so values must never be reused or renumbered. */
typedef enum rn_purpose {
    RN_PURPOSE_INIT = 1,    // weights; sample = parameter index
    RN_PURPOSE_ORDER = 2,   // permutation of an epoch
    RN_PURPOSE_AUGMENT = 3, // crop, flip; sample = index in the data set
    RN_PURPOSE_SHAPES = 4,  // generated images; epoch = split, sample = index
    RN_PURPOSE_DROPOUT = 5,
    RN_PURPOSE_SPLIT = 6, // hold-out selection
    RN_PURPOSE_TEST = 7,
    RN_PURPOSE_MIX = 8 // mixup, CutMix; epoch, sample = number of the batch
} rn_purpose;

typedef struct rn_stream {
    uint32_t key[2];
    uint32_t counter[4]; // {block, sample, epoch, purpose}
    uint32_t block[4];
    int used; // words of block already handed out
} rn_stream;

/** One Philox4x32-10 block: out = bijection of counter under key. */
void rn_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

void rn_stream_init(rn_stream *stream, uint64_t seed, rn_purpose purpose, uint32_t epoch,
                    uint32_t sample);

/** Uniform over 0 .. 2^32 - 1. */
uint32_t rn_stream_bits(rn_stream *stream);

/** Uniform integer in [0, bound), unbiased; bound >= 1. */
uint32_t rn_stream_below(rn_stream *stream, uint32_t bound);

/** Uniform in [0, 1) with 24 random bits. */
float rn_stream_uniform(rn_stream *stream);

/** Normal, mean 0, variance 1 (Box-Muller). */
float rn_stream_normal(rn_stream *stream);

/**
 * Beta(alpha, alpha), 0 .. 1; alpha > 0. X / (X + Y) for two draws X, Y of Gamma(alpha, 1), which
 * are Marsaglia & Tsang's (2000, "A simple method for generating gamma variables"), exact but for
 * rounding. They are kept as logarithms, so that no alpha is too small.
 */
double rn_stream_beta(rn_stream *stream, double alpha);

/** Fisher-Yates shuffle of items[0..count). */
void rn_stream_shuffle(rn_stream *stream, uint32_t *items, uint32_t count);

#endif
