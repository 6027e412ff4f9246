// Training that starts from the weights of another model.
#include "training.h"

enum { STEPS = 6 };

static rn_checkpoint *trained; // resnet-8 on the same data, by its moving average

static rn_checkpoint *load(const training *t, const char *name)
{
    char path[128];
    rn_checkpoint *checkpoint = NULL;

    snprintf(path, sizeof path, "%s/%s", t->folder, name);
    if (rn_checkpoint_load(&checkpoint, path) != RN_OK)
        fail_msg("%s", rn_error_message());
    return checkpoint;
}

static int train_base(void **state)
{
    training t;

    (void)state;
    training_init(&t);
    if (rn_train(&t.options, &t.result) != RN_OK)
        fail_msg("%s", rn_error_message());
    trained = load(&t, "model.safetensors");
    training_release(&t);
    return 0;
}

static int free_base(void **state)
{
    (void)state;
    rn_checkpoint_free(trained);
    return 0;
}

static void init(training *t, const rn_checkpoint *from)
{
    training_init(t);
    t->recipe.iterations = STEPS;
    t->options.from = from;
    t->options.from_name = "base.safetensors sha256:0";
    t->options.model = NULL;
}

// So little that no value moves.
static void stand_still(training *t)
{
    t->recipe.schedule.lr = 1e-30;
    t->recipe.bn_momentum = 1e-30;
    t->recipe.sgd.ema = 0;
}

static void run(training *t)
{
    if (rn_train(&t->options, &t->result) != RN_OK)
        fail_msg("%s", rn_error_message());
}

static void expect_refused(training *t, const char *expected)
{
    assert_int_equal(rn_train(&t->options, &t->result), RN_EINVAL);
    if (strstr(rn_error_message(), expected) == NULL)
        fail_msg("'%s' is not in '%s'", expected, rn_error_message());
}

static bool same_values(const rn_weights *a, const rn_weights *b, int index)
{
    return memcmp(rn_weights_read(a, index), rn_weights_read(b, index),
                  rn_weights_param(a, index)->count * sizeof(float)) == 0;
}

static bool is_behind_stage2(const char *name)
{
    return strncmp(name, "layer3", 6) == 0 || strncmp(name, "fc", 2) == 0;
}

static void check_frozen(const rn_weights *weights)
{
    for (int i = 0; i < rn_weights_count(weights); i++) {
        const char *name = rn_weights_param(weights, i)->name;
        if (same_values(weights, trained->weights, i) == is_behind_stage2(name))
            fail_msg("'%s' has %s", name, is_behind_stage2(name) ? "not moved" : "moved");
    }
}

static void frozen_layers_stay_and_others_move(void **state)
{
    (void)state;
    for (int lookahead = 0; lookahead <= 2; lookahead += 2) {
        training t;
        init(&t, trained);
        t.recipe.freeze_until = RN_FREEZE_STEM + 2;
        t.recipe.sgd.weight_decay = 0.01;
        t.recipe.sgd.lookahead = lookahead;
        run(&t);
        rn_checkpoint *last = load(&t, "checkpoint-6.safetensors");
        check_frozen(last->weights);
        check_frozen(last->ema);
        for (int i = 0; i < rn_weights_count(last->momentum); i++) {
            const float *momentum = rn_weights_read(last->momentum, i);
            if (!is_behind_stage2(rn_weights_param(last->momentum, i)->name))
                assert_true(momentum[0] == 0);
        }
        assert_string_equal(last->from, "base.safetensors sha256:0");
        rn_checkpoint_free(last);
        training_release(&t);
    }
}

static void without_a_step_the_network_is_the_same(void **state)
{
    training t;
    rn_evaluation before = {0};

    (void)state;
    init(&t, trained);
    stand_still(&t);
    run(&t);
    rn_checkpoint *model = load(&t, "model.safetensors");
    for (int i = 0; i < rn_weights_count(model->weights); i++)
        assert_true(same_values(model->weights, trained->weights, i));
    assert_string_equal(model->model, trained->model);
    assert_int_equal(rn_evaluate(&before, trained, false, t.test, NULL), RN_OK);
    assert_int_equal(t.result.test_wrong, before.wrong);
    assert_true(t.result.test_loss == before.loss);
    assert_string_equal(t.last_note,
                        "normalisation is that of the weights to start from ('channel'), not "
                        "measured anew");
    rn_evaluation_release(&before);
    rn_checkpoint_free(model);
    training_release(&t);
}

static void moving_average_is_what_counts(void **state)
{
    training t;
    rn_checkpoint averaged = *trained; // borrows every part
    rn_weights *fresh = NULL;

    (void)state;
    assert_int_equal(rn_weights_create(&fresh, trained->graph), RN_OK);
    averaged.weights = fresh;
    averaged.ema = trained->weights;
    init(&t, &averaged);
    stand_still(&t);
    run(&t);
    rn_checkpoint *model = load(&t, "model.safetensors");
    for (int i = 0; i < rn_weights_count(model->weights); i++)
        assert_true(same_values(model->weights, trained->weights, i));
    rn_checkpoint_free(model);
    rn_weights_free(fresh);
    training_release(&t);
}

// From a network for `classes` classes, to one for `asked` (0: the data's).
static void check_new_head(int classes, int asked, const char *note)
{
    training t;
    rn_checkpoint *from = NULL;
    rn_weights *fresh = NULL;

    assert_int_equal(
        rn_model_create(&from, "resnet-8", &(rn_model_options){.classes = classes}, 99), RN_OK);
    init(&t, from);
    stand_still(&t);
    t.options.model_options.classes = asked;
    run(&t);
    rn_checkpoint *model = load(&t, "model.safetensors");
    assert_string_equal(t.last_note, note);
    assert_int_equal(model->options.classes, asked > 0 ? asked : t.train->classes);
    assert_int_equal(rn_weights_create(&fresh, model->graph), RN_OK);
    rn_weights_initialise(fresh, t.recipe.seed);
    int head = rn_graph_find_param(model->graph, "fc.weight");
    for (int i = 0; i < head; i++)
        if (rn_weights_param(fresh, i)->dims == 4)
            assert_true(same_values(model->weights, from->weights, i));
    assert_true(same_values(model->weights, fresh, head));
    if (asked > t.train->classes)
        assert_string_equal(model->label_names[asked - 1], "11");
    rn_weights_free(fresh);
    rn_checkpoint_free(model);
    rn_checkpoint_free(from);
    training_release(&t);
}

static void head_starts_anew_for_other_classes(void **state)
{
    (void)state;
    check_new_head(4, 0, "the last layer starts anew: 10 classes instead of 4");
    check_new_head(10, 12, "the last layer starts anew: 12 classes instead of 10");
    check_new_head(10, 0, "the last layer starts anew: class 0 is 'circle' instead of '0'");
}

static void too_few_classes_are_refused(void **state)
{
    training t;

    (void)state;
    init(&t, trained);
    t.options.model_options.classes = 5;
    expect_refused(&t, "has 10 classes of 3 x 32 x 32 images, the network is for 5 classes");
    training_release(&t);
}

static void another_network_is_refused(void **state)
{
    static const char *const others[][2] = {
        {"resnet-14", "of 'resnet-8', not of 'resnet-14': there 'layer2.0.conv1' is conv, here "
                      "'layer1.1.conv1' is conv"},
        {"resnet-8:width=8", "'conv1' gives 16 x 32 x 32, here 'conv1' gives 8 x 32 x 32"},
        {"plain-8", "not of 'plain-8'"},
    };
    training t;

    (void)state;
    init(&t, trained);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        t.options.model = others[i][0];
        expect_refused(&t, others[i][1]);
        assert_int_equal(rn_finetune_check(&t.options), RN_EINVAL);
    }
    training_release(&t);
}

static void dropout_and_survival_may_differ(void **state)
{
    training t;

    (void)state;
    init(&t, trained);
    t.options.model = "resnet-8:survival=0.5;dropout=0.1";
    assert_int_equal(rn_finetune_check(&t.options), RN_OK);
    run(&t);
    rn_checkpoint *model = load(&t, "model.safetensors");
    assert_string_equal(model->model, "resnet-8:survival=0.5;dropout=0.1");
    rn_checkpoint_free(model);
    training_release(&t);
}

static void input_may_have_another_size(void **state)
{
    training t;
    rn_checkpoint *from = NULL;
    const rn_model_options small = {.classes = 10, .channels = 3, .height = 16, .width = 16};
    const rn_model_options large = {.channels = 3, .height = 32, .width = 32};
    float mean[3 * 16 * 16] = {0};

    (void)state;
    assert_int_equal(rn_model_create(&from, "resnet-8", &small, 1), RN_OK);
    init(&t, from);
    expect_refused(&t, "images, the network is for 10 classes of 3 x 16 x 16");
    t.options.model_options = large;
    run(&t);
    rn_preprocess_free(from->preprocess);
    assert_int_equal(
        rn_preprocess_create(&from->preprocess, RN_NORMALIZE_PIXEL_MEAN, 3, 16, 16, mean, NULL),
        RN_OK);
    expect_refused(&t, "go with a mean of each of 16 x 16 pixels, the input is 32 x 32");
    rn_checkpoint_free(from);
    assert_int_equal(rn_model_create(&from, "vgg-11", &large, 1), RN_OK);
    t.options.from = from;
    t.options.model_options.height = t.options.model_options.width = 64;
    assert_int_equal(rn_finetune_check(&t.options), RN_EINVAL);
    assert_string_equal(rn_error_message(),
                        "'classifier.0.weight' has 2097152 values in the weights to start from, "
                        "and 8388608 in a network for pictures of 3 x 64 x 64");
    rn_checkpoint_free(from);
    training_release(&t);
}

static void freezing_needs_weights_and_a_part(void **state)
{
    training t;

    (void)state;
    init(&t, trained);
    t.recipe.freeze_until = RN_FREEZE_STEM + 4;
    expect_refused(&t, "'resnet-8' has no part 'stage4' to freeze");
    t.options.from = NULL;
    t.options.model = "resnet-8";
    expect_refused(&t, "'freeze_until' is stage4, but there are no trained weights");
    training_release(&t);
}

static void resumed_run_is_bit_equal_without_the_source(void **state)
{
    training whole, parts;

    (void)state;
    init(&whole, trained);
    whole.recipe.freeze_until = RN_FREEZE_STEM + 1;
    run(&whole);
    init(&parts, trained);
    parts.recipe.freeze_until = RN_FREEZE_STEM + 1;
    parts.stop_at = 3;
    assert_int_equal(rn_train(&parts.options, &parts.result), RN_EINTERRUPTED);
    parts.stop = 0;
    parts.stop_at = 0;
    parts.options.from = NULL;
    parts.options.resume = true;
    run(&parts);
    assert_same_file(&whole, &parts, "model.safetensors");
    assert_same_file(&whole, &parts, "checkpoint-6.safetensors");
    training_release(&whole);
    training_release(&parts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frozen_layers_stay_and_others_move),
        cmocka_unit_test(without_a_step_the_network_is_the_same),
        cmocka_unit_test(moving_average_is_what_counts),
        cmocka_unit_test(head_starts_anew_for_other_classes),
        cmocka_unit_test(too_few_classes_are_refused),
        cmocka_unit_test(another_network_is_refused),
        cmocka_unit_test(dropout_and_survival_may_differ),
        cmocka_unit_test(input_may_have_another_size),
        cmocka_unit_test(freezing_needs_weights_and_a_part),
        cmocka_unit_test(resumed_run_is_bit_equal_without_the_source),
    };

    rn_threads_set(1);
    return cmocka_run_group_tests_name("finetune", tests, train_base, free_base);
}
