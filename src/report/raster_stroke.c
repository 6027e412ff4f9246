#include "report/raster_stroke.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

rn_status rn_stroke_init(rn_stroke *stroke, rn_image *image)
{
    *stroke = (rn_stroke){.image = image, .left = image->width, .top = image->height};
    return rn_alloc((void **)&stroke->cover, (size_t)image->width * (size_t)image->height, 1);
}

void rn_stroke_release(rn_stroke *stroke)
{
    rn_free(stroke->cover);
    *stroke = (rn_stroke){0};
}

// Whole pixels that a stretch touches, within 0 .. most.
static int first_pixel(double at, int most)
{
    return at <= 0 ? 0 : at >= most ? most : (int)at;
}

static int behind_pixel(double at, int most)
{
    return at <= 0 ? 0 : at >= most ? most : (int)ceil(at);
}

// Distance of a point from the line.
static double distance(const double from[2], const double along[2], double x, double y)
{
    const double square = along[0] * along[0] + along[1] * along[1];
    const double dx = x - from[0], dy = y - from[1];
    double t = square > 0 ? (dx * along[0] + dy * along[1]) / square : 0;

    t = t < 0 ? 0 : t > 1 ? 1 : t;
    const double rest[2] = {dx - t * along[0], dy - t * along[1]};
    return sqrt(rest[0] * rest[0] + rest[1] * rest[1]);
}

// The stretch of x in which a row's pixels may be touched: where the line is near the row.
static void reach_of_row(double reach[2], const double from[2], const double along[2], double y,
                         double radius)
{
    double t[2] = {0, 1};

    if (along[1] != 0) {
        const double a = (y - radius - from[1]) / along[1], b = (y + radius - from[1]) / along[1];
        t[0] = fmin(fmax(fmin(a, b), 0), 1);
        t[1] = fmin(fmax(fmax(a, b), 0), 1);
    }
    const double x[2] = {from[0] + t[0] * along[0], from[0] + t[1] * along[0]};
    reach[0] = fmin(x[0], x[1]) - radius;
    reach[1] = fmax(x[0], x[1]) + radius;
}

static void note_place(rn_stroke *stroke, int left, int right, int y)
{
    stroke->left = left < stroke->left ? left : stroke->left;
    stroke->right = right > stroke->right ? right : stroke->right;
    stroke->top = y < stroke->top ? y : stroke->top;
    stroke->bottom = y + 1 > stroke->bottom ? y + 1 : stroke->bottom;
}

void rn_stroke_line(rn_stroke *stroke, const double from[2], const double to[2], double width)
{
    const double along[2] = {to[0] - from[0], to[1] - from[1]}, radius = width / 2 + 1;
    const int columns = stroke->image->width, rows = stroke->image->height;
    const int bottom = behind_pixel(fmax(from[1], to[1]) + radius, rows);

    for (int y = first_pixel(fmin(from[1], to[1]) - radius, rows); y < bottom; y++) {
        uint8_t *row = stroke->cover + (size_t)y * (size_t)columns;
        double reach[2];
        reach_of_row(reach, from, along, y + 0.5, radius);
        const int left = first_pixel(reach[0], columns), right = behind_pixel(reach[1], columns);
        for (int x = left; x < right; x++) {
            const double share = width / 2 + 0.5 - distance(from, along, x + 0.5, y + 0.5);
            // A line thinner than a pixel is paler, not thinner.
            const double value = 255 * fmin(fmax(share, 0), fmin(width, 1));
            row[x] = value > row[x] ? (uint8_t)lround(value) : row[x];
        }
        if (left < right)
            note_place(stroke, left, right, y);
    }
}

void rn_stroke_column(rn_stroke *stroke, int column, double top, double bottom, double share)
{
    const size_t columns = (size_t)stroke->image->width;
    const int end = behind_pixel(bottom, stroke->image->height);

    if (column < 0 || column >= stroke->image->width)
        return;
    for (int y = first_pixel(top, stroke->image->height); y < end; y++) {
        uint8_t *cover = stroke->cover + (size_t)y * columns + (size_t)column;
        const double height = fmin(y + 1, bottom) - fmax(y, top);
        const double value = 255 * share * height;
        *cover = value > *cover ? (uint8_t)lround(value) : *cover;
        note_place(stroke, column, column + 1, y);
    }
}

void rn_stroke_paint(rn_stroke *stroke, uint32_t colour)
{
    const size_t columns = (size_t)stroke->image->width;

    for (int y = stroke->top; y < stroke->bottom; y++) {
        for (int x = stroke->left; x < stroke->right; x++) {
            const size_t at = (size_t)y * columns + (size_t)x;
            uint8_t *pixel = stroke->image->pixels + at * 3;
            for (int c = 0; c < 3; c++) {
                const int ink = (int)(colour >> (16 - 8 * c) & 255);
                pixel[c] = (uint8_t)((pixel[c] * (255 - stroke->cover[at]) +
                                      ink * stroke->cover[at] + 127) /
                                     255);
            }
            stroke->cover[at] = 0;
        }
    }
    *stroke = (rn_stroke){
        stroke->image, stroke->cover, stroke->image->width, stroke->image->height, 0, 0};
}
