// Only this file's flags make the peaks of AVX2: see CMakeLists.txt.
#define PEAK rn_peak_avx2
#define PEAK_NAME "avx2"
#include "engine/cpu/body_peaks.h"

_Static_assert(VEC == 8, "registers of AVX2");
