/** A picture whose pixels all differ from their neighbours'. Include after cmocka's headers. */
#ifndef TESTS_MADE_PICTURE_H
#define TESTS_MADE_PICTURE_H

#include "image/image.h"

static inline rn_image *make_picture(int channels, int width, int height)
{
    rn_image *image;

    assert_int_equal(rn_image_create(&image, channels, width, height), RN_OK);
    for (int i = 0; i < width * height * channels; i++)
        image->pixels[i] = (uint8_t)(i * 37 + i / 11 * 5 + i / channels / width * 3);
    return image;
}

#endif
