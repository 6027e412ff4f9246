#include "augment/pixel_tables.h"

#include <string.h>

enum { BYTES = 256 };

static size_t pixel_count(const rn_pixels *pixels)
{
    return (size_t)pixels->height * (size_t)pixels->width;
}

void rn_pixels_look_up(rn_pixels *pixels, rn_byte_table tables[3])
{
    const size_t count = pixel_count(pixels), channels = (size_t)pixels->channels;

    for (size_t c = 0; c < channels; c++) {
        uint8_t *byte = pixels->bytes + c;
        for (size_t i = 0; i < count; i++, byte += channels)
            *byte = tables[c][*byte];
    }
}

void rn_pixels_look_up_all(rn_pixels *pixels, const rn_byte_table table)
{
    const size_t bytes = pixel_count(pixels) * (size_t)pixels->channels;

    for (size_t i = 0; i < bytes; i++)
        pixels->bytes[i] = table[pixels->bytes[i]];
}

void rn_pixels_posterize(rn_pixels *pixels, int bits)
{
    rn_byte_table table;

    for (int v = 0; v < BYTES; v++)
        table[v] = (uint8_t)(v & ~((1 << (8 - bits)) - 1));
    rn_pixels_look_up_all(pixels, table);
}

void rn_pixels_solarize(rn_pixels *pixels, double threshold)
{
    rn_byte_table table;

    for (int v = 0; v < BYTES; v++)
        table[v] = (uint8_t)((double)v < threshold ? v : 255 - v);
    rn_pixels_look_up_all(pixels, table);
}

static void count_bytes(size_t counts[BYTES], const rn_pixels *pixels, int channel)
{
    const size_t count = pixel_count(pixels), channels = (size_t)pixels->channels;
    const uint8_t *byte = pixels->bytes + channel;

    memset(counts, 0, BYTES * sizeof *counts);
    for (size_t i = 0; i < count; i++, byte += channels)
        counts[*byte]++;
}

static void leave(rn_byte_table table)
{
    for (int v = 0; v < BYTES; v++)
        table[v] = (uint8_t)v;
}

static void stretch(rn_byte_table table, const size_t counts[BYTES])
{
    int low = 0, high = BYTES - 1;

    while (low < BYTES - 1 && counts[low] == 0)
        low++;
    while (high > 0 && counts[high] == 0)
        high--;
    leave(table);
    if (high <= low)
        return;
    double scale = 255.0 / (high - low), offset = -low * scale;
    for (int v = 0; v < BYTES; v++) {
        double value = v * scale + offset;
        table[v] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
}

void rn_pixels_autocontrast(rn_pixels *pixels)
{
    rn_byte_table tables[3];
    size_t counts[BYTES];

    for (int c = 0; c < pixels->channels; c++) {
        count_bytes(counts, pixels, c);
        stretch(tables[c], counts);
    }
    rn_pixels_look_up(pixels, tables);
}

// Byte v becomes the number of pixels below it, in 255ths of all but those of the largest byte.
static void flatten(rn_byte_table table, const size_t counts[BYTES])
{
    size_t sum = 0, last = 0;

    for (int v = 0; v < BYTES; v++) {
        sum += counts[v];
        last = counts[v] > 0 ? counts[v] : last;
    }
    size_t step = (sum - last) / 255, below = step / 2;
    leave(table);
    for (int v = 0; v < BYTES && step > 0; v++) {
        table[v] = (uint8_t)(below / step > 255 ? 255 : below / step);
        below += counts[v];
    }
}

void rn_pixels_equalize(rn_pixels *pixels)
{
    rn_byte_table tables[3];
    size_t counts[BYTES];

    for (int c = 0; c < pixels->channels; c++) {
        count_bytes(counts, pixels, c);
        flatten(tables[c], counts);
    }
    rn_pixels_look_up(pixels, tables);
}
