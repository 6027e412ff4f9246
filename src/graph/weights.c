// Canonical parameter values of a graph, and their initialisation.
#include "base/memory.h"
#include "base/random.h"
#include "resnet/graph.h"

#include <math.h>
#include <string.h>

struct rn_weights {
    rn_param *params;
    float **values; // one pointer a parameter, into block
    float *block;
    int count;
};

rn_status rn_weights_create(rn_weights **out, const rn_graph *graph)
{
    rn_status st = RN_OK;
    rn_weights *weights = NULL;
    size_t total = 0;

    *out = NULL;
    RN_TRY(RN_NEW(&weights, 1));
    weights->count = rn_graph_params(graph);
    RN_TRY(RN_NEW(&weights->params, (size_t)weights->count));
    RN_TRY(RN_NEW(&weights->values, (size_t)weights->count));
    for (int i = 0; i < weights->count; i++) {
        weights->params[i] = *rn_graph_param(graph, i);
        total += weights->params[i].count;
    }
    RN_TRY(RN_NEW(&weights->block, total));
    float *next = weights->block;
    for (int i = 0; i < weights->count; i++) {
        weights->values[i] = next;
        next += weights->params[i].count;
    }
    *out = weights;
    weights = NULL; // now the caller's
out:
    rn_weights_free(weights);
    return st;
}

void rn_weights_free(rn_weights *weights)
{
    if (weights == NULL)
        return;
    rn_free(weights->params);
    rn_free(weights->values);
    rn_free(weights->block);
    rn_free(weights);
}

int rn_weights_count(const rn_weights *weights)
{
    return weights->count;
}

const rn_param *rn_weights_param(const rn_weights *weights, int index)
{
    return &weights->params[index];
}

float *rn_weights_data(rn_weights *weights, int index)
{
    return weights->values[index];
}

const float *rn_weights_read(const rn_weights *weights, int index)
{
    return weights->values[index];
}

static void fill_normal(float *values, const rn_param *param, double deviation, uint64_t seed,
                        int index)
{
    rn_stream stream;

    rn_stream_init(&stream, seed, RN_PURPOSE_INIT, 0, (uint32_t)index);
    for (size_t i = 0; i < param->count; i++)
        values[i] = (float)deviation * rn_stream_normal(&stream);
}

// Jordan 2024 (arXiv:2404.00498), section 3.3.
static void fill_identity(float *values, const rn_param *param)
{
    int out = param->shape[0], in = param->shape[1], area = param->shape[2] * param->shape[3];
    int count = out < in ? out : in;
    size_t filter = (size_t)in * (size_t)area;

    memset(values, 0, (size_t)count * filter * sizeof *values);
    for (int i = 0; i < count; i++)
        values[(size_t)i * filter + (size_t)(i * area + area / 2)] = 1;
}

static void fill_constant(float *values, size_t count, float value)
{
    for (size_t i = 0; i < count; i++)
        values[i] = value;
}

void rn_weights_initialise(rn_weights *weights, uint64_t seed)
{
    for (int i = 0; i < weights->count; i++) {
        const rn_param *param = &weights->params[i];
        float *values = weights->values[i];
        const int *shape = param->shape;
        switch (param->kind) {
        case RN_PARAM_CONV_WEIGHT:
            fill_normal(values, param, sqrt(2.0 / ((double)shape[0] * shape[2] * shape[3])), seed,
                        i);
            if (param->identity)
                fill_identity(values, param);
            break;
        case RN_PARAM_LINEAR_WEIGHT:
            fill_normal(values, param, (double)param->initial * sqrt(1.0 / shape[1]), seed, i);
            break;
        case RN_PARAM_BN_GAIN:
        case RN_PARAM_RUNNING_VARIANCE:
        case RN_PARAM_BIAS:
        case RN_PARAM_BN_BIAS:
        case RN_PARAM_RUNNING_MEAN:
            fill_constant(values, param->count, param->initial);
            break;
        }
    }
}
