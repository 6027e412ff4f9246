#include "image/image.h"
#include "image/make_picture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static picture_file upright_jpeg(int width, int height)
{
    return make_jpeg(&(jpeg_plan){width, height, 3, JCS_RGB, JCS_YCbCr, 90, 0, 0, NULL, 0});
}

static picture_file rotated_jpeg(int width, int height)
{
    uint8_t exif[32] = "Exif\0";

    make_exif(exif + 6, 6, 0);
    return make_jpeg(&(jpeg_plan){width, height, 3, JCS_RGB, JCS_YCbCr, 90, 0, 0, exif, 32});
}

static void check_probe(picture_file file, int expected_width, int expected_height, int colours)
{
    int width, height, channels;
    rn_image *image;

    assert_int_equal(rn_image_probe(&width, &height, &channels, file.bytes, file.size), RN_OK);
    assert_int_equal(width, expected_width);
    assert_int_equal(height, expected_height);
    assert_int_equal(channels, colours);
    assert_int_equal(rn_image_decode(&image, file.bytes, file.size, NULL), RN_OK);
    assert_int_equal(image->width, width);
    assert_int_equal(image->height, height);
    assert_int_equal(image->channels, channels);
    rn_image_free(image);
    free(file.bytes);
}

static picture_file pnm_file(const char *text)
{
    return (picture_file){(uint8_t *)strdup(text), strlen(text)};
}

static void test_probe(void **state)
{
    uint8_t exif[26];

    (void)state;
    make_exif(exif, 8, 1);
    check_probe(upright_jpeg(33, 20), 33, 20, 3);
    check_probe(rotated_jpeg(33, 20), 20, 33, 3);
    check_probe(make_jpeg(&(jpeg_plan){9, 7, 1, JCS_GRAYSCALE, JCS_GRAYSCALE, 90, 1, 0, NULL, 0}),
                9, 7, 1);
    check_probe(make_jpeg(&(jpeg_plan){9, 7, 4, JCS_CMYK, JCS_YCCK, 90, 0, 0, NULL, 0}), 9, 7, 3);
    check_probe(make_png(&(png_plan){5, 4, 4, PNG_COLOR_TYPE_PALETTE, 1, 0, -1, exif, 26}), 4, 5,
                3);
    check_probe(make_png(&(png_plan){5, 4, 16, PNG_COLOR_TYPE_GRAY_ALPHA, 2, 1, -1, NULL, 0}), 5, 4,
                1);
    check_probe(pnm_file("P3 2 1 255 1 2 3 4 5 6"), 2, 1, 3);
    check_probe(pnm_file("P2 3 1 9 1 2 3"), 3, 1, 1);
}

static void test_probe_of_no_picture(void **state)
{
    int width = 7, height = 7, channels = 7;

    (void)state;
    assert_int_equal(rn_image_probe(&width, &height, &channels, (const uint8_t *)"GIF", 3),
                     RN_EFORMAT);
    assert_true(width == 0 && height == 0 && channels == 0);
    assert_int_equal(
        rn_image_probe(&width, &height, &channels, (const uint8_t *)"P6 0 4 255\n", 11),
        RN_EFORMAT);
}

// A limit is met exactly by the picture's own size, and does not keep its header from being read.
static void test_pixel_limit(void **state)
{
    picture_file files[] = {upright_jpeg(13, 9),
                            make_png(&(png_plan){13, 9, 8, PNG_COLOR_TYPE_RGB, 3, 0, -1, NULL, 0}),
                            pnm_file("P2 13 9 0001 0 1 0 1 0 1")};
    rn_image *image;

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const rn_decode_options below = {.max_pixels = 13 * 9 - 1}, exact = {.max_pixels = 13 * 9};
        image = (rn_image *)files;
        assert_int_equal(rn_image_decode(&image, files[i].bytes, files[i].size, &below),
                         RN_EFORMAT);
        assert_null(image);
        assert_string_equal(rn_error_message(),
                            "picture is 13 x 9, expected 1 to 116 pixels in all");
        rn_status st = rn_image_decode(&image, files[i].bytes, files[i].size, &exact);
        assert_int_equal(st, i < 2 ? RN_OK : RN_EFORMAT); // the last one is cut off
        if (st != RN_OK)
            assert_non_null(strstr(rn_error_message(), "bytes of pixels"));
        rn_image_free(image);
        free(files[i].bytes);
    }
}

// The user's limit holds where the caller has none.
static void test_limit_of_the_environment(void **state)
{
    static const char *const wrong[] = {"0", "-1", "2147483648", "1e6", "64 ", "x"};
    picture_file file = pnm_file("P2 2 2 9 1 2 3 4");
    const rn_decode_options own = {.max_pixels = 4};
    rn_image *image;

    (void)state;
    setenv("RESNET_MAX_PIXELS", "3", 1);
    assert_int_equal(rn_image_decode(&image, file.bytes, file.size, NULL), RN_EFORMAT);
    assert_string_equal(rn_error_message(), "picture is 2 x 2, expected 1 to 3 pixels in all");
    assert_int_equal(rn_image_decode(&image, file.bytes, file.size, &own), RN_OK);
    rn_image_free(image);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        setenv("RESNET_MAX_PIXELS", wrong[i], 1);
        image = (rn_image *)&file;
        assert_int_equal(rn_image_decode(&image, file.bytes, file.size, NULL), RN_EINVAL);
        assert_null(image);
        assert_non_null(strstr(rn_error_message(), "RESNET_MAX_PIXELS"));
    }
    setenv("RESNET_MAX_PIXELS", "", 1);
    assert_int_equal(rn_image_decode(&image, file.bytes, file.size, NULL), RN_OK);
    rn_image_free(image);
    unsetenv("RESNET_MAX_PIXELS");
    free(file.bytes);
}

static void test_options_out_of_range(void **state)
{
    static const rn_decode_options bad[] = {{1ull << 31, 0, 0}, {0, -1, 0}, {0, 0, -1}};
    rn_image *image;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(rn_image_decode(&image, (const uint8_t *)"P2 1 1 1 1", 10, &bad[i]),
                         RN_EINVAL);
}

// Mean absolute difference between a picture and the box average of one `times` as large.
static double difference(const rn_image *small, const rn_image *large, int times)
{
    double sum = 0;

    for (int i = 0; i < small->width * small->height * 3; i++) {
        int c = i % 3, x = i / 3 % small->width * times, y = i / 3 / small->width * times;
        int total = 0;
        for (int k = 0; k < times * times; k++)
            total += large->pixels[((y + k / times) * large->width + x + k % times) * 3 + c];
        sum += abs(total / (times * times) - small->pixels[i]);
    }
    return sum / (small->width * small->height * 3);
}

static void check_cover(picture_file file, int cover_width, int cover_height, int times)
{
    const rn_decode_options options = {0, cover_width, cover_height};
    rn_image *small, *large;

    assert_int_equal(rn_image_decode(&large, file.bytes, file.size, NULL), RN_OK);
    assert_int_equal(rn_image_decode(&small, file.bytes, file.size, &options), RN_OK);
    if (small->width != large->width / times || small->height != large->height / times)
        fail_msg("%d x %d to cover %d x %d became %d x %d, expected 1/%d", large->width,
                 large->height, cover_width, cover_height, small->width, small->height, times);
    assert_true(difference(small, large, times) < 1.5);
    rn_image_free(small);
    rn_image_free(large);
}

static void test_cover(void **state)
{
    picture_file upright = upright_jpeg(320, 160), rotated = rotated_jpeg(320, 160);

    (void)state;
    check_cover(upright, 20, 10, 8);
    check_cover(upright, 21, 10, 4);
    check_cover(upright, 20, 11, 4);
    check_cover(upright, 40, 20, 4);
    check_cover(upright, 41, 20, 2);
    check_cover(upright, 80, 40, 2);
    check_cover(upright, 81, 40, 1);
    check_cover(upright, INT32_MAX, INT32_MAX, 1);
    check_cover(upright, 20, 0, 8);
    check_cover(upright, 0, 41, 1);
    check_cover(rotated, 10, 20, 8);
    check_cover(rotated, 20, 10, 4);
    free(upright.bytes);
    free(rotated.bytes);
}

// Sides that are no multiple are rounded up.
static void test_cover_odd_size(void **state)
{
    const rn_decode_options options = {0, 2, 2};
    picture_file file = upright_jpeg(101, 67);
    rn_image *image;

    (void)state;
    assert_int_equal(rn_image_decode(&image, file.bytes, file.size, &options), RN_OK);
    assert_int_equal(image->width, 13);
    assert_int_equal(image->height, 9);
    rn_image_free(image);
    free(file.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_probe),
        cmocka_unit_test(test_probe_of_no_picture),
        cmocka_unit_test(test_pixel_limit),
        cmocka_unit_test(test_limit_of_the_environment),
        cmocka_unit_test(test_options_out_of_range),
        cmocka_unit_test(test_cover),
        cmocka_unit_test(test_cover_odd_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
