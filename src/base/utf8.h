/** Characters of UTF-8, one at a time. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "resnet/base.h"

/** Bytes of the well-formed character at `at`, 1 to 4, and its code; 0: a NUL, or no character. */
size_t rn_utf8_decode(uint32_t *code, const char *at);

/**
 * False for what changes how text around it is shown: controls (C0, DEL, C1), line and paragraph
 * separators, and marks that turn the direction of writing.
 */
bool rn_code_is_shown(uint32_t code);

/** The most bytes, up to `bytes`, of a text of at least as many that cut no character in two. */
size_t rn_utf8_fit(const char *text, size_t bytes);

#endif
