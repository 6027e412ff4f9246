/** Plane figures as signed distances: negative inside, in units of the figure's radius. */
#ifndef DATA_OUTLINES_H
#define DATA_OUTLINES_H

typedef enum rn_outline {
    RN_OUTLINE_CIRCLE,
    RN_OUTLINE_SQUARE,
    RN_OUTLINE_TRIANGLE,
    RN_OUTLINE_STAR,
    RN_OUTLINE_RING,
    RN_OUTLINE_CROSS,
    RN_OUTLINE_CRESCENT,
    RN_OUTLINE_HEART,
    RN_OUTLINE_HEXAGON,
    RN_OUTLINE_ARROW,
    RN_OUTLINE_COUNT
} rn_outline;

typedef struct rn_point {
    float x, y; // y grows downwards, as in images
} rn_point;

/** The outline's name, lowercase; static. */
const char *rn_outline_name(rn_outline outline);

/** Signed distance of a point to an outline about the origin that fits a circle of radius 1. */
float rn_outline_distance(rn_outline outline, rn_point p);

/** Signed distance to a stroke: the segment from a to b, `half` thick on each side. */
float rn_stroke_distance(rn_point p, rn_point a, rn_point b, float half);

/** Cosine (x) and sine (y) of an angle in turns, the same on every machine (no libm). */
rn_point rn_direction(float turns);

#endif
