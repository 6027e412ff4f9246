// Any node's own output can be asked for, whatever it is fused with otherwise.
#include "resnet/resnet.h"

#include "base/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 2 };

static const char *const models[] = {"resnet-8:shortcut=C", "preact-11", "wrn-10-1:dropout=0.3",
                                     "resnet:units=1,1,1;block=single"};
static const rn_model_options size = {.classes = 10, .channels = 3, .height = 9, .width = 11};

typedef struct network {
    rn_engine *engine;
    rn_plan *plan;
    rn_run *run;
} network;

static void network_open(network *n, const char *engine, const rn_graph *graph,
                         const rn_plan_options *options)
{
    assert_int_equal(rn_engine_create(&n->engine, engine), RN_OK);
    assert_int_equal(rn_plan_create(&n->plan, graph, n->engine, options), RN_OK);
    assert_int_equal(rn_run_create(&n->run, n->plan), RN_OK);
}

static void network_close(network *n)
{
    rn_run_free(n->run);
    rn_plan_free(n->plan);
    rn_engine_free(n->engine);
}

static void network_fill(network *n, const rn_graph *graph, const rn_weights *weights)
{
    const rn_node *input = rn_graph_node(graph, 0);

    assert_int_equal(rn_run_load(n->run, weights), RN_OK);
    for (int i = 0; i < BATCH * input->channels * input->height * input->width; i++)
        rn_run_input(n->run)[i] = (float)(i * 7919 % 1000) / 500 - 1;
}

static size_t elements(const rn_node *node)
{
    return (size_t)BATCH * (size_t)node->channels * (size_t)node->height * (size_t)node->width;
}

// Output of one node, and the logits beside it.
static float *output_of(const char *engine, const rn_graph *graph, const rn_weights *weights,
                        int node, float *logits)
{
    network n;
    float *values, *again;
    size_t count = elements(rn_graph_node(graph, node));

    network_open(&n, engine, graph, &(rn_plan_options){.batch = BATCH, .output = node});
    network_fill(&n, graph, weights);
    assert_int_equal(RN_NEW(&values, count), RN_OK);
    assert_int_equal(RN_NEW(&again, count), RN_OK);
    assert_int_equal(rn_run_forward(n.run), RN_OK);
    assert_int_equal(rn_run_output(n.run, values), RN_OK);
    memcpy(logits, rn_run_logits(n.run), BATCH * 10 * sizeof *logits);
    assert_int_equal(rn_run_to_output(n.run), RN_OK);
    assert_int_equal(rn_run_output(n.run, again), RN_OK);
    assert_memory_equal(values, again, count * sizeof *values);
    rn_free(again);
    network_close(&n);
    return values;
}

static void assert_near(const float *a, const float *b, size_t count, const char *what)
{
    float largest = 0;

    for (size_t i = 0; i < count; i++)
        largest = fmaxf(largest, fabsf(a[i]));
    assert_true(largest > 0);
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(a[i] - b[i]) <= 1e-4F * largest))
            fail_msg("%s [%zu]: %g and %g", what, i, (double)a[i], (double)b[i]);
}

typedef struct traced {
    const rn_graph *graph;
    float *values[256]; // by node; NULL: not shown
} traced;

static rn_status keep(const rn_node *node, const int shape[4], const float *values, void *context)
{
    traced *t = context;
    size_t bytes = elements(node) * sizeof *values;

    assert_int_equal(shape[1], node->channels);
    for (int i = 0; i < rn_graph_nodes(t->graph); i++) {
        if (rn_graph_node(t->graph, i) != node)
            continue;
        assert_int_equal(rn_alloc((void **)&t->values[i], 1, bytes), RN_OK);
        memcpy(t->values[i], values, bytes);
    }
    return RN_OK;
}

// Running statistics that are not 0 and 1, so that batch norms do something.
static void disturb(rn_weights *weights)
{
    for (int i = 0; i < rn_weights_count(weights); i++) {
        const rn_param *param = rn_weights_param(weights, i);
        for (size_t k = 0; k < param->count && param->kind >= RN_PARAM_BIAS; k++)
            rn_weights_data(weights, i)[k] += (float)(k % 5) / 10;
    }
}

static void check_model(const char *model)
{
    rn_graph *graph;
    rn_weights *weights;
    traced t = {0};
    network n;
    float logits[3][BATCH * 10];

    assert_int_equal(rn_graph_create(&graph, model, &size), RN_OK);
    assert_int_equal(rn_weights_create(&weights, graph), RN_OK);
    rn_weights_initialise(weights, 1);
    disturb(weights);
    t.graph = graph;
    network_open(&n, "ref", graph, &(rn_plan_options){.batch = BATCH, .separate = true});
    network_fill(&n, graph, weights);
    assert_int_equal(rn_run_trace(n.run, keep, &t), RN_OK);
    memcpy(logits[0], rn_run_logits(n.run), sizeof logits[0]);
    network_close(&n);

    int shown = 0, nodes = rn_graph_nodes(graph) - 1; // without the loss
    for (int i = 1; i < nodes; i++) {
        const rn_node *node = rn_graph_node(graph, i);
        float *ref = output_of("ref", graph, weights, i, logits[1]);
        float *cpu = output_of("cpu", graph, weights, i, logits[2]);
        assert_near(ref, cpu, elements(node), node->name);
        if (t.values[i] != NULL)
            assert_near(t.values[i], ref, elements(node), node->name);
        assert_near(logits[0], logits[1], BATCH * 10, "logits");
        assert_near(logits[0], logits[2], BATCH * 10, "logits");
        shown += t.values[i] != NULL;
        rn_free(ref);
        rn_free(cpu);
        rn_free(t.values[i]);
    }
    assert_in_range(shown, 10, nodes);
    rn_weights_free(weights);
    rn_graph_free(graph);
}

static void every_node_can_be_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        check_model(models[i]);
}

static void what_is_no_output_is_refused(void **state)
{
    (void)state;
    rn_graph *graph;
    rn_engine *engine;
    rn_plan *plan;
    network n;
    float value;

    assert_int_equal(rn_graph_create(&graph, "resnet-8", NULL), RN_OK);
    assert_int_equal(rn_engine_create(&engine, "ref"), RN_OK);
    const int loss = rn_graph_nodes(graph) - 1, bad[] = {-1, loss, loss + 1};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            rn_plan_create(&plan, graph, engine, &(rn_plan_options){.batch = 1, .output = bad[i]}),
            RN_EINVAL);
        assert_non_null(strstr(rn_error_message(), "has no output"));
    }
    assert_int_equal(rn_plan_create(&plan, graph, engine,
                                    &(rn_plan_options){.batch = 1, .output = 1, .training = true}),
                     RN_EINVAL);
    network_open(&n, "ref", graph, NULL);
    assert_int_equal(rn_run_output(n.run, &value), RN_EINVAL);
    assert_int_equal(rn_run_to_output(n.run), RN_EINVAL);
    network_close(&n);
    rn_engine_free(engine);
    rn_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_can_be_kept),
        cmocka_unit_test(what_is_no_output_is_refused),
    };

    return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
