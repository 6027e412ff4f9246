#include "augment/photo_colour.h"

#include "augment/rand_augment.h"

enum { USUAL_MAGNITUDE = 9, CHANGES = 4 };

static void rand_augment(rn_pixels *pixels, const rn_augment *augment, rn_stream *stream)
{
    const int magnitude =
        augment->randaugment_magnitude > 0 ? augment->randaugment_magnitude : USUAL_MAGNITUDE;

    for (int i = 0; i < augment->randaugment; i++) {
        uint32_t operation = rn_stream_below(stream, RN_OPERATIONS);
        bool opposite = rn_stream_below(stream, 2) == 1;
        rn_rand_augment_apply(pixels, (rn_operation)operation, magnitude, opposite);
    }
}

static double draw_factor(double spread, rn_stream *stream)
{
    double low = spread < 1 ? 1 - spread : 0;

    return spread > 0 ? low + (1 + spread - low) * (double)rn_stream_uniform(stream) : 1;
}

static void jitter(rn_pixels *pixels, const rn_augment *augment, rn_stream *stream)
{
    uint32_t order[CHANGES] = {0, 1, 2, 3};

    rn_stream_shuffle(stream, order, CHANGES);
    const float brightness = (float)draw_factor(augment->brightness, stream);
    const float contrast = (float)draw_factor(augment->contrast, stream);
    const float saturation = (float)draw_factor(augment->saturation, stream);
    const double turn =
        augment->hue > 0 ? augment->hue * (2 * (double)rn_stream_uniform(stream) - 1) : 0;
    for (int i = 0; i < CHANGES; i++) {
        if (order[i] == 0 && augment->brightness > 0)
            rn_pixels_brightness(pixels, brightness);
        else if (order[i] == 1 && augment->contrast > 0)
            rn_pixels_contrast(pixels, contrast);
        else if (order[i] == 2 && augment->saturation > 0)
            rn_pixels_saturation(pixels, saturation);
        else if (order[i] == 3 && augment->hue > 0)
            rn_pixels_hue(pixels, turn);
    }
}

void rn_photo_change(rn_pixels *pixels, const rn_augment *augment, rn_stream *stream)
{
    rand_augment(pixels, augment, stream);
    if (augment->brightness > 0 || augment->contrast > 0 || augment->saturation > 0 ||
        augment->hue > 0)
        jitter(pixels, augment, stream);
}

// Of the covariance of ImageNet's R, G and B from 0 to 1: eigenvectors in columns. Constants of
// github.com/facebookarchive/fb.resnet.torch, datasets/imagenet.lua.
static const double eigenvalue[3] = {0.2175, 0.0188, 0.0045};
static const double eigenvector[3][3] = {
    {-0.5675, 0.7192, 0.4009}, {-0.5808, -0.0045, -0.8140}, {-0.5836, -0.6948, 0.4203}};

void rn_photo_shift(float shift[3], const rn_augment *augment, rn_stream *stream)
{
    double along[3] = {0};

    for (int i = 0; i < 3 && augment->pca > 0; i++)
        along[i] = augment->pca * (double)rn_stream_normal(stream) * eigenvalue[i];
    for (int c = 0; c < 3; c++)
        shift[c] = (float)(eigenvector[c][0] * along[0] + eigenvector[c][1] * along[1] +
                           eigenvector[c][2] * along[2]);
}

rn_rectangle rn_photo_erase(const rn_augment *augment, int height, int width, rn_stream *stream)
{
    const rn_rectangle_range range = {
        .least_area = 0.02,
        .most_area = 0.33,
        .least_aspect = 1 / 3.3,
        .most_aspect = 1 / 0.3,
        .smaller = true,
    };
    rn_rectangle none = {0}, drawn;

    if (!(augment->erase > 0) || !((double)rn_stream_uniform(stream) < augment->erase))
        return none;
    return rn_rectangle_draw(&drawn, height, width, &range, stream) ? drawn : none;
}
