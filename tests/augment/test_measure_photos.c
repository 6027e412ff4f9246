// Mean and deviation over photographs.
#include "data/fixtures.h"
#include "image/image.h"
#include "resnet/augment.h"

#include <math.h>

enum { PHOTOS = 3, HEIGHT = 4, WIDTH = 5, PLANE = HEIGHT * WIDTH, VOLUME = 3 * PLANE };

static const rn_input_shape shape = {3, HEIGHT, WIDTH};

static rn_image *make_picture(int index)
{
    rn_image *image;

    assert_int_equal(rn_image_create(&image, 3, 9 + index, 17 - 3 * index), RN_OK);
    for (int i = 0; i < image->width * image->height * 3; i++)
        image->pixels[i] = (uint8_t)(i * (7 + index) + i / 13 * 31);
    return image;
}

static void save(const rn_image *image, const char *folder, int index)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%d", folder, index % 2);
    assert_int_equal(rn_folder_create(path), RN_OK);
    snprintf(path, sizeof path, "%s/%d/%d.png", folder, index % 2, index);
    assert_int_equal(rn_image_save(image, path), RN_OK);
}

// The same views as images of one size.
static void add_view(uint8_t *planes, const rn_image *image)
{
    float values[VOLUME];
    rn_preprocess *plain;

    assert_int_equal(rn_preprocess_create(&plain, RN_NORMALIZE_NONE, 3, HEIGHT, WIDTH, NULL, NULL),
                     RN_OK);
    assert_int_equal(rn_preprocess_image(plain, values, image), RN_OK);
    for (int i = 0; i < VOLUME; i++)
        planes[i] = (uint8_t)lrintf(values[i] * 255.0f);
    rn_preprocess_free(plain);
}

static void check(const rn_samples *photos, const rn_samples *views, rn_normalize normalize)
{
    rn_preprocess *found, *expected;

    assert_int_equal(rn_preprocess_measure_photos(&found, photos, normalize, shape), RN_OK);
    assert_int_equal(rn_preprocess_measure(&expected, views, normalize), RN_OK);
    assert_int_equal(found->height, HEIGHT);
    assert_int_equal(found->width, WIDTH);
    assert_int_equal(found->entries, expected->entries);
    assert_memory_equal(found->mean, expected->mean, found->entries * sizeof(float));
    assert_memory_equal(found->deviation, expected->deviation, found->entries * sizeof(float));
    rn_preprocess_free(found);
    rn_preprocess_free(expected);
}

static void test_measures_views(void **state)
{
    const char *folder = fixture_folder();
    uint8_t planes[PHOTOS * VOLUME];
    rn_samples views = {
        .count = PHOTOS, .channels = 3, .height = HEIGHT, .width = WIDTH, .images = planes};
    rn_samples *photos;
    rn_preprocess *p;

    (void)state;
    for (int i = 0; i < PHOTOS; i++) {
        rn_image *image = make_picture(i);
        save(image, folder, i);
        add_view(planes + i * VOLUME, image);
        rn_image_free(image);
    }
    assert_int_equal(rn_data_open(&photos, folder, RN_SPLIT_TRAIN), RN_OK);
    assert_int_equal(photos->count, PHOTOS);
    for (int normalize = 0; normalize <= RN_NORMALIZE_IMAGENET; normalize++)
        check(photos, &views, (rn_normalize)normalize);
    assert_int_equal(rn_preprocess_measure_photos(&p, &views, RN_NORMALIZE_PIXEL, shape),
                     RN_EINVAL);
    assert_int_equal(rn_preprocess_measure_photos(&p, photos, RN_NORMALIZE_CHANNEL,
                                                  (rn_input_shape){1, HEIGHT, WIDTH}),
                     RN_OK); // colours that the network sees in gray
    assert_int_equal(p->channels, 1);
    assert_int_equal(p->entries, 1);
    rn_preprocess_free(p);
    assert_int_equal(rn_preprocess_measure_photos(&p, photos, RN_NORMALIZE_CHANNEL,
                                                  (rn_input_shape){2, HEIGHT, WIDTH}),
                     RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "channels")); // not: no memory
    fixture_write(folder, "1/1.png", "no picture", 10);
    assert_int_equal(rn_preprocess_measure_photos(&p, photos, RN_NORMALIZE_PIXEL, shape),
                     RN_OK); // of the others
    rn_preprocess_free(p);
    photos->count = 1;
    fixture_write(folder, rn_photos_name(photos->photos, 0), "no picture", 10);
    assert_int_equal(rn_preprocess_measure_photos(&p, photos, RN_NORMALIZE_PIXEL, shape),
                     RN_EFORMAT);
    assert_null(p);
    assert_non_null(strstr(rn_error_message(), "none of 1 pictures"));
    photos->count = PHOTOS;
    rn_samples_free(photos);
    fixture_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_measures_views)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
