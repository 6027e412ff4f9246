#include "data/samples.h"
#include "image/image.h"

// The bytes of a set of images of one size, as a picture.
static rn_status from_planes(rn_image **out, const rn_samples *samples, size_t index)
{
    rn_status st = RN_OK;
    size_t channels = (size_t)samples->channels;
    size_t plane = (size_t)samples->height * (size_t)samples->width;
    const uint8_t *src = samples->images + index * channels * plane;

    RN_TRY(rn_image_create(out, samples->channels, samples->width, samples->height));
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < plane; i++)
            (*out)->pixels[i * channels + c] = *src++;
out:
    return st;
}

rn_status rn_samples_picture(rn_image **out, const rn_samples *samples, size_t index,
                             const rn_decode_options *options)
{
    return samples->photos == NULL ? from_planes(out, samples, index)
                                   : rn_photos_decode(out, samples->photos, index, options);
}
