/**
 * What becomes of the results of a convolution while they are in registers: a bias and a second
 * tensor may be added, ReLU applied, statistics taken.
 */
#ifndef ENGINE_CPU_BODY_CONV_OUTPUT_H
#define ENGINE_CPU_BODY_CONV_OUTPUT_H

#include "engine/cpu/act.h"
#include "engine/cpu/body_moments.h"

typedef struct conv_output {
    act *dst;
    float *statistics; // NULL if none are wanted
    const float *bias; // padded vector; NULL: none
    const act *add;    // NULL, or of DST's shape
    bool relu;
} conv_output;

// PREPARED ends with shift and scale, `channels` of each; before them it has `weights` floats.
static const float *conv_shift(void *const args[RN_ARGS], size_t weights)
{
    return (const float *)args[RN_ARG_PREPARED] + weights;
}

// Multiply `count` vectors of weights, `blocks` blocks of results side by side, by their scale.
static void conv_scale_weights(float *weights, size_t count, const float *scale, size_t blocks)
{
    for (size_t i = 0; i < count; i++)
        for (size_t q = 0; q < blocks; q++, weights += VEC)
            vec_store(weights, vec_mul(vec_load(weights), vec_load(scale + q * VEC)));
}

static conv_output conv_output_of(const rn_op_desc *desc, void *const args[RN_ARGS])
{
    bool data = desc->kind == RN_OP_CONV_BACKWARD_DATA;

    return (conv_output){
        .dst = args[data ? RN_ARG_DIFF_SRC : RN_ARG_DST],
        .statistics = !data && desc->statistics ? args[RN_ARG_STATISTICS] : NULL,
        .bias = !data && desc->bias ? args[RN_ARG_BIAS] : NULL,
        .add = !data && desc->add ? args[RN_ARG_SRC2] : NULL,
        .relu = !data && desc->relu,
    };
}

// Is there anything to do but to store?
static bool conv_output_plain(const conv_output *output)
{
    return output->bias == NULL && output->add == NULL && !output->relu;
}

// `at`: floats from the beginning of DST; `bias`: that of the block.
INLINE vec conv_result(const conv_output *output, vec result, vec bias, size_t at)
{
    result = vec_add(result, bias);
    if (output->add != NULL)
        result = vec_add(result, act_load(output->add + at));
    return output->relu ? vec_relu(result) : result;
}

INLINE vec conv_bias(const conv_output *output, size_t block)
{
    return output->bias != NULL ? vec_load(output->bias + block * VEC) : vec_zero();
}

#endif
