// Own kernels for NCHW16C. Only this file is compiled for avx512: see CMakeLists.txt.
#define TABLE rn_cpu_avx512
#define TABLE_NAME "cpu avx512"
#include "engine/cpu/body.h"

_Static_assert(VEC == 16, "a register holds one block of NCHW16C");
