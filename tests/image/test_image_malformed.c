#include "image/fail_allocation.h"
#include "image/image.h"
#include "image/make_webp.h"
#include "image/picture_claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

enum { FILES = 16, SMALL = 1 << 20 };

static picture_file files[FILES];

static picture_file copy_text(const char *text, size_t size)
{
    picture_file file = {malloc(size), size};

    memcpy(file.bytes, text, size);
    return file;
}

static int make_files(void **state)
{
    static const char raw[] = "P6\n3 2\n255\n0123456789abcdefgh", plain[] = "P2 3 2 9 1 2 3 4 5 6";
    static const char deep[] = "P5 2 2 999\n\1\2\1\3\2\4\3\0";
    uint8_t exif[32] = "Exif\0";
    int n = 0;

    (void)state;
    make_exif(exif + 6, 3, 0);
    for (int interlaced = 0; interlaced < 2; interlaced++) {
        files[n++] = make_png(
            &(png_plan){13, 9, 4, PNG_COLOR_TYPE_PALETTE, 1, interlaced, -1, exif + 6, 26});
        files[n++] =
            make_png(&(png_plan){7, 5, 16, PNG_COLOR_TYPE_RGB_ALPHA, 4, interlaced, -1, NULL, 0});
    }
    for (int progressive = 0; progressive < 2; progressive++) {
        files[n++] = make_jpeg(
            &(jpeg_plan){37, 21, 1, JCS_GRAYSCALE, JCS_GRAYSCALE, 75, progressive, 0, NULL, 0});
        files[n++] =
            make_jpeg(&(jpeg_plan){37, 21, 3, JCS_RGB, JCS_YCbCr, 75, progressive, 0, exif, 32});
    }
    files[n++] = make_jpeg(&(jpeg_plan){37, 21, 4, JCS_CMYK, JCS_YCCK, 75, 0, 0, NULL, 0});
    files[n++] = make_jpeg(&(jpeg_plan){37, 21, 3, JCS_RGB, JCS_YCbCr, 75, 1, 1, NULL, 0});
    files[n++] = make_webp(&(webp_plan){13, 9, true, true, NULL, 0});
    files[n++] = make_webp(&(webp_plan){37, 21, false, true, NULL, 0});
    files[n++] = make_webp(&(webp_plan){37, 21, false, false, exif + 6, 26});
    files[n++] = copy_text(raw, sizeof raw - 1);
    files[n++] = copy_text(plain, sizeof plain - 1);
    files[n++] = copy_text(deep, sizeof deep - 1);
    assert_int_equal(n, FILES);
    return 0;
}

static int free_files(void **state)
{
    (void)state;
    for (int i = 0; i < FILES; i++)
        free(files[i].bytes);
    return 0;
}

// From memory of exactly that size, so that a sanitizer sees one byte too many.
static rn_status decode_with(const uint8_t *bytes, size_t size, const rn_decode_options *options)
{
    rn_image *image = (rn_image *)files;
    uint8_t *exact = malloc(size == 0 ? 1 : size);

    memcpy(exact, bytes, size);
    rn_status st = rn_image_decode(&image, exact, size, options);
    assert_true((image == NULL) == (st != RN_OK));
    if (st != RN_OK)
        assert_true(*rn_error_message() != '\0' && strchr(rn_error_message(), '\n') == NULL);
    rn_image_free(image);
    free(exact);
    return st;
}

static rn_status decode(const uint8_t *bytes, size_t size)
{
    return decode_with(bytes, size, NULL);
}

static void test_whole_files(void **state)
{
    (void)state;
    for (int i = 0; i < FILES; i++)
        assert_int_equal(decode(files[i].bytes, files[i].size), RN_OK);
}

static void test_truncated(void **state)
{
    (void)state;
    for (int i = 0; i < FILES; i++) {
        for (size_t cut = 1; cut <= files[i].size; cut++) {
            rn_status st = decode(files[i].bytes, files[i].size - cut);
            if (st != RN_EFORMAT)
                fail_msg("file %d less %zu bytes: status %d", i, cut, st);
        }
    }
}

static bool watch_size(size_t bytes, void *context)
{
    size_t *largest = context;

    *largest = bytes > *largest ? bytes : *largest;
    return true;
}

static void test_damaged(void **state)
{
    size_t largest = 0;
    int refused = 0;

    (void)state;
    rn_alloc_hook_set(watch_size, &largest);
    for (int i = 0; i < FILES; i++) {
        for (size_t at = 0; at < files[i].size; at++) {
            for (int pattern = 1; pattern < 256; pattern = pattern * 5 + 2) { // 1, 7, 37, 187
                files[i].bytes[at] ^= (uint8_t)pattern;
                rn_status st = decode(files[i].bytes, files[i].size);
                files[i].bytes[at] ^= (uint8_t)pattern;
                assert_true(st == RN_OK || st == RN_EFORMAT);
                refused += st != RN_OK;
            }
        }
    }
    rn_alloc_hook_set(NULL, NULL);
    assert_true(refused > 1000);
    assert_true(largest < 8 * SMALL);
}

static void refuse_over(uint64_t max_pixels, const uint8_t *bytes, size_t size, const char *message)
{
    const rn_decode_options options = {.max_pixels = max_pixels};
    size_t largest = 0;

    rn_alloc_hook_set(watch_size, &largest);
    rn_status st = decode_with(bytes, size, &options);
    rn_alloc_hook_set(NULL, NULL);
    assert_int_equal(st, RN_EFORMAT);
    if (strstr(rn_error_message(), message) == NULL)
        fail_msg("'%s' lacks '%s'", rn_error_message(), message);
    assert_true(largest < SMALL);
}

static void refuse_small(const uint8_t *bytes, size_t size, const char *message)
{
    refuse_over(0, bytes, size, message);
}

static void test_bombs(void **state)
{
    static const char huge[] = "P6 65536 4097 255\n123", long_one[] = "P5 99999999999 1 255\n";
    static const char empty[] = "P6 0 4 255\n", short_one[] = "P3 16384 16384 255 1 2 3";

    (void)state;
    picture_file png = make_png(&(png_plan){8, 8, 8, PNG_COLOR_TYPE_RGB, 3, 0, -1, NULL, 0});
    claim_png_size(png, 65536, 4097);
    refuse_small(png.bytes, png.size, "picture is 65536 x 4097");
    claim_png_size(png, 65500, 65500);
    refuse_small(png.bytes, png.size, "picture is 65500 x 65500");
    claim_png_size(png, 0x7fffffff, 1);
    refuse_small(png.bytes, png.size, "picture is 2147483647 x 1");
    claim_png_size(png, 16384, 16384);
    refuse_small(png.bytes, png.size, "16384 x 16384");
    free(png.bytes);
    for (int progressive = 0; progressive < 2; progressive++) {
        picture_file jpeg =
            make_jpeg(&(jpeg_plan){8, 8, 3, JCS_RGB, JCS_YCbCr, 75, progressive, 0, NULL, 0});
        claim_jpeg_size(jpeg, progressive ? 0xc2 : 0xc0, 65500, 65500);
        refuse_small(jpeg.bytes, jpeg.size, "picture is 65500 x 65500");
        claim_jpeg_size(jpeg, progressive ? 0xc2 : 0xc0, 16384, 16384);
        refuse_small(jpeg.bytes, jpeg.size, "16384 x 16384");
        free(jpeg.bytes);
    }
    refuse_small((const uint8_t *)huge, sizeof huge - 1, "picture is 65536 x 4097");
    refuse_small((const uint8_t *)long_one, sizeof long_one - 1, "width");
    refuse_small((const uint8_t *)empty, sizeof empty - 1, "picture is 0 x 4");
    refuse_small((const uint8_t *)short_one, sizeof short_one - 1, "expected at least");
}

// A lossless picture of one colour takes a few bytes, however large: only the limit helps.
static void test_webp_bombs(void **state)
{
    const size_t frame = 20;

    (void)state;
    picture_file lossy = make_webp(&(webp_plan){8, 8, false, false, NULL, 0});
    webp_put(lossy.bytes + frame + 6, 16383 | 16383 << 16, 4);
    refuse_small(lossy.bytes, lossy.size, "16383 x 16383 pixels in");
    refuse_over(1 << 24, lossy.bytes, lossy.size,
                "picture is 16383 x 16383, expected 1 to 16777216");
    free(lossy.bytes);
    picture_file lossless = make_webp(&(webp_plan){8, 8, true, false, NULL, 0});
    webp_put(lossless.bytes + frame + 1, 16382 | 16382 << 14, 4);
    refuse_over(1 << 24, lossless.bytes, lossless.size, "picture is 16383 x 16383");
    free(lossless.bytes);
    picture_file wide = webp_container(65500, 65500, 0);
    refuse_small(wide.bytes, wide.size, "picture is 65500 x 65500");
    free(wide.bytes);
}

// The first scan, over and over: legal to libjpeg, and each a walk over the whole picture.
static void test_too_many_scans(void **state)
{
    enum { SCANS = 300 };

    (void)state;
    picture_file jpeg = make_jpeg(&(jpeg_plan){8, 8, 3, JCS_RGB, JCS_YCbCr, 75, 1, 0, NULL, 0});
    size_t from = find_jpeg_marker(jpeg, 0xda), length = 2;
    while (jpeg.bytes[from + length] != 0xff || jpeg.bytes[from + length + 1] == 0)
        length++;
    uint8_t *bytes = malloc(from + SCANS * length + 2), *end = bytes + from;
    memcpy(bytes, jpeg.bytes, from);
    for (int i = 0; i < SCANS; i++, end += length)
        memcpy(end, jpeg.bytes + from, length);
    memcpy(end, "\xff\xd9", 2);
    refuse_small(bytes, from + SCANS * length + 2, "over 256 scans");
    free(bytes);
    free(jpeg.bytes);
}

static void refuse(const char *text, size_t size, const char *message)
{
    refuse_small((const uint8_t *)text, size, message);
}

#define REFUSE(text, message) refuse(text, sizeof(text) - 1, message)

static void test_not_pictures(void **state)
{
    (void)state;
    REFUSE("", "empty");
    REFUSE("G", "not a picture");
    REFUSE("GIF89a", "47 49");
    REFUSE("P4 8 1 x", "not a picture");
    REFUSE("P", "not a picture");
    REFUSE("P5", "no width");
    REFUSE("P5x", "byte 2");
    REFUSE("P5 #", "no width");
    REFUSE("P5 -1 1 255\nx", "no width");
    REFUSE("P5 1.5 1 255\nx", "no width");
    REFUSE("P5 1 1 0\nx", "highest value is 0");
    REFUSE("P5 1 1 65536\nx", "over 65535");
    REFUSE("P5 1 1 255", "0 bytes of pixels, expected 1");
    REFUSE("P5 1 1 255\n12", "2 bytes of pixels, expected 1");
    REFUSE("P5 1 1 100\n\xff", "is 255, expected at most 100");
    REFUSE("P2 2 1 100 1 101", "over 100");
    REFUSE("P2 2 1 100 1 x", "no sample");
    REFUSE("P2 2 1 100 1 2 3", "nothing after");
    REFUSE("\x89PNG\r\n\x1a\n", "ends early");
    REFUSE("\x89PNG\n\n\x1a\n", "PNG");
    REFUSE("RIFF\4\0\0\0WAVE", "52 49");
    REFUSE("RIFF\4\0\0\0WEB", "52 49");
    REFUSE("RIFF\4\0\0\0WEBP", "WebP");
    REFUSE("\xff\xd8", "JPEG");
    REFUSE("\xff\xd8\xff\xd9", "JPEG");
}

// libjpeg and libpng would like to report to the terminal.
static void test_silent(void **state)
{
    picture_file png = make_png(&(png_plan){8, 8, 4, PNG_COLOR_TYPE_PALETTE, 1, 0, -1, NULL, 0});
    FILE *log = tmpfile();
    int saved = dup(STDERR_FILENO);

    (void)state;
    dup2(fileno(log), STDERR_FILENO);
    for (size_t at = 8; at < png.size; at++) {
        png.bytes[at] ^= 0x55;
        (void)decode(png.bytes, png.size);
        png.bytes[at] ^= 0x55;
    }
    for (int i = 0; i < FILES; i++) {
        (void)decode(files[i].bytes, files[i].size - 3);
        (void)decode(files[i].bytes, files[i].size / 2);
    }
    dup2(saved, STDERR_FILENO);
    close(saved);
    fseek(log, 0, SEEK_END);
    assert_int_equal(ftell(log), 0);
    fclose(log);
    free(png.bytes);
}

static void test_allocation_failures(void **state)
{
    (void)state;
    for (int i = 0; i < FILES; i++) {
        fail_allocation plan = {0, true};
        for (int which = 0; plan.hit; which++) {
            fail_allocation_start(&plan, which);
            rn_status st = decode(files[i].bytes, files[i].size);
            fail_allocation_stop();
            assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_files),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_webp_bombs),
        cmocka_unit_test(test_too_many_scans),
        cmocka_unit_test(test_not_pictures),
        cmocka_unit_test(test_silent),
        cmocka_unit_test(test_allocation_failures),
    };

    return cmocka_run_group_tests(tests, make_files, free_files);
}
