#include "augment/photo_output.h"

#include <string.h>

enum { BYTES = 256 };

// One row of one channel. `values` is what every byte stands for; where each pixel has a mean of
// its own, it and the deviation follow. The sums are in the order of rn_preprocess_view()'s.
typedef struct row_output {
    const float *values;
    const float *mean, *deviation; // of the row's first pixel; NULL: in `values` already
    int channels, width;
    bool mirror;
} row_output;

// Normalised, then mirrored: a mean is that of the place before.
static void write_row(float *restrict dst, const uint8_t *restrict src, const row_output *row)
{
    const ptrdiff_t step = row->mirror ? -1 : 1;

    if (row->mirror)
        dst += row->width - 1;
    if (row->mean == NULL) {
        for (int x = 0; x < row->width; x++, src += row->channels, dst += step)
            *dst = row->values[*src];
        return;
    }
    for (int x = 0; x < row->width; x++, src += row->channels, dst += step)
        *dst = (row->values[*src] - row->mean[x]) / row->deviation[x];
}

static void fill_values(float values[BYTES], const rn_preprocess *preprocess, int channel,
                        float shift)
{
    const bool by_channel = preprocess->entries == (size_t)preprocess->channels &&
                            preprocess->normalize != RN_NORMALIZE_NONE;

    for (int v = 0; v < BYTES; v++) {
        values[v] = (float)v / 255.0f + shift;
        if (by_channel)
            values[v] = (values[v] - preprocess->mean[channel]) / preprocess->deviation[channel];
    }
}

void rn_photo_output(const rn_preprocess *preprocess, float *dst, const rn_pixels *pixels,
                     bool mirror, const float shift[3])
{
    const size_t channels = (size_t)pixels->channels, width = (size_t)pixels->width;
    float values[BYTES];
    row_output row = {values, NULL, NULL, pixels->channels, pixels->width, mirror};

    for (size_t c = 0; c < channels; c++) {
        fill_values(values, preprocess, (int)c, channels == 3 ? shift[c] : 0.0f);
        for (size_t y = 0; y < (size_t)pixels->height; y++) {
            size_t entry = (c * (size_t)pixels->height + y) * width;
            if (preprocess->entries > channels) {
                row.mean = preprocess->mean + entry;
                row.deviation = preprocess->deviation + entry;
            }
            write_row(dst + entry, pixels->bytes + y * width * channels + c, &row);
        }
    }
}

void rn_photo_output_shift(const rn_preprocess *preprocess, float *dst, const float shift[3])
{
    const size_t plane = (size_t)preprocess->height * (size_t)preprocess->width;
    const size_t channels = (size_t)preprocess->channels;

    for (size_t i = 0; i < channels * plane; i++) {
        size_t entry = preprocess->entries == channels ? i / plane : i;
        float deviation = preprocess->entries == 0 ? 1.0f : preprocess->deviation[entry];
        dst[i] += shift[i / plane] / deviation;
    }
}

void rn_photo_output_erase(const rn_preprocess *preprocess, float *dst, rn_rectangle part)
{
    const size_t width = (size_t)preprocess->width;

    for (int c = 0; c < preprocess->channels; c++) {
        for (int y = part.top; y < part.top + part.height; y++) {
            size_t row = (size_t)c * (size_t)preprocess->height + (size_t)y;
            memset(dst + row * width + part.left, 0, (size_t)part.width * sizeof *dst);
        }
    }
}
