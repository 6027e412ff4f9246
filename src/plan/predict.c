// Step time without running the step: each kind and shape of op is timed once on a small batch and
// scaled; nothing may be faster than the memory bandwidth allows.
#include "plan/plan_struct.h"
#include "plan/stream.h"

#include "base/memory.h"

#include <string.h>

enum {
    PROBE_BYTES = 4 << 20,   // largest tensor of a probe: its op then takes around a millisecond
    STREAM_BYTES = 64 << 20, // each of three arrays; beyond any cache level but the largest
    REPEATS = 3
};

/** The arguments of a probe: one block for each, zeroes (times do not depend on values). */
typedef struct probe {
    void *args[RN_ARGS];
    rn_kernel *forward, *kernel;
} probe;

static void probe_release(probe *p)
{
    for (int a = 0; a < RN_ARGS; a++)
        rn_free(p->args[a]);
    rn_kernel_free(p->kernel);
    rn_kernel_free(p->forward);
}

static size_t tensor_bytes(const rn_plan_tensor *tensor, int batch)
{
    rn_tensor_desc desc = tensor->desc;

    if (desc.c == 0) // saved statistics: one a channel, whatever the batch
        return tensor->bytes;
    desc.n = batch;
    return rn_tensor_bytes(&desc);
}

// Of a parameter, or its gradient, in the layout of the probe's own kernel: for another batch that
// may be another.
static size_t param_bytes(const probe *p, rn_arg arg)
{
    const rn_kernel *kernel = p->forward != NULL ? p->forward : p->kernel;
    rn_arg param = arg == RN_ARG_DIFF_WEIGHTS ? RN_ARG_WEIGHTS
                   : arg == RN_ARG_DIFF_BIAS  ? RN_ARG_BIAS
                                              : arg;

    return kernel->native_count(kernel, param) * sizeof(float);
}

// Memory for the arguments that the planned op has, at the probe's batch size.
static rn_status probe_allocate(const rn_plan *plan, probe *p, const rn_planned_op *op, int batch)
{
    rn_status st = RN_OK;

    for (int a = 0; a < RN_ARGS; a++) {
        rn_ref ref = op->args[a];
        size_t bytes = sizeof(rn_loss) + (size_t)batch * sizeof(int32_t); // loss, labels
        if (a == RN_ARG_SCRATCH || a == RN_ARG_WORKSPACE || a == RN_ARG_PREPARED ||
            ref.space == RN_SPACE_NONE)
            continue;
        if (ref.space == RN_SPACE_VALUE || a == RN_ARG_DIFF_WEIGHTS || a == RN_ARG_DIFF_BIAS)
            bytes = param_bytes(p, (rn_arg)a);
        else if (ref.space == RN_SPACE_TENSOR)
            bytes = tensor_bytes(&plan->tensors[ref.index], batch);
        if (a == RN_ARG_STATISTICS && p->kernel->statistics_bytes > bytes)
            bytes = p->kernel->statistics_bytes;
        RN_TRY(rn_alloc(&p->args[a], bytes, 1));
    }
    size_t workspace = p->kernel->workspace_bytes;
    if (p->forward != NULL && p->forward->workspace_bytes > workspace)
        workspace = p->forward->workspace_bytes;
    if (workspace > 0)
        RN_TRY(rn_alloc(&p->args[RN_ARG_WORKSPACE], workspace, 1));
    if (p->kernel->prepared_bytes > 0)
        RN_TRY(rn_alloc(&p->args[RN_ARG_PREPARED], p->kernel->prepared_bytes, 1));
    if (p->kernel->scratch_bytes > 0)
        RN_TRY(rn_alloc(&p->args[RN_ARG_SCRATCH], p->kernel->scratch_bytes, 1));
out:
    return st;
}

static rn_status probe_create(const rn_plan *plan, probe *p, const rn_planned_op *op, int batch)
{
    rn_status st = RN_OK;
    rn_op_desc desc = op->desc;

    desc.src.n = desc.dst.n = batch;
    desc.forward = NULL;
    if (rn_op_forward_kind(desc.kind) != desc.kind) {
        rn_op_desc forward = desc;
        forward.kind = rn_op_forward_kind(desc.kind);
        RN_TRY(plan->engine->create(plan->engine, &p->forward, &forward));
        desc.forward = p->forward;
    }
    RN_TRY(plan->engine->create(plan->engine, &p->kernel, &desc));
    RN_TRY(probe_allocate(plan, p, op, batch));
out:
    return st;
}

// Best of a few runs, after one that warms caches and threads.
static rn_status probe_time(probe *p, double *seconds)
{
    rn_status st = RN_OK;

    RN_TRY(p->kernel->run(p->kernel, p->args));
    for (int i = 0; i < REPEATS; i++) {
        double start = rn_clock();
        RN_TRY(p->kernel->run(p->kernel, p->args));
        double elapsed = rn_clock() - start;
        if (i == 0 || elapsed < *seconds)
            *seconds = elapsed;
    }
out:
    return st;
}

static int probe_batch(const rn_plan *plan, const rn_planned_op *op)
{
    size_t src = rn_tensor_bytes(&op->desc.src), dst = rn_tensor_bytes(&op->desc.dst);
    size_t image = (src > dst ? src : dst) / (size_t)plan->options.batch;
    size_t batch = PROBE_BYTES / (image == 0 ? 1 : image);
    size_t threads = (size_t)rn_threads();

    batch = batch / threads * threads; // every thread gets its share, as it will in the whole
    if (batch < threads)
        batch = threads;
    return batch < (size_t)plan->options.batch ? (int)batch : plan->options.batch;
}

static rn_status probe_op(const rn_plan *plan, const rn_planned_op *op, double bandwidth,
                          double *seconds)
{
    rn_status st = RN_OK;
    probe p = {0};
    int batch = probe_batch(plan, op);
    double bound = (double)rn_planned_op_bytes(plan, op) / bandwidth;

    st = probe_create(plan, &p, op, batch);
    if (st == RN_EUNSUPPORTED && batch < plan->options.batch) { // an op of many pictures only
        probe_release(&p);
        p = (probe){0};
        batch = plan->options.batch;
        st = probe_create(plan, &p, op, batch);
    }
    if (st != RN_OK)
        goto out;
    RN_TRY(probe_time(&p, seconds));
    *seconds *= (double)plan->options.batch / batch;
    if (*seconds < bound)
        *seconds = bound;
out:
    probe_release(&p);
    return st;
}

static rn_status measure_bandwidth(const rn_plan *plan, double *bandwidth)
{
    rn_status st = RN_OK;
    rn_op_desc add = rn_stream_op(STREAM_BYTES);
    rn_kernel *kernel = NULL;
    float *arrays = NULL;

    RN_TRY(plan->engine->create(plan->engine, &kernel, &add));
    RN_TRY(rn_alloc((void **)&arrays, RN_STREAM_ARRAYS, STREAM_BYTES));
    RN_TRY(rn_stream_measure(bandwidth, kernel, arrays, STREAM_BYTES));
out:
    rn_free(arrays);
    rn_kernel_free(kernel);
    return st;
}

static bool same_op(const rn_op_desc *a, const rn_op_desc *b)
{
    return a->kind == b->kind && memcmp(&a->src, &b->src, sizeof a->src) == 0 &&
           memcmp(&a->dst, &b->dst, sizeof a->dst) == 0 && a->kernel == b->kernel &&
           a->stride == b->stride && a->pad == b->pad && a->relu == b->relu && a->add == b->add &&
           a->deferred == b->deferred && a->norm == b->norm && a->norm_relu == b->norm_relu &&
           a->statistics == b->statistics && a->fold == b->fold && a->int8 == b->int8 &&
           a->diff_dst2 == b->diff_dst2 && a->whole == b->whole;
}

rn_status rn_plan_predict(const rn_plan *plan, double *seconds, double *per_op)
{
    rn_status st = RN_OK;
    double *times = NULL, bandwidth = 0;

    *seconds = 0;
    RN_TRY(RN_NEW(&times, (size_t)plan->op_count));
    RN_TRY(measure_bandwidth(plan, &bandwidth));
    for (int i = 0; i < plan->op_count; i++) {
        int like = 0; // deep networks repeat few shapes
        while (!same_op(&plan->ops[like].desc, &plan->ops[i].desc))
            like++;
        if (like < i)
            times[i] = times[like];
        else
            RN_TRY(probe_op(plan, &plan->ops[i], bandwidth, &times[i]));
        *seconds += times[i];
    }
    if (per_op != NULL)
        memcpy(per_op, times, (size_t)plan->op_count * sizeof *times);
out:
    rn_free(times);
    return st;
}
