#include "base/memory.h"
#include "resnet/graph.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static rn_graph *build(const char *model, const rn_model_options *options)
{
    rn_graph *graph = NULL;

    if (rn_graph_create(&graph, model, options) != RN_OK)
        fail_msg("%s: %s", model, rn_error_message());
    return graph;
}

static int64_t trained_parameters(const char *model)
{
    rn_graph *graph = build(model, NULL);
    int64_t count = 0;

    for (int i = 0; i < rn_graph_nodes(graph); i++)
        count += rn_node_parameters(graph, i);
    rn_graph_free(graph);
    return count;
}

// 2015 paper, table 6 (0.27M, 0.46M, 0.66M, 0.85M, 1.7M, 19.4M); 269,722 is the exact count.
static void parameter_counts_are_the_papers(void **state)
{
    (void)state;
    assert_int_equal(trained_parameters("resnet-20"), 269722);
    assert_int_equal(trained_parameters("plain-20"), 269722);
    assert_int_equal(trained_parameters("resnet-32") / 10000, 46);
    assert_int_equal(trained_parameters("resnet-44") / 10000, 65);
    assert_int_equal(trained_parameters("resnet-56") / 10000, 85);
    assert_int_equal(trained_parameters("resnet-110") / 100000, 17);
    assert_int_equal(trained_parameters("resnet-1202") / 100000, 194);
    // Option B adds 1x1 projections 16 -> 32 and 32 -> 64 with BN; C one more at every other unit.
    assert_int_equal(trained_parameters("resnet-20:shortcut=B"),
                     269722 + 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64);
    assert_int_equal(trained_parameters("resnet-20:shortcut=C"),
                     269722 + 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64 + 3 * (16 * 16 + 2 * 16) +
                         2 * (32 * 32 + 2 * 32) + 2 * (64 * 64 + 2 * 64));
}

static void depth_counts_weighted_layers(void **state)
{
    (void)state;
    rn_graph *graph = build("resnet-56", NULL);
    int weighted = 0;
    int64_t multiply_adds = 0;

    for (int i = 0; i < rn_graph_nodes(graph); i++) {
        rn_node_kind kind = rn_graph_node(graph, i)->kind;
        weighted += kind == RN_NODE_CONV || kind == RN_NODE_LINEAR;
        multiply_adds += rn_node_multiply_adds(graph, i);
    }
    assert_int_equal(weighted, 56);
    assert_int_equal(rn_graph_depth(graph), 56);
    assert_in_range(multiply_adds, 125000000, 126000000);
    rn_graph_free(graph);
}

// Projections lie beside the main path: option C does not make a network deeper.
static void projections_add_no_depth(void **state)
{
    (void)state;
    rn_graph *graph = build("resnet-104:shortcut=C", NULL);

    assert_int_equal(rn_graph_depth(graph), 104);
    rn_graph_free(graph);
}

static void shapes_follow_the_stages(void **state)
{
    (void)state;
    rn_model_options gray = {.classes = 7, .channels = 1, .height = 28, .width = 27};
    rn_graph *graph = build("resnet-8", &gray);
    const rn_node *pool = rn_graph_node(graph, rn_graph_nodes(graph) - 3);
    const rn_node *last = rn_graph_node(graph, pool->inputs[0]);

    assert_int_equal(pool->kind, RN_NODE_AVERAGE_POOL);
    assert_int_equal(last->channels, 64);
    assert_int_equal(last->height, 7);
    assert_int_equal(last->width, 7);
    assert_int_equal(rn_graph_node(graph, rn_graph_nodes(graph) - 2)->channels, 7);
    assert_int_equal(rn_graph_param(graph, rn_graph_find_param(graph, "conv1.weight"))->shape[1],
                     1);
    rn_graph_free(graph);
}

static void canonical_name_rebuilds_the_graph(void **state)
{
    (void)state;
    rn_model_options option_c = {.shortcut = RN_SHORTCUT_C};
    rn_graph *graph = build("resnet-14", &option_c);

    assert_string_equal(rn_graph_model(graph), "resnet-14:shortcut=C");
    rn_graph *again = build(rn_graph_model(graph), NULL);
    assert_int_equal(rn_graph_params(graph), rn_graph_params(again));
    rn_graph_free(again);
    rn_graph_free(graph);
}

static void refuses(const char *model, const rn_model_options *options, const char *part)
{
    rn_graph *graph = (rn_graph *)1;

    assert_int_equal(rn_graph_create(&graph, model, options), RN_EINVAL);
    assert_null(graph);
    if (strstr(rn_error_message(), part) == NULL)
        fail_msg("'%s' does not say '%s'", rn_error_message(), part);
}

static void bad_models_are_named(void **state)
{
    (void)state;
    refuses("resnet20", NULL, "did you mean 'resnet-20'");
    refuses("plane-20", NULL, "did you mean 'plain-20'");
    refuses("alexnet", NULL, "expected resnet-N or plain-N");
    refuses("", NULL, "unknown model ''");
    refuses("resnet-", NULL, "unknown model");
    refuses("resnet-21", NULL, "such as 20");
    refuses("resnet-2", NULL, "such as 8");
    refuses("resnet-99999999999999999999", NULL, "unknown model");
    refuses("resnet-1208", NULL, "from 8 to 1202");
    refuses("resnet-20:shortcut=D", NULL, "expected A, B or C");
    refuses("resnet-20:width=3", NULL, "unknown option 'width=3'");
    refuses("plain-20:shortcut=A", NULL, "no shortcuts");
    refuses("resnet-20:shortcut=A", &(rn_model_options){.shortcut = RN_SHORTCUT_B}, "contradict");
    refuses("resnet-20", &(rn_model_options){.classes = -1}, "class count is -1");
    refuses("resnet-20", &(rn_model_options){.channels = 3, .height = 0, .width = 5},
            "input height is 0");
}

static void initialisation_has_he_deviation(void **state)
{
    (void)state;
    rn_graph *graph = build("resnet-20", NULL);
    rn_weights *weights = NULL;
    assert_int_equal(rn_weights_create(&weights, graph), RN_OK);
    rn_weights_initialise(weights, 5);

    int index = rn_graph_find_param(graph, "layer3.2.conv2.weight");
    const rn_param *param = rn_weights_param(weights, index);
    const float *values = rn_weights_data(weights, index);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < param->count; i++) {
        sum += (double)values[i];
        squares += (double)values[i] * (double)values[i];
    }
    double n = (double)param->count, expected = 2.0 / (64 * 9);
    assert_true(fabs(sum / n) < 5 * sqrt(expected / n));
    assert_true(fabs(squares / n / expected - 1) < 5 * sqrt(2 / n));
    assert_true(rn_weights_data(weights, rn_graph_find_param(graph, "bn1.weight"))[15] == 1.0f);
    assert_true(rn_weights_data(weights, rn_graph_find_param(graph, "bn1.bias"))[15] == 0.0f);
    assert_true(rn_weights_data(weights, rn_graph_find_param(graph, "bn1.running_var"))[0] == 1.0f);
    rn_weights_free(weights);
    rn_graph_free(graph);
}

static bool fail_at(size_t bytes, void *context)
{
    (void)bytes;
    return (*(int *)context)-- > 0;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (int allowed = 0;; allowed++) {
        int left = allowed;
        rn_graph *graph = NULL;
        rn_weights *weights = NULL;
        rn_alloc_hook_set(fail_at, &left);
        rn_status st = rn_graph_create(&graph, "resnet-14:shortcut=B", NULL);
        if (st == RN_OK)
            st = rn_weights_create(&weights, graph);
        rn_alloc_hook_set(NULL, NULL);
        rn_weights_free(weights);
        rn_graph_free(graph);
        if (st == RN_OK)
            break;
        assert_int_equal(st, RN_ENOMEM);
        assert_null(weights);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameter_counts_are_the_papers),
        cmocka_unit_test(depth_counts_weighted_layers),
        cmocka_unit_test(projections_add_no_depth),
        cmocka_unit_test(shapes_follow_the_stages),
        cmocka_unit_test(canonical_name_rebuilds_the_graph),
        cmocka_unit_test(bad_models_are_named),
        cmocka_unit_test(initialisation_has_he_deviation),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
