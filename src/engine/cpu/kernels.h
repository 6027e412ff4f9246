/** Own kernels of the engine "cpu": one table of functions an instruction set. */
#ifndef ENGINE_CPU_KERNELS_H
#define ENGINE_CPU_KERNELS_H

#include "engine/cpu/direct.h"
#include "engine/cpu/isa.h"
#include "engine/cpu/winograd.h"
#include "plan/op.h"

/** Executes one op; allocates nothing. The same bits whatever the number of threads. */
typedef rn_status (*rn_cpu_function)(const rn_op_desc *desc, void *const args[RN_ARGS]);

/** Execute a convolution that has been cut up; args as op.h says. */
typedef void (*rn_winograd_function)(const rn_winograd *sizes, const rn_op_desc *desc,
                                     void *const args[RN_ARGS]);
typedef void (*rn_direct_function)(const rn_direct *sizes, const rn_op_desc *desc,
                                   void *const args[RN_ARGS]);

/** Convolutions in bytes, forward, of float32 activations. */
typedef struct rn_int8_functions {
    const char *name; // "cpu avx512 vnni int8"
    rn_direct_function conv, prepare;
} rn_int8_functions;

/** What one instruction set computes, of one type of activations. Its register holds one block of
 * channels: 8 or 16 floats. */
typedef struct rn_cpu_functions {
    const char *name; // "cpu avx512"
    int block;
    rn_cpu_function run[RN_OP_KINDS];        // NULL where there is no own kernel
    const char *winograd_name, *direct_name; // "cpu avx512 winograd"
    rn_winograd_function winograd, winograd_weights, winograd_prepare; // forward and data, weights
    rn_direct_function direct, direct_weights, direct_prepare;
    void (*bias_gradient)(const rn_op_desc *desc, void *const args[RN_ARGS]); // of a convolution
    const rn_int8_functions *int8; // NULL: rn_int8_functions_of(block)
    void (*sgd)(const rn_sgd_update *update);
    void (*ema)(float *average, const float *value, size_t count, float decay);
} rn_cpu_functions;

extern const rn_cpu_functions rn_cpu_avx2, rn_cpu_bf16_avx2;     // NCHW8C
extern const rn_cpu_functions rn_cpu_avx512, rn_cpu_bf16_avx512; // NCHW16C; may be used only where
                                                                 // rn_isa allows it

const rn_cpu_functions *rn_cpu_functions_of(rn_isa isa, rn_dtype dtype);

extern const rn_int8_functions rn_int8_avx2, rn_int8_avx512, rn_int8_avx512vnni;

/** Of a block of 8 or 16 channels; with 16 the fastest that this processor has. */
const rn_int8_functions *rn_int8_functions_of(int block);

/** Whether the op may be, and can be, computed in bytes; its windows must fit direct.h. */
bool rn_int8_fits(const rn_op_desc *desc);

/** How values of a range become bytes: the step between them, and the byte that stands for 0. */
float rn_int8_scale(const float range[2]);
int rn_int8_zero(const float range[2]);

/** Floats of scratch of a batch norm: partial sums of each (n, block), then the constants. */
enum { RN_CPU_BATCH_NORM_PARTIALS = 2, RN_CPU_BATCH_NORM_CONSTANTS = 4 };

/** Vectors of one part of STATISTICS: count, a value near them, sum and sum of squares from there.
 */
enum { RN_CPU_MOMENTS = 4 };

/** Largest window of a max pool: its workspace numbers the pixels with a byte. */
enum { RN_CPU_MAX_POOL_KERNEL = 15 };

/** Scratch of a cross entropy, each row of logits: its loss, and whether it is wrong. */
enum { RN_CPU_ROW_RESULT_BYTES = 16 };

/**
 * Make an own kernel.
 *
 * @param isa  At least what desc's layout needs.
 * @return RN_OK; RN_EUNSUPPORTED (no own kernel of this op in these layouts); RN_ENOMEM.
 */
rn_status rn_cpu_kernel(rn_kernel **out, rn_isa isa, const rn_op_desc *desc);

/** How an own convolution is computed. */
typedef enum rn_conv_method {
    RN_CONV_AUTO,     // whichever is fastest
    RN_CONV_WINOGRAD, // where it fits, else oneDNN
    RN_CONV_DIRECT,   // likewise
    RN_CONV_ONEDNN    // neither
} rn_conv_method;

/** @param text  "auto", "winograd", "direct", "onednn"; NULL or "": auto. @return RN_OK; RN_EINVAL.
 */
rn_status rn_conv_method_parse(rn_conv_method *method, const char *text);

/**
 * Make a kernel for CONV, CONV_BACKWARD_DATA or CONV_BACKWARD_WEIGHTS: by F(4x4, 3x3) (winograd.h)
 * or directly (direct.h). Weights are as in conv_weights.h. What is chosen for a shape is chosen
 * for all three.
 *
 * @param functions  Those of the layouts' block.
 * @return RN_OK; RN_EUNSUPPORTED (no such kernel for this op in these layouts); RN_ENOMEM.
 */
rn_status rn_conv_kernel(rn_kernel **out, const rn_cpu_functions *functions, rn_conv_method method,
                         const rn_op_desc *desc);

#endif
