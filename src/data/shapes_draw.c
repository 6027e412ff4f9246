/**
 * One image of the data set "shapes": a background of two blended colours with a texture, clutter,
 * one figure, perhaps a stroke across it, and noise.
 *
 * The numbers below are frozen: they set how hard the task is, results are quoted for it, and a
 * checksum in the tests pins the bytes.
 */
#include "base/random.h"
#include "data/outlines.h"
#include "data/shapes.h"

#include <math.h>

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF // see outlines.c
#endif

enum { SIDE = RN_SHAPES_SIDE, PIXELS = SIDE * SIDE, GRID = 5 };

typedef struct colour {
    float rgb[3]; // 0 .. 1
} colour;

typedef struct canvas {
    rn_stream random;
    colour back[2];
    float planes[3][SIDE][SIDE];
} canvas;

/** Where a figure lies, in pixels, and how it is turned. */
typedef struct pose {
    rn_point centre;
    float radius;
    rn_point turn; // cosine, sine
    float stretch; // width over height
    float flip;    // -1 mirrors left and right
} pose;

static float between(rn_stream *random, float low, float high)
{
    return low + (high - low) * rn_stream_uniform(random);
}

static float clamp01(float value)
{
    return value < 0 ? 0 : value > 1 ? 1 : value;
}

// Hue in turns, saturation and value as in HSV, each channel a trapezium of the hue.
static colour draw_colour(rn_stream *random, float dark, float light)
{
    float hue = rn_stream_uniform(random), saturation = between(random, 0.15f, 0.9f);
    float value = between(random, dark, light);
    colour result;

    for (int c = 0; c < 3; c++) {
        float turns = hue + (float)c / 3;
        float ramp = fabsf(6 * (turns - floorf(turns)) - 3) - 1;
        result.rgb[c] = value * (1 - saturation * (1 - clamp01(ramp)));
    }
    return result;
}

// Squared distance, green weighted most, as seen by the eye.
static float colour_distance(colour a, colour b)
{
    static const float weight[3] = {0.9f, 1.5f, 0.6f};
    float sum = 0;

    for (int c = 0; c < 3; c++)
        sum += weight[c] * (a.rgb[c] - b.rgb[c]) * (a.rgb[c] - b.rgb[c]);
    return sum;
}

// A colour that stands out from both background colours; of 12 tries the first or the best.
static colour draw_contrast(canvas *on, float wanted)
{
    colour best = {{0}};
    float most = -1;

    for (int i = 0; i < 12 && most < wanted; i++) {
        colour tried = draw_colour(&on->random, 0.65f, 1.0f);
        float first = colour_distance(tried, on->back[0]);
        float second = colour_distance(tried, on->back[1]);
        float least = first < second ? first : second;
        if (least > most) {
            most = least;
            best = tried;
        }
    }
    return best;
}

static void mix(canvas *on, int x, int y, colour paint, float share)
{
    for (int c = 0; c < 3; c++)
        on->planes[c][y][x] += share * (paint.rgb[c] - on->planes[c][y][x]);
}

// 0 .. 1 .. 0 once in every unit of t.
static float triangle_wave(float t)
{
    return fabsf(2 * (t - floorf(t)) - 1);
}

static float smooth_noise(float grid[GRID][GRID], int x, int y)
{
    const int cell = SIDE / (GRID - 1);
    int i = x / cell, j = y / cell;
    float u = ((float)(x % cell) + 0.5f) / (float)cell,
          v = ((float)(y % cell) + 0.5f) / (float)cell;
    float upper = grid[j][i] + u * (grid[j][i + 1] - grid[j][i]);
    float lower = grid[j + 1][i] + u * (grid[j + 1][i + 1] - grid[j + 1][i]);

    return upper + v * (lower - upper);
}

// Two colours blended along a direction; stripes, checks or blotches move the blend about.
static void paint_background(canvas *on)
{
    rn_stream *random = &on->random;
    rn_point along = rn_direction(rn_stream_uniform(random));
    rn_point wave = rn_direction(rn_stream_uniform(random));
    uint32_t texture = rn_stream_below(random, 4);
    float period = between(random, 4, 12), depth = between(random, 0.15f, 0.4f);
    float grid[GRID][GRID];

    for (int i = 0; i < GRID * GRID; i++)
        grid[i / GRID][i % GRID] = rn_stream_uniform(random);
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            float dx = (float)x - 15.5f, dy = (float)y - 15.5f, t = 0;
            float u = (dx * wave.x + dy * wave.y) / period;
            float v = (dy * wave.x - dx * wave.y) / period;
            if (texture == 1)
                t = triangle_wave(u) - 0.5f;
            else if (texture == 2)
                t = (triangle_wave(u) > 0.5f) == (triangle_wave(v) > 0.5f) ? 0.5f : -0.5f;
            else if (texture == 3)
                t = 2 * smooth_noise(grid, x, y) - 1;
            float blend = 0.5f + (dx * along.x + dy * along.y) / 60 + depth * t;
            for (int c = 0; c < 3; c++)
                on->planes[c][y][x] = on->back[0].rgb[c];
            mix(on, x, y, on->back[1], clamp01(blend));
        }
    }
}

static void paint_stroke(canvas *on, rn_point a, rn_point b, float half, colour paint)
{
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            rn_point p = {(float)x, (float)y};
            float cover = clamp01(0.5f - rn_stroke_distance(p, a, b, half));
            if (cover > 0)
                mix(on, x, y, paint, cover);
        }
    }
}

// Specks and short strokes: too thin and small to be figures themselves.
static void paint_clutter(canvas *on)
{
    rn_stream *random = &on->random;
    uint32_t pieces = rn_stream_below(random, 6);

    for (uint32_t i = 0; i < pieces; i++) {
        rn_point way = rn_direction(rn_stream_uniform(random));
        rn_point a = {between(random, 0, SIDE), between(random, 0, SIDE)};
        float reach = between(random, 0.1f, 12);
        float half = between(random, 0.5f, 1.2f);
        rn_point b = {a.x + reach * way.x, a.y + reach * way.y};
        paint_stroke(on, a, b, half, draw_colour(random, 0.1f, 1.0f));
    }
}

static pose draw_pose(rn_stream *random, rn_outline outline)
{
    bool any_way = outline == RN_OUTLINE_ARROW || outline == RN_OUTLINE_CRESCENT;
    float turns = between(random, -0.1f, 0.1f);
    pose result = {.radius = between(random, 7.5f, 13.5f)};
    float room = SIDE / 2 - 0.9f * result.radius; // the centre's way from the middle

    if (any_way)
        turns += 0.25f * (float)rn_stream_below(random, 4);
    result.centre.x = 15.5f + between(random, -room, room);
    result.centre.y = 15.5f + between(random, -room, room);
    result.turn = rn_direction(turns);
    result.stretch = between(random, 0.85f, 1.18f);
    result.flip = rn_stream_below(random, 2) == 0 ? 1.0f : -1.0f;
    return result;
}

// A pixel's place in the figure's own frame.
static rn_point to_frame(const pose *at, int x, int y)
{
    float dx = at->flip * ((float)x - at->centre.x) / at->radius;
    float dy = ((float)y - at->centre.y) / at->radius;

    return (rn_point){(dx * at->turn.x + dy * at->turn.y) / at->stretch,
                      (dy * at->turn.x - dx * at->turn.y) * at->stretch};
}

// The edge is blended over one pixel; the fill runs from one colour to another.
static void paint_figure(canvas *on, rn_outline outline, const pose *at)
{
    rn_stream *random = &on->random;
    colour fill = draw_contrast(on, 0.25f), other = draw_colour(random, 0.65f, 1.0f);
    rn_point along = rn_direction(rn_stream_uniform(random));
    float shade = between(random, 0, 0.25f), reach = 1.5f * at->radius + 1;

    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            float dx = (float)x - at->centre.x, dy = (float)y - at->centre.y;
            if (fabsf(dx) > reach || fabsf(dy) > reach)
                continue;
            float distance = rn_outline_distance(outline, to_frame(at, x, y)) * at->radius;
            float cover = clamp01(0.5f - distance);
            float blend = clamp01(0.5f + (dx * along.x + dy * along.y) / (2 * at->radius));
            colour paint = fill;
            for (int c = 0; c < 3; c++)
                paint.rgb[c] += shade * blend * (other.rgb[c] - fill.rgb[c]);
            mix(on, x, y, paint, cover);
        }
    }
}

// In half of the images a stroke crosses the figure.
static void paint_occluder(canvas *on, const pose *at)
{
    rn_stream *random = &on->random;
    rn_point way = rn_direction(rn_stream_uniform(random));
    float off = between(random, -0.7f, 0.7f) * at->radius, half = between(random, 0.5f, 1.2f);
    float reach = between(random, 0.8f, 2) * at->radius;
    rn_point middle = {at->centre.x - off * way.y, at->centre.y + off * way.x};
    rn_point a = {middle.x - reach * way.x, middle.y - reach * way.y};
    rn_point b = {middle.x + reach * way.x, middle.y + reach * way.y};
    colour paint = draw_colour(random, 0.1f, 1.0f);

    if (rn_stream_below(random, 2) == 0)
        paint_stroke(on, a, b, half, paint);
}

// The sum of a word's four bytes: nearly normal, deviation 147.8, without libm.
static float bell(rn_stream *random)
{
    uint32_t bits = rn_stream_bits(random);
    uint32_t sum = (bits & 255) + (bits >> 8 & 255) + (bits >> 16 & 255) + (bits >> 24);

    return ((float)sum - 510) / 147.8f;
}

static void develop(canvas *on, uint8_t *image)
{
    float deviation = between(&on->random, 0, 0.07f);
    const float *values = &on->planes[0][0][0];

    for (int i = 0; i < 3 * PIXELS; i++) {
        float value = clamp01(values[i] + deviation * bell(&on->random));
        image[i] = (uint8_t)(value * 255 + 0.5f);
    }
}

void rn_shapes_draw(uint8_t *image, uint64_t seed, rn_split split, uint32_t index)
{
    rn_outline outline = (rn_outline)(index % RN_SHAPES_CLASSES);
    canvas on;

    rn_stream_init(&on.random, seed, RN_PURPOSE_SHAPES, (uint32_t)split, index);
    on.back[0] = draw_colour(&on.random, 0.1f, 0.6f);
    on.back[1] = draw_colour(&on.random, 0.1f, 0.6f);
    pose at = draw_pose(&on.random, outline);
    paint_background(&on);
    paint_clutter(&on);
    paint_figure(&on, outline, &at);
    paint_occluder(&on, &at);
    develop(&on, image);
}
