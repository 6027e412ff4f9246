/** The one infinite sequence of samples that training walks: epoch after epoch, each shuffled. */
#ifndef BATCH_ORDER_H
#define BATCH_ORDER_H

#include "resnet/base.h"

typedef struct rn_order {
    uint64_t seed;
    uint32_t count;
    bool drawn;      // items hold a permutation, that of `epoch`
    uint32_t epoch;  // of items
    uint32_t *items; // [count]
} rn_order;

/** One entry of the sequence: a sample, and the epoch in which it comes (for its augmentation). */
typedef struct rn_order_entry {
    uint32_t sample, epoch;
} rn_order_entry;

/**
 * @param[out] out  The caller's (rn_order_free()); NULL on failure.
 * @param count     Of samples, 1 .. 2^32 - 1.
 * @return RN_OK; RN_EINVAL; RN_ENOMEM.
 */
rn_status rn_order_create(rn_order **out, size_t count, uint64_t seed);
void rn_order_free(rn_order *order);

/**
 * Entries [at, at + count) of the sequence. Entry e is item e % count of the permutation of epoch
 * e / count: Fisher-Yates on 0 .. count - 1, drawn from the stream (seed, RN_PURPOSE_ORDER, epoch,
 * 0). A permutation is drawn only when the epoch differs from the last one asked for.
 *
 * @return RN_OK; RN_EINVAL past epoch 2^32 - 1, of which streams know nothing.
 */
rn_status rn_order_take(rn_order *order, uint64_t at, int count, rn_order_entry *entries);

#endif
