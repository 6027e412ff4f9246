#include "base/number.h"

#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static locale_t numbers; // made once, then only read
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_locale(void)
{
    numbers = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

int rn_vprint(char *text, size_t size, const char *fmt, va_list args)
{
    pthread_once(&once, make_locale);
    locale_t before = uselocale(numbers); // of this thread alone
    int length = vsnprintf(text, size, fmt, args);
    uselocale(before);
    return length;
}

int rn_print(char *text, size_t size, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int length = rn_vprint(text, size, fmt, args);
    va_end(args);
    return length;
}

double rn_strtod(const char *text, char **end)
{
    pthread_once(&once, make_locale);
    return strtod_l(text, end, numbers);
}
