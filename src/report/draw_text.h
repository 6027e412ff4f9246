/** A text in the making, in memory. */
#ifndef REPORT_DRAW_TEXT_H
#define REPORT_DRAW_TEXT_H

#include "resnet/base.h"

/** Start from zeroes. The first failure sticks in `status` and makes what comes after a no-op. */
typedef struct draw_text {
    char *text; // with a final NUL once something is written (rn_free())
    size_t length, capacity;
    rn_status status;
} draw_text;

void draw_text_print(draw_text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Characters of XML: what is markup becomes an entity, what is no UTF-8 or cannot be held a '?'.
 */
void draw_text_xml(draw_text *text, const char *content);

/** Characters within a quoted string of DOT. */
void draw_text_dot(draw_text *text, const char *content);

/** A JSON string with its quotes; '<' is escaped too, so that no markup can come of it. */
void draw_text_json(draw_text *text, const char *content);

/** A JSON number of `digits` significant digits; null if it is not finite. */
void draw_text_number(draw_text *text, double value, int digits);

#endif
