#include "store/pickle_values.h"

#include "base/memory.h"

#include <string.h>

enum { BLOCK = 256 }; // items: 4 KiB of values

static void *pool_item(const rn_pickle_pool *pool, uint32_t index, size_t size)
{
    return (char *)pool->blocks[index / BLOCK] + index % BLOCK * size;
}

static rn_status pool_add(rn_pickle_pool *pool, size_t size, uint32_t limit)
{
    rn_status st = RN_OK;
    size_t block = pool->count / BLOCK;

    if (pool->count >= limit)
        return rn_error(RN_EFORMAT, "more than the %u items that its size allows for", limit);
    if (pool->count % BLOCK == 0) {
        RN_TRY(rn_grow((void **)&pool->blocks, &pool->blocks_capacity, block + 1, sizeof(void *)));
        RN_TRY(rn_alloc(&pool->blocks[block], BLOCK, size));
    }
    pool->count++;
out:
    return st;
}

static void pool_release(rn_pickle_pool *pool)
{
    for (size_t i = 0; i < pool->blocks_capacity; i++)
        rn_free(pool->blocks[i]);
    rn_free(pool->blocks);
}

rn_pickle_value *rn_pickle_get(const rn_pickle *pickle, uint32_t id)
{
    return pool_item(&pickle->values, id, sizeof(rn_pickle_value));
}

static rn_pickle_cell *get_cell(const rn_pickle *pickle, uint32_t index)
{
    return pool_item(&pickle->cells, index, sizeof(rn_pickle_cell));
}

uint32_t rn_pickle_item_id(const rn_pickle *pickle, uint32_t cell)
{
    return get_cell(pickle, cell)->value;
}

rn_status rn_pickle_add(rn_pickle *pickle, uint32_t *id, const rn_pickle_value *value)
{
    rn_status st = RN_OK;

    RN_TRY(pool_add(&pickle->values, sizeof *value, pickle->limit));
    *id = pickle->values.count - 1;
    *rn_pickle_get(pickle, *id) = *value;
out:
    return st;
}

rn_status rn_pickle_append(rn_pickle *pickle, uint32_t container, uint32_t item)
{
    rn_status st = RN_OK;
    rn_pickle_value *value = rn_pickle_get(pickle, container);

    RN_TRY(pool_add(&pickle->cells, sizeof(rn_pickle_cell), pickle->limit));
    uint32_t cell = pickle->cells.count - 1;
    *get_cell(pickle, cell) = (rn_pickle_cell){.value = item};
    if (value->length == 0)
        value->items.first = cell;
    else
        get_cell(pickle, value->items.last)->next = cell;
    value->items.last = cell;
    value->length++;
out:
    return st;
}

rn_status rn_pickle_create(rn_pickle **out, size_t limit)
{
    static const rn_pickle_value shared[] = {
        [RN_PICKLE_NONE_ID] = {.kind = RN_PICKLE_NONE},
        [RN_PICKLE_TRUE_ID] = {.kind = RN_PICKLE_BOOL, .integer = 1},
        [RN_PICKLE_FALSE_ID] = {.kind = RN_PICKLE_BOOL},
        [RN_PICKLE_UNIT_ID] = {.kind = RN_PICKLE_TUPLE},
    };
    rn_status st = RN_OK;
    rn_pickle *pickle = NULL;
    uint32_t id;

    *out = NULL;
    RN_TRY(RN_NEW(&pickle, 1));
    pickle->limit = (uint32_t)limit + 8; // the shared ones and cell 0, that is none
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
        RN_TRY(rn_pickle_add(pickle, &id, &shared[i]));
    RN_TRY(pool_add(&pickle->cells, sizeof(rn_pickle_cell), pickle->limit));
    *out = pickle;
    pickle = NULL; // now the caller's
out:
    rn_pickle_free(pickle);
    return st;
}

void rn_pickle_free(rn_pickle *pickle)
{
    if (pickle == NULL)
        return;
    pool_release(&pickle->values);
    pool_release(&pickle->cells);
    rn_free(pickle);
}

const rn_pickle_value *rn_pickle_root(const rn_pickle *pickle)
{
    return rn_pickle_get(pickle, pickle->root);
}

const rn_pickle_value *rn_pickle_value_at(const rn_pickle *pickle, uint32_t index)
{
    return rn_pickle_get(pickle, index);
}

uint32_t rn_pickle_count(const rn_pickle *pickle)
{
    return pickle->values.count;
}

const rn_pickle_value *rn_pickle_next(const rn_pickle *pickle, uint32_t *cell)
{
    const rn_pickle_cell *found = get_cell(pickle, *cell);

    *cell = found->next;
    return rn_pickle_get(pickle, found->value);
}

const rn_pickle_value *rn_pickle_item(const rn_pickle *pickle, const rn_pickle_value *value,
                                      uint32_t index)
{
    uint32_t cell = value->items.first;

    if (index >= value->length)
        return NULL;
    while (index-- > 0)
        cell = get_cell(pickle, cell)->next;
    return rn_pickle_next(pickle, &cell);
}

bool rn_pickle_text_is(const rn_pickle_value *value, const char *text)
{
    return value->kind == RN_PICKLE_TEXT && value->length == strlen(text) &&
           memcmp(value->text, text, value->length) == 0;
}

const rn_pickle_value *rn_pickle_find(const rn_pickle *pickle, const rn_pickle_value *dict,
                                      const char *key)
{
    const rn_pickle_value *found = NULL;
    uint32_t cell = dict->items.first;

    for (uint32_t i = 0; i + 1 < dict->length; i += 2) {
        const rn_pickle_value *name = rn_pickle_next(pickle, &cell);
        const rn_pickle_value *value = rn_pickle_next(pickle, &cell);
        if (rn_pickle_text_is(name, key))
            found = value;
    }
    return found;
}
