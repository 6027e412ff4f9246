#include "augment/photo_colour.h"
#include "augment/photo_output.h"
#include "augment/scratch.h"
#include "augment/view.h"

static bool only_moves(const rn_augment *augment)
{
    return augment->crop == RN_CROP_PAD && augment->randaugment == 0 &&
           !(augment->brightness > 0) && !(augment->contrast > 0) && !(augment->saturation > 0) &&
           !(augment->hue > 0) && !(augment->pca > 0) && !(augment->erase > 0);
}

static void to_pixels(uint8_t *dst, const uint8_t *planes, const rn_preprocess *size)
{
    const size_t channels = (size_t)size->channels;
    const size_t plane = (size_t)size->height * (size_t)size->width;

    for (size_t i = 0; i < plane; i++)
        for (size_t c = 0; c < channels; c++)
            *dst++ = planes[c * plane + i];
}

static void to_planes(uint8_t *dst, const uint8_t *pixels, const rn_preprocess *size)
{
    const size_t channels = (size_t)size->channels;
    const size_t plane = (size_t)size->height * (size_t)size->width;

    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < plane; i++)
            *dst++ = pixels[i * channels + c];
}

// The crop of a padded image needs its pixels in planes; changes need them together.
static rn_status make_padded(const rn_preprocess *preprocess, float *dst, const uint8_t *image,
                             const rn_augment *augment, const rn_augment_where *where)
{
    rn_status st = RN_OK;
    rn_stream stream;
    rn_pixels pixels;
    float shift[3];

    RN_TRY(rn_scratch_pixels(&pixels, where->scratch, preprocess));
    rn_stream_init(&stream, where->seed, RN_PURPOSE_AUGMENT, where->epoch, where->sample);
    const rn_view view = rn_view_draw(&stream, augment, where);
    to_pixels(pixels.bytes, image, preprocess);
    rn_photo_change(&pixels, augment, &stream);
    to_planes(pixels.spare, pixels.bytes, preprocess);
    rn_preprocess_view(preprocess, dst, pixels.spare, &view);
    rn_photo_shift(shift, augment, &stream);
    if (augment->pca > 0 && preprocess->channels == 3)
        rn_photo_output_shift(preprocess, dst, shift);
    rn_photo_output_erase(preprocess, dst,
                          rn_photo_erase(augment, preprocess->height, preprocess->width, &stream));
out:
    return st;
}

static rn_status make_cropped(const rn_preprocess *preprocess, float *dst, const uint8_t *image,
                              const rn_augment *augment, const rn_augment_where *where)
{
    rn_status st = RN_OK;
    scratch_buffer *room = &where->scratch->image;
    rn_image picture = {preprocess->channels, preprocess->height, preprocess->width, NULL};

    RN_TRY(rn_scratch_reserve(room, picture.channels, picture.height, picture.width));
    picture.pixels = room->bytes;
    to_pixels(picture.pixels, image, preprocess);
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
