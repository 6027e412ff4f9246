/**
 * The own kernels of every instruction set that this machine has, against the ref engine: makers,
 * and shapes worth trying. Header only, for cmocka programs whose group has open_engine() and
 * close_engine() around it.
 */
#ifndef ENGINE_CPU_HARNESS_H
#define ENGINE_CPU_HARNESS_H

#include "engine/cpu/kernels.h"
#include "engine/ref/ref.h"
#include "op_harness.h"

static rn_engine *ref_engine;
static harness_maker ref = {harness_engine_create, NULL};

static inline rn_status create(void *context, rn_kernel **out, const rn_op_desc *desc)
{
    return rn_cpu_kernel(out, *(rn_isa *)context, desc);
}

static inline rn_layout layout_of(rn_isa isa)
{
    return isa == RN_ISA_AVX512 ? RN_LAYOUT_NCHW16C : RN_LAYOUT_NCHW8C;
}

static inline rn_op_desc like(rn_op_kind kind, rn_tensor_desc t)
{
    return (rn_op_desc){.kind = kind, .src = t, .dst = t, .epsilon = 1e-5f, .momentum = 0.1f};
}

// Run body(isa, maker) for each instruction set of this machine.
static inline void each_isa(void (*body)(rn_isa isa, const harness_maker *maker))
{
    rn_isa supported = rn_isa_supported();

    assert_true(supported >= RN_ISA_AVX2);
    for (rn_isa isa = RN_ISA_AVX2; isa <= supported; isa++) {
        rn_isa context = isa;
        const harness_maker maker = {create, &context};
        body(isa, &maker);
    }
}

// Odd on purpose: less than a block, blocks and a bit, one pixel, more than a chunk of pixels, and
// enough for threads.
static const int shapes[][4] = {{2, 3, 5, 3},    {3, 8, 1, 1},  {1, 17, 2, 7},
                                {5, 16, 13, 11}, {9, 20, 9, 9}, {2, 5, 31, 29}};

enum { SHAPES = sizeof shapes / sizeof *shapes };

static inline rn_tensor_desc shape_at(int i, rn_layout layout)
{
    return (rn_tensor_desc){RN_FLOAT32,   layout,       shapes[i][0],
                            shapes[i][1], shapes[i][2], shapes[i][3]};
}

static inline int open_engine(void **state)
{
    (void)state;
    if (rn_ref_engine_create(&ref_engine) != RN_OK)
        return -1;
    ref.context = ref_engine;
    return 0;
}

static inline int close_engine(void **state)
{
    (void)state;
    ref_engine->free(ref_engine);
    return 0;
}

#endif
