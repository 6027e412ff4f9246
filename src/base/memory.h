/** Aligned, zeroed memory with one hook through which tests make an allocation fail. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include "resnet/base.h"

#define RN_ALIGNMENT 64 // bytes: one cache line, one AVX-512 register

/** Bytes rounded up to whole RN_ALIGNMENT; at most SIZE_MAX - RN_ALIGNMENT. */
static inline size_t rn_aligned(size_t bytes)
{
    return (bytes + RN_ALIGNMENT - 1) / RN_ALIGNMENT * RN_ALIGNMENT;
}

/** Called before each allocation; returning false makes it fail. Set only by tests. */
typedef bool (*rn_alloc_hook)(size_t bytes, void *context);
void rn_alloc_hook_set(rn_alloc_hook hook, void *context);

/**
 * Allocate count * size zeroed bytes, aligned to RN_ALIGNMENT.
 *
 * @param[out] out  The caller's (rn_free()); NULL on failure. Never NULL on success, even for 0.
 * @return RN_OK; RN_ENOMEM, also where count * size overflows.
 */
rn_status rn_alloc(void **out, size_t count, size_t size);

/** The same with bytes of any value: pages that nobody writes to take no memory. */
rn_status rn_alloc_unset(void **out, size_t count, size_t size);

/** Typed form: `RN_NEW(&samples, n)`. */
#define RN_NEW(out, count) rn_alloc((void **)(out), (count), sizeof **(out))

/** Grow (never shrink) an array to hold at least `needed` items; new items are zeroed. */
rn_status rn_grow(void **array, size_t *capacity, size_t needed, size_t size);

/** Free what rn_alloc(), rn_strdup() or rn_format() gave; NULL is legal. */
void rn_free(void *memory);

/** Copy a string; the caller's (rn_free()). */
rn_status rn_strdup(char **out, const char *text);

/** printf into new memory; the caller's (rn_free()). */
rn_status rn_format(char **out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
