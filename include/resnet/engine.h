/** Engines: who computes the ops of a plan. */
#ifndef RESNET_ENGINE_H
#define RESNET_ENGINE_H

#include "resnet/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Make an engine.
 *
 * @param[out] out  The caller's (rn_engine_free()); NULL on failure.
 * @param name      "cpu" (vectorised kernels with oneDNN, dispatched at run time; the default for
 *                  NULL) or "ref" (plain C, single threaded, the oracle for tests). RESNET_ISA
 *                  (avx2, avx512) in the environment lowers what "cpu" uses.
 * @return RN_OK; RN_EINVAL (unknown name or RESNET_ISA); RN_EUNSUPPORTED (the processor lacks AVX2
 *         or FMA; the message says so); RN_ENOMEM; RN_ENGINE (oneDNN failed).
 */
RN_API rn_status rn_engine_create(rn_engine **out, const char *name);
RN_API void rn_engine_free(rn_engine *engine);

/** "ref" or "cpu". Borrowed from the engine. */
RN_API const char *rn_engine_name(const rn_engine *engine);

/** ISA and library versions in one line, for logs. Borrowed from the engine. */
RN_API const char *rn_engine_description(const rn_engine *engine);

#ifdef __cplusplus
}
#endif
#endif
