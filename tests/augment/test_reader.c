// Pictures are read no smaller than what is made of them.
#include "augment/reader.h"
#include "base/memory.h"
#include "data/fixtures.h"
#include "image/image.h"
#include "image/jpeg_write.h"

enum { PICTURE = 64, INPUT = 32, VOLUME = 3 * INPUT * INPUT };

static rn_samples *make_set(const char *folder)
{
    uint8_t *bytes;
    size_t size;
    rn_image *image;
    rn_samples *set;

    assert_int_equal(rn_image_create(&image, 3, PICTURE, PICTURE), RN_OK);
    for (int i = 0; i < 3 * PICTURE * PICTURE; i++)
        image->pixels[i] = (uint8_t)(i * 37 + i / 9 * 11);
    assert_int_equal(rn_image_encode_jpeg(&bytes, &size, image, 90), RN_OK);
    assert_int_equal(rn_folder_create(fixture_path(folder, "a")), RN_OK);
    fixture_write(folder, "a/1.jpg", bytes, size);
    assert_int_equal(rn_data_open(&set, folder, RN_SPLIT_TRAIN), RN_OK);
    rn_image_free(image);
    rn_free(bytes);
    return set;
}

// Sides of RN_CROP_RESIZE that are shorter than the input's become the input's.
static void test_short_sides(void **state)
{
    static float read[VOLUME], expected[VOLUME];
    const rn_augment augment = {.crop = RN_CROP_RESIZE, .resize_low = 8, .resize_high = 8};
    const rn_augment_where where = {.seed = 1};
    char *folder = fixture_folder();
    rn_samples *set = make_set(folder);
    rn_preprocess *preprocess;
    rn_image *whole;
    rn_reader reader;

    (void)state;
    assert_int_equal(
        rn_preprocess_create(&preprocess, RN_NORMALIZE_NONE, 3, INPUT, INPUT, NULL, NULL), RN_OK);
    assert_int_equal(rn_photos_decode(&whole, set->photos, 0, NULL), RN_OK);
    assert_int_equal(rn_preprocess_photo(preprocess, expected, whole, &augment, &where), RN_OK);
    assert_int_equal(rn_reader_init(&reader, set, preprocess), RN_OK);
    assert_int_equal(rn_reader_input(&reader, read, &augment, &where), RN_OK);
    assert_memory_equal(read, expected, sizeof read);
    rn_reader_release(&reader);
    rn_image_free(whole);
    rn_preprocess_free(preprocess);
    rn_samples_free(set);
    fixture_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_short_sides)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
