/**
 * What the files torch_*.c share: PyTorch's storages and tensors as its pickles describe them.
 *
 * A tensor is a call of _rebuild_tensor_v2(storage, offset, size, stride, ...); a storage is a
 * persistent id, ("storage", type, key, location, count), whose bytes lie outside of the pickle.
 */
#ifndef STORE_TORCH_H
#define STORE_TORCH_H

#include "store/pickle.h"
#include "store/safetensors.h"

typedef enum rn_torch_form {
    RN_TORCH_NO_FLOAT,
    RN_TORCH_FLOAT32,
    RN_TORCH_FLOAT64,
    RN_TORCH_FLOAT16,
    RN_TORCH_BFLOAT16
} rn_torch_form;

typedef struct rn_torch_dtype {
    const char *name; // "float32"
    uint32_t size;    // bytes of an element
    rn_torch_form form;
} rn_torch_dtype;

/** Tags of the globals that matter here; rn_pickle_global.data is the rn_torch_dtype of the first
 *  two. */
typedef enum rn_torch_tag {
    RN_TORCH_OPAQUE,
    RN_TORCH_STORAGE,
    RN_TORCH_DTYPE,
    RN_TORCH_TENSOR,
    RN_TORCH_TENSOR_V3, // has its dtype beside a storage of bytes
    RN_TORCH_PARAMETER, // where it is an opaque value: made of nothing, then given attributes
    RN_TORCH_FROM_TYPE  // a call of one of the former as (function, type, arguments, attributes)
} rn_torch_tag;

/** All that a pickle of torch.save() may name. */
extern const rn_pickle_global rn_torch_globals[];
extern const size_t rn_torch_global_count;

enum { RN_TORCH_NAME = 1024 }; // most bytes of a tensor's name and of a storage's key

typedef struct rn_torch_storage {
    const char *key; // in the pickle's bytes
    size_t key_length;
    const rn_torch_dtype *type;
    uint64_t count;   // elements
    const char *data; // count * type->size bytes; NULL until it is found
} rn_torch_storage;

typedef struct rn_torch_file {
    const char *bytes; // borrowed
    size_t size;
    rn_pickle *pickle;          // of the saved object
    rn_torch_storage *storages; // by key, each once
    size_t storage_count;
} rn_torch_file;

/** Fill in a zeroed file's pickle and storages; released by rn_torch_file_release() either way. */
rn_status rn_torch_open_zip(rn_torch_file *file);
rn_status rn_torch_open_legacy(rn_torch_file *file);
void rn_torch_file_release(rn_torch_file *file);

/** List the storages that the pickle refers to, without their data yet. */
rn_status rn_torch_list_storages(rn_torch_file *file);
rn_torch_storage *rn_torch_find_storage(const rn_torch_file *file, const char *key, size_t length);
/** The storage, or the view of one, that a persistent id names; its data is there. */
rn_status rn_torch_storage_of(rn_torch_storage *out, const rn_torch_file *file,
                              const rn_pickle_value *id);
/** The bytes of a storage's data; its count and type are known to fit. */
uint64_t rn_torch_storage_bytes(const rn_torch_storage *storage);

typedef struct rn_torch_layout {
    const rn_torch_dtype *type;
    const char *data; // of the first element
    int dims;
    uint64_t shape[RN_TENSOR_DIMS];
    uint64_t stride[RN_TENSOR_DIMS]; // in elements
    size_t count;
    bool in_place; // float32 in C order: nothing to convert
} rn_torch_layout;

bool rn_torch_is_tensor(const rn_pickle *pickle, const rn_pickle_value *value);
/** Check a tensor's description against its storage; RN_EFORMAT says what is wrong. */
rn_status rn_torch_layout_of(rn_torch_layout *out, const rn_torch_file *file,
                             const rn_pickle_value *tensor);
/** Gather and convert `count` elements of a float type in C order. */
void rn_torch_convert(float *out, const rn_torch_layout *layout);

/** A tensor's entry in a state dict. */
typedef struct rn_torch_entry {
    const char *name; // in the pickle's bytes
    size_t length;
    const rn_pickle_value *tensor;
} rn_torch_entry;

/**
 * Find the state dict and list its tensors, each name once, in the file's order.
 *
 * @param[out] out  The caller's (rn_free()).
 */
rn_status rn_torch_list_entries(rn_torch_entry **out, size_t *count, const rn_pickle *pickle);

#endif
