/** WebP files made in memory for the tests of the decoder. */
#ifndef TESTS_MAKE_WEBP_H
#define TESTS_MAKE_WEBP_H

#include "image/make_picture.h"

#include <stdbool.h>
#include <webp/encode.h>

typedef struct webp_plan {
    int width, height;
    bool lossless, alpha;
    const uint8_t *exif; // NULL: no extended header
    size_t exif_size;
} webp_plan;

/** Sample c of the pixel at (x, y): noise where it is kept exactly, else smooth; 3: alpha. */
static inline uint8_t webp_sample(const webp_plan *plan, int x, int y, int c)
{
    const jpeg_plan smooth = {.width = plan->width, .height = plan->height};

    if (c == 3)
        return (uint8_t)((x * 255) / plan->width);
    return plan->lossless ? (uint8_t)picture_sample(x, y, c, 8) : picture_smooth(&smooth, x, y, c);
}

static inline void webp_put(uint8_t *dst, size_t value, int width)
{
    for (int i = 0; i < width; i++, value >>= 8)
        dst[i] = (uint8_t)value;
}

/** Append a chunk, and count it in the file's header. */
static inline void webp_append(picture_file *file, const char *name, const uint8_t *data,
                               size_t size)
{
    const size_t padded = size + size % 2;

    file->bytes = realloc(file->bytes, file->size + 8 + padded);
    memcpy(file->bytes + file->size, name, 4);
    webp_put(file->bytes + file->size + 4, size, 4);
    file->bytes[file->size + 8 + padded - 1] = 0;
    memcpy(file->bytes + file->size + 8, data, size);
    file->size += 8 + padded;
    webp_put(file->bytes + 4, file->size - 8, 4);
}

enum { WEBP_ANIMATION = 0x02, WEBP_EXIF = 0x08, WEBP_ALPHA = 0x10 };

/** A file with nothing but its extended header. */
static inline picture_file webp_container(int width, int height, int flags)
{
    picture_file file = {malloc(12), 12};
    uint8_t header[10] = {(uint8_t)flags};

    memcpy(file.bytes, "RIFF\0\0\0\0WEBP", 12);
    webp_put(header + 4, (size_t)width - 1, 3);
    webp_put(header + 7, (size_t)height - 1, 3);
    webp_append(&file, "VP8X", header, sizeof header);
    return file;
}

static inline picture_file webp_encode(const webp_plan *plan)
{
    const size_t channels = plan->alpha ? 4 : 3, row = (size_t)plan->width * channels;
    uint8_t *pixels = malloc(row * (size_t)plan->height), *bytes = NULL, *copy;
    size_t size;

    for (size_t i = 0; i < row * (size_t)plan->height; i++)
        pixels[i] =
            webp_sample(plan, (int)(i % row / channels), (int)(i / row), (int)(i % channels));
    if (plan->lossless)
        size = (plan->alpha ? WebPEncodeLosslessRGBA : WebPEncodeLosslessRGB)(
            pixels, plan->width, plan->height, (int)row, &bytes);
    else
        size = (plan->alpha ? WebPEncodeRGBA : WebPEncodeRGB)(pixels, plan->width, plan->height,
                                                              (int)row, 95, &bytes);
    copy = malloc(size);
    memcpy(copy, bytes, size);
    WebPFree(bytes);
    free(pixels);
    return (picture_file){copy, size};
}

/** With `exif`, opaque pictures only: their one chunk goes into an extended file. */
static inline picture_file make_webp(const webp_plan *plan)
{
    picture_file bare = webp_encode(plan);

    if (plan->exif == NULL)
        return bare;
    picture_file file = webp_container(plan->width, plan->height, WEBP_EXIF);
    webp_append(&file, (const char *)bare.bytes + 12, bare.bytes + 20, bare.size - 20);
    webp_append(&file, "EXIF", plan->exif, plan->exif_size);
    free(bare.bytes);
    return file;
}

/** An animation of one frame, all of the canvas. */
static inline picture_file make_webp_animation(const webp_plan *plan)
{
    picture_file bare = webp_encode(plan);
    picture_file file = webp_container(plan->width, plan->height, WEBP_ANIMATION);
    uint8_t *frame = calloc(1, bare.size + 4);

    webp_append(&file, "ANIM", (const uint8_t[6]){0}, 6);
    webp_put(frame + 6, (size_t)plan->width - 1, 3);
    webp_put(frame + 9, (size_t)plan->height - 1, 3);
    memcpy(frame + 16, bare.bytes + 12, bare.size - 12);
    webp_append(&file, "ANMF", frame, bare.size + 4);
    free(frame);
    free(bare.bytes);
    return file;
}

#endif
