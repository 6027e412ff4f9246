// Which of a model's classes those of a set of images are.
#include "train/training.h"

static void name_class(rn_checkpoint *model, int class, const char *name)
{
    rn_free(model->label_names[class]);
    assert_int_equal(rn_strdup(&model->label_names[class], name), RN_OK);
}

// Row CLASS of the confusion holds the set's images of class `label`.
static void expect_row(const rn_evaluation *e, int class, const rn_samples *images, int label)
{
    int64_t total = 0;

    for (int k = 0; k < e->classes; k++)
        total += e->confusion[class * e->classes + k];
    for (size_t i = 0; i < images->count; i++)
        total -= images->labels[i] == label;
    assert_int_equal(total, 0);
}

// Images are as well of the model's classes of the same names, of which it may have more; where
// names come twice, order tells.
static void test_classes_of_images(void **state)
{
    enum { MORE = 12 };
    const rn_model_options options = {MORE, 3, 32, 32};
    const rn_evaluate_options confusion = {.confusion = true};
    rn_samples *shapes;
    rn_checkpoint *model;
    rn_evaluation e;

    (void)state;
    assert_int_equal(rn_data_open(&shapes, "shapes:train=10,test=70", RN_SPLIT_TEST), RN_OK);
    assert_int_equal(rn_model_create(&model, "resnet-8:width=4", &options, 3), RN_OK);
    assert_int_equal(rn_evaluate(&e, model, false, shapes, &confusion), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "has 10 classes, the model has 12, of which none"));
    for (int i = 0; i < shapes->classes; i++)
        name_class(model, MORE - 1 - i, shapes->label_names[i]);
    assert_int_equal(rn_evaluate(&e, model, false, shapes, &confusion), RN_OK);
    assert_int_equal(e.classes, MORE);
    for (int i = 0; i < shapes->classes; i++)
        expect_row(&e, MORE - 1 - i, shapes, i);
    rn_evaluation_release(&e);

    rn_free(shapes->label_names[7]);
    assert_int_equal(rn_strdup(&shapes->label_names[7], shapes->label_names[3]), RN_OK);
    for (int i = 0; i < shapes->classes; i++)
        name_class(model, i, shapes->label_names[i]);
    assert_int_equal(rn_evaluate(&e, model, false, shapes, &confusion), RN_OK);
    for (int i = 0; i < shapes->classes; i++)
        expect_row(&e, i, shapes, i);
    rn_evaluation_release(&e);
    rn_samples_free(shapes);
    rn_checkpoint_free(model);
}

// By its own message, and before anything is allocated by it.
static void test_batch_is_checked(void **state)
{
    static const int batches[] = {-1, 2000000000};
    const rn_model_options options = {10, 3, 32, 32};
    rn_samples *shapes;
    rn_checkpoint *model;
    rn_evaluation e;
    char found[32];

    (void)state;
    assert_int_equal(rn_data_open(&shapes, "shapes:train=10,test=7", RN_SPLIT_TEST), RN_OK);
    assert_int_equal(rn_model_create(&model, "resnet-8:width=4", &options, 3), RN_OK);
    for (int i = 0; i < 2; i++) {
        const rn_evaluate_options wrong = {.batch = batches[i]};
        assert_int_equal(rn_evaluate(&e, model, false, shapes, &wrong), RN_EINVAL);
        snprintf(found, sizeof found, "batch is %d, expected 1 to", batches[i]);
        assert_non_null(strstr(rn_error_message(), found));
    }
    rn_samples_free(shapes);
    rn_checkpoint_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_classes_of_images),
                                       cmocka_unit_test(test_batch_is_checked)};

    return cmocka_run_group_tests_name("evaluate", tests, NULL, NULL);
}
