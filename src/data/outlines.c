#include "data/outlines.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

// The images are pinned by a checksum, so nothing here may round differently elsewhere: only
// + - * / and sqrt, which IEEE 754 fixes, and no fused multiply-add.
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const rn_point square[] = {{-0.8f, -0.8f}, {0.8f, -0.8f}, {0.8f, 0.8f}, {-0.8f, 0.8f}};

static const rn_point triangle[] = {{0.0f, -1.0f}, {0.866f, 0.5f}, {-0.866f, 0.5f}};

// Radius 1 at the tips and 0.45 between, every tenth of a turn from the top.
static const rn_point star[] = {{0.0f, -1.0f},       {0.2645f, -0.3641f}, {0.9511f, -0.309f},
                                {0.428f, 0.1391f},   {0.5878f, 0.809f},   {0.0f, 0.45f},
                                {-0.5878f, 0.809f},  {-0.428f, 0.1391f},  {-0.9511f, -0.309f},
                                {-0.2645f, -0.3641f}};

static const rn_point cross[] = {{-0.3f, -0.95f}, {0.3f, -0.95f}, {0.3f, -0.3f},   {0.95f, -0.3f},
                                 {0.95f, 0.3f},   {0.3f, 0.3f},   {0.3f, 0.95f},   {-0.3f, 0.95f},
                                 {-0.3f, 0.3f},   {-0.95f, 0.3f}, {-0.95f, -0.3f}, {-0.3f, -0.3f}};

static const rn_point hexagon[] = {{0.0f, -0.98f}, {0.8487f, -0.49f}, {0.8487f, 0.49f},
                                   {0.0f, 0.98f},  {-0.8487f, 0.49f}, {-0.8487f, -0.49f}};

static const rn_point arrow[] = {{1.0f, 0.0f},     {0.1f, 0.75f},  {0.1f, 0.28f}, {-0.95f, 0.28f},
                                 {-0.95f, -0.28f}, {0.1f, -0.28f}, {0.1f, -0.75f}};

const char *rn_outline_name(rn_outline outline)
{
    static const char *const names[RN_OUTLINE_COUNT] = {"circle",  "square", "triangle", "star",
                                                        "ring",    "cross",  "crescent", "heart",
                                                        "hexagon", "arrow"};

    return names[outline];
}

static float clamp(float value, float low, float high)
{
    return value < low ? low : value > high ? high : value;
}

static float length(float x, float y)
{
    return sqrtf(x * x + y * y);
}

// Squared distance of p to the segment from a to b.
static float segment_distance2(rn_point p, rn_point a, rn_point b)
{
    float bx = b.x - a.x, by = b.y - a.y, px = p.x - a.x, py = p.y - a.y;
    float along = clamp((px * bx + py * by) / (bx * bx + by * by), 0.0f, 1.0f);
    float x = px - along * bx, y = py - along * by;

    return x * x + y * y;
}

// Does the ray from p to the right cross the edge from a to b?
static bool crosses(rn_point p, rn_point a, rn_point b)
{
    if ((a.y > p.y) == (b.y > p.y))
        return false;
    return p.x < a.x + (b.x - a.x) * (p.y - a.y) / (b.y - a.y);
}

// Exact for any simple polygon: the nearest edge, negative after an odd number of crossings.
static float polygon_distance(rn_point p, const rn_point *corners, size_t count)
{
    float nearest = 1e9f;
    bool inside = false;

    for (size_t i = 0, j = count - 1; i < count; j = i++) {
        float distance2 = segment_distance2(p, corners[j], corners[i]);
        nearest = distance2 < nearest ? distance2 : nearest;
        inside ^= crosses(p, corners[j], corners[i]);
    }
    return inside ? -sqrtf(nearest) : sqrtf(nearest);
}

// A disc less another, shifted to the right.
static float crescent_distance(rn_point p)
{
    float disc = length(p.x, p.y) - 0.95f, bite = length(p.x - 0.5f, p.y) - 0.75f;

    return disc > -bite ? disc : -bite;
}

// A square on its corner with a half disc on each of the two upper sides.
static float heart_distance(rn_point p)
{
    static const rn_point lower[] = {{0.0f, -0.35f}, {0.6f, 0.25f}, {0.0f, 0.95f}, {-0.6f, 0.25f}};
    static const float radius = 0.46f;
    float side = p.x < 0 ? -p.x : p.x;
    float lobe = length(side - 0.4f, p.y + 0.2f) - radius;
    float body = polygon_distance(p, lower, COUNT(lower));
    // The tangent from the lobe to the tip fills what the square leaves open.
    static const rn_point flank[] = {{0.0f, -0.2f}, {0.76f, 0.08f}, {0.0f, 0.95f}, {-0.76f, 0.08f}};
    float sides = polygon_distance(p, flank, COUNT(flank));

    body = body < sides ? body : sides;
    return lobe < body ? lobe : body;
}

float rn_outline_distance(rn_outline outline, rn_point p)
{
    switch (outline) {
    case RN_OUTLINE_CIRCLE:
        return length(p.x, p.y) - 0.9f;
    case RN_OUTLINE_SQUARE:
        return polygon_distance(p, square, COUNT(square));
    case RN_OUTLINE_TRIANGLE:
        return polygon_distance(p, triangle, COUNT(triangle));
    case RN_OUTLINE_STAR:
        return polygon_distance(p, star, COUNT(star));
    case RN_OUTLINE_RING:
        return fabsf(length(p.x, p.y) - 0.7f) - 0.22f;
    case RN_OUTLINE_CROSS:
        return polygon_distance(p, cross, COUNT(cross));
    case RN_OUTLINE_CRESCENT:
        return crescent_distance(p);
    case RN_OUTLINE_HEART:
        return heart_distance(p);
    case RN_OUTLINE_HEXAGON:
        return polygon_distance(p, hexagon, COUNT(hexagon));
    case RN_OUTLINE_ARROW:
        return polygon_distance(p, arrow, COUNT(arrow));
    case RN_OUTLINE_COUNT:
        break;
    }
    return 1e9f;
}

float rn_stroke_distance(rn_point p, rn_point a, rn_point b, float half)
{
    return sqrtf(segment_distance2(p, a, b)) - half;
}

// Taylor series about 0 up to x^9: within 4e-6 over a quarter turn either way.
static float sine(float turns)
{
    float t = turns - floorf(turns + 0.5f); // -0.5 .. 0.5

    if (t > 0.25f)
        t = 0.5f - t;
    else if (t < -0.25f)
        t = -0.5f - t;
    float x = 6.2831853f * t, x2 = x * x;
    return x * (1.0f + x2 * (-1.0f / 6 + x2 * (1.0f / 120 + x2 * (-1.0f / 5040 + x2 / 362880))));
}

rn_point rn_direction(float turns)
{
    return (rn_point){sine(turns + 0.25f), sine(turns)};
}
