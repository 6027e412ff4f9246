/** A kernel made of oneDNN primitives; inside this folder only. */
#ifndef ENGINE_ONEDNN_ONEDNN_KERNEL_H
#define ENGINE_ONEDNN_ONEDNN_KERNEL_H

#include "engine/onednn/onednn.h"
#include "engine/onednn/onednn_api.h"

struct rn_onednn {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_attr_t attr; // scratchpad from the user
    char version[32];
};

enum { RN_DNNL_STEPS = 2, RN_DNNL_ARGS = 8 };

/** One primitive with its arguments; before each run the memories get their data handles. */
typedef struct rn_dnnl_step {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t args[RN_DNNL_ARGS];
    rn_arg source[RN_DNNL_ARGS]; // whose memory args[i] uses
    size_t offset[RN_DNNL_ARGS]; // bytes into it
    int count;
} rn_dnnl_step;

typedef struct rn_dnnl_kernel {
    rn_kernel base; // first, so that an rn_kernel * of this folder is an rn_dnnl_kernel *
    rn_onednn *onednn;
    rn_op_desc desc;
    dnnl_primitive_desc_t pd;          // of the op itself; the hint of its backward ops
    rn_dnnl_md native;                 // layout of WEIGHTS, borrowed from pd; NULL if none
    rn_dnnl_step steps[RN_DNNL_STEPS]; // the op and perhaps a reorder, in order of execution
    int step_count;
} rn_dnnl_kernel;

/** RN_OK, or RN_ENOMEM or RN_ENGINE with "oneDNN: <op> <shapes>: <status> (<what>)". */
rn_status rn_dnnl_check(dnnl_status_t status, const rn_op_desc *desc, const char *what);

/** desc->forward as this folder's kernel; NULL if it is none. */
const rn_dnnl_kernel *rn_dnnl_forward(const rn_op_desc *desc);

/** oneDNN's name of a layout. */
dnnl_format_tag_t rn_dnnl_tag(rn_layout layout);

/** Descriptor of an activation, channels rounded up to whole blocks; the caller's. */
rn_status rn_dnnl_activation(rn_dnnl_md *out, const rn_op_desc *desc, const rn_tensor_desc *tensor);

void rn_dnnl_spec_release(rn_dnnl_spec *spec);

/**
 * Make the kernel of a primitive descriptor.
 *
 * Where the layout of (diff_)weights that `pd` wants is not `native`, a reorder through scratch
 * memory is put before or after it.
 *
 * @param pd      Taken over, also on failure.
 * @param native  The forward kernel's layout of weights; NULL: the one that `pd` has.
 */
rn_status rn_dnnl_kernel_create(rn_kernel **out, rn_onednn *onednn, const rn_op_desc *desc,
                                dnnl_primitive_desc_t pd, rn_dnnl_md native);

/** "jit:avx512_core", borrowed from pd; "" if unknown. */
const char *rn_dnnl_implementation(dnnl_primitive_desc_t pd);

// Families of ops; rn_onednn_kernel() chooses.
rn_status rn_dnnl_conv_create(rn_kernel **out, rn_onednn *onednn, const rn_op_desc *desc);
rn_status rn_dnnl_linear_create(rn_kernel **out, rn_onednn *onednn, const rn_op_desc *desc);
rn_status rn_dnnl_pool_create(rn_kernel **out, rn_onednn *onednn, const rn_op_desc *desc);

// Parameters between canonical and native layout (onednn_params.c).
size_t rn_dnnl_native_count(const rn_kernel *kernel, rn_arg arg);
rn_status rn_dnnl_pack(const rn_kernel *kernel, rn_arg arg, const float *canonical, float *native);
rn_status rn_dnnl_unpack(const rn_kernel *kernel, rn_arg arg, const float *native,
                         float *canonical);

/** PREPARED of a CONV with a batch norm folded in: weights, and from rn_dnnl_folded() bytes a bias.
 */
size_t rn_dnnl_folded(const rn_dnnl_kernel *kernel);
rn_status rn_dnnl_fold(rn_kernel *kernel, void *const args[RN_ARGS]);

#endif
