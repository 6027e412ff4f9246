/** Changes that are a table from byte to byte for each channel. */
#ifndef AUGMENT_PIXEL_TABLES_H
#define AUGMENT_PIXEL_TABLES_H

#include "augment/pixels.h"

typedef uint8_t rn_byte_table[256];

/** Replace every byte by its entry in the table of its channel. */
void rn_pixels_look_up(rn_pixels *pixels, rn_byte_table tables[3]);
/** The same table for all channels. */
void rn_pixels_look_up_all(rn_pixels *pixels, const rn_byte_table table);

#endif
