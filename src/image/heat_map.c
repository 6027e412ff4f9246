// Heat maps over pictures.
#include "image/image.h"

#include "base/memory.h"

#include <math.h>

enum { SHADES = 256 };

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

static uint8_t to_srgb(double linear)
{
    double value = linear <= 0.0031308 ? 12.92 * linear : 1.055 * pow(linear, 1 / 2.4) - 0.055;

    return (uint8_t)(255 * clamp(value, 0, 1) + 0.5);
}

// OKLab to linear sRGB; the matrices are Ottosson's (2020, "A perceptual color space for image
// processing").
static void oklab_to_linear(double rgb[3], double lightness, double a, double b)
{
    double l = pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
    double m = pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
    double s = pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);

    rgb[0] = 4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s;
    rgb[1] = -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s;
    rgb[2] = -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s;
}

static bool in_gamut(const double rgb[3])
{
    for (int i = 0; i < 3; i++)
        if (rgb[i] < 0 || rgb[i] > 1)
            return false;
    return true;
}

void rn_heat_color(uint8_t rgb[3], double value)
{
    const double degree = 3.14159265358979323846 / 180;
    double t = clamp(value, 0, 1), linear[3] = {0};
    double lightness = 0.15 + 0.8 * t;
    double hue = (290 + 170 * t) * degree; // violet, past red (29 degrees), to yellow (100)

    // The strongest colour of this lightness and hue that a screen shows, up to a chroma of 0.2.
    for (int step = 40; step >= 0; step--) {
        double chroma = 0.005 * step;
        oklab_to_linear(linear, lightness, chroma * cos(hue), chroma * sin(hue));
        if (in_gamut(linear))
            break;
    }
    for (int i = 0; i < 3; i++)
        rgb[i] = to_srgb(linear[i]);
}

// Where a position of one axis lies among the centres of `cells`: between `first` and `second`.
typedef struct position {
    int first, second;
    double share; // of the second
} position;

static position locate(double offset, double extent, int cells)
{
    double at = clamp(offset / extent * cells - 0.5, 0, cells - 1);
    int first = (int)at;

    return (position){first, first + 1 < cells ? first + 1 : first, at - first};
}

static double interpolate(const rn_heat_map *map, position x, position y)
{
    const float *upper = map->values + (ptrdiff_t)y.first * map->width;
    const float *lower = map->values + (ptrdiff_t)y.second * map->width;
    double above = (double)upper[x.first] * (1 - x.share) + (double)upper[x.second] * x.share;
    double below = (double)lower[x.first] * (1 - x.share) + (double)lower[x.second] * x.share;

    return above * (1 - y.share) + below * y.share;
}

static void find_range(const rn_heat_map *map, double *low, double *high)
{
    *low = *high = (double)map->values[0];
    for (int i = 1; i < map->height * map->width; i++) {
        double value = (double)map->values[i];
        *low = value < *low ? value : *low;
        *high = value > *high ? value : *high;
    }
}

static void darken(uint8_t rgb[3], const uint8_t *pixel, int channels)
{
    int luma = channels == 1 ? pixel[0] : (299 * pixel[0] + 587 * pixel[1] + 114 * pixel[2]) / 1000;

    for (int c = 0; c < 3; c++)
        rgb[c] = (uint8_t)(luma / 2);
}

static void blend(uint8_t rgb[3], const uint8_t *pixel, int channels, const uint8_t color[3],
                  double opacity)
{
    for (int c = 0; c < 3; c++)
        rgb[c] = (uint8_t)(opacity * color[c] + (1 - opacity) * pixel[channels == 1 ? 0 : c] + 0.5);
}

static rn_status check(const rn_image *image, const rn_heat_map *map)
{
    if (image->channels != 1 && image->channels != 3)
        return rn_error(RN_EINVAL, "picture has %d channels, expected 1 or 3", image->channels);
    if (map->height < 1 || map->width < 1 || !(map->window.width > 0) || !(map->window.height > 0))
        return rn_error(RN_EINVAL,
                        "heat map of %d x %d covers %g x %g pixels, expected more than 0",
                        map->width, map->height, map->window.width, map->window.height);
    if (!(map->opacity >= 0 && map->opacity <= 1))
        return rn_error(RN_EINVAL, "opacity is %g, expected 0 to 1", map->opacity);
    return RN_OK;
}

static void draw_row(uint8_t *dst, const rn_image *image, const rn_heat_map *map, int row,
                     uint8_t (*shades)[3])
{
    const rn_window *window = &map->window;
    const uint8_t *src = image->pixels + (ptrdiff_t)row * image->width * image->channels;
    double low, high, down = row + 0.5 - window->top;
    position y = locate(down, window->height, map->height);

    find_range(map, &low, &high);
    for (int column = 0; column < image->width; column++, src += image->channels, dst += 3) {
        double across = column + 0.5 - window->left;
        if (down < 0 || down > window->height || across < 0 || across > window->width) {
            darken(dst, src, image->channels);
            continue;
        }
        double value = interpolate(map, locate(across, window->width, map->width), y);
        double level = high > low ? clamp((value - low) / (high - low), 0, 1) : 0;
        blend(dst, src, image->channels, shades[(int)(level * (SHADES - 1) + 0.5)], map->opacity);
    }
}

rn_status rn_heat_map_draw(rn_image **out, const rn_image *image, const rn_heat_map *map)
{
    rn_status st = RN_OK;
    uint8_t shades[SHADES][3];

    *out = NULL;
    RN_TRY(check(image, map));
    RN_TRY(rn_image_create(out, 3, image->width, image->height));
    for (int i = 0; i < SHADES; i++)
        rn_heat_color(shades[i], (double)i / (SHADES - 1));
    for (int row = 0; row < image->height; row++)
        draw_row((*out)->pixels + (ptrdiff_t)row * image->width * 3, image, map, row, shades);
out:
    return st;
}
