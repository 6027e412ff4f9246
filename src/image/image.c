#include "image/image.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static const size_t LARGEST_FILE = (size_t)1 << 31; // 2^28 colour pixels of 16 bits, raw, are less

rn_status rn_image_check_size(const rn_image_source *source, uint64_t width, uint64_t height)
{
    const uint64_t most = source->options.max_pixels;
    bool possible = width > 0 && height > 0 && width <= INT32_MAX && height <= INT32_MAX;

    if (!possible || (!source->header_only && width * height > most))
        return rn_error(RN_EFORMAT, "picture is %llu x %llu, expected 1 to %llu pixels in all",
                        (unsigned long long)width, (unsigned long long)height,
                        (unsigned long long)most);
    return RN_OK;
}

rn_status rn_image_create(rn_image **out, int channels, int width, int height)
{
    rn_status st = RN_OK;
    rn_image *image = NULL;

    *out = NULL;
    RN_TRY(RN_NEW(&image, 1));
    *image = (rn_image){channels, height, width, NULL};
    RN_TRY(RN_NEW(&image->pixels, (size_t)width * (size_t)height * (size_t)channels));
    *out = image;
    image = NULL;
out:
    rn_image_free(image);
    return st;
}

rn_status rn_image_create_for(rn_image **out, const rn_image_source *source, int channels,
                              int width, int height)
{
    if (!source->header_only)
        return rn_image_create(out, channels, width, height);
    rn_status st = RN_NEW(out, 1);
    if (st == RN_OK)
        **out = (rn_image){channels, height, width, NULL};
    return st;
}

// In place: what is left never lies behind what it is made from.
void rn_image_flatten(rn_image *image)
{
    size_t pixels = (size_t)image->width * (size_t)image->height;
    int colours = image->channels - 1;
    const uint8_t *src = image->pixels;
    uint8_t *dst = image->pixels;

    if (image->channels % 2 != 0)
        return;
    image->channels = colours;
    if (src == NULL)
        return;
    for (size_t i = 0; i < pixels; i++, src += colours + 1) {
        int alpha = src[colours];
        for (int c = 0; c < colours; c++)
            *dst++ = (uint8_t)((src[c] * alpha + 255 * (255 - alpha) + 127) / 255);
    }
}

void rn_image_free(rn_image *image)
{
    if (image == NULL)
        return;
    rn_free(image->pixels);
    rn_free(image);
}

static bool starts_with(const char *bytes, size_t size, const char *magic, size_t length)
{
    return size >= length && memcmp(bytes, magic, length) == 0;
}

typedef rn_status decoder(rn_image **out, const rn_image_source *source);

// NULL: no picture that is known here.
static decoder *recognise(const char *bytes, size_t size)
{
    if (starts_with(bytes, size, "\x89PNG", 4))
        return rn_image_decode_png;
    if (starts_with(bytes, size, "\xff\xd8\xff", 3))
        return rn_image_decode_jpeg;
    if (starts_with(bytes, size, "RIFF", 4) && size >= 12 && memcmp(bytes + 8, "WEBP", 4) == 0)
        return rn_image_decode_webp;
    if (size >= 2 && bytes[0] == 'P' && memchr("2356", bytes[1], 4) != NULL)
        return rn_image_decode_pnm;
    return NULL;
}

static rn_status judge(const char *head, size_t bytes, uint64_t size)
{
    (void)size;
    if (bytes == 0)
        return rn_error(RN_EFORMAT, "file is empty, expected a PNG, JPEG, WebP or PPM picture");
    if (recognise(head, bytes) == NULL)
        return rn_error(RN_EFORMAT,
                        "not a picture that is known here: starts with bytes %02x %02x, expected "
                        "PNG, JPEG, WebP or PPM/PGM",
                        (unsigned char)head[0], bytes > 1 ? (unsigned char)head[1] : 0);
    return RN_OK;
}

static rn_status decode(rn_image **out, const rn_image_source *source)
{
    const char *bytes = (const char *)source->bytes;
    rn_status st = judge(bytes, source->size, source->size);

    *out = NULL;
    return st == RN_OK ? recognise(bytes, source->size)(out, source) : st;
}

// Where the caller sets no limit, the user of the program may.
static rn_status usual_limit(uint64_t *max_pixels)
{
    const char *text = getenv("RESNET_MAX_PIXELS");
    int64_t pixels = RN_IMAGE_MAX_PIXELS;

    if (text != NULL && *text != '\0' && !rn_text_int64(text, 1, INT32_MAX, &pixels))
        return rn_error(RN_EINVAL,
                        "environment variable RESNET_MAX_PIXELS is '%s', expected 1 to %d", text,
                        INT32_MAX);
    *max_pixels = (uint64_t)pixels;
    return RN_OK;
}

rn_status rn_image_decode(rn_image **out, const uint8_t *bytes, size_t size,
                          const rn_decode_options *options)
{
    rn_status st = RN_OK;
    rn_image_source source = {.bytes = bytes, .size = size};

    *out = NULL;
    if (options != NULL)
        source.options = *options;
    const rn_decode_options *o = &source.options;
    if (o->max_pixels > INT32_MAX)
        return rn_error(RN_EINVAL, "limit is %llu pixels, expected 0 to %d",
                        (unsigned long long)o->max_pixels, INT32_MAX);
    if (o->cover_width < 0 || o->cover_height < 0)
        return rn_error(RN_EINVAL, "size to cover is %d x %d, expected 0 or more", o->cover_width,
                        o->cover_height);
    if (o->max_pixels == 0)
        RN_TRY(usual_limit(&source.options.max_pixels));
    st = decode(out, &source);
out:
    return st;
}

rn_status rn_image_probe(int *width, int *height, int *channels, const uint8_t *bytes, size_t size)
{
    rn_image_source source = {bytes, size, {RN_IMAGE_MAX_PIXELS, 0, 0}, true};
    rn_image *header = NULL;
    rn_status st = decode(&header, &source);

    *width = st == RN_OK ? header->width : 0;
    *height = st == RN_OK ? header->height : 0;
    *channels = st == RN_OK ? header->channels : 0;
    rn_image_free(header);
    return st;
}

rn_status rn_image_open(rn_image **out, const char *path)
{
    rn_status st = RN_OK;
    char *bytes = NULL;
    size_t size = 0;

    *out = NULL;
    RN_TRY(rn_file_read_if(&bytes, &size, path, LARGEST_FILE, judge));
    st = rn_image_decode(out, (const uint8_t *)bytes, size, NULL);
    if (st != RN_OK)
        rn_error_prefix(st, "'%s'", path);
out:
    rn_free(bytes);
    return st;
}
