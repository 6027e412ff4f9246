#include "image/resize.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

enum { WEIGHT_BITS = 22 }; // 32, less 8 of the pixels, less 2 for the sum's head room

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

// The triangle is one source pixel wide to either side when enlarging, one output pixel when
// shrinking: then every source pixel counts, which is what "antialiased" means.
static void fill_tap(taps *filter, const rn_resize_axis *axis, int index, double *weight)
{
    double scale = (double)axis->source / (double)axis->resized;
    double support = scale < 1.0 ? 1.0 : scale;
    double center = ((double)(axis->first + index) + 0.5) * scale, sum = 0.0;
    int start = (int)(center - support + 0.5), end = (int)(center + support + 0.5);

    start = start < 0 ? 0 : start;
    end = end > axis->source ? axis->source : end;
    for (int i = start; i < end; i++) {
        weight[i - start] = triangle(((double)i - center + 0.5) * (1.0 / support));
        sum += weight[i - start];
    }
    filter->start[index] = start;
    filter->length[index] = end - start;
    int32_t *fixed = filter->weight + (size_t)index * filter->stride;
    for (int i = 0; i < end - start; i++)
        fixed[i] = (int32_t)(0.5 + weight[i] / sum * (1 << WEIGHT_BITS));
}

static rn_status taps_init(taps *filter, const rn_resize_axis *axis)
{
    rn_status st = RN_OK;
    double *weight = NULL;
    double scale = (double)axis->source / (double)axis->resized;

    filter->stride = 2 * (size_t)ceil(scale < 1.0 ? 1.0 : scale) + 1;
    RN_TRY(RN_NEW(&filter->start, (size_t)axis->count));
    RN_TRY(RN_NEW(&filter->length, (size_t)axis->count));
    RN_TRY(rn_alloc((void **)&filter->weight, (size_t)axis->count,
                    filter->stride * sizeof *filter->weight));
    RN_TRY(RN_NEW(&weight, filter->stride));
    for (int i = 0; i < axis->count; i++)
        fill_tap(filter, axis, i, weight);
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

static void across(uint8_t *dst, const uint8_t *src, int channels, const taps *filter, int count)
{
    for (int i = 0; i < count; i++) {
        const int32_t *weight = filter->weight + (size_t)i * filter->stride;
        for (int c = 0; c < channels; c++) {
            const uint8_t *pixel = src + filter->start[i] * channels + c;
            int32_t sum = 1 << (WEIGHT_BITS - 1);
            for (int k = 0; k < filter->length[i]; k++, pixel += channels)
                sum += weight[k] * *pixel;
            *dst++ = to_byte(sum);
        }
    }
}

static void down(uint8_t *dst, const uint8_t *src, size_t row_bytes, const taps *filter, int index)
{
    const int32_t *weight = filter->weight + (size_t)index * filter->stride;

    for (size_t x = 0; x < row_bytes; x++) {
        const uint8_t *pixel = src + x;
        int32_t sum = 1 << (WEIGHT_BITS - 1);
        for (int k = 0; k < filter->length[index]; k++, pixel += row_bytes)
            sum += weight[k] * *pixel;
        dst[x] = to_byte(sum);
    }
}

rn_status rn_resize(uint8_t *dst, int channels, const rn_image *image, const rn_resize_axis *x,
                    const rn_resize_axis *y)
{
    rn_status st = RN_OK;
    taps columns = {0}, rows = {0};
    uint8_t *line = NULL, *narrow = NULL; // a source row; the needed rows, resized across
    size_t row_bytes = (size_t)x->count * (size_t)channels;
    size_t stored_bytes = (size_t)image->width * (size_t)image->channels;

    RN_TRY(taps_init(&columns, x));
    RN_TRY(taps_init(&rows, y));
    const int top = rows.start[0];
    const int bottom = rows.start[y->count - 1] + rows.length[y->count - 1];
    RN_TRY(RN_NEW(&line, (size_t)image->width * (size_t)channels));
    RN_TRY(rn_alloc((void **)&narrow, (size_t)(bottom - top), row_bytes));
    for (int row = top; row < bottom; row++) {
        convert_row(line, channels, image->pixels + (size_t)row * stored_bytes, image);
        across(narrow + (size_t)(row - top) * row_bytes, line, channels, &columns, x->count);
    }
    for (int i = 0; i < y->count; i++)
        down(dst + (size_t)i * row_bytes, narrow + (size_t)(rows.start[i] - top) * row_bytes,
             row_bytes, &rows, i);
out:
    rn_free(narrow);
    rn_free(line);
    taps_release(&rows);
    taps_release(&columns);
    return st;
}
