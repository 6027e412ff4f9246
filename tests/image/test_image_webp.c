#include "image/image.h"
#include "image/make_webp.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static rn_image *decode(picture_file file)
{
    rn_image *image;
    int width, height, channels;

    if (rn_image_decode(&image, file.bytes, file.size, NULL) != RN_OK)
        fail_msg("%s", rn_error_message());
    assert_int_equal(rn_image_probe(&width, &height, &channels, file.bytes, file.size), RN_OK);
    assert_int_equal(width, image->width);
    assert_int_equal(height, image->height);
    assert_int_equal(channels, image->channels);
    free(file.bytes);
    return image;
}

static void check(const webp_plan *plan, int tolerance)
{
    rn_image *image = decode(make_webp(plan));

    assert_int_equal(image->channels, 3);
    assert_int_equal(image->width, plan->width);
    assert_int_equal(image->height, plan->height);
    for (int i = 0; i < plan->width * plan->height * 3; i++) {
        int x = i / 3 % plan->width, y = i / 3 / plan->width;
        int alpha = plan->alpha ? webp_sample(plan, x, y, 3) : 255;
        int expected = (webp_sample(plan, x, y, i % 3) * alpha + 255 * (255 - alpha) + 127) / 255;
        if (abs(image->pixels[i] - expected) > tolerance)
            fail_msg("lossless %d, alpha %d: value %d is %d, expected %d", plan->lossless,
                     plan->alpha, i, image->pixels[i], expected);
    }
    rn_image_free(image);
}

static void test_kinds(void **state)
{
    (void)state;
    for (int alpha = 0; alpha < 2; alpha++) {
        check(&(webp_plan){13, 9, true, alpha != 0, NULL, 0}, 0);
        check(&(webp_plan){1, 1, true, alpha != 0, NULL, 0}, 0);
        check(&(webp_plan){37, 21, false, alpha != 0, NULL, 0}, 24);
        check(&(webp_plan){1, 1, false, alpha != 0, NULL, 0}, 24);
    }
}

static void test_orientation(void **state)
{
    uint8_t block[32] = "Exif\0";

    (void)state;
    make_exif(block + 6, 6, 1);
    for (int prefixed = 0; prefixed < 2; prefixed++) {
        for (int lossless = 0; lossless < 2; lossless++) {
            const webp_plan plan = {
                16, 9, lossless != 0, false, prefixed ? block : block + 6, prefixed ? 32 : 26};
            rn_image *image = decode(make_webp(&plan));
            assert_int_equal(image->width, 9);
            assert_int_equal(image->height, 16);
            // The upright picture's first row is the stored one's first column, from below.
            if (lossless)
                assert_int_equal(image->pixels[0], webp_sample(&plan, 0, 8, 0));
            rn_image_free(image);
        }
    }
}

// An odd chunk is followed by a byte that does not count; damaged EXIF leaves the picture whole.
static void test_odd_chunks(void **state)
{
    const webp_plan plan = {6, 5, true, false, (const uint8_t *)"Exif", 4};
    uint8_t block[26];
    rn_image *image;

    (void)state;
    make_exif(block, 8, 0);
    image = decode(make_webp(&plan));
    assert_int_equal(image->width, 6);
    rn_image_free(image);
    picture_file file = make_webp(&(webp_plan){6, 5, true, false, NULL, 0});
    picture_file extended = webp_container(6, 5, WEBP_EXIF);
    webp_append(&extended, (const char *)file.bytes + 12, file.bytes + 20, file.size - 20);
    webp_append(&extended, "ABCD", (const uint8_t *)"odd", 3);
    webp_append(&extended, "EXIF", block, sizeof block);
    image = decode(extended);
    assert_int_equal(image->width, 5);
    rn_image_free(image);
    free(file.bytes);
}

static void refuse(picture_file file, uint64_t max_pixels, const char *message)
{
    const rn_decode_options options = {.max_pixels = max_pixels};
    rn_image *image = (rn_image *)&file;

    assert_int_equal(rn_image_decode(&image, file.bytes, file.size, &options), RN_EFORMAT);
    assert_null(image);
    if (strstr(rn_error_message(), message) == NULL)
        fail_msg("'%s' lacks '%s'", rn_error_message(), message);
    free(file.bytes);
}

static void test_refused(void **state)
{
    const webp_plan plan = {13, 9, true, false, NULL, 0};

    (void)state;
    refuse(make_webp_animation(&plan), 0, "is an animation");
    refuse(make_webp(&plan), 13 * 9 - 1, "picture is 13 x 9");
    refuse(webp_container(13, 9, 0), 0, "WebP is damaged");
    picture_file cut = make_webp(&plan);
    cut.size -= 2;
    refuse(cut, 0, "ends early");
    // What the frame says is not what the container says.
    picture_file bare = make_webp(&plan), other = webp_container(14, 9, 0);
    webp_append(&other, (const char *)bare.bytes + 12, bare.bytes + 20, bare.size - 20);
    refuse(other, 0, "WebP is damaged");
    free(bare.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_orientation),
        cmocka_unit_test(test_odd_chunks),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
