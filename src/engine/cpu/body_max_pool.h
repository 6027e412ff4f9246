/**
 * Max pooling by square windows, NCHW<VEC>c, and back. WORKSPACE says which pixel of its window
 * each lane of dst came from, a byte a lane: row * kernel + column. Of equals the first wins; a NaN
 * wins, so that it is not hidden. Padding is never looked at.
 */
#ifndef ENGINE_CPU_BODY_MAX_POOL_H
#define ENGINE_CPU_BODY_MAX_POOL_H

#include "engine/cpu/act.h"
#include "engine/cpu/body_range.h"
#include "engine/cpu/kernels.h"

#include <string.h>

#ifdef __AVX512F__

// Where x > best, or x is NaN and best is not: the larger, and its number.
INLINE void max_take(vec x, vec number, vec *best, vec *from)
{
    __mmask16 set = (__mmask16)(_mm512_cmp_ps_mask(x, *best, _CMP_NLE_UQ) &
                                _mm512_cmp_ps_mask(*best, *best, _CMP_ORD_Q));

    *best = _mm512_mask_blend_ps(set, *best, x);
    *from = _mm512_mask_blend_ps(set, *from, number);
}

INLINE vec keep_equal(vec v, vec a, vec b) // v where a = b, else 0
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ), v);
}

INLINE void store_bytes(uint8_t *p, vec v) // of whole numbers 0 .. 255
{
    _mm_storeu_si128((__m128i *)(void *)p, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v)));
}

INLINE vec load_bytes(const uint8_t *p)
{
    return _mm512_cvtepi32_ps(
        _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p)));
}

#else

INLINE void max_take(vec x, vec number, vec *best, vec *from)
{
    vec set = _mm256_and_ps(_mm256_cmp_ps(x, *best, _CMP_NLE_UQ),
                            _mm256_cmp_ps(*best, *best, _CMP_ORD_Q));

    *best = _mm256_blendv_ps(*best, x, set);
    *from = _mm256_blendv_ps(*from, number, set);
}

INLINE vec keep_equal(vec v, vec a, vec b)
{
    return _mm256_and_ps(v, _mm256_cmp_ps(a, b, _CMP_EQ_OQ));
}

INLINE void store_bytes(uint8_t *p, vec v)
{
    __m256i words = _mm256_cvtps_epi32(v);
    __m128i halves =
        _mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));

    _mm_storel_epi64((__m128i *)(void *)p, _mm_packus_epi16(halves, halves));
}

INLINE vec load_bytes(const uint8_t *p)
{
    return _mm256_cvtepi32_ps(
        _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p)));
}

#endif

typedef struct max_pool_job {
    size_t kernel, stride, pad;
    size_t height, width, rows, columns; // of the source, and windows
    size_t items;
    const act *in; // SRC, or backward DIFF_DST
    act *out;
    uint8_t *from; // NULL in inference
} max_pool_job;

static max_pool_job max_pool_job_of(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    bool forward = desc->kind == RN_OP_MAX_POOL;

    return (max_pool_job){.kernel = (size_t)desc->kernel,
                          .stride = (size_t)desc->stride,
                          .pad = (size_t)desc->pad,
                          .height = (size_t)desc->src.h,
                          .width = (size_t)desc->src.w,
                          .rows = (size_t)desc->dst.h,
                          .columns = (size_t)desc->dst.w,
                          .items =
                              (size_t)desc->src.n * (size_t)rn_padded_channels(&desc->src) / VEC,
                          .in = args[forward ? RN_ARG_SRC : RN_ARG_DIFF_DST],
                          .out = args[forward ? RN_ARG_DST : RN_ARG_DIFF_SRC],
                          .from = forward && !desc->training ? NULL : args[RN_ARG_WORKSPACE]};
}

// Which of a window's rows (or columns) lie in the picture, whose size is `size`.
static range window_inside(const max_pool_job *job, size_t window, size_t size)
{
    size_t at = window * job->stride, end = size + job->pad - at;

    return (range){at < job->pad ? job->pad - at : 0, end < job->kernel ? end : job->kernel};
}

// One window, whose first pixel would be `corner` floats from src (below 0 in the padding).
INLINE vec max_of_window(const act *src, ptrdiff_t corner, size_t line, range ys, range xs,
                         size_t kernel, vec *from)
{
    vec best = vec_all(-INFINITY);

    *from = vec_all((float)(ys.begin * kernel + xs.begin));
    for (size_t y = ys.begin; y < ys.end; y++)
        for (size_t x = xs.begin; x < xs.end; x++)
            max_take(act_load(src + (corner + (ptrdiff_t)(y * line + x * VEC))),
                     vec_all((float)(y * kernel + x)), &best, from);
    return best;
}

INLINE void max_pool_row(const max_pool_job *job, size_t item, size_t row, size_t kernel)
{
    size_t line = job->width * VEC, at = (item * job->rows + row) * job->columns;
    const act *src = job->in + item * job->height * line;
    const range ys = window_inside(job, row, job->height), all = {0, kernel};
    ptrdiff_t corner = ((ptrdiff_t)(row * job->stride) - (ptrdiff_t)job->pad) * (ptrdiff_t)line -
                       (ptrdiff_t)(job->pad * VEC);

    for (size_t x = 0; x < job->columns; x++, at++, corner += (ptrdiff_t)(job->stride * VEC)) {
        range xs = window_inside(job, x, job->width);
        vec from, best;
        if (ys.end - ys.begin == kernel && xs.end - xs.begin == kernel)
            best = max_of_window(src, corner, line, all, all, kernel, &from);
        else
            best = max_of_window(src, corner, line, ys, xs, kernel, &from);
        act_store(job->out + at * VEC, best);
        if (job->from != NULL)
            store_bytes(job->from + at * VEC, from);
    }
}

static rn_status max_pool(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    const max_pool_job job = max_pool_job_of(desc, args);

#pragma omp parallel for schedule(static) if (job.items * job.height * job.width * VEC >           \
                                              PARALLEL_FLOATS)
    for (size_t item = 0; item < job.items; item++)
        for (size_t row = 0; row < job.rows; row++) {
            if (job.kernel == 2)
                max_pool_row(&job, item, row, 2);
            else if (job.kernel == 3)
                max_pool_row(&job, item, row, 3);
            else
                max_pool_row(&job, item, row, job.kernel);
        }
    return RN_OK;
}

// What a row of windows gives to row `y` of each of them, which begins at diff_src.
INLINE void max_pool_spread(const max_pool_job *job, const act *diff, const uint8_t *from, size_t y,
                            size_t kernel, act *diff_src)
{
    for (size_t column = 0; column < job->columns; column++) {
        vec g = act_load(diff + column * VEC), number = load_bytes(from + column * VEC);
        size_t first = column * job->stride;
        for (size_t x = 0; x < kernel; x++) {
            if (first + x < job->pad || first + x - job->pad >= job->width)
                continue;
            act *to = diff_src + (first + x - job->pad) * VEC;
            act_store(
                to, vec_add(act_load(to), keep_equal(g, number, vec_all((float)(y * kernel + x)))));
        }
    }
}

// Row `y` of the source: from all windows that hold it.
static void max_pool_row_backward(const max_pool_job *job, size_t item, size_t y)
{
    size_t line = job->width * VEC, padded = y + job->pad;
    size_t row = padded < job->kernel ? 0 : (padded - job->kernel) / job->stride + 1;
    act *diff_src = job->out + (item * job->height + y) * line;

    memset(diff_src, 0, line * sizeof *diff_src);
    for (; row < job->rows && row * job->stride <= padded; row++) {
        size_t at = (item * job->rows + row) * job->columns * VEC;
        size_t inside = padded - row * job->stride;
        if (job->kernel == 2)
            max_pool_spread(job, job->in + at, job->from + at, inside, 2, diff_src);
        else if (job->kernel == 3)
            max_pool_spread(job, job->in + at, job->from + at, inside, 3, diff_src);
        else
            max_pool_spread(job, job->in + at, job->from + at, inside, job->kernel, diff_src);
    }
}

static rn_status max_pool_backward(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    const max_pool_job job = max_pool_job_of(desc, args);

#pragma omp parallel for schedule(static) if (job.items * job.height * job.width * VEC >           \
                                              PARALLEL_FLOATS)
    for (size_t item = 0; item < job.items; item++)
        for (size_t y = 0; y < job.height; y++)
            max_pool_row_backward(&job, item, y);
    return RN_OK;
}

#endif
