// Where the frozen part of a network ends.
#include "resnet/graph.h"

#include <stdarg.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

// The first node that is not frozen.
static void expect_first(const char *model, const char *until, const char *name)
{
    rn_graph *graph = NULL;
    rn_freeze freeze = RN_FREEZE_NONE;
    int nodes = -1;

    assert_int_equal(rn_freeze_parse(&freeze, until), RN_OK);
    assert_string_equal(rn_freeze_name(freeze), until);
    assert_int_equal(rn_graph_create(&graph, model, NULL), RN_OK);
    assert_int_equal(rn_graph_frozen_nodes(graph, freeze, &nodes), RN_OK);
    assert_string_equal(rn_graph_node(graph, nodes)->name, name);
    rn_graph_free(graph);
}

static void expect_refused(const char *model, rn_freeze freeze, const char *expected)
{
    rn_graph *graph = NULL;
    int nodes = -1;

    assert_int_equal(rn_graph_create(&graph, model, NULL), RN_OK);
    assert_int_equal(rn_graph_frozen_nodes(graph, freeze, &nodes), RN_EINVAL);
    if (strstr(rn_error_message(), expected) == NULL)
        fail_msg("'%s' is not in '%s'", expected, rn_error_message());
    rn_graph_free(graph);
}

static void stages_end_where_the_next_begins(void **state)
{
    (void)state;
    expect_first("resnet-20", "none", "input");
    expect_first("resnet-20", "stem", "layer1.0.conv1");
    expect_first("resnet-20", "stage1", "layer2.0.conv1");
    expect_first("resnet-20", "stage3", "avgpool");
    expect_first("resnet-20", "all", "fc");
    expect_first("resnet-50", "stem", "layer1.0.conv1"); // its pool is the stem's
    expect_first("resnet-50", "stage4", "avgpool");
    expect_first("preact-20", "stage3", "bn_last");
    expect_first("preact-20", "all", "fc");
    expect_first("fast-resnet-8", "stage1", "layer2.0.down.0");
    expect_first("resnet:units=1,1,1,1,1,1,1,1", "stage7", "layer8.0.conv1");
}

static void stages_of_vgg_end_at_pools(void **state)
{
    (void)state;
    expect_first("vgg-11-bn", "stage1", "features.4");
    expect_first("vgg-11", "stage5", "flatten");
    expect_first("vgg-11", "all", "classifier.5"); // the dropout before the last layer
    expect_first("vgg-11:dropout=0", "all", "classifier.6");
}

static void what_is_not_there_is_refused(void **state)
{
    rn_freeze freeze = RN_FREEZE_STEM;

    (void)state;
    expect_refused("vgg-11", RN_FREEZE_STEM, "no part 'stem' to freeze, expected stage1 to stage5");
    expect_refused("resnet-20", RN_FREEZE_STEM + 4, "'stage4' to freeze, expected stem, stage1");
    expect_refused("resnet-20", (rn_freeze)99, "stage1 to stage3 or all");
    assert_int_equal(rn_freeze_parse(&freeze, "stage9"), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "'stage9' is no part to freeze"));
    assert_int_equal(freeze, RN_FREEZE_STEM);
    assert_null(rn_freeze_name((rn_freeze)-1));
    assert_null(rn_freeze_name((rn_freeze)(RN_FREEZE_ALL + 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages_end_where_the_next_begins),
        cmocka_unit_test(stages_of_vgg_end_at_pools),
        cmocka_unit_test(what_is_not_there_is_refused),
    };

    return cmocka_run_group_tests_name("freeze", tests, NULL, NULL);
}
