/** Small text helpers: nearest names for suggestions, strict numbers. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "resnet/base.h"

enum { RN_MESSAGE_BYTES = 1024 }; // what rn_error_message() has at most, with its NUL

/** The candidate with the least edit distance to `word`, or NULL if none is near. Borrowed. */
const char *rn_text_nearest(const char *word, const char *const *candidates, size_t count);

/** Parse the whole of `text` as a finite decimal number within [low, high]; false otherwise. */
bool rn_text_double(const char *text, double low, double high, double *value);

/** Parse the whole of `text` as a decimal integer within [low, high]; false otherwise. */
bool rn_text_int64(const char *text, int64_t low, int64_t high, int64_t *value);

/**
 * Write `text` so that it is one line of UTF-8: what is not shown (controls, marks of direction)
 * and bytes that are no UTF-8 as \n, \t, \r or \xHH, a backslash as two.
 *
 * @param[out] out  What fits, with a NUL; where not all does, it ends in "...". size >= 4.
 * @return The length of the whole, as snprintf() does.
 */
size_t rn_text_escape(char *out, size_t size, const char *text);

#endif
