/**
 * Python's pickle format, protocols 1 to 5, as data: what a pickle describes, with nothing called.
 *
 * A pickle is a program for a stack machine that may name and call any function. Here only the
 * opcodes that build plain values are known, and only the globals that the caller lists; a call
 * becomes a value that holds the callee and its arguments. Values lie in an arena whose size is
 * bounded by the pickle's; nothing here recurses, so that deep or cyclic values do no harm.
 */
#ifndef STORE_PICKLE_H
#define STORE_PICKLE_H

#include "resnet/base.h"

/** A longer pickle is refused: read, it takes up to 48 times its size. */
#define RN_PICKLE_BYTES ((size_t)16 << 20)

typedef enum rn_pickle_kind {
    RN_PICKLE_NONE,
    RN_PICKLE_BOOL,    // integer: 0 or 1
    RN_PICKLE_INTEGER, // integer
    RN_PICKLE_LONG,    // beyond 64 bits: text, as the pickle spells it
    RN_PICKLE_REAL,    // nobody asks for its value
    RN_PICKLE_TEXT,    // text
    RN_PICKLE_BYTES_OBJECT,
    RN_PICKLE_TUPLE,
    RN_PICKLE_LIST, // a set, too
    RN_PICKLE_DICT, // keys and values in turn
    RN_PICKLE_GLOBAL,
    RN_PICKLE_PERSISTENT, // what the file keeps outside of the pickle: args is its name
    RN_PICKLE_CALL        // callee and args, a tuple: of attributes given later if it was empty
} rn_pickle_kind;

/** What calling a global amounts to. */
typedef enum rn_pickle_role {
    RN_PICKLE_CONSTANT, // not callable
    RN_PICKLE_TO_CALL,  // an opaque value
    RN_PICKLE_TO_DICT, // a dict: of its first argument's items if that is a dict or a list of pairs
    RN_PICKLE_TO_FIRST // its first argument
} rn_pickle_role;

typedef struct rn_pickle_global {
    const char *name; // "collections.OrderedDict"
    rn_pickle_role role;
    int tag;          // the caller's
    const void *data; // the caller's
} rn_pickle_global;

typedef struct rn_pickle_value {
    uint8_t kind;    // rn_pickle_kind
    uint32_t length; // bytes of a text, items of a list or tuple, keys and values of a dict
    union {
        int64_t integer;
        const char *text; // in the pickle's bytes, without a NUL
        const rn_pickle_global *global;
        struct {
            uint32_t first, last; // cells
        } items;
        struct {
            uint32_t callee, args; // values
        } call;
    };
} rn_pickle_value;

typedef struct rn_pickle rn_pickle;

/** Where to read, and what may be named. */
typedef struct rn_pickle_input {
    const char *bytes; // borrowed for as long as the values are used
    size_t size;
    size_t at; // of the pickle's first byte
    const rn_pickle_global *globals;
    size_t global_count;
} rn_pickle_input;

/**
 * Read one pickle.
 *
 * @param[out] end  The byte after its STOP, or NULL.
 * @return RN_OK; RN_EFORMAT ("pickle at byte 57: ...", counted as `at` is); RN_ENOMEM.
 */
rn_status rn_pickle_read(rn_pickle **out, size_t *end, const rn_pickle_input *input);
void rn_pickle_free(rn_pickle *pickle);

/** The value that the pickle describes. Values are borrowed until the pickle is freed. */
const rn_pickle_value *rn_pickle_root(const rn_pickle *pickle);

/** All values in the order of their making: index 0 .. count - 1. */
const rn_pickle_value *rn_pickle_value_at(const rn_pickle *pickle, uint32_t index);
uint32_t rn_pickle_count(const rn_pickle *pickle);

/** The item (of a tuple, list or dict) in `*cell`, which moves on; begin with items.first. */
const rn_pickle_value *rn_pickle_next(const rn_pickle *pickle, uint32_t *cell);

/** The item with this index, or NULL; takes `index` steps. */
const rn_pickle_value *rn_pickle_item(const rn_pickle *pickle, const rn_pickle_value *value,
                                      uint32_t index);

/** The value with this key (the last such) in a dict, or NULL. */
const rn_pickle_value *rn_pickle_find(const rn_pickle *pickle, const rn_pickle_value *dict,
                                      const char *key);

bool rn_pickle_text_is(const rn_pickle_value *value, const char *text);

#endif
