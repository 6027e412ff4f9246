#include "base/base64.h"

#include "base/memory.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

rn_status rn_base64_encode(char **out, const uint8_t *bytes, size_t size)
{
    rn_status st = RN_OK;
    size_t length = (size / 3 + (size % 3 != 0)) * 4;
    char *text;

    RN_TRY(RN_NEW(out, length + 1));
    text = *out;
    for (size_t i = 0; i < size; i += 3) {
        uint32_t three = (uint32_t)bytes[i] << 16;
        three |= i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0;
        three |= i + 2 < size ? bytes[i + 2] : 0;
        for (int k = 0; k < 4; k++)
            *text++ = digits[three >> (18 - 6 * k) & 63];
    }
    for (size_t pad = (3 - size % 3) % 3; pad > 0; pad--)
        (*out)[length - pad] = '=';
out:
    return st;
}
