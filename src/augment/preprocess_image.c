#include "resnet/augment.h"

#include "image/resize.h"

#include "base/memory.h"

// The whole picture, scaled by one factor so that it just covers the input, and the window in the
// middle of it. Shorter side exact, longer side and the window's corner rounded down.
static void cover(rn_resize_axis *x, rn_resize_axis *y, const rn_image *image,
                  const rn_preprocess *preprocess)
{
    const int64_t width = preprocess->width, height = preprocess->height;

    *x = (rn_resize_axis){image->width, width, 0, preprocess->width};
    *y = (rn_resize_axis){image->height, height, 0, preprocess->height};
    if (image->width * height <= image->height * width)
        y->resized = image->height * width / image->width;
    else
        x->resized = image->width * height / image->height;
    x->first = (x->resized - width) / 2;
    y->first = (y->resized - height) / 2;
}

rn_window rn_preprocess_window(const rn_preprocess *preprocess, const rn_image *image)
{
    rn_resize_axis x, y;

    cover(&x, &y, image, preprocess);
    const double across = (double)x.source / (double)x.resized;
    const double down = (double)y.source / (double)y.resized;
    return (rn_window){(double)x.first * across, (double)y.first * down, x.count * across,
                       y.count * down};
}

static void to_planes(uint8_t *dst, const uint8_t *src, const rn_preprocess *preprocess)
{
    size_t channels = (size_t)preprocess->channels;
    size_t plane = (size_t)preprocess->height * (size_t)preprocess->width;

    for (size_t c = 0; c < channels; c++) {
        for (size_t i = 0; i < plane; i++)
            *dst++ = src[i * channels + c];
    }
}

static rn_status check(const rn_preprocess *preprocess, const rn_image *image)
{
    if (preprocess->channels != 1 && preprocess->channels != 3)
        return rn_error(RN_EINVAL, "network takes %d channels, expected 1 or 3 for a picture",
                        preprocess->channels);
    if ((image->channels != 1 && image->channels != 3) || image->width < 1 || image->height < 1)
        return rn_error(RN_EINVAL, "picture is %d x %d with %d channels, expected 1 or 3",
                        image->width, image->height, image->channels);
    return RN_OK;
}

rn_status rn_preprocess_image(const rn_preprocess *preprocess, float *dst, const rn_image *image)
{
    rn_status st = RN_OK;
    uint8_t *pixels = NULL, *planes = NULL;
    rn_resize_axis x, y;

    RN_TRY(check(preprocess, image));
    size_t plane = (size_t)preprocess->height * (size_t)preprocess->width;
    RN_TRY(RN_NEW(&pixels, plane * (size_t)preprocess->channels));
    RN_TRY(RN_NEW(&planes, plane * (size_t)preprocess->channels));
    cover(&x, &y, image, preprocess);
    RN_TRY(rn_resize(pixels, preprocess->channels, image, &x, &y));
    to_planes(planes, pixels, preprocess);
    rn_preprocess_apply(preprocess, dst, planes, NULL, 0, 0, 0);
out:
    rn_free(planes);
    rn_free(pixels);
    return st;
}
