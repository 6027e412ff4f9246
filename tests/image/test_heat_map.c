// Heat maps: colours that order by lightness, and values where they belong.
#include "resnet/image.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static double luminance(const uint8_t rgb[3])
{
    const double weight[] = {0.2126, 0.7152, 0.0722};
    double sum = 0;

    for (int c = 0; c < 3; c++)
        sum += weight[c] * pow(rgb[c] / 255.0, 2.2);
    return sum;
}

static void colors_become_lighter(void **state)
{
    (void)state;
    uint8_t rgb[3], beyond[3];
    double before = -1;

    for (int i = 0; i <= 32; i++) {
        rn_heat_color(rgb, i / 32.0);
        assert_true(luminance(rgb) > before);
        before = luminance(rgb);
    }
    assert_true(before > 0.7);
    rn_heat_color(beyond, 7);
    assert_memory_equal(rgb, beyond, 3);
    rn_heat_color(rgb, 0);
    rn_heat_color(beyond, -1);
    assert_memory_equal(rgb, beyond, 3);
}

enum { WIDTH = 40, HEIGHT = 20 };

// 2 x 2 values over the right half of a gray picture, the largest below right.
static void values_lie_in_their_window(void **state)
{
    (void)state;
    uint8_t pixels[WIDTH * HEIGHT], color[3];
    const float values[] = {0, 0, 0, 8};
    rn_image image = {1, HEIGHT, WIDTH, pixels}, *drawn;
    rn_heat_map map = {values, 2, 2, {20, 0, 20, 20}, 1};

    memset(pixels, 100, sizeof pixels);
    assert_int_equal(rn_heat_map_draw(&drawn, &image, &map), RN_OK);
    assert_int_equal(drawn->channels, 3);
    assert_int_equal(drawn->width, WIDTH);
    const uint8_t *at = drawn->pixels;
    for (int c = 0; c < 3; c++)
        assert_int_equal(at[c], 50); // outside
    rn_heat_color(color, 0);
    assert_memory_equal(at + 20 * 3, color, 3);
    rn_heat_color(color, 1);
    assert_memory_equal(at + (19 * WIDTH + 39) * 3, color, 3);
    // Half way between two centres half of the value, but for half a pixel.
    uint8_t low[3], high[3];
    rn_heat_color(low, 0.4);
    rn_heat_color(high, 0.6);
    double middle = luminance(at + (19 * WIDTH + 30) * 3);
    assert_true(middle > luminance(low) && middle < luminance(high));
    rn_image_free(drawn);
}

static void opacity_blends(void **state)
{
    (void)state;
    uint8_t pixels[] = {10, 20, 30};
    const float values[] = {3}; // one value: the colour of 0
    rn_image image = {3, 1, 1, pixels}, *drawn;
    rn_heat_map map = {values, 1, 1, {0, 0, 1, 1}, 0};
    uint8_t color[3];

    assert_int_equal(rn_heat_map_draw(&drawn, &image, &map), RN_OK);
    assert_memory_equal(drawn->pixels, pixels, 3);
    rn_image_free(drawn);
    map.opacity = 1;
    assert_int_equal(rn_heat_map_draw(&drawn, &image, &map), RN_OK);
    rn_heat_color(color, 0);
    assert_memory_equal(drawn->pixels, color, 3);
    rn_image_free(drawn);
}

static void bad_maps_are_refused(void **state)
{
    (void)state;
    uint8_t pixels[] = {10, 20, 30};
    const float values[] = {3};
    rn_image image = {3, 1, 1, pixels}, *drawn;
    rn_heat_map map = {values, 1, 1, {0, 0, 1, 1}, 2};

    assert_int_equal(rn_heat_map_draw(&drawn, &image, &map), RN_EINVAL);
    assert_null(drawn);
    map = (rn_heat_map){values, 0, 1, {0, 0, 1, 1}, 1};
    assert_int_equal(rn_heat_map_draw(&drawn, &image, &map), RN_EINVAL);
    map = (rn_heat_map){values, 1, 1, {0, 0, 0, 1}, 1};
    assert_int_equal(rn_heat_map_draw(&drawn, &image, &map), RN_EINVAL);
    image.channels = 2;
    assert_int_equal(rn_heat_map_draw(&drawn, &image, &map), RN_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colors_become_lighter),
        cmocka_unit_test(values_lie_in_their_window),
        cmocka_unit_test(opacity_blends),
        cmocka_unit_test(bad_maps_are_refused),
    };

    return cmocka_run_group_tests_name("heat_map", tests, NULL, NULL);
}
