// Changes of pixels with given parameters, against torchvision's.
#include "augment/pixels.h"
#include "augment/rand_augment.h"

#include "augment/golden_transforms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_BYTES = 2048 };

typedef struct picture {
    uint8_t room[2][MOST_BYTES];
    rn_pixels pixels;
} picture;

// The formula of golden_transforms.py. What is in the spare picture must not matter.
static void make_picture(picture *p, int channels, int width, int height)
{
    p->pixels = (rn_pixels){channels, height, width, p->room[0], p->room[1]};
    assert_true(width * height * channels <= MOST_BYTES);
    memset(p->room, 171, sizeof p->room);
    for (int i = 0; i < width * height * channels; i++) {
        int c = i % channels, x = i / channels % width, y = i / channels / width;
        int value = x * x * 7 + y * 13 + c * 29 + x * y * 5 + (x / 3 + y / 2) % 2 * 64;
        p->room[0][i] = (uint8_t)(20 + value % 197);
    }
}

// How far the bytes may lie from torchvision's: rounding of float differs where it ends up by one.
static void compare(const char *name, const picture *p, const uint8_t *expected)
{
    const rn_pixels *pixels = &p->pixels;

    for (int i = 0; i < pixels->channels * pixels->width * pixels->height; i++) {
        if (abs(pixels->bytes[i] - expected[i]) > 1)
            fail_msg("%s: byte %d is %d, torchvision's is %d", name, i, pixels->bytes[i],
                     expected[i]);
    }
}

static void apply(rn_pixels *pixels, const char *name, double value)
{
    if (strcmp(name, "brightness") == 0)
        rn_pixels_brightness(pixels, (float)value);
    else if (strcmp(name, "contrast") == 0)
        rn_pixels_contrast(pixels, (float)value);
    else if (strcmp(name, "saturation") == 0)
        rn_pixels_saturation(pixels, (float)value);
    else if (strcmp(name, "hue") == 0)
        rn_pixels_hue(pixels, value);
    else if (strcmp(name, "sharpness") == 0)
        rn_pixels_sharpness(pixels, (float)value);
    else if (strcmp(name, "posterize") == 0)
        rn_pixels_posterize(pixels, (int)value);
    else if (strcmp(name, "solarize") == 0)
        rn_pixels_solarize(pixels, value);
    else if (strcmp(name, "autocontrast") == 0)
        rn_pixels_autocontrast(pixels);
    else if (strcmp(name, "equalize") == 0)
        rn_pixels_equalize(pixels);
    else if (strcmp(name, "rotate") == 0)
        rn_pixels_rotate(pixels, value);
    else
        fail_msg("%s is no transform", name);
}

static void test_transforms_are_torchvisions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof golden_directs / sizeof *golden_directs; i++) {
        const golden_direct *g = &golden_directs[i];
        picture p;
        make_picture(&p, g->channels, g->width, g->height);
        apply(&p.pixels, g->name, g->value);
        compare(g->name, &p, g->expected);
    }
}

static rn_operation operation_named(const char *name)
{
    static const char *const names[RN_OPERATIONS] = {
        "Identity",  "ShearX",     "ShearY",       "TranslateX", "TranslateY",
        "Rotate",    "Brightness", "Color",        "Contrast",   "Sharpness",
        "Posterize", "Solarize",   "AutoContrast", "Equalize",
    };

    for (int i = 0; i < RN_OPERATIONS; i++) {
        if (strcmp(name, names[i]) == 0)
            return (rn_operation)i;
    }
    fail_msg("%s is no operation", name);
    return RN_IDENTITY;
}

static void test_rand_augment_is_torchvisions(void **state)
{
    int seen[RN_OPERATIONS] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof golden_randoms / sizeof *golden_randoms; i++) {
        const golden_random *g = &golden_randoms[i];
        rn_operation operation = operation_named(g->name);
        picture p;
        make_picture(&p, g->channels, g->width, g->height);
        rn_rand_augment_apply(&p.pixels, operation, g->magnitude, g->opposite != 0);
        compare(g->name, &p, g->expected);
        seen[operation]++;
    }
    for (int i = 0; i < RN_OPERATIONS; i++)
        assert_true(seen[i] > 0);
}

// At magnitude 0 nothing changes but by those that have none.
static void test_nothing_at_magnitude_0(void **state)
{
    (void)state;
    for (int i = RN_IDENTITY; i < RN_AUTOCONTRAST; i++) {
        picture p, before;
        make_picture(&p, 3, 7, 6);
        make_picture(&before, 3, 7, 6);
        rn_rand_augment_apply(&p.pixels, (rn_operation)i, 0, true);
        assert_memory_equal(p.pixels.bytes, before.room[0], 7 * 6 * 3);
    }
}

// Nothing may read or write outside of the smallest pictures.
static void test_small_pictures(void **state)
{
    static const int sizes[][2] = {{1, 1}, {1, 3}, {3, 1}, {2, 2}, {3, 3}};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int channels = 1; channels <= 3; channels += 2) {
            for (int operation = 0; operation < RN_OPERATIONS * 2; operation++) {
                size_t bytes = (size_t)(sizes[i][0] * sizes[i][1] * channels);
                uint8_t *room = calloc(2, bytes);
                assert_non_null(room);
                rn_pixels pixels = {channels, sizes[i][1], sizes[i][0], room, room + bytes};
                rn_rand_augment_apply(&pixels, (rn_operation)(operation / 2), RN_STRONGEST,
                                      operation % 2 == 1);
                rn_pixels_hue(&pixels, 0.25);
                free(room);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transforms_are_torchvisions),
        cmocka_unit_test(test_rand_augment_is_torchvisions),
        cmocka_unit_test(test_nothing_at_magnitude_0),
        cmocka_unit_test(test_small_pictures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
