// The graph as such: shapes, depth, parameters by name, initial values, memory that runs out.
#include "base/memory.h"
#include "graph/graphs.h"

#include <math.h>
#include <stdio.h>

static void depth_counts_weighted_layers(void **state)
{
    (void)state;
    rn_graph *graph = build("resnet-56", NULL);
    int weighted = 0;

    for (int i = 0; i < rn_graph_nodes(graph); i++) {
        rn_node_kind kind = rn_graph_node(graph, i)->kind;
        weighted += kind == RN_NODE_CONV || kind == RN_NODE_LINEAR;
    }
    assert_int_equal(weighted, 56);
    assert_int_equal(rn_graph_depth(graph), 56);
    assert_in_range(multiply_adds(graph), 125000000, 126000000);
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

static void parameters_are_found_by_name(void **state)
{
    (void)state;
    rn_graph *graph = build("resnet-1202", NULL);

    for (int i = 0; i < rn_graph_params(graph); i++)
        assert_int_equal(rn_graph_find_param(graph, rn_graph_param(graph, i)->name), i);
    assert_int_equal(rn_graph_find_param(graph, "layer1.200.conv1.weight"), RN_NO_PARAM);
    assert_int_equal(rn_graph_find_param(graph, ""), RN_NO_PARAM);
    rn_graph_free(graph);
}

static void options_default_to_those_of_the_papers(void **state)
{
    (void)state;
    const struct {
        const char *model;
        int classes, size;
    } cases[] = {
        {"resnet-110", 10, 32}, {"preact-164", 10, 32},           {"resnet-50", 1000, 224},
        {"vgg-16", 1000, 224},  {"resnet-18:stem=cifar", 10, 32},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rn_graph *graph = build(cases[i].model, NULL);
        const rn_model_options *options = rn_graph_options(graph);
        assert_int_equal(options->classes, cases[i].classes);
        assert_int_equal(options->channels, 3);
        assert_int_equal(options->height, cases[i].size);
        assert_int_equal(options->width, cases[i].size);
        rn_graph_free(graph);
    }
    refuses("resnet-20", &(rn_model_options){.classes = -1}, "class count is -1");
    refuses("resnet-20", &(rn_model_options){.classes = 1000001}, "expected 1 to 1000000");
    refuses("resnet-20", &(rn_model_options){.channels = 3, .height = 0, .width = 5},
            "input height is 0");
}

static void too_large_networks_are_refused(void **state)
{
    (void)state;
    const rn_model_options large = {.channels = 3, .height = 4096, .width = 4096};

    refuses("vgg-16", &large, "more than 2147483648 parameters");
    // 4096 x 512 x 32 x 32 is 2^31, and the other layers come to it; 31 x 31 leave them room.
    refuses("vgg-11", &(rn_model_options){.channels = 3, .height = 1024, .width = 1024},
            "more than 2147483648 parameters");
    rn_graph_free(build("vgg-11", &(rn_model_options){.channels = 3, .height = 992, .width = 992}));
    refuses("resnet:units=800,800,800;width=4096;block=single", NULL, "more than 2147483648");
    refuses("resnet:width=128", &large, "values for one picture");
    refuses("vgg-11", &(rn_model_options){.channels = 3, .height = 31, .width = 400},
            "'vgg-11' halves its input 5 times: 31 x 400");
    rn_graph_free(build("vgg-11", &(rn_model_options){.channels = 1, .height = 32, .width = 33}));
    rn_graph_free(build("resnet-50", &(rn_model_options){.channels = 1, .height = 1, .width = 1}));
}

// Option A adds channels and drops none; projections do either.
static void padded_shortcuts_do_not_narrow(void **state)
{
    static const char *const models[] = {"resnet:units=1,1,1;widths=64,32,16",
                                         "resnet:width=64;widths=16,32,64"};
    char model[64];

    (void)state;
    refuses(models[0], NULL,
            "'layer2.0.shortcut': a shortcut of option A cannot go from 64 to 32 "
            "channels, use shortcut=B");
    refuses(models[1], NULL, "'layer1.0.shortcut': a shortcut of option A cannot go from 64 to 16");
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        for (char option = 'B'; option <= 'C'; option++) {
            snprintf(model, sizeof model, "%s;shortcut=%c", models[i], option);
            rn_graph_free(build(model, NULL));
        }
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

static float first_value(rn_weights *weights, const rn_graph *graph, const char *name)
{
    int index = rn_graph_find_param(graph, name);

    if (index == RN_NO_PARAM)
        fail_msg("no '%s'", name);
    return rn_weights_data(weights, index)[0];
}

static void gates_and_last_gains_start_as_asked(void **state)
{
    (void)state;
    rn_graph *graph = build("resnet-8:path=shortcut-gate;gate-bias=-2.5;zero-gain=yes", NULL);
    rn_weights *weights = NULL;

    assert_int_equal(rn_weights_create(&weights, graph), RN_OK);
    rn_weights_initialise(weights, 1);
    assert_true(first_value(weights, graph, "layer1.0.gate.bias") == -2.5f);
    assert_true(first_value(weights, graph, "layer3.0.bn2.weight") == 0.0f);
    assert_true(first_value(weights, graph, "layer3.0.bn1.weight") == 1.0f);
    assert_true(first_value(weights, graph, "fc.bias") == 0.0f);
    rn_weights_free(weights);
    rn_graph_free(graph);
}

// The first filters copy their channel; those beyond, and all other convolutions, are random.
static void entries_start_as_the_identity_if_asked(void **state)
{
    (void)state;
    const char *keys = "units=1,1;width=6;widths=10,4;down=pool";
    char model[2][96];
    rn_graph *graphs[2];
    rn_weights *weights[2];

    for (int i = 0; i < 2; i++) {
        snprintf(model[i], sizeof model[i], "resnet:%s%s", keys, i ? ";down-init=identity" : "");
        graphs[i] = build(model[i], NULL);
        assert_int_equal(rn_weights_create(&weights[i], graphs[i]), RN_OK);
        rn_weights_initialise(weights[i], 2);
    }
    for (int p = 0; p < rn_weights_count(weights[0]); p++) {
        const rn_param *param = rn_weights_param(weights[1], p);
        const float *plain = rn_weights_read(weights[0], p), *v = rn_weights_read(weights[1], p);
        bool entry = strstr(param->name, "down.0") != NULL;
        size_t filter = (size_t)param->shape[1] * 9;
        size_t identical = !entry ? 0 : filter * (strstr(param->name, "layer1") ? 6 : 4);
        assert_int_equal(param->identity, entry);
        for (size_t k = 0; k < param->count; k++)
            if (k < identical)
                assert_true(v[k] == (k % filter == k / filter * 9 + 4 ? 1.0f : 0.0f));
            else
                assert_true(v[k] == plain[k]);
    }
    for (int i = 0; i < 2; i++) {
        rn_weights_free(weights[i]);
        rn_graph_free(graphs[i]);
    }
}

static void head_starts_smaller_if_asked(void **state)
{
    (void)state;
    rn_graph *graphs[2] = {build("resnet-8", NULL), build("resnet-8:head-init=0.25", NULL)};
    rn_weights *weights[2];

    for (int i = 0; i < 2; i++) {
        assert_int_equal(rn_weights_create(&weights[i], graphs[i]), RN_OK);
        rn_weights_initialise(weights[i], 2);
    }
    int fc = rn_graph_find_param(graphs[0], "fc.weight");
    for (size_t k = 0; k < rn_weights_param(weights[0], fc)->count; k++)
        assert_true(rn_weights_read(weights[1], fc)[k] ==
                    0.25f * rn_weights_read(weights[0], fc)[k]);
    for (int i = 0; i < 2; i++) {
        rn_weights_free(weights[i]);
        rn_graph_free(graphs[i]);
    }
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
        cmocka_unit_test(depth_counts_weighted_layers),
        cmocka_unit_test(projections_add_no_depth),
        cmocka_unit_test(shapes_follow_the_stages),
        cmocka_unit_test(parameters_are_found_by_name),
        cmocka_unit_test(options_default_to_those_of_the_papers),
        cmocka_unit_test(too_large_networks_are_refused),
        cmocka_unit_test(padded_shortcuts_do_not_narrow),
        cmocka_unit_test(initialisation_has_he_deviation),
        cmocka_unit_test(gates_and_last_gains_start_as_asked),
        cmocka_unit_test(entries_start_as_the_identity_if_asked),
        cmocka_unit_test(head_starts_smaller_if_asked),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
