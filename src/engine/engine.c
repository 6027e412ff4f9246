// Engines by name. "cpu" is put together here: own kernels where there are some, oneDNN elsewhere.
#include "resnet/engine.h"

#include "base/memory.h"
#include "engine/cpu/kernels.h"
#include "engine/onednn/onednn.h"
#include "engine/ref/ref.h"

#include <stdlib.h>
#include <string.h>

typedef struct cpu_engine {
    rn_engine base; // first: an rn_engine * of this engine is a cpu_engine *
    rn_isa isa;
    rn_conv_method conv;
    rn_onednn *onednn;
    char *description;
} cpu_engine;

static rn_status create_kernel(rn_engine *engine, rn_kernel **out, const rn_op_desc *desc)
{
    cpu_engine *cpu = (cpu_engine *)engine;
    bool conv = desc->kind >= RN_OP_CONV && desc->kind <= RN_OP_CONV_BACKWARD_WEIGHTS;
    rn_status st =
        conv ? rn_conv_kernel(out, rn_cpu_functions_of(cpu->isa, desc->dst.dtype), cpu->conv, desc)
             : rn_cpu_kernel(out, cpu->isa, desc);

    bool foreign = !desc->norm && desc->src.dtype == RN_FLOAT32; // oneDNN might have it
    return st == RN_EUNSUPPORTED && foreign ? rn_onednn_kernel(cpu->onednn, out, desc) : st;
}

static void free_cpu(rn_engine *engine)
{
    cpu_engine *cpu = (cpu_engine *)engine;

    if (cpu == NULL)
        return;
    rn_onednn_free(cpu->onednn);
    rn_free(cpu->description);
    rn_free(cpu);
}

static rn_status create_cpu(rn_engine **out)
{
    rn_status st = RN_OK;
    cpu_engine *cpu = NULL;
    rn_isa isa;

    RN_TRY(rn_isa_choose(&isa, rn_isa_supported(), getenv("RESNET_ISA")));
    RN_TRY(RN_NEW(&cpu, 1));
    cpu->isa = isa;
    RN_TRY(rn_conv_method_parse(&cpu->conv, getenv("RESNET_CONV")));
    RN_TRY(rn_onednn_create(&cpu->onednn, rn_isa_name(isa)));
    RN_TRY(rn_format(&cpu->description, "cpu %s, %s", rn_isa_name(isa),
                     rn_onednn_version(cpu->onednn)));
    const rn_cpu_functions *functions = rn_cpu_functions_of(isa, RN_FLOAT32);
    cpu->base = (rn_engine){.name = "cpu",
                            .description = cpu->description,
                            .layout = functions->block == 16 ? RN_LAYOUT_NCHW16C : RN_LAYOUT_NCHW8C,
                            .create = create_kernel,
                            .sgd = functions->sgd,
                            .ema = functions->ema,
                            .free = free_cpu};
    *out = &cpu->base;
    cpu = NULL; // now the caller's
out:
    if (cpu != NULL)
        free_cpu(&cpu->base);
    return st;
}

// Denormals must be flushed in every compute thread also for callers that never set their number.
static rn_status flush_denormals(void)
{
    const int most = 1024; // rn_threads_set()

    return rn_threads_set(rn_threads() < most ? rn_threads() : most);
}

rn_status rn_engine_create(rn_engine **out, const char *name)
{
    rn_status st = RN_OK;

    *out = NULL;
    if (name == NULL || strcmp(name, "cpu") == 0)
        RN_TRY(create_cpu(out));
    else if (strcmp(name, "ref") == 0)
        RN_TRY(rn_ref_engine_create(out));
    else
        return rn_error(RN_EINVAL, "unknown engine '%s', expected cpu or ref", name);
    RN_TRY(flush_denormals());
out:
    return st;
}

void rn_engine_free(rn_engine *engine)
{
    if (engine != NULL)
        engine->free(engine);
}

const char *rn_engine_name(const rn_engine *engine)
{
    return engine->name;
}

const char *rn_engine_description(const rn_engine *engine)
{
    return engine->description;
}
