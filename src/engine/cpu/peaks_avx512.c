// Only this file's flags make the peaks of AVX-512: see CMakeLists.txt.
#define PEAK rn_peak_avx512
#define PEAK_NAME "avx512"
#include "engine/cpu/body_peaks.h"

_Static_assert(VEC == 16, "registers of AVX-512");
