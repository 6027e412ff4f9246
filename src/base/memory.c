#include "base/memory.h"

#include "base/number.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20, HUGE_FROM = 4 << 20 };

static rn_alloc_hook active_hook;
static void *hook_context;

void rn_alloc_hook_set(rn_alloc_hook hook, void *context)
{
    active_hook = hook;
    hook_context = context;
}

// Big blocks begin at, and where the system can are made of, huge pages: kernels that walk over
// tensors of many megabytes would otherwise wait for address translation.
static void *allocate(size_t bytes)
{
    void *memory = NULL;
    size_t alignment = bytes < HUGE_FROM ? (size_t)RN_ALIGNMENT : HUGE_PAGE;

    if (posix_memalign(&memory, alignment, bytes) != 0)
        return NULL;
    if (bytes >= HUGE_FROM)
        madvise(memory, bytes, MADV_HUGEPAGE); // a wish: no harm where it is not granted
    return memory;
}

static rn_status allocate_items(void **out, size_t count, size_t size, bool zeroed)
{
    size_t bytes;

    *out = NULL;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - RN_ALIGNMENT)
        return rn_error(RN_ENOMEM, "out of memory: %zu x %zu bytes overflow", count, size);
    bytes = rn_aligned(bytes);
    if (bytes == 0)
        bytes = RN_ALIGNMENT;
    if (active_hook == NULL || active_hook(bytes, hook_context))
        *out = allocate(bytes);
    if (*out == NULL)
        return rn_error(RN_ENOMEM, "out of memory: %zu bytes wanted", bytes);
    if (zeroed)
        memset(*out, 0, bytes);
    return RN_OK;
}

rn_status rn_alloc(void **out, size_t count, size_t size)
{
    return allocate_items(out, count, size, true);
}

rn_status rn_alloc_unset(void **out, size_t count, size_t size)
{
    return allocate_items(out, count, size, false);
}

rn_status rn_grow(void **array, size_t *capacity, size_t needed, size_t size)
{
    rn_status st = RN_OK;
    void *larger = NULL;
    size_t wanted = *capacity < 8 ? 8 : *capacity;

    if (needed <= *capacity)
        return RN_OK;
    while (wanted < needed)
        wanted = wanted > SIZE_MAX / 2 ? needed : wanted * 2;
    RN_TRY(rn_alloc(&larger, wanted, size));
    if (*array != NULL)
        memcpy(larger, *array, *capacity * size);
    rn_free(*array);
    *array = larger;
    *capacity = wanted;
out:
    return st;
}

void rn_free(void *memory)
{
    free(memory);
}

rn_status rn_strdup(char **out, const char *text)
{
    return rn_format(out, "%s", text);
}

rn_status rn_format(char **out, const char *fmt, ...)
{
    rn_status st = RN_OK;
    va_list args, again;

    *out = NULL;
    va_start(args, fmt);
    va_copy(again, args);
    int length = rn_vprint(NULL, 0, fmt, args);
    if (length < 0) {
        st = rn_error(RN_EINVAL, "text cannot be formatted");
        goto out;
    }
    RN_TRY(rn_alloc((void **)out, (size_t)length + 1, 1));
    rn_vprint(*out, (size_t)length + 1, fmt, again);
out:
    va_end(again);
    va_end(args);
    return st;
}
