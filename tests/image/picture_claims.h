/** Headers that claim a size which the rest of the file does not have. For cmocka programs. */
#ifndef TESTS_PICTURE_CLAIMS_H
#define TESTS_PICTURE_CLAIMS_H

#include "image/make_picture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <zlib.h>

#include <cmocka.h>

static inline void claim_big_endian(uint8_t *dst, uint32_t value, int width)
{
    for (int i = width - 1; i >= 0; i--, value >>= 8)
        dst[i] = (uint8_t)value;
}

static inline void claim_png_size(picture_file png, uint32_t width, uint32_t height)
{
    claim_big_endian(png.bytes + 16, width, 4);
    claim_big_endian(png.bytes + 20, height, 4);
    claim_big_endian(png.bytes + 29, (uint32_t)crc32(0, png.bytes + 12, 17), 4);
}

static inline size_t find_jpeg_marker(picture_file jpeg, int marker)
{
    for (size_t at = 2; at + 1 < jpeg.size; at++) {
        if (jpeg.bytes[at] == 0xff && jpeg.bytes[at + 1] == marker)
            return at;
    }
    fail_msg("no marker %x", marker);
    return 0;
}

static inline void claim_jpeg_size(picture_file jpeg, int start_of_frame, uint32_t width,
                                   uint32_t height)
{
    size_t at = find_jpeg_marker(jpeg, start_of_frame);

    claim_big_endian(jpeg.bytes + at + 5, height, 2);
    claim_big_endian(jpeg.bytes + at + 7, width, 2);
}

#endif
