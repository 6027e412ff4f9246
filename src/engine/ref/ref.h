/** The plain C engine: every op as its formula, NCHW, single threaded; the oracle for the others.
 */
#ifndef ENGINE_REF_REF_H
#define ENGINE_REF_REF_H

#include "plan/op.h"

/** The engine itself; the caller's (engine->free). */
rn_status rn_ref_engine_create(rn_engine **out);

// One creator a family of ops, all directions; each fills a kernel for desc->kind.
rn_status rn_ref_conv_create(rn_kernel **out, const rn_op_desc *desc);
rn_status rn_ref_linear_create(rn_kernel **out, const rn_op_desc *desc);
rn_status rn_ref_pool_create(rn_kernel **out, const rn_op_desc *desc); // max and average
rn_status rn_ref_batch_norm_create(rn_kernel **out, const rn_op_desc *desc);
rn_status rn_ref_elementwise_create(rn_kernel **out, const rn_op_desc *desc); // RELU*, ADD, SCALE
rn_status rn_ref_dropout_create(rn_kernel **out, const rn_op_desc *desc);
rn_status rn_ref_gate_create(rn_kernel **out, const rn_op_desc *desc);
rn_status rn_ref_flatten_create(rn_kernel **out, const rn_op_desc *desc);
rn_status rn_ref_shortcut_create(rn_kernel **out, const rn_op_desc *desc);
rn_status rn_ref_cross_entropy_create(rn_kernel **out, const rn_op_desc *desc);

void rn_ref_sgd(const rn_sgd_update *update);
void rn_ref_ema(float *average, const float *value, size_t count, float decay);

#endif
