/** How kernels share work among threads: contiguous parts, fixed by the thread's number. */
#ifndef ENGINE_CPU_BODY_RANGE_H
#define ENGINE_CPU_BODY_RANGE_H

#include "engine/cpu/vec.h"

#include <omp.h>

// Floats below which waking the other threads costs more than it saves.
enum { PARALLEL_FLOATS = 16384 };

typedef struct range {
    size_t begin, end;
} range;

// This thread's part of 0 .. count.
static inline range thread_range(size_t count)
{
    size_t thread = (size_t)omp_get_thread_num(), threads = (size_t)omp_get_num_threads();

    return (range){count * thread / threads, count * (thread + 1) / threads};
}

// This thread's part of 0 .. count in whole registers; the last part ends with what remains.
static inline range thread_range_floats(size_t count)
{
    range part = thread_range((count + VEC - 1) / VEC);

    part.begin *= VEC;
    part.end = part.end * VEC < count ? part.end * VEC : count;
    return part;
}

#endif
