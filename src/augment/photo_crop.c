#include "augment/photo_crop.h"

#include "augment/centre.h"

#include <math.h>

enum { TRIES = 10 };

static const double LEAST_AREA = 0.08, LEAST_ASPECT = 3.0 / 4.0, MOST_ASPECT = 4.0 / 3.0;

static double between(rn_stream *stream, double low, double high)
{
    return low + (high - low) * (double)rn_stream_uniform(stream);
}

bool rn_rectangle_draw(rn_rectangle *out, int height, int width, const rn_rectangle_range *range,
                       rn_stream *stream)
{
    const double whole = (double)height * (double)width;
    const int spare = range->smaller ? 1 : 0;

    for (int i = 0; i < TRIES; i++) {
        double area = whole * between(stream, range->least_area, range->most_area);
        double aspect = exp(between(stream, log(range->least_aspect), log(range->most_aspect)));
        double wide = rint(sqrt(area * aspect)), high = rint(sqrt(area / aspect));
        if (wide < 1 || high < 1 || wide > width - spare || high > height - spare)
            continue;
        *out = (rn_rectangle){.width = (int)wide, .height = (int)high};
        out->top = (int)rn_stream_below(stream, (uint32_t)(height - out->height) + 1);
        out->left = (int)rn_stream_below(stream, (uint32_t)(width - out->width) + 1);
        return true;
    }
    return false;
}

// The whole picture, or its middle where it is too long for the range of aspects.
static rn_rectangle central(const rn_image *image)
{
    rn_rectangle part = {0, 0, image->width, image->height};
    double aspect = (double)image->width / (double)image->height;

    if (aspect < LEAST_ASPECT)
        part.height = (int)rint(image->width / LEAST_ASPECT);
    else if (aspect > MOST_ASPECT)
        part.width = (int)rint(image->height * MOST_ASPECT);
    part.left = (image->width - part.width) / 2;
    part.top = (image->height - part.height) / 2;
    return part;
}

static rn_photo_crop area_crop(const rn_augment *augment, const rn_image *image,
                               const rn_preprocess *preprocess, rn_stream *stream)
{
    const rn_rectangle_range range = {
        .least_area = augment->crop_area > 0 ? augment->crop_area : LEAST_AREA,
        .most_area = 1,
        .least_aspect = LEAST_ASPECT,
        .most_aspect = MOST_ASPECT,
    };
    rn_rectangle part;

    if (!rn_rectangle_draw(&part, image->height, image->width, &range, stream))
        part = central(image);
    return (rn_photo_crop){
        .left = part.left,
        .top = part.top,
        .x = {part.width, preprocess->width, 0, preprocess->width},
        .y = {part.height, preprocess->height, 0, preprocess->height},
    };
}

// The whole picture, scaled by one factor: its shorter side becomes `side`, or more where the input
// would not be covered; the longer one is rounded down.
static rn_photo_crop scaled(const rn_image *image, const rn_preprocess *preprocess, int64_t side)
{
    const int64_t width = preprocess->width, height = preprocess->height;
    rn_photo_crop crop = {.x = {image->width, side, 0, preprocess->width},
                          .y = {image->height, side, 0, preprocess->height}};

    if (image->width <= image->height)
        crop.y.resized = image->height * side / image->width;
    else
        crop.x.resized = image->width * side / image->height;
    if (crop.x.resized >= width && crop.y.resized >= height)
        return crop;
    crop.x.resized = width;
    crop.y.resized = height;
    if (image->width * height <= image->height * width)
        crop.y.resized = image->height * width / image->width;
    else
        crop.x.resized = image->width * height / image->height;
    return crop;
}

// Below a 32-bit number of places, which no picture's window exceeds but that of a line.
static int64_t draw_first(const rn_resize_axis *axis, rn_stream *stream)
{
    int64_t places = axis->resized - axis->count + 1;

    return rn_stream_below(stream, places < UINT32_MAX ? (uint32_t)places : UINT32_MAX);
}

int rn_augment_low(const rn_augment *augment)
{
    return augment->resize_low > 0 ? augment->resize_low : 256;
}

int rn_augment_high(const rn_augment *augment)
{
    return augment->resize_high > 0 ? augment->resize_high : 480;
}

static rn_photo_crop resize_crop(const rn_augment *augment, const rn_image *image,
                                 const rn_preprocess *preprocess, rn_stream *stream)
{
    const int low = rn_augment_low(augment), high = rn_augment_high(augment);
    const uint32_t sides = high > low ? (uint32_t)(high - low) + 1 : 1;
    rn_photo_crop crop = scaled(image, preprocess, low + (int64_t)rn_stream_below(stream, sides));

    crop.y.first = draw_first(&crop.y, stream);
    crop.x.first = draw_first(&crop.x, stream);
    return crop;
}

static rn_photo_crop centre_crop(double ratio, const rn_image *image,
                                 const rn_preprocess *preprocess)
{
    const int shorter =
        preprocess->width < preprocess->height ? preprocess->width : preprocess->height;
    rn_photo_crop crop = scaled(image, preprocess, ratio > 0 ? lround(shorter / ratio) : shorter);

    crop.y.first = rn_half_to_even(crop.y.resized - preprocess->height);
    crop.x.first = rn_half_to_even(crop.x.resized - preprocess->width);
    return crop;
}

rn_photo_crop rn_photo_crop_draw(const rn_augment *augment, const rn_image *image,
                                 const rn_preprocess *preprocess, rn_stream *stream)
{
    switch (augment->crop) {
    case RN_CROP_RESIZE:
        return resize_crop(augment, image, preprocess, stream);
    case RN_CROP_AREA:
        return area_crop(augment, image, preprocess, stream);
    case RN_CROP_PAD:
        return centre_crop(0, image, preprocess);
    case RN_CROP_CENTRE:
        break;
    }
    return centre_crop(augment->crop_ratio, image, preprocess);
}
