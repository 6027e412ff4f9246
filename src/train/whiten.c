#include "train/whiten.h"

#include "augment/reader.h"
#include "base/memory.h"

#include <math.h>

static const double EPSILON = 5e-4; // of a normalised value's square

enum { MOST_VALUES = 1024 };

typedef struct whitening {
    const rn_preprocess *preprocess;
    const rn_samples *samples;
    const rn_whiten_options *options;
    size_t images; // that are to count
    int channels, height, width;
    int kernel, values;   // of a patch: its side, and channels * side * side
    const float *image;   // normalised; borrowed
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

    return ((size_t)c * (size_t)w->height + (size_t)y) * (size_t)w->width + (size_t)x;
}

// Sum over all patches of one image of value i times value j.
static double product(const whitening *w, int i, int j)
{
    const float *a = w->image + place(w, i), *b = w->image + place(w, j);
    int rows = w->height - w->kernel + 1, columns = w->width - w->kernel + 1;
    double sum = 0;

    for (int y = 0; y < rows; y++, a += w->width, b += w->width) {
        float row = 0;
        for (int x = 0; x < columns; x++)
            row += a[x] * b[x];
        sum += (double)row;
    }
    return sum;
}

// The upper triangle.
static void add_image(whitening *w, const float *image)
{
    double patches = (double)w->images * (w->height - w->kernel + 1) * (w->width - w->kernel + 1);
    int n = w->values;

    w->image = image;
#pragma omp parallel for schedule(static, 1)
    for (int i = 0; i < n; i++)
        for (int j = i; j < n; j++)
            w->moments[i * n + j] += product(w, i, j) / patches;
}

static rn_status pass_over(const whitening *w, const rn_picture *picture)
{
    if (!rn_is_bad_picture(picture->status) || w->options->bad_images == RN_BAD_IMAGES_STOP)
        return rn_error(picture->status, "%s", picture->message);
    if (w->options->on_bad != NULL)
        w->options->on_bad(picture->message, w->options->context);
    return RN_OK;
}

// The order of the sums is that of the set.
static rn_status add_images(whitening *w, rn_pictures *pictures)
{
    rn_status st = RN_OK;
    const rn_picture *picture;
    size_t seen = 0;

    while (seen < w->images) {
        if (w->options->stop != NULL && *w->options->stop)
            return rn_error(RN_EINTERRUPTED, "stopped while the first convolution is made");
        RN_TRY(rn_pictures_next(pictures, &picture));
        if (picture == NULL)
            break;
        if (picture->status != RN_OK) {
            RN_TRY(pass_over(w, picture));
            continue;
        }
        add_image(w, picture->input);
        seen++;
    }
    if (seen == 0)
        return rn_error(RN_EFORMAT, "none of the %zu pictures of %s can be read", w->samples->count,
                        w->samples->name);
    for (int i = 0; seen < w->images && i < w->values * w->values; i++)
        w->moments[i] *= (double)w->images / (double)seen;
out:
    return st;
}

static rn_status measure(whitening *w)
{
    rn_status st = RN_OK;
    rn_pictures *pictures = NULL;
    const int workers = w->options->workers == 0 ? 1 : w->options->workers, n = w->values;
    const rn_pictures_options options = {
        .workers = workers, .ahead = 2 * workers, .samples = w->samples};

    RN_TRY(rn_pictures_create(&pictures, w->preprocess, &options));
    RN_TRY(add_images(w, pictures));
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++)
            w->moments[i * n + j] = w->moments[j * n + i];
out:
    rn_pictures_free(pictures);
    return st;
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

// Pictures are cut to the network's input, images are of its size.
static rn_status prepare(whitening *w, const rn_param *conv)
{
    rn_status st = RN_OK;
    const bool photos = w->samples->photos != NULL;

    w->channels = photos ? w->preprocess->channels : w->samples->channels;
    w->height = photos ? w->preprocess->height : w->samples->height;
    w->width = photos ? w->preprocess->width : w->samples->width;
    w->kernel = conv->shape[2];
    w->values = conv->shape[1] * w->kernel * w->kernel;
    if (w->values > MOST_VALUES)
        return rn_error(RN_EINVAL, "'%s' sees patches of %d values, at most %d can be whitened",
                        conv->name, w->values, MOST_VALUES);
    if (w->height < w->kernel || w->width < w->kernel || w->channels != conv->shape[1])
        return rn_error(RN_EINVAL, "images of %d x %d x %d have no patches for '%s'", w->channels,
                        w->height, w->width, conv->name);
    size_t n = (size_t)w->values;
    RN_TRY(RN_NEW(&w->moments, n * n));
    RN_TRY(RN_NEW(&w->eigenvalues, n));
    RN_TRY(RN_NEW(&w->eigenvectors, n * n));
out:
    return st;
}

rn_status rn_whiten(rn_weights *weights, const rn_preprocess *preprocess, const rn_samples *samples,
                    const rn_whiten_options *options)
{
    rn_status st = RN_OK;
    whitening w = {.preprocess = preprocess,
                   .samples = samples,
                   .options = options,
                   .images = options->images < samples->count ? options->images : samples->count};
    int index = first_conv(weights);

    if (index == RN_NO_PARAM)
        return rn_error(RN_EINVAL, "a network without convolution has nothing to whiten");
    const rn_param *conv = rn_weights_param(weights, index);
    RN_TRY(prepare(&w, conv));
    RN_TRY(measure(&w));
    rn_symmetric_eigen(w.moments, w.values, w.eigenvalues, w.eigenvectors);
    write_filters(&w, rn_weights_data(weights, index), conv->shape[0]);
out:
    rn_free(w.moments);
    rn_free(w.eigenvalues);
    rn_free(w.eigenvectors);
    return st;
}
