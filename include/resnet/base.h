/**
 * Status values, messages and the process-wide set-up that every other header builds on.
 *
 * Errors are values: a fallible function returns an rn_status and leaves a one-line message for the
 * calling thread. The library never prints, exits or aborts on input.
 */
#ifndef RESNET_BASE_H
#define RESNET_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RN_API __attribute__((visibility("default")))

#define RN_VERSION_MAJOR 0
#define RN_VERSION_MINOR 1
#define RN_VERSION_PATCH 0
#define RN_VERSION "0.1.0"

/** Every status with its text: X(name, value, text). */
#define RN_STATUS_TABLE(X)                                                                         \
    X(RN_OK, 0, "success")                                                                         \
    X(RN_EINVAL, 1, "invalid argument")                                                            \
    X(RN_ENOMEM, 2, "out of memory")                                                               \
    X(RN_EIO, 3, "input/output error")                                                             \
    X(RN_EFORMAT, 4, "malformed data")                                                             \
    X(RN_ENOTFOUND, 5, "not found")                                                                \
    X(RN_EUNSUPPORTED, 6, "not supported")                                                         \
    X(RN_ENGINE, 7, "engine failure")                                                              \
    X(RN_EDIVERGED, 8, "training diverged")                                                        \
    X(RN_EINTERRUPTED, 9, "interrupted")                                                           \
    X(RN_ENETWORK, 10, "network failure")

typedef enum rn_status {
#define RN_STATUS_ENUM(name, value, text) name = value,
    RN_STATUS_TABLE(RN_STATUS_ENUM)
#undef RN_STATUS_ENUM
} rn_status;

/** The status's short text ("malformed data"); static storage; "unknown status" for other values.
 */
RN_API const char *rn_status_text(rn_status status);

/**
 * The message of the last failure on the calling thread: one line, lowercase, no final newline.
 * Borrowed until the thread's next failure; "" if nothing has failed yet.
 */
RN_API const char *rn_error_message(void);

/**
 * Record a failure for the calling thread and return its code.
 *
 * @param code  Not RN_OK.
 * @param fmt   printf format of one line: lowercase, subject quoted, expected and found values.
 *              Control characters, marks of direction and bytes that are no UTF-8 are shown as '?',
 *              so that a hostile file name cannot break the line. Of more than 1,023 bytes the
 * middle is left out ("...").
 * @return code, so that `return rn_error(...)` and `st = rn_error(...)` read naturally.
 */
RN_API rn_status rn_error(rn_status code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * Put "prefix: " (printf format) before the calling thread's message; returns code. Where both are
 * too long, the prefix is shortened, and the message stays whole.
 */
RN_API rn_status rn_error_prefix(rn_status code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#ifdef __clang_analyzer__
// A static analyzer sees one file at a time, and would follow a failure that returns RN_OK.
static inline rn_status rn_known_status(rn_status code, rn_status returned)
{
    (void)returned;
    return code;
}
#define rn_error(code, ...) rn_known_status(code, (rn_error)(code, __VA_ARGS__))
#define rn_error_prefix(code, ...) rn_known_status(code, (rn_error_prefix)(code, __VA_ARGS__))
#endif

/** Inside a function with `rn_status st` and a label `out:`: propagate a failure. */
#define RN_TRY(expr)                                                                               \
    do {                                                                                           \
        st = (expr);                                                                               \
        if (st != RN_OK)                                                                           \
            goto out;                                                                              \
    } while (0)

/**
 * Set the number of compute threads of this process (OpenMP) and flush denormals to zero in each.
 *
 * @param threads  1..1024; 0 takes RESNET_THREADS, else OMP_NUM_THREADS, else the CPUs that the
 *                 process may run on.
 * @return RN_OK; RN_EINVAL if out of range.
 */
RN_API rn_status rn_threads_set(int threads);

/** The number of compute threads that the next parallel region will use. */
RN_API int rn_threads(void);

/** Processors that this process may run on, from 1 to 1024. */
RN_API int rn_processors(void);

/**
 * The candidate with the least edit distance to `word`, for "did you mean"; NULL if none is near (a
 * third of the letters may differ; two that are swapped count once). Borrowed from candidates.
 */
RN_API const char *rn_nearest(const char *word, const char *const *candidates, size_t count);

/**
 * Write `text` so that it is one line of UTF-8: what is not shown (controls, marks of direction)
 * and bytes that are no UTF-8 as \n, \t, \r or \xHH, a backslash as two.
 *
 * @param[out] out  What fits, with a NUL; where not all does, it ends in "...". size >= 4.
 * @return The length of the whole, as snprintf() does.
 */
RN_API size_t rn_text_escape(char *out, size_t size, const char *text);

/** Free a text that the library gave. NULL is legal. */
RN_API void rn_text_free(char *text);

/**
 * Copy `text` with U+FFFD for each byte that is part of no character of UTF-8, as JSON must be.
 *
 * @param[out] out  The caller's (rn_text_free()); NULL on failure.
 * @return RN_OK; RN_ENOMEM.
 */
RN_API rn_status rn_text_repair(char **out, const char *text);

/** Memory of this process in bytes, as the system counts it; 0 where it does not say. */
typedef struct rn_memory_use {
    size_t resident; // now
    size_t peak;     // the most there was
} rn_memory_use;

/** What this process takes just now, from /proc/self/status. */
RN_API rn_memory_use rn_process_memory(void);

/** Monotonic time in seconds, for intervals only. */
RN_API double rn_clock(void);

#ifdef __cplusplus
}
#endif
#endif
