#include "engine/onednn/onednn_kernel.h"

#include "base/memory.h"

#include <string.h>

static void release_step(rn_dnnl_step *step)
{
    for (int i = 0; i < step->count; i++)
        dnnl_memory_destroy(step->args[i].memory);
    if (step->primitive != NULL)
        dnnl_primitive_destroy(step->primitive);
}

static void free_kernel(rn_kernel *base)
{
    rn_dnnl_kernel *kernel = (rn_dnnl_kernel *)base;

    for (int i = 0; i < kernel->step_count; i++)
        release_step(&kernel->steps[i]);
    if (kernel->pd != NULL)
        dnnl_primitive_desc_destroy(kernel->pd);
    rn_free((char *)kernel->base.implementation);
    rn_free(kernel);
}

static dnnl_status_t run_step(const rn_dnnl_step *step, dnnl_stream_t stream,
                              void *const args[RN_ARGS])
{
    dnnl_status_t status = dnnl_success;

    for (int i = 0; i < step->count && status == dnnl_success; i++)
        status = dnnl_memory_set_data_handle(step->args[i].memory,
                                             (char *)args[step->source[i]] + step->offset[i]);
    if (status != dnnl_success)
        return status;
    return dnnl_primitive_execute(step->primitive, stream, step->count, step->args);
}

static rn_status run(rn_kernel *base, void *const args[RN_ARGS])
{
    rn_dnnl_kernel *kernel = (rn_dnnl_kernel *)base;
    dnnl_stream_t stream = kernel->onednn->stream;
    dnnl_status_t status = dnnl_success;

    if (kernel->desc.kind == RN_OP_CONV && kernel->desc.add &&
        args[RN_ARG_SRC2] != args[RN_ARG_DST]) // oneDNN adds to what is there
        memcpy(args[RN_ARG_DST], args[RN_ARG_SRC2], rn_tensor_bytes(&kernel->desc.dst));
    for (int i = 0; i < kernel->step_count && status == dnnl_success; i++)
        status = run_step(&kernel->steps[i], stream, args);
    if (status == dnnl_success)
        status = dnnl_stream_wait(stream);
    return rn_dnnl_check(status, &kernel->desc, "run");
}

const rn_dnnl_kernel *rn_dnnl_forward(const rn_op_desc *desc)
{
    if (desc->forward == NULL || desc->forward->run != run)
        return NULL;
    return (const rn_dnnl_kernel *)desc->forward;
}

const char *rn_dnnl_implementation(dnnl_primitive_desc_t pd)
{
    const char *text = NULL;

    if (dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &text) != dnnl_success)
        return "";
    return text;
}

static rn_dnnl_md arg_md(const_dnnl_primitive_desc_t pd, int arg)
{
    return dnnl_primitive_desc_query_md(pd, dnnl_query_exec_arg_md, arg);
}

static size_t arg_bytes(const_dnnl_primitive_desc_t pd, int arg)
{
    rn_dnnl_md md = arg_md(pd, arg);

    return md == NULL ? 0 : dnnl_memory_desc_get_size(md);
}

// Where an argument of a primitive finds its memory.
typedef struct binding {
    int arg;
    rn_arg source;
    size_t offset;
} binding;

static rn_status bind(rn_dnnl_kernel *kernel, rn_dnnl_step *step, rn_dnnl_md md, binding to)
{
    dnnl_memory_t memory = NULL;
    dnnl_status_t status =
        dnnl_memory_create(&memory, md, kernel->onednn->engine, DNNL_MEMORY_NONE);

    if (status != dnnl_success)
        return rn_dnnl_check(status, &kernel->desc, "memory");
    step->args[step->count] = (dnnl_exec_arg_t){.arg = to.arg, .memory = memory};
    step->source[step->count] = to.source;
    step->offset[step->count] = to.offset;
    step->count++;
    return RN_OK;
}

// A step that runs `pd`, with each of its arguments that a binding names.
static rn_status add_step(rn_dnnl_kernel *kernel, const_dnnl_primitive_desc_t pd,
                          const binding *bindings, int count)
{
    rn_status st = RN_OK;
    rn_dnnl_step *step = &kernel->steps[kernel->step_count++];

    RN_TRY(rn_dnnl_check(dnnl_primitive_create(&step->primitive, pd), &kernel->desc, "primitive"));
    for (int i = 0; i < count; i++)
        if (arg_bytes(pd, bindings[i].arg) != 0)
            RN_TRY(bind(kernel, step, arg_md(pd, bindings[i].arg), bindings[i]));
out:
    return st;
}

static bool is_backward_weights(const rn_op_desc *desc)
{
    return desc->kind == RN_OP_CONV_BACKWARD_WEIGHTS || desc->kind == RN_OP_LINEAR_BACKWARD_WEIGHTS;
}

static int weights_arg(const rn_op_desc *desc)
{
    return is_backward_weights(desc) ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS;
}

// Scratch memory: first `moved` bytes of weights in the layout that oneDNN wants (0 if it wants the
// native one), then the scratchpad, which the steps share.
static rn_status add_main_step(rn_dnnl_kernel *kernel, size_t moved)
{
    bool fold = kernel->desc.fold;
    rn_arg weights = fold ? RN_ARG_PREPARED : RN_ARG_WEIGHTS;
    binding bindings[] = {
        {DNNL_ARG_SRC, RN_ARG_SRC, 0},
        {DNNL_ARG_DST, RN_ARG_DST, 0},
        {DNNL_ARG_DIFF_SRC, RN_ARG_DIFF_SRC, 0},
        {DNNL_ARG_DIFF_DST, RN_ARG_DIFF_DST, 0},
        {DNNL_ARG_BIAS, fold ? RN_ARG_PREPARED : RN_ARG_BIAS, fold ? rn_dnnl_folded(kernel) : 0},
        {DNNL_ARG_DIFF_BIAS, RN_ARG_DIFF_BIAS, 0},
        {DNNL_ARG_WORKSPACE, RN_ARG_WORKSPACE, 0},
        {DNNL_ARG_SCRATCHPAD, RN_ARG_SCRATCH, moved},
        {DNNL_ARG_WEIGHTS, moved != 0 ? RN_ARG_SCRATCH : weights, 0},
        {DNNL_ARG_DIFF_WEIGHTS, moved != 0 ? RN_ARG_SCRATCH : RN_ARG_DIFF_WEIGHTS, 0},
    };

    return add_step(kernel, kernel->pd, bindings, sizeof bindings / sizeof *bindings);
}

// Weights from native layout into scratch memory, or their gradient from there to native layout.
static rn_status add_reorder_step(rn_dnnl_kernel *kernel, size_t moved, size_t *scratch)
{
    rn_status st = RN_OK;
    rn_dnnl_md wanted = arg_md(kernel->pd, weights_arg(&kernel->desc)), native = kernel->native;
    dnnl_engine_t engine = kernel->onednn->engine;
    bool after = is_backward_weights(&kernel->desc);
    dnnl_primitive_desc_t pd = NULL;
    binding bindings[] = {
        {DNNL_ARG_FROM, after ? RN_ARG_SCRATCH : RN_ARG_WEIGHTS, 0},
        {DNNL_ARG_TO, after ? RN_ARG_DIFF_WEIGHTS : RN_ARG_SCRATCH, 0},
        {DNNL_ARG_SCRATCHPAD, RN_ARG_SCRATCH, moved},
    };

    RN_TRY(rn_dnnl_check(dnnl_reorder_primitive_desc_create(&pd, after ? wanted : native, engine,
                                                            after ? native : wanted, engine,
                                                            kernel->onednn->attr),
                         &kernel->desc, "reorder"));
    *scratch = arg_bytes(pd, DNNL_ARG_SCRATCHPAD);
    RN_TRY(add_step(kernel, pd, bindings, sizeof bindings / sizeof *bindings));
out:
    if (pd != NULL)
        dnnl_primitive_desc_destroy(pd);
    return st;
}

static rn_status add_steps(rn_dnnl_kernel *kernel)
{
    rn_status st = RN_OK;
    rn_dnnl_md wanted = arg_md(kernel->pd, weights_arg(&kernel->desc));
    size_t moved = 0, scratch = 0, main_scratch = arg_bytes(kernel->pd, DNNL_ARG_SCRATCHPAD);
    bool after = is_backward_weights(&kernel->desc);

    if (kernel->native != NULL && !dnnl_memory_desc_equal(wanted, kernel->native)) {
        moved = rn_aligned(dnnl_memory_desc_get_size(wanted));
    }
    if (moved != 0 && !after)
        RN_TRY(add_reorder_step(kernel, moved, &scratch));
    RN_TRY(add_main_step(kernel, moved));
    if (moved != 0 && after)
        RN_TRY(add_reorder_step(kernel, moved, &scratch));
    kernel->base.scratch_bytes = moved + (scratch > main_scratch ? scratch : main_scratch);
    kernel->base.workspace_bytes = arg_bytes(kernel->pd, DNNL_ARG_WORKSPACE);
out:
    return st;
}

rn_status rn_dnnl_kernel_create(rn_kernel **out, rn_onednn *onednn, const rn_op_desc *desc,
                                dnnl_primitive_desc_t pd, rn_dnnl_md native)
{
    rn_status st = RN_OK;
    rn_dnnl_kernel *kernel = NULL;

    *out = NULL;
    RN_TRY(RN_NEW(&kernel, 1));
    kernel->base = (rn_kernel){.run = run,
                               .free = free_kernel,
                               .native_count = rn_dnnl_native_count,
                               .pack = rn_dnnl_pack,
                               .unpack = rn_dnnl_unpack};
    kernel->onednn = onednn;
    kernel->desc = *desc;
    kernel->desc.forward = NULL; // it may be freed before this kernel
    kernel->pd = pd;
    pd = NULL; // now the kernel's
    kernel->native = native != NULL ? native : arg_md(kernel->pd, DNNL_ARG_WEIGHTS);
    if (desc->fold) {
        kernel->base.prepare = rn_dnnl_fold;
        kernel->base.prepared_bytes =
            rn_dnnl_folded(kernel) + (size_t)rn_padded_channels(&desc->dst) * sizeof(float);
    }
    RN_TRY(add_steps(kernel));
    RN_TRY(rn_format((char **)&kernel->base.implementation, "onednn %s%s",
                     rn_dnnl_implementation(kernel->pd),
                     kernel->step_count > 1 ? " + reorder" : ""));
    if (native != NULL)
        kernel->native = NULL; // the forward kernel's; it has done its work
    *out = &kernel->base;
    kernel = NULL; // now the caller's
out:
    if (kernel != NULL)
        free_kernel(&kernel->base);
    if (pd != NULL)
        dnnl_primitive_desc_destroy(pd);
    return st;
}
