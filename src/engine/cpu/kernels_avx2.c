// Own kernels for NCHW8C. Only this file is compiled for avx2: see CMakeLists.txt.
#define TABLE rn_cpu_avx2
#define TABLE_NAME "cpu avx2"
#include "engine/cpu/body.h"

_Static_assert(VEC == 8, "a register holds one block of NCHW8C");
