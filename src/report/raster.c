#include "report/raster.h"

static int clamped(int value, int most)
{
    return value < 0 ? 0 : value > most ? most : value;
}

void rn_raster_fill(const rn_pen *pen, rn_box box)
{
    const rn_image *image = pen->image;
    const int right = clamped(box.left + box.width, image->width);
    const int bottom = clamped(box.top + box.height, image->height);

    for (int y = clamped(box.top, image->height); y < bottom; y++) {
        for (int x = clamped(box.left, image->width); x < right; x++) {
            uint8_t *pixel = image->pixels + ((size_t)y * (size_t)image->width + (size_t)x) * 3;
            for (int c = 0; c < 3; c++)
                pixel[c] = (uint8_t)(pen->colour >> (16 - 8 * c));
        }
    }
}

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80; // a character's second byte or a later one
}

int rn_raster_length(const rn_pen *pen, const char *text)
{
    int characters = 0;

    for (; *text != '\0'; text++)
        characters += !continues(*text);
    return characters * RN_FONT_ADVANCE * pen->scale;
}

static void draw_glyph(const rn_pen *pen, int left, int top, char character)
{
    const bool known = character >= ' ' && character <= '~';
    const uint8_t *rows = rn_raster_font[(known ? character : '?') - ' '];
    const int scale = pen->scale;

    for (int y = 0; y < RN_FONT_ROWS; y++)
        for (int x = 0; x < RN_FONT_WIDTH; x++) {
            if ((rows[y] >> (RN_FONT_WIDTH - 1 - x) & 1) == 0)
                continue;
            rn_box box = {left + x * scale, top + y * scale, scale, scale};
            if (pen->upwards)
                box = (rn_box){left + y * scale, top - (x + 1) * scale, scale, scale};
            rn_raster_fill(pen, box);
        }
}

void rn_raster_text(const rn_pen *pen, int left, int top, const char *text)
{
    const int advance = RN_FONT_ADVANCE * pen->scale;

    for (; *text != '\0'; text++) {
        if (continues(*text))
            continue;
        draw_glyph(pen, left, top, *text);
        left += pen->upwards ? 0 : advance;
        top -= pen->upwards ? advance : 0;
    }
}
