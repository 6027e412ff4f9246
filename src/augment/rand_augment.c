#include "augment/rand_augment.h"

// At full magnitude. Translations are a share of the side.
static const double LARGEST_SHEAR = 0.3, LARGEST_MOVE = 150.0 / 331.0, LARGEST_TURN = 30.0;
static const double LARGEST_FACTOR = 0.9, MOST_BITS_LOST = 4.0;

static void shear(rn_pixels *pixels, double x, double y)
{
    const double m[6] = {1, x, 0, y, 1, 0};

    rn_pixels_affine(pixels, m);
}

static void translate(rn_pixels *pixels, double x, double y)
{
    const double m[6] = {1, 0, -(double)(int)x, 0, 1, -(double)(int)y};

    rn_pixels_affine(pixels, m);
}

void rn_rand_augment_apply(rn_pixels *pixels, rn_operation operation, int magnitude, bool opposite)
{
    const double share = (double)magnitude / RN_STRONGEST, way = opposite ? -share : share;
    const float factor = (float)(1.0 + way * LARGEST_FACTOR);

    switch (operation) {
    case RN_SHEAR_X:
        shear(pixels, way * LARGEST_SHEAR, 0);
        break;
    case RN_SHEAR_Y:
        shear(pixels, 0, way * LARGEST_SHEAR);
        break;
    case RN_TRANSLATE_X:
        translate(pixels, way * LARGEST_MOVE * pixels->width, 0);
        break;
    case RN_TRANSLATE_Y:
        translate(pixels, 0, way * LARGEST_MOVE * pixels->height);
        break;
    case RN_ROTATE:
        rn_pixels_rotate(pixels, way * LARGEST_TURN);
        break;
    case RN_BRIGHTNESS:
        rn_pixels_brightness(pixels, factor);
        break;
    case RN_COLOR:
        rn_pixels_saturation(pixels, factor);
        break;
    case RN_CONTRAST:
        rn_pixels_contrast(pixels, factor);
        break;
    case RN_SHARPNESS:
        rn_pixels_sharpness(pixels, factor);
        break;
    case RN_POSTERIZE:
        rn_pixels_posterize(pixels, 8 - (int)(share * MOST_BITS_LOST + 0.5));
        break;
    case RN_SOLARIZE:
        rn_pixels_solarize(pixels, 255.0 * (1.0 - share));
        break;
    case RN_AUTOCONTRAST:
        rn_pixels_autocontrast(pixels);
        break;
    case RN_EQUALIZE:
        rn_pixels_equalize(pixels);
        break;
    case RN_IDENTITY:
    case RN_OPERATIONS:
        break;
    }
}
