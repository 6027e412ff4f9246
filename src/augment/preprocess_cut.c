#include "augment/normalize.h"

enum { SPAN = 256 }; // pixels of a row at a time

static rn_status check_cut(const rn_preprocess *preprocess, const rn_image *resized,
                           const rn_cut *cut)
{
    if (resized->channels != preprocess->channels || resized->height != cut->resized_height ||
        resized->width != cut->resized_width)
        return rn_error(RN_EINVAL, "picture is %d x %d x %d, expected %d x %d x %d",
                        resized->channels, resized->height, resized->width, preprocess->channels,
                        cut->resized_height, cut->resized_width);
    if (cut->top < 0 || cut->left < 0 || cut->height < 1 || cut->width < 1 ||
        cut->top > resized->height - cut->height || cut->left > resized->width - cut->width)
        return rn_error(RN_EINVAL, "view of %d x %d pixels at %d, %d leaves the picture of %d x %d",
                        cut->width, cut->height, cut->left, cut->top, resized->width,
                        resized->height);
    return RN_OK;
}

// Means of each pixel belong to one size of input.
static rn_status check_means(const rn_preprocess *preprocess, const rn_cut *cut)
{
    bool each_pixel = preprocess->entries > (size_t)preprocess->channels;

    if (each_pixel && (cut->height != preprocess->height || cut->width != preprocess->width))
        return rn_error(RN_EINVAL,
                        "view is %d x %d pixels, the model normalises each pixel of %d x %d by its "
                        "own mean",
                        cut->width, cut->height, preprocess->width, preprocess->height);
    return RN_OK;
}

// One channel of a row: its bytes lie `channels` apart.
static void normalize_row(const rn_preprocess *preprocess, float *dst, const uint8_t *src,
                          size_t entry, int width)
{
    const bool each_pixel = preprocess->entries > (size_t)preprocess->channels;
    uint8_t bytes[SPAN];

    for (int x = 0; x < width; x += SPAN) {
        const int count = width - x < SPAN ? width - x : SPAN;
        for (int i = 0; i < count; i++, src += preprocess->channels)
            bytes[i] = *src;
        rn_normalize_span(preprocess, dst + x, bytes, entry + (each_pixel ? (size_t)x : 0), count);
    }
}

rn_status rn_preprocess_cut(const rn_preprocess *preprocess, float *dst, const rn_image *resized,
                            const rn_cut *cut)
{
    rn_status st = RN_OK;
    const size_t channels = (size_t)preprocess->channels;
    const bool each_pixel = preprocess->entries > channels;
    size_t place = 0; // of the row in the input

    RN_TRY(check_cut(preprocess, resized, cut));
    RN_TRY(check_means(preprocess, cut));
    for (size_t c = 0; c < channels; c++) {
        for (int y = 0; y < cut->height; y++, place += (size_t)cut->width) {
            size_t first = (size_t)(cut->top + y) * (size_t)resized->width + (size_t)cut->left;
            normalize_row(preprocess, dst + place, resized->pixels + first * channels + c,
                          each_pixel ? place : c, cut->width);
            if (cut->mirror)
                rn_mirror_row(dst + place, cut->width);
        }
    }
out:
    return st;
}
