// A plan as lines to print: what each op is, what it costs.
#include "plan/plan_struct.h"

#include "base/memory.h"

// Of a batch norm, an element: mean and variance; x times one number plus another.
enum { STATISTICS_FLOPS = 4, NORMALISE_FLOPS = 2 };

static double logical_elements(const rn_tensor_desc *desc)
{
    return (double)desc->n * desc->c * desc->h * desc->w;
}

static bool has_statistics(const rn_planned_op *op)
{
    return op->args[RN_ARG_STATISTICS].space == RN_SPACE_TENSOR;
}

// What a convolution does for the batch norms before and behind it is its work.
static double conv_flops(const rn_planned_op *op)
{
    const rn_op_desc *desc = &op->desc;
    double flops = 2.0 * logical_elements(&desc->dst) * desc->src.c * desc->kernel * desc->kernel;

    if (desc->norm)
        flops += NORMALISE_FLOPS * logical_elements(&desc->src);
    if (has_statistics(op))
        flops += STATISTICS_FLOPS * logical_elements(&desc->dst);
    return flops;
}

static double batch_norm_flops(const rn_planned_op *op)
{
    return logical_elements(&op->desc.src) * ((has_statistics(op) ? 0 : STATISTICS_FLOPS) +
                                              (op->desc.deferred ? 0 : NORMALISE_FLOPS));
}

double rn_planned_op_flops(const rn_planned_op *op)
{
    const rn_op_desc *desc = &op->desc;

    switch (desc->kind) {
    case RN_OP_CONV:
    case RN_OP_CONV_BACKWARD_DATA:
    case RN_OP_CONV_BACKWARD_WEIGHTS:
        return conv_flops(op);
    case RN_OP_LINEAR:
    case RN_OP_LINEAR_BACKWARD_DATA:
    case RN_OP_LINEAR_BACKWARD_WEIGHTS:
        return 2.0 * desc->src.n * desc->src.c * desc->dst.c;
    case RN_OP_BATCH_NORM_TRAIN:
        return batch_norm_flops(op);
    case RN_OP_BATCH_NORM_BACKWARD: // two sums, then three terms
        return 8.0 * logical_elements(&desc->src);
    case RN_OP_BATCH_NORM_INFER:
    case RN_OP_BATCH_NORM_AGAIN:
        return NORMALISE_FLOPS * logical_elements(&desc->src);
    case RN_OP_SHORTCUT_PAD:
    case RN_OP_SHORTCUT_PAD_BACKWARD:
    case RN_OP_FLATTEN:
    case RN_OP_FLATTEN_BACKWARD:
        return 0.0;
    default:
        return logical_elements(&desc->src);
    }
}

static size_t ref_bytes(const rn_plan *plan, rn_ref ref)
{
    switch (ref.space) {
    case RN_SPACE_TENSOR:
        return plan->tensors[ref.index].bytes;
    case RN_SPACE_VALUE:
        return plan->params[ref.index].count * sizeof(float);
    default:
        return 0;
    }
}

size_t rn_planned_op_bytes(const rn_plan *plan, const rn_planned_op *op)
{
    size_t bytes = 0;
    const bool prepared = op->args[RN_ARG_PREPARED].space == RN_SPACE_TENSOR;
    // A batch norm that has its statistics and normalises nothing reads no source.
    const bool reads =
        op->desc.kind != RN_OP_BATCH_NORM_TRAIN || !op->desc.deferred || !has_statistics(op);

    for (int a = 0; a < RN_ARGS; a++)
        if (a != RN_ARG_SCRATCH && (a != RN_ARG_SRC || reads) &&
            !(prepared && op->args[a].space == RN_SPACE_VALUE))
            bytes += ref_bytes(plan, op->args[a]);
    return bytes;
}

static const char *layout_name(rn_layout layout)
{
    switch (layout) {
    case RN_LAYOUT_NC:
        return "nc";
    case RN_LAYOUT_NCHW:
        return "nchw";
    case RN_LAYOUT_NCHW8C:
        return "nChw8c";
    case RN_LAYOUT_NCHW16C:
        return "nChw16c";
    }
    return "unknown";
}

int rn_plan_ops(const rn_plan *plan)
{
    return plan->op_count;
}

rn_plan_op rn_plan_op_at(const rn_plan *plan, int index)
{
    const rn_planned_op *op = &plan->ops[index];
    // What a backward op produces has the shape of the source.
    const rn_tensor_desc *shape = op->backward && !op->again ? &op->desc.src : &op->desc.dst;

    return (rn_plan_op){
        .op = op->label,
        .name = rn_graph_node(plan->graph, op->node)->name,
        .implementation = op->kernel->implementation,
        .layout = layout_name(shape->layout),
        .shape = {shape->n, shape->c, shape->h, shape->w},
        .bytes = rn_planned_op_bytes(plan, op),
        .flops = rn_planned_op_flops(op),
        .backward = op->backward,
    };
}

rn_status rn_plan_alive(const rn_plan *plan, size_t *bytes)
{
    rn_status st = RN_OK;
    size_t *changes = NULL, now = 0;

    RN_TRY(RN_NEW(&changes, (size_t)plan->op_count + 1));
    rn_plan_peak(plan, changes);
    for (int i = 0; i < plan->op_count; i++) {
        now += changes[i]; // wraps below 0 and back
        bytes[i] = now;
    }
out:
    rn_free(changes);
    return st;
}
