#include "base/memory.h"
#include "store/import.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "store/state_dict.h"

static void ok(rn_status st)
{
    if (st != RN_OK)
        fail_msg("%s", rn_error_message());
}

static void assert_inferred(const state_dict *dict, const char *model, int classes, int size)
{
    rn_state state;
    rn_model_options options;
    char *found = NULL;

    ok(rn_state_init(&state, &dict->foreign));
    ok(rn_infer_model(&found, &state));
    assert_string_equal(found, model);
    rn_infer_options(&options, &state);
    assert_int_equal(options.classes, classes);
    assert_int_equal(options.channels, 3);
    assert_int_equal(options.height, size);
    assert_int_equal(options.width, size);
    rn_free(found);
    rn_state_release(&state);
}

#define NAMES .wrapper = "", .projection = "downsample", .classifier = "fc"
#define AKAMASTER .wrapper = "module.", .projection = "shortcut", .classifier = "linear"
#define CIFAR(a, b, c) .units = {a, b, c}, .stem = 3, .width = 16, .widen = 1
#define IMAGENET(a, b, c, d) .units = {a, b, c, d}, .stem = 7, .width = 64, .widen = 1

static const struct {
    residual_dict dict;
    const char *model;
} residuals[] = {
    {{CIFAR(3, 3, 3), .convs = 2, .shortcut = 'A', NAMES}, "resnet-20"},
    {{CIFAR(3, 3, 3), .convs = 2, .shortcut = 'A', AKAMASTER}, "resnet-20"},
    {{CIFAR(9, 9, 9), .convs = 2, .shortcut = 'B', AKAMASTER}, "resnet-56:shortcut=B"},
    {{CIFAR(3, 3, 3), .convs = 2, .shortcut = 'C', NAMES}, "resnet-20:shortcut=C"},
    {{CIFAR(1, 1, 1), .convs = 2, .shortcut = 'C', NAMES}, "resnet-8:shortcut=C"},
    {{CIFAR(5, 5, 5), .convs = 2, .shortcut = 'A', .preact = true, NAMES}, "resnet-32:unit=preact"},
    {{CIFAR(5, 5, 5), .convs = 2, .shortcut = 'B', .preact = true, NAMES},
     "resnet-32:shortcut=B;unit=preact"},
    {{CIFAR(3, 4, 3), .convs = 2, .shortcut = 'A', NAMES},
     "resnet:units=3,4,3;width=16;block=basic;stem=cifar;shortcut=A"},
    {{CIFAR(4, 4, 4), .convs = 1, .shortcut = 'A', NAMES},
     "resnet:units=4,4,4;width=16;block=single;stem=cifar;shortcut=A"},
    {{CIFAR(18, 18, 18), .convs = 3, .shortcut = 'B', .preact = true, NAMES},
     "resnet:units=18,18,18;width=16;block=bottleneck;stem=cifar;shortcut=B;unit=preact;"
     "stride=3x3"},
    {{.units = {4, 4, 4},
      .stem = 3,
      .width = 16,
      .widen = 10,
      .convs = 2,
      .shortcut = 'B',
      .preact = true,
      NAMES},
     "resnet-26:shortcut=B;unit=preact;widen=10"},
    {{.units = {2, 2, 2, 2},
      .stem = 3,
      .width = 64,
      .widen = 1,
      .convs = 2,
      .shortcut = 'B',
      AKAMASTER},
     "resnet:units=2,2,2,2;width=64;block=basic;stem=cifar;shortcut=B"},
    {{IMAGENET(2, 2, 2, 2), .convs = 2, .shortcut = 'B', NAMES}, "resnet-18"},
    {{IMAGENET(3, 4, 6, 3), .convs = 2, .shortcut = 'B', NAMES}, "resnet-34"},
    {{IMAGENET(3, 4, 6, 3), .convs = 2, .shortcut = 'A', NAMES}, "resnet-34:shortcut=A"},
    {{IMAGENET(3, 4, 6, 3), .convs = 3, .shortcut = 'B', NAMES}, "resnet-50:stride=3x3"},
    {{IMAGENET(3, 4, 23, 3), .convs = 3, .shortcut = 'B', NAMES}, "resnet-101:stride=3x3"},
    {{IMAGENET(3, 8, 36, 3), .convs = 3, .shortcut = 'B', NAMES}, "resnet-152:stride=3x3"},
    {{IMAGENET(3, 4, 6, 3), .convs = 3, .shortcut = 'C', NAMES}, "resnet-50:shortcut=C;stride=3x3"},
    {{IMAGENET(3, 24, 36, 3), .convs = 3, .shortcut = 'B', .preact = true, NAMES},
     "resnet:units=3,24,36,3;width=64;block=bottleneck;stem=imagenet;shortcut=B;unit=preact;"
     "stride=3x3"},
};

static void residual_networks_are_inferred(void **context)
{
    (void)context;
    for (size_t i = 0; i < sizeof residuals / sizeof *residuals; i++) {
        state_dict *dict = calloc(1, sizeof *dict);
        put_residual(dict, &residuals[i].dict, 7);
        assert_inferred(dict, residuals[i].model, 7, residuals[i].dict.stem == 7 ? 224 : 32);
        free(dict);
    }
}

#define VGG_11 64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0, -1
#define VGG_16 64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0, -1

static void vgg_networks_are_inferred(void **context)
{
    (void)context;
    static const struct {
        int plan[20];
        bool norm;
        int size;
        const char *model;
    } cases[] = {{{VGG_11}, false, 224, "vgg-11"},
                 {{VGG_11}, true, 224, "vgg-11-bn"},
                 {{VGG_16}, false, 32, "vgg-16"},
                 {{VGG_16}, true, 96, "vgg-16-bn"}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        state_dict *dict = calloc(1, sizeof *dict);
        put_vgg(dict, cases[i].plan, cases[i].norm, cases[i].size);
        assert_inferred(dict, cases[i].model, 1000, cases[i].size);
        free(dict);
    }
}

static void assert_unknown(state_dict *dict, const char *message)
{
    rn_state state;
    rn_model_options options;
    char *found = NULL;

    ok(rn_state_init(&state, &dict->foreign));
    assert_int_equal(rn_infer_model(&found, &state), RN_EUNSUPPORTED);
    assert_null(found);
    if (strstr(rn_error_message(), message) == NULL)
        fail_msg("'%s' lacks '%s'", rn_error_message(), message);
    rn_infer_options(&options, &state); // finds nothing, and does not fall over it
    rn_state_release(&state);
    free(dict);
}

static void other_networks_are_refused(void **context)
{
    (void)context;
    state_dict *dict = calloc(1, sizeof *dict);

    assert_unknown(dict, "the file holds no tensors");
    dict = calloc(1, sizeof *dict);
    put_linear(dict, "encoder.embed", 3, 4);
    assert_unknown(dict, "is among its 2 tensors, such as 'encoder.embed.bias'");
    dict = calloc(1, sizeof *dict);
    put_conv(dict, "conv1", 16, 3, 5);
    put_conv(dict, "layer1.0.conv1", 16, 3, 5);
    assert_unknown(dict, "kernel of 5 x 5, expected 3 x 3 or 7 x 7");
    dict = calloc(1, sizeof *dict);
    put_linear(dict, "conv1", 16, 3);
    put_linear(dict, "layer1.0.conv1", 16, 3);
    assert_unknown(dict, "kernel of 0 x 0");
    dict = calloc(1, sizeof *dict);
    put_conv(dict, "features.0", 64, 3, 3);
    assert_unknown(dict, "'features' has 1 convolutions, expected a VGG's 8, 10, 13 or 16");
}

static void names_are_translated(void **context)
{
    (void)context;
    static const struct {
        const char *name, *expected; // NULL: not there
    } cases[] = {
        {"linear.weight", "fc.weight"},
        {"layer2.0.shortcut.0.weight", "layer2.0.downsample.0.weight"},
        {"layer2.0.shortcut.1.running_var", "layer2.0.downsample.1.running_var"},
        {"layer2.0.shortcut.weight", "layer2.0.shortcut.weight"},
        {"layer2.0.shortcut.01.weight", "layer2.0.shortcut.01.weight"},
        {"layer2.0.bn1.num_batches_tracked", NULL},
        {"nonlinear.weight", "nonlinear.weight"},
        {"linear", "linear"},
    };
    rn_state state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        state_dict *dict = calloc(1, sizeof *dict);
        put(dict, (int[]){1}, 1, "module._orig_mod.model.%s", cases[i].name);
        put(dict, (int[]){1}, 1, "module._orig_mod.model.zzz");
        ok(rn_state_init(&state, &dict->foreign));
        assert_non_null(rn_state_find(&state, "%s", "zzz"));
        assert_int_equal(state.count, cases[i].expected == NULL ? 1 : 2);
        if (cases[i].expected != NULL)
            assert_non_null(rn_state_find(&state, "%s", cases[i].expected));
        rn_state_release(&state);
        free(dict);
    }
}

static void only_a_wrapper_of_all_is_taken_away(void **context)
{
    (void)context;
    state_dict *dict = calloc(1, sizeof *dict);
    rn_state state;

    put(dict, (int[]){1}, 1, "module.a");
    put(dict, (int[]){1}, 1, "b");
    ok(rn_state_init(&state, &dict->foreign));
    assert_non_null(rn_state_find(&state, "module.a"));
    rn_state_release(&state);
    dict->tensors[1].tensor.data = NULL; // a whole number, as "n_averaged"
    ok(rn_state_init(&state, &dict->foreign));
    assert_non_null(rn_state_find(&state, "a"));
    assert_non_null(rn_state_find(&state, "b"));
    rn_state_release(&state);
    dict->tensors[1].tensor.data = dict->tensors[0].tensor.data;
    put(dict, (int[]){1}, 1, "linear.bias");
    put(dict, (int[]){1}, 1, "fc.bias");
    assert_int_equal(rn_state_init(&state, &dict->foreign), RN_EFORMAT);
    assert_non_null(strstr(rn_error_message(), "tensor 'fc.bias' appears twice"));
    free(dict);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(residual_networks_are_inferred),
        cmocka_unit_test(vgg_networks_are_inferred),
        cmocka_unit_test(other_networks_are_refused),
        cmocka_unit_test(names_are_translated),
        cmocka_unit_test(only_a_wrapper_of_all_is_taken_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
