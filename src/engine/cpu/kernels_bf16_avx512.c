// Own kernels for activations of bfloat16 in NCHW16C. Only this file is compiled for avx512: see
// CMakeLists.txt.
#define ACT_BF16
#define TABLE rn_cpu_bf16_avx512
#define TABLE_NAME "cpu avx512 bf16"
#include "engine/cpu/body.h"

_Static_assert(VEC == 16, "a register holds one block of NCHW16C");
