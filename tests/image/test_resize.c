#include "resnet/augment.h"

#include "image/fail_allocation.h"
#include "image/golden_resize.h"
#include "image/image.h"
#include "image/resize.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_VALUES = 256 };

// The formula of golden_resize.py.
static rn_image *make_picture(int channels, int width, int height)
{
    rn_image *image;

    assert_int_equal(rn_image_create(&image, channels, width, height), RN_OK);
    for (int i = 0; i < width * height * channels; i++) {
        unsigned c = (unsigned)(i % channels), x = (unsigned)(i / channels % width);
        unsigned y = (unsigned)(i / channels / width); // unsigned: the products may overflow
        image->pixels[i] =
            (uint8_t)(x * x * 7 + y * 13 + c * 29 + x * y * 5 + (x / 3 + y / 2) % 2 * 128);
    }
    return image;
}

static void compare(const golden_case *golden, const uint8_t *found)
{
    for (int i = 0; i < golden->to_channels * golden->to_width * golden->to_height; i++) {
        if (found[i] != golden->expected[i])
            fail_msg("%s: value %d is %d, Pillow's is %d", golden->name, i, found[i],
                     golden->expected[i]);
    }
}

static void test_resize_is_pillows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof golden_resizes / sizeof *golden_resizes; i++) {
        const golden_case *g = &golden_resizes[i];
        uint8_t found[MOST_VALUES];
        rn_image *image = make_picture(g->channels, g->width, g->height);
        const rn_resize_axis axes[2] = {{g->width, g->to_width, 0, g->to_width},
                                        {g->height, g->to_height, 0, g->to_height}};
        assert_int_equal(rn_resize_filtered(found, g->to_channels, image, axes, RN_RESIZE_BILINEAR),
                         RN_OK);
        compare(g, found);
        rn_image_free(image);
    }
}

static void test_parts_are_pillows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof golden_parts / sizeof *golden_parts; i++) {
        const golden_case *g = &golden_parts[i].sizes;
        rn_resize_options options = {
            g->to_width, g->to_height, g->to_channels, golden_parts[i].filter, {0}};
        rn_image *resized, *image = make_picture(g->channels, g->width, g->height);
        memcpy(options.box, golden_parts[i].box, sizeof options.box);
        assert_int_equal(rn_image_resize(&resized, image, &options), RN_OK);
        assert_int_equal(resized->channels, g->to_channels);
        assert_int_equal(resized->width, g->to_width);
        assert_int_equal(resized->height, g->to_height);
        compare(g, resized->pixels);
        rn_image_free(resized);
        rn_image_free(image);
    }
}

// Wide rows are resized in pieces: each must be as if it were alone.
static void test_wide_rows(void **state)
{
    enum { W = 811, H = 7, TO_W = 607, TO_H = 3 };
    const rn_resize_options options = {TO_W, TO_H, 0, RN_RESIZE_BICUBIC, {0}};
    rn_image *image = make_picture(3, W, H), *whole, *plane, *one;

    (void)state;
    assert_int_equal(rn_image_resize(&whole, image, &options), RN_OK);
    assert_int_equal(whole->channels, 3);
    assert_int_equal(rn_image_create(&plane, 1, W, H), RN_OK);
    for (int c = 0; c < 3; c++) {
        for (int i = 0; i < W * H; i++)
            plane->pixels[i] = image->pixels[3 * i + c];
        assert_int_equal(rn_image_resize(&one, plane, &options), RN_OK);
        for (int i = 0; i < TO_W * TO_H; i++)
            assert_int_equal(one->pixels[i], whole->pixels[3 * i + c]);
        rn_image_free(one);
    }
    rn_image_free(plane);
    rn_image_free(whole);
    rn_image_free(image);
}

static void test_refuses_options(void **state)
{
    static const rn_resize_options bad[] = {
        {0, 5, 0, 0, {0}},
        {5, -1, 0, 0, {0}},
        {65536, 65536, 0, 0, {0}},
        {5, 5, 2, 0, {0}},
        {5, 5, 0, (rn_resize_filter)2, {0}},
        {5, 5, 0, 0, {0, 0, 10.1f, 8}},
        {5, 5, 0, 0, {-0.1f, 0, 9, 8}},
        {5, 5, 0, 0, {3, 0, 3, 8}},
        {5, 5, 0, 0, {0, 5, 9, 4}},
        {5, 5, 0, 0, {0, 0, 9, NAN}},
        {5, 5, 0, 0, {NAN, 0, 9, 8}},
    };
    rn_image *image = make_picture(3, 10, 8);

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rn_image *resized = image;
        if (rn_image_resize(&resized, image, &bad[i]) != RN_EINVAL || resized != NULL)
            fail_msg("options %zu are taken", i);
    }
    rn_image_free(image);
}

static void test_window_is_part_of_whole(void **state)
{
    enum { W = 19, H = 11 };
    const rn_resize_axis all[2] = {{29, W, 0, W}, {31, H, 0, H}};
    uint8_t whole[W * H], part[W * H];
    rn_image *image = make_picture(1, 29, 31);

    (void)state;
    assert_int_equal(rn_resize_filtered(whole, 1, image, all, RN_RESIZE_BILINEAR), RN_OK);
    for (int left = 0; left < W; left += 3) {
        for (int top = 0; top < H; top += 2) {
            const rn_resize_axis axes[2] = {{29, W, left, W - left}, {31, H, top, H - top}};
            const int wide = W - left;
            assert_int_equal(rn_resize_filtered(part, 1, image, axes, RN_RESIZE_BILINEAR), RN_OK);
            for (int i = 0; i < wide * (H - top); i++)
                assert_int_equal(part[i], whole[(top + i / wide) * W + left + i % wide]);
        }
    }
    rn_image_free(image);
}

static void test_covering_is_pillows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof golden_covers / sizeof *golden_covers; i++) {
        const golden_case *g = &golden_covers[i];
        int plane = g->to_width * g->to_height;
        uint8_t found[MOST_VALUES] = {0};
        float dst[MOST_VALUES];
        rn_preprocess *p;
        rn_image *image = make_picture(g->channels, g->width, g->height);
        assert_int_equal(rn_preprocess_create(&p, RN_NORMALIZE_NONE, g->to_channels, g->to_height,
                                              g->to_width, NULL, NULL),
                         RN_OK);
        assert_int_equal(rn_preprocess_image(p, dst, image), RN_OK);
        for (int k = 0; k < plane * g->to_channels; k++)
            found[k % plane * g->to_channels + k / plane] = (uint8_t)(dst[k] * 255.0f + 0.5f);
        compare(g, found);
        rn_preprocess_free(p);
        rn_image_free(image);
    }
}

static void test_normalises(void **state)
{
    const float mean[3] = {0.25f, 0.5f, 0.75f}, deviation[3] = {0.5f, 1.0f, 2.0f};
    uint8_t gray[1] = {51};
    rn_image image = {1, 1, 1, gray};
    float dst[3];
    rn_preprocess *p;

    (void)state;
    assert_int_equal(rn_preprocess_create(&p, RN_NORMALIZE_CHANNEL, 3, 1, 1, mean, deviation),
                     RN_OK);
    assert_int_equal(rn_preprocess_image(p, dst, &image), RN_OK);
    for (int c = 0; c < 3; c++)
        assert_true(dst[c] == (51.0f / 255.0f - mean[c]) / deviation[c]);
    rn_preprocess_free(p);
}

// A strip of a million pixels must neither take long nor much memory, whichever way it lies.
static void test_extreme_shapes(void **state)
{
    float dst[3 * 32 * 32];
    rn_preprocess *p;

    (void)state;
    assert_int_equal(rn_preprocess_create(&p, RN_NORMALIZE_NONE, 3, 32, 32, NULL, NULL), RN_OK);
    for (int turn = 0; turn < 2; turn++) {
        rn_image *image = make_picture(3, turn ? 1 : 1000003, turn ? 1000003 : 1);
        memset(image->pixels, 200, 3 * 1000003);
        assert_int_equal(rn_preprocess_image(p, dst, image), RN_OK);
        for (int i = 0; i < 3 * 32 * 32; i++)
            assert_true(dst[i] == 200.0f / 255.0f);
        rn_image_free(image);
    }
    rn_preprocess_free(p);
}

static void test_refuses_other_channels(void **state)
{
    float dst[4];
    uint8_t pixels[4] = {0};
    rn_preprocess *two, *three;

    (void)state;
    assert_int_equal(rn_preprocess_create(&two, RN_NORMALIZE_NONE, 2, 1, 1, NULL, NULL), RN_OK);
    assert_int_equal(rn_preprocess_create(&three, RN_NORMALIZE_NONE, 3, 1, 1, NULL, NULL), RN_OK);
    assert_int_equal(rn_preprocess_image(two, dst, &(rn_image){3, 1, 1, pixels}), RN_EINVAL);
    assert_int_equal(rn_preprocess_image(three, dst, &(rn_image){4, 1, 1, pixels}), RN_EINVAL);
    assert_int_equal(rn_preprocess_image(three, dst, &(rn_image){3, 0, 1, pixels}), RN_EINVAL);
    rn_preprocess_free(two);
    rn_preprocess_free(three);
}

static void test_resize_allocation_failures(void **state)
{
    const rn_resize_options options = {5, 6, 1, RN_RESIZE_BICUBIC, {0}};
    rn_status st = RN_ENOMEM;
    rn_image *image = make_picture(3, 9, 8);
    int which;

    (void)state;
    for (which = 0; st != RN_OK; which++) {
        rn_image *resized = image;
        fail_allocation plan;
        fail_allocation_start(&plan, which);
        st = rn_image_resize(&resized, image, &options);
        fail_allocation_stop();
        assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
        assert_true((resized == NULL) == plan.hit);
        rn_image_free(resized);
    }
    assert_int_equal(which, 13);
    rn_image_free(image);
}

static void test_allocation_failures(void **state)
{
    rn_status st = RN_ENOMEM;
    rn_image *image = make_picture(3, 9, 8);
    rn_preprocess *p;
    float dst[3 * 25];
    int which;

    (void)state;
    assert_int_equal(rn_preprocess_create(&p, RN_NORMALIZE_NONE, 3, 5, 5, NULL, NULL), RN_OK);
    for (which = 0; st != RN_OK; which++) {
        fail_allocation plan;
        fail_allocation_start(&plan, which);
        st = rn_preprocess_image(p, dst, image);
        fail_allocation_stop();
        assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
    }
    assert_int_equal(which, 13);
    rn_preprocess_free(p);
    rn_image_free(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resize_is_pillows),
        cmocka_unit_test(test_parts_are_pillows),
        cmocka_unit_test(test_wide_rows),
        cmocka_unit_test(test_refuses_options),
        cmocka_unit_test(test_resize_allocation_failures),
        cmocka_unit_test(test_window_is_part_of_whole),
        cmocka_unit_test(test_covering_is_pillows),
        cmocka_unit_test(test_normalises),
        cmocka_unit_test(test_extreme_shapes),
        cmocka_unit_test(test_refuses_other_channels),
        cmocka_unit_test(test_allocation_failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
