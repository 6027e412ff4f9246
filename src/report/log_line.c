#include "report/log_line.h"

#include "base/memory.h"
#include "base/number.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 32 };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(log_scan *scan)
{
    while (scan->at < scan->end && is_blank(*scan->at))
        scan->at++;
}

// Take one character if it is there, blanks before it aside.
static bool take(log_scan *scan, char c)
{
    skip_blanks(scan);
    if (scan->at == scan->end || *scan->at != c)
        return false;
    scan->at++;
    return true;
}

static bool take_escape(log_scan *scan)
{
    scan->at++;
    if (scan->at == scan->end || memchr("\"\\/bfnrtu", *scan->at, 9) == NULL)
        return false;
    if (*scan->at++ != 'u')
        return true;
    for (int i = 0; i < 4; i++, scan->at++)
        if (scan->at == scan->end || !isxdigit((unsigned char)*scan->at))
            return false;
    return true;
}

static bool take_text(log_scan *scan, log_span *text)
{
    if (!take(scan, '"'))
        return false;
    text->text = scan->at;
    while (scan->at < scan->end && *scan->at != '"') {
        if ((unsigned char)*scan->at < ' ')
            return false;
        if (*scan->at != '\\')
            scan->at++;
        else if (!take_escape(scan))
            return false;
    }
    text->length = (size_t)(scan->at - text->text);
    return take(scan, '"');
}

static bool take_digits(log_scan *scan)
{
    const char *first = scan->at;

    while (scan->at < scan->end && isdigit((unsigned char)*scan->at))
        scan->at++;
    return scan->at > first;
}

// JSON's grammar, which is narrower than strtod()'s.
static bool take_number(log_scan *scan)
{
    scan->at += *scan->at == '-';
    bool zero = scan->at < scan->end && *scan->at == '0';

    scan->at += zero;
    if (!zero && !take_digits(scan))
        return false;
    if (scan->at < scan->end && *scan->at == '.') {
        scan->at++;
        if (!take_digits(scan))
            return false;
    }
    if (scan->at < scan->end && (*scan->at == 'e' || *scan->at == 'E')) {
        scan->at++;
        if (scan->at < scan->end)
            scan->at += *scan->at == '+' || *scan->at == '-';
        return take_digits(scan);
    }
    return true;
}

static bool take_word(log_scan *scan)
{
    static const char *const words[] = {"null", "true", "false"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(scan->end - scan->at) >= length && memcmp(scan->at, words[i], length) == 0) {
            scan->at += length;
            return true;
        }
    }
    return false;
}

static bool take_value(log_scan *scan, log_member *member, int depth);

static bool take_member(log_scan *scan, log_member *member, int depth)
{
    return take_text(scan, &member->key) && take(scan, ':') && take_value(scan, member, depth);
}

static bool take_nested(log_scan *scan, char close, int depth)
{
    log_member inner;

    if (depth >= DEEPEST)
        return false;
    scan->at++;
    if (take(scan, close))
        return true;
    do {
        if (close == '}' ? !take_member(scan, &inner, depth + 1)
                         : !take_value(scan, &inner, depth + 1))
            return false;
    } while (take(scan, ','));
    return take(scan, close);
}

static bool take_scalar_or_nested(log_scan *scan, log_member *member, int depth)
{
    switch (*scan->at) {
    case '"':
        member->kind = LOG_TEXT;
        return take_text(scan, &member->value);
    case '{':
        member->kind = LOG_OBJECT;
        return take_nested(scan, '}', depth);
    case '[':
        return take_nested(scan, ']', depth);
    case 'n':
    case 't':
    case 'f':
        return take_word(scan);
    default:
        member->kind = LOG_NUMBER;
        return take_number(scan);
    }
}

static bool take_value(log_scan *scan, log_member *member, int depth)
{
    skip_blanks(scan);
    const char *first = scan->at;

    if (first == scan->end)
        return false;
    member->kind = LOG_OTHER;
    if (!take_scalar_or_nested(scan, member, depth))
        return false;
    if (member->kind != LOG_TEXT)
        member->value = (log_span){first, (size_t)(scan->at - first)};
    return true;
}

log_scan log_scan_begin(log_span object)
{
    const char *text = object.length > 0 ? object.text : "";

    return (log_scan){.at = text, .end = text + object.length};
}

// Behind the closing brace there is nothing but blanks.
static bool take_end(log_scan *scan)
{
    bool closed = take(scan, '}');

    skip_blanks(scan);
    return closed && scan->at == scan->end;
}

// A comma, or the opening brace unless the closing one follows: a member comes.
static bool member_follows(log_scan *scan)
{
    bool first = !scan->started;

    scan->started = true;
    if (first && !take(scan, '{')) {
        scan->damaged = true;
        return false;
    }
    skip_blanks(scan);
    if (first ? scan->at < scan->end && *scan->at != '}' : take(scan, ','))
        return true;
    scan->damaged = !take_end(scan);
    return false;
}

bool log_scan_next(log_scan *scan, log_member *member)
{
    if (!member_follows(scan))
        return false;
    member->number = NAN;
    scan->damaged = !take_member(scan, member, 1);
    if (!scan->damaged && member->kind == LOG_NUMBER)
        member->number = rn_strtod(member->value.text, NULL);
    if (isinf(member->number))
        member->number = NAN;
    return !scan->damaged;
}

bool log_span_is(log_span span, const char *text)
{
    return strlen(text) == span.length && memcmp(span.text, text, span.length) == 0;
}

// The four digits behind "\u".
static uint32_t code_unit(const char *digits)
{
    uint32_t value = 0;

    for (int i = 0; i < 4; i++) {
        char c = digits[i];
        value = value << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

static char *put_utf8(char *out, uint32_t code)
{
    static const uint32_t first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    int bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    if (bytes > 1)
        *out++ = (char)(first[bytes] | code >> 6 * (bytes - 1));
    else
        *out++ = (char)code;
    for (int i = bytes - 2; i >= 0; i--)
        *out++ = (char)(0x80 | (code >> 6 * i & 0x3f));
    return out;
}

// From behind "\u"; a pair of surrogates is one character.
static const char *put_unicode(char **out, const char *at, const char *end)
{
    uint32_t code = code_unit(at), low = 0;

    at += 4;
    if (code >> 10 == 0xd800 >> 10 && end - at >= 6 && at[0] == '\\' && at[1] == 'u')
        low = code_unit(at + 2);
    if (low >> 10 == 0xdc00 >> 10) {
        code = 0x10000 + ((code & 0x3ff) << 10 | (low & 0x3ff));
        at += 6;
    }
    *out = put_utf8(*out, code == 0 || code >> 11 == 0xd800 >> 11 ? '?' : code);
    return at;
}

rn_status log_span_text(char **out, log_span span)
{
    static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
    const char *at = span.length > 0 ? span.text : "", *end = at + span.length;
    rn_status st = rn_alloc((void **)out, span.length + 1, 1); // escapes are longer than UTF-8
    char *to = *out;

    while (st == RN_OK && at < end) {
        if (*at != '\\') {
            *to++ = *at++;
            continue;
        }
        const char *letter = memchr(letters, at[1], sizeof letters - 1);
        at += 2;
        if (at[-1] == 'u')
            at = put_unicode(&to, at, end);
        else
            *to++ = letter != NULL ? meant[letter - letters] : at[-1];
    }
    return st;
}
