#include "base/text.h"

#include "base/memory.h"
#include "base/number.h"
#include "base/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char replacement[] = "\xef\xbf\xbd"; // U+FFFD

enum { LONGEST = 64, SHOWN = 20 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

// Letters to add, leave out, change, or swap with the next one (optimal string alignment, by rows;
// before: the row two above); both at most LONGEST long.
static size_t edit_distance(const char *a, const char *b)
{
    size_t rows[3][LONGEST + 1], *before = rows[0], *above = rows[1], *row = rows[2];
    size_t columns = strlen(b);

    for (size_t j = 0; j <= columns; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t *next = before;
        before = above;
        above = row;
        row = next;
        row[0] = i;
        for (size_t j = 1; j <= columns; j++) {
            row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]), least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
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

const char *rn_text_hint(char hint[RN_HINT_BYTES], const char *word, const char *const *candidates,
                         size_t count)
{
    const char *nearest = rn_nearest(word, candidates, count);

    *hint = '\0';
    if (nearest != NULL)
        snprintf(hint, RN_HINT_BYTES, "; did you mean '%.64s'?", nearest);
    return hint;
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

// One byte as it is shown: 2 or 4 characters.
static size_t escape_byte(char shown[5], unsigned char byte)
{
    static const char letters[] = "\nn\tt\rr\\\\";

    for (const char *pair = letters; *pair != '\0'; pair += 2) {
        if (byte == (unsigned char)*pair)
            return (size_t)snprintf(shown, 5, "\\%c", pair[1]);
    }
    return (size_t)snprintf(shown, 5, "\\x%02x", byte);
}

// What stands for the character or the byte at *text, 1 to 16 bytes.
static size_t escape_next(char shown[SHOWN], const char **text)
{
    uint32_t code;
    const size_t length = rn_utf8_decode(&code, *text), bytes = length > 0 ? length : 1;
    size_t added = 0;

    if (length > 0 && code != '\\' && rn_code_is_shown(code)) {
        memcpy(shown, *text, length);
        added = length;
    } else {
        for (size_t i = 0; i < bytes; i++)
            added += escape_byte(shown + added, (unsigned char)(*text)[i]);
    }
    *text += bytes;
    return added;
}

size_t rn_text_escape(char *out, size_t size, const char *text)
{
    size_t length = 0, fits = 0; // fits: how much can stay if dots follow

    while (*text != '\0') {
        char shown[SHOWN];
        size_t bytes = escape_next(shown, &text);
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

rn_status rn_text_repair(char **out, const char *text)
{
    rn_status st = rn_alloc((void **)out, strlen(text) + 1, strlen(replacement));
    uint32_t code;

    for (char *end = *out; st == RN_OK && *text != '\0';) {
        const size_t length = rn_utf8_decode(&code, text);
        const size_t added = length > 0 ? length : strlen(replacement);
        memcpy(end, length > 0 ? text : replacement, added);
        end += added;
        text += length > 0 ? length : 1;
    }
    return st;
}

void rn_text_free(char *text)
{
    rn_free(text);
}
