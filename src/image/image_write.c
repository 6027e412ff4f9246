#include "resnet/image.h"

#include "base/file.h"
#include "base/memory.h"
#include "image/png_write.h"

#include <png.h>

rn_status rn_image_encode_png(uint8_t **out, size_t *size, const rn_image *image)
{
    rn_status st;
    png_image png = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)image->width,
                     .height = (png_uint_32)image->height,
                     .format = image->channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB};
    png_alloc_size_t room = PNG_IMAGE_PNG_SIZE_MAX(png);

    *out = NULL;
    RN_TRY(RN_NEW(out, room));
    if (png_image_write_to_memory(&png, *out, &room, 0, image->pixels, 0, NULL) == 0) {
        st = rn_error(RN_EFORMAT, "picture not written as PNG: %s", png.message);
        goto out;
    }
    *size = room;
out:
    if (st != RN_OK) {
        rn_free(*out);
        *out = NULL;
    }
    return st;
}

rn_status rn_image_save(const rn_image *image, const char *path)
{
    rn_status st;
    uint8_t *bytes = NULL;
    size_t size = 0;

    RN_TRY(rn_image_encode_png(&bytes, &size, image));
    RN_TRY(rn_file_write_atomic(path, bytes, size));
out:
    rn_free(bytes);
    return st;
}
