#include "image/resize.h"

#include "base/memory.h"
#include "image/image.h"

#include <math.h>
#include <string.h>

enum {
    WEIGHT_BITS = 22, // 32, less 8 of the pixels, less 2 for the sum's head room
    HALF = 1 << (WEIGHT_BITS - 1),
    PIECE = 256
};

// One direction with all that a caller may want.
typedef struct direction {
    rn_resize_axis axis;
    float from, to; // 0 <= from < to <= source: only this part is resized; both 0: all
    rn_resize_filter filter;
} direction;

// For every wanted output pixel i the source pixels [start[i], start[i] + length[i]) and their
// weights, weight[i * stride ...], which sum to 2^WEIGHT_BITS.
typedef struct taps {
    int *start, *length;
    int32_t *weight;
    size_t stride;
} taps;

static void taps_release(taps *filter)
{
    rn_free(filter->start);
    rn_free(filter->length);
    rn_free(filter->weight);
}

static double triangle(double x)
{
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

static double cubic(double x)
{
    const double a = -0.5;

    x = fabs(x);
    if (x < 1.0)
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * a : 0.0;
}

// Source pixels an output pixel.
static double scale_of(const direction *way)
{
    const bool all = way->from == 0.0f && way->to == 0.0f;
    const double length = all ? (double)way->axis.source : (double)(way->to - way->from);

    return length / (double)way->axis.resized; // floats are subtracted as in Pillow
}

// How far the filter reaches to either side, in source pixels: its own radius when enlarging, when
// shrinking as many output pixels. So every source pixel counts, which "antialiased" means.
static double support_of(const direction *way)
{
    const double radius = way->filter == RN_RESIZE_BICUBIC ? 2.0 : 1.0;

    return radius * fmax(scale_of(way), 1.0);
}

static int32_t to_fixed(double weight)
{
    weight *= 1 << WEIGHT_BITS;
    return (int32_t)(weight < 0.0 ? weight - 0.5 : weight + 0.5);
}

static void fill_tap(taps *filter, const direction *way, int index, double *weight)
{
    const double scale = scale_of(way), support = support_of(way);
    const double shrink = 1.0 / fmax(scale, 1.0);
    const double center = (double)way->from + ((double)(way->axis.first + index) + 0.5) * scale;
    int start = (int)(center - support + 0.5), end = (int)(center + support + 0.5);
    double sum = 0.0;

    start = start < 0 ? 0 : start;
    end = end > way->axis.source ? way->axis.source : end;
    for (int i = start; i < end; i++) {
        const double x = ((double)i - center + 0.5) * shrink;
        weight[i - start] = way->filter == RN_RESIZE_BICUBIC ? cubic(x) : triangle(x);
        sum += weight[i - start];
    }
    filter->start[index] = start;
    filter->length[index] = end - start;
    int32_t *fixed = filter->weight + (size_t)index * filter->stride;
    for (int i = 0; i < end - start; i++)
        fixed[i] = to_fixed(weight[i] / sum);
}

static rn_status taps_init(taps *filter, const direction *way)
{
    rn_status st = RN_OK;
    double *weight = NULL;

    filter->stride = 2 * (size_t)ceil(support_of(way)) + 1;
    RN_TRY(RN_NEW(&filter->start, (size_t)way->axis.count));
    RN_TRY(RN_NEW(&filter->length, (size_t)way->axis.count));
    RN_TRY(rn_alloc((void **)&filter->weight, (size_t)way->axis.count,
                    filter->stride * sizeof *filter->weight));
    RN_TRY(RN_NEW(&weight, filter->stride));
    for (int i = 0; i < way->axis.count; i++)
        fill_tap(filter, way, i, weight);
out:
    rn_free(weight);
    return st;
}

static uint8_t to_byte(int32_t sum)
{
    sum >>= WEIGHT_BITS;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

// Read one source row in the channels that the result has.
static void convert_row(uint8_t *dst, int channels, const uint8_t *src, const rn_image *image)
{
    size_t width = (size_t)image->width;

    if (channels == image->channels) {
        memcpy(dst, src, width * (size_t)channels);
    } else if (channels == 3) {
        for (size_t x = 0; x < width; x++)
            dst[3 * x] = dst[3 * x + 1] = dst[3 * x + 2] = src[x];
    } else {
        // 0.299 R + 0.587 G + 0.114 B in 16 bits
        for (size_t x = 0; x < width; x++, src += 3)
            dst[x] = (uint8_t)((src[0] * 19595u + src[1] * 38470u + src[2] * 7471u + 0x8000) >> 16);
    }
}

static void across_gray(uint8_t *dst, const uint8_t *src, const taps *filter, int count)
{
    for (int i = 0; i < count; i++) {
        const int32_t *weight = filter->weight + (size_t)i * filter->stride;
        const uint8_t *pixel = src + filter->start[i];
        int32_t sum = HALF;
        for (int k = 0; k < filter->length[i]; k++)
            sum += weight[k] * pixel[k];
        dst[i] = to_byte(sum);
    }
}

static void across_colour(uint8_t *dst, const uint8_t *src, const taps *filter, int count)
{
    for (int i = 0; i < count; i++, dst += 3) {
        const int32_t *weight = filter->weight + (size_t)i * filter->stride;
        const uint8_t *pixel = src + (size_t)filter->start[i] * 3;
        int32_t red = HALF, green = HALF, blue = HALF;
        for (int k = 0; k < filter->length[i]; k++, pixel += 3) {
            red += weight[k] * pixel[0];
            green += weight[k] * pixel[1];
            blue += weight[k] * pixel[2];
        }
        dst[0] = to_byte(red);
        dst[1] = to_byte(green);
        dst[2] = to_byte(blue);
    }
}

// Row by row in pieces that stay in the first cache: loops that compilers vectorise.
static void down(uint8_t *dst, const uint8_t *src, size_t row_bytes, const taps *filter, int index)
{
    const int32_t *weight = filter->weight + (size_t)index * filter->stride;
    int32_t sum[PIECE];

    for (size_t from = 0; from < row_bytes; from += PIECE) {
        const size_t count = row_bytes - from < PIECE ? row_bytes - from : PIECE;
        for (size_t x = 0; x < count; x++)
            sum[x] = HALF;
        for (int k = 0; k < filter->length[index]; k++) {
            const uint8_t *row = src + (size_t)k * row_bytes + from;
            for (size_t x = 0; x < count; x++)
                sum[x] += weight[k] * row[x];
        }
        for (size_t x = 0; x < count; x++)
            dst[from + x] = to_byte(sum[x]);
    }
}

static rn_status resize(uint8_t *dst, int channels, const rn_image *image, const direction *x,
                        const direction *y)
{
    rn_status st = RN_OK;
    taps columns = {0}, rows = {0};
    uint8_t *line = NULL, *narrow = NULL; // a source row; the needed rows, resized across
    size_t row_bytes = (size_t)x->axis.count * (size_t)channels;
    size_t stored_bytes = (size_t)image->width * (size_t)image->channels;

    RN_TRY(taps_init(&columns, x));
    RN_TRY(taps_init(&rows, y));
    void (*const across)(uint8_t *, const uint8_t *, const taps *, int) =
        channels == 1 ? across_gray : across_colour;
    const int top = rows.start[0];
    const int bottom = rows.start[y->axis.count - 1] + rows.length[y->axis.count - 1];
    RN_TRY(RN_NEW(&line, (size_t)image->width * (size_t)channels));
    RN_TRY(rn_alloc((void **)&narrow, (size_t)(bottom - top), row_bytes));
    for (int row = top; row < bottom; row++) {
        convert_row(line, channels, image->pixels + (size_t)row * stored_bytes, image);
        across(narrow + (size_t)(row - top) * row_bytes, line, &columns, x->axis.count);
    }
    for (int i = 0; i < y->axis.count; i++)
        down(dst + (size_t)i * row_bytes, narrow + (size_t)(rows.start[i] - top) * row_bytes,
             row_bytes, &rows, i);
out:
    rn_free(narrow);
    rn_free(line);
    taps_release(&rows);
    taps_release(&columns);
    return st;
}

rn_status rn_resize_filtered(uint8_t *dst, int channels, const rn_image *image,
                             const rn_resize_axis axes[2], rn_resize_filter filter)
{
    return resize(dst, channels, image, &(direction){.axis = axes[0], .filter = filter},
                  &(direction){.axis = axes[1], .filter = filter});
}

static rn_status check_box(const float box[4], const rn_image *image)
{
    if (box[0] == 0.0f && box[1] == 0.0f && box[2] == 0.0f && box[3] == 0.0f)
        return RN_OK;
    // Not-a-number fails these too.
    if (box[0] >= 0.0f && box[0] < box[2] && box[2] <= (float)image->width && box[1] >= 0.0f &&
        box[1] < box[3] && box[3] <= (float)image->height)
        return RN_OK;
    return rn_error(RN_EINVAL, "box is %g, %g, %g, %g, expected a part of a picture of %d x %d",
                    (double)box[0], (double)box[1], (double)box[2], (double)box[3], image->width,
                    image->height);
}

static rn_status check_options(const rn_resize_options *o, const rn_image *image)
{
    if (o->width < 1 || o->height < 1 || (int64_t)o->width * o->height > INT32_MAX)
        return rn_error(RN_EINVAL, "size is %d x %d, expected 1 to %d pixels in all", o->width,
                        o->height, INT32_MAX);
    if (o->channels != 0 && o->channels != 1 && o->channels != 3)
        return rn_error(RN_EINVAL, "picture in %d channels, expected 1 or 3", o->channels);
    if (o->filter != RN_RESIZE_BILINEAR && o->filter != RN_RESIZE_BICUBIC)
        return rn_error(RN_EINVAL, "there is no filter %d", (int)o->filter);
    return check_box(o->box, image);
}

rn_status rn_image_resize(rn_image **out, const rn_image *image, const rn_resize_options *options)
{
    rn_status st = RN_OK;
    rn_image *resized = NULL;
    const rn_resize_options *o = options;

    *out = NULL;
    RN_TRY(check_options(o, image));
    const direction x = {{image->width, o->width, 0, o->width}, o->box[0], o->box[2], o->filter};
    const direction y = {{image->height, o->height, 0, o->height}, o->box[1], o->box[3], o->filter};
    RN_TRY(rn_image_create(&resized, o->channels == 0 ? image->channels : o->channels, o->width,
                           o->height));
    RN_TRY(resize(resized->pixels, resized->channels, image, &x, &y));
    *out = resized;
    resized = NULL;
out:
    rn_image_free(resized);
    return st;
}
