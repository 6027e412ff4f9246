// Graphs of every kind of node, written and read back: the spec that their structure tells, and
// their weights. Built here, so that this does not rest on what rn_graph_create() knows.
#include "base/file.h"
#include "base/memory.h"
#include "graph/build.h"
#include "store/onnx_derive.h"
#include "store/onnx_match.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "store/onnx_models.h"
#include "store/temporary_folder.h"

enum { WIDTH = 4, CLASSES = 3, SIZE = 16, STAGES = 2 };

// One network of two stages with two units each.
typedef struct design {
    const char *expected;
    const char *block; // kernels: "33", "131", "3"
    char order, shortcut;
    bool imagenet, stride_3x3;
    char path; // 's' scale, 'x' exclusive gate, 'g' shortcut gate, 'd' dropout, 'p' survival
    bool swapped;
} design;

static const design designs[] = {
    {"resnet:units=2,2;block=basic;width=4;stem=cifar;unit=original;shortcut=A", "33", 'a', 'A',
     .path = '\0'},
    {"resnet:units=2,2;block=basic;width=4;stem=cifar;unit=original;shortcut=B", "33", 'a', 'B',
     .swapped = true},
    {"resnet:units=2,2;block=basic;width=4;stem=cifar;unit=original;shortcut=C", "33", 'a', 'C',
     .path = '\0'},
    {"resnet:units=2,2;block=basic;width=4;stem=cifar;unit=bn-after-add;shortcut=B", "33", 'b', 'B',
     .path = '\0'},
    {"resnet:units=2,2;block=basic;width=4;stem=cifar;unit=relu-before-add;shortcut=B", "33", 'c',
     'B', .path = '\0'},
    {"resnet:units=2,2;block=basic;width=4;stem=cifar;unit=relu-only;shortcut=A", "33", 'd', 'A',
     .path = '\0'},
    {"resnet:units=2,2;block=basic;width=4;stem=cifar;unit=preact;shortcut=B", "33", 'e', 'B',
     .path = '\0'},
    {"resnet:units=2,2;block=bottleneck;width=4;stem=imagenet;unit=original;shortcut=B", "131", 'a',
     'B', .imagenet = true},
    {"resnet:units=2,2;block=bottleneck;width=4;stem=imagenet;unit=original;shortcut=B;stride=3x3",
     "131", 'a', 'B', .imagenet = true, .stride_3x3 = true},
    {"resnet:units=2,2;block=bottleneck;width=4;stem=cifar;unit=preact;shortcut=B", "131", 'e', 'B',
     .path = '\0'},
    {"resnet:units=2,2;block=single;width=4;stem=cifar;unit=original;shortcut=A", "3", 'a', 'A',
     .path = '\0'},
    {"resnet:units=2,2;block=basic;width=4;stem=cifar;unit=original;shortcut=A;path=scale;"
     "shortcut-scale=0.500000;residual-scale=0.250000",
     "33", 'a', 'A', .path = 's'},
    {"resnet:units=2,2;block=basic;width=4;stem=cifar;unit=original;shortcut=A;path=exclusive-gate",
     "33", 'a', 'A', .path = 'x'},
    {"resnet:units=2,2;block=basic;width=4;stem=cifar;unit=original;shortcut=A;path=shortcut-gate",
     "33", 'a', 'A', .path = 'g'},
    {"resnet:units=2,2;block=basic;width=4;stem=cifar;unit=original;shortcut=A", "33", 'a', 'A',
     .path = 'd'},
    {"resnet:units=2,2;block=basic;width=4;stem=cifar;unit=original;shortcut=A;survival=0.500000",
     "33", 'a', 'A', .path = 'p'},
};

enum { DESIGNS = sizeof designs / sizeof *designs };

// A unit in the making.
typedef struct unit {
    const design *by;
    int stage, index, number, stride, width;
} unit;

static int act(rn_builder *b, const unit *u, int x, bool norm, bool relu, const char *place)
{
    if (norm)
        x = rn_build_batch_norm(b, x, "layer%d.%d.bn%s", u->stage, u->index, place);
    return relu ? rn_build_relu(b, x, "layer%d.%d.relu%s", u->stage, u->index, place) : x;
}

static int branch(rn_builder *b, const unit *u, int x)
{
    int layers = (int)strlen(u->by->block), strided = u->by->stride_3x3 ? 1 : 0;
    char place[16];

    for (int i = 0; i < layers; i++) {
        bool last = i == layers - 1;
        int kernel = u->by->block[i] - '0';
        rn_conv_shape shape = {.out = last && layers == 3 ? 4 * u->width : u->width,
                               .kernel = kernel,
                               .stride = i == strided ? u->stride : 1,
                               .pad = kernel / 2};
        snprintf(place, sizeof place, "%d", i + 1);
        x = rn_build_conv(b, x, shape, "layer%d.%d.conv%d", u->stage, u->index, i + 1);
        if (!last)
            x = act(b, u, x, true, true, place);
        else
            x = act(b, u, x, strchr("acd", u->by->order) != NULL, u->by->order == 'c', place);
    }
    return x;
}

static int shortcut(rn_builder *b, const unit *u, int input, int active, int out)
{
    rn_conv_shape shape = {.out = out, .kernel = 1, .stride = u->stride};

    if (u->stride == 1 && rn_build_channels(b, input) == out && u->by->shortcut != 'C')
        return input;
    if (u->by->shortcut == 'A')
        return rn_build_shortcut_pad(b, input, out, u->stride, "layer%d.%d.pad", u->stage,
                                     u->index);
    int x = rn_build_conv(b, active, shape, "layer%d.%d.downsample.0", u->stage, u->index);
    return strchr("acd", u->by->order) == NULL
               ? x
               : rn_build_batch_norm(b, x, "layer%d.%d.downsample.1", u->stage, u->index);
}

static void weigh(rn_builder *b, const unit *u, int input, int *way, int *x)
{
    rn_conv_shape gate = {
        .out = rn_build_channels(b, *x), .kernel = 1, .stride = u->stride, .bias = true};

    if (u->by->path == 's') {
        *way = rn_build_scale(b, *way, 0.5f, "layer%d.%d.a", u->stage, u->index);
        *x = rn_build_scale(b, *x, 0.25f, "layer%d.%d.b", u->stage, u->index);
    } else if (u->by->path == 'd') {
        *way = rn_build_dropout(b, *way, 0.5f, "layer%d.%d.drop", u->stage, u->index);
    } else if (u->by->path == 'p') {
        *x = rn_build_drop_branch(b, *x, (float)u->number / 8, "layer%d.%d.drop", u->stage,
                                  u->index);
    } else if (u->by->path != '\0') {
        int g = rn_build_conv(b, input, gate, "layer%d.%d.gate", u->stage, u->index);
        *way = rn_build_gate(b, *way, g, true, "layer%d.%d.open", u->stage, u->index);
        if (u->by->path == 'x')
            *x = rn_build_gate(b, *x, g, false, "layer%d.%d.close", u->stage, u->index);
    }
}

static int build_unit(rn_builder *b, const unit *u, int input)
{
    char order = u->by->order;
    bool before = (order == 'd' || order == 'e') && u->number > 1;
    int active = before ? act(b, u, input, order == 'e', true, "0") : input;
    int x = branch(b, u, active);
    int way = shortcut(b, u, input, active, rn_build_channels(b, x));

    weigh(b, u, input, &way, &x);
    x = u->by->swapped ? rn_build_add(b, way, x, "layer%d.%d.add", u->stage, u->index)
                       : rn_build_add(b, x, way, "layer%d.%d.add", u->stage, u->index);
    return act(b, u, x, order == 'b', order == 'a' || order == 'b', "9");
}

static rn_graph *graph_of(const char *model)
{
    rn_graph *graph = NULL;

    ONNX_TRY(RN_NEW(&graph, 1));
    ONNX_TRY(rn_strdup(&graph->model, model));
    graph->options =
        (rn_model_options){.classes = CLASSES, .channels = 3, .height = SIZE, .width = SIZE};
    return graph;
}

static int build_stem(rn_builder *b, const design *by)
{
    rn_conv_shape small = {.out = WIDTH, .kernel = 3, .stride = 1, .pad = 1};
    rn_conv_shape large = {.out = WIDTH, .kernel = 7, .stride = 2, .pad = 3};
    int x = rn_build_input(b, 3, SIZE, SIZE);

    x = rn_build_conv(b, x, by->imagenet ? large : small, "conv1");
    x = rn_build_batch_norm(b, x, "bn1");
    x = rn_build_relu(b, x, "relu");
    return by->imagenet ? rn_build_max_pool(b, x, 3, 2, 1, "maxpool") : x;
}

static rn_graph *build(const design *by)
{
    rn_builder b = {.graph = graph_of(by->expected)};
    unit u = {.by = by};
    int x = build_stem(&b, by);

    for (u.stage = 1; u.stage <= STAGES; u.stage++) {
        for (u.index = 0; u.index < 2; u.index++) {
            u.number++;
            u.stride = u.stage > 1 && u.index == 0 ? 2 : 1;
            u.width = WIDTH << (u.stage - 1);
            x = build_unit(&b, &u, x);
        }
    }
    if (by->order == 'e')
        x = rn_build_batch_norm(&b, x, "bn_last");
    if (by->order == 'd' || by->order == 'e')
        x = rn_build_relu(&b, x, "relu_last");
    x = rn_build_average_pool(&b, x, "avgpool");
    x = rn_build_linear(&b, x, CLASSES, "fc");
    rn_build_cross_entropy(&b, x, "loss");
    ONNX_TRY(b.status);
    return b.graph;
}

// A file on its way back.
typedef struct reading {
    char *bytes;
    rn_onnx_model model;
    rn_net net;
} reading;

static void write_and_read(reading *r, rn_graph *graph, rn_weights *weights, bool fold)
{
    rn_checkpoint model = {.graph = graph, .weights = weights};
    size_t size;

    ONNX_TRY(rn_onnx_write(in_folder("m.onnx"), &model, weights, NULL, fold));
    ONNX_TRY(rn_file_read(&r->bytes, &size, in_folder("m.onnx"), 1 << 24));
    ONNX_TRY(rn_onnx_read(&r->model, r->bytes, size));
    if (rn_net_lower(&r->net, &r->model) != RN_OK)
        fail_msg("%s: %s", graph->model, rn_error_message());
}

static void release(reading *r)
{
    rn_net_release(&r->net);
    rn_onnx_release(&r->model);
    rn_free(r->bytes);
}

static bool is_norm(const rn_param *param)
{
    return param->kind == RN_PARAM_BN_GAIN || param->kind == RN_PARAM_RUNNING_MEAN ||
           param->kind == RN_PARAM_RUNNING_VARIANCE || param->kind == RN_PARAM_BN_BIAS;
}

// What is not folded is bit for bit the same.
static void check_weights(const reading *r, const rn_graph *graph, const rn_weights *weights,
                          bool fold)
{
    rn_match match;
    rn_blocks blocks = {0};
    rn_foreign_tensor *tensors = calloc((size_t)rn_graph_params(graph), sizeof *tensors);
    int same = 0;

    if (rn_match_create(&match, &r->net, graph) != RN_OK)
        fail_msg("%s: %s", rn_graph_model(graph), rn_error_message());
    ONNX_TRY(rn_match_tensors(tensors, &match, &blocks));
    for (int i = 0; i < rn_graph_params(graph); i++) {
        const rn_param *param = rn_graph_param(graph, i);
        bool equal = memcmp(tensors[i].tensor.data, rn_weights_read(weights, i),
                            param->count * sizeof(float)) == 0;
        same += equal;
        assert_string_equal(tensors[i].tensor.name, param->name);
        if (!equal && (!fold || (!is_norm(param) && param->kind != RN_PARAM_CONV_WEIGHT)))
            fail_msg("%s: '%s' differs", rn_graph_model(graph), param->name);
    }
    assert_true(fold ? same < rn_graph_params(graph) : same == rn_graph_params(graph));
    free(tensors);
    rn_blocks_free(&blocks);
    rn_match_release(&match);
}

static rn_weights *weights_of(const rn_graph *graph)
{
    rn_weights *weights = NULL;

    ONNX_TRY(rn_weights_create(&weights, graph));
    onnx_weights(weights);
    return weights;
}

static void every_unit_is_recognised(void **state)
{
    (void)state;
    for (int i = 0; i < DESIGNS; i++) {
        rn_graph *graph = build(&designs[i]);
        rn_weights *weights = weights_of(graph);
        for (int fold = 0; fold < 2; fold++) {
            reading r;
            rn_derived derived;
            write_and_read(&r, graph, weights, fold == 1);
            if (rn_net_derive(&derived, &r.net) != RN_OK)
                fail_msg("%s: %s", graph->model, rn_error_message());
            assert_string_equal(derived.specs[0], designs[i].expected);
            check_weights(&r, graph, weights, fold == 1);
            release(&r);
        }
        rn_weights_free(weights);
        rn_graph_free(graph);
    }
}

// Each design's file against each other's graph: no two are taken for one another.
static void no_two_units_are_taken_for_each_other(void **state)
{
    (void)state;
    rn_graph *graphs[DESIGNS];

    for (int i = 0; i < DESIGNS; i++)
        graphs[i] = build(&designs[i]);
    for (int i = 0; i < DESIGNS; i++) {
        rn_weights *weights = weights_of(graphs[i]);
        reading r;
        write_and_read(&r, graphs[i], weights, false);
        for (int k = 0; k < DESIGNS; k++) {
            rn_match match;
            bool alike = strcmp(designs[i].expected, designs[k].expected) == 0;
            rn_status st = rn_match_create(&match, &r.net, graphs[k]);
            if (st != (alike ? RN_OK : RN_EUNSUPPORTED))
                fail_msg("%s as %s: %d %s", graphs[i]->model, graphs[k]->model, (int)st,
                         rn_error_message());
            if (!alike)
                assert_true(strncmp(rn_error_message(), "node '", 6) == 0);
            rn_match_release(&match);
        }
        release(&r);
        rn_weights_free(weights);
    }
    for (int i = 0; i < DESIGNS; i++)
        rn_graph_free(graphs[i]);
}

// Two convolutions with BN (or none), a pool after each, two linear layers; widths are the
// caller's.
static rn_graph *build_vgg(const char *model, bool norm, int first, int hidden)
{
    rn_builder b = {.graph = graph_of(model)};
    rn_conv_shape shape = {.out = first, .kernel = 3, .stride = 1, .pad = 1, .bias = true};
    int x = rn_build_input(&b, 3, SIZE, SIZE);

    for (int i = 0; i < 2; i++, shape.out *= 2) {
        x = rn_build_conv(&b, x, shape, "features.%d", 4 * i);
        if (norm)
            x = rn_build_batch_norm(&b, x, "features.%d", 4 * i + 1);
        x = rn_build_relu(&b, x, "features.%d", 4 * i + 2);
        x = rn_build_max_pool(&b, x, 2, 2, 0, "features.%d", 4 * i + 3);
    }
    x = rn_build_flatten(&b, x, "flatten");
    x = rn_build_linear(&b, x, hidden, "classifier.0");
    x = rn_build_relu(&b, x, "classifier.1");
    x = rn_build_dropout(&b, x, 0.5f, "classifier.2");
    x = rn_build_linear(&b, x, CLASSES, "classifier.3");
    rn_build_cross_entropy(&b, x, "loss");
    ONNX_TRY(b.status);
    return b.graph;
}

static void vgg_is_recognised(void **state)
{
    (void)state;
    for (int norm = 0; norm < 2; norm++) {
        rn_graph *graph = build_vgg("vgg", norm == 1, 4, 6);
        rn_weights *weights = weights_of(graph);
        for (int fold = 0; fold <= norm; fold++) {
            reading r;
            rn_derived derived;
            write_and_read(&r, graph, weights, fold == 1);
            ONNX_TRY(rn_net_derive(&derived, &r.net));
            assert_string_equal(derived.specs[0],
                                norm && !fold ? "vgg:convs=1,1;bn=yes" : "vgg:convs=1,1;bn=no");
            if (fold == 0)
                check_weights(&r, graph, weights, false);
            release(&r);
        }
        rn_weights_free(weights);
        rn_graph_free(graph);
    }
}

static void expect_mismatch(const reading *r, rn_graph *other, const char *says)
{
    rn_match match;

    assert_int_equal(rn_match_create(&match, &r->net, other), RN_EUNSUPPORTED);
    if (strstr(rn_error_message(), says) == NULL)
        fail_msg("'%s' does not say '%s'", rn_error_message(), says);
    rn_match_release(&match);
    rn_graph_free(other);
}

// The message names the first node in the way of the data, although matching goes the other way.
static void the_first_node_that_differs_is_named(void **state)
{
    (void)state;
    rn_graph *graph = build_vgg("vgg", false, 4, 6);
    rn_weights *weights = weights_of(graph);
    reading r;

    write_and_read(&r, graph, weights, false);
    expect_mismatch(&r, build_vgg("other", false, 8, 5),
                    "node 'features.0' (Conv): a 3 x 3 convolution to 4 channels, stride 1, pad 1, "
                    "where other has "
                    "a 3 x 3 convolution to 8 channels, stride 1, pad 1, 'features.0'");
    expect_mismatch(
        &r, build_vgg("other", false, 4, 5),
        "node 'classifier.0' (Gemm): a linear layer to 6, where other has a linear layer to 5, "
        "'classifier.0'");
    expect_mismatch(&r, build(&designs[0]), "node 'features.3' (MaxPool): a 2 x 2 max pool");
    release(&r);
    rn_weights_free(weights);
    rn_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_unit_is_recognised),
        cmocka_unit_test(no_two_units_are_taken_for_each_other),
        cmocka_unit_test(vgg_is_recognised),
        cmocka_unit_test(the_first_node_that_differs_is_named),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
