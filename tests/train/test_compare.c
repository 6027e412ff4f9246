// Two models beside each other: what is equal, what differs and by how much, and where first.
#include "train/compare.h"

#include "base/memory.h"
#include "graph/build.h"
#include "resnet/resnet.h"
#include "train/inference.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static rn_checkpoint *make(const char *spec, const rn_model_options *options)
{
    rn_checkpoint *model = NULL;

    assert_int_equal(RN_NEW(&model, 1), RN_OK);
    assert_int_equal(rn_graph_create(&model->graph, spec, options), RN_OK);
    model->options = *rn_graph_options(model->graph);
    assert_int_equal(rn_strdup(&model->model, spec), RN_OK);
    assert_int_equal(rn_weights_create(&model->weights, model->graph), RN_OK);
    rn_weights_initialise(model->weights, 3);
    assert_int_equal(rn_preprocess_create(&model->preprocess, RN_NORMALIZE_NONE,
                                          model->options.channels, model->options.height,
                                          model->options.width, NULL, NULL),
                     RN_OK);
    assert_int_equal(RN_NEW(&model->label_names, (size_t)model->options.classes), RN_OK);
    for (int i = 0; i < model->options.classes; i++)
        assert_int_equal(rn_format(&model->label_names[i], "%d", i), RN_OK);
    return model;
}

static rn_checkpoint *small(void)
{
    return make("resnet-8", NULL);
}

static float *data(rn_checkpoint *model, const char *name)
{
    int index = rn_graph_find_param(model->graph, name);

    assert_true(index >= 0);
    return rn_weights_data(model->weights, index);
}

static rn_comparison compare(const rn_checkpoint *a, const rn_checkpoint *b,
                             const rn_compare_options *options)
{
    rn_comparison c;

    if (rn_compare(&c, a, b, options) != RN_OK)
        fail_msg("%s", rn_error_message());
    return c;
}

static const rn_difference *param(const rn_comparison *c, const char *name)
{
    for (int i = 0; i < c->param_count; i++)
        if (c->params[i].measured && strcmp(c->params[i].a->name, name) == 0)
            return &c->params[i].difference;
    fail_msg("no parameter '%s'", name);
    return NULL;
}

static int layer(const rn_comparison *c, const char *name)
{
    for (int i = 0; i < c->layer_count; i++)
        if (strcmp(c->layers[i].node->name, name) == 0)
            return i;
    fail_msg("no layer '%s'", name);
    return -1;
}

static void differences_are_measured(void **state)
{
    const float a[] = {1, -4, 2, INFINITY}, b[] = {1, -4.5f, 1.75f, INFINITY};
    const float nans[] = {NAN, 1}, finite[] = {1, 1}, zeroes[] = {0, 0}, infinite[] = {INFINITY, 1};
    rn_difference d = rn_difference_measure(a, b, 4, 0.1);

    (void)state;
    assert_true(d.largest == 4 && d.absolute == 0.5 && d.relative == 0.125 && d.beyond);
    assert_false(rn_difference_measure(a, b, 4, 0.125).beyond);
    d = rn_difference_measure(nans, nans, 2, 0);
    assert_true(d.absolute == 0 && d.relative == 0 && !d.beyond && d.largest == 1);
    assert_true(isinf(rn_difference_measure(nans, finite, 2, 1).absolute));
    assert_true(rn_difference_measure(finite, nans, 2, 1).beyond);
    assert_true(rn_difference_measure(finite, infinite, 2, 1e30).beyond);
    d = rn_difference_measure(zeroes, finite, 2, 1e30);
    assert_true(d.absolute == 1 && isinf(d.relative) && d.beyond);
    d = rn_difference_measure(zeroes, zeroes, 2, 0);
    assert_true(d.relative == 0 && !d.beyond);
}

static void model_equals_itself(void **state)
{
    rn_checkpoint *model = small();
    rn_compare_options options = {.random = 3, .seed = 9}; // tolerance 0
    rn_comparison c = compare(model, model, &options);

    (void)state;
    assert_true(c.within && c.same_preprocess && c.labels_differing == 0 && c.first_beyond == -1);
    assert_int_equal(c.param_count, rn_graph_params(model->graph));
    assert_int_equal(c.params_beyond, 0);
    assert_string_equal(c.structure[0], "");
    // The input; convolutions and fused batch norms, seven each; two padded shortcuts; pool, fc.
    assert_int_equal(c.layer_count, 1 + 14 + 2 + 2);
    assert_int_equal(c.unmatched, 0);
    assert_string_equal(c.layers[0].node->name, "input");
    assert_string_equal(c.layers[c.layer_count - 1].node->name, "fc");
    for (int i = 0; i < c.layer_count; i++) {
        assert_true(c.layers[i].difference.absolute == 0);
        assert_true(c.layers[i].difference.largest > 0);
    }
    assert_int_equal(c.images, 3);
    assert_memory_equal(c.logits[0], c.logits[1], 30 * sizeof(float));
    assert_memory_not_equal(c.logits[0], c.logits[0] + 10, 10 * sizeof(float));
    layer(&c, "layer1.0.relu2"); // of a fused op the last node is named
    rn_comparison_release(&c);
    assert_null(c.layers);
    rn_checkpoint_free(model);
}

static void engines_agree_but_not_to_the_bit(void **state)
{
    rn_checkpoint *model = make("resnet-14:shortcut=B", NULL);
    rn_compare_options options = {.tolerance = 1e-5, .engine = {"cpu", "ref"}, .random = 2};
    rn_comparison c = compare(model, model, &options);

    (void)state;
    assert_true(c.within);
    int last = layer(&c, "fc");
    assert_true(c.layers[last].difference.absolute > 0);
    assert_true(c.layers[0].difference.absolute == 0);
    rn_comparison_release(&c);
    options.tolerance = 0;
    c = compare(model, model, &options);
    assert_false(c.within);
    assert_int_equal(c.params_beyond, 0);
    assert_true(c.first_beyond > 0);
    rn_comparison_release(&c);
    rn_checkpoint_free(model);
}

// The picture is seen through the preprocess; the logits are those of a prediction.
static void picture_is_seen_as_in_prediction(void **state)
{
    rn_checkpoint *model = small();
    uint8_t pixels[50 * 40 * 3];
    rn_image image = {.channels = 3, .height = 50, .width = 40, .pixels = pixels};
    rn_compare_options options = {.image = &image};
    rn_inference *inference = NULL;
    const float *logits;

    (void)state;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * i / 7);
    rn_comparison c = compare(model, model, &options);
    assert_int_equal(rn_inference_create(&inference, model->graph, NULL, NULL, 1), RN_OK);
    assert_int_equal(rn_inference_load(inference, model->weights), RN_OK);
    float *input = rn_inference_slot(inference, 0);
    assert_int_equal(rn_preprocess_image(model->preprocess, input, &image), RN_OK);
    double largest = 0;
    for (int i = 0; i < 3 * 32 * 32; i++)
        largest = fmax(largest, fabs((double)input[i]));
    assert_true(c.layers[0].difference.largest == largest);
    assert_int_equal(rn_inference_run(inference, &logits), RN_OK);
    assert_int_equal(c.images, 1);
    for (int i = 0; i < 10; i++) // a prediction folds batch norms into the convolutions
        assert_true(fabsf(c.logits[0][i] - logits[i]) <= 1e-5f * (1 + fabsf(logits[i])));
    rn_inference_free(inference);
    rn_comparison_release(&c);
    rn_checkpoint_free(model);
}

static void changed_weight_is_found_where_it_acts(void **state)
{
    rn_checkpoint *a = small(), *b = small();

    (void)state;
    float *weights = data(b, "layer2.0.conv1.weight");
    double largest = 0;
    for (int i = 0; i < 32 * 16 * 9; i++)
        largest = fmax(largest, fabs((double)weights[i]));
    weights[100] += 0.5f;
    rn_comparison c = compare(a, b, NULL);
    assert_false(c.within);
    assert_int_equal(c.params_beyond, 1);
    const rn_difference *d = param(&c, "layer2.0.conv1.weight");
    assert_true(d->largest == largest && d->beyond);
    assert_true(fabs(d->absolute - 0.5) < 1e-6 &&
                fabs(d->relative - d->absolute / largest) < 1e-12);
    assert_true(param(&c, "layer2.0.conv2.weight")->absolute == 0);
    assert_int_equal(c.first_beyond, layer(&c, "layer2.0.conv1"));
    for (int i = 0; i < c.first_beyond; i++)
        assert_true(c.layers[i].difference.absolute == 0);
    rn_comparison_release(&c);

    // The moving average is what is used, unless the last weights are asked for.
    b->ema = b->weights;
    b->weights = NULL;
    assert_int_equal(rn_weights_create(&b->weights, b->graph), RN_OK);
    rn_weights_initialise(b->weights, 3);
    c = compare(a, b, NULL);
    assert_int_equal(c.params_beyond, 1);
    assert_true(c.first_beyond > 0);
    rn_comparison_release(&c);
    c = compare(a, b, &(rn_compare_options){.last = true});
    assert_true(c.within);
    rn_comparison_release(&c);
    rn_checkpoint_free(a);
    rn_checkpoint_free(b);
}

// A tolerance that allows the change: within, and yet not equal.
static void tolerance_decides(void **state)
{
    rn_checkpoint *a = small(), *b = small();

    (void)state;
    data(b, "fc.bias")[3] = 1e-3f;
    data(a, "fc.bias")[0] = data(b, "fc.bias")[0] = 100;
    rn_comparison c = compare(a, b, NULL);
    assert_true(c.within && param(&c, "fc.bias")->absolute > 0);
    assert_true(c.layers[layer(&c, "fc")].difference.absolute > 0);
    rn_comparison_release(&c);
    c = compare(a, b, &(rn_compare_options){.tolerance = 1e-6});
    assert_false(c.within);
    assert_int_equal(c.first_beyond, layer(&c, "fc"));
    rn_comparison_release(&c);
    rn_checkpoint_free(a);
    rn_checkpoint_free(b);
}

static void preprocess_and_labels_are_compared(void **state)
{
    rn_checkpoint *a = small(), *b = small();
    const float mean[] = {0.5f, 0.5f, 0.5f}, deviation[] = {0.25f, 0.25f, 0.25f};

    (void)state;
    rn_preprocess_free(b->preprocess);
    assert_int_equal(
        rn_preprocess_create(&b->preprocess, RN_NORMALIZE_CHANNEL, 3, 32, 32, mean, deviation),
        RN_OK);
    rn_free(b->label_names[4]);
    assert_int_equal(rn_strdup(&b->label_names[4], "deer"), RN_OK);
    rn_comparison c = compare(a, b, NULL);
    assert_false(c.same_preprocess || c.within);
    assert_int_equal(c.labels_differing, 1);
    assert_int_equal(c.first_beyond, 0); // the input itself
    assert_true(c.layers[0].difference.largest == 1);
    rn_comparison_release(&c);

    rn_preprocess_free(a->preprocess);
    assert_int_equal(
        rn_preprocess_create(&a->preprocess, RN_NORMALIZE_CHANNEL, 3, 32, 32, mean, deviation),
        RN_OK);
    c = compare(a, b, NULL);
    assert_true(c.same_preprocess && c.within);
    rn_comparison_release(&c);
    a->preprocess->mean[2] = 0.500001f;
    c = compare(a, b, NULL);
    assert_true(!c.same_preprocess && c.within);
    rn_comparison_release(&c);
    rn_checkpoint_free(a);
    rn_checkpoint_free(b);
}

static void other_structure(const char *a, const char *b, const char *in_a, const char *in_b)
{
    rn_checkpoint *models[2] = {make(a, NULL), make(b, NULL)};
    rn_comparison c = compare(models[0], models[1], NULL);

    assert_string_equal(c.structure[0], in_a);
    assert_string_equal(c.structure[1], in_b);
    assert_false(c.within);
    assert_int_equal(c.layer_count, 0);
    assert_null(c.logits[0]);
    rn_comparison_release(&c);
    rn_checkpoint_free(models[0]);
    rn_checkpoint_free(models[1]);
}

static void structures_are_told_apart(void **state)
{
    (void)state;
    other_structure("resnet-8", "resnet-14", "'layer2.0.conv1' is conv",
                    "'layer1.1.conv1' is conv");
    other_structure("resnet-8", "plain-8", "'layer1.0.add' is add", "'layer1.0.relu2' is relu");
    other_structure("resnet-8", "resnet-8:shortcut=B", "'layer2.0.shortcut' is shortcut pad",
                    "'layer2.0.downsample.0' is conv");
}

static void changed_node(const char *name, void (*change)(rn_node *), const char *expected)
{
    rn_checkpoint *a = small(), *b = small();
    int index = -1;
    char texts[2][RN_MAX_DIFFERENCE];

    for (int i = 0; i < rn_graph_nodes(b->graph); i++)
        if (strcmp(b->graph->nodes[i].name, name) == 0)
            index = i;
    assert_true(index >= 0);
    change(&b->graph->nodes[index]);
    rn_compare_structure(texts, a->graph, b->graph);
    assert_string_equal(texts[1], expected);
    assert_string_not_equal(texts[0], expected);
    rn_checkpoint_free(a);
    rn_checkpoint_free(b);
}

static void other_epsilon(rn_node *node)
{
    node->epsilon = 1e-3f;
}

static void other_stride(rn_node *node)
{
    node->stride = 2;
}

static void other_input(rn_node *node)
{
    node->inputs[0]--;
}

static void other_offset(rn_node *node)
{
    node->channel_offset = 0;
}

static void with_bias(rn_node *node)
{
    node->bias = 0;
}

static void other_channels(rn_node *node)
{
    node->channels = 4;
}

static void every_aspect_of_a_node_counts(void **state)
{
    (void)state;
    changed_node("bn1", other_epsilon, "'bn1' has epsilon 0.00100000005");
    changed_node("conv1", other_stride, "'conv1' has a window of 3 x 3, stride 2, padding 1");
    changed_node("layer1.0.add", other_input, "'layer1.0.add' reads 'layer1.0.conv2' and 'relu'");
    changed_node("layer2.0.shortcut", other_offset,
                 "'layer2.0.shortcut' has 0 channels of zeroes in front");
    changed_node("layer3.0.conv1", with_bias, "'layer3.0.conv1' has a bias");
    changed_node("input", other_channels, "'input' gives 4 x 32 x 32");
}

// input, [dropout,] fc, loss
static rn_graph *linear(float rate, const char *last)
{
    rn_graph *graph = NULL;

    assert_int_equal(RN_NEW(&graph, 1), RN_OK);
    rn_builder builder = {.graph = graph};
    int x = rn_build_input(&builder, 3, 1, 1);
    if (rate > 0)
        x = rn_build_dropout(&builder, x, rate, "drop");
    x = rn_build_linear(&builder, x, 5, "fc");
    if (last != NULL)
        rn_build_cross_entropy(&builder, x, last);
    assert_int_equal(builder.status, RN_OK);
    return graph;
}

static void dropout_is_no_structure(void **state)
{
    rn_graph *with = linear(0.5f, "loss"), *without = linear(0, "loss"), *shorter = linear(0, NULL);
    char texts[2][RN_MAX_DIFFERENCE];

    (void)state;
    rn_compare_structure(texts, with, without);
    assert_string_equal(texts[0], "");
    assert_string_equal(texts[1], "");
    rn_compare_structure(texts, without, with);
    assert_string_equal(texts[0], "");
    rn_compare_structure(texts, with, shorter);
    assert_string_equal(texts[0], "'loss' is cross entropy");
    assert_string_equal(texts[1], "nothing follows");
    rn_graph_free(with);
    rn_graph_free(without);
    rn_graph_free(shorter);
}

static void missing_extra_and_misshapen_parameters_are_named(void **state)
{
    rn_checkpoint *a = make("resnet-8:shortcut=B", NULL);
    rn_checkpoint *b = make("resnet-14", &(rn_model_options){.classes = 20});
    rn_comparison c = compare(a, b, NULL);
    int only_a = 0, only_b = 0, misshapen = 0;

    (void)state;
    for (int i = 0; i < c.param_count; i++) {
        const rn_param_difference *p = &c.params[i];
        only_a += p->b == NULL;
        only_b += p->a == NULL;
        if (p->a == NULL)
            assert_non_null(strstr(p->b->name, ".1.")); // of the second units
        else if (p->b == NULL)
            assert_non_null(strstr(p->a->name, "downsample"));
        else if (!p->measured)
            misshapen += strncmp(p->a->name, "fc.", 3) == 0;
    }
    assert_int_equal(only_a, 2 * 5);
    assert_int_equal(only_b, 3 * 10);
    assert_int_equal(misshapen, 2);
    assert_true(c.params_beyond >= only_a + only_b + misshapen);
    assert_int_equal(c.labels_differing, 10);
    rn_comparison_release(&c);
    rn_checkpoint_free(a);
    rn_checkpoint_free(b);
}

static void refuse(const rn_compare_options *options, const char *message)
{
    rn_checkpoint *model = small();
    rn_comparison c;

    assert_int_equal(rn_compare(&c, model, model, options), RN_EINVAL);
    if (strstr(rn_error_message(), message) == NULL)
        fail_msg("'%s' is not said: %s", message, rn_error_message());
    assert_null(c.params);
    rn_checkpoint_free(model);
}

static void options_out_of_range_are_named(void **state)
{
    rn_image odd = {.channels = 2, .height = 1, .width = 1};

    (void)state;
    refuse(&(rn_compare_options){.tolerance = -1}, "tolerance is -1");
    refuse(&(rn_compare_options){.tolerance = NAN}, "tolerance is");
    refuse(&(rn_compare_options){.random = 1025}, "1025 pictures of noise, expected 1 to 1024");
    refuse(&(rn_compare_options){.random = -1}, "-1 pictures");
    refuse(&(rn_compare_options){.engine = {"cpu", "gpu"}}, "gpu");
    refuse(&(rn_compare_options){.image = &odd}, "2 channels");
}

static bool fail_at(size_t bytes, void *context)
{
    (void)bytes;
    return (*(int *)context)-- > 0;
}

static void every_allocation_may_fail(void **state)
{
    rn_checkpoint *model = small();
    rn_compare_options options = {.engine = {"ref", "ref"}};
    rn_status st = RN_ENOMEM;

    (void)state;
    for (int allowed = 0; st != RN_OK; allowed++) {
        int left = allowed;
        rn_comparison c;
        rn_alloc_hook_set(fail_at, &left);
        st = rn_compare(&c, model, model, &options);
        rn_alloc_hook_set(NULL, NULL);
        assert_true(st == RN_OK || (st == RN_ENOMEM && c.params == NULL && c.layers == NULL));
        rn_comparison_release(&c);
    }
    rn_checkpoint_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences_are_measured),
        cmocka_unit_test(model_equals_itself),
        cmocka_unit_test(engines_agree_but_not_to_the_bit),
        cmocka_unit_test(picture_is_seen_as_in_prediction),
        cmocka_unit_test(changed_weight_is_found_where_it_acts),
        cmocka_unit_test(tolerance_decides),
        cmocka_unit_test(preprocess_and_labels_are_compared),
        cmocka_unit_test(structures_are_told_apart),
        cmocka_unit_test(every_aspect_of_a_node_counts),
        cmocka_unit_test(dropout_is_no_structure),
        cmocka_unit_test(missing_extra_and_misshapen_parameters_are_named),
        cmocka_unit_test(options_out_of_range_are_named),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
