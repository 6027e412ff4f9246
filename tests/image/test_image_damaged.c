// Files with defects, each of which must be read or refused as Pillow, or libpng, does.
#include "image/golden_damaged.h"
#include "image/image.h"
#include "image/make_picture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static rn_image *decode(const uint8_t *bytes, size_t size)
{
    static rn_image poison;
    rn_image *image = &poison;
    rn_status st = rn_image_decode(&image, bytes, size, NULL);

    assert_true(st == RN_OK || st == RN_EFORMAT);
    assert_true((image == NULL) == (st != RN_OK));
    return image;
}

static double mean(const rn_image *image)
{
    const size_t values = (size_t)image->width * (size_t)image->height * (size_t)image->channels;
    double sum = 0;

    for (size_t i = 0; i < values; i++)
        sum += image->pixels[i];
    return sum / (double)values;
}

static void check_jpeg(const damaged_case *golden, size_t number)
{
    const size_t rest = golden->size - golden->at - golden->removed;
    const size_t size = golden->at + golden->added + rest;
    uint8_t *bytes = malloc(size);

    memcpy(bytes, golden->bytes, golden->at);
    memcpy(bytes + golden->at, golden->text, golden->added);
    memcpy(bytes + golden->at + golden->added, golden->bytes + golden->at + golden->removed, rest);
    rn_image *image = decode(bytes, size);
    if (image == NULL && golden->mean >= 0)
        fail_msg("case %zu is refused, but not by Pillow: %s", number, rn_error_message());
    if (image != NULL && fabs(mean(image) - golden->mean) > 0.5)
        fail_msg("case %zu has mean %.2f, with Pillow %.2f", number, mean(image), golden->mean);
    rn_image_free(image);
    free(bytes);
}

static void test_jpegs_as_pillow(void **state)
{
    const size_t count = sizeof damaged_cases / sizeof *damaged_cases;
    size_t refused = 0;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        check_jpeg(&damaged_cases[i], i);
        refused += damaged_cases[i].mean < 0;
    }
    assert_in_range(refused, count / 10, count / 2);
}

// Of all chunks with that name: libpng writes eXIf twice.
static void spoil_check_sums(picture_file png, const char *name)
{
    size_t found = 0;

    for (size_t at = 8, length; at + 12 <= png.size; at += 12 + length) {
        length = png_get_uint_32(png.bytes + at);
        if (memcmp(png.bytes + at + 4, name, 4) == 0) {
            png.bytes[at + 8 + length] ^= 1;
            found++;
        }
    }
    assert_true(found > 0);
}

// A chunk that holds pixels makes the file useless, one that does not is passed over.
static void test_png_check_sums(void **state)
{
    static const char *const critical[] = {"IHDR", "PLTE", "IDAT"};
    uint8_t exif[26];

    (void)state;
    make_exif(exif, 6, 1);
    const png_plan plan = {13, 9, 4, PNG_COLOR_TYPE_PALETTE, 1, 0, -1, exif, 26};
    for (size_t i = 0; i < sizeof critical / sizeof *critical; i++) {
        picture_file png = make_png(&plan);
        spoil_check_sums(png, critical[i]);
        assert_null(decode(png.bytes, png.size));
        assert_non_null(strstr(rn_error_message(), "CRC error"));
        free(png.bytes);
    }
    picture_file png = make_png(&plan);
    rn_image *image = decode(png.bytes, png.size);
    assert_int_equal(image->width, 9);
    rn_image_free(image);
    spoil_check_sums(png, "eXIf");
    image = decode(png.bytes, png.size);
    assert_int_equal(image->width, 13);
    rn_image_free(image);
    free(png.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jpegs_as_pillow),
        cmocka_unit_test(test_png_check_sums),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
