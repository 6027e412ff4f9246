// Jacobi's method: rotations that each make one element off the diagonal 0, until all are.
#include "train/whiten.h"

#include <math.h>

enum { MOST_SWEEPS = 60 }; // some ten are enough

// c and s of the rotation that makes a[p][q] 0.
static void rotation(const double *a, int n, int p, int q, double *c, double *s)
{
    double tau = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
    double t = (tau >= 0 ? 1 : -1) / (fabs(tau) + sqrt(1 + tau * tau));

    *c = 1 / sqrt(1 + t * t);
    *s = t * *c;
}

// x, y = c x - s y, s x + c y for `count` pairs, `step` apart.
static void rotate(double *x, double *y, int count, int step, double c, double s)
{
    for (int i = 0; i < count; i++, x += step, y += step) {
        double before = *x;
        *x = c * before - s * *y;
        *y = s * before + c * *y;
    }
}

static double off_diagonal(const double *a, int n)
{
    double sum = 0;

    for (int p = 0; p < n; p++)
        for (int q = 0; q < p; q++)
            sum += a[p * n + q] * a[p * n + q];
    return sum;
}

static void sweep(double *a, int n, double *vectors)
{
    for (int p = 0; p < n; p++)
        for (int q = p + 1; q < n; q++) {
            double c, s;
            if (a[p * n + q] == 0)
                continue;
            rotation(a, n, p, q, &c, &s);
            rotate(a + p, a + q, n, n, c, s);
            rotate(a + p * n, a + q * n, n, 1, c, s);
            a[p * n + q] = a[q * n + p] = 0;
            rotate(vectors + p * n, vectors + q * n, n, 1, c, s);
        }
}

static void swap_rows(double *a, double *b, int count)
{
    for (int i = 0; i < count; i++) {
        double value = a[i];
        a[i] = b[i];
        b[i] = value;
    }
}

// By selection: of equal values the first stays first.
static void sort(double *values, double *vectors, int n)
{
    for (int i = 0; i < n; i++) {
        int most = i;
        for (int j = i + 1; j < n; j++)
            if (values[j] > values[most])
                most = j;
        if (most == i)
            continue;
        swap_rows(values + i, values + most, 1);
        swap_rows(vectors + i * n, vectors + most * n, n);
    }
}

void rn_symmetric_eigen(double *matrix, int size, double *values, double *vectors)
{
    double limit = 0;

    for (int i = 0; i < size * size; i++) {
        limit += matrix[i] * matrix[i];
        vectors[i] = i % (size + 1) == 0;
    }
    limit *= 1e-30; // relative to the largest eigenvalue 1e-15
    for (int i = 0; i < MOST_SWEEPS && off_diagonal(matrix, size) > limit; i++)
        sweep(matrix, size, vectors);
    for (int i = 0; i < size; i++)
        values[i] = matrix[i * size + i];
    sort(values, vectors, size);
}
