#include "report/draw_text.h"

#include "base/memory.h"
#include "base/number.h"
#include "base/utf8.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static char *room(draw_text *text, size_t bytes)
{
    size_t needed = text->length + bytes + 1;

    if (text->status == RN_OK && needed > text->capacity) {
        size_t wanted = needed < 4096 ? 4096 : 2 * needed;
        text->status = rn_grow((void **)&text->text, &text->capacity, wanted, 1);
    }
    return text->status == RN_OK ? text->text + text->length : NULL;
}

static void append(draw_text *text, const char *content, size_t bytes)
{
    char *end = room(text, bytes);

    if (end == NULL)
        return;
    memcpy(end, content, bytes);
    end[bytes] = '\0';
    text->length += bytes;
}

void draw_text_print(draw_text *text, const char *fmt, ...)
{
    va_list args, again;

    va_start(args, fmt);
    va_copy(again, args);
    int length = rn_vprint(NULL, 0, fmt, args);
    char *end = length < 0 ? NULL : room(text, (size_t)length);
    if (end != NULL) {
        rn_vprint(end, (size_t)length + 1, fmt, again);
        text->length += (size_t)length;
    }
    va_end(again);
    va_end(args);
}

// DOT's names are ASCII; anything else cannot harm the picture.
static bool is_plain(char c)
{
    return c >= ' ' && c <= '~';
}

// Bytes of a well-formed character of UTF-8 beyond ASCII, which XML can hold; 0: it is none.
static size_t utf8_length(const char *at)
{
    uint32_t code;
    const size_t length = rn_utf8_decode(&code, at);
    const bool control = code < 0xa0, none = (code & 0xfffe) == 0xfffe;

    return length == 1 || control || none ? 0 : length;
}

static const char *xml_entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void draw_text_xml(draw_text *text, const char *content)
{
    while (*content != '\0') {
        const char *entity = xml_entity(*content);
        const size_t wide = utf8_length(content);
        if (entity != NULL)
            append(text, entity, strlen(entity));
        else if (wide > 0)
            append(text, content, wide);
        else
            append(text, is_plain(*content) ? content : "?", 1);
        content += wide > 0 ? wide : 1;
    }
}

void draw_text_dot(draw_text *text, const char *content)
{
    for (; *content != '\0'; content++) {
        if (*content == '"' || *content == '\\')
            append(text, "\\", 1);
        append(text, is_plain(*content) ? content : "?", 1);
    }
}

void draw_text_json(draw_text *text, const char *content)
{
    append(text, "\"", 1);
    while (*content != '\0') {
        const size_t wide = utf8_length(content);
        if (*content == '"' || *content == '\\')
            append(text, "\\", 1);
        if (wide > 0 || (is_plain(*content) && *content != '<'))
            append(text, content, wide > 0 ? wide : 1);
        else if ((unsigned char)*content < 0x80)
            draw_text_print(text, "\\u%04x", (unsigned char)*content);
        else
            append(text, "\\ufffd", 6); // no character
        content += wide > 0 ? wide : 1;
    }
    append(text, "\"", 1);
}

void draw_text_number(draw_text *text, double value, int digits)
{
    char number[32] = "null"; // formatted once: there may be many

    if (isfinite(value))
        rn_print(number, sizeof number, "%.*g", digits < 17 ? digits : 17, value);
    append(text, number, strlen(number));
}
