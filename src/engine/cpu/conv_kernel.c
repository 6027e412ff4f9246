// Makes kernels of the own convolutions: which one, and its working memory.
#include "base/memory.h"
#include "engine/cpu/conv_weights.h"
#include "engine/cpu/kernels.h"

#include <string.h>

typedef struct conv_kernel {
    rn_kernel base; // first: an rn_kernel * of this file is a conv_kernel *
    rn_op_desc desc;
    rn_winograd winograd;
    rn_winograd_function run_winograd, prepare_winograd; // NULL: direct
    rn_direct direct;
    rn_direct_function run_direct, prepare_direct;
    void (*bias_gradient)(const rn_op_desc *desc, void *const args[RN_ARGS]);
} conv_kernel;

rn_status rn_conv_method_parse(rn_conv_method *method, const char *text)
{
    static const char *const names[] = {"auto", "winograd", "direct", "onednn"};

    *method = RN_CONV_AUTO;
    if (text == NULL || *text == '\0')
        return RN_OK;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(text, names[i]) == 0) {
            *method = (rn_conv_method)i;
            return RN_OK;
        }
    return rn_error(RN_EINVAL,
                    "environment variable RESNET_CONV is '%s', expected auto, winograd, direct or "
                    "onednn",
                    text);
}

static rn_status run(rn_kernel *base, void *const args[RN_ARGS])
{
    const conv_kernel *kernel = (const conv_kernel *)base;

    if (kernel->run_winograd != NULL)
        kernel->run_winograd(&kernel->winograd, &kernel->desc, args);
    else
        kernel->run_direct(&kernel->direct, &kernel->desc, args);
    if (args[RN_ARG_DIFF_BIAS] != NULL)
        kernel->bias_gradient(&kernel->desc, args);
    return RN_OK;
}

static rn_status prepare(rn_kernel *base, void *const args[RN_ARGS])
{
    const conv_kernel *kernel = (const conv_kernel *)base;

    if (kernel->run_winograd != NULL)
        kernel->prepare_winograd(&kernel->winograd, &kernel->desc, args);
    else
        kernel->prepare_direct(&kernel->direct, &kernel->desc, args);
    return RN_OK;
}

static void free_kernel(rn_kernel *kernel)
{
    rn_free(kernel);
}

static size_t native_count(const rn_kernel *kernel, rn_arg arg)
{
    return rn_conv_native_count(&((const conv_kernel *)kernel)->desc, arg);
}

static rn_status pack(const rn_kernel *kernel, rn_arg arg, const float *canonical, float *native)
{
    rn_conv_pack(&((const conv_kernel *)kernel)->desc, arg, canonical, native);
    return RN_OK;
}

static rn_status unpack(const rn_kernel *kernel, rn_arg arg, const float *native, float *canonical)
{
    rn_conv_unpack(&((const conv_kernel *)kernel)->desc, arg, native, canonical);
    return RN_OK;
}

// Not where there may be a gradient of a bias to make, unless nobody else can.
static bool is_conv(const rn_op_desc *d)
{
    bool bias = d->bias && !d->constant && d->dst.dtype == RN_FLOAT32;
    bool typed = d->src.dtype == d->dst.dtype ||
                 (d->src.dtype == RN_FLOAT32 && rn_layout_block(d->src.layout) == 1);
    bool kind = d->kind == RN_OP_CONV || d->kind == RN_OP_CONV_BACKWARD_DATA ||
                d->kind == RN_OP_CONV_BACKWARD_WEIGHTS;

    bool norm = d->norm && rn_layout_block(d->src.layout) == 1; // nobody normalises a picture

    return kind && typed && !bias && !norm && d->src.n > 0 && d->src.n == d->dst.n &&
           d->src.h > 0 && d->src.w > 0;
}

// The statistics of a convolution's results: how many parts, and their memory.
static void ask_for_statistics(conv_kernel *kernel)
{
    const rn_op_desc *d = &kernel->desc;
    int parts = kernel->run_winograd != NULL ? kernel->winograd.chunks : kernel->direct.chunks;

    if (d->kind != RN_OP_CONV || !d->statistics || d->int8) // products of bytes have none
        return;
    kernel->base.statistics_parts = parts;
    kernel->base.statistics_bytes =
        (size_t)parts * RN_CPU_MOMENTS * (size_t)rn_padded_channels(&d->dst) * sizeof(float);
}

// Measured (docs/performance.md): elsewhere oneDNN's code is as fast or faster, and on AVX-512 it
// is so everywhere but where Winograd's fits.
static bool direct_wins(const rn_op_desc *d, int block)
{
    return block == 8 && d->kernel == 3 && d->stride == 2 && d->src.c >= 128;
}

// Not where there are so many channels that transformed weights, four times as many, come from
// memory, and so few tiles that each is used only a few times.
static bool winograd_wins(const rn_op_desc *d)
{
    double bytes = 36.0 * sizeof(float) * d->src.c * d->dst.c;
    double tiles = (double)d->src.n * ((d->src.h + 3) / 4) * ((d->src.w + 3) / 4);

    return bytes < 16e6 || tiles >= 12;
}

// How the kernel computes, and its name; returns its floats of scratch.
static size_t choose_functions(conv_kernel *kernel, const rn_cpu_functions *functions,
                               bool winograd)
{
    const rn_op_desc *d = &kernel->desc;
    bool weights = d->kind == RN_OP_CONV_BACKWARD_WEIGHTS;

    kernel->bias_gradient = functions->bias_gradient;
    if (winograd) {
        kernel->run_winograd = weights ? functions->winograd_weights : functions->winograd;
        kernel->prepare_winograd = functions->winograd_prepare;
        kernel->base.implementation = functions->winograd_name;
        return rn_winograd_plan(&kernel->winograd, d, functions->block);
    }
    if (d->int8) {
        const rn_int8_functions *int8 = functions->int8;
        if (int8 == NULL)
            int8 = rn_int8_functions_of(functions->block);
        kernel->run_direct = int8->conv;
        kernel->prepare_direct = int8->prepare;
        kernel->base.implementation = int8->name;
    } else {
        kernel->run_direct = weights ? functions->direct_weights : functions->direct;
        kernel->prepare_direct = functions->direct_prepare;
        kernel->base.implementation = functions->direct_name;
    }
    return rn_direct_plan(&kernel->direct, d, functions->block);
}

rn_status rn_conv_kernel(rn_kernel **out, const rn_cpu_functions *functions, rn_conv_method method,
                         const rn_op_desc *desc)
{
    rn_status st = RN_OK;
    conv_kernel *kernel = NULL;
    int block = functions->block;
    bool conv = is_conv(desc), direct = conv && rn_direct_fits(desc, block);
    bool int8 = direct && rn_int8_fits(desc);
    bool winograd = !int8 && conv && rn_winograd_fits(desc, block) &&
                    (method == RN_CONV_WINOGRAD || (method == RN_CONV_AUTO && winograd_wins(desc)));
    bool wanted = int8 || method == RN_CONV_DIRECT || desc->dst.dtype != RN_FLOAT32 ||
                  (method == RN_CONV_AUTO && direct_wins(desc, block));

    *out = NULL;
    if (!winograd && !(direct && wanted))
        return rn_error(RN_EUNSUPPORTED, "%s has no '%s' with kernel %d, stride %d, pad %d",
                        functions->name, rn_op_kind_name(desc->kind), desc->kernel, desc->stride,
                        desc->pad);
    RN_TRY(RN_NEW(&kernel, 1));
    kernel->desc = *desc;
    kernel->desc.int8 = int8;
    kernel->desc.forward = NULL; // it may be freed before this kernel
    kernel->base = (rn_kernel){.run = run,
                               .free = free_kernel,
                               .prepare = prepare,
                               .native_count = native_count,
                               .pack = pack,
                               .unpack = unpack};
    kernel->base.scratch_bytes = choose_functions(kernel, functions, winograd) * sizeof(float);
    kernel->base.prepared_bytes =
        (winograd ? kernel->winograd.prepared_floats : kernel->direct.prepared_floats) *
        sizeof(float);
    ask_for_statistics(kernel);
    *out = &kernel->base;
out:
    return st;
}
