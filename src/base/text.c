#include "base/text.h"

#include "base/number.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 64 };

// Levenshtein distance by rows; both at most LONGEST long.
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[LONGEST + 1], columns = strlen(b);

    for (size_t j = 0; j <= columns; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= columns; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            size_t best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            diagonal = row[j];
            row[j] = change < best ? change : best;
        }
    }
    return row[columns];
}

const char *rn_nearest(const char *word, const char *const *candidates, size_t count)
{
    const char *nearest = NULL;
    size_t length = strlen(word);

    if (length == 0 || length > LONGEST)
        return NULL;
    size_t best = 1 + (length + 1) / 3; // a third of the letters may be wrong
    for (size_t i = 0; i < count; i++) {
        if (strlen(candidates[i]) > LONGEST)
            continue;
        size_t distance = edit_distance(word, candidates[i]);
        if (distance < best) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}

const char *rn_text_nearest(const char *word, const char *const *candidates, size_t count)
{
    return rn_nearest(word, candidates, count);
}

static bool starts_like_number(const char *text)
{
    return isdigit((unsigned char)*text) || *text == '-' || *text == '+' || *text == '.';
}

bool rn_text_double(const char *text, double low, double high, double *value)
{
    char *end;

    if (!starts_like_number(text) || strpbrk(text, "xXpPnN") != NULL)
        return false;
    errno = 0;
    double number = rn_strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(number) || number < low || number > high)
        return false;
    *value = number;
    return true;
}

bool rn_text_int64(const char *text, int64_t low, int64_t high, int64_t *value)
{
    char *end;

    if (!starts_like_number(text))
        return false;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || number < low || number > high)
        return false;
    *value = number;
    return true;
}

// One byte as it is shown: 1 to 4 characters.
static size_t escape_byte(char shown[5], unsigned char byte)
{
    static const char letters[] = "\nn\tt\rr\\\\";

    for (const char *pair = letters; *pair != '\0'; pair += 2) {
        if (byte == (unsigned char)*pair)
            return (size_t)snprintf(shown, 5, "\\%c", pair[1]);
    }
    if (byte < 0x20 || byte == 0x7f)
        return (size_t)snprintf(shown, 5, "\\x%02x", byte);
    return (size_t)snprintf(shown, 5, "%c", byte);
}

size_t rn_text_escape(char *out, size_t size, const char *text)
{
    size_t length = 0, fits = 0; // fits: how much can stay if dots follow

    for (; *text != '\0'; text++) {
        char shown[5];
        size_t bytes = escape_byte(shown, (unsigned char)*text);
        if (length + bytes < size)
            memcpy(out + length, shown, bytes);
        length += bytes;
        if (length + 3 < size)
            fits = length;
    }
    if (length < size)
        out[length] = '\0';
    else
        memcpy(out + fits, "...", 4);
    return length;
}
