/**
 * Numbers as files have them: with a decimal point, also where the program around the library has
 * chosen a locale that writes a comma.
 */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include "resnet/base.h"

#include <stdarg.h>

/** snprintf() and vsnprintf() in the locale "C". */
int rn_print(char *text, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int rn_vprint(char *text, size_t size, const char *fmt, va_list args)
    __attribute__((format(printf, 3, 0)));

/** strtod() in the locale "C". */
double rn_strtod(const char *text, char **end);

#endif
