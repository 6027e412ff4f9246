// Pictures come in the order of their names, whoever decodes them.
#include "data/photo_files.h"
#include "image/fail_allocation.h"
#include "resnet/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIDE = 4, COUNT = 500 };

typedef struct source {
    int given, count;
    int fail_at; // -1: never
} source;

static rn_status next(char **name, void *context)
{
    source *s = context;
    char text[32];

    if (s->given == s->fail_at)
        return rn_error(RN_EIO, "list broke at %d", s->given);
    snprintf(text, sizeof text, "%d", s->given);
    *name = s->given < s->count ? strdup(text) : NULL;
    s->given++;
    return RN_OK;
}

// A picture whose gray is its number; every seventh cannot be decoded.
static rn_status open_number(rn_image **out, const char *name, void *context)
{
    int number = atoi(name);
    char path[64];

    (void)context;
    *out = NULL;
    if (number % 7 == 3)
        return rn_error(RN_EFORMAT, "number %d is bad", number);
    if (number % 5 == 0)
        usleep(200); // others overtake
    snprintf(path, sizeof path, "/tmp/resnet-pictures-%ld-%d.pgm", (long)getpid(), number);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "P5 2 2 255\n%c%c%c%c", number % 256, number % 256, number % 256, number % 256);
    fclose(file);
    rn_status st = rn_image_open(out, path);
    remove(path);
    return st;
}

static rn_preprocess *preprocess;

static rn_pictures *start(source *s, int workers, int ahead, bool keep)
{
    rn_pictures *pictures;
    rn_pictures_options options = {.workers = workers,
                                   .ahead = ahead,
                                   .keep = keep,
                                   .next = next,
                                   .open = open_number,
                                   .context = s};

    assert_int_equal(rn_pictures_create(&pictures, preprocess, &options), RN_OK);
    return pictures;
}

static void check_one(const rn_picture *picture, int number, bool keep)
{
    assert_non_null(picture);
    assert_int_equal(atoi(picture->name), number);
    if (number % 7 == 3) {
        assert_int_equal(picture->status, RN_EFORMAT);
        assert_non_null(strstr(picture->message, "is bad"));
        assert_null(picture->input);
        return;
    }
    assert_int_equal(picture->status, RN_OK);
    assert_true(picture->input[SIDE * SIDE - 1] == (float)(number % 256) / 255);
    assert_true((picture->image != NULL) == keep);
}

static void run_all(int workers, int ahead, bool keep)
{
    source s = {.count = COUNT, .fail_at = -1};
    rn_pictures *pictures = start(&s, workers, ahead, keep);
    const rn_picture *picture;

    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(rn_pictures_next(pictures, &picture), RN_OK);
        check_one(picture, i, keep);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rn_pictures_next(pictures, &picture), RN_OK);
        assert_null(picture);
    }
    rn_pictures_free(pictures);
}

static void order_is_that_of_names(void **state)
{
    (void)state;
    run_all(1, 1, false);
    run_all(3, 2, true);
    run_all(8, 64, false);
}

static void failing_source_ends_the_sequence(void **state)
{
    (void)state;
    source s = {.count = COUNT, .fail_at = 11};
    rn_pictures *pictures = start(&s, 4, 8, false);
    const rn_picture *picture;

    for (int i = 0; i < 11; i++) {
        assert_int_equal(rn_pictures_next(pictures, &picture), RN_OK);
        check_one(picture, i, false);
    }
    assert_int_equal(rn_pictures_next(pictures, &picture), RN_EIO);
    assert_string_equal(rn_error_message(), "list broke at 11");
    assert_null(picture);
    rn_pictures_free(pictures);
}

static void can_be_left_early(void **state)
{
    (void)state;
    source s = {.count = COUNT, .fail_at = -1};
    rn_pictures *pictures = start(&s, 4, 8, true);
    const rn_picture *picture;

    assert_int_equal(rn_pictures_next(pictures, &picture), RN_OK);
    rn_pictures_free(pictures);
    assert_true(s.given <= 1 + 8 + 1 + 4); // no further ahead than asked for
    rn_pictures_free(NULL);
}

static void options_out_of_range_are_named(void **state)
{
    (void)state;
    rn_pictures *pictures;
    rn_pictures_options options = {.next = next, .workers = 65};

    assert_int_equal(rn_pictures_create(&pictures, preprocess, &options), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "65"));
    options = (rn_pictures_options){.next = next, .ahead = -1};
    assert_int_equal(rn_pictures_create(&pictures, preprocess, &options), RN_EINVAL);
    assert_null(pictures);
}

// A folder of gray pictures whose value is their number, and one that is none.
static void make_set(const char *folder)
{
    char name[64], text[64];

    for (int i = 0; i < 9; i++) {
        snprintf(name, sizeof name, "c%d/%d.pgm", i / 4, i);
        snprintf(text, sizeof text, "P2 2 2 255 %d %d %d %d\n", i, i, i, i);
        photo_text(folder, name, i == 5 ? "nonsense" : text);
    }
}

static void check_set(const rn_samples *set, int workers, int ahead)
{
    const rn_pictures_options options = {.workers = workers, .ahead = ahead, .samples = set};
    const rn_picture *picture;
    rn_pictures *pictures;

    assert_int_equal(rn_pictures_create(&pictures, preprocess, &options), RN_OK);
    for (size_t i = 0; i < set->count; i++) {
        assert_int_equal(rn_pictures_next(pictures, &picture), RN_OK);
        assert_int_equal(picture->index, i);
        assert_string_equal(picture->name,
                            set->photos != NULL ? rn_photos_name(set->photos, i) : "");
        assert_int_equal(picture->status, i == 5 ? RN_EFORMAT : RN_OK);
        if (i == 5)
            assert_non_null(strstr(picture->message, "'c1/5.pgm'"));
        else
            assert_true(picture->input[SIDE * SIDE - 1] == (float)i / 255);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rn_pictures_next(pictures, &picture), RN_OK);
        assert_null(picture);
    }
    rn_pictures_free(pictures);
}

static void pictures_of_a_set(void **state)
{
    char *folder = fixture_folder();
    rn_samples *set;

    (void)state;
    make_set(folder);
    assert_int_equal(rn_data_open(&set, folder, RN_SPLIT_TRAIN), RN_OK);
    check_set(set, 1, 1);
    check_set(set, 4, 3);
    fixture_remove(folder);
    rn_samples_free(set);
}

static void images_in_memory_too(void **state)
{
    static uint8_t pixels[3 * SIDE * SIDE];
    rn_samples set = {3, 1, SIDE, SIDE, 1, pixels, NULL, NULL, NULL, "images"};
    rn_pictures *pictures;

    (void)state;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i / (SIDE * SIDE));
    check_set(&set, 2, 2);
    set.height = SIDE + 1;
    assert_int_equal(
        rn_pictures_create(&pictures, preprocess, &(rn_pictures_options){.samples = &set}),
        RN_EINVAL);
    assert_null(pictures);
    assert_non_null(strstr(rn_error_message(), "1 x 5 x 4"));
}

static void every_allocation_may_fail(void **state)
{
    source s = {.count = 0, .fail_at = -1};
    const rn_pictures_options options = {.workers = 2, .ahead = 2, .next = next, .context = &s};
    fail_allocation plan = {.hit = true};
    int which;

    (void)state;
    for (which = 0; plan.hit; which++) {
        rn_pictures *pictures;
        fail_allocation_start(&plan, which);
        rn_status st = rn_pictures_create(&pictures, preprocess, &options);
        fail_allocation_stop();
        assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
        assert_true((pictures == NULL) == plan.hit);
        rn_pictures_free(pictures);
    }
    assert_int_equal(which, 1 + (1 + 3) + 2 + 1); // all, items, the ring, and none
}

static int set_up(void **state)
{
    (void)state;
    return rn_preprocess_create(&preprocess, RN_NORMALIZE_NONE, 1, SIDE, SIDE, NULL, NULL) != RN_OK;
}

static int tear_down(void **state)
{
    (void)state;
    rn_preprocess_free(preprocess);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_that_of_names),
        cmocka_unit_test(failing_source_ends_the_sequence),
        cmocka_unit_test(can_be_left_early),
        cmocka_unit_test(options_out_of_range_are_named),
        cmocka_unit_test(pictures_of_a_set),
        cmocka_unit_test(images_in_memory_too),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests_name("pictures", tests, set_up, tear_down);
}
