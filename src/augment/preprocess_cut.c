#include "augment/normalize.h"

#include "base/memory.h"

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
static void gather(uint8_t *dst, const uint8_t *src, int channels, int count)
{
    for (int i = 0; i < count; i++, src += channels)
        dst[i] = *src;
}

rn_status rn_preprocess_cut(const rn_preprocess *preprocess, float *dst, const rn_image *resized,
                            const rn_cut *cut)
{
    rn_status st = RN_OK;
    uint8_t *row = NULL;
    const int channels = preprocess->channels;
    const bool each_pixel = preprocess->entries > (size_t)channels;
    size_t entry = 0; // of the first value of the row

    RN_TRY(check_cut(preprocess, resized, cut));
    RN_TRY(check_means(preprocess, cut));
    RN_TRY(RN_NEW(&row, (size_t)cut->width));
    for (int c = 0; c < channels; c++) {
        for (int y = 0; y < cut->height; y++, dst += cut->width, entry += (size_t)cut->width) {
            size_t first = (size_t)(cut->top + y) * (size_t)resized->width + (size_t)cut->left;
            gather(row, resized->pixels + first * (size_t)channels + c, channels, cut->width);
            rn_normalize_span(preprocess, dst, row, each_pixel ? entry : (size_t)c, cut->width);
            if (cut->mirror)
                rn_mirror_row(dst, cut->width);
        }
    }
out:
    rn_free(row);
    return st;
}
