// Batches of encoded pictures: what is read depends on nothing but its place, and what cannot be
// read is told of once and replaced, or ends the training.
#include "data/fixtures.h"
#include "resnet/batch.h"
#include "resnet/store.h"

#include <math.h>
enum { PICTURES = 23, SIDE = 12, VOLUME = 3 * SIDE * SIDE, BATCH = 10, BATCHES = 9 };

static char *folder;
static rn_preprocess *preprocess;

// A picture of one colour, told by its number, and of a size of its own.
static void write_picture(const char *name, int number, size_t most)
{
    static uint8_t file[64 + 3 * 40 * 40];
    int width = 9 + number % 20, height = 30 - number % 17;
    size_t size = (size_t)snprintf((char *)file, 64, "P6 %d %d 255\n", width, height);

    for (int i = 0; i < width * height; i++) {
        file[size++] = (uint8_t)(10 * number);
        file[size++] = (uint8_t)(255 - 10 * number);
        file[size++] = (uint8_t)number;
    }
    fixture_write(folder, name, file, size < most ? size : most);
}

static int make_pictures(void **state)
{
    char name[64];

    (void)state;
    folder = fixture_folder();
    for (int c = 0; c < 2; c++) {
        snprintf(name, sizeof name, "class%d", c);
        assert_int_equal(rn_folder_create(fixture_path(folder, name)), RN_OK);
    }
    for (int i = 0; i < PICTURES; i++) {
        snprintf(name, sizeof name, "class%d/%02d.ppm", i % 2, i);
        write_picture(name, i, SIZE_MAX);
    }
    return rn_preprocess_create(&preprocess, RN_NORMALIZE_NONE, 3, SIDE, SIDE, NULL, NULL) == RN_OK
               ? 0
               : -1;
}

static int free_pictures(void **state)
{
    (void)state;
    fixture_remove(folder);
    rn_preprocess_free(preprocess);
    return 0;
}

static rn_samples *open_set(void)
{
    rn_samples *set = NULL;

    if (rn_data_open(&set, folder, RN_SPLIT_TRAIN) != RN_OK)
        fail_msg("%s", rn_error_message());
    assert_int_equal(set->count, PICTURES);
    return set;
}

static const rn_loader_options options = {
    .batch = BATCH, .seed = 3, .augment = {.crop = RN_CROP_AREA, .flip = true}, .depth = 2};

// All batches' inputs and labels, and how many bad pictures were told of.
typedef struct walk {
    float images[BATCHES][BATCH * VOLUME];
    int32_t labels[BATCHES][BATCH];
    int told;
} walk;

static void walk_through(walk *out, const rn_samples *set, int workers)
{
    rn_loader *loader = NULL;
    rn_loader_options full = options;
    rn_batch batch;
    char *text;

    full.workers = workers;
    assert_int_equal(rn_loader_create(&loader, set, preprocess, &full), RN_OK);
    out->told = 0;
    for (int i = 0; i < BATCHES; i++) {
        if (rn_loader_next(loader, &batch) != RN_OK)
            fail_msg("%s", rn_error_message());
        memcpy(out->images[i], batch.images, sizeof out->images[i]);
        memcpy(out->labels[i], batch.labels, sizeof out->labels[i]);
        while ((text = rn_loader_bad_picture(loader)) != NULL) {
            assert_non_null(strstr(text, ".ppm'"));
            out->told++;
            rn_text_free(text);
        }
    }
    rn_loader_free(loader);
}

// Which picture a row shows, by its colour.
static int number_of(const float *row)
{
    return (int)(255 * row[VOLUME - 1] + 0.5f);
}

static void pictures_come_with_their_labels(void **state)
{
    static walk one, three;
    int seen[PICTURES] = {0};

    (void)state;
    rn_samples *set = open_set();
    walk_through(&one, set, 1);
    walk_through(&three, set, 3);
    assert_memory_equal(&one, &three, sizeof one);
    assert_int_equal(one.told, 0);
    for (int i = 0; i < BATCHES * BATCH; i++) {
        const float *row = one.images[i / BATCH] + (size_t)(i % BATCH) * VOLUME;
        int number = number_of(row);
        assert_in_range(number, 0, PICTURES - 1);
        assert_int_equal(one.labels[i / BATCH][i % BATCH], number % 2);
        assert_true(fabs(row[0] * 255.0 - 10.0 * number) < 1);
        seen[number]++;
    }
    for (int i = 0; i < PICTURES; i++) // 90 rows are three epochs and 21 more
        assert_in_range(seen[i], 3, 4);
    rn_samples_free(set);
}

static void bad_pictures_are_named_once_and_replaced(void **state)
{
    static walk one, three;

    (void)state;
    write_picture("class1/07.ppm", 7, 100); // cut off
    write_picture("class0/08.ppm", 8, 0);
    rn_samples *set = open_set();
    walk_through(&one, set, 1);
    walk_through(&three, set, 3);
    assert_memory_equal(one.images, three.images, sizeof one.images);
    assert_memory_equal(one.labels, three.labels, sizeof one.labels);
    assert_int_equal(one.told, 2);
    assert_int_equal(three.told, 2);
    for (int i = 0; i < BATCHES * BATCH; i++) {
        int number = number_of(one.images[i / BATCH] + (size_t)(i % BATCH) * VOLUME);
        assert_true(number != 7 && number != 8);
        assert_int_equal(one.labels[i / BATCH][i % BATCH], number % 2);
    }
    rn_samples_free(set);
    write_picture("class1/07.ppm", 7, SIZE_MAX);
    write_picture("class0/08.ppm", 8, SIZE_MAX);
}

// Batches before the bad picture are whole; which batch that is the order decides.
static void a_bad_picture_stops_where_asked(void **state)
{
    rn_loader *loader = NULL;
    rn_loader_options stop = options;
    rn_batch batch;
    rn_status st = RN_OK;
    int whole = -1;

    (void)state;
    write_picture("class1/07.ppm", 7, 100);
    rn_samples *set = open_set();
    stop.bad_images = RN_BAD_IMAGES_STOP;
    stop.workers = 3;
    assert_int_equal(rn_loader_create(&loader, set, preprocess, &stop), RN_OK);
    for (; st == RN_OK; whole++)
        st = rn_loader_next(loader, &batch);
    assert_int_equal(st, RN_EFORMAT);
    assert_non_null(strstr(rn_error_message(), "07.ppm"));
    assert_in_range(whole, 0, PICTURES / BATCH);
    assert_int_equal(rn_loader_next(loader, &batch), RN_EFORMAT);
    rn_loader_free(loader);
    rn_samples_free(set);
    write_picture("class1/07.ppm", 7, SIZE_MAX);
}

static void a_set_without_one_good_picture_ends(void **state)
{
    rn_loader *loader = NULL;
    rn_batch batch;
    char name[64];

    (void)state;
    rn_samples *set = open_set();
    for (int i = 0; i < PICTURES; i++) {
        snprintf(name, sizeof name, "class%d/%02d.ppm", i % 2, i);
        write_picture(name, i, 20);
    }
    assert_int_equal(rn_loader_create(&loader, set, preprocess, &options), RN_OK);
    assert_int_equal(rn_loader_next(loader, &batch), RN_EFORMAT);
    assert_non_null(strstr(rn_error_message(), "none of the 23 pictures"));
    rn_loader_free(loader);
    rn_samples_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_come_with_their_labels),
        cmocka_unit_test(bad_pictures_are_named_once_and_replaced),
        cmocka_unit_test(a_bad_picture_stops_where_asked),
        cmocka_unit_test(a_set_without_one_good_picture_ends),
    };

    return cmocka_run_group_tests_name("loader of photographs", tests, make_pictures,
                                       free_pictures);
}
