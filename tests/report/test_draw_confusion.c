#include "image/fail_allocation.h"
#include "report/chart_list.h"
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

enum { CELL = 280, GAP = 40, TITLE = 220 };

static const int64_t three[] = {7, 0, 0, 5, 5, 0, 0, 0, 0};
static const char *const named[] = {"i", "<", "i"};
static const rn_confusion matrix = {3, three, named};

// Margin, the axis' title, the longest name, gap and tick.
static int left_edge(void)
{
    return 80 + 140 + chart_text_length("<", CHART_SMALL) + GAP + 30;
}

static void test_matrix(void **state)
{
    const int at = left_edge() / 5, cell = CELL / 5; // at scale 2
    rn_image *image, *again;
    fail_allocation plan;

    (void)state;
    assert_int_equal(rn_confusion_image(&image, &matrix, NULL, 2), RN_OK);
    assert_int_equal(image->channels, 3);
    assert_int_equal(image->width, image->height);
    assert_int_equal(image->width, at + 3 * cell + 16);
    assert_true(is(image, at + 2, at + 2, 0x081848));            // all of the row
    assert_true(is(image, at + cell + 2, at + 2, 0xffffff));     // nothing of it
    assert_true(is(image, at + 2, at + cell + 2, 0x4285c7));     // half
    assert_true(is(image, at + 2, at + 2 * cell + 2, 0xf0f0f0)); // of no images
    assert_int_equal(rn_confusion_image(&again, &matrix, "", 2), RN_OK);
    assert_memory_equal(image->pixels, again->pixels,
                        (size_t)image->width * (size_t)image->height * 3);
    rn_image_free(again);
    assert_int_equal(rn_confusion_image(&again, &matrix, "a title", 1), RN_OK);
    assert_int_equal(again->width, image->width / 2);
    assert_int_equal(again->height, again->width + (TITLE + GAP) / 10);
    rn_image_free(again);
    rn_image_free(image);
    assert_int_equal(rn_confusion_image(&image, &matrix, NULL, 9), RN_EINVAL);
    for (int k = 0;; k++) {
        fail_allocation_start(&plan, k);
        const rn_status st = rn_confusion_image(&image, &matrix, NULL, 1);
        fail_allocation_stop();
        assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
        assert_true((image == NULL) == plan.hit);
        if (!plan.hit)
            break;
    }
    rn_image_free(image);
}

static void test_svg(void **state)
{
    char expected[256], *text, *again;
    const int left = left_edge(), row = left + TITLE + GAP + CELL;

    (void)state;
    assert_int_equal(rn_confusion_svg(&text, &matrix, "a & b"), RN_OK);
    assert_non_null(strstr(text, "<title>a &amp; b</title>"));
    assert_non_null(strstr(text, ">&lt;</text>"));
    assert_non_null(strstr(text, ">predicted</text>"));
    // Two cells of one shade are one path, below the title's line and a gap.
    snprintf(expected, sizeof expected,
             "<path fill=\"#4285c7\" d=\"M%d %dh275v275h-275zM%d %dh275v275h-275z\"/>", left, row,
             left + CELL, row);
    assert_non_null(strstr(text, expected));
    assert_non_null(strstr(text, ">7</text>"));
    assert_null(strstr(text, ">0</text>"));
    assert_int_equal(rn_confusion_svg(&again, &matrix, "a & b"), RN_OK);
    assert_string_equal(text, again);
    rn_text_free(again);
    rn_text_free(text);
}

// However little of a row, it is seen.
static void test_little(void **state)
{
    static const int64_t counts[] = {1000000, 1, 0, 1};
    static const char *const names[] = {"a", "b"};
    char *text;

    (void)state;
    assert_int_equal(rn_confusion_svg(&text, &(rn_confusion){2, counts, names}, NULL), RN_OK);
    assert_non_null(strstr(text, "<path fill=\"#fefeff\" d=\"M"));
    assert_non_null(strstr(text, ">1</text>"));
    assert_null(strstr(text, ">1000000</text>")); // has no room
    rn_text_free(text);
}

static void draw_many(int classes)
{
    rn_image *image;
    int64_t *counts;
    const char **names;
    char *text;

    assert_int_equal(RN_NEW(&counts, (size_t)classes * (size_t)classes), RN_OK);
    assert_int_equal(RN_NEW(&names, (size_t)classes), RN_OK);
    for (int i = 0; i < classes; i++) {
        names[i] = "a name that is much too long to stand beside its row in a picture";
        counts[i * classes + i] = i;
    }
    const rn_confusion confusion = {classes, counts, names};
    assert_int_equal(rn_confusion_image(&image, &confusion, NULL, 2), RN_OK);
    assert_true(image->width < 4000);
    rn_image_free(image);
    assert_int_equal(rn_confusion_svg(&text, &confusion, NULL), RN_OK);
    assert_true(strlen(text) < 250000);
    rn_text_free(text);
    rn_free(names);
    rn_free(counts);
}

static void test_numbers_of_classes(void **state)
{
    rn_image *image;
    char *text;

    (void)state;
    draw_many(1);
    draw_many(50);
    draw_many(151);
    draw_many(1000);
    assert_int_equal(rn_confusion_image(&image, &(rn_confusion){.classes = 4097}, NULL, 1),
                     RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "4097 classes"));
    assert_int_equal(rn_confusion_svg(&text, &(rn_confusion){.classes = 0}, NULL), RN_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_letters), cmocka_unit_test(test_outside),
        cmocka_unit_test(test_matrix),  cmocka_unit_test(test_svg),
        cmocka_unit_test(test_little),  cmocka_unit_test(test_numbers_of_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
