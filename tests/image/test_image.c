#include "base/memory.h"
#include "image/image.h"
#include "image/make_picture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

static rn_image *decode(picture_file file)
{
    rn_image *image;
    rn_status st = rn_image_decode(&image, file.bytes, file.size, NULL);

    if (st != RN_OK)
        fail_msg("%s", rn_error_message());
    free(file.bytes);
    return image;
}

static uint8_t on_white(uint32_t value, uint32_t alpha)
{
    return (uint8_t)((value * alpha + 255 * (255 - alpha) + 127) / 255);
}

static uint32_t stored_sample(const png_plan *plan, int i, int c)
{
    uint32_t most = (1u << plan->bits) - 1;
    uint32_t value = picture_sample(i % plan->width, i / plan->width, c, plan->bits);

    return (value * 255 + most / 2) / most;
}

// What the pixel number i should be.
static uint8_t expected_png(const png_plan *plan, int i, int c)
{
    if (plan->color_type == PNG_COLOR_TYPE_PALETTE) {
        png_color color;
        png_byte alpha;
        picture_palette((int)picture_sample(i % plan->width, i / plan->width, 0, plan->bits),
                        &color, &alpha);
        return on_white(c == 0 ? color.red : c == 1 ? color.green : color.blue, alpha);
    }
    if ((plan->color_type & PNG_COLOR_MASK_ALPHA) != 0)
        return on_white(stored_sample(plan, i, c), stored_sample(plan, i, plan->channels - 1));
    if (plan->gray_key >= 0 &&
        picture_sample(i % plan->width, i / plan->width, 0, plan->bits) == (uint32_t)plan->gray_key)
        return 255;
    return (uint8_t)stored_sample(plan, i, c);
}

static void check_png(const png_plan *plan)
{
    rn_image *image = decode(make_png(plan));
    int channels = (plan->color_type & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1;

    assert_int_equal(image->channels, channels);
    assert_int_equal(image->width, plan->width);
    assert_int_equal(image->height, plan->height);
    for (int i = 0; i < plan->width * plan->height * channels; i++) {
        // 16-bit samples are composited before they are reduced or after: 1 of 255 either way.
        int off = image->pixels[i] - expected_png(plan, i / channels, i % channels);
        if (off < -1 || off > 1 || (off != 0 && plan->bits < 16))
            fail_msg("type %d, %d bits, interlace %d: value %d is off by %d", plan->color_type,
                     plan->bits, plan->interlaced, i, off);
    }
    rn_image_free(image);
}

static void test_png_kinds(void **state)
{
    static const struct {
        int type, channels, least, most;
    } kinds[] = {{PNG_COLOR_TYPE_GRAY, 1, 1, 16},
                 {PNG_COLOR_TYPE_RGB, 3, 8, 16},
                 {PNG_COLOR_TYPE_PALETTE, 1, 1, 4},
                 {PNG_COLOR_TYPE_GRAY_ALPHA, 2, 8, 16},
                 {PNG_COLOR_TYPE_RGB_ALPHA, 4, 8, 16}};

    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (int bits = kinds[k].least; bits <= kinds[k].most; bits *= 2) {
            for (int interlaced = 0; interlaced < 2; interlaced++) {
                check_png(&(png_plan){13, 9, bits, kinds[k].type, kinds[k].channels, interlaced, -1,
                                      NULL, 0});
                check_png(&(png_plan){1, 1, bits, kinds[k].type, kinds[k].channels, interlaced, -1,
                                      NULL, 0});
            }
        }
    }
    check_png(&(png_plan){13, 9, 2, PNG_COLOR_TYPE_GRAY, 1, 0, 2, NULL, 0});
}

static void check_jpeg(const jpeg_plan *plan, int tolerance)
{
    rn_image *image = decode(make_jpeg(plan));
    int channels = plan->components == 1 ? 1 : 3;

    assert_int_equal(image->channels, channels);
    assert_int_equal(image->width, plan->width);
    assert_int_equal(image->height, plan->height);
    for (int i = 0; i < plan->width * plan->height * channels; i++) {
        int x = i / channels % plan->width, y = i / channels / plan->width, c = i % channels;
        int expected = picture_smooth(plan, x, y, c);
        if (plan->components == 4)
            expected = expected * picture_smooth(plan, x, y, 3) / 255;
        if (abs(image->pixels[i] - expected) > tolerance)
            fail_msg("%d components, stored %d: value %d is %d, expected %d", plan->components,
                     plan->stored, i, image->pixels[i], expected);
    }
    rn_image_free(image);
}

static void test_jpeg_kinds(void **state)
{
    (void)state;
    for (int progressive = 0; progressive < 2; progressive++) {
        check_jpeg(
            &(jpeg_plan){37, 21, 1, JCS_GRAYSCALE, JCS_GRAYSCALE, 95, progressive, 0, NULL, 0}, 6);
        check_jpeg(&(jpeg_plan){37, 21, 3, JCS_RGB, JCS_YCbCr, 95, progressive, 0, NULL, 0}, 12);
        check_jpeg(&(jpeg_plan){37, 21, 3, JCS_RGB, JCS_RGB, 95, progressive, 0, NULL, 0}, 6);
        check_jpeg(&(jpeg_plan){37, 21, 4, JCS_CMYK, JCS_CMYK, 95, progressive, 0, NULL, 0}, 8);
        check_jpeg(&(jpeg_plan){37, 21, 4, JCS_CMYK, JCS_YCCK, 95, progressive, 0, NULL, 0}, 16);
    }
    check_jpeg(&(jpeg_plan){1, 1, 3, JCS_RGB, JCS_YCbCr, 95, 0, 0, NULL, 0}, 6);
}

// The upright picture is 2 wide and 3 high; `from` says which stored pixel each place shows.
static void check_orientation(int orientation, const int from[6])
{
    const png_plan plan = {2, 3, 8, PNG_COLOR_TYPE_RGB, 3, 0, -1, NULL, 0};
    rn_image *stored = decode(make_png(&plan)), *turned = decode(make_png(&plan));

    assert_int_equal(rn_image_orient(&turned, orientation), RN_OK);
    assert_int_equal(turned->width, orientation < 5 ? 2 : 3);
    assert_int_equal(turned->height, orientation < 5 ? 3 : 2);
    for (int i = 0; i < 6; i++)
        assert_memory_equal(turned->pixels + 3 * i, stored->pixels + 3 * from[i], 3);
    rn_image_free(stored);
    rn_image_free(turned);
}

static void test_orientations(void **state)
{
    (void)state;
    // Stored: 0 1 / 2 3 / 4 5.
    check_orientation(1, (const int[]){0, 1, 2, 3, 4, 5});
    check_orientation(2, (const int[]){1, 0, 3, 2, 5, 4});
    check_orientation(3, (const int[]){5, 4, 3, 2, 1, 0});
    check_orientation(4, (const int[]){4, 5, 2, 3, 0, 1});
    check_orientation(5, (const int[]){0, 2, 4, 1, 3, 5});
    check_orientation(6, (const int[]){4, 2, 0, 5, 3, 1});
    check_orientation(7, (const int[]){5, 3, 1, 4, 2, 0});
    check_orientation(8, (const int[]){1, 3, 5, 0, 2, 4});
}

static void test_exif_in_files(void **state)
{
    uint8_t block[32] = "Exif\0";

    (void)state;
    for (int big_endian = 0; big_endian < 2; big_endian++) {
        make_exif(block + 6, 6, big_endian);
        rn_image *jpeg = decode(
            make_jpeg(&(jpeg_plan){16, 8, 1, JCS_GRAYSCALE, JCS_GRAYSCALE, 95, 0, 0, block, 32}));
        assert_int_equal(jpeg->width, 8);
        assert_int_equal(jpeg->height, 16);
        // Stored brightness grows to the right, so upright it grows downwards.
        assert_true(jpeg->pixels[0] + 100 < jpeg->pixels[15 * 8]);
        rn_image_free(jpeg);
        rn_image *png =
            decode(make_png(&(png_plan){5, 4, 8, PNG_COLOR_TYPE_GRAY, 1, 0, -1, block + 6, 26}));
        assert_int_equal(png->width, 4);
        assert_int_equal(png->height, 5);
        rn_image_free(png);
    }
}

static void test_exif_damage_is_ignored(void **state)
{
    uint8_t good[26], bad[26];

    (void)state;
    make_exif(good, 8, 1);
    assert_int_equal(rn_exif_orientation(good, 26), 8);
    for (size_t size = 0; size < 22; size++) { // the first entry ends at 22
        uint8_t *exact = malloc(size + 1);     // so that a sanitizer sees reading past the end
        memcpy(exact, good, size);
        exact = realloc(exact, size == 0 ? 1 : size);
        assert_int_equal(rn_exif_orientation(exact, size), 1);
        free(exact);
    }
    for (size_t at = 0; at < 26; at++) {
        for (int bit = 0; bit < 8; bit++) {
            memcpy(bad, good, 26);
            bad[at] ^= (uint8_t)(1 << bit);
            assert_in_range(rn_exif_orientation(bad, 26), 1, 8);
        }
    }
    make_exif(bad, 9, 0);
    assert_int_equal(rn_exif_orientation(bad, 26), 1);
    make_exif(bad, 0, 0);
    assert_int_equal(rn_exif_orientation(bad, 26), 1);
}

static void check_pnm(const void *text, size_t size, int channels, const uint8_t expected[6])
{
    picture_file file = {malloc(size), size};

    memcpy(file.bytes, text, size);
    rn_image *image = decode(file);
    assert_int_equal(image->channels, channels);
    assert_int_equal(image->width, 6 / channels);
    assert_int_equal(image->height, 1);
    assert_memory_equal(image->pixels, expected, 6);
    rn_image_free(image);
}

#define CHECK_PNM(text, channels, ...)                                                             \
    check_pnm(text, sizeof(text) - 1, channels, (const uint8_t[]){__VA_ARGS__})

static void test_pnm_kinds(void **state)
{
    (void)state;
    CHECK_PNM("P5 6 1 255\n\x01\x02\x03\x7f\x80\xff", 1, 1, 2, 3, 127, 128, 255);
    CHECK_PNM("P6\n# made by hand\n2\n#x\n1\n255\r\x01\x02\x03\x7f\x80\xff", 3, 1, 2, 3, 127, 128,
              255);
    CHECK_PNM("P2 6 1 255 1 2 3 127 128 255\n", 1, 1, 2, 3, 127, 128, 255);
    CHECK_PNM("P3\n2 1\n3\n0 1 2\n3 2 1", 3, 0, 85, 170, 255, 170, 85);
    CHECK_PNM("P5 6 1 1\n\0\1\0\1\1\0", 1, 0, 255, 0, 255, 255, 0);
    CHECK_PNM("P5 6 1 65535\n\0\0\x01\x01\x80\x80\xff\xff\x7f\xff\0\xff", 1, 0, 1, 128, 255, 127,
              1);
    CHECK_PNM("P6 2 1 256\n\0\0\0\1\0\x80\1\0\0\2\0\3", 3, 0, 1, 128, 255, 2, 3);
    CHECK_PNM("P2 6 1 65535 0 257 32896 65535 32767 255", 1, 0, 1, 128, 255, 127, 1);
}

static bool refuse_large(size_t bytes, void *context)
{
    (void)context;
    return bytes < 1 << 20;
}

// By its first bytes, before memory is taken for all of them.
static void test_large_file_is_no_picture(void **state)
{
    char path[] = "/tmp/resnet-image-XXXXXX";
    int descriptor = mkstemp(path);
    rn_image *image;

    (void)state;
    assert_int_equal(write(descriptor, "\x1a\x45", 2), 2);
    assert_int_equal(ftruncate(descriptor, 1 << 30), 0);
    close(descriptor);
    rn_alloc_hook_set(refuse_large, NULL);
    assert_int_equal(rn_image_open(&image, path), RN_EFORMAT);
    rn_alloc_hook_set(NULL, NULL);
    assert_non_null(strstr(rn_error_message(), "starts with bytes 1a 45"));
    unlink(path);
}

static void test_open_names_file(void **state)
{
    char path[] = "/tmp/resnet-image-XXXXXX";
    int descriptor = mkstemp(path);
    rn_image *image = (rn_image *)path;

    (void)state;
    assert_true(descriptor >= 0);
    assert_int_equal(rn_image_open(&image, path), RN_EFORMAT); // empty
    assert_null(image);
    assert_non_null(strstr(rn_error_message(), path));
    assert_int_equal(write(descriptor, "P5 1 1 255 x", 12), 12);
    assert_int_equal(rn_image_open(&image, path), RN_OK);
    assert_int_equal(image->pixels[0], 'x');
    rn_image_free(image);
    close(descriptor);
    unlink(path);
    assert_int_equal(rn_image_open(&image, path), RN_ENOTFOUND);
    assert_null(image);
    assert_int_equal(rn_image_open(&image, "/"), RN_EIO);
    assert_null(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_png_kinds),
        cmocka_unit_test(test_jpeg_kinds),
        cmocka_unit_test(test_orientations),
        cmocka_unit_test(test_exif_in_files),
        cmocka_unit_test(test_exif_damage_is_ignored),
        cmocka_unit_test(test_pnm_kinds),
        cmocka_unit_test(test_large_file_is_no_picture),
        cmocka_unit_test(test_open_names_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
