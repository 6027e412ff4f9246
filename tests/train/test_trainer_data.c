// What is trained on and evaluated on, and what must not be.
#include "train/training.h"

#include <math.h>

static void other_data_is_refused_on_resume(void **state)
{
    training t;

    (void)state;
    training_init(&t);
    training_run(&t, RN_OK);
    rn_samples_free(t.train);
    assert_int_equal(rn_data_open(&t.train, "shapes:train=97,test=33", RN_SPLIT_TRAIN), RN_OK);
    t.options.train = t.train;
    t.options.resume = true;
    training_run(&t, RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "97 images"));

    // As many, but others; the same with another name.
    rn_samples_free(t.train);
    assert_int_equal(rn_data_open(&t.train, "shapes:train=96,test=33,seed=2", RN_SPLIT_TRAIN),
                     RN_OK);
    t.options.train = t.train;
    training_run(&t, RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "other pictures, labels or names"));
    rn_samples_free(t.train);
    assert_int_equal(rn_data_open(&t.train, "shapes:train=96,test=33", RN_SPLIT_TRAIN), RN_OK);
    t.options.train = t.train;
    t.options.test = NULL;
    t.train->label_names[2][0] = 'X';
    training_run(&t, RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "class 2 of shapes train"));
    training_release(&t);
}

static void refused(training *t, const char *why)
{
    t->options.resume = false;
    training_run(t, RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), why));
    assert_nothing_written(t);
    assert_int_equal(rn_train_check(&t->options, NULL), RN_EINVAL);
}

// What it is evaluated on must fit, too: smaller images would be read beyond their end.
static void other_test_sets_are_refused(void **state)
{
    training t;
    rn_samples test;
    char *names[10];
    int32_t labels[33];

    (void)state;
    training_init(&t);
    t.options.test = &test;
    test = *t.test;
    test.height = test.width = 20;
    refused(&t, "of 3 x 20 x 20 images, the network is for 10 classes of 3 x 32 x 32");
    test = *t.test;
    test.classes = 11;
    refused(&t, "has 11 classes");
    test = *t.test;
    test.labels = memcpy(labels, t.test->labels, sizeof labels);
    labels[32] = 10;
    refused(&t, "label 32 is 10, expected 0 to 9");
    test = *t.test;
    test.label_names = memcpy(names, t.test->label_names, sizeof names);
    names[3] = (char *)"dog";
    refused(&t, "but 'dog' in shapes test");

    t.options.test = t.test;
    training_run(&t, RN_OK);
    t.options.test = &test;
    t.options.resume = true;
    training_run(&t, RN_EINVAL);
    training_release(&t);
}

static rn_samples *open_test(const char *source)
{
    rn_samples *test;

    assert_int_equal(rn_data_open(&test, source, RN_SPLIT_TEST), RN_OK);
    return test;
}

// Where its errors decide the rate, the test set is of the recipe, too.
static void other_test_sets_are_refused_under_plateau(void **state)
{
    training t;
    rn_samples *others = open_test("shapes:train=96,test=33,seed=2");

    (void)state;
    training_init(&t);
    t.recipe.iterations = 3;
    training_run(&t, RN_OK);
    t.options.resume = true;
    t.options.test = others;
    training_run(&t, RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "the run to resume has another, but shapes test"));
    t.options.test = NULL;
    training_run(&t, RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "has another, but none is given"));
    t.options.test = t.test;
    t.notes = 0;
    training_run(&t, RN_OK);
    assert_int_equal(t.notes, 0);
    training_release(&t);

    training_init(&t);
    t.recipe.iterations = 3;
    t.recipe.schedule.kind = RN_SCHEDULE_CONSTANT;
    training_run(&t, RN_OK);
    t.options.resume = true;
    t.options.test = others;
    t.notes = 0;
    training_run(&t, RN_OK);
    assert_int_equal(t.notes, 1);
    assert_non_null(strstr(t.last_note, "than the test set so far"));
    training_release(&t);

    training_init(&t);
    t.recipe.iterations = 3;
    t.options.test = NULL; // training errors decide
    training_run(&t, RN_OK);
    t.options.resume = true;
    t.options.test = others;
    training_run(&t, RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "the run to resume has none, but shapes test"));
    training_release(&t);
    rn_samples_free(others);
}

static void held_out_images_are_not_trained_on(void **state)
{
    training t;

    (void)state;
    training_init(&t);
    t.recipe.hold_out = 30;
    t.recipe.iterations = 7;
    training_run(&t, RN_OK);
    assert_int_equal(t.train->count, 66);
    assert_int_equal(t.evaluations, 4);      // validation and test, after steps 4 and 7 (the last)
    assert_true(t.best >= 1 && t.best <= 2); // of the held-out images only
    assert_string_equal(t.best_set, "validation (ema)");
    training_release(&t);
}

static void a_share_of_the_images_is_trained_on(void **state)
{
    training whole, t;
    int classes[10] = {0};

    (void)state;
    training_init(&whole);
    whole.recipe.hold_out = 6;
    whole.recipe.train_images = 40;
    training_run(&whole, RN_OK);
    assert_int_equal(whole.train->count, 40);
    for (size_t i = 0; i < 40; i++)
        classes[whole.train->labels[i]]++;
    for (int i = 0; i < 10; i++)
        assert_true(classes[i] == 4 || classes[i] == 3 || classes[i] == 5);
    assert_int_equal(whole.evaluations, 2 * 7); // an epoch is two steps

    training_init(&t);
    t.recipe = whole.recipe;
    t.stop_at = 5;
    training_run(&t, RN_EINTERRUPTED);
    rn_samples_free(t.train);
    assert_int_equal(rn_data_open(&t.train, "shapes:train=96,test=33", RN_SPLIT_TRAIN), RN_OK);
    t.options.train = t.train;
    t.options.resume = true;
    t.stop = 0;
    t.stop_at = 0;
    training_run(&t, RN_OK);
    assert_same_file(&whole, &t, "model.safetensors");
    training_release(&t);
    training_release(&whole);

    training_init(&t);
    t.recipe.hold_out = 6;
    t.recipe.train_images = 91;
    assert_int_equal(rn_train_check(&t.options, NULL), RN_EINVAL);
    training_run(&t, RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "91 images to train on"));
    training_release(&t);
}

// What training takes at least, in MiB, by the message of a limit that is too low.
static double told_least(void)
{
    double least = 0;

    assert_int_equal(
        sscanf(rn_error_message(), "training at batch 20 takes at least %lf MiB", &least), 1);
    return least;
}

// Asked for before anything is written, and by a training.
static double least_memory(uint64_t hold_out, uint64_t train_images)
{
    training t;

    training_init(&t);
    rn_samples_free(t.train);
    assert_int_equal(rn_data_open(&t.train, "shapes:train=1200,test=33", RN_SPLIT_TRAIN), RN_OK);
    t.options.train = t.train;
    t.recipe.hold_out = hold_out;
    t.recipe.train_images = train_images;
    t.options.memory_limit = 1 << 20;
    assert_int_equal(rn_train_check_memory(&t.options), RN_ENOMEM);
    const double least = told_least();
    training_run(&t, RN_ENOMEM);
    assert_true(fabs(told_least() - least) < 0.11); // the message's digits are tenths
    training_release(&t);
    return least;
}

// Held out images are copied, and what they were copied from stays, as do images left out.
static void memory_counts_images_not_trained_on(void **state)
{
    const double held = 1000.0 * (3 * 32 * 32 + 4) / (1 << 20), whole = least_memory(0, 0);

    (void)state;
    assert_true(fabs(least_memory(0, 100) - whole) < 0.11); // the message's digits are tenths
    assert_true(fabs(least_memory(1000, 0) - whole - held) < 0.11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_data_is_refused_on_resume),
        cmocka_unit_test(other_test_sets_are_refused),
        cmocka_unit_test(other_test_sets_are_refused_under_plateau),
        cmocka_unit_test(held_out_images_are_not_trained_on),
        cmocka_unit_test(a_share_of_the_images_is_trained_on),
        cmocka_unit_test(memory_counts_images_not_trained_on),
    };

    return cmocka_run_group_tests_name("trainer data", tests, NULL, NULL);
}
