#include "image/jpeg_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "image/fail_allocation.h"
#include "resnet/image.h"

#include <stdlib.h>
#include <string.h>

// Smooth, so that JPEG keeps it well; the colours differ.
static rn_image *gradient(int channels, int width, int height)
{
    rn_image *image;

    assert_int_equal(RN_NEW(&image, 1), RN_OK);
    *image = (rn_image){channels, height, width, NULL};
    assert_int_equal(RN_NEW(&image->pixels, (size_t)(channels * width * height)), RN_OK);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++)
                image->pixels[(y * width + x) * channels + c] = (uint8_t)(40 + x * (c + 1) + y);
    return image;
}

static void check_round_trip(int channels, int width, int height, int quality, int tolerance)
{
    rn_image *image = gradient(channels, width, height), *back;
    uint8_t *bytes, *again;
    size_t size, same;

    assert_int_equal(rn_image_encode_jpeg(&bytes, &size, image, quality), RN_OK);
    assert_int_equal(rn_image_encode_jpeg(&again, &same, image, quality), RN_OK);
    assert_int_equal(size, same);
    assert_memory_equal(bytes, again, size);
    assert_int_equal(rn_image_decode(&back, bytes, size, NULL), RN_OK);
    assert_int_equal(back->channels, channels);
    assert_int_equal(back->width, width);
    assert_int_equal(back->height, height);
    for (int i = 0; i < channels * width * height; i++)
        assert_true(abs(back->pixels[i] - image->pixels[i]) <= tolerance);
    rn_free(bytes);
    rn_free(again);
    rn_image_free(back);
    rn_image_free(image);
}

static void test_round_trip(void **state)
{
    (void)state;
    check_round_trip(1, 31, 17, 95, 3);
    check_round_trip(3, 31, 17, 95, 8);
    check_round_trip(3, 1, 1, 100, 2);
    check_round_trip(1, 5, 40, 30, 20);
}

static void test_quality_decides_the_size(void **state)
{
    rn_image *image = gradient(3, 60, 60);
    size_t sizes[3];
    uint8_t *bytes;

    (void)state;
    srand(1);
    for (int i = 0; i < 3 * 60 * 60; i++)
        image->pixels[i] = (uint8_t)(image->pixels[i] + rand() % 20);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(rn_image_encode_jpeg(&bytes, &sizes[i], image, (int[]){10, 75, 98}[i]),
                         RN_OK);
        rn_free(bytes);
    }
    assert_true(sizes[0] + 300 < sizes[1] && sizes[1] + 300 < sizes[2]);
    rn_image_free(image);
}

static void test_refused(void **state)
{
    rn_image *image = gradient(1, 8, 8);
    rn_image wide = {1, 1, 70000, NULL};
    uint8_t *bytes = (uint8_t *)image;
    size_t size;

    (void)state;
    assert_int_equal(rn_image_encode_jpeg(&bytes, &size, image, 0), RN_EINVAL);
    assert_null(bytes);
    assert_int_equal(rn_image_encode_jpeg(&bytes, &size, image, 101), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "101"));
    assert_int_equal(RN_NEW(&wide.pixels, 70000), RN_OK);
    assert_int_equal(rn_image_encode_jpeg(&bytes, &size, &wide, 90), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "70000"));
    fail_allocation plan;
    fail_allocation_start(&plan, 0);
    rn_status st = rn_image_encode_jpeg(&bytes, &size, image, 90);
    fail_allocation_stop();
    assert_int_equal(st, RN_ENOMEM);
    assert_null(bytes);
    rn_free(wide.pixels);
    rn_image_free(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_quality_decides_the_size),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
