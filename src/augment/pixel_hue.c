#include "augment/pixels.h"

// Hue and saturation in 255ths, value as the largest channel: Pillow's HSV, whose rounding is part
// of what adjust_hue does.
typedef struct hsv {
    uint8_t hue, saturation, value;
} hsv;

static hsv to_hsv(const uint8_t rgb[3])
{
    const int r = rgb[0], g = rgb[1], b = rgb[2];
    const int most = r > g ? (r > b ? r : b) : (g > b ? g : b);
    const int least = r < g ? (r < b ? r : b) : (g < b ? g : b);
    float sixth; // of the circle

    if (most == least)
        return (hsv){0, 0, (uint8_t)most};
    float range = (float)(most - least);
    float red = (float)(most - r) / range, green = (float)(most - g) / range;
    float blue = (float)(most - b) / range;
    if (r == most)
        sixth = blue - green;
    else if (g == most)
        sixth = 2.0f + red - blue;
    else
        sixth = 4.0f + green - red;
    if (sixth < 0.0f)
        sixth += 6.0f;
    return (hsv){(uint8_t)((double)sixth / 6.0 * 255.0), (uint8_t)(range / (float)most * 255.0f),
                 (uint8_t)most};
}

static void to_rgb(uint8_t rgb[3], hsv from)
{
    static const uint8_t order[6][3] = {{3, 2, 0}, {1, 3, 0}, {0, 3, 2},
                                        {0, 1, 3}, {2, 0, 3}, {3, 0, 1}};
    const float sixths = (float)from.hue * 6.0f / 255.0f;
    const int sector = (int)sixths;
    const float along = sixths - (float)sector, saturation = (float)from.saturation / 255.0f;
    const float value = from.value;
    const uint8_t levels[4] = {
        (uint8_t)(value * (1.0f - saturation) + 0.5f),
        (uint8_t)(value * (1.0f - saturation * along) + 0.5f),
        (uint8_t)(value * (1.0f - saturation * (1.0f - along)) + 0.5f),
        from.value,
    };

    for (int c = 0; c < 3; c++)
        rgb[c] = levels[order[sector % 6][c]];
}

void rn_pixels_hue(rn_pixels *pixels, double turn)
{
    const size_t count = (size_t)pixels->height * (size_t)pixels->width;
    const int step = (int)(turn * 255.0); // towards 0
    uint8_t *pixel = pixels->bytes;

    if (pixels->channels != 3)
        return;
    for (size_t i = 0; i < count; i++, pixel += 3) {
        hsv colour = to_hsv(pixel);
        colour.hue = (uint8_t)(colour.hue + step);
        to_rgb(pixel, colour);
    }
}
