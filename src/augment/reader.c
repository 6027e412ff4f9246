#include "augment/reader.h"

#include "augment/photo_crop.h"
#include "augment/resized.h"

static bool same_size(const rn_samples *samples, const rn_preprocess *preprocess)
{
    return samples->channels == preprocess->channels && samples->height == preprocess->height &&
           samples->width == preprocess->width;
}

rn_status rn_reader_check(const rn_samples *samples, const rn_preprocess *preprocess)
{
    if (samples->photos != NULL || same_size(samples, preprocess))
        return RN_OK;
    return rn_error(RN_EINVAL, "images are %d x %d x %d, expected %d x %d x %d as normalization",
                    samples->channels, samples->height, samples->width, preprocess->channels,
                    preprocess->height, preprocess->width);
}

rn_status rn_reader_init(rn_reader *reader, const rn_samples *samples,
                         const rn_preprocess *preprocess)
{
    rn_status st = RN_OK;

    *reader = (rn_reader){samples, preprocess, NULL};
    RN_TRY(rn_reader_check(samples, preprocess));
    RN_TRY(rn_scratch_create(&reader->scratch));
out:
    return st;
}

void rn_reader_release(rn_reader *reader)
{
    rn_scratch_free(reader->scratch);
    *reader = (rn_reader){0};
}

void rn_reader_use(rn_reader *reader, const rn_preprocess *preprocess)
{
    reader->preprocess = preprocess;
}

bool rn_is_bad_picture(rn_status status)
{
    return status == RN_EFORMAT || status == RN_ENOTFOUND || status == RN_EIO;
}

// What the whole picture will be shrunk to, if it is; a random area may be enlarged instead.
static rn_decode_options shrunk(const rn_preprocess *preprocess, const rn_augment *augment)
{
    rn_decode_options options = {.cover_width = preprocess->width,
                                 .cover_height = preprocess->height};

    if (augment == NULL)
        return options;
    const int high = rn_augment_high(augment);
    if (augment->crop == RN_CROP_AREA)
        return (rn_decode_options){0};
    if (augment->crop == RN_CROP_RESIZE) {
        options.cover_width = high > preprocess->width ? high : preprocess->width;
        options.cover_height = high > preprocess->height ? high : preprocess->height;
    }
    if (augment->crop == RN_CROP_CENTRE && augment->crop_ratio > 0) {
        options.cover_width = (int)(options.cover_width / augment->crop_ratio) + 1;
        options.cover_height = (int)(options.cover_height / augment->crop_ratio) + 1;
    }
    return options;
}

static rn_status read_photo(const rn_reader *reader, float *dst, const rn_augment *augment,
                            const rn_augment_where *where)
{
    rn_status st = RN_OK;
    rn_image *image = NULL;
    const rn_decode_options options = shrunk(reader->preprocess, augment);

    RN_TRY(rn_photos_decode(&image, reader->samples->photos, where->sample, &options));
    RN_TRY(rn_preprocess_photo(reader->preprocess, dst, image, augment, where));
out:
    rn_image_free(image);
    return st;
}

rn_status rn_reader_input(const rn_reader *reader, float *dst, const rn_augment *augment,
                          const rn_augment_where *where)
{
    const rn_samples *samples = reader->samples;
    size_t volume = (size_t)samples->channels * (size_t)samples->height * (size_t)samples->width;
    rn_augment_where here = *where;

    here.scratch = reader->scratch;
    if (samples->photos != NULL)
        return read_photo(reader, dst, augment, &here);
    if (!same_size(samples, reader->preprocess))
        return rn_preprocess_resized(reader->preprocess, dst, samples, augment, &here);
    return rn_preprocess_sample(reader->preprocess, dst, samples->images + where->sample * volume,
                                augment, &here);
}
