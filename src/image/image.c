#include "image/image.h"

#include "base/file.h"
#include "base/memory.h"

#include <string.h>

static const size_t LARGEST_FILE = (size_t)1 << 31; // 2^28 colour pixels of 16 bits, raw, are less

rn_status rn_image_check_size(uint64_t width, uint64_t height)
{
    if (width == 0 || height == 0 || width > RN_IMAGE_PIXELS || height > RN_IMAGE_PIXELS ||
        width * height > RN_IMAGE_PIXELS)
        return rn_error(RN_EFORMAT, "picture is %llu x %llu, expected 1 to %d pixels in all",
                        (unsigned long long)width, (unsigned long long)height, RN_IMAGE_PIXELS);
    return RN_OK;
}

rn_status rn_image_create(rn_image **out, int channels, int width, int height)
{
    rn_status st = RN_OK;
    rn_image *image = NULL;

    *out = NULL;
    RN_TRY(rn_image_check_size((uint64_t)width, (uint64_t)height));
    RN_TRY(RN_NEW(&image, 1));
    *image = (rn_image){channels, height, width, NULL};
    RN_TRY(RN_NEW(&image->pixels, (size_t)width * (size_t)height * (size_t)channels));
    *out = image;
    image = NULL;
out:
    rn_image_free(image);
    return st;
}

void rn_image_free(rn_image *image)
{
    if (image == NULL)
        return;
    rn_free(image->pixels);
    rn_free(image);
}

static bool starts_with(const uint8_t *bytes, size_t size, const char *magic, size_t length)
{
    return size >= length && memcmp(bytes, magic, length) == 0;
}

rn_status rn_image_decode(rn_image **out, const uint8_t *bytes, size_t size)
{
    *out = NULL;
    if (size == 0)
        return rn_error(RN_EFORMAT, "file is empty, expected a PNG, JPEG or PPM picture");
    if (starts_with(bytes, size, "\x89PNG", 4))
        return rn_image_decode_png(out, bytes, size);
    if (starts_with(bytes, size, "\xff\xd8", 2))
        return rn_image_decode_jpeg(out, bytes, size);
    if (size >= 2 && bytes[0] == 'P' && memchr("2356", bytes[1], 4) != NULL)
        return rn_image_decode_pnm(out, bytes, size);
    return rn_error(RN_EFORMAT,
                    "not a picture that is known here: starts with bytes %02x %02x, expected PNG, "
                    "JPEG or PPM/PGM",
                    bytes[0], size > 1 ? bytes[1] : 0);
}

rn_status rn_image_open(rn_image **out, const char *path)
{
    rn_status st = RN_OK;
    char *bytes = NULL;
    size_t size = 0;

    *out = NULL;
    RN_TRY(rn_file_read(&bytes, &size, path, LARGEST_FILE));
    st = rn_image_decode(out, (const uint8_t *)bytes, size);
    if (st != RN_OK)
        rn_error_prefix(st, "'%s'", path);
out:
    rn_free(bytes);
    return st;
}
