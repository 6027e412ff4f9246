#include "engine/cpu/isa.h"

#include <string.h>

const char *rn_isa_name(rn_isa isa)
{
    return isa == RN_ISA_AVX512 ? "avx512" : isa == RN_ISA_AVX2 ? "avx2" : "baseline";
}

rn_isa rn_isa_supported(void)
{
    // These ask the operating system too (XGETBV): it must save the wide registers.
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return RN_ISA_NONE;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        return RN_ISA_AVX512;
    return RN_ISA_AVX2;
}

rn_status rn_isa_choose(rn_isa *out, rn_isa supported, const char *wanted)
{
    rn_isa isa = supported;

    *out = RN_ISA_NONE;
    if (supported == RN_ISA_NONE)
        return rn_error(RN_EUNSUPPORTED, "this processor lacks AVX2 or FMA, which engine 'cpu' "
                                         "needs; engine 'ref' runs anywhere");
    if (wanted != NULL && *wanted != '\0') {
        if (strcmp(wanted, "avx2") == 0)
            isa = RN_ISA_AVX2;
        else if (strcmp(wanted, "avx512") == 0)
            isa = RN_ISA_AVX512;
        else
            return rn_error(RN_EINVAL,
                            "environment variable RESNET_ISA is '%s', expected avx2 or avx512",
                            wanted);
    }
    if (isa > supported)
        return rn_error(RN_EUNSUPPORTED,
                        "environment variable RESNET_ISA is '%s', but this processor has only %s",
                        wanted, rn_isa_name(supported));
    *out = isa;
    return RN_OK;
}
