#include "base/utf8.h"

// Bytes by the first one; 0: none begins so.
static size_t length_by(unsigned char first)
{
    if (first < 0x80)
        return first != 0;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
}

size_t rn_utf8_decode(uint32_t *code, const char *at)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char first = (unsigned char)*at;
    const size_t length = length_by(first);

    *code = length > 1 ? first & (0x7fu >> length) : first;
    for (size_t i = 1; i < length; i++) {
        if (((unsigned char)at[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | ((unsigned char)at[i] & 0x3f);
    }
    const bool surrogate = *code >= 0xd800 && *code < 0xe000;
    return *code < least[length] || *code > 0x10ffff || surrogate ? 0 : length;
}

bool rn_code_is_shown(uint32_t code)
{
    const bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    const bool separator = code == 0x2028 || code == 0x2029;
    const bool direction = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);

    return !control && !separator && !direction;
}

size_t rn_utf8_fit(const char *text, size_t bytes)
{
    size_t fits = bytes;

    while (fits > 0 && bytes - fits < 3 && ((unsigned char)text[fits] & 0xc0) == 0x80)
        fits--;
    return fits;
}
