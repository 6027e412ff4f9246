/** Rectangles and letters on a picture of three channels. What lies outside is left out. */
#ifndef REPORT_RASTER_H
#define REPORT_RASTER_H

#include "resnet/image.h"

/** Height: above the line; rows: and below it. */
enum {
    RN_FONT_GLYPHS = 95,
    RN_FONT_WIDTH = 5,
    RN_FONT_HEIGHT = 7,
    RN_FONT_ROWS = 9,
    RN_FONT_ADVANCE = 6
};

extern const uint8_t rn_raster_font[RN_FONT_GLYPHS][RN_FONT_ROWS];

/** Pixels [left, left + width) x [top, top + height). */
typedef struct rn_box {
    int left, top, width, height;
} rn_box;

typedef struct rn_pen {
    rn_image *image;
    uint32_t colour; // 0xRRGGBB
    int scale;       // size of a letter's pixels, from 1
    bool upwards;    // text runs from below to above
} rn_pen;

void rn_raster_fill(const rn_pen *pen, rn_box box);

/** Pixels that a text takes along its line: RN_FONT_ADVANCE * scale a character, as drawn. */
int rn_raster_length(const rn_pen *pen, const char *text);

/**
 * Draw text whose line starts at a point: its upper left corner, or where it runs upwards its
 * lower left. A character (UTF-8) beyond ASCII is drawn as a question mark.
 */
void rn_raster_text(const rn_pen *pen, int left, int top, const char *text);

#endif
