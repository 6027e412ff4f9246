// The element types of safetensors, and float32 made of its other float types.
#include "store/safetensors.h"

#include <string.h>

float rn_float_of_bits(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

// 1 sign, 5 exponent (bias 15), 10 fraction bits. Every value has its float32; NaNs stay NaNs.
float rn_float_of_half(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t exponent = half >> 10 & 0x1f, fraction = half & 0x3ff;

    if (exponent == 0) { // zero, or fraction x 2^-24
        float value = (float)fraction * 0x1p-24f;
        return sign != 0 ? -value : value;
    }
    if (exponent == 0x1f)
        return rn_float_of_bits(sign | 0x7f800000 | fraction << 13);
    return rn_float_of_bits(sign | (exponent + 127 - 15) << 23 | fraction << 13);
}

// The upper half of a float32.
float rn_float_of_bfloat(uint16_t bits)
{
    return rn_float_of_bits((uint32_t)bits << 16);
}

static void convert_half(float *dst, const char *src, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t bits;
        memcpy(&bits, src + i * sizeof bits, sizeof bits);
        dst[i] = rn_float_of_half(bits);
    }
}

static void convert_bfloat(float *dst, const char *src, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t bits;
        memcpy(&bits, src + i * sizeof bits, sizeof bits);
        dst[i] = rn_float_of_bfloat(bits);
    }
}

static void convert_single(float *dst, const char *src, size_t count)
{
    memcpy(dst, src, count * sizeof *dst);
}

static void convert_double(float *dst, const char *src, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double value;
        memcpy(&value, src + i * sizeof value, sizeof value);
        dst[i] = (float)value;
    }
}

static const rn_element_type types[] = {
    {"F32", "float32", 4, convert_single},
    {"F16", "float16", 2, convert_half},
    {"BF16", "bfloat16", 2, convert_bfloat},
    {"F64", "float64", 8, convert_double},
    {"I64", "int64", 8, NULL},
    {"I32", "int32", 4, NULL},
    {"I16", "int16", 2, NULL},
    {"I8", "int8", 1, NULL},
    {"U64", "uint64", 8, NULL},
    {"U32", "uint32", 4, NULL},
    {"U16", "uint16", 2, NULL},
    {"U8", "uint8", 1, NULL},
    {"BOOL", "bool", 1, NULL},
    {"F8_E4M3", "float8_e4m3fn", 1, NULL},
    {"F8_E5M2", "float8_e5m2", 1, NULL},
    {"F8_E8M0", "float8_e8m0fnu", 1, NULL},
    {"C64", "complex64", 8, NULL},
};

const rn_element_type *rn_element_type_find(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].name, name) == 0)
            return &types[i];
    return NULL;
}
