// Model specs: what is read, written, refused; every combination; texts at random.
#include "base/random.h"
#include "graph/graphs.h"
#include "graph/spec.h"

#include <stdio.h>
#include <stdlib.h>

static void canonical_specs_are_short_and_rebuild_the_graph(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"resnet-20:shortcut=A", "resnet-20"},
        {"resnet-14:shortcut=C", "resnet-14:shortcut=C"},
        {"resnet-020", "resnet-20"},
        {"resnet-20:shortcut=B;shortcut=B", "resnet-20:shortcut=B"},
        {"resnet", "resnet-20"},
        {"vgg", "vgg-11"},
        {"vgg:convs=2,2,4,4,4;bn=yes;dropout=0", "vgg-19-bn:dropout=0"},
        {"vgg:convs=1,2", "vgg:convs=1,2"},
        {"resnet:units=36,36,36;block=single", "resnet-110:block=single"},
        {"resnet:units=3,3,4", "resnet:units=3,3,4"},
        {"resnet:units=18,18,18;block=bottleneck;unit=e;shortcut=B", "resnet-164"},
        {"resnet:unit=preact;widen=10;units=4,4,4;shortcut=B;dropout=0.30",
         "wrn-28-10:dropout=0.3"},
        {"resnet:units=3,4,6,3;block=bottleneck;width=64;stem=imagenet;shortcut=B;stride=3x3",
         "resnet-50:stride=3x3"},
        {"resnet:units=3,3,3;residual=no", "plain-20"},
        {"resnet:units=8,8,8", "resnet:units=8,8,8"}, // 50 layers, but resnet-50 is another network
        {"plain-50", "plain-50"},
        {"preact-29", "preact-29"},
        {"preact-20:block=bottleneck", "preact-20:block=bottleneck"},
        {"resnet-110:block=single;unit=preact", "resnet-110:block=single;unit=preact"},
        {"resnet-29:block=bottleneck;stride=3x3", "resnet-29:block=bottleneck;stride=3x3"},
        {"resnet-164:unit=a", "resnet-164:unit=original"},
        {"resnet-110:path=conv", "resnet-110:shortcut=C"},
        {"resnet-110:gate-bias=-7;path=exclusive-gate",
         "resnet-110:path=exclusive-gate;gate-bias=-7"},
        {"resnet-110:path=exclusive-gate;gate-bias=-6", "resnet-110:path=exclusive-gate"},
        {"resnet-110:path=exclusive-gate;gate-bias=-0.0",
         "resnet-110:path=exclusive-gate;gate-bias=0"},
        {"resnet-110:path=scale;residual-scale=1;shortcut-scale=.5",
         "resnet-110:path=scale;residual-scale=1"},
        {"resnet-20:survival=0.12345678", "resnet-20:survival=0.123457"},
        {"resnet-20:survival=5e-1;zero-gain=yes", "resnet-20:zero-gain=yes;survival=0.5"},
        {"resnet-18:stem=cifar", "resnet-18:stem=cifar"},
        {"wrn-16-1", "wrn-16-1"},
        {"fast-resnet-8", "fast-resnet-8"},
        {"fast-resnet-8:down-init=random", "fast-resnet-8:down-init=random"},
        {"fast-resnet-8:head=average;head-init=1", "fast-resnet-8:head=average;head-init=1"},
        {"fast-resnet-8:width=64;widths=64,128,256", "fast-resnet-8:width=64;widths=64,128,256"},
        {"resnet:units=1,1,1;block=single;down=pool;head=max;head-init=0.1",
         "resnet-5:block=single;down=pool;head=max;head-init=0.1"},
        {"resnet:units=3,3,3;widths=16,32,64", "resnet-20:widths=16,32,64"},
        {"resnet-18:down=pool", "resnet-18:down=pool;shortcut=A"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rn_graph *graph = build(cases[i][0], NULL);
        if (strcmp(rn_graph_model(graph), cases[i][1]) != 0)
            fail_msg("'%s' became '%s', expected '%s'", cases[i][0], rn_graph_model(graph),
                     cases[i][1]);
        check_canonical(graph);
        rn_graph_free(graph);
    }
}

static void other_words_for_the_same_network_agree(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"resnet-164", "preact-164"},
        {"resnet-200", "preact-200"},
        {"preact-110", "resnet-110:unit=preact"},
        {"resnet-20:shortcut=C", "resnet-20:path=conv"},
        {"wrn-16-1", "preact-14:shortcut=B"},
        {"resnet-18:down=pool", "resnet:units=2,2,2,2;width=64;stem=imagenet;down=pool"},
        {"preact-29", "resnet:units=3,3,3;block=bottleneck;unit=preact;shortcut=B"},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        rn_graph *a = build(pairs[i][0], NULL), *b = build(pairs[i][1], NULL);
        if (!same_graph(a, b))
            fail_msg("'%s' is not '%s'", pairs[i][0], pairs[i][1]);
        rn_graph_free(a);
        rn_graph_free(b);
    }
}

static void bad_specs_are_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"resnet20", "unknown model 'resnet20'; did you mean 'resnet-20'?"},
        {"resnet50", "did you mean 'resnet-50'"},
        {"plane-20", "did you mean 'plain-20'"},
        {"vgg16_bn", "did you mean 'vgg-16-bn'"},
        {"alexnet", "expected resnet-N, plain-N or preact-N"},
        {"", "unknown model ''"},
        {":", "unknown model ''"},
        {"resnet-", "unknown model"},
        {"resnet-+20", "unknown model"},
        {"resnet-0", "unknown model"},
        {"plain-000", "unknown model"},
        {"wrn-0-4", "unknown model"},
        {"resnet-20x", "unknown model"},
        {"vgg-17", "unknown model 'vgg-17'; did you mean"},
        {"wrn-28", "unknown model"},
        {"wrn-28-10-1", "unknown model"},
        {"resnet-21", "expected 6n + 2 from 8 to 1202, such as 20"},
        {"resnet-2", "such as 8"},
        {"resnet-1208", "6n + 2 from 8 to 1202, such as 1202"},
        {"resnet-99999999999999999999", "unknown model"},
        {"preact-21", "6n + 2"},
        {"wrn-29-10", "expected 6n + 4 from 10 to 1204, such as 28"},
        {"wrn-28-101",
         "model 'wrn-28-101': 'widen' is '101', expected a whole number from 1 to 100"},
        {"resnet-26:block=bottleneck", "such as 20"},
        {"resnet-21:block=bottleneck", "depth 21 is not of bottleneck units, expected 9n + 2"},
        {"resnet-20:shortcut=D", "'shortcut' is 'D', expected A, B or C"},
        {"resnet-20:widht=3", "unknown key 'widht'; did you mean 'width'?"},
        {"resnet-20:colour=3", "unknown key 'colour', expected one of units, block, width"},
        {"resnet-20:convs=1", "unknown key 'convs'"},
        {"vgg-16:shortcut=B", "unknown key 'shortcut', expected one of convs, bn, dropout"},
        {"resnet-20:width=0", "'width' is '0', expected a whole number from 1 to 4096"},
        {"resnet-20:width=", "'width' is ''"},
        {"resnet-20:width=1.5", "'width' is '1.5'"},
        {"resnet-20:width", "'width' found where key=value is expected"},
        {"resnet-20:", "'' found where key=value is expected"},
        {"resnet-20:width=8;", "'' found where key=value is expected"},
        {"resnet-20:width=8;width=9", "'width' is given twice"},
        {"resnet-20:unit=preactivation", "'unit' is 'preactivation', expected original"},
        {"resnet-20:unit=preakt", "did you mean 'preact'?"},
        {"resnet-20:unit=f", "'unit' is 'f'"},
        {"resnet-20:block=b", "'block' is 'b'"},
        {"resnet-20:survival=0", "'survival' is '0', expected a number from 0.01 to 1"},
        {"resnet-20:survival=nan", "'survival' is 'nan'"},
        {"resnet-20:dropout=1", "'dropout' is '1', expected a number from 0 to 0.99"},
        {"resnet-20:zero-gain=maybe", "'zero-gain' is 'maybe', expected yes or no"},
        {"resnet:units=3,,3", "'units' is ''"},
        {"resnet:units=1,1,1,1,1,1,1,1,1", "'units' has more than 8 numbers"},
        {"resnet:units=1000,1000", "4002 layers, at most 2500"},
        {"resnet:units=2501", "'units' is '2501'"},
        {"vgg:convs=2498", "2501 layers, at most 2500"},
        {"resnet:width=4096;widen=100", "1638400 channels in a stage, at most 65536"},
        {"resnet-20:units=3,3,3", "'units' is settled by the name 'resnet-20'"},
        {"resnet-50:block=basic", "'block' is settled by the name 'resnet-50'"},
        {"preact-20:unit=original", "'unit' is settled by the name 'preact-20'"},
        {"plain-20:residual=yes", "'residual' is settled by the name 'plain-20'"},
        {"wrn-28-10:widen=2", "'widen' is settled by the name 'wrn-28-10'"},
        {"wrn-28-10:widths=16,32,64", "'widths' is settled by the name 'wrn-28-10'"},
        {"resnet-20:down=pool;shortcut=B", "with down=pool no shortcut crosses sizes"},
        {"vgg-16:bn=yes", "'bn' is settled by the name 'vgg-16'; see 'vgg:bn=...'"},
        {"plain-20:shortcut=A", "'shortcut' has no meaning here: a plain network has no shortcuts"},
        {"plain-20:survival=0.5", "a plain network has no shortcuts"},
        {"plain-20:unit=preact", "the orders are about an addition"},
        {"resnet-20:shortcut-scale=0.5", "it goes with path=scale"},
        {"resnet-20:path=dropout;residual-scale=0.5", "it goes with path=scale"},
        {"resnet-20:path=scale;gate-bias=0", "it goes with path=exclusive-gate"},
        {"resnet-20:shortcut-dropout=0.5", "it goes with path=dropout"},
        {"resnet-20:stride=3x3", "it goes with block=bottleneck"},
        {"resnet-20:unit=preact;zero-gain=yes", "must end in batch normalisation"},
        {"resnet-20:unit=relu-before-add;zero-gain=yes", "must end in batch normalisation"},
        {"resnet-20:block=single;dropout=0.3", "block=single has one"},
        {"resnet-20:widths=16,32", "'widths' has no meaning here: 'widths' has one number a stage"},
        {"resnet-20:widths=16,32,64;widen=2", "'widths' says how wide each stage is"},
        {"resnet-20:widths=", "'widths' is ''"},
        {"resnet:units=1,1;block=bottleneck;widths=40000,8",
         "160000 channels in a stage, at most 65536"},
        {"resnet-20:unit=preact;down=pool", "down=pool goes with unit=original"},
        {"resnet-20:down-init=identity", "'down-init' has no meaning here: it goes with down=pool"},
        {"resnet-20:down=max", "'down' is 'max', expected stride or pool"},
        {"resnet-20:head=mean", "'head' is 'mean', expected average or max"},
        {"resnet-20:head-init=0", "'head-init' is '0', expected a number from 0.001 to 10"},
        {"fast-resnet-8:units=2,2,2", "'units' is settled by the name 'fast-resnet-8'"},
        {"resnet:units=1,1,1,1,1,1;down=pool", "window does not fit an input of 1 x 1"},
        {"resnet-20:path=conv;shortcut=B", "path=conv is shortcut=C and contradicts shortcut=B"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuses(cases[i][0], NULL, cases[i][1]);
}

static void long_specs_are_refused(void **state)
{
    (void)state;
    char *text = malloc(1000001);

    memset(text, 'a', 1000000);
    text[1000000] = '\0';
    refuses(text, NULL, "is 1000000 characters long, at most 512");
    text[512] = '\0';
    refuses(text, NULL, "unknown model");
    memcpy(text, "resnet:", 7);
    refuses(text, NULL, "found where key=value is expected");
    free(text);
}

static int count_kind(const rn_graph *graph, rn_node_kind kind)
{
    int count = 0;

    for (int i = 0; i < rn_graph_nodes(graph); i++)
        count += rn_graph_node(graph, i)->kind == kind;
    return count;
}

static void check_names(const rn_graph *graph)
{
    for (int i = 0; i < rn_graph_params(graph); i++)
        assert_int_equal(rn_graph_find_param(graph, rn_graph_param(graph, i)->name), i);
    for (int i = 0; i < rn_graph_nodes(graph); i++) {
        const rn_node *node = rn_graph_node(graph, i);
        assert_true(node->inputs[0] < i && node->inputs[1] < i);
        assert_int_equal(node->stage > 0, strncmp(node->name, "layer", 5) == 0);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(node->name, rn_graph_node(graph, j)->name);
    }
}

enum { UNITS = 4 }; // of the networks below

static void check_combination(const char *model, int layers, const char *path)
{
    const rn_model_options options = {.classes = 3, .channels = 2, .height = 9, .width = 11};
    rn_graph *graph = build(model, &options);
    bool gated = strstr(path, "gate") != NULL, exclusive = strstr(path, "exclusive") != NULL;

    assert_int_equal(rn_graph_depth(graph), 2 + UNITS * layers);
    assert_int_equal(count_kind(graph, RN_NODE_ADD), UNITS);
    assert_int_equal(count_kind(graph, RN_NODE_GATE), gated ? exclusive ? 2 * UNITS : UNITS : 0);
    assert_int_equal(count_kind(graph, RN_NODE_SCALE), strcmp(path, "scale") == 0 ? 2 * UNITS : 0);
    assert_int_equal(count_kind(graph, RN_NODE_DROPOUT), strcmp(path, "dropout") == 0 ? UNITS : 0);
    const rn_node *pool = rn_graph_node(graph, rn_graph_nodes(graph) - 3);
    assert_int_equal(pool->kind, RN_NODE_AVERAGE_POOL);
    assert_int_equal(rn_graph_node(graph, pool->inputs[0])->height, 5);
    assert_int_equal(rn_graph_node(graph, pool->inputs[0])->width, 6);
    check_names(graph);
    check_canonical(graph);
    rn_graph_free(graph);
}

static void every_combination_builds(void **state)
{
    (void)state;
    static const char *const blocks[] = {"basic", "bottleneck", "single"};
    static const int layers[] = {2, 3, 1};
    static const char *const paths[] = {"identity",      "scale", "exclusive-gate",
                                        "shortcut-gate", "conv",  "dropout"};
    char model[256];

    for (int i = 0; i < 3 * 5 * 3 * 6; i++) {
        const char *path = paths[i / 45];
        int block = i % 3, unit = i / 3 % 5, shortcut = i / 15 % 3;
        snprintf(model, sizeof model,
                 "resnet:units=2,2;width=4;block=%s;unit=%c;shortcut=%c;path=%s", blocks[block],
                 'a' + unit, 'A' + shortcut, path);
        if (strcmp(path, "conv") == 0 && shortcut != 2)
            refuses(model, NULL, "path=conv is shortcut=C");
        else
            check_combination(model, layers[block], path);
    }
}

static uint32_t pick(rn_stream *stream, uint32_t below)
{
    return rn_stream_below(stream, below);
}

static void append(char *text, size_t size, const char *part)
{
    size_t length = strlen(text);

    snprintf(text + length, size - length, "%s", part);
}

// Words of the grammar in a random order, mostly well formed, with a byte changed now and then.
static void random_spec(char *text, size_t size, rn_stream *stream)
{
    static const char *const names[] = {"resnet",        "vgg",        "resnet-20", "plain-32",
                                        "preact-29",     "wrn-16-2",   "resnet-50", "vgg-13",
                                        "fast-resnet-8", "resnet-110", "preact-18", "resnet-1202",
                                        "wrn-",          "",           "resnet-8"};
    static const char *const values[] = {"1",
                                         "0",
                                         "0.5",
                                         "-3",
                                         "A",
                                         "B",
                                         "C",
                                         "a",
                                         "b",
                                         "c",
                                         "d",
                                         "e",
                                         "yes",
                                         "no",
                                         "basic",
                                         "bottleneck",
                                         "single",
                                         "scale",
                                         "exclusive-gate",
                                         "shortcut-gate",
                                         "conv",
                                         "dropout",
                                         "first",
                                         "3x3",
                                         "imagenet",
                                         "cifar",
                                         "2,2",
                                         "8,16,8",
                                         "pool",
                                         "identity",
                                         "max",
                                         "1,1,1,1",
                                         "1,1,1,1,1,1,1,1",
                                         "preact",
                                         "relu-only",
                                         "1e9",
                                         "99",
                                         ""};
    uint32_t keys = pick(stream, 5);

    snprintf(text, size, "%s", names[pick(stream, sizeof names / sizeof *names)]);
    for (uint32_t i = 0; i < keys; i++) {
        append(text, size, i == 0 ? ":" : ";");
        append(text, size, rn_key_name((rn_key)pick(stream, RN_KEYS)));
        append(text, size, "=");
        append(text, size, values[pick(stream, sizeof values / sizeof *values)]);
    }
    if (*text != '\0' && pick(stream, 8) == 0)
        text[pick(stream, (uint32_t)strlen(text))] = (char)(1 + pick(stream, 255));
}

static void random_specs_are_built_or_refused(void **state)
{
    (void)state;
    const rn_model_options small = {.classes = 2, .channels = 1, .height = 40, .width = 33};
    char text[256];
    int built = 0;
    rn_stream stream;

    rn_stream_init(&stream, 7, RN_PURPOSE_INIT, 0, 0);
    for (int i = 0; i < 20000; i++) {
        rn_graph *graph = NULL;
        random_spec(text, sizeof text, &stream);
        rn_status st = rn_graph_create(&graph, text, i % 2 == 0 ? NULL : &small);
        if (st == RN_OK) {
            check_canonical(graph);
            built++;
        } else {
            assert_int_equal(st, RN_EINVAL);
            assert_null(graph);
            assert_true(strlen(rn_error_message()) > 10);
            assert_null(strchr(rn_error_message(), '\n'));
        }
        rn_graph_free(graph);
    }
    assert_in_range(built, 2000, 18000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_specs_are_short_and_rebuild_the_graph),
        cmocka_unit_test(other_words_for_the_same_network_agree),
        cmocka_unit_test(bad_specs_are_refused_with_a_reason),
        cmocka_unit_test(long_specs_are_refused),
        cmocka_unit_test(every_combination_builds),
        cmocka_unit_test(random_specs_are_built_or_refused),
    };

    return cmocka_run_group_tests_name("spec", tests, NULL, NULL);
}
