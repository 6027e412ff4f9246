// Training on photographs of which some cannot be read: each is told of once, however often it is
// met; the next one of the set takes its place. And first convolutions that whiten photographs.
#include "image/fail_allocation.h"
#include "train/photo_sets.h"
#include "train/view_plans.h"
#include "train/whiten.h"

#include <math.h>

enum { TRAIN = 17, TEST = 7, STEPS = 9, BATCH = 6 };

typedef struct photo_training {
    rn_samples *train, *test;
    rn_recipe recipe;
    rn_train_result result;
    rn_checkpoint *model;
    bool untested;
    int told, evaluations;
    char texts[8][256]; // of notes that name a picture
} photo_training;

static char *folder;

static void on_event(const rn_event *event, void *context)
{
    photo_training *t = context;

    t->evaluations += event->kind == RN_EVENT_EVALUATION;
    if (event->kind != RN_EVENT_NOTE || strstr(event->text, ".png'") == NULL)
        return;
    assert_true(t->told < 8);
    snprintf(t->texts[t->told++], sizeof t->texts[0], "%s", event->text);
}

static rn_status run(photo_training *t, const char *source, rn_train_options more)
{
    char runs[96];

    snprintf(runs, sizeof runs, "%s/run", folder);
    t->train = photo_open(source, RN_SPLIT_TRAIN);
    t->test = photo_open(source, RN_SPLIT_TEST);
    more.model = "resnet-8:width=4";
    more.model_options = (rn_model_options){PHOTO_CLASSES, 3, PHOTO_SIDE, PHOTO_SIDE};
    more.recipe = &t->recipe;
    more.train = t->train;
    more.test = t->untested ? NULL : t->test;
    more.folder = runs;
    more.evaluate_every = 1;
    more.on_event = on_event;
    more.context = t;
    rn_status st = rn_train(&more, &t->result);
    if (st == RN_OK)
        assert_int_equal(rn_checkpoint_load(&t->model, fixture_path(runs, "model.safetensors")),
                         RN_OK);
    return st;
}

// Nothing random but the order, so that what stands for what can be seen in the weights.
static photo_training prepared(void)
{
    photo_training t = {0};

    assert_int_equal(rn_recipe_load(&t.recipe, "quick"), RN_OK);
    t.recipe.epochs = 0;
    t.recipe.iterations = STEPS;
    t.recipe.batch = BATCH;
    t.recipe.normalize = RN_NORMALIZE_IMAGENET;
    t.recipe.tta = RN_TTA_NONE;
    t.recipe.augment = (rn_augment){.crop = RN_CROP_CENTRE};
    return t;
}

static void done(photo_training *t)
{
    rn_samples_free(t->train);
    rn_samples_free(t->test);
    rn_checkpoint_free(t->model);
}

static int make_folder(void **state)
{
    (void)state;
    folder = fixture_folder();
    photo_pictures(folder, "set/train", 0, TRAIN);
    photo_pictures(folder, "set/val", 0, TEST);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    fixture_remove(folder);
    return 0;
}

// MiB that a training with next to no memory says it takes.
static double least_memory(const char *source, bool tested)
{
    photo_training t = prepared();
    double least = 0;

    t.untested = !tested;
    assert_int_equal(run(&t, source, (rn_train_options){.memory_limit = 1}), RN_ENOMEM);
    const char *number = strstr(rn_error_message(), "at least ");
    assert_true(number != NULL && sscanf(number, "at least %lf MiB", &least) == 1);
    done(&t);
    return least;
}

// The limit covers the network that evaluates photographs, 32 at a time.
static void evaluation_is_within_the_limit(void **state)
{
    const rn_model_options sizes = {PHOTO_CLASSES, 3, PHOTO_SIDE, PHOTO_SIDE};
    const rn_view_shape shape = {32, PHOTO_SIDE, PHOTO_SIDE};
    char source[96];
    rn_checkpoint *model;
    rn_view_plans *plans;
    rn_inference *inference;

    (void)state;
    snprintf(source, sizeof source, "%s/set", folder);
    assert_int_equal(rn_model_create(&model, "resnet-8:width=4", &sizes, 3), RN_OK);
    assert_int_equal(rn_view_plans_create(&plans, model, model->weights, NULL, 0), RN_OK);
    assert_int_equal(rn_view_plans_get(plans, &inference, shape), RN_OK);
    double evaluation = (double)rn_view_plans_memory(plans) / (1 << 20);
    assert_true(evaluation > 0.2); // the messages' digits are tenths
    assert_true(least_memory(source, true) > least_memory(source, false) + evaluation - 0.1);
    rn_view_plans_free(plans);
    rn_checkpoint_free(model);
}

static bool equal_weights(const rn_checkpoint *a, const rn_checkpoint *b)
{
    for (int i = 0; i < rn_weights_count(a->weights); i++)
        if (memcmp(rn_weights_read(a->weights, i), rn_weights_read(b->weights, i),
                   rn_weights_param(a->weights, i)->count * sizeof(float)) != 0)
            return false;
    return true;
}

static void expect_told(const photo_training *t, const char *name, int times)
{
    int found = 0;

    for (int i = 0; i < t->told; i++)
        found += strstr(t->texts[i], name) != NULL;
    if (found != times)
        fail_msg("%s was told of %d times, expected %d", name, found, times);
}

static void copy_picture(const char *below, int from, int to)
{
    size_t size;
    char *bytes = photo_slurp(fixture_path(folder, photo_name(below, from)), &size);

    fixture_write(folder, photo_name(below, to), bytes, size);
    rn_free(bytes);
}

// In the set's order 04 is followed by 07: both are of class 1.
static void bad_pictures_are_told_of_once_and_replaced(void **state)
{
    photo_training damaged = prepared(), replaced = prepared();
    char source[96];

    (void)state;
    snprintf(source, sizeof source, "%s/set", folder);
    photo_break(folder, "set/train", 4);
    photo_break(folder, "set/val", 2);
    if (run(&damaged, source, (rn_train_options){.workers = 3}) != RN_OK)
        fail_msg("%s", rn_error_message());
    assert_int_equal(damaged.told, 2);
    expect_told(&damaged, "'train/class1/04.png'", 1);
    expect_told(&damaged, "'val/class2/02.png'", 1);
    assert_in_range(damaged.evaluations, 3, 4); // each meets the second one
    assert_int_equal(damaged.result.test_count, TEST - 1);

    copy_picture("set/train", 7, 4);
    if (run(&replaced, source, (rn_train_options){.workers = 1}) != RN_OK)
        fail_msg("%s", rn_error_message());
    assert_int_equal(replaced.told, 1);
    assert_true(equal_weights(damaged.model, replaced.model));
    photo_pictures(folder, "set/train", 0, TRAIN);
    photo_pictures(folder, "set/val", 0, TEST);
    done(&damaged);
    done(&replaced);
}

// Without splits, and with a whitened first convolution, three readers meet the same picture.
static void one_set_tells_of_each_once(void **state)
{
    photo_training t = prepared();
    char source[96];

    (void)state;
    t.recipe.whiten = TRAIN;
    snprintf(source, sizeof source, "%s/set/train", folder);
    photo_break(folder, "set/train", 0);
    photo_break(folder, "set/train", 16);
    if (run(&t, source, (rn_train_options){.workers = 2}) != RN_OK)
        fail_msg("%s", rn_error_message());
    assert_true(rn_samples_same(t.train, t.test));
    assert_int_equal(t.told, 2);
    expect_told(&t, "'class0/00.png'", 1);
    expect_told(&t, "'class1/16.png'", 1);
    assert_int_equal(t.result.test_count, TRAIN - 2);
    done(&t);
    for (int whiten = 0; whiten <= TRAIN; whiten += TRAIN) {
        photo_training stop = prepared();
        stop.recipe.whiten = (uint64_t)whiten;
        fixture_expect(run(&stop, source, (rn_train_options){.bad_images = RN_BAD_IMAGES_STOP}),
                       RN_EFORMAT, ".png'", NULL);
        done(&stop);
    }
    photo_pictures(folder, "set/train", 0, TRAIN);
}

static rn_checkpoint *whitened(const rn_samples *set, const rn_whiten_options *options)
{
    const rn_model_options model = {PHOTO_CLASSES, 3, PHOTO_SIDE, PHOTO_SIDE};
    rn_checkpoint *made;

    assert_int_equal(rn_model_create(&made, "resnet-8:width=4", &model, 3), RN_OK);
    if (rn_whiten(made->weights, made->preprocess, set, options) != RN_OK)
        fail_msg("%s", rn_error_message());
    return made;
}

// 00 and 12 lie among the first in the set's order: 00, 03, 06, 09, 12, 15, 01, ...
static void whitens_the_first_that_can_be_read(void **state)
{
    photo_told told = {0};
    rn_whiten_options options = {.images = 5, .on_bad = photo_tell, .context = &told};
    char source[96];

    (void)state;
    snprintf(source, sizeof source, "%s/set/train", folder);
    photo_break(folder, "set/train", 0);
    photo_break(folder, "set/train", 12);
    rn_samples *set = photo_open(source, RN_SPLIT_TRAIN), *twin = photo_twin(set);
    assert_int_equal(twin->count, TRAIN - 2);
    for (options.workers = 0; options.workers <= 3; options.workers += 3) {
        told.count = 0;
        for (options.images = 5; options.images < 100; options.images += 90) {
            rn_checkpoint *a = whitened(set, &options);
            rn_checkpoint *b = whitened(twin, &(rn_whiten_options){.images = options.images});
            const float *of_set = rn_weights_read(a->weights, 0);
            const float *of_twin = rn_weights_read(b->weights, 0);
            for (size_t k = 0; k < rn_weights_param(a->weights, 0)->count; k++)
                assert_true(fabsf(of_set[k] - of_twin[k]) <= 1e-4f * (1 + fabsf(of_twin[k])));
            rn_checkpoint_free(a);
            rn_checkpoint_free(b);
        }
        assert_int_equal(told.count, 2 + 2);
    }
    rn_samples_free(set);
    rn_samples_free(twin);
}

static void whitening_may_fail(void **state)
{
    const rn_model_options sizes = {PHOTO_CLASSES, 3, PHOTO_SIDE, PHOTO_SIDE};
    const rn_whiten_options options = {.images = 3, .workers = 2};
    char source[96];
    rn_checkpoint *model, *fresh;
    fail_allocation plan = {.hit = true};

    (void)state;
    snprintf(source, sizeof source, "%s/set/train", folder);
    rn_samples *set = photo_open(source, RN_SPLIT_TRAIN);
    assert_int_equal(rn_model_create(&model, "resnet-8:width=4", &sizes, 3), RN_OK);
    assert_int_equal(rn_model_create(&fresh, "resnet-8:width=4", &sizes, 3), RN_OK);
    for (int k = 0; plan.hit && k < 12; k++) { // what follows happens in threads, in any order
        fail_allocation_start(&plan, k);
        rn_status st = rn_whiten(model->weights, model->preprocess, set, &options);
        fail_allocation_stop();
        assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
        assert_true(!plan.hit || equal_weights(model, fresh));
    }
    for (int i = 0; i < TRAIN; i++)
        photo_break(folder, "set/train", i);
    fixture_expect(rn_whiten(model->weights, model->preprocess, set, &options), RN_EFORMAT,
                   "none of the 17 pictures", NULL);
    assert_true(equal_weights(model, fresh));
    rn_samples_free(set);
    rn_checkpoint_free(model);
    rn_checkpoint_free(fresh);
}

// They have no names in the network, and evaluation is by name unless the numbers are the same.
static void classes_beyond_the_training_sets_are_refused(void **state)
{
    static char *names[] = {(char *)"class0", (char *)"class1", (char *)"class2", (char *)"other"};
    photo_training t = prepared();
    char source[96];
    rn_samples test;

    (void)state;
    snprintf(source, sizeof source, "%s/set", folder);
    t.train = photo_open(source, RN_SPLIT_TRAIN);
    t.test = photo_open(source, RN_SPLIT_TEST);
    test = *t.test;
    test.classes = 4;
    test.label_names = names;
    rn_train_options options = {.model = "resnet-8:width=4",
                                .model_options = {5, 3, PHOTO_SIDE, PHOTO_SIDE},
                                .recipe = &t.recipe,
                                .train = t.train,
                                .test = &test,
                                .folder = folder};
    fixture_expect(rn_train_check(&options, NULL), RN_EINVAL, "has 4 classes, but",
                   "has 3, none of them 'other'", NULL);
    options.model_options.classes = 4;
    assert_int_equal(rn_train_check(&options, NULL), RN_OK);
    options.model_options.classes = 5;
    names[3] = (char *)"3"; // as the network calls it
    assert_int_equal(rn_train_check(&options, NULL), RN_OK);
    done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_pictures_are_told_of_once_and_replaced),
        cmocka_unit_test(evaluation_is_within_the_limit),
        cmocka_unit_test(one_set_tells_of_each_once),
        cmocka_unit_test(whitens_the_first_that_can_be_read),
        cmocka_unit_test(whitening_may_fail),
        cmocka_unit_test(classes_beyond_the_training_sets_are_refused),
    };

    return cmocka_run_group_tests_name("training on photographs", tests, make_folder,
                                       remove_folder);
}
