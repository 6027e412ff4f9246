/** Which instructions this process may use: what the processor has, lowered by RESNET_ISA. */
#ifndef ENGINE_CPU_ISA_H
#define ENGINE_CPU_ISA_H

#include "resnet/base.h"

typedef enum rn_isa {
    RN_ISA_NONE,  // less than AVX2 and FMA: no kernels
    RN_ISA_AVX2,  // AVX2, FMA
    RN_ISA_AVX512 // also AVX-512 F, BW, VL, DQ
} rn_isa;

/** "avx2", "avx512"; "baseline" for RN_ISA_NONE. */
const char *rn_isa_name(rn_isa isa);

/** The most that processor and operating system support. */
rn_isa rn_isa_supported(void);

/**
 * Choose what to use.
 *
 * @param supported  What the processor has.
 * @param wanted     "avx2", "avx512" (the value of RESNET_ISA); NULL or "" for all there is.
 * @return RN_OK; RN_EINVAL (other text); RN_EUNSUPPORTED (the processor lacks it, or AVX2).
 */
rn_status rn_isa_choose(rn_isa *out, rn_isa supported, const char *wanted);

#endif
