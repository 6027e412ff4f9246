// Layer responses against the plain moments of each layer's output, computed for itself.
#include "train/made_model.h"

#include "image/fail_allocation.h"

#include <math.h>
#include <string.h>

enum { BATCH = 3 }; // the last batch is short

static void check_layer(const rn_checkpoint *model, const rn_response *response)
{
    rn_predictor *predictor;
    const float *values = layer_outputs(&predictor, model, response->measured->name);
    const rn_node *node = response->measured;
    size_t count =
        (size_t)IMAGES * (size_t)node->channels * (size_t)node->height * (size_t)node->width;
    double mean = 0, variance = 0;

    for (size_t i = 0; i < count; i++)
        mean += (double)values[i] / (double)count;
    for (size_t i = 0; i < count; i++)
        variance += ((double)values[i] - mean) * ((double)values[i] - mean) / (double)count;
    if (fabs(response->deviation - sqrt(variance)) > 1e-5 * sqrt(variance) ||
        fabs(response->mean - mean) > 1e-5 * sqrt(variance))
        fail_msg("%s: mean %g, deviation %g instead of %g, %g", node->name, response->mean,
                 response->deviation, mean, sqrt(variance));
    rn_predictor_free(predictor);
}

// `behind`: what the layers are measured behind, in their order, as far as a test cares.
static void check_network(const char *spec, const char *engine, const char *const *behind)
{
    rn_checkpoint model;
    rn_responses responses;
    const rn_responses_options options = {.engine = engine, .batch = BATCH};
    int convs = 0;

    make_model(&model, spec);
    if (rn_responses_measure(&responses, &model, samples, &options) != RN_OK)
        fail_msg("%s: %s", spec, rn_error_message());
    assert_int_equal(responses.images, IMAGES);
    for (int i = 0; i < rn_graph_nodes(model.graph); i++)
        convs += rn_graph_node(model.graph, i)->kind == RN_NODE_CONV;
    assert_int_equal(responses.count, convs);
    for (int i = 0; i < responses.count; i++)
        check_layer(&model, &responses.layers[i]);
    for (int i = 0; behind[i] != NULL; i++)
        assert_string_equal(responses.layers[i].measured->name, behind[i]);
    rn_responses_release(&responses);
    drop_model(&model);
}

static void residual_units_are_measured_behind_batch_norm(void **state)
{
    (void)state;
    static const char *const behind[] = {"bn1", "layer1.0.bn1", "layer1.0.bn2", NULL};

    check_network("resnet-8:shortcut=B", NULL, behind);
    check_network("plain-8", NULL, behind);
    check_network("resnet:units=1;width=4", "ref", behind);
}

static void pre_activation_branches_are_measured_themselves(void **state)
{
    (void)state;
    static const char *const bottleneck[] = {"bn1", "layer1.0.bn2", "layer1.0.bn3",
                                             "layer1.0.conv3", NULL};

    check_network("preact-11", NULL, bottleneck);
    check_network("resnet:units=1,1;width=6;unit=bn-after-add;survival=0.5", NULL,
                  (const char *const[]){NULL});
}

static void assert_alike(const rn_responses *a, const rn_responses *b)
{
    assert_int_equal(a->count, b->count);
    for (int i = 0; i < a->count; i++) {
        assert_true(fabs(a->layers[i].mean - b->layers[i].mean) < 1e-6);
        assert_true(fabs(a->layers[i].deviation - b->layers[i].deviation) < 1e-6);
    }
}

// Three of seven images are numbers 0, 2 and 4, in whatever batches.
static void images_are_spread_evenly(void **state)
{
    (void)state;
    enum { BYTES = 3 * 32 * 32 };
    static uint8_t images[3 * BYTES];
    rn_checkpoint model;
    rn_responses whole, part, alone;
    rn_samples picked = *samples;

    make_model(&model, "resnet-8");
    for (size_t i = 0; i < 3; i++)
        memcpy(images + i * BYTES, samples->images + 2 * i * BYTES, BYTES);
    picked.images = images;
    picked.count = 3;
    assert_int_equal(rn_responses_measure(&whole, &model, samples, NULL), RN_OK);
    assert_int_equal(rn_responses_measure(&part, &model, samples,
                                          &(rn_responses_options){.images = 3, .batch = 2}),
                     RN_OK);
    assert_int_equal(rn_responses_measure(&alone, &model, &picked, NULL), RN_OK);
    assert_int_equal(part.images, 3);
    assert_alike(&part, &alone);
    assert_true(fabs(part.layers[3].deviation - whole.layers[3].deviation) > 1e-4);
    rn_responses_release(&whole);
    rn_responses_release(&part);
    rn_responses_release(&alone);
    drop_model(&model);
}

static void refuse(const rn_checkpoint *model, const rn_samples *set, rn_responses_options options,
                   rn_status expected, const char *says)
{
    rn_responses responses;

    assert_int_equal(rn_responses_measure(&responses, model, set, &options), expected);
    assert_null(responses.layers);
    if (strstr(rn_error_message(), says) == NULL)
        fail_msg("'%s' does not say '%s'", rn_error_message(), says);
}

static void what_does_not_fit_is_said(void **state)
{
    (void)state;
    rn_checkpoint model;
    rn_samples other = *samples;
    const volatile sig_atomic_t stop = 1;

    make_model(&model, "resnet-8");
    refuse(&model, samples, (rn_responses_options){.batch = -1}, RN_EINVAL, "batch is -1");
    refuse(&model, samples, (rn_responses_options){.ema = true}, RN_EINVAL, "no averaged");
    refuse(&model, samples, (rn_responses_options){.images = 8}, RN_EINVAL,
           "8 images are wanted, shapes test (seed 1) has 7");
    refuse(&model, samples, (rn_responses_options){.engine = "none"}, RN_EINVAL, "none");
    refuse(&model, samples, (rn_responses_options){.stop = &stop}, RN_EINTERRUPTED,
           "after 0 images");
    other.height = 16;
    refuse(&model, &other, (rn_responses_options){0}, RN_EINVAL, "images of 3 x 16 x 32");
    other.count = 0;
    refuse(&model, &other, (rn_responses_options){0}, RN_EINVAL, "no images");
    rn_weights_data(model.weights, 0)[0] = NAN;
    rn_responses responses;
    assert_int_equal(rn_responses_measure(&responses, &model, samples, NULL), RN_OK);
    assert_true(!isfinite(responses.layers[0].deviation));
    rn_responses_release(&responses);
    drop_model(&model);
}

static void want_of_memory_leaves_nothing(void **state)
{
    (void)state;
    rn_checkpoint model;
    rn_responses responses;
    rn_samples one = *samples;
    fail_allocation plan = {.hit = true};

    make_model(&model, "resnet:units=1;width=4");
    one.count = 1;
    // Most of them are in planning, which has its own test: step over these faster.
    for (int which = 0; plan.hit; which += which < 40 ? 1 : 9) {
        fail_allocation_start(&plan, which);
        rn_status st = rn_responses_measure(&responses, &model, &one,
                                            &(rn_responses_options){.engine = "ref"});
        fail_allocation_stop();
        assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
        assert_true((responses.layers == NULL) == plan.hit);
    }
    rn_responses_release(&responses);
    drop_model(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(residual_units_are_measured_behind_batch_norm),
        cmocka_unit_test(pre_activation_branches_are_measured_themselves),
        cmocka_unit_test(images_are_spread_evenly),
        cmocka_unit_test(what_does_not_fit_is_said),
        cmocka_unit_test(want_of_memory_leaves_nothing),
    };

    return cmocka_run_group_tests_name("responses", tests, open_samples, close_samples);
}
