/**
 * Kernels in which every element stands alone, so any layout will do: ReLU, addition, scaling, SGD,
 * moving average. Padding needs no care: 0 stays 0.
 */
#ifndef ENGINE_CPU_BODY_ELEMENTWISE_H
#define ENGINE_CPU_BODY_ELEMENTWISE_H

#include "engine/cpu/act.h"
#include "engine/cpu/body_range.h"
#include "engine/cpu/kernels.h"

// Call step(args, i, n) for each register of floats i .. i + n of this thread's part of 0 .. count.
#define EACH_REGISTER(count, step, args)                                                           \
    do {                                                                                           \
        range part_ = thread_range_floats(count);                                                  \
        size_t i_ = part_.begin;                                                                   \
        for (; i_ + VEC <= part_.end; i_ += VEC)                                                   \
            step((args), i_, VEC);                                                                 \
        if (i_ < part_.end)                                                                        \
            step((args), i_, part_.end - i_);                                                      \
    } while (0)

INLINE void relu_step(void *const args[RN_ARGS], size_t i, size_t n)
{
    const act *src = args[RN_ARG_SRC];
    act *dst = args[RN_ARG_DST];

    act_store_n(dst + i, n, vec_relu(act_load_n(src + i, n)));
}

static rn_status relu(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    size_t count = rn_tensor_elements(&desc->src);

#pragma omp parallel if (count > PARALLEL_FLOATS)
    EACH_REGISTER(count, relu_step, args);
    return RN_OK;
}

INLINE void relu_backward_step(void *const args[RN_ARGS], size_t i, size_t n)
{
    const act *dst = args[RN_ARG_DST], *diff_dst = args[RN_ARG_DIFF_DST];
    act *diff_src = args[RN_ARG_DIFF_SRC];

    act_store_n(diff_src + i, n, vec_gate(act_load_n(diff_dst + i, n), act_load_n(dst + i, n)));
}

INLINE void relu_backward_sum_step(void *const args[RN_ARGS], size_t i, size_t n)
{
    const act *dst = args[RN_ARG_DST], *diff_dst = args[RN_ARG_DIFF_DST];
    const act *diff_dst2 = args[RN_ARG_DIFF_DST2];
    act *diff_src = args[RN_ARG_DIFF_SRC];
    vec sum = vec_add(act_load_n(diff_dst + i, n), act_load_n(diff_dst2 + i, n));

    act_store_n(diff_src + i, n, vec_gate(sum, act_load_n(dst + i, n)));
}

static rn_status relu_backward(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    size_t count = rn_tensor_elements(&desc->src);

#pragma omp parallel if (count > PARALLEL_FLOATS)
    {
        if (desc->diff_dst2)
            EACH_REGISTER(count, relu_backward_sum_step, args);
        else
            EACH_REGISTER(count, relu_backward_step, args);
    }
    return RN_OK;
}

INLINE vec add_sum(void *const args[RN_ARGS], size_t i, size_t n)
{
    const act *src = args[RN_ARG_SRC], *src2 = args[RN_ARG_SRC2];

    return vec_add(act_load_n(src + i, n), act_load_n(src2 + i, n));
}

INLINE void add_step(void *const args[RN_ARGS], size_t i, size_t n)
{
    act *dst = args[RN_ARG_DST];

    act_store_n(dst + i, n, add_sum(args, i, n));
}

INLINE void add_relu_step(void *const args[RN_ARGS], size_t i, size_t n)
{
    act *dst = args[RN_ARG_DST];

    act_store_n(dst + i, n, vec_relu(add_sum(args, i, n)));
}

static rn_status add(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    size_t count = rn_tensor_elements(&desc->src);

#pragma omp parallel if (count > PARALLEL_FLOATS)
    {
        if (desc->relu)
            EACH_REGISTER(count, add_relu_step, args);
        else
            EACH_REGISTER(count, add_step, args);
    }
    return RN_OK;
}

typedef struct scale_arrays {
    const act *src;
    act *dst;
    float scale;
} scale_arrays;

INLINE void scale_step(const scale_arrays *s, size_t i, size_t n)
{
    act_store_n(s->dst + i, n, vec_mul(vec_all(s->scale), act_load_n(s->src + i, n)));
}

static rn_status scale(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    const scale_arrays arrays = {args[RN_ARG_SRC], args[RN_ARG_DST], desc->scale};
    size_t count = rn_tensor_elements(&desc->src);

#pragma omp parallel if (count > PARALLEL_FLOATS)
    EACH_REGISTER(count, scale_step, &arrays);
    return RN_OK;
}

// v = momentum v + u; w -= lr (v, or u + momentum v); u = g + decay w.
INLINE void sgd_register(const rn_sgd_update *s, size_t i, size_t n, bool nesterov)
{
    vec momentum = vec_all(s->momentum), w = vec_load_n(s->value + i, n);
    vec u = vec_fma(vec_all(s->decay), w, vec_load_n(s->gradient + i, n));
    vec v = vec_fma(momentum, vec_load_n(s->velocity + i, n), u);
    vec move = nesterov ? vec_fma(momentum, v, u) : v;

    vec_store_n(s->velocity + i, n, v);
    vec_store_n(s->value + i, n, vec_fma(vec_all(-s->lr), move, w));
}

INLINE void sgd_step(const rn_sgd_update *s, size_t i, size_t n)
{
    sgd_register(s, i, n, false);
}

INLINE void sgd_nesterov_step(const rn_sgd_update *s, size_t i, size_t n)
{
    sgd_register(s, i, n, true);
}

static void sgd(const rn_sgd_update *update)
{
#pragma omp parallel if (update->count > PARALLEL_FLOATS)
    {
        if (update->nesterov)
            EACH_REGISTER(update->count, sgd_nesterov_step, update);
        else
            EACH_REGISTER(update->count, sgd_step, update);
    }
}

typedef struct ema_arrays {
    float *average;
    const float *value;
    float keep, take; // decay, 1 - decay
} ema_arrays;

INLINE void ema_step(const ema_arrays *e, size_t i, size_t n)
{
    vec taken = vec_mul(vec_all(e->take), vec_load_n(e->value + i, n));

    vec_store_n(e->average + i, n, vec_fma(vec_all(e->keep), vec_load_n(e->average + i, n), taken));
}

static void ema(float *average, const float *value, size_t count, float decay)
{
    const ema_arrays arrays = {average, value, decay, 1 - decay};

#pragma omp parallel if (count > PARALLEL_FLOATS)
    EACH_REGISTER(count, ema_step, &arrays);
}

#endif
