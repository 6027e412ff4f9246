// A loader whose inputs change in size: each batch is what a loader of that size alone gives.
#include "augment/resized.h"
#include "data/fixtures.h"
#include "image/fail_allocation.h"
#include "resnet/batch.h"
#include "resnet/image.h"
#include "resnet/store.h"

enum {
    COUNT = 23,
    SIDE = 12,
    SMALL = 8,
    CHANNELS = 3,
    VOLUME = CHANNELS * SIDE * SIDE,
    SMALL_VOLUME = CHANNELS * SMALL * SMALL,
    BATCH = 10,
    BATCHES = 9,
    CHANGE = 4 // iteration
};

static char *folder;
static uint8_t pixels[COUNT][SIDE * SIDE][CHANNELS]; // of pictures
static uint8_t planes[COUNT * VOLUME], small_planes[COUNT * SMALL_VOLUME];
static int32_t labels[COUNT];
static rn_preprocess *full, *small;

static void to_planes(uint8_t *dst, const uint8_t *src, int side)
{
    for (int c = 0; c < CHANNELS; c++)
        for (int i = 0; i < side * side; i++)
            *dst++ = src[i * CHANNELS + c];
}

// Some picture; the same as a file, as planes, and as planes of the smaller size.
static void make_picture(int number)
{
    uint8_t file[64 + sizeof pixels[0]];
    size_t header = (size_t)snprintf((char *)file, 64, "P6 %d %d 255\n", SIDE, SIDE);
    char name[64];
    rn_image image = {CHANNELS, SIDE, SIDE, pixels[number][0]}, *resized = NULL;

    for (int i = 0; i < SIDE * SIDE; i++)
        for (int c = 0; c < CHANNELS; c++)
            pixels[number][i][c] = (uint8_t)(number * 11 + (i * i % 97) * 2 + c * 40);
    to_planes(planes + number * VOLUME, pixels[number][0], SIDE);
    assert_int_equal(
        rn_image_resize(&resized, &image, &(rn_resize_options){.width = SMALL, .height = SMALL}),
        RN_OK);
    to_planes(small_planes + number * SMALL_VOLUME, resized->pixels, SMALL);
    rn_image_free(resized);
    memcpy(file + header, pixels[number], sizeof pixels[number]);
    snprintf(name, sizeof name, "class%d/%02d.ppm", number % 2, number);
    fixture_write(folder, name, file, header + sizeof pixels[number]);
    labels[number] = number % 2;
}

static int make_pictures(void **state)
{
    const float mean[CHANNELS] = {0.4f, 0.5f, 0.6f}, deviation[CHANNELS] = {0.2f, 0.25f, 0.3f};

    (void)state;
    folder = fixture_folder();
    assert_int_equal(rn_folder_create(fixture_path(folder, "class0")), RN_OK);
    assert_int_equal(rn_folder_create(fixture_path(folder, "class1")), RN_OK);
    for (int i = 0; i < COUNT; i++)
        make_picture(i);
    assert_int_equal(
        rn_preprocess_create(&full, RN_NORMALIZE_CHANNEL, CHANNELS, SIDE, SIDE, mean, deviation),
        RN_OK);
    assert_int_equal(
        rn_preprocess_create(&small, RN_NORMALIZE_CHANNEL, CHANNELS, SMALL, SMALL, mean, deviation),
        RN_OK);
    return 0;
}

static int free_pictures(void **state)
{
    (void)state;
    fixture_remove(folder);
    rn_preprocess_free(full);
    rn_preprocess_free(small);
    return 0;
}

static rn_samples images(int side)
{
    return (rn_samples){.name = "images",
                        .count = COUNT,
                        .channels = CHANNELS,
                        .height = side,
                        .width = side,
                        .classes = 2,
                        .images = side == SIDE ? planes : small_planes,
                        .labels = labels};
}

static rn_loader *create(const rn_samples *set, const rn_preprocess *preprocess,
                         const rn_loader_options *options)
{
    rn_loader *loader = NULL;

    if (rn_loader_create(&loader, set, preprocess, options) != RN_OK)
        fail_msg("%s", rn_error_message());
    return loader;
}

static void assert_same_batch(const rn_batch *a, const rn_batch *b, int side)
{
    assert_int_equal(a->height, side);
    assert_int_equal(a->width, side);
    assert_int_equal(a->iteration, b->iteration);
    assert_memory_equal(a->images, b->images,
                        (size_t)(BATCH * CHANNELS * side * side) * sizeof(float));
    assert_memory_equal(a->labels, b->labels, BATCH * sizeof *a->labels);
    assert_true(a->share == b->share);
    if (b->labels_b != NULL)
        assert_memory_equal(a->labels_b, b->labels_b, BATCH * sizeof *a->labels_b);
}

// From iteration `first` on: small up to CHANGE, then full; beside a loader of each size.
static void compare(const rn_samples *set, const rn_samples *small_set,
                    const rn_loader_options *plain, uint64_t first, int workers)
{
    const rn_input_change changes[] = {{0, small, plain->augment}, {CHANGE, full, plain->augment}};
    rn_loader_options options = *plain;
    rn_batch batch, expected;

    options.first = first;
    rn_loader *large = create(set, full, &options), *little = create(small_set, small, &options);
    options.workers = workers;
    options.changes = changes;
    options.change_count = 2;
    rn_loader *loader = create(set, full, &options);
    for (uint64_t i = first; i < BATCHES; i++) {
        rn_batch other;
        assert_int_equal(rn_loader_next(loader, &batch), RN_OK);
        assert_int_equal(rn_loader_next(large, &expected), RN_OK);
        assert_int_equal(rn_loader_next(little, &other), RN_OK);
        if (i < CHANGE)
            assert_same_batch(&batch, &other, SMALL);
        else
            assert_same_batch(&batch, &expected, SIDE);
    }
    rn_loader_free(loader);
    rn_loader_free(large);
    rn_loader_free(little);
}

static const rn_augment padded = {.pad = 2, .flip = true, .erase = 0.5};
static const rn_augment area = {.crop = RN_CROP_AREA, .flip = true, .brightness = 0.3};

static void images_are_resized_whole_and_then_padded(void **state)
{
    const rn_samples large = images(SIDE), little = images(SMALL);

    (void)state;
    for (int workers = 1; workers <= 3; workers += 2)
        for (uint64_t first = 0; first <= CHANGE; first += 2)
            compare(&large, &little,
                    &(rn_loader_options){
                        .batch = BATCH, .seed = 3, .augment = padded, .mix = {.cutmix = 1}},
                    first, workers);
}

static void photographs_are_cut_to_the_size(void **state)
{
    rn_samples *set = NULL;

    (void)state;
    assert_int_equal(rn_data_open(&set, folder, RN_SPLIT_TRAIN), RN_OK);
    compare(set, set, &(rn_loader_options){.batch = BATCH, .seed = 3, .augment = area}, 0, 3);
    compare(set, set, &(rn_loader_options){.batch = BATCH, .seed = 3, .augment = area}, 3, 1);
    rn_samples_free(set);
}

// Part and size in one resize: what rn_preprocess_photo() makes of the whole picture.
static void images_are_cut_like_photographs(void **state)
{
    const rn_samples set = images(SIDE);
    const rn_input_change change = {0, small, area};
    const rn_loader_options options = {.batch = COUNT, .changes = &change, .change_count = 1};
    rn_loader *loader = create(&set, full, &options);
    rn_batch batch;

    (void)state;
    assert_int_equal(rn_loader_next(loader, &batch), RN_OK);
    int found = 0;
    for (int i = 0; i < COUNT; i++) {
        float values[SMALL_VOLUME];
        const void *expected = values;
        rn_image image = {CHANNELS, SIDE, SIDE, pixels[i][0]};
        assert_int_equal(
            rn_preprocess_photo(small, values, &image, &area,
                                &(rn_augment_where){.epoch = 0, .sample = (uint32_t)i}),
            RN_OK);
        for (int row = 0; row < COUNT; row++) {
            const void *made = batch.images + row * SMALL_VOLUME;
            found += memcmp(made, expected, sizeof values) == 0;
        }
    }
    assert_int_equal(found, COUNT);
    rn_loader_free(loader);
}

static void refuse(const rn_input_change *changes, int count, const char *message)
{
    const rn_samples set = images(SIDE);
    const rn_loader_options options = {.batch = 1, .changes = changes, .change_count = count};
    rn_loader *loader = (rn_loader *)planes;

    fixture_expect(rn_loader_create(&loader, &set, full, &options), RN_EINVAL, message, NULL);
    assert_null(loader);
}

static void changes_must_fit(void **state)
{
    rn_preprocess *gray = NULL;

    (void)state;
    assert_int_equal(rn_preprocess_create(&gray, RN_NORMALIZE_NONE, 1, SMALL, SMALL, NULL, NULL),
                     RN_OK);
    refuse((rn_input_change[]){{5, small, padded}, {4, full, padded}}, 2,
           "at iteration 4 after a change at 5, expected rising");
    refuse((rn_input_change[]){{5, gray, padded}}, 1, "from 3 channels to 1");
    refuse((rn_input_change[]){{5, small, {.pad = 65}}}, 1, "padding is 65");
    refuse(NULL, -1, "change -1 times, expected 0 to 16");
    refuse(NULL, 17, "change 17 times");
    rn_preprocess_free(gray);
}

static void resizing_may_fail_at_every_allocation(void **state)
{
    static const rn_augment *const both[] = {&padded, &area};
    const rn_samples set = images(SIDE);
    float dst[SMALL_VOLUME];

    (void)state;
    for (int i = 0; i < 2; i++) {
        rn_status st = RN_ENOMEM;
        for (int which = 0; st != RN_OK; which++) {
            fail_allocation plan;
            rn_augment_where where = {.sample = 1};
            assert_int_equal(rn_scratch_create(&where.scratch), RN_OK);
            fail_allocation_start(&plan, which);
            st = rn_preprocess_resized(small, dst, &set, both[i], &where);
            fail_allocation_stop();
            assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
            rn_scratch_free(where.scratch);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_are_resized_whole_and_then_padded),
        cmocka_unit_test(photographs_are_cut_to_the_size),
        cmocka_unit_test(images_are_cut_like_photographs),
        cmocka_unit_test(changes_must_fit),
        cmocka_unit_test(resizing_may_fail_at_every_allocation),
    };

    return cmocka_run_group_tests_name("loader of several sizes", tests, make_pictures,
                                       free_pictures);
}
