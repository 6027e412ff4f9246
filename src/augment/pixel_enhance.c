#include "augment/pixel_tables.h"

#include <string.h>

// From `base` (factor 0) to `value` (factor 1) and beyond; truncated, as in Pillow.
static uint8_t blend(int base, int value, float factor)
{
    float mixed = (float)base + factor * (float)(value - base);

    return (uint8_t)(mixed <= 0.0f ? 0.0f : mixed >= 255.0f ? 255.0f : mixed);
}

static void blend_all(rn_pixels *pixels, int base, float factor)
{
    rn_byte_table table;

    for (int v = 0; v < 256; v++)
        table[v] = blend(base, v, factor);
    rn_pixels_look_up_all(pixels, table);
}

void rn_pixels_brightness(rn_pixels *pixels, float factor)
{
    blend_all(pixels, 0, factor);
}

static int mean_luma(const rn_pixels *pixels)
{
    const size_t count = (size_t)pixels->height * (size_t)pixels->width;
    const uint8_t *pixel = pixels->bytes;
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++, pixel += pixels->channels)
        sum += pixels->channels == 3 ? rn_pixel_luma(pixel) : *pixel;
    return (int)((double)sum / (double)count + 0.5);
}

void rn_pixels_contrast(rn_pixels *pixels, float factor)
{
    blend_all(pixels, mean_luma(pixels), factor);
}

void rn_pixels_saturation(rn_pixels *pixels, float factor)
{
    const size_t count = (size_t)pixels->height * (size_t)pixels->width;
    uint8_t *pixel = pixels->bytes;

    if (pixels->channels != 3)
        return;
    for (size_t i = 0; i < count; i++, pixel += 3) {
        int gray = rn_pixel_luma(pixel);
        for (int c = 0; c < 3; c++)
            pixel[c] = blend(gray, pixel[c], factor);
    }
}

// One inner row, from the mean of 3 x 3 bytes of which the middle counts five times.
static void sharpen_row(uint8_t *dst, const uint8_t *src, const rn_pixels *pixels, float factor)
{
    const ptrdiff_t channels = pixels->channels, stride = channels * pixels->width;

    for (ptrdiff_t i = channels; i < stride - channels; i++) {
        int sum = 4 * src[i];
        for (ptrdiff_t row = -stride; row <= stride; row += stride)
            sum += src[i + row - channels] + src[i + row] + src[i + row + channels];
        dst[i] = blend((2 * sum + 13) / 26, src[i], factor); // sum / 13, rounded
    }
}

void rn_pixels_sharpness(rn_pixels *pixels, float factor)
{
    const size_t stride = (size_t)pixels->width * (size_t)pixels->channels;
    uint8_t *before = pixels->bytes;

    if (pixels->width < 3 || pixels->height < 3)
        return;
    memcpy(pixels->spare, before, stride * (size_t)pixels->height);
    for (size_t y = 1; y + 1 < (size_t)pixels->height; y++)
        sharpen_row(pixels->spare + y * stride, before + y * stride, pixels, factor);
    pixels->bytes = pixels->spare;
    pixels->spare = before;
}
