/** The arena of a pickle's values; for pickle.c only, readers have pickle.h. */
#ifndef STORE_PICKLE_VALUES_H
#define STORE_PICKLE_VALUES_H

#include "store/pickle.h"

/** Values that every pickle shares, so that one byte that pushes them costs no memory. */
enum { RN_PICKLE_NONE_ID, RN_PICKLE_TRUE_ID, RN_PICKLE_FALSE_ID, RN_PICKLE_UNIT_ID };

/** Items of one size in blocks: grows without a copy, and by no more than a block. */
typedef struct rn_pickle_pool {
    void **blocks;
    size_t blocks_capacity;
    uint32_t count;
} rn_pickle_pool;

typedef struct rn_pickle_cell {
    uint32_t value;
    uint32_t next; // 0: the last one
} rn_pickle_cell;

struct rn_pickle {
    rn_pickle_pool values;
    rn_pickle_pool cells;
    uint32_t limit; // of either pool's items
    uint32_t root;
};

/** @param limit  Items that the pickle's size allows for. */
rn_status rn_pickle_create(rn_pickle **out, size_t limit);
rn_status rn_pickle_add(rn_pickle *pickle, uint32_t *id, const rn_pickle_value *value);
/** Append an item to a tuple, list or dict. */
rn_status rn_pickle_append(rn_pickle *pickle, uint32_t container, uint32_t item);
/** The value in a cell. */
uint32_t rn_pickle_item_id(const rn_pickle *pickle, uint32_t cell);
rn_pickle_value *rn_pickle_get(const rn_pickle *pickle, uint32_t id);

#endif
