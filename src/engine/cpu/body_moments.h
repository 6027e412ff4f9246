/**
 * Batch norm's statistics taken where a convolution writes its results: moments of parts of a
 * tensor, made while the values are in registers, and merged by the batch norm (Chan, Golub &
 * LeVeque 1979).
 *
 * STATISTICS is [block][part][MOMENTS][VEC]: how many values, one near them, and from there the sum
 * and the sum of squares. Parts belong to the work, not to threads, so that results do not
 * depend on how many there are.
 */
#ifndef ENGINE_CPU_BODY_MOMENTS_H
#define ENGINE_CPU_BODY_MOMENTS_H

#include "engine/cpu/kernels.h"
#include "engine/cpu/vec.h"

enum { MOMENT_COUNT, MOMENT_ORIGIN, MOMENT_SUM, MOMENT_SQUARES, MOMENTS = RN_CPU_MOMENTS };

typedef struct block_moments {
    vec origin, sum, squares;
    size_t count;
} block_moments;

// Values of one tile are summed by themselves first: rounding errors grow with the number of tiles.
typedef struct tile_moments {
    vec sum, squares;
} tile_moments;

// A value near the mean, from which a part's values are counted: the mean of its first ones. Even
// an outlier among them leaves the sum of squares most of its digits.
INLINE vec moments_origin(const vec *first, int count)
{
    vec sum = first[0];

    for (int i = 1; i < count; i++)
        sum = vec_add(sum, first[i]);
    return vec_mul(sum, vec_all(1.0f / (float)count));
}

INLINE void moments_add(const block_moments *m, tile_moments *tile, vec value)
{
    vec d = vec_sub(value, m->origin);

    tile->sum = vec_add(tile->sum, d);
    tile->squares = vec_fma(d, d, tile->squares);
}

INLINE void moments_merge(block_moments *m, const tile_moments *tile, size_t count)
{
    m->sum = vec_add(m->sum, tile->sum);
    m->squares = vec_add(m->squares, tile->squares);
    m->count += count;
}

INLINE void moments_store(const block_moments *m, float *part)
{
    vec_store(part + MOMENT_COUNT * VEC, vec_all((float)m->count));
    vec_store(part + MOMENT_ORIGIN * VEC, m->origin);
    vec_store(part + MOMENT_SUM * VEC, m->sum);
    vec_store(part + MOMENT_SQUARES * VEC, m->squares);
}

// Mean and biased variance of all parts of one block, lane by lane.
static void moments_of_parts(const float *parts, size_t count, double mean[VEC],
                             double variance[VEC])
{
    double all = 0;

    for (size_t l = 0; l < VEC; l++)
        mean[l] = variance[l] = 0;
    for (size_t p = 0; p < count; p++) {
        const float *part = parts + p * MOMENTS * VEC;
        double n = (double)part[0];
        all += n;
        for (size_t l = 0; l < VEC; l++)
            mean[l] +=
                n * (double)part[MOMENT_ORIGIN * VEC + l] + (double)part[MOMENT_SUM * VEC + l];
    }
    for (size_t l = 0; l < VEC; l++)
        mean[l] /= all;
    for (size_t p = 0; p < count; p++) {
        const float *part = parts + p * MOMENTS * VEC;
        double n = (double)part[0];
        for (size_t l = 0; l < VEC; l++) {
            double sum = (double)part[MOMENT_SUM * VEC + l];
            double gap = (double)part[MOMENT_ORIGIN * VEC + l] + sum / n - mean[l];
            double own = (double)part[MOMENT_SQUARES * VEC + l] - sum * sum / n;
            variance[l] += (own > 0 ? own : 0) + n * gap * gap;
        }
    }
    for (size_t l = 0; l < VEC; l++)
        variance[l] /= all;
}

#endif
