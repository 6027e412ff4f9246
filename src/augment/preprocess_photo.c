#include "augment/photo_colour.h"
#include "augment/photo_output.h"
#include "augment/scratch.h"

#include <string.h>

static rn_status check_picture(const rn_image *image)
{
    if ((image->channels != 1 && image->channels != 3) || image->width < 1 || image->height < 1)
        return rn_error(RN_EINVAL, "picture is %d x %d with %d channels, expected 1 or 3",
                        image->width, image->height, image->channels);
    return RN_OK;
}

// A part of the picture as a picture of its own, copied only where it is not whole rows.
static rn_status take_part(rn_image *part, scratch_buffer *room, const rn_image *image,
                           const rn_photo_crop *crop)
{
    rn_status st = RN_OK;
    const size_t pixel = (size_t)image->channels, stride = pixel * (size_t)image->width;
    const size_t bytes = pixel * (size_t)crop->x.source;
    uint8_t *first = image->pixels + (size_t)crop->top * stride + (size_t)crop->left * pixel;

    *part = (rn_image){image->channels, crop->y.source, crop->x.source, first};
    if (part->width == image->width)
        return RN_OK;
    RN_TRY(rn_scratch_reserve(room, part->channels, part->height, part->width));
    part->pixels = room->bytes;
    for (int y = 0; y < part->height; y++)
        memcpy(room->bytes + (size_t)y * bytes, first + (size_t)y * stride, bytes);
out:
    return st;
}

static bool draw_mirror(rn_stream *stream, const rn_augment *augment, const rn_augment_where *where)
{
    bool mirror = rn_stream_below(stream, 2) == 1;
    rn_stream first;

    if (augment->alternate_flip) {
        rn_stream_init(&first, where->seed, RN_PURPOSE_AUGMENT, 0, where->sample);
        mirror = (rn_stream_below(&first, 2) == 1) != (where->epoch % 2 == 1);
    }
    return mirror && augment->flip;
}

static rn_status make_photo(const rn_preprocess *preprocess, float *dst, const rn_image *image,
                            const rn_augment *augment, const rn_augment_where *where)
{
    rn_status st = RN_OK;
    rn_stream stream;
    rn_pixels pixels;
    rn_image part;
    float shift[3];

    RN_TRY(rn_scratch_pixels(&pixels, where->scratch, preprocess));
    RN_TRY(check_picture(image));
    rn_stream_init(&stream, where->seed, RN_PURPOSE_AUGMENT, where->epoch, where->sample);
    const bool mirror = draw_mirror(&stream, augment, where);
    const rn_photo_crop crop = rn_photo_crop_draw(augment, image, preprocess, &stream);
    RN_TRY(take_part(&part, &where->scratch->source, image, &crop));
    const rn_resize_axis axes[2] = {crop.x, crop.y};
    RN_TRY(rn_resize_filtered(pixels.bytes, pixels.channels, &part, axes, augment->filter));
    rn_photo_change(&pixels, augment, &stream);
    rn_photo_shift(shift, augment, &stream);
    rn_photo_output(preprocess, dst, &pixels, mirror, shift);
    rn_photo_output_erase(preprocess, dst,
                          rn_photo_erase(augment, pixels.height, pixels.width, &stream));
out:
    return st;
}

static rn_augment centre_of(const rn_preprocess *preprocess)
{
    return (rn_augment){.crop = RN_CROP_CENTRE, .crop_ratio = preprocess->centre_ratio};
}

rn_status rn_preprocess_photo(const rn_preprocess *preprocess, float *dst, const rn_image *image,
                              const rn_augment *augment, const rn_augment_where *where)
{
    const rn_augment centre = centre_of(preprocess);
    rn_scratch own = {0};
    const rn_augment_where full = rn_scratch_choose(where, &own);
    rn_status st = make_photo(preprocess, dst, image, augment != NULL ? augment : &centre, &full);
    rn_scratch_release(&own);
    return st;
}

rn_status rn_preprocess_image(const rn_preprocess *preprocess, float *dst, const rn_image *image)
{
    return rn_preprocess_photo(preprocess, dst, image, NULL, NULL);
}

rn_window rn_preprocess_window(const rn_preprocess *preprocess, const rn_image *image)
{
    rn_stream stream; // of which nothing is drawn

    rn_stream_init(&stream, 0, RN_PURPOSE_AUGMENT, 0, 0);
    const rn_augment centre = centre_of(preprocess);
    const rn_photo_crop crop = rn_photo_crop_draw(&centre, image, preprocess, &stream);
    const double across = (double)crop.x.source / (double)crop.x.resized;
    const double down = (double)crop.y.source / (double)crop.y.resized;
    return (rn_window){crop.left + (double)crop.x.first * across,
                       crop.top + (double)crop.y.first * down, crop.x.count * across,
                       crop.y.count * down};
}
