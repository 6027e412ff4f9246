#include "train/whiten.h"

#include "base/memory.h"

#include <math.h>

static const double EPSILON = 5e-4; // of a normalised value's square

enum { MOST_VALUES = 1024 };

typedef struct whitening {
    const rn_preprocess *preprocess;
    const rn_samples *samples;
    size_t images;
    int kernel, values;   // of a patch: its side, and channels * side * side
    float *image;         // normalised
    double *moments;      // [values][values]
    double *eigenvalues;  // [values]
    double *eigenvectors; // [values][values]
} whitening;

static int first_conv(const rn_weights *weights)
{
    for (int i = 0; i < rn_weights_count(weights); i++)
        if (rn_weights_param(weights, i)->kind == RN_PARAM_CONV_WEIGHT)
            return i;
    return RN_NO_PARAM;
}

// Where value i of the patch at 0, 0 lies in the image; values are in OIHW's order.
static size_t place(const whitening *w, int i)
{
    int area = w->kernel * w->kernel;
    int c = i / area, y = i % area / w->kernel, x = i % w->kernel;

    return ((size_t)c * (size_t)w->samples->height + (size_t)y) * (size_t)w->samples->width +
           (size_t)x;
}

// Sum over all patches of one image of value i times value j.
static double product(const whitening *w, int i, int j)
{
    const float *a = w->image + place(w, i), *b = w->image + place(w, j);
    int rows = w->samples->height - w->kernel + 1, columns = w->samples->width - w->kernel + 1;
    double sum = 0;

    for (int y = 0; y < rows; y++, a += w->samples->width, b += w->samples->width) {
        float row = 0;
        for (int x = 0; x < columns; x++)
            row += a[x] * b[x];
        sum += (double)row;
    }
    return sum;
}

// The upper triangle, then the lower; the order of the sums is that of the images.
static void measure(whitening *w)
{
    size_t volume =
        (size_t)w->samples->channels * (size_t)w->samples->height * (size_t)w->samples->width;
    double patches = (double)w->images * (w->samples->height - w->kernel + 1) *
                     (w->samples->width - w->kernel + 1);
    int n = w->values;

    for (size_t k = 0; k < w->images; k++) {
        rn_preprocess_apply(w->preprocess, w->image, w->samples->images + k * volume, NULL, 0, 0,
                            0);
#pragma omp parallel for schedule(static, 1)
        for (int i = 0; i < n; i++)
            for (int j = i; j < n; j++)
                w->moments[i * n + j] += product(w, i, j) / patches;
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++)
            w->moments[i * n + j] = w->moments[j * n + i];
}

static double sign_of(const double *vector, int count)
{
    int most = 0;

    for (int i = 1; i < count; i++)
        if (fabs(vector[i]) > fabs(vector[most]) + 1e-9) // of equals the first
            most = i;
    return vector[most] < 0 ? -1 : 1;
}

static void write_filters(const whitening *w, float *filters, int out)
{
    int n = out / 2 < w->values ? out / 2 : w->values;

    for (int i = 0; i < n; i++) {
        const double *vector = w->eigenvectors + (size_t)i * (size_t)w->values;
        double scale = sign_of(vector, w->values) / sqrt(fmax(w->eigenvalues[i], 0) + EPSILON);
        for (int k = 0; k < w->values; k++) {
            filters[i * w->values + k] = (float)(scale * vector[k]);
            filters[(n + i) * w->values + k] = (float)(-scale * vector[k]);
        }
    }
}

static rn_status prepare(whitening *w, const rn_param *conv)
{
    rn_status st = RN_OK;
    const rn_samples *s = w->samples;

    w->kernel = conv->shape[2];
    w->values = conv->shape[1] * w->kernel * w->kernel;
    if (w->values > MOST_VALUES)
        return rn_error(RN_EINVAL, "'%s' sees patches of %d values, at most %d can be whitened",
                        conv->name, w->values, MOST_VALUES);
    if (s->height < w->kernel || s->width < w->kernel || s->channels != conv->shape[1])
        return rn_error(RN_EINVAL, "images of %d x %d x %d have no patches for '%s'", s->channels,
                        s->height, s->width, conv->name);
    size_t n = (size_t)w->values;
    RN_TRY(RN_NEW(&w->image, (size_t)s->channels * (size_t)s->height * (size_t)s->width));
    RN_TRY(RN_NEW(&w->moments, n * n));
    RN_TRY(RN_NEW(&w->eigenvalues, n));
    RN_TRY(RN_NEW(&w->eigenvectors, n * n));
out:
    return st;
}

rn_status rn_whiten(rn_weights *weights, const rn_preprocess *preprocess, const rn_samples *samples,
                    size_t images)
{
    rn_status st = RN_OK;
    whitening w = {.preprocess = preprocess,
                   .samples = samples,
                   .images = images < samples->count ? images : samples->count};
    int index = first_conv(weights);

    RN_TRY(rn_samples_require_images(samples));
    if (index == RN_NO_PARAM)
        return rn_error(RN_EINVAL, "a network without convolution has nothing to whiten");
    const rn_param *conv = rn_weights_param(weights, index);
    RN_TRY(prepare(&w, conv));
    measure(&w);
    rn_symmetric_eigen(w.moments, w.values, w.eigenvalues, w.eigenvectors);
    write_filters(&w, rn_weights_data(weights, index), conv->shape[0]);
out:
    rn_free(w.image);
    rn_free(w.moments);
    rn_free(w.eigenvalues);
    rn_free(w.eigenvectors);
    return st;
}
