// Picture files of all formats: refused, or decoded to what their header promises.
#include "resnet/image.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// What the compiler must not leave out.
static volatile unsigned sink;

static void touch(const rn_image *image)
{
    const size_t values = (size_t)image->width * (size_t)image->height * (size_t)image->channels;
    unsigned sum = 0;

    for (size_t i = 0; i < values; i++)
        sum += image->pixels[i];
    sink = sum;
}

static rn_image *decode(const uint8_t *data, size_t size, int cover)
{
    const rn_decode_options options = {1 << 20, cover, cover};
    rn_image *image = NULL;
    rn_status st = rn_image_decode(&image, data, size, &options);

    if ((st == RN_OK) != (image != NULL) || (st != RN_OK && rn_error_message()[0] == '\0'))
        abort();
    if (image != NULL)
        touch(image);
    return image;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int width, height, channels;
    const rn_status probed = rn_image_probe(&width, &height, &channels, data, size);
    rn_image *whole = decode(data, size, 0);
    rn_image *scaled = decode(data, size, 1 + (int)(size % 8));

    if (whole != NULL && (probed != RN_OK || whole->width != width || whole->height != height ||
                          whole->channels != channels))
        abort();
    if (scaled != NULL && (scaled->width > width || scaled->height > height))
        abort();
    rn_image_free(scaled);
    rn_image_free(whole);
    return 0;
}
