#include "image/image.h"

#include "base/memory.h"

#include <string.h>
#include <webp/decode.h>

// A macroblock of lossy WebP is 256 pixels and takes three bits or more for its prediction modes,
// so a file that claims more is cut off or a bomb. A lossless one may be of any size in few bytes.
static const uint64_t PIXELS_A_BYTE = 1024;

static uint32_t read_size(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static rn_status explain(VP8StatusCode code)
{
    switch (code) {
    case VP8_STATUS_OK:
        return RN_OK;
    case VP8_STATUS_OUT_OF_MEMORY:
        return rn_error(RN_ENOMEM, "out of memory in libwebp");
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
        return rn_error(RN_EFORMAT, "WebP is damaged: the data end early");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return rn_error(RN_EFORMAT, "WebP is damaged: a feature that libwebp does not know");
    default:
        return rn_error(RN_EFORMAT, "WebP is damaged: libwebp reports error %d", (int)code);
    }
}

// The orientation in the chunk EXIF of an extended file: some programs put JPEG's "Exif" before it.
static int find_orientation(const rn_image_source *source)
{
    enum { FILE_HEADER = 12, CHUNK_HEADER = 8, PREFIX = 6 };
    const size_t size = source->size;

    for (size_t at = FILE_HEADER; size >= CHUNK_HEADER && at <= size - CHUNK_HEADER;) {
        const uint8_t *chunk = source->bytes + at, *data = chunk + CHUNK_HEADER;
        const size_t length = read_size(chunk + 4), left = size - at - CHUNK_HEADER;
        if (length > left)
            return 1;
        if (memcmp(chunk, "EXIF", 4) == 0) {
            bool prefixed = length > PREFIX && memcmp(data, "Exif\0", PREFIX) == 0;
            return prefixed ? rn_exif_orientation(data + PREFIX, length - PREFIX)
                            : rn_exif_orientation(data, length);
        }
        at += CHUNK_HEADER + length + length % 2; // chunks begin at even places
    }
    return 1;
}

static rn_status read_header(WebPBitstreamFeatures *header, const rn_image_source *source)
{
    enum { LOSSY = 1 };
    rn_status st = RN_OK;
    const size_t size = source->size;

    if (read_size(source->bytes + 4) > size - 8)
        return rn_error(RN_EFORMAT, "WebP is damaged: the file ends early, at byte %zu", size);
    RN_TRY(explain(WebPGetFeatures(source->bytes, size, header)));
    if (header->has_animation)
        return rn_error(RN_EFORMAT, "WebP is an animation, expected a single picture");
    RN_TRY(rn_image_check_size(source, (uint64_t)header->width, (uint64_t)header->height));
    uint64_t pixels = (uint64_t)header->width * (uint64_t)header->height;
    if (header->format == LOSSY && pixels / PIXELS_A_BYTE > size)
        st = rn_error(RN_EFORMAT, "WebP is damaged: %d x %d pixels in %zu bytes", header->width,
                      header->height, size);
out:
    return st;
}

static rn_status read_pixels(rn_image *image, const rn_image_source *source)
{
    WebPDecoderConfig config;
    const size_t row_bytes = (size_t)image->width * (size_t)image->channels;

    if (!WebPInitDecoderConfig(&config))
        return rn_error(RN_EUNSUPPORTED, "libwebp is older than the one this was built for");
    config.output.colorspace = image->channels == 4 ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = image->pixels;
    config.output.u.RGBA.stride = (int)row_bytes; // at most 4 x 16,383
    config.output.u.RGBA.size = row_bytes * (size_t)image->height;
    return explain(WebPDecode(source->bytes, source->size, &config));
}

rn_status rn_image_decode_webp(rn_image **out, const rn_image_source *source)
{
    rn_status st = RN_OK;
    WebPBitstreamFeatures header;
    rn_image *image = NULL;

    *out = NULL;
    RN_TRY(read_header(&header, source));
    const int channels = header.has_alpha ? 4 : 3;
    RN_TRY(rn_image_create_for(&image, source, channels, header.width, header.height));
    if (!source->header_only)
        RN_TRY(read_pixels(image, source));
    rn_image_flatten(image);
    RN_TRY(rn_image_orient(&image, find_orientation(source)));
    *out = image;
    image = NULL;
out:
    rn_image_free(image);
    return st;
}
