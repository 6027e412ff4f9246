/** All kernel bodies and their table; the including file has defined TABLE and TABLE_NAME. */
#ifndef ENGINE_CPU_BODY_H
#define ENGINE_CPU_BODY_H

#include "engine/cpu/body_average_pool.h"
#include "engine/cpu/body_batch_norm.h"
#include "engine/cpu/body_batch_norm_backward.h"
#include "engine/cpu/body_bias_gradient.h"
#include "engine/cpu/body_cross_entropy.h"
#include "engine/cpu/body_direct_weights.h"
#include "engine/cpu/body_dropout.h"
#include "engine/cpu/body_elementwise.h"
#include "engine/cpu/body_flatten.h"
#include "engine/cpu/body_gate.h"
#include "engine/cpu/body_max_pool.h"
#include "engine/cpu/body_shortcut.h"
#include "engine/cpu/body_winograd_weights.h"

const rn_cpu_functions TABLE = {
    .name = TABLE_NAME,
    .block = VEC,
    .run =
        {
            [RN_OP_BATCH_NORM_TRAIN] = batch_norm_train,
            [RN_OP_BATCH_NORM_INFER] = batch_norm_infer,
            [RN_OP_BATCH_NORM_AGAIN] = batch_norm_again,
            [RN_OP_BATCH_NORM_BACKWARD] = batch_norm_backward,
            [RN_OP_RELU] = relu,
            [RN_OP_RELU_BACKWARD] = relu_backward,
            [RN_OP_ADD] = add,
            [RN_OP_SCALE] = scale,
            [RN_OP_DROPOUT] = drop_elements,
            [RN_OP_GATE] = gate,
            [RN_OP_GATE_BACKWARD] = gate_backward,
            [RN_OP_FLATTEN] = flatten,
            [RN_OP_FLATTEN_BACKWARD] = flatten_backward,
            [RN_OP_SHORTCUT_PAD] = shortcut_pad,
            [RN_OP_SHORTCUT_PAD_BACKWARD] = shortcut_pad_backward,
            [RN_OP_MAX_POOL] = max_pool,
            [RN_OP_MAX_POOL_BACKWARD] = max_pool_backward,
            [RN_OP_AVERAGE_POOL] = average_pool,
            [RN_OP_AVERAGE_POOL_BACKWARD] = average_pool_backward,
            [RN_OP_CROSS_ENTROPY] = cross_entropy,
        },
    .winograd_name = TABLE_NAME " winograd",
    .winograd = winograd_conv,
    .winograd_weights = winograd_weights,
    .winograd_prepare = winograd_prepare,
    .direct_name = TABLE_NAME " direct",
    .direct = direct_conv,
    .direct_weights = direct_weights,
    .direct_prepare = direct_prepare,
    .bias_gradient = bias_gradient,
    .sgd = sgd,
    .ema = ema,
};

#endif
