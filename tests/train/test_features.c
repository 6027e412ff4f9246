// Layers' outputs and class activation maps of a predictor.
#include "resnet/resnet.h"

#include "base/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 3 };

static const rn_model_options size = {.classes = 7, .channels = 3, .height = 20, .width = 28};

static void make_model(rn_checkpoint *model, const char *spec, const rn_model_options *options)
{
    static char *labels[10] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};

    *model = (rn_checkpoint){.label_names = labels};
    assert_int_equal(rn_graph_create(&model->graph, spec, options), RN_OK);
    model->options = *rn_graph_options(model->graph);
    assert_int_equal(rn_weights_create(&model->weights, model->graph), RN_OK);
    rn_weights_initialise(model->weights, 3);
    int bias = rn_graph_find_param(model->graph, "fc.bias");
    for (int i = 0; bias >= 0 && i < model->options.classes; i++)
        rn_weights_data(model->weights, bias)[i] = (float)i / 4;
    assert_int_equal(rn_preprocess_create(&model->preprocess, RN_NORMALIZE_NONE,
                                          model->options.channels, model->options.height,
                                          model->options.width, NULL, NULL),
                     RN_OK);
}

static void drop_model(rn_checkpoint *model)
{
    rn_weights_free(model->weights);
    rn_preprocess_free(model->preprocess);
    rn_graph_free(model->graph);
}

static rn_predictor *make_predictor(const rn_checkpoint *model, const char *layer)
{
    rn_predictor *predictor;
    size_t volume = (size_t)model->options.channels * (size_t)model->options.height *
                    (size_t)model->options.width;

    assert_int_equal(
        rn_predictor_create_with(&predictor, model, &(rn_predictor_options){BATCH, NULL, layer}),
        RN_OK);
    for (int slot = 0; slot < BATCH; slot++)
        for (size_t i = 0; i < volume; i++)
            rn_predictor_input(predictor, slot)[i] =
                (float)((i + 31 * (size_t)slot) * 7919 % 1000) / 1000;
    return predictor;
}

// sum over k of w[c][k] mean f_k + b[c] = mean of the map + b[c]
static void check_maps(const char *spec)
{
    rn_checkpoint model;
    const char *layer;
    const float *probabilities;
    int shape[3];
    float map[256];

    make_model(&model, spec, &size);
    assert_int_equal(rn_cam_layer(&layer, model.graph), RN_OK);
    rn_predictor *predictor = make_predictor(&model, layer);
    assert_int_equal(rn_predictor_run(predictor, &probabilities), RN_OK);
    rn_predictor_shape(predictor, shape);
    int area = shape[1] * shape[2];
    assert_in_range(area, 2, 256);
    for (int slot = 0; slot < BATCH; slot++)
        for (int class = 0; class < size.classes; class ++) {
            double sum = 0, bias = class / 4.0;
            assert_int_equal(rn_predictor_cam(predictor, slot, class, map), RN_OK);
            for (int i = 0; i < area; i++)
                sum += (double)map[i];
            double logit = (double)rn_predictor_logits(predictor)[slot * size.classes + class];
            assert_true(fabs(sum / area + bias - logit) < 1e-4 * (1 + fabs(logit)));
        }
    assert_int_equal(rn_predictor_cam(predictor, BATCH, 0, map), RN_EINVAL);
    assert_int_equal(rn_predictor_cam(predictor, 0, size.classes, map), RN_EINVAL);
    rn_predictor_free(predictor);
    drop_model(&model);
}

static void mean_of_a_map_is_the_logit(void **state)
{
    (void)state;
    check_maps("resnet-8");
    check_maps("preact-11");
    check_maps("resnet-8:shortcut=C");
}

static void networks_without_maps_are_refused(void **state)
{
    (void)state;
    static const char *const specs[] = {"fast-resnet-8", "vgg-11"}, *const reasons[] = {
                                                                        "maxpool_last",
                                                                        "average pool"};
    rn_graph *graph;
    const char *layer;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(rn_graph_create(&graph, specs[i], NULL), RN_OK);
        assert_int_equal(rn_cam_layer(&layer, graph), RN_EUNSUPPORTED);
        assert_non_null(strstr(rn_error_message(), reasons[i]));
        assert_null(layer);
        assert_non_null(rn_embedding_layer(graph));
        rn_graph_free(graph);
    }
}

// What the linear layer makes of the embedding are the logits.
static void embedding_gives_the_logits(void **state)
{
    (void)state;
    rn_checkpoint model;
    const float *features, *probabilities;
    int shape[3];

    make_model(&model, "resnet-8", &size);
    assert_string_equal(rn_embedding_layer(model.graph), "avgpool");
    rn_predictor *predictor = make_predictor(&model, "avgpool");
    rn_predictor_shape(predictor, shape);
    assert_int_equal(shape[0], 64);
    assert_int_equal(shape[1] * shape[2], 1);
    assert_int_equal(rn_predictor_run(predictor, &probabilities), RN_OK);
    assert_int_equal(rn_predictor_features(predictor, &features), RN_OK);
    const float *w = rn_weights_read(model.weights, rn_graph_find_param(model.graph, "fc.weight"));
    rn_predictor *again = make_predictor(&model, "avgpool");
    assert_int_equal(rn_predictor_run(again, &probabilities), RN_OK);
    for (int slot = 0; slot < BATCH; slot++)
        for (int class = 0; class < size.classes; class ++) {
            double sum = class / 4.0;
            for (int k = 0; k < 64; k++)
                sum += (double)w[class * 64 + k] * (double)features[slot * 64 + k];
            assert_true(
                fabs(sum - (double)rn_predictor_logits(again)[slot * size.classes + class]) <
                1e-4 * (1 + fabs(sum)));
        }
    rn_predictor_free(again);
    rn_predictor_free(predictor);
    drop_model(&model);
}

static void unknown_layers_are_named(void **state)
{
    (void)state;
    rn_checkpoint model;
    rn_predictor *predictor;
    const float *features;
    float map[256];
    static const char *const wrong[] = {"layer2.0.rellu1", "input", "loss", ""};

    make_model(&model, "resnet-8", &size);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(rn_predictor_create_with(&predictor, &model,
                                                  &(rn_predictor_options){1, NULL, wrong[i]}),
                         RN_ENOTFOUND);
        assert_null(predictor);
        if (i == 0)
            assert_non_null(strstr(rn_error_message(), "did you mean 'layer2.0.relu1'"));
    }
    predictor = make_predictor(&model, NULL);
    assert_int_equal(rn_predictor_features(predictor, &features), RN_EINVAL);
    assert_int_equal(rn_predictor_cam(predictor, 0, 0, map), RN_EINVAL);
    rn_predictor_free(predictor);
    drop_model(&model);
}

// The window is what the input is made from: the middle, as wide as high.
static void window_is_the_centre(void **state)
{
    (void)state;
    rn_preprocess *preprocess;

    assert_int_equal(rn_preprocess_create(&preprocess, RN_NORMALIZE_NONE, 3, 32, 32, NULL, NULL),
                     RN_OK);
    rn_image wide = {3, 300, 500, NULL}, high = {3, 640, 64, NULL};
    rn_window w = rn_preprocess_window(preprocess, &wide);
    assert_true(w.top == 0 && fabs(w.height - 300) < 1e-9);
    assert_true(fabs(w.left - 100) < 6 && fabs(w.width - 300) < 6); // sides round down
    w = rn_preprocess_window(preprocess, &high);
    assert_true(w.left == 0 && fabs(w.width - 64) < 1e-9);
    assert_true(fabs(w.top - 288) < 1e-9 && fabs(w.height - 64) < 1e-9);
    rn_preprocess_free(preprocess);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mean_of_a_map_is_the_logit),
        cmocka_unit_test(networks_without_maps_are_refused),
        cmocka_unit_test(embedding_gives_the_logits),
        cmocka_unit_test(unknown_layers_are_named),
        cmocka_unit_test(window_is_the_centre),
    };

    return cmocka_run_group_tests_name("features", tests, NULL, NULL);
}
