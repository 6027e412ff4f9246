/**
 * A register of 16 floats made of the compiler's vectors, in place of engine/cpu/vec.h: with it the
 * convolution bodies for AVX-512 run, slowly, on every machine. Include it before them.
 */
#ifndef ENGINE_CPU_VEC_H
#define ENGINE_CPU_VEC_H

#include <math.h>
#include <stddef.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#pragma GCC diagnostic ignored "-Wpsabi"           // all functions with such arguments are inlined
#pragma GCC diagnostic ignored "-Wunused-function" // the bodies use some of these

enum { VEC = 16 };
typedef float vec __attribute__((vector_size(64)));
typedef int vec_mask __attribute__((vector_size(64)));

INLINE vec vec_load(const float *p)
{
    vec v;

    memcpy(&v, p, sizeof v);
    return v;
}

INLINE void vec_store(float *p, vec v)
{
    memcpy(p, &v, sizeof v);
}

INLINE vec vec_load_n(const float *p, size_t n)
{
    vec v = {0};

    memcpy(&v, p, n * sizeof *p);
    return v;
}

INLINE void vec_store_n(float *p, size_t n, vec v)
{
    memcpy(p, &v, n * sizeof *p);
}

INLINE vec vec_all(float x)
{
    return (vec){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
}

INLINE vec vec_zero(void)
{
    return vec_all(0.0f);
}

INLINE vec vec_add(vec a, vec b)
{
    return a + b;
}

INLINE vec vec_sub(vec a, vec b)
{
    return a - b;
}

INLINE vec vec_mul(vec a, vec b)
{
    return a * b;
}

INLINE vec vec_fma(vec a, vec b, vec c)
{
    return a * b + c;
}

INLINE vec vec_relu(vec x)
{
    vec_mask negative = x < vec_zero();

    return (vec)((vec_mask)x & ~negative);
}

#endif
