// A model beside its ONNX export whose batch norms are folded: compared in one form.
#include "golden/derived.h"
#include "resnet/resnet.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#define TRY(expr)                                                                                  \
    do {                                                                                           \
        if ((expr) != RN_OK)                                                                       \
            fail_msg("%s: %s", #expr, rn_error_message());                                         \
    } while (0)

// The model, and the same read from an ONNX file.
static void make_pair(rn_checkpoint *models[2], const char *spec, bool fold)
{
    const rn_export_options options = {.format = RN_FILE_ONNX, .fold_batch_norm = fold};
    char path[] = "/tmp/resnet-fold-XXXXXX";
    int file = mkstemp(path);

    assert_true(file >= 0);
    close(file);
    TRY(rn_model_create(&models[0], spec,
                        &(rn_model_options){.height = 16, .width = 16, .channels = 3, .classes = 5},
                        1));
    derived_weights(models[0]->weights, 4, 0);
    TRY(rn_model_save(models[0], path, &options));
    TRY(rn_model_load(&models[1], NULL, path, NULL));
    unlink(path);
}

static void compare(const rn_checkpoint *a, const rn_checkpoint *b, int folded)
{
    rn_comparison c;
    const rn_compare_options options = {.tolerance = 1e-5};

    TRY(rn_compare(&c, a, b, &options));
    assert_int_equal(c.params_beyond, 0);
    assert_int_equal(c.first_beyond, -1);
    assert_true(c.within);
    assert_int_equal(c.folded != NULL, folded >= 0);
    if (folded >= 0)
        assert_int_equal(c.folded_model, folded);
    rn_comparison_release(&c);
}

static void check(const char *spec)
{
    rn_checkpoint *models[2];

    make_pair(models, spec, true);
    compare(models[0], models[1], 0);
    compare(models[1], models[0], 1);
    compare(models[1], models[1], -1);
    rn_checkpoint_free(models[0]);
    rn_checkpoint_free(models[1]);
    make_pair(models, spec, false);
    compare(models[0], models[1], -1);
    rn_checkpoint_free(models[0]);
    rn_checkpoint_free(models[1]);
}

static void folded_models_are_compared_in_one_form(void **state)
{
    (void)state;
    check("resnet-8:shortcut=C");
    check("preact-8"); // its batch norms stand before the convolutions but for some
}

// Folding must not hide a difference: a gain of one channel.
static void differences_remain(void **state)
{
    rn_checkpoint *models[2];
    rn_comparison c;
    (void)state;

    make_pair(models, "resnet-8", true);
    int gain = rn_graph_find_param(models[0]->graph, "layer2.0.bn1.weight");
    rn_weights_data(models[0]->weights, gain)[3] *= 1.1f;
    TRY(rn_compare(&c, models[0], models[1], NULL));
    assert_non_null(c.folded);
    assert_false(c.within);
    assert_string_equal(c.layers[c.first_beyond].node->name, "layer2.0.conv1");
    rn_comparison_release(&c);
    rn_checkpoint_free(models[0]);
    rn_checkpoint_free(models[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folded_models_are_compared_in_one_form),
        cmocka_unit_test(differences_remain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
