#include "augment/pixels.h"

#include <math.h>
#include <string.h>

enum { FRACTION_BITS = 16 };

static int64_t fixed(double value)
{
    return (int64_t)floor(value * (1 << FRACTION_BITS) + 0.5);
}

// In fixed point from the first pixel's centre on, as Pillow walks, so that ties fall the same way.
void rn_pixels_affine(rn_pixels *pixels, const double m[6])
{
    const size_t channels = (size_t)pixels->channels;
    const int64_t width = pixels->width, height = pixels->height;
    int64_t row_x = fixed(m[2] + m[0] * 0.5 + m[1] * 0.5);
    int64_t row_y = fixed(m[5] + m[3] * 0.5 + m[4] * 0.5);
    const uint8_t *src = pixels->bytes;
    uint8_t *dst = pixels->spare;

    memset(dst, 0, channels * (size_t)(width * height));
    for (int64_t y = 0; y < height; y++, row_x += fixed(m[1]), row_y += fixed(m[4])) {
        int64_t at_x = row_x, at_y = row_y;
        for (int64_t x = 0; x < width; x++, dst += channels) {
            int64_t from_x = at_x >> FRACTION_BITS, from_y = at_y >> FRACTION_BITS;
            if (from_x >= 0 && from_x < width && from_y >= 0 && from_y < height)
                memcpy(dst, src + (size_t)(from_y * width + from_x) * channels, channels);
            at_x += fixed(m[0]);
            at_y += fixed(m[3]);
        }
    }
    dst = pixels->spare;
    pixels->spare = pixels->bytes;
    pixels->bytes = dst;
}

void rn_pixels_rotate(rn_pixels *pixels, double degrees)
{
    const double angle = -degrees * (3.14159265358979323846 / 180.0);
    const double c = cos(angle), s = sin(angle);
    const double x = pixels->width / 2.0, y = pixels->height / 2.0;
    const double m[6] = {c, s, x - c * x - s * y, -s, c, y + s * x - c * y};

    rn_pixels_affine(pixels, m);
}
