/**
 * Inputs of the golden tests, drawn as make_golden.py draws them, so that they need not be stored.
 * Header only, for cmocka programs.
 */
#ifndef TESTS_GOLDEN_DERIVED_H
#define TESTS_GOLDEN_DERIVED_H

#include "base/random.h"
#include "resnet/graph.h"

#include <math.h>
#include <string.h>

/** FNV-1a, 32 bits: the stream of a name does not depend on any order of parameters. */
static inline uint32_t derived_hash(const char *name)
{
    uint32_t hash = 0x811C9DC5u;

    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 0x01000193u;
    return hash;
}

static inline rn_stream derived_stream(uint64_t seed, const char *name, uint32_t epoch)
{
    rn_stream stream;

    rn_stream_init(&stream, seed, RN_PURPOSE_TEST, epoch, derived_hash(name));
    return stream;
}

/** values[0..count) uniform in [low, high). */
static inline void derived_values(float *values, size_t count, rn_stream stream, double low,
                                  double high)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(low + (high - low) * (double)rn_stream_uniform(&stream));
}

static inline void derived_labels(int32_t *labels, int count, rn_stream stream, int classes)
{
    for (int i = 0; i < count; i++)
        labels[i] = (int32_t)rn_stream_below(&stream, (uint32_t)classes);
}

// Half the width of the range of a parameter, and its centre: make_golden.py's parameter_range().
static inline double derived_half(const rn_param *param)
{
    double fan_in = (double)param->count / param->shape[0];

    switch (param->kind) {
    case RN_PARAM_CONV_WEIGHT:
        return sqrt(6.0 / fan_in);
    case RN_PARAM_LINEAR_WEIGHT:
        return sqrt(3.0 / fan_in);
    case RN_PARAM_BN_GAIN:
    case RN_PARAM_RUNNING_VARIANCE:
        return 0.5;
    case RN_PARAM_BN_BIAS:
        return 0.25;
    default:
        return 0.1;
    }
}

/** All parameters of a network; `shift` moves the BN biases up (even channels) or down (odd). */
static inline void derived_weights(rn_weights *weights, uint64_t seed, float shift)
{
    for (int i = 0; i < rn_weights_count(weights); i++) {
        const rn_param *param = rn_weights_param(weights, i);
        bool positive = param->kind == RN_PARAM_BN_GAIN || param->kind == RN_PARAM_RUNNING_VARIANCE;
        double centre = positive ? 1.0 : 0.0, half = derived_half(param);
        float *values = rn_weights_data(weights, i);
        derived_values(values, param->count, derived_stream(seed, param->name, 0), centre - half,
                       centre + half);
        for (size_t c = 0; param->kind == RN_PARAM_BN_BIAS && c < param->count; c++)
            values[c] += c % 2 == 0 ? shift : -shift;
    }
}

#endif
