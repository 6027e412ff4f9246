// Convolutions in bytes. Only this file is compiled for avx512vnni: see CMakeLists.txt.
#pragma GCC diagnostic ignored "-Wunused-function" // of the direct convolutions some are used
#define TABLE rn_int8_avx512vnni
#define TABLE_NAME "cpu avx512 vnni int8"
#include "engine/cpu/body_int8.h"
