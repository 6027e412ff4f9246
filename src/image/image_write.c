#include "resnet/image.h"

#include "base/file.h"
#include "base/memory.h"

#include <png.h>

rn_status rn_image_save(const rn_image *image, const char *path)
{
    rn_status st;
    png_image png = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)image->width,
                     .height = (png_uint_32)image->height,
                     .format = image->channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB};
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
    uint8_t *bytes = NULL;

    RN_TRY(RN_NEW(&bytes, size));
    if (png_image_write_to_memory(&png, bytes, &size, 0, image->pixels, 0, NULL) == 0) {
        st = rn_error(RN_EIO, "'%s': %s", path, png.message);
        goto out;
    }
    RN_TRY(rn_file_write_atomic(path, bytes, size));
out:
    rn_free(bytes);
    return st;
}
