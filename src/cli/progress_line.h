/**
 * What a person sees of a running training: on a terminal one line that is redrawn, elsewhere a
 * plain line for each measured point; evaluations stay in both.
 */
#ifndef CLI_PROGRESS_LINE_H
#define CLI_PROGRESS_LINE_H

#include "resnet/resnet.h"

#include <stdio.h>

typedef struct cli_progress {
    FILE *stream;
    bool quiet; // print nothing
    bool live;  // redraw one line
    bool drawn; // the live line is on the screen
    rn_event step;
    bool stepped; // `step` holds a STEP event
} cli_progress;

void cli_progress_init(cli_progress *progress, FILE *stream, bool quiet);
void cli_progress_event(cli_progress *progress, const rn_event *event);
/** Remove the live line, so that something else can be printed. */
void cli_progress_clear(cli_progress *progress);

/** A part of a line: those of the highest rank go first where there is no room. */
typedef struct cli_field {
    char text[96];
    int rank; // 0: always shown
} cli_field;

/** Join fields by two blanks, or one, into a line of at most `room` columns. */
void cli_join_fields(char *line, size_t size, const cli_field *fields, int count, int room);

/** "#####-----", or its like in UTF-8, of `width` columns. */
void cli_draw_bar(char *bar, size_t size, double share, int width);

/** Draw a live line anew: a bar of this share, where there is room (below 0: none), and the fields.
 */
void cli_redraw(FILE *stream, double share, const cli_field *fields, int count);

#endif
