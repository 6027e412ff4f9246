#include "augment/golden_views.h"
#include "resnet/augment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_names(void **state)
{
    rn_protocol protocol;

    (void)state;
    for (int i = 0; i <= RN_PROTOCOL_MULTI_SCALE; i++) {
        assert_int_equal(rn_protocol_parse(&protocol, rn_protocol_name((rn_protocol)i)), RN_OK);
        assert_int_equal(protocol, i);
    }
    assert_null(rn_protocol_name((rn_protocol)4));
    assert_null(rn_protocol_name((rn_protocol)-1));
    assert_int_equal(rn_protocol_parse(&protocol, "multiscale"), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "did you mean 'multi-scale'"));
    assert_int_equal(rn_protocol_parse(&protocol, "zzzzzzzzzz"), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "expected whole, single, ten or multi-scale"));
}

static void same_cut(const rn_cut *cut, rn_cut expected)
{
    assert_int_equal(cut->resized_height, expected.resized_height);
    assert_int_equal(cut->resized_width, expected.resized_width);
    assert_int_equal(cut->top, expected.top);
    assert_int_equal(cut->left, expected.left);
    assert_int_equal(cut->height, expected.height);
    assert_int_equal(cut->width, expected.width);
    assert_int_equal(cut->mirror, expected.mirror);
}

static void check_cut(const rn_cut *cut, const golden_views *g, const int corner[2], bool mirror)
{
    same_cut(cut, (rn_cut){.resized_height = g->resized_height,
                           .resized_width = g->resized_width,
                           .top = corner[0],
                           .left = corner[1],
                           .height = g->crop,
                           .width = g->crop,
                           .mirror = mirror});
}

static void test_torchvision(void **state)
{
    rn_cut cuts[RN_MAX_CUTS];
    int count;

    (void)state;
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        const golden_views *g = &golden[i];
        rn_views views = {.protocol = RN_PROTOCOL_SINGLE,
                          .resize = g->resize,
                          .crop_height = g->crop,
                          .crop_width = g->crop};
        assert_int_equal(rn_views_list(cuts, &count, &views, g->height, g->width), RN_OK);
        assert_int_equal(count, 1);
        check_cut(&cuts[0], g, g->corner[0], false);
        views.protocol = RN_PROTOCOL_TEN;
        assert_int_equal(rn_views_list(cuts, &count, &views, g->height, g->width), RN_OK);
        assert_int_equal(count, 10);
        for (int v = 0; v < count; v++)
            check_cut(&cuts[v], g, g->corner[1 + v], v >= 5);
    }
}

static void test_usual_sizes(void **state)
{
    static const int sides[][2] = {{224, 298}, {256, 341}, {384, 512}, {480, 640}, {640, 853}};
    rn_cut cuts[RN_MAX_CUTS];
    rn_views views = {.protocol = RN_PROTOCOL_MULTI_SCALE, .mirror = true};
    int count;

    (void)state;
    assert_int_equal(rn_views_list(cuts, &count, &views, 375, 500), RN_OK);
    assert_int_equal(count, 10);
    for (int i = 0; i < count; i++) {
        assert_int_equal(cuts[i].height, sides[i / 2][0]);
        assert_int_equal(cuts[i].width, sides[i / 2][1]);
        assert_int_equal(cuts[i].resized_height, cuts[i].height);
        assert_int_equal(cuts[i].resized_width, cuts[i].width);
        assert_int_equal(cuts[i].top + cuts[i].left, 0);
        assert_int_equal(cuts[i].mirror, i % 2 == 1);
    }
    views = (rn_views){.protocol = RN_PROTOCOL_SINGLE, .mirror = true};
    assert_int_equal(rn_views_list(cuts, &count, &views, 375, 500), RN_OK);
    assert_int_equal(count, 2);
    assert_int_equal(cuts[0].resized_height, 256);
    assert_int_equal(cuts[1].width, 224);
    assert_int_equal(cuts[1].left, cuts[0].left); // the same window, mirrored
    assert_true(cuts[1].mirror);
    views = (rn_views){0};
    assert_int_equal(rn_views_list(cuts, &count, &views, 31, 77), RN_OK);
    assert_int_equal(count, 1);
    assert_int_equal(cuts[0].height, 31);
    assert_int_equal(cuts[0].resized_width, 77);
}

static void expect_cut(rn_views views, int height, int width, rn_cut expected)
{
    rn_cut cuts[RN_MAX_CUTS];
    int count;

    assert_int_equal(rn_views_list(cuts, &count, &views, height, width), RN_OK);
    same_cut(&cuts[0], expected);
}

// The shorter side is resized to the crop's shorter one / ratio, or further, to cover the crop.
static void test_oblong(void **state)
{
    const rn_views views = rn_views_centre(32, 48, 0);
    rn_cut cuts[RN_MAX_CUTS];
    int count;

    (void)state;
    assert_int_equal(views.resize, 37);
    expect_cut(views, 100, 150, (rn_cut){37, 55, 2, 4, 32, 48, false});
    expect_cut(views, 150, 100, (rn_cut){72, 48, 20, 0, 32, 48, false});
    expect_cut(views, 100, 110, (rn_cut){43, 48, 6, 0, 32, 48, false});
    expect_cut(rn_views_centre(48, 32, 1), 100, 150, (rn_cut){48, 72, 0, 20, 48, 32, false});
    rn_views ten = views;
    ten.protocol = RN_PROTOCOL_TEN;
    assert_int_equal(rn_views_list(cuts, &count, &ten, 150, 100), RN_OK);
    assert_int_equal(cuts[3].top, 72 - 32);
    assert_int_equal(cuts[3].left, 0);
}

static void test_centre(void **state)
{
    (void)state;
    assert_int_equal(rn_views_centre(224, 224, 0).resize, 256);
    assert_int_equal(rn_views_centre(32, 32, 0).resize, 37);
    assert_int_equal(rn_views_centre(96, 96, 0).resize, 110);
    assert_int_equal(rn_views_centre(160, 160, 0.8).resize, 200);
    assert_int_equal(rn_views_centre(224, 224, 1e-9).resize, RN_LARGEST_SCALE);
    assert_int_equal(rn_views_centre(32, 48, 0).crop_width, 48);
}

static void refuse(rn_views views, int height, int width, const char *message)
{
    rn_cut cuts[RN_MAX_CUTS];
    int count;

    assert_int_equal(rn_views_list(cuts, &count, &views, height, width), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), message));
}

static void test_refused(void **state)
{
    (void)state;
    refuse((rn_views){.protocol = (rn_protocol)4}, 9, 9, "protocol 4");
    refuse((rn_views){.filter = (rn_resize_filter)2}, 9, 9, "resize filter 2");
    refuse((rn_views){.protocol = RN_PROTOCOL_TEN, .resize = -1}, 9, 9, "is -1 pixels");
    refuse((rn_views){.protocol = RN_PROTOCOL_TEN, .resize = 4097}, 9, 9, "expected 1 to 4096");
    refuse((rn_views){.protocol = RN_PROTOCOL_SINGLE, .crop_height = 257, .crop_width = 257}, 9, 9,
           "side of the crop is 257 pixels, expected 1 to 256");
    refuse((rn_views){.protocol = RN_PROTOCOL_SINGLE, .crop_height = 4097}, 9, 9,
           "side of the crop is 4097 pixels, expected 1 to 4096");
    refuse(rn_views_centre(1, 4096, 0), 1 << 28, 1, "over 268435456 pixels");
    refuse((rn_views){.protocol = RN_PROTOCOL_MULTI_SCALE, .scale_count = 17}, 9, 9, "17 scales");
    refuse((rn_views){.protocol = RN_PROTOCOL_MULTI_SCALE, .scale_count = 2, .scales = {9, 0}}, 9,
           9, "shorter side of a scale is 0");
    refuse((rn_views){0}, 0, 9, "height of the picture is 0");
    refuse((rn_views){0}, 9, -1, "width of the picture is -1");
    refuse((rn_views){0}, 9, 4097, "view is 4097 x 9 pixels");
    refuse((rn_views){.protocol = RN_PROTOCOL_MULTI_SCALE}, 9, 100, "view is 4266 x 384 pixels");
    refuse((rn_views){.protocol = RN_PROTOCOL_SINGLE}, 1 << 28, 1, "over 268435456 pixels");
}

enum { HEIGHT = 4, WIDTH = 5 };

static uint8_t pixels[HEIGHT * WIDTH * 3];
static const rn_image picture = {3, HEIGHT, WIDTH, pixels};

static void number_pixels(void)
{
    for (int i = 0; i < HEIGHT * WIDTH * 3; i++)
        pixels[i] = (uint8_t)(i * 4);
}

static void test_cut_by_channel(void **state)
{
    const float mean[] = {0.1f, 0.2f, 0.3f}, deviation[] = {0.5f, 0.25f, 2.0f};
    rn_cut cut = {HEIGHT, WIDTH, 1, 2, 2, 3, false};
    rn_preprocess *preprocess;
    float dst[3 * 2 * 3];

    (void)state;
    number_pixels();
    // the model's own input has another size
    assert_int_equal(
        rn_preprocess_create(&preprocess, RN_NORMALIZE_CHANNEL, 3, 7, 7, mean, deviation), RN_OK);
    for (int mirror = 0; mirror < 2; mirror++) {
        cut.mirror = mirror == 1;
        assert_int_equal(rn_preprocess_cut(preprocess, dst, &picture, &cut), RN_OK);
        for (int i = 0; i < 18; i++) {
            int c = i / 6, y = 1 + i / 3 % 2, x = mirror == 1 ? 4 - i % 3 : 2 + i % 3;
            float value = (float)pixels[(y * WIDTH + x) * 3 + c] / 255.0f;
            assert_true(dst[i] == (value - mean[c]) / deviation[c]);
        }
    }
    rn_preprocess_free(preprocess);
}

static void test_cut_by_pixel(void **state)
{
    float mean[3 * 2 * 3], dst[3 * 2 * 3];
    rn_cut cut = {HEIGHT, WIDTH, 2, 0, 2, 3, true};
    rn_preprocess *preprocess;

    (void)state;
    number_pixels();
    for (int i = 0; i < 18; i++)
        mean[i] = (float)i;
    assert_int_equal(
        rn_preprocess_create(&preprocess, RN_NORMALIZE_PIXEL_MEAN, 3, 2, 3, mean, NULL), RN_OK);
    assert_int_equal(rn_preprocess_cut(preprocess, dst, &picture, &cut), RN_OK);
    for (int i = 0; i < 18; i++) {
        int c = i / 6, y = i / 3 % 2, x = 2 - i % 3; // normalised, then mirrored
        float value = (float)pixels[((2 + y) * WIDTH + x) * 3 + c] / 255.0f;
        assert_true(dst[i] == value - mean[c * 6 + y * 3 + x]);
    }
    cut.width = 2;
    assert_int_equal(rn_preprocess_cut(preprocess, dst, &picture, &cut), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "each pixel of 3 x 2"));
    rn_preprocess_free(preprocess);
}

static void test_long_rows(void **state)
{
    enum { LONG = 523 };
    uint8_t row[LONG];
    const rn_image image = {1, 1, LONG, row};
    const rn_cut cut = {1, LONG, 0, 1, 1, LONG - 1, true};
    float mean[LONG - 1], dst[LONG - 1];
    rn_preprocess *preprocess;

    (void)state;
    for (int i = 0; i < LONG; i++)
        row[i] = (uint8_t)(i * 7);
    for (int i = 0; i < LONG - 1; i++)
        mean[i] = (float)i;
    assert_int_equal(
        rn_preprocess_create(&preprocess, RN_NORMALIZE_PIXEL_MEAN, 1, 1, LONG - 1, mean, NULL),
        RN_OK);
    assert_int_equal(rn_preprocess_cut(preprocess, dst, &image, &cut), RN_OK);
    for (int i = 0; i < LONG - 1; i++) // place i of the image shows in the mirrored place
        assert_true(dst[LONG - 2 - i] == (float)row[i + 1] / 255.0f - mean[i]);
    rn_preprocess_free(preprocess);
}

static void test_cut_refused(void **state)
{
    rn_preprocess *gray, *colour;
    rn_cut cut = {HEIGHT, WIDTH, 0, 0, HEIGHT, WIDTH, false};
    float dst[3 * HEIGHT * WIDTH];

    (void)state;
    assert_int_equal(rn_preprocess_create(&gray, RN_NORMALIZE_NONE, 1, 4, 5, NULL, NULL), RN_OK);
    assert_int_equal(rn_preprocess_create(&colour, RN_NORMALIZE_NONE, 3, 4, 5, NULL, NULL), RN_OK);
    assert_int_equal(rn_preprocess_cut(gray, dst, &picture, &cut), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "picture is 3 x 4 x 5, expected 1 x 4 x 5"));
    cut.left = 1;
    assert_int_equal(rn_preprocess_cut(colour, dst, &picture, &cut), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "leaves the picture"));
    cut = (rn_cut){HEIGHT, WIDTH, -1, 0, 2, 2, false};
    assert_int_equal(rn_preprocess_cut(colour, dst, &picture, &cut), RN_EINVAL);
    rn_preprocess_free(gray);
    rn_preprocess_free(colour);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),          cmocka_unit_test(test_torchvision),
        cmocka_unit_test(test_usual_sizes),    cmocka_unit_test(test_oblong),
        cmocka_unit_test(test_centre),         cmocka_unit_test(test_refused),
        cmocka_unit_test(test_cut_by_channel), cmocka_unit_test(test_cut_by_pixel),
        cmocka_unit_test(test_long_rows),      cmocka_unit_test(test_cut_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
