// Inference plans prepare what follows from the parameters, and do so again when these change.
#include "base/memory.h"
#include "resnet/engine.h"
#include "resnet/graph.h"
#include "resnet/plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TRY(call) assert_int_equal(call, RN_OK)

enum { BATCH = 2, CLASSES = 10 };

static rn_engine *engine;
static rn_graph *graph;

typedef struct network {
    rn_plan *plan;
    rn_run *run;
} network;

static void open_network(network *n, bool separate)
{
    rn_plan_options options = {.batch = BATCH, .separate = separate};

    TRY(rn_plan_create(&n->plan, graph, engine, &options));
    TRY(rn_run_create(&n->run, n->plan));
    for (int i = 0; i < BATCH * 3 * 32 * 32; i++)
        rn_run_input(n->run)[i] = (float)(i * 7919 % 1000) / 500 - 1;
}

static void close_network(network *n)
{
    rn_run_free(n->run);
    rn_plan_free(n->plan);
}

// Running statistics and gains other than 0 and 1, so that folding shows.
static void draw(rn_weights *weights, uint64_t seed)
{
    rn_weights_initialise(weights, seed);
    for (int i = 0; i < rn_weights_count(weights); i++) {
        const rn_param *param = rn_weights_param(weights, i);
        float *values = rn_weights_data(weights, i);
        if (param->dims == 1)
            for (size_t k = 0; k < param->count; k++)
                values[k] += 0.05f * (float)((k * 13 + seed) % 10);
    }
}

static void same_logits(network *a, network *b)
{
    TRY(rn_run_forward(a->run));
    TRY(rn_run_forward(b->run));
    for (int i = 0; i < BATCH * CLASSES; i++) {
        double x = (double)rn_run_logits(a->run)[i], y = (double)rn_run_logits(b->run)[i];
        if (!(fabs(x - y) <= 1e-5 * (1 + fabs(y))))
            fail_msg("logit %d is %.9g, expected %.9g", i, x, y);
    }
}

static void follows_its_parameters(void **state)
{
    static const char *const models[] = {"resnet-8", "preact-8", "resnet-8:shortcut=B", "plain-8"};

    (void)state;
    for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
        network folded = {0}, separate = {0};
        rn_weights *weights = NULL;
        float first = 0;
        if (rn_graph_create(&graph, models[m], NULL) != RN_OK)
            fail_msg("%s", rn_error_message());
        TRY(rn_weights_create(&weights, graph));
        open_network(&folded, false);
        open_network(&separate, true);
        assert_true(rn_plan_ops(folded.plan) < rn_plan_ops(separate.plan));
        for (uint64_t seed = 1; seed <= 2; seed++) {
            draw(weights, seed);
            TRY(rn_run_load(folded.run, weights));
            TRY(rn_run_load(separate.run, weights));
            same_logits(&folded, &separate);
            assert_true(rn_run_logits(folded.run)[0] != first);
            first = rn_run_logits(folded.run)[0];
        }
        for (int i = 0; i < rn_run_params(folded.run); i += 3) {
            rn_run_param(folded.run, i).value[0] += 0.25f;
            rn_run_param(separate.run, i).value[0] += 0.25f;
            same_logits(&folded, &separate);
        }
        close_network(&folded);
        close_network(&separate);
        rn_weights_free(weights);
        rn_graph_free(graph);
    }
}

static void open_graph(rn_weights **weights)
{
    TRY(rn_graph_create(&graph, "resnet-8", NULL));
    TRY(rn_weights_create(weights, graph));
    draw(*weights, 1);
}

static void op_by_op_is_forward(void **state)
{
    network whole = {0}, parts = {0};
    rn_weights *weights = NULL;

    (void)state;
    open_graph(&weights);
    open_network(&whole, false);
    open_network(&parts, false);
    TRY(rn_run_load(whole.run, weights));
    TRY(rn_run_load(parts.run, weights));
    TRY(rn_run_forward(whole.run));
    for (int i = 0; i < rn_plan_ops(parts.plan); i++)
        TRY(rn_run_op(parts.run, i));
    assert_memory_equal(rn_run_logits(whole.run), rn_run_logits(parts.run),
                        BATCH * CLASSES * sizeof(float));
    close_network(&whole);
    close_network(&parts);
    rn_weights_free(weights);
    rn_graph_free(graph);
}

// A change behind the run's back would show if anything were prepared again.
static void storing_only_reads(void **state)
{
    network n = {0};
    rn_weights *weights = NULL;
    float before[BATCH * CLASSES];

    (void)state;
    open_graph(&weights);
    open_network(&n, false);
    TRY(rn_run_load(n.run, weights));
    rn_param_view view = rn_run_param(n.run, rn_graph_find_param(graph, "layer1.0.conv1.weight"));
    TRY(rn_run_forward(n.run));
    memcpy(before, rn_run_logits(n.run), sizeof before);
    for (size_t i = 0; i < view.count; i++)
        view.value[i] += 1;
    TRY(rn_run_store(n.run, RN_SLOT_VALUE, weights));
    TRY(rn_run_forward(n.run));
    assert_memory_equal(before, rn_run_logits(n.run), sizeof before);
    TRY(rn_run_store(n.run, RN_SLOT_GRADIENT, weights)); // inference has none
    for (int i = 0; i < rn_weights_count(weights); i++)
        for (size_t k = 0; k < rn_weights_param(weights, i)->count; k++)
            assert_true(rn_weights_read(weights, i)[k] == 0);
    close_network(&n);
    rn_weights_free(weights);
    rn_graph_free(graph);
}

static int open_engine(void **state)
{
    (void)state;
    return rn_engine_create(&engine, NULL) == RN_OK ? 0 : -1;
}

static int close_engine(void **state)
{
    (void)state;
    rn_engine_free(engine);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_its_parameters),
        cmocka_unit_test(op_by_op_is_forward),
        cmocka_unit_test(storing_only_reads),
    };

    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
