// Own kernels for activations of bfloat16 in NCHW8C. Only this file is compiled for avx2: see
// CMakeLists.txt.
#define ACT_BF16
#define TABLE rn_cpu_bf16_avx2
#define TABLE_NAME "cpu avx2 bf16"
#include "engine/cpu/body.h"

_Static_assert(VEC == 8, "a register holds one block of NCHW8C");
