/** What rn_peaks_measure() runs: loops that do nothing but multiply and add, or read. */
#ifndef ENGINE_CPU_PEAKS_H
#define ENGINE_CPU_PEAKS_H

#include <stddef.h>

/** One kind of multiply-add instruction. Results are returned so that nothing is optimised away. */
typedef struct rn_peak_kernel {
    const char *name;   // "avx2", "avx512", "avx512 bf16"
    double round_flops; // of each round
    float (*multiply_add)(size_t rounds);
    float (*read)(const float *floats, size_t count); // their sum; NULL for bf16
} rn_peak_kernel;

extern const rn_peak_kernel rn_peak_avx2;
extern const rn_peak_kernel rn_peak_avx512;      // where rn_isa allows it
extern const rn_peak_kernel rn_peak_avx512_bf16; // where the processor has vdpbf16ps too

#endif
