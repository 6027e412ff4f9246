#include "image/fail_allocation.h"
#include "report/raster.h"
#include "resnet/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t *pixel(const rn_image *image, int x, int y)
{
    return image->pixels + ((size_t)y * (size_t)image->width + (size_t)x) * 3;
}

static bool is(const rn_image *image, int x, int y, uint32_t colour)
{
    const uint8_t *p = pixel(image, x, y);

    return (uint32_t)(p[0] << 16 | p[1] << 8 | p[2]) == colour;
}

static void test_letters(void **state)
{
    static const char *const rows[] = {".###.", "#...#", "#...#", "#...#",
                                       "#####", "#...#", "#...#"}; // A
    static uint8_t pixels[40 * 40 * 3];
    rn_image image = {3, 40, 40, pixels};
    rn_pen pen = {&image, 0x123456, 2, false};

    (void)state;
    rn_raster_text(&pen, 3, 5, "A");
    for (int y = 0; y < 14; y++)
        for (int x = 0; x < 10; x++)
            assert_int_equal(is(&image, 3 + x, 5 + y, 0x123456), rows[y / 2][x / 2] == '#');
    memset(pixels, 0, sizeof pixels);
    pen.upwards = true;
    rn_raster_text(&pen, 3, 30, "A");
    for (int y = 0; y < 14; y++)
        for (int x = 0; x < 10; x++)
            assert_int_equal(is(&image, 3 + y, 29 - x, 0x123456), rows[y / 2][x / 2] == '#');
    assert_int_equal(rn_raster_length(&pen, "h\xc3\xa9"),
                     2 * 12); // one question mark for two bytes
}

// Letters that lie partly or wholly outside are cut off at the border.
static void test_outside(void **state)
{
    static uint8_t pixels[8 * 8 * 3 + 2];
    rn_image image = {3, 8, 8, pixels + 1};
    rn_pen pen = {&image, 0xffffff, 3, false};

    (void)state;
    for (int at = -30; at < 30; at += 7) {
        rn_raster_text(&pen, at, -4, "\x01W\xff~");
        pen.upwards = !pen.upwards;
        rn_raster_text(&pen, 4, at, "#");
        rn_raster_fill(&pen, (rn_box){at, at, 3, -1});
    }
    assert_int_equal(pixels[0], 0);
    assert_int_equal(pixels[sizeof pixels - 1], 0);
}

static void test_matrix(void **state)
{
    static const int64_t counts[] = {7, 0, 0, 5, 5, 0, 0, 0, 0};
    static const char *const names[] = {"i", "i", "i"};
    const rn_confusion confusion = {3, counts, names};
    const int left = 8 * 3 + 18 + 12; // margins, title, a name of one letter at scale 2
    rn_image *image, *again;
    fail_allocation plan;

    (void)state;
    assert_int_equal(rn_confusion_draw(&image, &confusion), RN_OK);
    assert_int_equal(image->channels, 3);
    assert_int_equal(image->width, image->height);
    assert_true(is(image, left + 1, left + 1, 0x081848));          // all of the row
    assert_true(is(image, left + 56 + 1, left + 1, 0xffffff));     // nothing of it
    assert_true(is(image, left + 1, left + 56 + 1, 0x4285c8));     // half
    assert_true(is(image, left + 1, left + 2 * 56 + 1, 0xf0f0f0)); // of no images
    assert_true(is(image, left - 1, left + 20, 0x909090));         // frame
    assert_int_equal(rn_confusion_draw(&again, &confusion), RN_OK);
    assert_memory_equal(image->pixels, again->pixels,
                        (size_t)image->width * (size_t)image->height * 3);
    rn_image_free(again);
    rn_image_free(image);
    for (int k = 0; k < 2; k++) {
        fail_allocation_start(&plan, k);
        assert_int_equal(rn_confusion_draw(&image, &confusion), RN_ENOMEM);
        fail_allocation_stop();
        assert_null(image);
    }
}

static void draw_many(int classes)
{
    rn_image *image;
    int64_t *counts;
    const char **names;

    assert_int_equal(RN_NEW(&counts, (size_t)classes * (size_t)classes), RN_OK);
    assert_int_equal(RN_NEW(&names, (size_t)classes), RN_OK);
    for (int i = 0; i < classes; i++)
        names[i] = "a name that is much too long to stand beside its row in a picture";
    assert_int_equal(rn_confusion_draw(&image, &(rn_confusion){classes, counts, names}), RN_OK);
    assert_true(image->width < 2400);
    rn_image_free(image);
    rn_free(names);
    rn_free(counts);
}

static void test_numbers_of_classes(void **state)
{
    rn_image *image;

    (void)state;
    draw_many(1);
    draw_many(50);
    draw_many(151);
    draw_many(1000);
    assert_int_equal(rn_confusion_draw(&image, &(rn_confusion){.classes = 4097}), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "4097 classes"));
    assert_int_equal(rn_confusion_draw(&image, &(rn_confusion){.classes = 0}), RN_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_letters),
        cmocka_unit_test(test_outside),
        cmocka_unit_test(test_matrix),
        cmocka_unit_test(test_numbers_of_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
