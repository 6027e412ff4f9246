#include "image/image.h"

#include <string.h>

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, ENTRY_BYTES = 12 };

// A TIFF block: its byte order is given in its first two bytes.
typedef struct tiff {
    const uint8_t *bytes;
    size_t size;
    bool big_endian;
} tiff;

static uint32_t read_number(const tiff *block, size_t at, size_t width)
{
    uint32_t value = 0;

    for (size_t i = 0; i < width; i++)
        value = value << 8 | block->bytes[at + (block->big_endian ? i : width - 1 - i)];
    return value;
}

int rn_exif_orientation(const uint8_t *bytes, size_t size)
{
    tiff block = {bytes, size, false};

    if (size < 8 || (memcmp(bytes, "II*\0", 4) != 0 && memcmp(bytes, "MM\0*", 4) != 0))
        return 1;
    block.big_endian = bytes[0] == 'M';
    size_t at = read_number(&block, 4, 4);
    if (at > size - 2)
        return 1;
    size_t entries = read_number(&block, at, 2);
    at += 2;
    for (size_t i = 0; i < entries && size - at >= ENTRY_BYTES; i++, at += ENTRY_BYTES) {
        if (read_number(&block, at, 2) != TAG_ORIENTATION)
            continue;
        uint32_t value = read_number(&block, at + 8, 2);
        bool valid = read_number(&block, at + 2, 2) == TYPE_SHORT && value >= 1 && value <= 8;
        return valid ? (int)value : 1;
    }
    return 1;
}

// Where the pixel at (y, x) of the upright picture lies in the stored one (EXIF 2.32, table 6).
static size_t stored_at(const rn_image *stored, int orientation, int y, int x)
{
    bool transposed = orientation >= 5;
    bool from_bottom = orientation == 3 || orientation == 4 || orientation >= 6;
    bool from_right = orientation == 2 || orientation == 3 || orientation >= 7;
    int row = transposed ? x : y, column = transposed ? y : x;

    if (orientation == 8)
        from_bottom = false;
    row = from_bottom ? stored->height - 1 - row : row;
    column = from_right ? stored->width - 1 - column : column;
    return (size_t)row * (size_t)stored->width + (size_t)column;
}

rn_status rn_image_orient(rn_image **image, int orientation)
{
    rn_status st = RN_OK;
    const rn_image *stored = *image;
    rn_image *upright = NULL;
    bool transposed = orientation >= 5;
    size_t channels = (size_t)stored->channels;

    if (orientation <= 1)
        return RN_OK;
    const int width = transposed ? stored->height : stored->width;
    const int height = transposed ? stored->width : stored->height;
    if (stored->pixels == NULL) {
        **image = (rn_image){stored->channels, height, width, NULL};
        return RN_OK;
    }
    RN_TRY(rn_image_create(&upright, stored->channels, width, height));
    uint8_t *dst = upright->pixels;
    for (int y = 0; y < upright->height; y++) {
        for (int x = 0; x < upright->width; x++, dst += channels)
            memcpy(dst, stored->pixels + stored_at(stored, orientation, y, x) * channels, channels);
    }
    rn_image_free(*image);
    *image = upright;
out:
    return st;
}
