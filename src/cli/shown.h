/**
 * Names that files brought along, as output shows them: in one line, with nothing in them that a
 * terminal would obey. JSON has escapes of its own, and names of data sets (rn_samples.name) have
 * none to make.
 */
#ifndef CLI_SHOWN_H
#define CLI_SHOWN_H

#include <stdio.h>

/** As rn_text_escape() makes it. */
typedef struct cli_shown_text {
    char text[1024];
} cli_shown_text;
cli_shown_text cli_shown(const char *name);

/** The length of the longest of `count` names as they are shown, or `least`. */
int cli_shown_width(char *const *names, int count, int least);

/** The same as a field of comma-separated values, in quotes. */
void cli_put_csv(FILE *stream, const char *name);

#endif
