// The named networks against the numbers that the papers and others give.
#include "graph/graphs.h"
#include "graph/spec.h"

#include <stdio.h>
#include <stdlib.h>

// Exact counts: resnet-20 and the ImageNet and VGG networks as published; CIFAR's as 6n + 2 layers
// of 16, 32 and 64 channels give (cifar_count()); wide networks as counted by the authors' code.
static const struct {
    const char *model;
    int depth;
    int64_t parameters;    // 0: not known exactly
    double rounded, unit;  // as a paper prints it, and its last digit
    double multiply_adds;  // as a paper prints it; 0: it does not
    double multiply_digit; // its last digit
} named[] = {
    {"resnet-20", 20, 269722, 0.27e6, 0.01e6, 0, 0},
    {"resnet-32", 32, 464154, 0.46e6, 0.01e6, 0, 0},
    {"resnet-44", 44, 658586, 0.66e6, 0.01e6, 0, 0},
    {"resnet-56", 56, 853018, 0.85e6, 0.01e6, 0, 0},
    {"resnet-110", 110, 1727962, 1.7e6, 0.1e6, 0, 0},
    {"resnet-1202", 1202, 19421274, 19.4e6, 0.1e6, 0, 0},
    {"preact-110", 110, 1727962, 1.7e6, 0.1e6, 0, 0},
    {"resnet-164", 164, 0, 1.7e6, 0.1e6, 0, 0},
    {"preact-164", 164, 0, 1.7e6, 0.1e6, 0, 0},
    {"resnet-1001", 1001, 0, 0, 0, 0, 0}, // see below
    {"preact-1001", 1001, 0, 0, 0, 0, 0},
    {"resnet-18", 18, 11689512, 0, 0, 1.8e9, 0.1e9},
    {"resnet-34", 34, 21797672, 0, 0, 3.6e9, 0.1e9},
    {"resnet-50", 50, 25557032, 0, 0, 3.8e9, 0.1e9},
    {"resnet-50:stride=3x3", 50, 25557032, 0, 0, 4.1e9, 0.1e9},
    {"resnet-101", 101, 44549160, 0, 0, 7.6e9, 0.1e9},
    {"resnet-101:stride=3x3", 101, 44549160, 0, 0, 7.8e9, 0.1e9},
    {"resnet-152", 152, 60192808, 0, 0, 11.3e9, 0.1e9},
    {"resnet-152:stride=3x3", 152, 60192808, 0, 0, 11.5e9, 0.1e9},
    {"resnet-200", 200, 0, 64.7e6, 0.1e6, 0, 0},
    {"preact-200", 200, 0, 64.7e6, 0.1e6, 0, 0},
    // BN moves: the last unit's to the end, and the projections' is gone
    {"preact-18", 18, 11689512 - 2 * (128 + 256 + 512), 0, 0, 1.8e9, 0.1e9},
    {"preact-34", 34, 21797672 - 2 * (128 + 256 + 512), 0, 0, 3.6e9, 0.1e9},
    {"preact-50", 50, 25557032 - 2 * (256 + 512 + 1024 + 2048), 0, 0, 3.8e9, 0.1e9},
    {"preact-101", 101, 44549160 - 2 * (256 + 512 + 1024 + 2048), 0, 0, 7.6e9, 0.1e9},
    {"preact-152", 152, 60192808 - 2 * (256 + 512 + 1024 + 2048), 0, 0, 11.3e9, 0.1e9},
    {"plain-20", 20, 269722, 0, 0, 0, 0},
    {"plain-32", 32, 464154, 0, 0, 0, 0},
    {"plain-44", 44, 658586, 0, 0, 0, 0},
    {"plain-56", 56, 853018, 0, 0, 0, 0},
    {"plain-110", 110, 1727962, 0, 0, 0, 0},
    {"plain-18", 18, 11689512 - 64 * 128 - 128 * 256 - 256 * 512 - 2 * (128 + 256 + 512), 0, 0,
     1.8e9, 0.1e9},
    {"plain-34", 34, 21797672 - 64 * 128 - 128 * 256 - 256 * 512 - 2 * (128 + 256 + 512), 0, 0,
     3.6e9, 0.1e9},
    {"wrn-16-4", 14, 2748890, 2.8e6, 0.1e6, 0, 0}, // the longest way passes no projection
    {"wrn-28-10", 26, 36479194, 36.5e6, 0.1e6, 0, 0},
    {"wrn-40-4", 38, 8949210, 8.9e6, 0.1e6, 0, 0},
    {"fast-resnet-8", 8,
     (32 * 3 + 64 * 32 + 64 * 64 + 256 * 64 + 3 * 256 * 256) * 9 + 2 * (32 + 2 * 64 + 4 * 256) +
         256 * 10 + 10,
     0, 0, 0.152e9, 0.001e9},
    {"vgg-11", 11, 132863336, 0, 0, 0, 0},
    {"vgg-13", 13, 133047848, 0, 0, 0, 0},
    {"vgg-16", 16, 138357544, 0, 0, 0, 0},
    {"vgg-19", 19, 143667240, 0, 0, 19.6e9, 0.1e9},
    {"vgg-11-bn", 11, 132868840, 0, 0, 0, 0},
    {"vgg-13-bn", 13, 133053736, 0, 0, 0, 0},
    {"vgg-16-bn", 16, 138365992, 0, 0, 0, 0},
    {"vgg-19-bn", 19, 143678248, 0, 0, 19.6e9, 0.1e9},
};

enum { NAMED = sizeof named / sizeof *named };

// Papers round some numbers and cut others off: the last digit may be one off.
static void check_rounded(const char *model, const char *what, int64_t found, double printed,
                          double digit)
{
    if (printed > 0 && ((double)found < printed - digit || (double)found > printed + digit))
        fail_msg("%s: %lld %s, printed as %g", model, (long long)found, what, printed);
}

static void counts_are_the_published_ones(void **state)
{
    (void)state;
    for (int i = 0; i < NAMED; i++) {
        rn_graph *graph = build(named[i].model, NULL);
        int64_t parameters = trained_parameters(graph);
        if (named[i].parameters != 0 && parameters != named[i].parameters)
            fail_msg("%s: %lld parameters, expected %lld", named[i].model, (long long)parameters,
                     (long long)named[i].parameters);
        check_rounded(named[i].model, "parameters", parameters, named[i].rounded, named[i].unit);
        check_rounded(named[i].model, "multiply-adds", multiply_adds(graph), named[i].multiply_adds,
                      named[i].multiply_digit);
        assert_int_equal(rn_graph_depth(graph), named[i].depth);
        assert_string_equal(rn_graph_model(graph), named[i].model);
        rn_graph_free(graph);
    }
}

static void every_named_model_is_counted(void **state)
{
    (void)state;
    for (int i = 0; rn_model_name(i) != NULL; i++) {
        int found = 0;
        for (int j = 0; j < NAMED; j++)
            found += strcmp(rn_model_name(i), named[j].model) == 0;
        if (found != 1)
            fail_msg("'%s' is not in the list of counts", rn_model_name(i));
        assert_true(strlen(rn_model_summary(i)) > 10);
    }
    assert_null(rn_model_name(-1));
    assert_null(rn_model_summary(-1));
}

// The 2016 paper's table 4 prints 10.2M: without BN's the count rounds to it.
static void resnet_1001_has_the_papers_weights(void **state)
{
    (void)state;
    rn_graph *graph = build("resnet-1001", NULL);
    int64_t weights = 0;

    for (int i = 0; i < rn_graph_params(graph); i++) {
        const rn_param *param = rn_graph_param(graph, i);
        if (param->kind == RN_PARAM_CONV_WEIGHT || param->kind == RN_PARAM_LINEAR_WEIGHT)
            weights += (int64_t)param->count;
    }
    assert_in_range(weights, 10150000, 10250000);
    assert_in_range(trained_parameters(graph), 10300000, 10350000);
    rn_graph_free(graph);
}

// 2015, section 4.2, by hand: 1 + 6n convolutions, each with BN, and the linear layer.
static void cifar_networks_have_the_sums_parameters(void **state)
{
    (void)state;
    for (int n = 1; n <= 200; n = n * 2 + 1) {
        char model[32];
        int64_t count = 3 * 9 * 16 + 2 * 16 + 64 * 10 + 10;
        for (int stage = 0, in = 16; stage < 3; stage++) {
            int out = 16 << stage;
            count += 9 * in * out + (2 * n - 1) * 9 * out * out + 2 * n * 2 * out;
            in = out;
        }
        for (int plain = 0; plain < 2; plain++) {
            snprintf(model, sizeof model, "%s-%d", plain ? "plain" : "resnet", 6 * n + 2);
            rn_graph *graph = build(model, NULL);
            assert_int_equal(trained_parameters(graph), count);
            rn_graph_free(graph);
        }
    }
}

// Option B adds 1x1 projections 16 -> 32 and 32 -> 64 with BN; C one more at every other unit.
static void projections_have_their_parameters(void **state)
{
    (void)state;
    const struct {
        const char *model;
        int64_t parameters;
    } cases[] = {
        {"resnet-20:shortcut=B", 269722 + 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64},
        {"resnet-20:shortcut=C", 269722 + 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64 +
                                     3 * (16 * 16 + 2 * 16) + 2 * (32 * 32 + 2 * 32) +
                                     2 * (64 * 64 + 2 * 64)},
        {"resnet-20:unit=bn-after-add;shortcut=B", 269722 + 16 * 32 + 32 * 64},
        {"preact-20:shortcut=B", 269722 + 16 * 32 + 32 * 64},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rn_graph *graph = build(cases[i].model, NULL);
        assert_int_equal(trained_parameters(graph), cases[i].parameters);
        rn_graph_free(graph);
    }
}

// A row of the table and the family by depth say the same; a row is what its meaning says.
static void names_are_what_they_mean(void **state)
{
    (void)state;
    for (int i = 0; rn_model_name(i) != NULL; i++) {
        rn_graph *graph = build(rn_model_name(i), NULL), *meant = build(rn_model_meaning(i), NULL);
        if (!same_graph(graph, meant))
            fail_msg("'%s' is not '%s'", rn_model_name(i), rn_model_meaning(i));
        assert_true(strlen(rn_graph_model(meant)) <= strlen(rn_graph_model(graph)));
        check_canonical(meant);
        rn_graph_free(graph);
        rn_graph_free(meant);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_the_published_ones),
        cmocka_unit_test(every_named_model_is_counted),
        cmocka_unit_test(resnet_1001_has_the_papers_weights),
        cmocka_unit_test(cifar_networks_have_the_sums_parameters),
        cmocka_unit_test(projections_have_their_parameters),
        cmocka_unit_test(names_are_what_they_mean),
    };

    return cmocka_run_group_tests_name("networks", tests, NULL, NULL);
}
