#include "augment/normalize.h"
#include "augment/view.h"

#include <string.h>

const char *rn_pad_mode_name(rn_pad_mode mode)
{
    return mode == RN_PAD_ZERO ? "zero" : mode == RN_PAD_REFLECT ? "reflect" : NULL;
}

const char *rn_crop_name(rn_crop crop)
{
    static const char *const names[] = {"pad", "resize", "area", "centre"};

    return (unsigned)crop < sizeof names / sizeof *names ? names[crop] : NULL;
}

const char *rn_resize_filter_name(rn_resize_filter filter)
{
    return filter == RN_RESIZE_BILINEAR  ? "bilinear"
           : filter == RN_RESIZE_BICUBIC ? "bicubic"
                                         : NULL;
}

static bool draw_flip(const rn_augment *augment, rn_stream *stream)
{
    return rn_stream_below(stream, 2) == 1 && augment->flip;
}

// The draw of epoch 0, turned around in every odd epoch.
static bool alternate_flip(const rn_augment *augment, const rn_augment_where *where)
{
    rn_stream stream;
    uint32_t places = 2 * (uint32_t)augment->pad + 1;

    rn_stream_init(&stream, where->seed, RN_PURPOSE_AUGMENT, 0, where->sample);
    (void)rn_stream_below(&stream, places);
    (void)rn_stream_below(&stream, places);
    return draw_flip(augment, &stream) != (where->epoch % 2 == 1);
}

// The order of the draws is part of the format: it decides what every sample of a run looks like.
rn_view rn_view_draw(rn_stream *stream, const rn_augment *augment, const rn_augment_where *where)
{
    rn_view view = {0};

    if (augment->pad == 0 && !augment->flip)
        return view;
    uint32_t places = 2 * (uint32_t)augment->pad + 1;
    view.top = (int)rn_stream_below(stream, places) - augment->pad;
    view.left = (int)rn_stream_below(stream, places) - augment->pad;
    view.pad_mode = augment->pad_mode;
    view.flip = draw_flip(augment, stream);
    if (augment->flip && augment->alternate_flip)
        view.flip = alternate_flip(augment, where);
    return view;
}

// The divisions are kept (a product would be faster) so that every bit is what the formula says.
void rn_normalize_span(const rn_preprocess *preprocess, float *restrict dst,
                       const uint8_t *restrict src, size_t entry, int count)
{
    const float *mean = preprocess->mean + entry, *deviation = preprocess->deviation + entry;

    switch (preprocess->normalize) {
    case RN_NORMALIZE_IMAGENET: // which no preprocess has
    case RN_NORMALIZE_NONE:
        for (int i = 0; i < count; i++)
            dst[i] = (float)src[i] / 255.0f;
        break;
    case RN_NORMALIZE_CHANNEL:
        for (int i = 0; i < count; i++)
            dst[i] = ((float)src[i] / 255.0f - *mean) / *deviation;
        break;
    case RN_NORMALIZE_PIXEL:
        for (int i = 0; i < count; i++)
            dst[i] = ((float)src[i] / 255.0f - mean[i]) / deviation[i];
        break;
    case RN_NORMALIZE_CHANNEL_MEAN:
        for (int i = 0; i < count; i++)
            dst[i] = (float)src[i] / 255.0f - *mean;
        break;
    case RN_NORMALIZE_PIXEL_MEAN:
        for (int i = 0; i < count; i++)
            dst[i] = (float)src[i] / 255.0f - mean[i];
        break;
    }
}

void rn_mirror_row(float *row, int width)
{
    for (int i = 0, j = width - 1; i < j; i++, j--) {
        float value = row[i];
        row[i] = row[j];
        row[j] = value;
    }
}

// Columns [first, first + count) of the crop lie inside the image, the others in the padding.
typedef struct span {
    int first, count;
} span;

static span span_inside(int left, int width)
{
    int first = left < 0 ? -left : 0;
    int end = left > 0 ? width - left : width;

    return first < end ? (span){first, end - first} : (span){0, 0};
}

// Where the reflection of a position around 0 .. size - 1 lies.
static int reflected(int at, int size)
{
    int period = 2 * (size - 1);

    if (period == 0)
        return 0;
    at = at % period;
    at = at < 0 ? at + period : at;
    return at < size ? at : period - at;
}

static size_t entry_of(const rn_preprocess *preprocess, int plane, size_t at)
{
    if (preprocess->entries == 0)
        return 0;
    return preprocess->entries == (size_t)preprocess->channels ? (size_t)plane : at;
}

// One row of the view: `inside` from the image's row, the rest zero or reflected. `plane` and `row`
// say which row it is; the mean belongs to a place of the image, not of the crop.
static void fill_row(const rn_preprocess *preprocess, float *dst, const uint8_t *image, int plane,
                     int row, const rn_view *view, span inside)
{
    const int width = preprocess->width;
    size_t first = ((size_t)plane * (size_t)preprocess->height + (size_t)row) * (size_t)width;

    size_t from = (size_t)(view->left + inside.first);
    if (inside.count > 0)
        rn_normalize_span(preprocess, dst + inside.first, image + first + from,
                          entry_of(preprocess, plane, first + from), inside.count);
    for (int x = 0; x < width && inside.count < width; x++) {
        if (x >= inside.first && x < inside.first + inside.count)
            continue;
        size_t column = (size_t)reflected(x + view->left, width);
        dst[x] = 0;
        if (view->pad_mode == RN_PAD_REFLECT)
            rn_normalize_span(preprocess, dst + x, image + first + column,
                              entry_of(preprocess, plane, first + column), 1);
    }
}

void rn_preprocess_view(const rn_preprocess *preprocess, float *dst, const uint8_t *image,
                        const rn_view *view)
{
    const int height = preprocess->height, width = preprocess->width;
    const span inside = span_inside(view->left, width);

    for (int c = 0; c < preprocess->channels; c++) {
        for (int y = 0; y < height; y++, dst += width) {
            int row = y + view->top;
            if (view->pad_mode == RN_PAD_REFLECT)
                row = reflected(row, height);
            if (row < 0 || row >= height) {
                memset(dst, 0, (size_t)width * sizeof *dst);
                continue;
            }
            fill_row(preprocess, dst, image, c, row, view, inside);
            if (view->flip)
                rn_mirror_row(dst, width);
        }
    }
}

void rn_preprocess_apply(const rn_preprocess *preprocess, float *dst, const uint8_t *image,
                         const rn_augment *augment, uint64_t seed, uint32_t epoch, uint32_t sample)
{
    const rn_augment_where where = {seed, epoch, sample, NULL};
    rn_view view = {0};
    rn_stream stream;

    rn_stream_init(&stream, seed, RN_PURPOSE_AUGMENT, epoch, sample);
    if (augment != NULL)
        view = rn_view_draw(&stream, augment, &where);
    rn_preprocess_view(preprocess, dst, image, &view);
}
