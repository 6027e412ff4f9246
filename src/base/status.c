#include "base/number.h"
#include "base/text.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char message[RN_MESSAGE_BYTES];

const char *rn_status_text(rn_status status)
{
    switch (status) {
#define STATUS_CASE(name, value, text)                                                             \
    case name:                                                                                     \
        return text;
        RN_STATUS_TABLE(STATUS_CASE)
#undef STATUS_CASE
    }
    return "unknown status";
}

const char *rn_error_message(void)
{
    return message;
}

enum { LONGEST = 8192, DOTS = 3 }; // bytes of a message before it is cut: a path may have 4,096

// File names and strings from files reach messages: a newline or escape in one must not fake a
// line. What is left is UTF-8, and no longer than before.
static void replace_control_characters(char *text)
{
    char *out = text;
    uint32_t code;

    while (*text != '\0') {
        const size_t length = rn_utf8_decode(&code, text);
        const size_t kept = length > 0 && rn_code_is_shown(code) ? length : 0;
        if (kept > 0)
            memmove(out, text, kept);
        else
            *out = '?';
        out += kept > 0 ? kept : 1;
        text += length > 0 ? length : 1;
    }
    *out = '\0';
}

// The first and the last `bytes` that fit, with dots between: a path is cut, not the reason behind.
static void cut_middle(char *text, size_t bytes)
{
    const size_t length = strlen(text);

    if (length <= bytes)
        return;
    const size_t head = rn_utf8_fit(text, (bytes - DOTS) / 2);
    size_t tail = length - (bytes - DOTS - head);
    while (((unsigned char)text[tail] & 0xc0) == 0x80)
        tail++;
    memcpy(text + head, "...", DOTS);
    memmove(text + head + DOTS, text + tail, length - tail + 1);
}

static void format_line(char text[LONGEST], const char *fmt, va_list args)
{
    rn_vprint(text, LONGEST, fmt, args);
    replace_control_characters(text);
}

// Here and below in parentheses: base.h has macros of these names for static analyzers.
rn_status(rn_error)(rn_status code, const char *fmt, ...)
{
    char text[LONGEST]; // arguments may point into the current message
    va_list args;

    va_start(args, fmt);
    format_line(text, fmt, args);
    va_end(args);
    cut_middle(text, RN_MESSAGE_BYTES - 1);
    memcpy(message, text, strlen(text) + 1);
    return code;
}

rn_status(rn_error_prefix)(rn_status code, const char *fmt, ...)
{
    char text[LONGEST];
    const size_t room = RN_MESSAGE_BYTES - 1 - strlen(message);
    va_list args;

    va_start(args, fmt);
    format_line(text, fmt, args);
    va_end(args);
    if (room < 2 + 2 * DOTS) // the message alone fills the line
        return code;
    cut_middle(text, room - 2);
    const size_t length = strlen(text);
    memmove(message + length + 2, message, strlen(message) + 1);
    memcpy(message, text, length);
    memcpy(message + length, ": ", 2);
    return code;
}
