/** Packs that the tests make, of tiny pictures. */
#ifndef TESTS_DATA_PHOTO_PACKS_H
#define TESTS_DATA_PHOTO_PACKS_H

#include "data/photo_files.h"
#include "image/jpeg_write.h"
#include "resnet/image.h"

/** A gradient of this size; colours depend on `seed`. The caller's. */
static inline rn_image *photo_image(int channels, int width, int height, int seed)
{
    rn_image *image;

    assert_int_equal(RN_NEW(&image, 1), RN_OK);
    *image = (rn_image){channels, height, width, NULL};
    assert_int_equal(RN_NEW(&image->pixels, (size_t)(channels * width * height)), RN_OK);
    for (int i = 0; i < width * height; i++)
        for (int c = 0; c < channels; c++)
            image->pixels[i * channels + c] =
                (uint8_t)(i % width * 255 / width / (c + 1) + i / width + seed * 31);
    return image;
}

/** A JPEG file of such a picture; its folders are made. */
static inline void photo_jpeg(const char *folder, const char *name, int width, int height, int seed)
{
    rn_image *image = photo_image(3, width, height, seed);
    uint8_t *bytes;
    size_t size;

    photo_text(folder, name, "");
    assert_int_equal(rn_image_encode_jpeg(&bytes, &size, image, 90), RN_OK);
    fixture_write(folder, name, bytes, size);
    rn_free(bytes);
    rn_image_free(image);
}

/** All of a file; *size bytes, the caller's. */
static inline char *photo_slurp(const char *path, size_t *size)
{
    char *bytes;

    if (rn_file_read(&bytes, size, path, (size_t)1 << 30) != RN_OK)
        fail_msg("%s", rn_error_message());
    return bytes;
}

#endif
