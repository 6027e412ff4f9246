/** Networks for the tests of ONNX files: specs, weights that are nobody's default, outputs. Include
 * after cmocka's headers. */
#ifndef STORE_ONNX_MODELS_H
#define STORE_ONNX_MODELS_H

#include "base/json_write.h"
#include "resnet/engine.h"
#include "resnet/plan.h"
#include "store/foreign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ONNX_TRY(expr)                                                                             \
    do {                                                                                           \
        if ((expr) != RN_OK)                                                                       \
            fail_msg("%s: %s", #expr, rn_error_message());                                         \
    } while (0)

/** A spec, and what an ONNX file of it is read as where that differs: the same computation. */
typedef struct onnx_spec {
    const char *spec, *read;
    int size; // of the input
} onnx_spec;

/** One of every kind of network and unit. Those that rn_graph_create() refuses are skipped. */
static const onnx_spec onnx_specs[] = {
    {"resnet-8", NULL, 16},
    {"resnet-8:shortcut=B", NULL, 16},
    {"resnet-14:shortcut=C", NULL, 16},
    {"plain-8", NULL, 16},
    {"resnet-20:unit=bn-after-add", NULL, 16},
    {"resnet-20:unit=relu-before-add", NULL, 16},
    {"resnet-20:unit=relu-only", NULL, 16},
    {"preact-20", NULL, 16},
    {"preact-20:shortcut=A", "preact-20", 16},
    {"resnet-20:path=scale;shortcut-scale=0.5;residual-scale=0.5", "resnet-20:path=scale", 16},
    {"resnet-20:path=scale;shortcut-scale=0;residual-scale=1",
     "resnet-20:path=scale;shortcut-scale=0;residual-scale=1", 16},
    {"resnet-20:path=exclusive-gate", NULL, 16},
    {"resnet-20:path=shortcut-gate", NULL, 16},
    {"resnet-20:path=conv", "resnet-20:shortcut=C", 16},
    {"resnet-20:path=dropout", "resnet-20", 16},
    {"resnet-20:survival=0.5", NULL, 16},
    {"resnet:units=6,6,6;block=single", "resnet-20:block=single", 16},
    {"resnet:units=2,2,2;width=4", "resnet-14:width=4", 16},
    {"resnet-164", NULL, 16},
    {"wrn-16-4:dropout=0.3", "wrn-16-4", 16},
    {"resnet-18", NULL, 64},
    {"resnet-34", NULL, 64},
    {"resnet-50", NULL, 64},
    {"resnet-50:stride=3x3", NULL, 64},
    {"resnet-101", NULL, 64},
    {"resnet-200", NULL, 64},
    {"preact-18", NULL, 64},
    {"plain-34", NULL, 64},
    {"vgg-11", NULL, 32},
    {"vgg-16-bn", NULL, 32},
};

enum { ONNX_SPECS = sizeof onnx_specs / sizeof *onnx_specs };

/** Values in [low, high) that follow from `seed` alone. */
static inline void onnx_fill(float *values, size_t count, uint32_t seed, float low, float high)
{
    uint32_t state = seed * 2654435761u + 12345u;

    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        values[i] = low + (high - low) * ((float)(state >> 8) * 0x1p-24f);
    }
}

/** Every parameter its own: none is 0 or 1 throughout, and variances are positive. */
static inline void onnx_weights(rn_weights *weights)
{
    rn_weights_initialise(weights, 3);
    for (int i = 0; i < rn_weights_count(weights); i++) {
        const rn_param *param = rn_weights_param(weights, i);
        bool positive = param->kind == RN_PARAM_BN_GAIN || param->kind == RN_PARAM_RUNNING_VARIANCE;
        if (param->dims == 1)
            onnx_fill(rn_weights_data(weights, i), param->count, (uint32_t)i,
                      positive ? 0.6f : -0.2f, positive ? 1.2f : 0.2f);
    }
}

/** NULL where the library knows no such network yet, which is said. */
static inline rn_checkpoint *onnx_model(const char *spec, int classes, int size)
{
    rn_model_options options = {.classes = classes, .channels = 3, .height = size, .width = size};
    rn_checkpoint *made = calloc(1, sizeof *made);

    if (rn_graph_create(&made->graph, spec, &options) != RN_OK) {
        printf("skipped: %s\n", rn_error_message());
        free(made);
        return NULL;
    }
    ONNX_TRY(rn_weights_create(&made->weights, made->graph));
    onnx_weights(made->weights);
    return made;
}

static inline void onnx_model_free(rn_checkpoint *model)
{
    if (model == NULL)
        return;
    rn_graph_free(model->graph);
    rn_weights_free(model->weights);
    free(model);
}

/** What rn_onnx_parse() gives of a file of ours, as weights of the model's graph. */
static inline void onnx_take(rn_weights *out, const rn_foreign *foreign)
{
    assert_int_equal(foreign->count, rn_weights_count(out));
    for (int i = 0; i < rn_weights_count(out); i++) {
        const rn_tensor *tensor = &foreign->tensors[i].tensor;
        const rn_param *param = rn_weights_param(out, i);
        assert_string_equal(tensor->name, param->name);
        assert_int_equal(tensor->dims, param->dims);
        assert_int_equal(tensor->count, param->count);
        for (int d = 0; d < param->dims; d++)
            assert_int_equal(tensor->shape[d], param->shape[d]);
        memcpy(rn_weights_data(out, i), tensor->data, tensor->count * sizeof(float));
    }
}

/** Logits [batch][classes] of `images`; false where no engine computes the network yet. */
static inline bool onnx_logits(float *logits, const rn_graph *graph, const rn_weights *weights,
                               const float *images, int batch)
{
    const rn_model_options *o = rn_graph_options(graph);
    size_t pixels = (size_t)o->channels * (size_t)o->height * (size_t)o->width;
    rn_plan_options options = {.batch = batch};
    rn_engine *engine = NULL;
    rn_plan *plan = NULL;
    rn_run *run = NULL;

    ONNX_TRY(rn_engine_create(&engine, "ref"));
    bool planned = rn_plan_create(&plan, graph, engine, &options) == RN_OK;
    if (planned) {
        ONNX_TRY(rn_run_create(&run, plan));
        ONNX_TRY(rn_run_load(run, weights));
        memcpy(rn_run_input(run), images, (size_t)batch * pixels * sizeof(float));
        ONNX_TRY(rn_run_forward(run));
        memcpy(logits, rn_run_logits(run), (size_t)(batch * o->classes) * sizeof(float));
    }
    rn_run_free(run);
    rn_plan_free(plan);
    rn_engine_free(engine);
    return planned;
}

#endif
