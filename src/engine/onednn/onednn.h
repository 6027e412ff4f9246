/** oneDNN behind one adapter that builds with API v2 (Debian) and v3. dnnl.h stays in this folder.
 */
#ifndef ENGINE_ONEDNN_ONEDNN_H
#define ENGINE_ONEDNN_ONEDNN_H

#include "plan/op.h"

typedef struct rn_onednn rn_onednn;

/** @param isa  "avx2" or "avx512": the most that oneDNN may use. */
rn_status rn_onednn_create(rn_onednn **out, const char *isa);
void rn_onednn_free(rn_onednn *onednn);

/** "oneDNN 2.6.3". Borrowed from `onednn`. */
const char *rn_onednn_version(const rn_onednn *onednn);

/**
 * Kernels in float32 of CONV*, LINEAR*, MAX_POOL* and (where the layouts allow; the product has its
 * own, for the tests it is a second opinion) AVERAGE_POOL*.
 *
 * @param onednn  Borrowed; must outlive the kernel.
 * @return RN_OK; RN_EUNSUPPORTED (other kinds and layouts); RN_ENGINE (oneDNN's status and shape).
 */
rn_status rn_onednn_kernel(rn_onednn *onednn, rn_kernel **out, const rn_op_desc *desc);

#endif
