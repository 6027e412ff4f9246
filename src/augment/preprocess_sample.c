#include "augment/photo_colour.h"
#include "augment/photo_output.h"
#include "augment/resized.h"
#include "augment/scratch.h"
#include "augment/view.h"

static bool only_moves(const rn_augment *augment)
{
    return augment->crop == RN_CROP_PAD && augment->randaugment == 0 &&
           !(augment->brightness > 0) && !(augment->contrast > 0) && !(augment->saturation > 0) &&
           !(augment->hue > 0) && !(augment->pca > 0) && !(augment->erase > 0);
}

// `size` has the channels, height and width.
static void to_pixels(uint8_t *dst, const uint8_t *planes, const rn_image *size)
{
    const size_t channels = (size_t)size->channels;
    const size_t plane = (size_t)size->height * (size_t)size->width;

    for (size_t i = 0; i < plane; i++)
        for (size_t c = 0; c < channels; c++)
            *dst++ = planes[c * plane + i];
}

static void to_planes(uint8_t *dst, const uint8_t *pixels, const rn_image *size)
{
    const size_t channels = (size_t)size->channels;
    const size_t plane = (size_t)size->height * (size_t)size->width;

    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < plane; i++)
            *dst++ = pixels[i * channels + c];
}

static rn_image size_of(const rn_preprocess *input)
{
    return (rn_image){input->channels, input->height, input->width, NULL};
}

// The crop of a padded image needs its pixels in planes; changes need them together.
static rn_status make_padded(const rn_preprocess *preprocess, float *dst, const uint8_t *image,
                             const rn_augment *augment, const rn_augment_where *where)
{
    rn_status st = RN_OK;
    rn_stream stream;
    rn_pixels pixels;
    const rn_image size = size_of(preprocess);
    float shift[3];

    RN_TRY(rn_scratch_pixels(&pixels, where->scratch, preprocess));
    rn_stream_init(&stream, where->seed, RN_PURPOSE_AUGMENT, where->epoch, where->sample);
    const rn_view view = rn_view_draw(&stream, augment, where);
    to_pixels(pixels.bytes, image, &size);
    rn_photo_change(&pixels, augment, &stream);
    to_planes(pixels.spare, pixels.bytes, &size);
    rn_preprocess_view(preprocess, dst, pixels.spare, &view);
    rn_photo_shift(shift, augment, &stream);
    if (augment->pca > 0 && preprocess->channels == 3)
        rn_photo_output_shift(preprocess, dst, shift);
    rn_photo_output_erase(preprocess, dst,
                          rn_photo_erase(augment, preprocess->height, preprocess->width, &stream));
out:
    return st;
}

// An image as a picture, which lives in the scratch; its size is set already.
static rn_status make_picture(rn_image *picture, rn_scratch *scratch, const uint8_t *image)
{
    rn_status st = RN_OK;

    RN_TRY(rn_scratch_reserve(&scratch->image, picture->channels, picture->height, picture->width));
    picture->pixels = scratch->image.bytes;
    to_pixels(picture->pixels, image, picture);
out:
    return st;
}

static rn_status make_cropped(const rn_preprocess *preprocess, float *dst, const uint8_t *image,
                              const rn_augment *augment, const rn_augment_where *where)
{
    rn_status st = RN_OK;
    rn_image picture = size_of(preprocess);

    RN_TRY(make_picture(&picture, where->scratch, image));
    RN_TRY(rn_preprocess_photo(preprocess, dst, &picture, augment, where));
out:
    return st;
}

rn_status rn_preprocess_sample(const rn_preprocess *preprocess, float *dst, const uint8_t *image,
                               const rn_augment *augment, const rn_augment_where *where)
{
    rn_status st = RN_OK;
    rn_scratch own = {0};
    const rn_augment_where full = rn_scratch_choose(where, &own);

    if (augment == NULL || only_moves(augment))
        rn_preprocess_apply(preprocess, dst, image, augment, full.seed, full.epoch, full.sample);
    else if (augment->crop == RN_CROP_PAD)
        st = make_padded(preprocess, dst, image, augment, &full);
    else
        st = make_cropped(preprocess, dst, image, augment, &full);
    rn_scratch_release(&own);
    return st;
}

// The whole picture at the input's size, in planes; it lives in the scratch.
static rn_status resize_whole(const uint8_t **planes, rn_scratch *scratch, const rn_image *picture,
                              const rn_preprocess *preprocess, rn_resize_filter filter)
{
    rn_status st = RN_OK;
    rn_pixels pixels;
    const rn_image size = size_of(preprocess);
    const rn_resize_axis axes[2] = {{picture->width, size.width, 0, size.width},
                                    {picture->height, size.height, 0, size.height}};

    RN_TRY(rn_scratch_pixels(&pixels, scratch, preprocess));
    RN_TRY(rn_scratch_reserve(&scratch->source, size.channels, size.height, size.width));
    RN_TRY(rn_resize_filtered(pixels.bytes, pixels.channels, picture, axes, filter));
    to_planes(scratch->source.bytes, pixels.bytes, &size);
    *planes = scratch->source.bytes;
out:
    return st;
}

rn_status rn_preprocess_resized(const rn_preprocess *preprocess, float *dst,
                                const rn_samples *samples, const rn_augment *augment,
                                const rn_augment_where *where)
{
    rn_status st = RN_OK;
    rn_image picture = {samples->channels, samples->height, samples->width, NULL};
    const size_t bytes = (size_t)picture.channels * (size_t)picture.height * (size_t)picture.width;
    const uint8_t *planes = samples->images + where->sample * bytes;

    RN_TRY(make_picture(&picture, where->scratch, planes));
    if (augment->crop != RN_CROP_PAD)
        return rn_preprocess_photo(preprocess, dst, &picture, augment, where);
    RN_TRY(resize_whole(&planes, where->scratch, &picture, preprocess, augment->filter));
    RN_TRY(rn_preprocess_sample(preprocess, dst, planes, augment, where));
out:
    return st;
}
