// Units as figures 2 and 4 of the 2016 paper and figure 5 of the 2015 one draw them: which layers,
// in which order, reading what.
#include "graph/graphs.h"

#include <stdio.h>

// A node's name within its unit: "layer1.0.conv1" -> "conv1".
static const char *short_name(const rn_node *node)
{
    const char *name = node->name;

    if (node->stage > 0)
        name = strchr(strchr(name, '.') + 1, '.') + 1;
    return name;
}

// "bn1 relu1 conv1/2 add(conv1,downsample.0)": a node that does not read the one before it, or
// reads two, says what it reads; the unit's input is x. A stride is written behind a slash.
static void spell_node(char *text, size_t size, const rn_graph *graph, int index, int before)
{
    const rn_node *node = rn_graph_node(graph, index);
    const char *inputs[2] = {"", ""};
    char stride[16] = "";

    for (int i = 0; i < 2 && node->inputs[i] >= 0; i++) {
        const rn_node *input = rn_graph_node(graph, node->inputs[i]);
        bool own = input->stage == node->stage && input->unit == node->unit;
        inputs[i] = own ? short_name(input) : "x";
    }
    if (node->stride != 1)
        snprintf(stride, sizeof stride, "/%d", node->stride);
    if (node->inputs[1] >= 0)
        snprintf(text, size, "%s%s(%s,%s)", short_name(node), stride, inputs[0], inputs[1]);
    else if (node->inputs[0] != before)
        snprintf(text, size, "%s%s(%s)", short_name(node), stride, inputs[0]);
    else
        snprintf(text, size, "%s%s", short_name(node), stride);
}

// Stage 0, unit -1: what lies outside the units.
static void spell_unit(char *text, size_t size, const rn_graph *graph, int stage, int unit)
{
    size_t length = 0;
    int before = -1;

    text[0] = '\0';
    for (int i = 0; i < rn_graph_nodes(graph); i++) {
        const rn_node *node = rn_graph_node(graph, i);
        if (node->stage == stage && node->unit == unit) {
            length += (size_t)snprintf(text + length, size - length, "%s", length > 0 ? " " : "");
            spell_node(text + length, size - length, graph, i,
                       length == 0 || stage == 0 ? i - 1 : before);
            length += strlen(text + length);
            before = i;
        }
    }
}

static void check_unit(const char *model, int stage, int unit, const char *expected)
{
    rn_graph *graph = build(model, NULL);
    char text[1024];

    spell_unit(text, sizeof text, graph, stage, unit);
    if (strcmp(text, expected) != 0)
        fail_msg("%s, layer%d.%d:\n  %s\nexpected\n  %s", model, stage, unit, text, expected);
    rn_graph_free(graph);
}

// The unit asked for, of two stages: the network's first, one like most, one across sizes.
typedef struct unit_case {
    const char *keys;
    const char *first, *middle, *across;
} unit_case;

static void check_cases(const unit_case *cases, size_t count, const char *block)
{
    char model[256];

    for (size_t i = 0; i < count; i++) {
        snprintf(model, sizeof model, "resnet:units=2,1;block=%s;%s", block, cases[i].keys);
        check_unit(model, 1, 0, cases[i].first);
        check_unit(model, 1, 1, cases[i].middle);
        check_unit(model, 2, 0, cases[i].across);
    }
}

static void basic_units_have_the_orders_of_figure_4(void **state)
{
    (void)state;
    static const unit_case cases[] = {
        {"unit=a", "conv1 bn1 relu1 conv2 bn2 add(bn2,x) relu2",
         "conv1 bn1 relu1 conv2 bn2 add(bn2,x) relu2",
         "conv1/2 bn1 relu1 conv2 bn2 shortcut/2(x) add(bn2,shortcut) relu2"},
        {"unit=a;shortcut=B", "conv1 bn1 relu1 conv2 bn2 add(bn2,x) relu2",
         "conv1 bn1 relu1 conv2 bn2 add(bn2,x) relu2",
         "conv1/2 bn1 relu1 conv2 bn2 downsample.0/2(x) downsample.1 add(bn2,downsample.1) relu2"},
        {"unit=b;shortcut=B", "conv1 bn1 relu1 conv2 add(conv2,x) bn2 relu2",
         "conv1 bn1 relu1 conv2 add(conv2,x) bn2 relu2",
         "conv1/2 bn1 relu1 conv2 downsample.0/2(x) add(conv2,downsample.0) bn2 relu2"},
        {"unit=c;shortcut=B", "conv1 bn1 relu1 conv2 bn2 relu2 add(relu2,x)",
         "conv1 bn1 relu1 conv2 bn2 relu2 add(relu2,x)",
         "conv1/2 bn1 relu1 conv2 bn2 relu2 downsample.0/2(x) downsample.1 "
         "add(relu2,downsample.1)"},
        {"unit=d;shortcut=B", "conv1 bn1 relu2 conv2 bn2 add(bn2,x)",
         "relu1 conv1 bn1 relu2 conv2 bn2 add(bn2,x)",
         "relu1 conv1/2 bn1 relu2 conv2 bn2 downsample.0/2(relu1) downsample.1 "
         "add(bn2,downsample.1)"},
        {"unit=e;shortcut=B", "conv1 bn2 relu2 conv2 add(conv2,x)",
         "bn1 relu1 conv1 bn2 relu2 conv2 add(conv2,x)",
         "bn1 relu1 conv1/2 bn2 relu2 conv2 downsample.0/2(relu1) add(conv2,downsample.0)"},
        {"unit=e", "conv1 bn2 relu2 conv2 add(conv2,x)",
         "bn1 relu1 conv1 bn2 relu2 conv2 add(conv2,x)",
         "bn1 relu1 conv1/2 bn2 relu2 conv2 shortcut/2(x) add(conv2,shortcut)"},
        {"unit=e;shortcut=C", "conv1 bn2 relu2 conv2 downsample.0(x) add(conv2,downsample.0)",
         "bn1 relu1 conv1 bn2 relu2 conv2 downsample.0(relu1) add(conv2,downsample.0)",
         "bn1 relu1 conv1/2 bn2 relu2 conv2 downsample.0/2(relu1) add(conv2,downsample.0)"},
        {"residual=no", "conv1 bn1 relu1 conv2 bn2 relu2", "conv1 bn1 relu1 conv2 bn2 relu2",
         "conv1/2 bn1 relu1 conv2 bn2 relu2"},
        {"unit=a;dropout=0.3", "conv1 bn1 relu1 dropout conv2 bn2 add(bn2,x) relu2",
         "conv1 bn1 relu1 dropout conv2 bn2 add(bn2,x) relu2",
         "conv1/2 bn1 relu1 dropout conv2 bn2 shortcut/2(x) add(bn2,shortcut) relu2"},
    };

    check_cases(cases, sizeof cases / sizeof *cases, "basic");
}

static void bottlenecks_have_the_orders_of_figure_4(void **state)
{
    (void)state;
    static const unit_case cases[] = {
        {"unit=a;shortcut=B",
         "conv1 bn1 relu1 conv2 bn2 relu2 conv3 bn3 downsample.0(x) downsample.1 "
         "add(bn3,downsample.1) relu3",
         "conv1 bn1 relu1 conv2 bn2 relu2 conv3 bn3 add(bn3,x) relu3",
         "conv1/2 bn1 relu1 conv2 bn2 relu2 conv3 bn3 downsample.0/2(x) downsample.1 "
         "add(bn3,downsample.1) relu3"},
        {"unit=a;stride=3x3",
         "conv1 bn1 relu1 conv2 bn2 relu2 conv3 bn3 shortcut(x) add(bn3,shortcut) relu3",
         "conv1 bn1 relu1 conv2 bn2 relu2 conv3 bn3 add(bn3,x) relu3",
         "conv1 bn1 relu1 conv2/2 bn2 relu2 conv3 bn3 shortcut/2(x) add(bn3,shortcut) relu3"},
        {"unit=b;shortcut=B",
         "conv1 bn1 relu1 conv2 bn2 relu2 conv3 downsample.0(x) add(conv3,downsample.0) bn3 relu3",
         "conv1 bn1 relu1 conv2 bn2 relu2 conv3 add(conv3,x) bn3 relu3",
         "conv1/2 bn1 relu1 conv2 bn2 relu2 conv3 downsample.0/2(x) add(conv3,downsample.0) bn3 "
         "relu3"},
        {"unit=c",
         "conv1 bn1 relu1 conv2 bn2 relu2 conv3 bn3 relu3 shortcut(x) add(relu3,shortcut)",
         "conv1 bn1 relu1 conv2 bn2 relu2 conv3 bn3 relu3 add(relu3,x)",
         "conv1/2 bn1 relu1 conv2 bn2 relu2 conv3 bn3 relu3 shortcut/2(x) add(relu3,shortcut)"},
        {"unit=d;shortcut=B",
         "conv1 bn1 relu2 conv2 bn2 relu3 conv3 bn3 downsample.0(x) downsample.1 "
         "add(bn3,downsample.1)",
         "relu1 conv1 bn1 relu2 conv2 bn2 relu3 conv3 bn3 add(bn3,x)",
         "relu1 conv1/2 bn1 relu2 conv2 bn2 relu3 conv3 bn3 downsample.0/2(relu1) downsample.1 "
         "add(bn3,downsample.1)"},
        {"unit=e;shortcut=B",
         "conv1 bn2 relu2 conv2 bn3 relu3 conv3 downsample.0(x) add(conv3,downsample.0)",
         "bn1 relu1 conv1 bn2 relu2 conv2 bn3 relu3 conv3 add(conv3,x)",
         "bn1 relu1 conv1/2 bn2 relu2 conv2 bn3 relu3 conv3 downsample.0/2(relu1) "
         "add(conv3,downsample.0)"},
        {"unit=e;dropout=0.5",
         "conv1 bn2 relu2 conv2 bn3 relu3 dropout conv3 shortcut(x) add(conv3,shortcut)",
         "bn1 relu1 conv1 bn2 relu2 conv2 bn3 relu3 dropout conv3 add(conv3,x)",
         "bn1 relu1 conv1/2 bn2 relu2 conv2 bn3 relu3 dropout conv3 shortcut/2(x) "
         "add(conv3,shortcut)"},
    };

    check_cases(cases, sizeof cases / sizeof *cases, "bottleneck");
}

static void one_layer_units_have_the_orders_of_figure_4(void **state)
{
    (void)state;
    static const unit_case cases[] = {
        {"unit=a", "conv1 bn1 add(bn1,x) relu1", "conv1 bn1 add(bn1,x) relu1",
         "conv1/2 bn1 shortcut/2(x) add(bn1,shortcut) relu1"},
        {"unit=b", "conv1 add(conv1,x) bn1 relu1", "conv1 add(conv1,x) bn1 relu1",
         "conv1/2 shortcut/2(x) add(conv1,shortcut) bn1 relu1"},
        {"unit=c", "conv1 bn1 relu1 add(relu1,x)", "conv1 bn1 relu1 add(relu1,x)",
         "conv1/2 bn1 relu1 shortcut/2(x) add(relu1,shortcut)"},
        {"unit=d", "conv1 bn1 add(bn1,x)", "relu1 conv1 bn1 add(bn1,x)",
         "relu1 conv1/2 bn1 shortcut/2(x) add(bn1,shortcut)"},
        {"unit=e", "conv1 add(conv1,x)", "bn1 relu1 conv1 add(conv1,x)",
         "bn1 relu1 conv1/2 shortcut/2(x) add(conv1,shortcut)"},
    };

    check_cases(cases, sizeof cases / sizeof *cases, "single");
}

// 2016, fig. 2; the gate reads the unit's input whatever the order.
static void shortcuts_have_the_paths_of_figure_2(void **state)
{
    (void)state;
    static const unit_case cases[] = {
        {"path=scale",
         "conv1 bn1 relu1 conv2 bn2 shortcut_scale(x) residual_scale(bn2) "
         "add(residual_scale,shortcut_scale) relu2",
         "conv1 bn1 relu1 conv2 bn2 shortcut_scale(x) residual_scale(bn2) "
         "add(residual_scale,shortcut_scale) relu2",
         "conv1/2 bn1 relu1 conv2 bn2 shortcut/2(x) shortcut_scale residual_scale(bn2) "
         "add(residual_scale,shortcut_scale) relu2"},
        {"path=scale;residual-scale=1",
         "conv1 bn1 relu1 conv2 bn2 shortcut_scale(x) add(bn2,shortcut_scale) relu2",
         "conv1 bn1 relu1 conv2 bn2 shortcut_scale(x) add(bn2,shortcut_scale) relu2",
         "conv1/2 bn1 relu1 conv2 bn2 shortcut/2(x) shortcut_scale add(bn2,shortcut_scale) relu2"},
        {"path=exclusive-gate;unit=e",
         "conv1 bn2 relu2 conv2 gate(x) residual_gate(conv2,gate) shortcut_gate(x,gate) "
         "add(residual_gate,shortcut_gate)",
         "bn1 relu1 conv1 bn2 relu2 conv2 gate(x) residual_gate(conv2,gate) "
         "shortcut_gate(x,gate) add(residual_gate,shortcut_gate)",
         "bn1 relu1 conv1/2 bn2 relu2 conv2 shortcut/2(x) gate/2(x) residual_gate(conv2,gate) "
         "shortcut_gate(shortcut,gate) add(residual_gate,shortcut_gate)"},
        {"path=shortcut-gate;shortcut=B",
         "conv1 bn1 relu1 conv2 bn2 gate(x) shortcut_gate(x,gate) add(bn2,shortcut_gate) relu2",
         "conv1 bn1 relu1 conv2 bn2 gate(x) shortcut_gate(x,gate) add(bn2,shortcut_gate) relu2",
         "conv1/2 bn1 relu1 conv2 bn2 downsample.0/2(x) downsample.1 gate/2(x) "
         "shortcut_gate(downsample.1,gate) add(bn2,shortcut_gate) relu2"},
        {"path=conv",
         "conv1 bn1 relu1 conv2 bn2 downsample.0(x) downsample.1 add(bn2,downsample.1) relu2",
         "conv1 bn1 relu1 conv2 bn2 downsample.0(x) downsample.1 add(bn2,downsample.1) relu2",
         "conv1/2 bn1 relu1 conv2 bn2 downsample.0/2(x) downsample.1 add(bn2,downsample.1) relu2"},
        {"path=dropout",
         "conv1 bn1 relu1 conv2 bn2 shortcut_dropout(x) add(bn2,shortcut_dropout) relu2",
         "conv1 bn1 relu1 conv2 bn2 shortcut_dropout(x) add(bn2,shortcut_dropout) relu2",
         "conv1/2 bn1 relu1 conv2 bn2 shortcut/2(x) shortcut_dropout add(bn2,shortcut_dropout) "
         "relu2"},
        {"survival=0.4", "conv1 bn1 relu1 conv2 bn2 drop_branch add(drop_branch,x) relu2",
         "conv1 bn1 relu1 conv2 bn2 drop_branch add(drop_branch,x) relu2",
         "conv1/2 bn1 relu1 conv2 bn2 shortcut/2(x) drop_branch(bn2) add(drop_branch,shortcut) "
         "relu2"},
    };

    check_cases(cases, sizeof cases / sizeof *cases, "basic");
}

static void stems_and_ends_are_the_papers(void **state)
{
    (void)state;
    check_unit("resnet-20", 0, -1, "input conv1 bn1 relu avgpool fc loss");
    check_unit("plain-20", 0, -1, "input conv1 bn1 relu avgpool fc loss");
    check_unit("resnet-20:unit=b", 0, -1, "input conv1 bn1 relu avgpool fc loss");
    check_unit("resnet-20:unit=c", 0, -1, "input conv1 bn1 relu avgpool fc loss");
    check_unit("resnet-20:unit=d", 0, -1, "input conv1 bn1 relu relu_last avgpool fc loss");
    check_unit("preact-20", 0, -1, "input conv1 bn1 relu bn_last relu_last avgpool fc loss");
    check_unit("resnet-50", 0, -1, "input conv1/2 bn1 relu maxpool/2 avgpool fc loss");
    check_unit("resnet-200", 0, -1,
               "input conv1/2 bn1 relu maxpool/2 bn_last relu_last avgpool fc loss");
    check_unit("vgg-11", 0, -1,
               "input features.0 features.1 features.2/2 features.3 features.4 features.5/2 "
               "features.6 features.7 features.8 features.9 features.10/2 features.11 features.12 "
               "features.13 features.14 features.15/2 features.16 features.17 features.18 "
               "features.19 features.20/2 flatten classifier.0 classifier.1 classifier.2 "
               "classifier.3 classifier.4 classifier.5 classifier.6 loss");
}

static void pools_begin_the_stages(void **state)
{
    (void)state;
    const char *model = "resnet:units=1,2;block=single;down=pool;widths=8,12;head=max";

    check_unit(model, 0, -1, "input conv1 bn1 relu maxpool_last/8 avgpool fc loss");
    check_unit(model, 1, 0, "down.0 down.1/2 down.2 down.3 conv1 bn1 add(bn1,down.3) relu1");
    check_unit(model, 2, 1, "conv1 bn1 add(bn1,x) relu1");
    check_unit("resnet-20:head=max", 0, -1, "input conv1 bn1 relu maxpool_last/8 avgpool fc loss");
}

static const rn_node *find_node(const rn_graph *graph, const char *name)
{
    for (int i = 0; i < rn_graph_nodes(graph); i++)
        if (strcmp(rn_graph_node(graph, i)->name, name) == 0)
            return rn_graph_node(graph, i);
    fail_msg("no node '%s'", name);
    return NULL;
}

static void vgg_layers_are_of_their_kind(void **state)
{
    (void)state;
    rn_graph *graph = build("vgg-11-bn", NULL);

    assert_int_equal(find_node(graph, "features.1")->kind, RN_NODE_BATCH_NORM);
    assert_int_equal(find_node(graph, "features.2")->kind, RN_NODE_RELU);
    assert_int_equal(find_node(graph, "features.28")->kind, RN_NODE_MAX_POOL);
    assert_int_equal(find_node(graph, "features.28")->height, 7);
    assert_int_equal(find_node(graph, "flatten")->channels, 512 * 7 * 7);
    assert_int_equal(find_node(graph, "classifier.1")->kind, RN_NODE_RELU);
    assert_int_equal(find_node(graph, "classifier.5")->kind, RN_NODE_DROPOUT);
    assert_true(find_node(graph, "classifier.5")->rate == 0.5f);
    assert_int_equal(find_node(graph, "classifier.6")->kind, RN_NODE_LINEAR);
    rn_graph_free(graph);
    graph = build("vgg-11:dropout=0", NULL);
    assert_int_equal(find_node(graph, "classifier.6")->inputs[0],
                     find_node(graph, "classifier.6") - rn_graph_node(graph, 0) - 1);
    assert_int_equal(find_node(graph, "classifier.4")->kind, RN_NODE_RELU);
    rn_graph_free(graph);
}

static void constants_reach_their_nodes(void **state)
{
    (void)state;
    rn_graph *graph = build("resnet-8:path=scale;shortcut-scale=0;residual-scale=0.25", NULL);
    assert_true(find_node(graph, "layer1.0.shortcut_scale")->scale == 0);
    assert_true(find_node(graph, "layer1.0.residual_scale")->scale == 0.25f);
    rn_graph_free(graph);

    graph = build("resnet-8:head-init=0.25", NULL);
    assert_true(rn_graph_param(graph, find_node(graph, "fc")->weight)->initial == 0.25f);
    assert_true(rn_graph_param(graph, find_node(graph, "fc")->bias)->initial == 0);
    rn_graph_free(graph);

    const rn_model_options flat = {.classes = 3, .channels = 2, .height = 9, .width = 20};
    graph = build("resnet:units=1,1;shortcut=B;head=max;widths=6,5", &flat);
    assert_int_equal(find_node(graph, "maxpool_last")->height, 1);
    assert_int_equal(find_node(graph, "maxpool_last")->width, 2);
    assert_int_equal(find_node(graph, "avgpool")->width, 1);
    assert_int_equal(find_node(graph, "layer1.0.conv1")->channels, 6);
    assert_int_equal(find_node(graph, "fc")->inputs[0] > 0, 1);
    assert_int_equal(find_node(graph, "avgpool")->channels, 5);
    rn_graph_free(graph);

    graph = build("resnet-8:path=dropout;shortcut-dropout=0.2;dropout=0.3", NULL);
    assert_true(find_node(graph, "layer2.0.shortcut_dropout")->rate == 0.2f);
    assert_true(find_node(graph, "layer2.0.dropout")->rate == 0.3f);
    rn_graph_free(graph);

    graph = build("resnet-8:path=exclusive-gate", NULL);
    const rn_node *gate = find_node(graph, "layer2.0.gate");
    assert_false(find_node(graph, "layer2.0.residual_gate")->complement);
    assert_true(find_node(graph, "layer2.0.shortcut_gate")->complement);
    assert_int_equal(gate->channels, 32);
    assert_int_equal(gate->kernel, 1);
    assert_true(rn_graph_param(graph, gate->bias)->initial == -6);
    rn_graph_free(graph);
}

// Huang et al. 2016, eq. 4: unit l of L survives with 1 - l / L (1 - p_L).
static void survival_decays_linearly(void **state)
{
    (void)state;
    rn_graph *graph = build("resnet-20:survival=0.5", NULL);
    char name[64];

    for (int l = 1; l <= 9; l++) {
        snprintf(name, sizeof name, "layer%d.%d.drop_branch", (l + 2) / 3, (l - 1) % 3);
        double rate = (double)find_node(graph, name)->rate;
        assert_true(rate > l / 18.0 - 1e-6 && rate < l / 18.0 + 1e-6);
    }
    rn_graph_free(graph);
    graph = build("resnet-20:survival=1", NULL);
    assert_string_equal(rn_graph_model(graph), "resnet-20");
    rn_graph_free(graph);
}

static void widths_are_multiplied_but_for_the_stem(void **state)
{
    (void)state;
    rn_graph *graph = build("resnet:units=1,1,1,1,1;width=6;widen=3;block=bottleneck", NULL);

    assert_int_equal(find_node(graph, "conv1")->channels, 6);
    assert_int_equal(find_node(graph, "layer1.0.conv2")->channels, 18);
    assert_int_equal(find_node(graph, "layer1.0.add")->channels, 72);
    assert_int_equal(find_node(graph, "layer5.0.conv1")->channels, 18 * 16);
    assert_int_equal(find_node(graph, "layer5.0.add")->channels, 72 * 16);
    assert_int_equal(find_node(graph, "layer5.0.add")->height, 2);
    rn_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(basic_units_have_the_orders_of_figure_4),
        cmocka_unit_test(bottlenecks_have_the_orders_of_figure_4),
        cmocka_unit_test(one_layer_units_have_the_orders_of_figure_4),
        cmocka_unit_test(shortcuts_have_the_paths_of_figure_2),
        cmocka_unit_test(stems_and_ends_are_the_papers),
        cmocka_unit_test(pools_begin_the_stages),
        cmocka_unit_test(vgg_layers_are_of_their_kind),
        cmocka_unit_test(constants_reach_their_nodes),
        cmocka_unit_test(survival_decays_linearly),
        cmocka_unit_test(widths_are_multiplied_but_for_the_stem),
    };

    return cmocka_run_group_tests_name("units", tests, NULL, NULL);
}
