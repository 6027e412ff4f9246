/** A whole network against PyTorch: one golden file, one engine. Header only, for cmocka programs.
 */
#ifndef TESTS_GOLDEN_NETWORK_H
#define TESTS_GOLDEN_NETWORK_H

#include "golden/golden.h"
#include "resnet/resnet.h"

typedef struct network_case {
    const char *engine, *name; // of the golden file: network-NAME.json
} network_case;

#define NETWORK_TRY(expr)                                                                          \
    do {                                                                                           \
        if ((expr) != RN_OK)                                                                       \
            fail_msg("%s: %s", #expr, rn_error_message());                                         \
    } while (0)

/** Everything that one comparison holds. */
typedef struct network_test {
    const cJSON *json;
    uint64_t seed;
    int batch, classes, steps, failures;
    rn_engine *engine;
    rn_graph *graph;
    rn_weights *weights, *read; // the start; what a run or the optimiser stored last
    rn_plan *train_plan, *infer_plan;
    rn_run *train, *infer;
    rn_sgd *sgd;
} network_test;

static inline void network_create_runs(network_test *t)
{
    rn_plan_options infer = {.batch = t->batch};
    rn_plan_options train = {
        .batch = t->batch,
        .training = true,
        .label_smoothing = (float)golden_number(t->json, "label_smoothing"),
    };
    rn_sgd_options sgd = {
        .momentum = golden_number(t->json, "momentum"),
        .weight_decay = golden_number(t->json, "weight_decay"),
        .decay = golden_number(t->json, "decay_all") != 0 ? RN_DECAY_ALL : RN_DECAY_WEIGHTS,
        .nesterov = golden_number(t->json, "nesterov") != 0,
    };

    NETWORK_TRY(rn_plan_create(&t->infer_plan, t->graph, t->engine, &infer));
    NETWORK_TRY(rn_plan_create(&t->train_plan, t->graph, t->engine, &train));
    NETWORK_TRY(rn_run_create(&t->infer, t->infer_plan));
    NETWORK_TRY(rn_run_create(&t->train, t->train_plan));
    NETWORK_TRY(rn_run_load(t->train, t->weights));
    NETWORK_TRY(rn_sgd_create(&t->sgd, t->train, t->engine, &sgd));
}

static inline void network_open(network_test *t, const cJSON *json, const char *engine)
{
    rn_model_options options = {
        .classes = (int)golden_number(json, "classes"),
        .channels = (int)golden_number(json, "channels"),
        .height = (int)golden_number(json, "height"),
        .width = (int)golden_number(json, "width"),
    };

    *t = (network_test){
        .json = json,
        .seed = (uint64_t)golden_number(json, "seed"),
        .batch = (int)golden_number(json, "batch"),
        .classes = options.classes,
        .steps = (int)golden_number(json, "steps"),
    };
    NETWORK_TRY(rn_engine_create(&t->engine, engine));
    NETWORK_TRY(rn_graph_create(&t->graph, golden_member(json, "model")->valuestring, &options));
    NETWORK_TRY(rn_weights_create(&t->weights, t->graph));
    NETWORK_TRY(rn_weights_create(&t->read, t->graph));
    derived_weights(t->weights, t->seed, (float)golden_number(json, "shift"));
    network_create_runs(t);
}

static inline void network_close(network_test *t)
{
    rn_sgd_free(t->sgd);
    rn_run_free(t->infer);
    rn_run_free(t->train);
    rn_plan_free(t->infer_plan);
    rn_plan_free(t->train_plan);
    rn_weights_free(t->weights);
    rn_weights_free(t->read);
    rn_graph_free(t->graph);
    rn_engine_free(t->engine);
}

static inline void network_finish(network_test *t, const golden_report *report)
{
    golden_print(report);
    t->failures += !golden_within(report);
}

/** Compare a group that is one array. */
static inline void network_compare_array(network_test *t, const char *group, const char *name,
                                         const float *values, int count)
{
    golden_report report = golden_report_of(t->json, group, t->seed);
    const cJSON *rows = golden_member(golden_member(t->json, "groups"), group);

    golden_compare(&report, golden_member(rows, name), name, values, (size_t)count);
    network_finish(t, &report);
}

/** Compare a group with one tensor a parameter, from t->read: every row must be met. */
static inline void network_compare_params(network_test *t, const char *group)
{
    golden_report report = golden_report_of(t->json, group, t->seed);
    const cJSON *row, *rows = golden_member(golden_member(t->json, "groups"), group);
    bool trained = strcmp(group, "running statistics") != 0;
    int expected = 0;

    cJSON_ArrayForEach(row, rows)
    {
        int index = rn_graph_find_param(t->graph, row->string);
        if (index == RN_NO_PARAM)
            fail_msg("the network has no parameter '%s'", row->string);
        golden_compare(&report, row, row->string, rn_weights_read(t->read, index),
                       rn_weights_param(t->read, index)->count);
    }
    for (int i = 0; i < rn_graph_params(t->graph); i++)
        expected += rn_param_trained(rn_graph_param(t->graph, i)) == trained;
    assert_int_equal(report.tensors, expected);
    network_finish(t, &report);
}

static inline void network_images(const network_test *t, rn_run *run, int step)
{
    const rn_model_options *o = rn_graph_options(t->graph);
    size_t count = (size_t)t->batch * (size_t)o->channels * (size_t)o->height * (size_t)o->width;

    derived_values(rn_run_input(run), count, derived_stream(t->seed, "images", (uint32_t)step), -1,
                   1);
}

static inline void network_evaluate(network_test *t, const rn_weights *weights, const char *group)
{
    NETWORK_TRY(rn_run_load(t->infer, weights));
    network_images(t, t->infer, 0);
    NETWORK_TRY(rn_run_forward(t->infer));
    network_compare_array(t, group, "logits", rn_run_logits(t->infer), t->batch * t->classes);
}

static inline float network_step(network_test *t, int step)
{
    network_images(t, t->train, step);
    derived_labels(rn_run_labels(t->train), t->batch,
                   derived_stream(t->seed, "labels", (uint32_t)step), t->classes);
    NETWORK_TRY(rn_run_forward(t->train));
    float loss = (float)rn_run_loss(t->train).loss;
    if (step == 0)
        network_compare_array(t, "logits", "logits", rn_run_logits(t->train),
                              t->batch * t->classes);
    NETWORK_TRY(rn_run_backward(t->train));
    if (step == 0) {
        NETWORK_TRY(rn_run_store(t->train, RN_SLOT_GRADIENT, t->read));
        network_compare_params(t, "gradients");
    }
    rn_sgd_step(t->sgd, golden_number(t->json, "lr"));
    return loss;
}

static inline void network_compare(network_test *t)
{
    float losses[64];

    assert_in_range(t->steps, 1, 64);
    network_evaluate(t, t->weights, "eval before");
    for (int step = 0; step < t->steps; step++)
        losses[step] = network_step(t, step);
    network_compare_array(t, "loss", "losses", losses, t->steps);
    NETWORK_TRY(rn_sgd_store_momentum(t->sgd, t->read));
    network_compare_params(t, "momentum");
    NETWORK_TRY(rn_run_store(t->train, RN_SLOT_VALUE, t->read));
    network_compare_params(t, "parameters");
    network_compare_params(t, "running statistics");
    network_evaluate(t, t->read, "eval after");
}

/** A cmocka test whose state is a network_case. */
static inline void network_agrees(void **state)
{
    const network_case *c = *state;
    network_test t;
    char file[128], title[256];

    snprintf(file, sizeof file, "network-%s", c->name);
    cJSON *json = golden_open(file);
    snprintf(title, sizeof title, "%s, engine %s, after %d steps", c->name, c->engine,
             (int)golden_number(json, "steps"));
    golden_print_head(title);
    network_open(&t, json, c->engine);
    network_compare(&t);
    int failures = t.failures;
    network_close(&t);
    cJSON_Delete(json);
    if (failures > 0)
        fail_msg("%d quantities differ too much from PyTorch", failures);
}

static inline struct CMUnitTest network_unit_test(network_case *c)
{
    return (struct CMUnitTest){c->name, network_agrees, NULL, NULL, c};
}

#endif
