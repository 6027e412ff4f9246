/** Small text helpers: suggestions, strict numbers. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "resnet/base.h"

enum { RN_MESSAGE_BYTES = 1024 }; // what rn_error_message() has at most, with its NUL

enum { RN_HINT_BYTES = 96 };

/** "; did you mean 'NAME'?" of the nearest candidate (rn_nearest()), or "" if none is near: `hint`.
 */
const char *rn_text_hint(char hint[RN_HINT_BYTES], const char *word, const char *const *candidates,
                         size_t count);

/** Parse the whole of `text` as a finite decimal number within [low, high]; false otherwise. */
bool rn_text_double(const char *text, double low, double high, double *value);

/** Parse the whole of `text` as a decimal integer within [low, high]; false otherwise. */
bool rn_text_int64(const char *text, int64_t low, int64_t high, int64_t *value);

#endif
