/**
 * One line of a log as JSON, read where it lies: nothing is allocated, so that a long log costs
 * little more than its numbers.
 */
#ifndef REPORT_LOG_LINE_H
#define REPORT_LOG_LINE_H

#include "resnet/base.h"

/** Bytes of a line, not ended by a NUL. */
typedef struct log_span {
    const char *text;
    size_t length;
} log_span;

typedef enum log_kind { LOG_NUMBER, LOG_TEXT, LOG_OBJECT, LOG_OTHER } log_kind;

/** A member of an object. */
typedef struct log_member {
    log_span key; // between its quotes, escapes and all
    log_kind kind;
    log_span value; // of a text what is between its quotes
    double number;  // NaN unless it is a finite number
} log_member;

/** Where reading stands. */
typedef struct log_scan {
    const char *at, *end; // *end may be read, and is no part of a number: '\n' or '}'
    bool started, damaged;
} log_scan;

/** Begin with a line, or with the value of a LOG_OBJECT. */
log_scan log_scan_begin(log_span object);

/**
 * The next member. False after the last, and where it is no JSON object: `damaged` says which.
 * Texts with control characters, and values nested more than 32 deep, count as damage.
 */
bool log_scan_next(log_scan *scan, log_member *member);

bool log_span_is(log_span span, const char *text);

/**
 * A text with its escapes resolved, in UTF-8; a NUL or half of a surrogate pair becomes '?'. The
 * caller's (rn_free()).
 */
rn_status log_span_text(char **out, log_span span);

#endif
