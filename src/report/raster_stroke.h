/** Smooth lines on a picture of three channels. What lies outside is left out. */
#ifndef REPORT_RASTER_STROKE_H
#define REPORT_RASTER_STROKE_H

#include "resnet/image.h"

/**
 * A stroke in the making: lines that cross or touch are one shape, so that no place is painted
 * twice.
 */
typedef struct rn_stroke {
    rn_image *image;              // borrowed
    uint8_t *cover;               // [height][width]: share of each pixel, of 255
    int left, top, right, bottom; // where it may be above 0
} rn_stroke;

/** Start for a picture, with nothing drawn. RN_OK; RN_ENOMEM. */
rn_status rn_stroke_init(rn_stroke *stroke, rn_image *image);
void rn_stroke_release(rn_stroke *stroke);

/** A line with round ends, in pixels; (0, 0) is the upper left pixel's corner. */
void rn_stroke_line(rn_stroke *stroke, const double from[2], const double to[2], double width);

/** A column of pixels from top to bottom, in pixels; it hides `share`, 0 .. 1, of what is below. */
void rn_stroke_column(rn_stroke *stroke, int column, double top, double bottom, double share);

/** Paint what was drawn in a colour (0xRRGGBB), and start anew. */
void rn_stroke_paint(rn_stroke *stroke, uint32_t colour);

#endif
