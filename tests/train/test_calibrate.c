// Ranges for multiplication in bytes: that they are found where they are read, cut sensibly, kept
// in files, and that a network computes nearly the same with them.
#include "train/made_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void calibrate(rn_checkpoint *model, const rn_calibrate_options *options)
{
    if (rn_calibrate(model, samples, options) != RN_OK)
        fail_msg("%s: %s", rn_graph_model(model->graph), rn_error_message());
    assert_non_null(model->ranges);
}

static void drop(rn_checkpoint *model)
{
    rn_checkpoint_forget_ranges(model);
    drop_model(model);
}

// Logits of all images.
static void logits_of(const rn_checkpoint *model, float *logits)
{
    rn_predictor *predictor = show_images(model, NULL);
    const float *probabilities;

    assert_int_equal(rn_predictor_run(predictor, &probabilities), RN_OK);
    for (int i = 0; i < IMAGES * 10; i++)
        logits[i] = logf(probabilities[i]);
    rn_predictor_free(predictor);
}

// How far results with bytes are from those with floats, relative to how these are spread.
static double distance(rn_checkpoint *model)
{
    float with[IMAGES * 10], without[IMAGES * 10];
    double mean = 0, spread = 0, error = 0;
    rn_range *ranges = model->ranges;

    logits_of(model, with);
    model->ranges = NULL;
    logits_of(model, without);
    model->ranges = ranges;
    for (int i = 0; i < IMAGES * 10; i++)
        mean += (double)without[i] / (IMAGES * 10);
    for (int i = 0; i < IMAGES * 10; i++) {
        double off = (double)with[i] - (double)without[i], from = (double)without[i] - mean;
        error += off * off;
        spread += from * from;
    }
    assert_true(error > 0);
    return sqrt(error / spread);
}

static const rn_range *range_at(const rn_checkpoint *model, const char *name)
{
    int node = rn_graph_find_node(model->graph, name);

    assert_true(node > 0);
    return &model->ranges[node];
}

static const char *const networks[] = {"resnet-8",
                                       "preact-8:shortcut=B",
                                       "resnet-8:unit=relu-before-add;shortcut=C",
                                       "resnet-11:block=bottleneck;shortcut=B",
                                       "preact-8:dropout=0.3",
                                       "preact-8:path=exclusive-gate",
                                       "fast-resnet-8"};

// Every convolution but the first reads a tensor whose range is known, or that of one handed on.
static void networks_compute_nearly_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        rn_checkpoint model;
        int convs = 0, known = 0;
        make_model(&model, networks[i]);
        calibrate(&model, NULL);
        for (int n = 0; n < rn_graph_nodes(model.graph); n++) {
            const rn_node *node = rn_graph_node(model.graph, n);
            if (node->kind != RN_NODE_CONV || node->inputs[0] == 0)
                continue;
            int source = node->inputs[0];
            while (rn_graph_node(model.graph, source)->kind == RN_NODE_DROPOUT)
                source = rn_graph_node(model.graph, source)->inputs[0];
            convs++;
            known += model.ranges[source].low <= model.ranges[source].high;
        }
        assert_true(convs > 0);
        assert_int_equal(known, convs);
        double off = distance(&model);
        printf("  %-40s %.4f\n", networks[i], off);
        if (!(off < 0.05))
            fail_msg("%s: results are %.3f of their spread away", networks[i], off);
        drop(&model);
    }
}

static void ranges_are_where_values_are(void **state)
{
    rn_checkpoint model;

    (void)state;
    make_model(&model, "preact-8:shortcut=B");
    calibrate(&model, NULL);
    const rn_range *relu = range_at(&model, "layer1.0.relu2");
    assert_true(relu->low == 0 && relu->high > 0);
    assert_true(model.ranges[0].low > model.ranges[0].high); // the pictures
    drop(&model);
    make_model(&model, "preact-8:path=exclusive-gate"); // gates read sums of either sign
    calibrate(&model, &(rn_calibrate_options){.images = 4, .batch = 3, .engine = "ref"});
    int both = 0;
    for (int i = 0; i < rn_graph_nodes(model.graph); i++) {
        const rn_range *range = &model.ranges[i];
        if (range->low <= range->high && range->low < 0) {
            both++;
            assert_true(range->low == -range->high);
        }
    }
    assert_true(both > 0);
    drop(&model);
}

// The sum of squared errors of a layer's values with bytes of a range from 0 to `high`.
static double error_with(const float *values, size_t count, float high)
{
    double step = (double)high / 255, sum = 0;

    for (size_t i = 0; i < count; i++) {
        double x = (double)values[i], byte = fmin(rint(x / step), 255);
        sum += (x - step * byte) * (x - step * byte);
    }
    return sum;
}

// Neither all that there is, nor much less, would lose less.
static void ranges_are_cut_where_errors_are_least(void **state)
{
    enum { VALUES = IMAGES * 16 * 32 * 32 };
    rn_checkpoint model;
    rn_predictor *predictor;
    float largest = 0;

    (void)state;
    make_model(&model, "resnet-8");
    const float *values = layer_outputs(&predictor, &model, "layer1.0.relu1");
    calibrate(&model, NULL);
    float high = range_at(&model, "layer1.0.relu1")->high;
    for (int i = 0; i < VALUES; i++)
        largest = fmaxf(largest, values[i]);
    double error = error_with(values, VALUES, high);
    printf("  cut at %g of %g\n", (double)high, (double)largest);
    assert_true(high > 0 && high < largest);
    assert_true(error < error_with(values, VALUES, largest));
    assert_true(error < error_with(values, VALUES, 0.9f * high));
    rn_predictor_free(predictor);
    drop(&model);
}

// Statistics measured anew make them worthless.
static void recalibration_forgets_ranges(void **state)
{
    rn_checkpoint model;
    rn_recalibration result;

    (void)state;
    make_model(&model, "resnet-8");
    model.label_names = samples->label_names;
    calibrate(&model, NULL);
    assert_int_equal(rn_recalibrate(&result, &model, samples, NULL), RN_OK);
    assert_null(model.ranges);
    rn_recalibration_release(&result);
    drop(&model);
}

static void refused(rn_checkpoint *model, const rn_calibrate_options *options, rn_status status,
                    const char *text)
{
    assert_int_equal(rn_calibrate(model, samples, options), status);
    if (strstr(rn_error_message(), text) == NULL)
        fail_msg("'%s' does not say '%s'", rn_error_message(), text);
    assert_null(model->ranges);
}

static void what_cannot_be_measured(void **state)
{
    const volatile sig_atomic_t stop = 1;
    rn_checkpoint model;

    (void)state;
    make_model(&model, "resnet-8");
    refused(&model, &(rn_calibrate_options){.images = 8}, RN_EINVAL, "8 images are wanted");
    refused(&model, &(rn_calibrate_options){.batch = -1}, RN_EINVAL, "batch is -1");
    refused(&model, &(rn_calibrate_options){.ema = true}, RN_EINVAL, "EMA");
    refused(&model, &(rn_calibrate_options){.stop = &stop}, RN_EINTERRUPTED, "after 0 images");
    int weight = rn_graph_find_param(model.graph, "layer1.0.conv1.weight");
    rn_weights_data(model.weights, weight)[5] = NAN;
    refused(&model, NULL, RN_EDIVERGED, "relu1");
    drop(&model);
}

static void training_plans_have_none(void **state)
{
    rn_range ranges[256] = {{0, 1}};
    rn_engine *engine;
    rn_graph *graph;
    rn_plan *plan;

    (void)state;
    assert_int_equal(rn_engine_create(&engine, NULL), RN_OK);
    assert_int_equal(rn_graph_create(&graph, "resnet-8", NULL), RN_OK);
    assert_int_equal(
        rn_plan_create(&plan, graph, engine,
                       &(rn_plan_options){.batch = 1, .training = true, .ranges = ranges}),
        RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "int8"));
    rn_graph_free(graph);
    rn_engine_free(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_compute_nearly_the_same),
        cmocka_unit_test(ranges_are_where_values_are),
        cmocka_unit_test(ranges_are_cut_where_errors_are_least),
        cmocka_unit_test(recalibration_forgets_ranges),
        cmocka_unit_test(what_cannot_be_measured),
        cmocka_unit_test(training_plans_have_none),
    };

    return cmocka_run_group_tests_name("calibrate", tests, open_samples, close_samples);
}
