/**
 * Pictures of several sizes that the tests of views make as photo_peer.py makes them: patches of
 * one colour each under fine noise, so that an edge out of its place and a missing antialiasing
 * show. Header only, for cmocka programs.
 */
#ifndef TESTS_GOLDEN_MADE_PICTURES_H
#define TESTS_GOLDEN_MADE_PICTURES_H

#include "base/memory.h"
#include "golden/derived.h"
#include "resnet/image.h"

#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>

#include <cmocka.h>

enum { MADE_PICTURES = 6, MADE_PATCH = 16, MADE_SEED = 21 };

typedef struct made_size {
    int channels, height, width;
} made_size;

/** Wide, tall, square, odd, smaller than a view, gray; photo_peer.py has the same. */
static const made_size made_sizes[MADE_PICTURES] = {
    {3, 375, 500}, {3, 500, 333}, {3, 256, 256}, {3, 481, 640}, {3, 99, 131}, {1, 260, 300},
};

/** Bytes of the stream "picture NUMBER/PART"; the caller's. */
static inline uint8_t *made_bytes(int number, const char *part, size_t count)
{
    char name[64];
    uint8_t *bytes;

    snprintf(name, sizeof name, "picture %d/%s", number, part);
    rn_stream stream = derived_stream(MADE_SEED, name, 0);
    assert_int_equal(RN_NEW(&bytes, count), RN_OK);
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)rn_stream_below(&stream, 256);
    return bytes;
}

/** Picture 0 .. MADE_PICTURES - 1, the caller's (rn_image_free()). */
static inline rn_image *made_picture(int number)
{
    const made_size size = made_sizes[number];
    const size_t channels = (size_t)size.channels, width = (size_t)size.width;
    const size_t across = width / MADE_PATCH + 1, down = (size_t)size.height / MADE_PATCH + 1;
    const size_t values = (size_t)size.height * width * channels;
    uint8_t *patches = made_bytes(number, "patches", down * across * channels);
    rn_image *image;

    assert_int_equal(RN_NEW(&image, 1), RN_OK);
    *image =
        (rn_image){size.channels, size.height, size.width, made_bytes(number, "noise", values)};
    for (size_t i = 0; i < values; i++) {
        size_t pixel = i / channels, y = pixel / width, x = pixel % width;
        size_t patch = y / MADE_PATCH * across + x / MADE_PATCH;
        image->pixels[i] =
            (uint8_t)((3 * patches[patch * channels + i % channels] + image->pixels[i]) / 4);
    }
    rn_free(patches);
    return image;
}

#endif
