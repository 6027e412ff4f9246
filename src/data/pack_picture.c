#include "data/pack_picture.h"

#include "base/memory.h"
#include "base/text.h"
#include "data/photos.h"
#include "image/jpeg_write.h"
#include "resnet/image.h"

#include <stdio.h>
#include <string.h>

enum { USUAL_QUALITY = 95 };

// The shorter side becomes `shorter`, the other in proportion, rounded down as torchvision does.
static rn_status shrink(rn_image **image, int shorter)
{
    rn_status st = RN_OK;
    const rn_image *from = *image;
    rn_image *to = NULL;
    int least = from->width < from->height ? from->width : from->height;

    RN_TRY(rn_image_resize(
        &to, from,
        &(rn_resize_options){.width = (int)((int64_t)shorter * from->width / least),
                             .height = (int)((int64_t)shorter * from->height / least)}));
    rn_image_free(*image);
    *image = to;
out:
    return st;
}

static rn_status encode_raw(uint8_t **out, size_t *size, const rn_image *image)
{
    rn_status st = RN_OK;
    char header[64];
    int length = snprintf(header, sizeof header, "P%c\n%d %d\n255\n",
                          image->channels == 1 ? '5' : '6', image->width, image->height);
    size_t pixels = (size_t)image->width * (size_t)image->height * (size_t)image->channels;

    RN_TRY(RN_NEW(out, (size_t)length + pixels));
    memcpy(*out, header, (size_t)length);
    memcpy(*out + length, image->pixels, pixels);
    *size = (size_t)length + pixels;
out:
    return st;
}

static bool is_jpeg(const rn_photo *photo)
{
    return photo->size >= 2 && photo->bytes[0] == 0xff && photo->bytes[1] == 0xd8;
}

// Replaces the photo by an encoding of the image.
static rn_status encode(rn_photo *photo, const rn_image *image, const rn_pack_options *options)
{
    rn_status st = RN_OK;
    uint8_t *bytes = NULL;
    size_t size;

    if (options->format == RN_PACK_RAW)
        RN_TRY(encode_raw(&bytes, &size, image));
    else
        RN_TRY(rn_image_encode_jpeg(&bytes, &size, image,
                                    options->quality == 0 ? USUAL_QUALITY : options->quality));
    if (size > RN_PHOTO_BYTES) {
        st = rn_error(RN_EFORMAT, "packed it would have %zu bytes, expected at most %d", size,
                      RN_PHOTO_BYTES);
        goto out;
    }
    rn_photo_release(photo);
    *photo = (rn_photo){bytes, size, bytes};
    bytes = NULL;
out:
    rn_free(bytes);
    return st;
}

static rn_status convert(rn_photo *photo, const rn_pack_options *options)
{
    rn_status st = RN_OK;
    rn_image *image = NULL;

    RN_TRY(rn_image_decode(&image, photo->bytes, photo->size, NULL));
    bool large =
        options->shorter > 0 && image->width > options->shorter && image->height > options->shorter;
    if (options->format == RN_PACK_KEEP ||
        (options->format == RN_PACK_JPEG && is_jpeg(photo) && !large))
        goto out;
    if (large)
        RN_TRY(shrink(&image, options->shorter));
    RN_TRY(encode(photo, image, options));
out:
    rn_image_free(image);
    return st;
}

rn_status rn_pack_picture(rn_photo *out, const rn_photos *photos, size_t index,
                          const rn_pack_options *options)
{
    rn_status st = rn_photos_read(out, photos, index); // names the picture itself

    if (st != RN_OK)
        return st;
    st = convert(out, options);
    if (st != RN_OK) {
        rn_photo_release(out);
        rn_photos_blame(st, photos, index);
    }
    return st;
}

rn_status rn_photo_check(const rn_photos *photos, size_t index)
{
    rn_photo photo;
    rn_status st = rn_pack_picture(&photo, photos, index, &(rn_pack_options){0});

    rn_photo_release(&photo);
    return st;
}
