// Running statistics measured on photographs: those of the same pictures in memory; what cannot be
// read is told of, replaced as long as there are others, and counted.
#include "train/photo_sets.h"

#include <math.h>

enum { PICTURES = 12, SEED = 4 };

static char *folder;

static int make_folder(void **state)
{
    (void)state;
    folder = fixture_folder();
    photo_pictures(folder, ".", 0, PICTURES);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    fixture_remove(folder);
    return 0;
}

static rn_checkpoint *new_model(void)
{
    const rn_model_options options = {PHOTO_CLASSES, 3, PHOTO_SIDE, PHOTO_SIDE};
    rn_checkpoint *model;

    assert_int_equal(rn_model_create(&model, "resnet-8:width=4", &options, 3), RN_OK);
    model->preprocess->centre_ratio = 0.875;
    return model;
}

static rn_checkpoint *measured(const rn_samples *set, const rn_recalibrate_options *options,
                               rn_recalibration *out)
{
    rn_checkpoint *model = new_model();

    if (rn_recalibrate(out, model, set, options) != RN_OK)
        fail_msg("%s", rn_error_message());
    rn_recalibration_release(out);
    return model;
}

// The largest difference between two models' statistics.
static double apart(const rn_checkpoint *a, const rn_checkpoint *b)
{
    double most = 0;

    for (int i = 0; i < rn_weights_count(a->weights); i++)
        for (size_t k = 0; k < rn_weights_param(a->weights, i)->count; k++)
            most = fmax(most, fabs((double)rn_weights_read(a->weights, i)[k] -
                                   (double)rn_weights_read(b->weights, i)[k]));
    return most;
}

static void check_apart(const rn_samples *a, const rn_recalibrate_options *how_a,
                        const rn_samples *b, const rn_recalibrate_options *how_b, double least,
                        double most)
{
    rn_recalibration of_a, of_b;
    rn_checkpoint *model_a = measured(a, how_a, &of_a), *model_b = measured(b, how_b, &of_b);
    double distance = apart(model_a, model_b);

    if (!(distance >= least && distance <= most))
        fail_msg("%g apart, expected %g to %g", distance, least, most);
    rn_checkpoint_free(model_a);
    rn_checkpoint_free(model_b);
}

// Pictures of the network's size, all of which is seen, are images; by default the middle is seen.
static void equals_images_in_memory(void **state)
{
    const rn_augment whole = {.crop = RN_CROP_CENTRE, .crop_ratio = 1};
    const rn_augment middle = {.crop = RN_CROP_CENTRE, .crop_ratio = 0.875};
    const rn_recalibrate_options plain = {.batch = 5, .seed = SEED};
    rn_recalibrate_options all = plain, centre = plain;
    rn_samples *set = photo_open(folder, RN_SPLIT_TRAIN), *twin = photo_twin(set);

    (void)state;
    all.augment = &whole;
    centre.augment = &middle;
    check_apart(set, &all, twin, &plain, 0, 1e-6);
    check_apart(set, &plain, set, &centre, 0, 0);
    check_apart(set, &plain, set, &all, 1e-4, INFINITY);
    rn_samples_free(set);
    rn_samples_free(twin);
}

static void bad_pictures_are_told_of_and_counted(void **state)
{
    const rn_augment whole = {.crop = RN_CROP_CENTRE, .crop_ratio = 1};
    photo_told told = {0};
    const rn_recalibrate_options options = {
        .seed = SEED, .augment = &whole, .on_bad = photo_tell, .context = &told};

    (void)state;
    photo_break(folder, ".", 4);
    photo_break(folder, ".", 9);
    rn_samples *set = photo_open(folder, RN_SPLIT_TRAIN), *twin = photo_twin(set);
    assert_int_equal(twin->count, PICTURES - 2);
    check_apart(set, &options, twin, &(rn_recalibrate_options){.seed = SEED}, 0, 1e-5);
    assert_int_equal(told.count, 2);
    assert_non_null(strstr(told.last, ".png'"));
    rn_samples_free(twin);
    rn_samples_free(set);
}

static rn_recalibration counts(const rn_samples *set, const rn_recalibrate_options *options)
{
    rn_recalibration result;
    rn_checkpoint *model = new_model();

    assert_int_equal(rn_recalibrate(&result, model, set, options), RN_OK);
    rn_recalibration copy = result;
    rn_recalibration_release(&result);
    rn_checkpoint_free(model);
    return copy;
}

static void batches_are_filled_from_the_rest(void **state)
{
    rn_samples *set = photo_open(folder, RN_SPLIT_TRAIN);

    (void)state;
    rn_recalibration r = counts(set, &(rn_recalibrate_options){.batch = 4, .seed = SEED});
    assert_int_equal(r.images, 10); // of three batches of four the last has two
    assert_int_equal(r.skipped, 2);
    assert_int_equal(r.batches, 3);
    assert_int_equal(r.smallest, 2);
    assert_int_equal(r.largest, 4);
    for (int wanted = 1; wanted <= 10; wanted++) {
        r = counts(set, &(rn_recalibrate_options){.images = (uint64_t)wanted, .seed = SEED});
        assert_int_equal(r.images, wanted);
        assert_in_range(r.skipped, 0, 2);
        assert_int_equal(r.smallest, wanted);
    }
    r = counts(set, &(rn_recalibrate_options){.batch = 1, .seed = SEED});
    assert_int_equal(r.batches, 10);
    assert_int_equal(r.smallest, 1);
    rn_samples_free(set);
}

static void threads_read_the_same(void **state)
{
    const int threads = rn_threads();
    rn_samples *set = photo_open(folder, RN_SPLIT_TRAIN);
    rn_checkpoint *first = NULL;

    (void)state;
    for (int t = 1; t <= 4; t++) {
        photo_told told = {0};
        rn_recalibration result;
        assert_int_equal(rn_threads_set(t), RN_OK);
        rn_checkpoint *model =
            measured(set,
                     &(rn_recalibrate_options){
                         .batch = 3, .seed = SEED, .on_bad = photo_tell, .context = &told},
                     &result);
        assert_int_equal(told.count, 2);
        assert_true(first == NULL || apart(first, model) < 1e-5);
        if (first != NULL)
            rn_checkpoint_free(model);
        else
            first = model;
    }
    rn_checkpoint_free(first);
    assert_int_equal(rn_threads_set(threads), RN_OK);
    rn_samples_free(set);
}

static void where_asked_a_bad_picture_ends_it(void **state)
{
    const rn_recalibrate_options stop = {.bad_images = RN_BAD_IMAGES_STOP, .seed = SEED};
    rn_samples *set = photo_open(folder, RN_SPLIT_TRAIN);
    rn_checkpoint *model = new_model(), *fresh = new_model();
    rn_recalibration result;

    (void)state;
    fixture_expect(rn_recalibrate(&result, model, set, &stop), RN_EFORMAT, ".png'", NULL);
    assert_null(result.changes);
    assert_true(apart(model, fresh) == 0);
    for (int i = 0; i < PICTURES; i++)
        photo_break(folder, ".", i);
    fixture_expect(rn_recalibrate(&result, model, set, NULL), RN_EFORMAT, "none of the 12 pictures",
                   NULL);
    assert_true(apart(model, fresh) == 0);
    photo_pictures(folder, ".", 0, PICTURES);
    rn_checkpoint_free(model);
    rn_checkpoint_free(fresh);
    rn_samples_free(set);
}

static bool fail_at(size_t size, void *context)
{
    int *left = context;

    (void)size;
    return __atomic_fetch_sub(left, 1, __ATOMIC_RELAXED) != 0;
}

static void every_allocation_may_fail(void **state)
{
    rn_samples *set;
    rn_checkpoint *model = new_model(), *fresh = new_model();
    rn_recalibration result = {0};
    rn_status st = RN_ENOMEM;

    (void)state;
    photo_break(folder, ".", 2);
    set = photo_open(folder, RN_SPLIT_TRAIN);
    for (int allowed = 0; st != RN_OK; allowed += allowed < 60 ? 1 : 13) {
        int left = allowed;
        rn_alloc_hook_set(fail_at, &left);
        st = rn_recalibrate(&result, model, set, &(rn_recalibrate_options){.batch = 6});
        rn_alloc_hook_set(NULL, NULL);
        if (st != RN_OK) {
            if (st != RN_ENOMEM)
                fail_msg("status %d after %d allocations: %s", (int)st, allowed,
                         rn_error_message());
            assert_null(result.changes);
            assert_true(apart(model, fresh) == 0);
        }
    }
    rn_recalibration_release(&result);
    rn_checkpoint_free(model);
    rn_checkpoint_free(fresh);
    rn_samples_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_images_in_memory),
        cmocka_unit_test(bad_pictures_are_told_of_and_counted),
        cmocka_unit_test(batches_are_filled_from_the_rest),
        cmocka_unit_test(threads_read_the_same),
        cmocka_unit_test(where_asked_a_bad_picture_ends_it),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests_name("recalibrate on photographs", tests, make_folder,
                                       remove_folder);
}
