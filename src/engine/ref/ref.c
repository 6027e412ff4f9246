// The table of the plain C engine.
#include "engine/ref/ref.h"

#include "base/memory.h"

typedef rn_status (*ref_create)(rn_kernel **out, const rn_op_desc *desc);

static rn_status create_kernel(rn_engine *engine, rn_kernel **out, const rn_op_desc *desc)
{
    static const ref_create creators[RN_OP_KINDS] = {
        [RN_OP_CONV] = rn_ref_conv_create,
        [RN_OP_CONV_BACKWARD_DATA] = rn_ref_conv_create,
        [RN_OP_CONV_BACKWARD_WEIGHTS] = rn_ref_conv_create,
        [RN_OP_LINEAR] = rn_ref_linear_create,
        [RN_OP_LINEAR_BACKWARD_DATA] = rn_ref_linear_create,
        [RN_OP_LINEAR_BACKWARD_WEIGHTS] = rn_ref_linear_create,
        [RN_OP_BATCH_NORM_TRAIN] = rn_ref_batch_norm_create,
        [RN_OP_BATCH_NORM_INFER] = rn_ref_batch_norm_create,
        [RN_OP_BATCH_NORM_AGAIN] = rn_ref_batch_norm_create,
        [RN_OP_BATCH_NORM_BACKWARD] = rn_ref_batch_norm_create,
        [RN_OP_RELU] = rn_ref_elementwise_create,
        [RN_OP_RELU_BACKWARD] = rn_ref_elementwise_create,
        [RN_OP_ADD] = rn_ref_elementwise_create,
        [RN_OP_SCALE] = rn_ref_elementwise_create,
        [RN_OP_DROPOUT] = rn_ref_dropout_create,
        [RN_OP_GATE] = rn_ref_gate_create,
        [RN_OP_GATE_BACKWARD] = rn_ref_gate_create,
        [RN_OP_FLATTEN] = rn_ref_flatten_create,
        [RN_OP_FLATTEN_BACKWARD] = rn_ref_flatten_create,
        [RN_OP_SHORTCUT_PAD] = rn_ref_shortcut_create,
        [RN_OP_SHORTCUT_PAD_BACKWARD] = rn_ref_shortcut_create,
        [RN_OP_MAX_POOL] = rn_ref_pool_create,
        [RN_OP_MAX_POOL_BACKWARD] = rn_ref_pool_create,
        [RN_OP_AVERAGE_POOL] = rn_ref_pool_create,
        [RN_OP_AVERAGE_POOL_BACKWARD] = rn_ref_pool_create,
        [RN_OP_CROSS_ENTROPY] = rn_ref_cross_entropy_create,
    };

    (void)engine;
    *out = NULL;
    if ((unsigned)desc->kind >= RN_OP_KINDS || creators[desc->kind] == NULL)
        return rn_error(RN_EUNSUPPORTED, "ref engine has no op %d", (int)desc->kind);
    return creators[desc->kind](out, desc);
}

static void free_engine(rn_engine *engine)
{
    rn_free(engine);
}

rn_status rn_ref_engine_create(rn_engine **out)
{
    rn_status st = RN_OK;

    RN_TRY(RN_NEW(out, 1));
    **out = (rn_engine){.name = "ref",
                        .description = "ref, plain C",
                        .layout = RN_LAYOUT_NCHW,
                        .create = create_kernel,
                        .sgd = rn_ref_sgd,
                        .ema = rn_ref_ema,
                        .free = free_engine};
out:
    return st;
}
