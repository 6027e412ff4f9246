/** Gating: x times the logistic function of z, or times 1 less it, which is that of -z. */
#ifndef ENGINE_CPU_BODY_GATE_H
#define ENGINE_CPU_BODY_GATE_H

#include "engine/cpu/body_elementwise.h"

INLINE void gate_register(void *const args[RN_ARGS], size_t i, size_t n, bool complement)
{
    const act *src = args[RN_ARG_SRC], *src2 = args[RN_ARG_SRC2];
    act *dst = args[RN_ARG_DST];
    vec z = act_load_n(src2 + i, n);
    vec s = vec_logistic(complement ? vec_sub(vec_zero(), z) : z);

    act_store_n(dst + i, n, vec_mul(act_load_n(src + i, n), s));
}

INLINE void gate_step(void *const args[RN_ARGS], size_t i, size_t n)
{
    gate_register(args, i, n, false);
}

INLINE void gate_complement_step(void *const args[RN_ARGS], size_t i, size_t n)
{
    gate_register(args, i, n, true);
}

static rn_status gate(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    size_t count = rn_tensor_elements(&desc->src);

#pragma omp parallel if (count > PARALLEL_FLOATS)
    {
        if (desc->complement)
            EACH_REGISTER(count, gate_complement_step, args);
        else
            EACH_REGISTER(count, gate_step, args);
    }
    return RN_OK;
}

// With u = z, or -z for the complement, and e = exp(-|u|): s(u) and s(-u) are 1 / (1 + e) and
// e / (1 + e), the larger one that of the positive argument; ds/du is their product.
INLINE void gate_backward_register(void *const args[RN_ARGS], size_t i, size_t n, bool complement)
{
    const act *src = args[RN_ARG_SRC], *src2 = args[RN_ARG_SRC2];
    const act *diff_dst = args[RN_ARG_DIFF_DST];
    act *diff_src = args[RN_ARG_DIFF_SRC], *diff_src2 = args[RN_ARG_DIFF_SRC2];
    vec z = act_load_n(src2 + i, n), g = act_load_n(diff_dst + i, n);
    vec u = complement ? vec_sub(vec_zero(), z) : z;
    vec e = vec_exp_negative(u), sum = vec_add(vec_all(1.0f), e);
    vec large = vec_div(vec_all(1.0f), sum), small = vec_div(e, sum);
    vec slope = vec_mul(large, complement ? vec_sub(vec_zero(), small) : small);
    vec diff_gate = vec_mul(vec_mul(g, act_load_n(src + i, n)), slope);

    act_store_n(diff_src + i, n, vec_mul(g, vec_where_sign(u, small, large)));
    act_store_n(diff_src2 + i, n, diff_gate);
}

INLINE void gate_backward_step(void *const args[RN_ARGS], size_t i, size_t n)
{
    gate_backward_register(args, i, n, false);
}

INLINE void gate_complement_backward_step(void *const args[RN_ARGS], size_t i, size_t n)
{
    gate_backward_register(args, i, n, true);
}

static rn_status gate_backward(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    size_t count = rn_tensor_elements(&desc->src);

#pragma omp parallel if (count > PARALLEL_FLOATS)
    {
        if (desc->complement)
            EACH_REGISTER(count, gate_complement_backward_step, args);
        else
            EACH_REGISTER(count, gate_backward_step, args);
    }
    return RN_OK;
}

#endif
