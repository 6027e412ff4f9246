/** Picture files made in memory for the tests of the decoders. */
#ifndef TESTS_MAKE_PICTURE_H
#define TESTS_MAKE_PICTURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

typedef struct picture_file {
    uint8_t *bytes; // malloc()
    size_t size;
} picture_file;

/** What the made pictures hold: sample c of the pixel at (x, y), of `bits` bits. */
static inline uint32_t picture_sample(int x, int y, int c, int bits)
{
    uint32_t value = (uint32_t)(x * 7919 + y * 104729 + c * 31 + x * y * 17);

    return (value * 2654435761u >> 7) & ((1u << bits) - 1);
}

typedef struct png_plan {
    int width, height, bits, color_type, channels; // channels as stored
    int interlaced, gray_key; // gray_key: the sample value that is transparent; -1: none
    const uint8_t *exif;
    uint32_t exif_size;
} png_plan;

static inline void picture_write_png(png_structp png, png_bytep data, size_t size)
{
    picture_file *file = png_get_io_ptr(png);

    file->bytes = realloc(file->bytes, file->size + size);
    memcpy(file->bytes + file->size, data, size);
    file->size += size;
}

static inline void picture_flush_png(png_structp png)
{
    (void)png;
}

/** Colour i of the palette that make_png() writes, and its alpha. */
static inline void picture_palette(int i, png_color *color, png_byte *alpha)
{
    *color = (png_color){(png_byte)(i * 15), (png_byte)(255 - i * 9), (png_byte)(i * i)};
    *alpha = (png_byte)(i % 3 == 0 ? 255 : i * 16);
}

static inline void picture_pack_row(uint8_t *row, const png_plan *plan, int y)
{
    int per_row = plan->width * plan->channels;

    memset(row, 0, (size_t)per_row * 2);
    for (int i = 0; i < per_row; i++) {
        uint32_t v = picture_sample(i / plan->channels, y, i % plan->channels, plan->bits);
        if (plan->bits == 16) {
            row[2 * i] = (uint8_t)(v >> 8);
            row[2 * i + 1] = (uint8_t)v;
        } else {
            int shift = 8 - plan->bits - i * plan->bits % 8;
            row[i * plan->bits / 8] |= (uint8_t)(v << shift);
        }
    }
}

static inline void picture_png_header(png_structp png, png_infop info, const png_plan *plan)
{
    png_color colors[16];
    png_byte alphas[16];

    png_set_IHDR(png, info, (uint32_t)plan->width, (uint32_t)plan->height, plan->bits,
                 plan->color_type, plan->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    for (int i = 0; i < 16; i++)
        picture_palette(i, &colors[i], &alphas[i]);
    if (plan->color_type == PNG_COLOR_TYPE_PALETTE) {
        png_set_PLTE(png, info, colors, 1 << plan->bits);
        png_set_tRNS(png, info, alphas, 1 << plan->bits, NULL);
    } else if (plan->gray_key >= 0) {
        png_set_tRNS(png, info, NULL, 0, &(png_color_16){.gray = (png_uint_16)plan->gray_key});
    }
    if (plan->exif != NULL) {
        png_byte copy[64];
        memcpy(copy, plan->exif, plan->exif_size);
        png_set_eXIf_1(png, info, plan->exif_size, copy);
    }
    png_write_info(png, info);
}

static inline picture_file make_png(const png_plan *plan)
{
    picture_file file = {NULL, 0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    uint8_t *row = malloc((size_t)(plan->width * plan->channels) * 2 + 8);

    png_set_write_fn(png, &file, picture_write_png, picture_flush_png);
    picture_png_header(png, info, plan);
    int passes = png_set_interlace_handling(png);
    for (int pass = 0; pass < passes; pass++) {
        for (int y = 0; y < plan->height; y++) {
            picture_pack_row(row, plan, y);
            png_write_row(png, row);
        }
    }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    free(row);
    return file;
}

typedef struct jpeg_plan {
    int width, height, components;
    J_COLOR_SPACE from, stored;
    int quality, progressive, arithmetic;
    const uint8_t *exif; // with its "Exif" header
    uint32_t exif_size;
} jpeg_plan;

/** Smooth, so that lossy compression keeps it near. */
static inline uint8_t picture_smooth(const jpeg_plan *plan, int x, int y, int c)
{
    int along = x * 200 / plan->width, up = y * 200 / plan->height;

    return (uint8_t)(c == 0 ? 20 + along : c == 1 ? 20 + up : c == 2 ? 120 : 250 - up / 2);
}

static inline void picture_jpeg_header(j_compress_ptr jpeg, const jpeg_plan *plan)
{
    jpeg->image_width = (JDIMENSION)plan->width;
    jpeg->image_height = (JDIMENSION)plan->height;
    jpeg->input_components = plan->components;
    jpeg->in_color_space = plan->from;
    jpeg_set_defaults(jpeg);
    jpeg_set_colorspace(jpeg, plan->stored);
    jpeg_set_quality(jpeg, plan->quality, TRUE);
    jpeg->arith_code = plan->arithmetic != 0;
    if (plan->progressive)
        jpeg_simple_progression(jpeg);
    jpeg_start_compress(jpeg, TRUE);
    if (plan->exif != NULL)
        jpeg_write_marker(jpeg, JPEG_APP0 + 1, plan->exif, plan->exif_size);
}

static inline picture_file make_jpeg(const jpeg_plan *plan)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    uint8_t *row = malloc((size_t)(plan->width * plan->components));

    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &size);
    picture_jpeg_header(&jpeg, plan);
    for (int y = 0; y < plan->height; y++) {
        for (int i = 0; i < plan->width * plan->components; i++)
            row[i] = picture_smooth(plan, i / plan->components, y, i % plan->components);
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    free(row);
    return (picture_file){bytes, size};
}

/** A minimal EXIF block that holds nothing but the orientation; bytes[26], without "Exif". */
static inline void make_exif(uint8_t *bytes, int orientation, int big_endian)
{
    static const uint8_t little[26] = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3,
                                       0,   1,   0,  0, 0, 0, 0, 0, 0, 0, 0,    0, 0};
    static const uint8_t big[26] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0,
                                    3,   0,   0, 0,  1, 0, 0, 0, 0, 0, 0, 0,    0};

    memcpy(bytes, big_endian ? big : little, 26);
    bytes[big_endian ? 19 : 18] = (uint8_t)orientation;
}

#endif
