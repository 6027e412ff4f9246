// An engine that computes nothing but what became of what: every op fills its results with one
// number, hashed from the op and from what it reads. A result that overlapped another, was read too
// late or came from the wrong place would be a different number in everything that follows.
#ifndef TESTS_PLAN_FAKE_ENGINE_H
#define TESTS_PLAN_FAKE_ENGINE_H

#include "base/memory.h"
#include "plan/plan_struct.h"

#include <stdarg.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

enum { FAKE_STATISTICS = 5 }; // words of a part

typedef struct fake_kernel {
    rn_kernel kernel;
    rn_op_desc desc;
} fake_kernel;

static int runs, live_kernels;
static bool calibrating;      // arguments are not what the network would give
static bool takes_statistics; // convolutions do, so that additions and batch norms are theirs

static uint32_t fake_mix(uint32_t hash, uint32_t word)
{
    hash = (hash ^ word) * 0x9E3779B1u;
    return hash ^ hash >> 15;
}

static size_t fake_count(const rn_kernel *kernel, rn_arg arg)
{
    const rn_op_desc *desc = &((const fake_kernel *)kernel)->desc;

    if ((arg == RN_ARG_WEIGHTS || arg == RN_ARG_DIFF_WEIGHTS) &&
        rn_op_forward_kind(desc->kind) == RN_OP_CONV)
        return (size_t)desc->dst.c * (size_t)desc->src.c * (size_t)desc->kernel *
               (size_t)desc->kernel;
    if ((arg == RN_ARG_WEIGHTS || arg == RN_ARG_DIFF_WEIGHTS) &&
        rn_op_forward_kind(desc->kind) == RN_OP_LINEAR)
        return (size_t)desc->dst.c * (size_t)desc->src.c;
    return (size_t)desc->dst.c;
}

// Words of 4 bytes of an argument; 0 for those that are not arrays of floats.
static size_t fake_size(const fake_kernel *kernel, rn_arg arg)
{
    const rn_op_desc *desc = &kernel->desc;

    switch (arg) {
    case RN_ARG_SRC:
    case RN_ARG_RAW:
    case RN_ARG_DIFF_SRC:
        return rn_tensor_elements(&desc->src);
    case RN_ARG_SRC2:
    case RN_ARG_DIFF_SRC2:
    case RN_ARG_DST:
    case RN_ARG_DIFF_DST:
    case RN_ARG_DIFF_DST2:
        return rn_tensor_elements(&desc->dst);
    case RN_ARG_SAVED:
        return RN_SAVED_VECTORS * (size_t)rn_padded_channels(&desc->src);
    case RN_ARG_NORM:
        return RN_NORM_VECTORS * (size_t)rn_padded_channels(&desc->src);
    case RN_ARG_STATISTICS:
        return desc->kind == RN_OP_CONV ? kernel->kernel.statistics_bytes / 4
                                        : FAKE_STATISTICS * (size_t)desc->parts;
    case RN_ARG_WORKSPACE:
        return kernel->kernel.workspace_bytes / 4;
    case RN_ARG_SCRATCH:
        return kernel->kernel.scratch_bytes / 4;
    case RN_ARG_RANDOM:
        return sizeof(rn_random) / 4;
    case RN_ARG_LABELS:
        return (size_t)desc->src.n;
    case RN_ARG_LOSS:
        return 0;
    default:
        return fake_count(&kernel->kernel, arg);
    }
}

static bool fake_is_param(rn_arg arg)
{
    return arg == RN_ARG_WEIGHTS || arg == RN_ARG_BIAS || arg == RN_ARG_RUNNING_MEAN ||
           arg == RN_ARG_RUNNING_VARIANCE || arg == RN_ARG_RANDOM || arg == RN_ARG_LABELS;
}

// Of the large arrays of a calibration the beginning is enough.
static size_t fake_words(const fake_kernel *kernel, rn_arg arg)
{
    size_t words = fake_size(kernel, arg);

    return words < 1 << 18 ? words : 1 << 18;
}

// One number for what an argument holds: a tensor must hold one number throughout.
static uint32_t fake_read(const fake_kernel *kernel, rn_arg arg, const void *memory)
{
    const uint32_t *words = memory;
    uint32_t hash = words[0];
    size_t count = fake_words(kernel, arg);

    for (size_t i = 1; i < count; i++) {
        if (fake_is_param(arg))
            hash = fake_mix(hash, words[i]);
        else if (words[i] != words[0])
            fail_msg("%s: argument %d is partly overwritten", rn_op_kind_name(kernel->desc.kind),
                     (int)arg);
    }
    return hash;
}

static bool fake_writes(const rn_op_desc *desc, rn_arg arg)
{
    rn_op_kind kind = desc->kind;
    bool forward = rn_op_forward_kind(kind) == kind || kind == RN_OP_BATCH_NORM_AGAIN;

    switch (arg) {
    case RN_ARG_DST:
        return forward && !desc->deferred;
    case RN_ARG_WORKSPACE:
        return forward;
    case RN_ARG_SAVED:
    case RN_ARG_RUNNING_MEAN:
    case RN_ARG_RUNNING_VARIANCE:
        return kind == RN_OP_BATCH_NORM_TRAIN;
    case RN_ARG_NORM:
        return desc->deferred;
    case RN_ARG_STATISTICS:
        return kind == RN_OP_CONV;
    case RN_ARG_DIFF_SRC:
    case RN_ARG_DIFF_SRC2:
    case RN_ARG_DIFF_WEIGHTS:
    case RN_ARG_DIFF_BIAS:
    case RN_ARG_SCRATCH:
        return true;
    default:
        return false;
    }
}

// Where a batch norm is deferred, its DST holds nothing.
static bool fake_reads(const rn_op_desc *desc, rn_arg arg)
{
    bool nothing = (desc->norm && arg == RN_ARG_SRC) || (desc->deferred && arg == RN_ARG_DST);

    return !nothing && !fake_writes(desc, arg) && arg != RN_ARG_LOSS && arg != RN_ARG_STATISTICS;
}

// Of all that is read. Batch norm again is batch norm; only the latter sees running statistics,
// which change nothing but themselves.
static uint32_t fake_hash(const fake_kernel *kernel, void *const args[RN_ARGS])
{
    const rn_op_desc *desc = &kernel->desc;
    bool again = desc->kind == RN_OP_BATCH_NORM_AGAIN;
    uint32_t hash = fake_mix(1, again ? RN_OP_BATCH_NORM_TRAIN : desc->kind);

    hash = fake_mix(hash, desc->stream * 4u + desc->complement * 2u + desc->relu);
    for (int a = 0; a < RN_ARGS; a++)
        if (args[a] != NULL && fake_reads(desc, (rn_arg)a) && !(again && a == RN_ARG_SAVED))
            hash = fake_mix(hash, fake_read(kernel, (rn_arg)a, args[a]) + (uint32_t)a);
    return hash;
}

static void fake_check(const fake_kernel *kernel, uint32_t hash, void *const args[RN_ARGS])
{
    const rn_op_desc *desc = &kernel->desc;
    rn_arg source = desc->norm ? RN_ARG_RAW : RN_ARG_SRC;

    if (desc->kind == RN_OP_CONV && args[source] == args[RN_ARG_DST])
        fail_msg("conv writes over what it has still to read");
    if (desc->kind == RN_OP_BATCH_NORM_AGAIN &&
        fake_read(kernel, RN_ARG_SAVED, args[RN_ARG_SAVED]) != fake_mix(hash, RN_ARG_SAVED))
        fail_msg("batch norm again with the statistics of another op");
    if (desc->kind == RN_OP_BATCH_NORM_TRAIN && desc->statistics &&
        fake_read(kernel, RN_ARG_STATISTICS, args[RN_ARG_STATISTICS]) !=
            fake_mix(fake_read(kernel, RN_ARG_SRC, args[RN_ARG_SRC]), RN_ARG_STATISTICS))
        fail_msg("batch norm with the statistics of another convolution");
}

// Statistics tell what they were taken of.
static uint32_t fake_result(uint32_t hash, rn_arg arg)
{
    if (arg == RN_ARG_STATISTICS)
        return fake_mix(fake_mix(hash, RN_ARG_DST), RN_ARG_STATISTICS);
    return fake_mix(hash, (uint32_t)arg);
}

static rn_status fake_run(rn_kernel *base, void *const args[RN_ARGS])
{
    const fake_kernel *kernel = (const fake_kernel *)base;
    uint32_t hash = fake_hash(kernel, args);

    runs++;
    if (!calibrating)
        fake_check(kernel, hash, args);
    for (int a = 0; a < RN_ARGS; a++) {
        if (args[a] == NULL || !fake_writes(&kernel->desc, (rn_arg)a))
            continue;
        uint32_t *words = args[a], old = words[0];
        size_t count = fake_words(kernel, (rn_arg)a);
        for (size_t i = 0; i < count; i++)
            words[i] =
                fake_is_param((rn_arg)a) ? fake_mix(old, hash) : fake_result(hash, (rn_arg)a);
    }
    if (args[RN_ARG_LOSS] != NULL)
        *(rn_loss *)args[RN_ARG_LOSS] = (rn_loss){.loss = hash};
    return RN_OK;
}

static void fake_free(rn_kernel *kernel)
{
    live_kernels--;
    rn_free(kernel);
}

static rn_status fake_copy(const rn_kernel *kernel, rn_arg arg, const float *from, float *to)
{
    memcpy(to, from, fake_count(kernel, arg) * sizeof *to);
    return RN_OK;
}

static rn_status fake_create(rn_engine *engine, rn_kernel **out, const rn_op_desc *desc)
{
    fake_kernel *kernel = NULL;
    rn_status st = RN_OK;
    bool pool = rn_op_forward_kind(desc->kind) == RN_OP_MAX_POOL;
    int parts = takes_statistics && desc->kind == RN_OP_CONV && desc->statistics ? 3 : 0;

    (void)engine;
    *out = NULL;
    RN_TRY(RN_NEW(&kernel, 1));
    live_kernels++;
    kernel->desc = *desc;
    kernel->kernel = (rn_kernel){
        .run = fake_run,
        .free = fake_free,
        .implementation = "fake",
        .workspace_bytes = pool && desc->training ? rn_tensor_bytes(&desc->dst) : 0,
        .scratch_bytes = desc->kind == RN_OP_BATCH_NORM_TRAIN ? 1000 : 0,
        .statistics_bytes = (size_t)parts * FAKE_STATISTICS * 4,
        .statistics_parts = parts,
        .native_count = fake_count,
        .pack = fake_copy,
        .unpack = fake_copy,
    };
    *out = &kernel->kernel;
out:
    return st;
}

static rn_engine fake_engine = {
    .name = "fake", .description = "fake", .layout = RN_LAYOUT_NCHW, .create = fake_create};

static inline int count_kind(const rn_plan *plan, rn_op_kind kind)
{
    int count = 0;

    for (int i = 0; i < plan->op_count; i++)
        count += plan->ops[i].desc.kind == kind;
    return count;
}

static inline bool tensors_overlap(const rn_plan_tensor *a, const rn_plan_tensor *b)
{
    bool in_time = a->first <= b->last && b->first <= a->last;
    bool in_space = a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;

    return in_time && in_space;
}

static inline void check_offsets(const rn_plan *plan)
{
    for (int a = 0; a < plan->tensor_count; a++) {
        const rn_plan_tensor *tensor = &plan->tensors[a];
        if (tensor->root != a || tensor->first < 0)
            continue;
        assert_true(tensor->offset % RN_ALIGNMENT == 0);
        assert_true(tensor->offset + tensor->bytes <= plan->arena_bytes);
        for (int b = 0; b < a; b++)
            if (plan->tensors[b].root == b && plan->tensors[b].first >= 0)
                assert_false(tensors_overlap(tensor, &plan->tensors[b]));
    }
}

#endif
