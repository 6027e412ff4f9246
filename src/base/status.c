#include "base/number.h"
#include "base/text.h"

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

// File names and strings from files reach messages: a newline or escape in one must not fake a
// line.
static void replace_control_characters(char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f)
            *text = '?';
    }
}

// Here and below in parentheses: base.h has macros of these names for static analyzers.
rn_status(rn_error)(rn_status code, const char *fmt, ...)
{
    char text[RN_MESSAGE_BYTES]; // arguments may point into the current message
    va_list args;

    va_start(args, fmt);
    rn_vprint(text, sizeof text, fmt, args);
    va_end(args);
    replace_control_characters(text);
    memcpy(message, text, sizeof text);
    return code;
}

rn_status(rn_error_prefix)(rn_status code, const char *fmt, ...)
{
    char prefix[RN_MESSAGE_BYTES];
    va_list args;

    va_start(args, fmt);
    rn_vprint(prefix, sizeof prefix, fmt, args);
    va_end(args);
    return rn_error(code, "%s: %s", prefix, message);
}
