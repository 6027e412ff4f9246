// Convolutions in bytes. Only this file is compiled for avx2: see CMakeLists.txt.
#pragma GCC diagnostic ignored "-Wunused-function" // of the direct convolutions some are used
#define TABLE rn_int8_avx2
#define TABLE_NAME "cpu avx2 int8"
#include "engine/cpu/body_int8.h"
