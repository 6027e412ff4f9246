/**
 * The transforms of F(4x4, 3x3), one vector of channels at a time. With the interpolation points
 * 0, a, -a, b, -b and infinity, where a = sqrt(1/2) and b = sqrt(2), which lose less to rounding
 * than the usual 0, 1, -1, 2, -2 (Barabasz et al. 2020), a one-dimensional filter of 3 taps g gives
 * 4 results from 6 sources d as
 *
 *     result = A^T ((G g) * (B^T d))
 *
 *     B^T = 1  0   -5/2  0   1  0     G = 1     0      0      A = 1  0  0    0
 *           0 -2a  -2    a   1  0         -2/3 -2a/3  -1/3        1  a  1/2  a/2
 *           0  2a  -2   -a   1  0         -2/3  2a/3  -1/3        1 -a  1/2 -a/2
 *           0 -b/2 -1/2  b   1  0          1/6  b/6    1/3        1  b  2    2b
 *           0  b/2 -1/2 -b   1  0          1/6 -b/6    1/3        1 -b  2   -2b
 *           0  1    0   -5/2 0  1          0    0      1          0  0  0    1
 *
 * and a two-dimensional one does so along columns and rows.
 */
#ifndef ENGINE_CPU_BODY_WINOGRAD_POINTS_H
#define ENGINE_CPU_BODY_WINOGRAD_POINTS_H

#include "engine/cpu/vec.h"

#define POINT_A 0.70710678118654752f
#define POINT_B 1.41421356237309505f

// B^T: six sources to six points.
INLINE void source_points(const vec d[6], vec points[6])
{
    vec even_a = vec_fma(vec_all(-2.0f), d[2], d[4]), odd_a = vec_fma(vec_all(-2.0f), d[1], d[3]);
    vec even_b = vec_fma(vec_all(-0.5f), d[2], d[4]), odd_b = vec_fma(vec_all(-0.5f), d[1], d[3]);

    points[0] = vec_add(vec_fma(vec_all(-2.5f), d[2], d[4]), d[0]);
    points[1] = vec_fma(vec_all(POINT_A), odd_a, even_a);
    points[2] = vec_fma(vec_all(-POINT_A), odd_a, even_a);
    points[3] = vec_fma(vec_all(POINT_B), odd_b, even_b);
    points[4] = vec_fma(vec_all(-POINT_B), odd_b, even_b);
    points[5] = vec_add(vec_fma(vec_all(-2.5f), d[3], d[5]), d[1]);
}

// A^T: six points to four results.
INLINE void point_results(const vec points[6], vec results[4])
{
    vec sum_a = vec_add(points[1], points[2]), gap_a = vec_sub(points[1], points[2]);
    vec sum_b = vec_add(points[3], points[4]), gap_b = vec_sub(points[3], points[4]);

    results[0] = vec_add(vec_add(points[0], sum_a), sum_b);
    results[1] = vec_mul(vec_all(POINT_A), vec_fma(vec_all(2.0f), gap_b, gap_a));
    results[2] = vec_fma(vec_all(2.0f), sum_b, vec_mul(vec_all(0.5f), sum_a));
    results[3] = vec_fma(vec_all(POINT_A / 2), vec_fma(vec_all(8.0f), gap_b, gap_a), points[5]);
}

// A: four gradients of results to six points.
INLINE void gradient_points(const vec g[4], vec points[6])
{
    vec even_a = vec_fma(vec_all(0.5f), g[2], g[0]), odd_a = vec_fma(vec_all(0.5f), g[3], g[1]);
    vec even_b = vec_fma(vec_all(2.0f), g[2], g[0]), odd_b = vec_fma(vec_all(2.0f), g[3], g[1]);

    points[0] = g[0];
    points[1] = vec_fma(vec_all(POINT_A), odd_a, even_a);
    points[2] = vec_fma(vec_all(-POINT_A), odd_a, even_a);
    points[3] = vec_fma(vec_all(POINT_B), odd_b, even_b);
    points[4] = vec_fma(vec_all(-POINT_B), odd_b, even_b);
    points[5] = g[3];
}

// G: three weights to six points.
INLINE void weight_points(const vec g[3], vec points[6])
{
    const float third = 1.0f / 3;
    vec even_a = vec_fma(vec_all(0.5f), g[2], g[0]), odd_a = vec_mul(vec_all(POINT_A), g[1]);
    vec even_b = vec_fma(vec_all(2.0f), g[2], g[0]), odd_b = vec_mul(vec_all(POINT_B), g[1]);

    points[0] = g[0];
    points[1] = vec_mul(vec_all(-2 * third), vec_add(even_a, odd_a));
    points[2] = vec_mul(vec_all(-2 * third), vec_sub(even_a, odd_a));
    points[3] = vec_mul(vec_all(third / 2), vec_add(even_b, odd_b));
    points[4] = vec_mul(vec_all(third / 2), vec_sub(even_b, odd_b));
    points[5] = g[2];
}

// G^T: six points of a gradient to three gradients of weights.
INLINE void point_gradients(const vec points[6], vec g[3])
{
    const float third = 1.0f / 3;
    vec sum_a = vec_add(points[1], points[2]), gap_a = vec_sub(points[1], points[2]);
    vec sum_b = vec_add(points[3], points[4]), gap_b = vec_sub(points[3], points[4]);

    g[0] = vec_fma(vec_all(-2 * third), sum_a, vec_fma(vec_all(third / 2), sum_b, points[0]));
    g[1] =
        vec_fma(vec_all(-2 * third * POINT_A), gap_a, vec_mul(vec_all(third / 2 * POINT_B), gap_b));
    g[2] = vec_fma(vec_all(-third), sum_a, vec_fma(vec_all(third), sum_b, points[5]));
}

#endif
