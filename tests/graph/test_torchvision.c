// Names and shapes of torchvision's networks (torchvision_names.txt, written by the script beside
// it).
#include "graph/graphs.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct progress {
    rn_graph *graph;
    int expected, found;
} progress;

static void finish(progress *p)
{
    if (p->graph == NULL)
        return;
    if (p->found != p->expected || rn_graph_params(p->graph) != p->expected)
        fail_msg("%s: %d of %d entries, %d parameters", rn_graph_model(p->graph), p->found,
                 p->expected, rn_graph_params(p->graph));
    rn_graph_free(p->graph);
    p->graph = NULL;
}

static void begin(progress *p, const char *line)
{
    char model[64];
    long long parameters;

    finish(p);
    *p = (progress){0};
    assert_int_equal(sscanf(line, "model %lld %d %63s", &parameters, &p->expected, model), 3);
    p->graph = build(model, NULL);
    assert_int_equal(trained_parameters(p->graph), parameters);
}

static void check_entry(progress *p, const char *name, const char *shape)
{
    int index = rn_graph_find_param(p->graph, name);
    char found[64];
    size_t length = 0;

    if (index == RN_NO_PARAM)
        fail_msg("%s has no '%s'", rn_graph_model(p->graph), name);
    const rn_param *param = rn_graph_param(p->graph, index);
    for (int d = 0; d < param->dims; d++)
        length += (size_t)snprintf(found + length, sizeof found - length, "%s%d", d > 0 ? " " : "",
                                   param->shape[d]);
    if (strcmp(found, shape) != 0)
        fail_msg("%s: '%s' is %s, expected %s", rn_graph_model(p->graph), name, found, shape);
    p->found++;
}

// "conv1.weight 64 3 7 7" or "layer1.{0..2}.conv1.weight 64 64 1 1"
static void check_line(progress *p, char *line)
{
    char name[160], part[96];
    int stage, first, last;
    char *shape = strchr(line, ' ');

    assert_non_null(shape);
    *shape++ = '\0';
    if (sscanf(line, "layer%d.{%d..%d}.%95s", &stage, &first, &last, part) != 4) {
        check_entry(p, line, shape);
        return;
    }
    for (int unit = first; unit <= last; unit++) {
        snprintf(name, sizeof name, "layer%d.%d.%s", stage, unit, part);
        check_entry(p, name, shape);
    }
}

static void state_dicts_are_torchvisions(void **state)
{
    (void)state;
    FILE *file = fopen(TEST_SOURCE_DIR "/tests/graph/torchvision_names.txt", "r");
    progress p = {0};
    char line[256];
    int models = 0;

    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "model ", 6) == 0) {
            begin(&p, line);
            models++;
        } else {
            check_line(&p, line);
        }
    }
    finish(&p);
    fclose(file);
    assert_int_equal(models, 13);
}

// torchvision's order is ours, so that files come out in it too.
static void parameters_have_torchvisions_order(void **state)
{
    (void)state;
    static const char *const first[] = {
        "conv1.weight",
        "bn1.weight",
        "bn1.bias",
        "bn1.running_mean",
        "bn1.running_var",
        "layer1.0.conv1.weight",
        "layer1.0.bn1.weight",
        "layer1.0.bn1.bias",
        "layer1.0.bn1.running_mean",
        "layer1.0.bn1.running_var",
        "layer1.0.conv2.weight",
    };
    rn_graph *graph = build("resnet-50", NULL);

    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        assert_string_equal(rn_graph_param(graph, (int)i)->name, first[i]);
    assert_true(rn_graph_find_param(graph, "layer1.0.bn3.running_var") + 1 ==
                rn_graph_find_param(graph, "layer1.0.downsample.0.weight"));
    rn_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_dicts_are_torchvisions),
        cmocka_unit_test(parameters_have_torchvisions_order),
    };

    return cmocka_run_group_tests_name("torchvision", tests, NULL, NULL);
}
