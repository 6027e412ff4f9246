/** Text for people: widths, colours, wrapped paragraphs, numbers. */
#ifndef CLI_TERM_H
#define CLI_TERM_H

#include "resnet/base.h"

#include <stdio.h>

/** Columns of the terminal behind the stream; 80 if it is none. */
int cli_width(FILE *stream);

/** True where one line may be redrawn: a terminal that is not dumb. */
bool cli_is_live(FILE *stream);

/** True if the user's character set is UTF-8. */
bool cli_is_utf8(void);

#define CLI_BOLD "1"
#define CLI_DIM "2"
#define CLI_GREEN "32"
#define CLI_RED "31"
#define CLI_NORMAL "0"

/** The escape sequence of a style, or "" where colour is unwanted (no terminal, NO_COLOR). */
const char *cli_style(FILE *stream, const char *style);

/** Print text broken at blanks to lines of `width`, starting in `column`, others at `indent`. */
void cli_wrap(FILE *stream, const char *text, int column, int indent, int width);

/** Room for one formatted number, so that several may stand in one printf(). */
typedef struct cli_number {
    char text[32];
} cli_number;

/** "269,722" */
cli_number cli_count(int64_t value);
/** "12.3 MiB" */
cli_number cli_bytes(double bytes);
/** 100 * part / whole; 0 of nothing. */
double cli_percent(int64_t part, int64_t whole);
/** "1:02:03", "1:23", "0:07" */
cli_number cli_duration(double seconds);
/** "1.23 ms", "850 us", "2.10 s" */
cli_number cli_time(double seconds);
/** "41.2 M", "1.23 G" (powers of 1000) */
cli_number cli_scaled(double value);

/** Print an argument so that a shell reads it back as one word. */
void cli_print_quoted(FILE *stream, const char *word);

#endif
