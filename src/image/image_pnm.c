// PGM and PPM, plain (P2, P3) and raw (P5, P6), 1 to 65,535 levels, one picture a file.
#include "image/image.h"

typedef struct reader {
    const uint8_t *bytes;
    size_t size, at;
} reader;

typedef struct header {
    bool plain;
    int channels;
    uint32_t width, height, levels;
} header;

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// White space, and in the header also comments from '#' to the end of the line.
static void skip_space(reader *in, bool comments)
{
    for (; in->at < in->size; in->at++) {
        if (comments && in->bytes[in->at] == '#') {
            while (in->at < in->size && in->bytes[in->at] != '\n')
                in->at++;
        } else if (!is_space(in->bytes[in->at])) {
            return;
        }
        if (in->at >= in->size)
            return;
    }
}

// A decimal number 0 .. limit, which must be followed by white space or the end.
static rn_status read_decimal(reader *in, uint32_t *value, uint32_t limit, const char *what)
{
    size_t start = in->at;
    uint64_t number = 0;

    for (; in->at < in->size && in->bytes[in->at] >= '0' && in->bytes[in->at] <= '9'; in->at++) {
        number = number * 10 + (uint64_t)(in->bytes[in->at] - '0');
        if (number > limit)
            return rn_error(RN_EFORMAT, "PPM: %s at byte %zu is over %lu", what, start,
                            (unsigned long)limit);
    }
    if (in->at == start || (in->at < in->size && !is_space(in->bytes[in->at])))
        return rn_error(RN_EFORMAT, "PPM: no %s at byte %zu of %zu, expected a decimal number",
                        what, start, in->size);
    *value = (uint32_t)number;
    return RN_OK;
}

static rn_status read_header(reader *in, header *head, const rn_image_source *source)
{
    rn_status st = RN_OK;
    const uint8_t kind = in->bytes[1];

    head->plain = kind == '2' || kind == '3';
    head->channels = kind == '2' || kind == '5' ? 1 : 3;
    in->at = 2;
    if (in->at < in->size && !is_space(in->bytes[in->at]) && in->bytes[in->at] != '#')
        return rn_error(RN_EFORMAT, "PPM: byte 2 is %02x, expected white space after the magic",
                        in->bytes[in->at]);
    skip_space(in, true);
    RN_TRY(read_decimal(in, &head->width, INT32_MAX, "width"));
    skip_space(in, true);
    RN_TRY(read_decimal(in, &head->height, INT32_MAX, "height"));
    skip_space(in, true);
    RN_TRY(read_decimal(in, &head->levels, 65535, "highest value"));
    if (head->levels == 0)
        st = rn_error(RN_EFORMAT, "PPM: highest value is 0, expected 1 to 65535");
    else
        RN_TRY(rn_image_check_size(source, head->width, head->height));
out:
    return st;
}

// The shortest plain sample is a digit and a space; the raw size is exact. So a short file cannot
// make us allocate a large picture.
static rn_status check_length(const reader *in, const header *head, size_t samples)
{
    size_t left = in->size - in->at;
    size_t expected = samples * (head->plain || head->levels > 255 ? 2 : 1);

    if (head->plain) {
        if (left + 1 < expected)
            return rn_error(RN_EFORMAT, "PPM: %zu bytes of pixels, expected at least %zu", left,
                            expected - 1);
    } else if (left != expected) {
        return rn_error(RN_EFORMAT, "PPM: %zu bytes of pixels, expected %zu", left, expected);
    }
    return RN_OK;
}

static rn_status read_raw_sample(reader *in, const header *head, uint32_t *value)
{
    size_t at = in->at;

    *value = in->bytes[in->at++];
    if (head->levels > 255)
        *value = *value << 8 | in->bytes[in->at++];
    if (*value > head->levels)
        return rn_error(RN_EFORMAT, "PPM: sample at byte %zu is %lu, expected at most %lu", at,
                        (unsigned long)*value, (unsigned long)head->levels);
    return RN_OK;
}

static rn_status read_samples(reader *in, const header *head, uint8_t *dst, size_t samples)
{
    rn_status st = RN_OK;

    for (size_t i = 0; i < samples; i++) {
        uint32_t value = 0;
        if (head->plain) {
            skip_space(in, false);
            RN_TRY(read_decimal(in, &value, head->levels, "sample"));
        } else {
            RN_TRY(read_raw_sample(in, head, &value));
        }
        dst[i] = (uint8_t)((value * 255 + head->levels / 2) / head->levels);
    }
    skip_space(in, false);
    if (head->plain && in->at != in->size)
        st = rn_error(RN_EFORMAT, "PPM: byte %zu is %02x, expected nothing after the pixels",
                      in->at, in->bytes[in->at]);
out:
    return st;
}

rn_status rn_image_decode_pnm(rn_image **out, const rn_image_source *source)
{
    rn_status st = RN_OK;
    reader in = {source->bytes, source->size, 0};
    header head = {0};
    rn_image *image = NULL;

    *out = NULL;
    RN_TRY(read_header(&in, &head, source));
    in.at += in.at < in.size; // the one white space before the pixels
    size_t samples = (size_t)head.width * head.height * (size_t)head.channels;
    if (!source->header_only)
        RN_TRY(check_length(&in, &head, samples));
    RN_TRY(rn_image_create_for(&image, source, head.channels, (int)head.width, (int)head.height));
    if (!source->header_only)
        RN_TRY(read_samples(&in, &head, image->pixels, samples));
    *out = image;
    image = NULL;
out:
    rn_image_free(image);
    return st;
}
