// Makes rn_kernel of the functions in the tables: shapes checked once, so that running need not.
#include "base/memory.h"
#include "engine/cpu/kernels.h"

#include <stdio.h>
#include <string.h>

typedef struct cpu_kernel {
    rn_kernel base; // first: an rn_kernel * of this file is a cpu_kernel *
    rn_op_desc desc;
    rn_cpu_function function;
} cpu_kernel;

const rn_cpu_functions *rn_cpu_functions_of(rn_isa isa, rn_dtype dtype)
{
    if (dtype == RN_BFLOAT16)
        return isa == RN_ISA_AVX512 ? &rn_cpu_bf16_avx512 : &rn_cpu_bf16_avx2;
    return isa == RN_ISA_AVX512 ? &rn_cpu_avx512 : &rn_cpu_avx2;
}

static rn_status run(rn_kernel *kernel, void *const args[RN_ARGS])
{
    cpu_kernel *cpu = (cpu_kernel *)kernel;

    return cpu->function(&cpu->desc, args);
}

static void free_kernel(rn_kernel *kernel)
{
    rn_free(kernel);
}

// Parameters of batch norm: vectors padded to whole blocks.
static size_t native_count(const rn_kernel *kernel, rn_arg arg)
{
    const rn_op_desc *desc = &((const cpu_kernel *)kernel)->desc;
    bool batch_norm = desc->kind >= RN_OP_BATCH_NORM_TRAIN && desc->kind <= RN_OP_BATCH_NORM_AGAIN;
    bool parameter = arg == RN_ARG_WEIGHTS || arg == RN_ARG_BIAS || arg == RN_ARG_RUNNING_MEAN ||
                     arg == RN_ARG_RUNNING_VARIANCE;

    return batch_norm && parameter ? (size_t)rn_padded_channels(&desc->src) : 0;
}

static rn_status pack(const rn_kernel *kernel, rn_arg arg, const float *canonical, float *native)
{
    size_t padded = native_count(kernel, arg);
    size_t channels = padded == 0 ? 0 : (size_t)((const cpu_kernel *)kernel)->desc.src.c;

    memcpy(native, canonical, channels * sizeof *native);
    memset(native + channels, 0, (padded - channels) * sizeof *native);
    return RN_OK;
}

static rn_status unpack(const rn_kernel *kernel, rn_arg arg, const float *native, float *canonical)
{
    if (native_count(kernel, arg) > 0)
        memcpy(canonical, native,
               (size_t)((const cpu_kernel *)kernel)->desc.src.c * sizeof *native);
    return RN_OK;
}

static bool same_shape(const rn_tensor_desc *a, const rn_tensor_desc *b)
{
    return a->dtype == b->dtype && a->layout == b->layout && a->n == b->n && a->c == b->c &&
           a->h == b->h && a->w == b->w;
}

static bool flatten_fits(const rn_op_desc *desc, bool blocked)
{
    const rn_tensor_desc *src = &desc->src, *dst = &desc->dst;
    bool sized = dst->n == src->n && (int64_t)dst->c == (int64_t)src->c * src->h * src->w;

    return (blocked || rn_layout_block(src->layout) == 1) && dst->layout == RN_LAYOUT_NC &&
           dst->h == 1 && dst->w == 1 && sized;
}

static int windows(const rn_op_desc *desc, int size)
{
    return (size + 2 * desc->pad - desc->kernel) / desc->stride + 1;
}

static bool max_pool_fits(const rn_op_desc *desc)
{
    const rn_tensor_desc *src = &desc->src, *dst = &desc->dst;

    return desc->kernel >= 1 && desc->kernel <= RN_CPU_MAX_POOL_KERNEL && desc->stride >= 1 &&
           desc->pad >= 0 && desc->pad < desc->kernel && src->layout == dst->layout &&
           src->dtype == dst->dtype && src->n == dst->n && src->c == dst->c &&
           dst->h == windows(desc, src->h) && dst->w == windows(desc, src->w);
}

// bfloat16 has blocks.
static bool typed(const rn_tensor_desc *t)
{
    return t->dtype == RN_FLOAT32 || rn_layout_block(t->layout) > 1;
}

// Whether kernels of that block can compute the op in these shapes and layouts.
static bool fits(const rn_op_desc *desc, int block)
{
    const rn_tensor_desc *src = &desc->src, *dst = &desc->dst;
    bool blocked = rn_layout_block(src->layout) == block;

    if (src->n < 1 || src->c < 1 || src->h < 1 || src->w < 1)
        return false;
    if (!typed(src) || !typed(dst))
        return false;
    switch (desc->kind) {
    case RN_OP_BATCH_NORM_TRAIN:
    case RN_OP_BATCH_NORM_INFER:
    case RN_OP_BATCH_NORM_AGAIN:
    case RN_OP_BATCH_NORM_BACKWARD:
        return blocked && same_shape(src, dst);
    case RN_OP_RELU:
    case RN_OP_RELU_BACKWARD:
    case RN_OP_ADD:
    case RN_OP_SCALE:
    case RN_OP_GATE:
    case RN_OP_GATE_BACKWARD:
        return same_shape(src, dst); // any layout
    case RN_OP_DROPOUT:
        return same_shape(src, dst) && desc->rate >= 0 && desc->rate < 1;
    case RN_OP_FLATTEN:
    case RN_OP_FLATTEN_BACKWARD:
        return flatten_fits(desc, blocked);
    case RN_OP_SHORTCUT_PAD:
    case RN_OP_SHORTCUT_PAD_BACKWARD:
        return blocked && rn_shortcut_fits(desc);
    case RN_OP_MAX_POOL:
    case RN_OP_MAX_POOL_BACKWARD:
        return blocked && max_pool_fits(desc);
    case RN_OP_AVERAGE_POOL:
    case RN_OP_AVERAGE_POOL_BACKWARD:
        return blocked && dst->layout == RN_LAYOUT_NC && src->n == dst->n && src->c == dst->c;
    case RN_OP_CROSS_ENTROPY:
        return src->layout == RN_LAYOUT_NC;
    default:
        return false;
    }
}

static size_t scratch_bytes(const rn_op_desc *desc)
{
    size_t padded = (size_t)rn_padded_channels(&desc->src), n = (size_t)desc->src.n;
    size_t constants = padded * RN_CPU_BATCH_NORM_CONSTANTS * sizeof(float);

    switch (desc->kind) {
    case RN_OP_BATCH_NORM_INFER:
    case RN_OP_BATCH_NORM_AGAIN:
        return constants;
    case RN_OP_BATCH_NORM_TRAIN:
    case RN_OP_BATCH_NORM_BACKWARD:
        return constants + n * padded * RN_CPU_BATCH_NORM_PARTIALS * sizeof(float);
    case RN_OP_CROSS_ENTROPY:
        return n * RN_CPU_ROW_RESULT_BYTES;
    default:
        return 0;
    }
}

static size_t workspace_bytes(const rn_op_desc *desc)
{
    return desc->kind == RN_OP_MAX_POOL && desc->training ? rn_tensor_elements(&desc->dst) : 0;
}

static rn_status no_kernel(const rn_cpu_functions *functions, const rn_op_desc *desc, int block)
{
    char window[32] = "";

    if (desc->kernel > 0)
        snprintf(window, sizeof window, ", window %d", desc->kernel);
    return rn_error(RN_EUNSUPPORTED,
                    "%s has no '%s' of %s for %dx%dx%dx%d -> %dx%dx%dx%d%s, channels in blocks of "
                    "%d",
                    functions->name, rn_op_kind_name(desc->kind), rn_dtype_name(desc->src.dtype),
                    desc->src.n, desc->src.c, desc->src.h, desc->src.w, desc->dst.n, desc->dst.c,
                    desc->dst.h, desc->dst.w, window, block);
}

rn_status rn_cpu_kernel(rn_kernel **out, rn_isa isa, const rn_op_desc *desc)
{
    rn_status st = RN_OK;
    cpu_kernel *kernel = NULL;
    int block = rn_layout_block(desc->src.layout);
    // A wide machine's narrow layout is for the narrow kernels; flat layouts suit either.
    const rn_cpu_functions *functions =
        rn_cpu_functions_of(block == 8 ? RN_ISA_AVX2 : isa, desc->src.dtype);

    *out = NULL;
    if (isa == RN_ISA_NONE || !fits(desc, functions->block))
        return no_kernel(functions, desc, block);
    RN_TRY(RN_NEW(&kernel, 1));
    kernel->desc = *desc;
    kernel->function = functions->run[desc->kind];
    kernel->base = (rn_kernel){.run = run,
                               .free = free_kernel,
                               .implementation = functions->name,
                               .workspace_bytes = workspace_bytes(desc),
                               .scratch_bytes = scratch_bytes(desc),
                               .native_count = native_count,
                               .pack = pack,
                               .unpack = unpack};
    *out = &kernel->base;
out:
    return st;
}
