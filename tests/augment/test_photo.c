// Photographs of any size: crops, draws, order of changes, small and gray pictures.
#include "augment/photo_colour.h"
#include "augment/photo_crop.h"

#include "base/random.h"
#include "image/fail_allocation.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "augment/made_picture.h"

enum { WIDTH = 9, HEIGHT = 7, PLANE = WIDTH * HEIGHT, VOLUME = 3 * PLANE, SEED = 11 };

static rn_preprocess *make_preprocess(rn_normalize normalize, int channels)
{
    rn_preprocess *p;
    float mean[VOLUME], deviation[VOLUME];

    for (int i = 0; i < VOLUME; i++) {
        mean[i] = 0.3f + (float)i / (2 * VOLUME);
        deviation[i] = 0.2f + (float)i / VOLUME;
    }
    assert_int_equal(rn_preprocess_create(&p, normalize, channels, HEIGHT, WIDTH, mean, deviation),
                     RN_OK);
    return p;
}

// Cut a part out, resize it, take the window, mirror, normalise: step by step.
static void naive_input(float *dst, const rn_preprocess *p, const rn_image *image,
                        const rn_photo_crop *crop, const rn_augment *drawn)
{
    uint8_t bytes[VOLUME];
    rn_image *part;

    assert_int_equal(rn_image_create(&part, image->channels, crop->x.source, crop->y.source),
                     RN_OK);
    for (int i = 0; i < part->width * part->height * part->channels; i++) {
        int c = i % part->channels, x = i / part->channels % part->width;
        int y = i / part->channels / part->width;
        part->pixels[i] =
            image->pixels[((crop->top + y) * image->width + crop->left + x) * image->channels + c];
    }
    const rn_resize_axis axes[2] = {crop->x, crop->y};
    assert_int_equal(rn_resize_filtered(bytes, p->channels, part, axes, drawn->filter), RN_OK);
    for (int i = 0; i < PLANE * p->channels; i++) {
        int c = i / PLANE, y = i / WIDTH % HEIGHT, x = i % WIDTH;
        int from = drawn->flip ? WIDTH - 1 - x : x;
        int entry = p->entries == (size_t)p->channels ? c : (c * HEIGHT + y) * WIDTH + from;
        dst[i] = (float)bytes[(y * WIDTH + from) * p->channels + c] / 255.0f;
        if (p->entries > 0)
            dst[i] = (dst[i] - p->mean[entry]) / p->deviation[entry];
    }
    rn_image_free(part);
}

static void check_photo(const rn_preprocess *p, const rn_image *image, const rn_augment *augment,
                        uint32_t sample)
{
    const rn_augment_where where = {.seed = SEED, .epoch = 3, .sample = sample};
    float found[VOLUME + 1], expected[VOLUME];
    rn_stream stream;

    found[PLANE * p->channels] = 42;
    rn_stream_init(&stream, SEED, RN_PURPOSE_AUGMENT, 3, sample);
    rn_augment drawn = *augment;
    drawn.flip = rn_stream_below(&stream, 2) == 1 && augment->flip;
    rn_photo_crop crop = rn_photo_crop_draw(augment, image, p, &stream);
    naive_input(expected, p, image, &crop, &drawn);
    assert_int_equal(rn_preprocess_photo(p, found, image, augment, &where), RN_OK);
    assert_memory_equal(found, expected, sizeof(float) * (size_t)(PLANE * p->channels));
    assert_true(found[PLANE * p->channels] == 42);
}

static void test_every_crop_and_size(void **state)
{
    static const int sizes[][2] = {{1, 1}, {1, 5}, {40, 1}, {9, 7}, {8, 23}, {31, 17}, {3, 300}};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int gray = 0; gray < 4; gray++) {
            rn_image *image = make_picture(gray & 1 ? 1 : 3, sizes[i][0], sizes[i][1]);
            for (int n = 0; n <= RN_NORMALIZE_PIXEL; n++) {
                rn_preprocess *p = make_preprocess((rn_normalize)n, gray & 2 ? 1 : 3);
                for (int crop = RN_CROP_PAD; crop <= RN_CROP_CENTRE; crop++) {
                    rn_augment augment = {.flip = true, .crop = (rn_crop)crop};
                    augment.resize_low = 5;
                    augment.resize_high = 30;
                    augment.filter = crop % 2 ? RN_RESIZE_BICUBIC : RN_RESIZE_BILINEAR;
                    for (uint32_t sample = 0; sample < 4; sample++)
                        check_photo(p, image, &augment, sample);
                }
                rn_preprocess_free(p);
            }
            rn_image_free(image);
        }
    }
}

// A crop lies within its picture, its window within what is made of it, and it is drawn from the
// range: the means are those of the distributions.
static void test_resize_draws(void **state)
{
    enum { DRAWS = 4000 };
    const rn_augment augment = {.crop = RN_CROP_RESIZE};
    const rn_image image = {.channels = 3, .height = 375, .width = 500};
    rn_preprocess input = {.channels = 3, .height = 224, .width = 224};
    double side = 0, across = 0, down = 0;
    int64_t least = 1000, most = 0;

    (void)state;
    for (uint32_t i = 0; i < DRAWS; i++) {
        rn_stream stream;
        rn_stream_init(&stream, SEED, RN_PURPOSE_TEST, 0, i);
        rn_photo_crop crop = rn_photo_crop_draw(&augment, &image, &input, &stream);
        assert_int_equal(crop.x.source, 500);
        assert_int_equal(crop.y.source, 375);
        assert_int_equal(crop.x.resized, 500 * crop.y.resized / 375);
        assert_in_range(crop.y.first, 0, crop.y.resized - 224);
        assert_in_range(crop.x.first, 0, crop.x.resized - 224);
        least = crop.y.resized < least ? crop.y.resized : least;
        most = crop.y.resized > most ? crop.y.resized : most;
        side += (double)crop.y.resized / DRAWS;
        across += (double)crop.x.first / (double)(crop.x.resized - 224) / DRAWS;
        down += (double)crop.y.first / (double)(crop.y.resized - 224) / DRAWS;
    }
    assert_int_equal(least, 256);
    assert_int_equal(most, 480);
    assert_true(fabs(side - 368) < 4 && fabs(across - 0.5) < 0.02 && fabs(down - 0.5) < 0.02);
}

static void test_area_draws(void **state)
{
    enum { DRAWS = 4000 };
    const rn_augment augment = {.crop = RN_CROP_AREA, .crop_area = 0.25};
    const rn_image image = {.channels = 3, .height = 1000, .width = 1000};
    rn_preprocess input = {.channels = 3, .height = 224, .width = 224};
    double share = 0, skew = 0, across = 0, least = 1, most = 0;

    (void)state;
    for (uint32_t i = 0; i < DRAWS; i++) {
        rn_stream stream;
        rn_stream_init(&stream, SEED, RN_PURPOSE_TEST, 1, i);
        rn_photo_crop crop = rn_photo_crop_draw(&augment, &image, &input, &stream);
        double width = crop.x.source, height = crop.y.source, area = width * height / 1e6;
        assert_true(crop.left >= 0 && crop.left + crop.x.source <= 1000);
        assert_true(crop.top >= 0 && crop.top + crop.y.source <= 1000);
        assert_int_equal(crop.x.resized, 224);
        assert_int_equal(crop.x.first, 0);
        assert_true(width / height > 0.745 && width / height < 1.34);
        least = fmin(least, area);
        most = fmax(most, area);
        share += area / DRAWS;
        skew += log(width / height) / DRAWS;
        across += crop.x.source < 1000 ? crop.left / (1000 - width) / DRAWS : 0.5 / DRAWS;
    }
    assert_true(least > 0.248 && least < 0.26 && most > 0.97);
    assert_true(fabs(share - 0.562) < 0.01); // of 20,000 draws of torchvision
    assert_true(fabs(skew) < 0.01 && fabs(across - 0.5) < 0.02);
}

// What no try fits into: the middle, as torchvision takes it.
static void test_area_fallback(void **state)
{
    const rn_augment augment = {.crop = RN_CROP_AREA, .crop_area = 1};
    rn_preprocess input = {.channels = 3, .height = 4, .width = 4};
    rn_stream stream;

    (void)state;
    rn_stream_init(&stream, SEED, RN_PURPOSE_TEST, 2, 0);
    rn_photo_crop tall =
        rn_photo_crop_draw(&augment, &(rn_image){3, 1000, 9, NULL}, &input, &stream);
    assert_int_equal(tall.left, 0);
    assert_int_equal(tall.x.source, 9);
    assert_int_equal(tall.y.source, 12);
    assert_int_equal(tall.top, 494);
    rn_photo_crop wide =
        rn_photo_crop_draw(&augment, &(rn_image){3, 3, 1000, NULL}, &input, &stream);
    assert_int_equal(wide.x.source, 4);
    assert_int_equal(wide.left, 498);
    assert_int_equal(wide.top, 0);
}

// 224 out of 256: torchvision's evaluation.
static void test_centre(void **state)
{
    const rn_augment augment = {.crop = RN_CROP_CENTRE, .crop_ratio = 0.875};
    rn_preprocess input = {.channels = 3, .height = 224, .width = 224};
    rn_stream stream = {0};
    rn_photo_crop crop =
        rn_photo_crop_draw(&augment, &(rn_image){3, 500, 333, NULL}, &input, &stream);

    (void)state;
    assert_int_equal(crop.x.resized, 256);
    assert_int_equal(crop.x.first, 16);
    assert_int_equal(crop.y.resized, 384);
    assert_int_equal(crop.y.first, 80);
}

static const rn_augment everything = {
    .flip = true,
    .crop = RN_CROP_AREA,
    .randaugment = 2,
    .randaugment_magnitude = 12,
    .brightness = 0.4,
    .contrast = 0.4,
    .saturation = 0.4,
    .hue = 0.1,
    .pca = 0.1,
    .erase = 0.5,
};

// The same whatever was made before, in whatever memory; another with another epoch or sample.
static void test_depends_on_nothing_else(void **state)
{
    enum { SAMPLES = 24 };
    static float first[SAMPLES][VOLUME];
    float again[VOLUME];
    int same = 0;
    rn_image *small = make_picture(3, 20, 33), *large = make_picture(1, 71, 52);
    rn_preprocess *p = make_preprocess(RN_NORMALIZE_CHANNEL, 3);
    rn_scratch *scratch;

    (void)state;
    assert_int_equal(rn_scratch_create(&scratch), RN_OK);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        const rn_augment_where where = {SEED, 1, i, NULL};
        const rn_image *image = i % 2 ? small : large;
        assert_int_equal(rn_preprocess_photo(p, first[i], image, &everything, &where), RN_OK);
    }
    for (uint32_t k = 0; k < SAMPLES; k++) {
        uint32_t i = k * 7 % SAMPLES;
        rn_augment_where where = {SEED, 1, i, scratch};
        const rn_image *image = i % 2 ? small : large;
        assert_int_equal(rn_preprocess_photo(p, again, image, &everything, &where), RN_OK);
        assert_memory_equal(again, first[i], sizeof again);
        where.epoch = 2;
        assert_int_equal(rn_preprocess_photo(p, again, image, &everything, &where), RN_OK);
        same += memcmp(again, first[i], sizeof again) == 0;
    }
    assert_int_equal(same, 0);
    rn_scratch_free(scratch);
    rn_preprocess_free(p);
    rn_image_free(small);
    rn_image_free(large);
}

static void test_alternating_flip(void **state)
{
    rn_augment augment = {.flip = true, .alternate_flip = true};
    float view[2][VOLUME], found[VOLUME];
    int mirrored = 0;
    rn_image *image = make_picture(3, 18, 14);
    rn_preprocess *p = make_preprocess(RN_NORMALIZE_CHANNEL, 3);

    (void)state;
    assert_int_equal(rn_preprocess_image(p, view[0], image), RN_OK);
    for (int i = 0; i < VOLUME; i++)
        view[1][i] = view[0][i / WIDTH * WIDTH + WIDTH - 1 - i % WIDTH];
    for (uint32_t i = 0; i < 200; i++) {
        int side = 0;
        for (uint32_t epoch = 0; epoch < 3; epoch++) {
            const rn_augment_where where = {SEED, epoch, i, NULL};
            assert_int_equal(rn_preprocess_photo(p, found, image, &augment, &where), RN_OK);
            if (epoch == 0)
                side = memcmp(found, view[1], sizeof found) == 0;
            assert_memory_equal(found, view[(side + (int)epoch) % 2], sizeof found);
        }
        mirrored += side;
    }
    assert_in_range(mirrored, 70, 130);
    rn_preprocess_free(p);
    rn_image_free(image);
}

// Sums over the shifts give back deviation x eigenvalue along the first eigenvector.
static void test_pca_shift(void **state)
{
    enum { DRAWS = 4000 };
    static const double first[3] = {-0.5675, -0.5808, -0.5836};
    const rn_augment augment = {.pca = 0.1};
    double variance = 0, mean = 0;

    (void)state;
    for (uint32_t i = 0; i < DRAWS; i++) {
        rn_stream stream;
        float shift[3];
        rn_stream_init(&stream, SEED, RN_PURPOSE_TEST, 3, i);
        rn_photo_shift(shift, &augment, &stream);
        double along = 0;
        for (int c = 0; c < 3; c++)
            along += first[c] * (double)shift[c];
        mean += along / DRAWS;
        variance += along * along / DRAWS;
    }
    assert_true(fabs(mean) < 0.0015);
    assert_true(fabs(sqrt(variance) - 0.02175) < 0.001);
}

static void test_erasing(void **state)
{
    enum { DRAWS = 4000 };
    const rn_augment augment = {.erase = 0.25};
    int erased = 0;
    double area = 0, least = 1, most = 0, tallest = 0, widest = 0;

    (void)state;
    for (uint32_t i = 0; i < DRAWS; i++) {
        rn_stream stream;
        rn_stream_init(&stream, SEED, RN_PURPOSE_TEST, 4, i);
        rn_rectangle r = rn_photo_erase(&augment, 200, 300, &stream);
        if (r.width == 0)
            continue;
        double share = r.width * r.height / 60000.0;
        assert_true(r.left >= 0 && r.left + r.width <= 300 && r.width < 300);
        assert_true(r.top >= 0 && r.top + r.height <= 200 && r.height < 200);
        erased++;
        area += share;
        least = fmin(least, share);
        most = fmax(most, share);
        tallest = fmax(tallest, (double)r.height / r.width);
        widest = fmax(widest, (double)r.width / r.height);
    }
    assert_in_range(erased, 900, 1100);
    assert_true(least > 0.019 && least < 0.024 && most > 0.31 && most < 0.332);
    assert_true(area / erased > 0.15 && area / erased < 0.185);
    assert_true(tallest > 2.9 && tallest < 3.5 && widest > 2.9 && widest < 3.5);
}

// Factors stay in their range: of a gray that cannot overflow, brightness is the value itself.
static void test_jitter_range(void **state)
{
    const rn_augment augment = {.brightness = 0.4};
    int least = 255, most = 0;
    double mean = 0;

    (void)state;
    for (uint32_t i = 0; i < 2000; i++) {
        uint8_t bytes[3] = {100, 100, 100}, spare[3];
        rn_pixels pixels = {3, 1, 1, bytes, spare};
        rn_stream stream;
        rn_stream_init(&stream, SEED, RN_PURPOSE_TEST, 5, i);
        rn_photo_change(&pixels, &augment, &stream);
        least = bytes[0] < least ? bytes[0] : least;
        most = bytes[0] > most ? bytes[0] : most;
        mean += bytes[0] / 2000.0;
    }
    assert_in_range(least, 60, 61);
    assert_in_range(most, 138, 140);
    assert_true(fabs(mean - 99.5) < 2);
}

// An image of the input's size: pad and flip are as ever; PCA and erasing come on top.
static void test_sample(void **state)
{
    rn_augment augment = {.pad = 2, .flip = true};
    uint8_t planes[VOLUME];
    float plain[VOLUME], found[VOLUME];
    int zeroes = 0, alike = 0;
    rn_preprocess *p = make_preprocess(RN_NORMALIZE_PIXEL, 3);

    (void)state;
    for (int i = 0; i < VOLUME; i++)
        planes[i] = (uint8_t)(i * 31 + i / 7);
    for (uint32_t n = 0; n < 50; n++) {
        const rn_augment_where where = {SEED, 2, n, NULL};
        rn_augment more = augment;
        rn_preprocess_apply(p, plain, planes, &augment, SEED, 2, n);
        assert_int_equal(rn_preprocess_sample(p, found, planes, &augment, &where), RN_OK);
        assert_memory_equal(found, plain, sizeof found);
        more.erase = 1;
        assert_int_equal(rn_preprocess_sample(p, found, planes, &more, &where), RN_OK);
        for (int i = 0; i < VOLUME; i++) {
            assert_true(found[i] == plain[i] || found[i] == 0);
            zeroes += found[i] == 0 && plain[i] != 0;
        }
        more = augment;
        more.contrast = 1;
        assert_int_equal(rn_preprocess_sample(p, found, planes, &more, &where), RN_OK);
        for (int i = 0; i < VOLUME; i++) // padding stays the mean colour
            assert_true(plain[i] != 0 || found[i] == 0);
        alike += memcmp(found, plain, sizeof found) == 0;
    }
    assert_true(zeroes > VOLUME);
    assert_in_range(alike, 0, 2);
    rn_preprocess_free(p);
}

static void test_sample_is_photo_of_planes(void **state)
{
    uint8_t planes[VOLUME];
    float found[VOLUME], expected[VOLUME];
    rn_image *image = make_picture(3, WIDTH, HEIGHT);
    rn_preprocess *p = make_preprocess(RN_NORMALIZE_CHANNEL, 3);

    (void)state;
    for (int i = 0; i < VOLUME; i++)
        planes[i % 3 * PLANE + i / 3] = image->pixels[i];
    for (uint32_t n = 0; n < 20; n++) {
        const rn_augment_where where = {SEED, 0, n, NULL};
        assert_int_equal(rn_preprocess_photo(p, expected, image, &everything, &where), RN_OK);
        assert_int_equal(rn_preprocess_sample(p, found, planes, &everything, &where), RN_OK);
        assert_memory_equal(found, expected, sizeof found);
    }
    rn_preprocess_free(p);
    rn_image_free(image);
}

// The colours of a gray input are not shifted, and PCA moves a coloured one as a whole.
static void test_pca_of_inputs(void **state)
{
    const rn_augment augment = {.pca = 0.5};
    const rn_augment_where where = {SEED, 0, 1, NULL};
    uint8_t planes[VOLUME] = {0};
    float plain[VOLUME], found[VOLUME], shift[3];
    rn_stream stream;

    (void)state;
    rn_stream_init(&stream, SEED, RN_PURPOSE_AUGMENT, 0, 1);
    rn_photo_shift(shift, &augment, &stream);
    for (int channels = 1; channels <= 3; channels += 2) {
        rn_preprocess *p = make_preprocess(RN_NORMALIZE_CHANNEL, channels);
        rn_preprocess_apply(p, plain, planes, NULL, 0, 0, 0);
        assert_int_equal(rn_preprocess_sample(p, found, planes, &augment, &where), RN_OK);
        for (int i = 0; i < PLANE * channels; i++) {
            float by = channels == 3 ? shift[i / PLANE] / p->deviation[i / PLANE] : 0;
            assert_true(fabsf(found[i] - plain[i] - by) < 1e-5f);
        }
        rn_preprocess_free(p);
    }
}

static void test_imagenet_constants(void **state)
{
    rn_preprocess *p;

    (void)state;
    assert_int_equal(rn_preprocess_create(&p, RN_NORMALIZE_IMAGENET, 3, 2, 2, NULL, NULL), RN_OK);
    assert_int_equal(p->normalize, RN_NORMALIZE_CHANNEL);
    assert_true(p->mean[0] == 0.485f && p->mean[1] == 0.456f && p->mean[2] == 0.406f);
    assert_true(p->deviation[0] == 0.229f && p->deviation[2] == 0.225f);
    rn_preprocess_free(p);
    assert_int_equal(rn_preprocess_create(&p, RN_NORMALIZE_IMAGENET, 1, 2, 2, NULL, NULL),
                     RN_EINVAL);
    assert_null(p);
}

static void test_refuses(void **state)
{
    uint8_t pixels[VOLUME] = {0};
    float dst[VOLUME];
    rn_preprocess *two = make_preprocess(RN_NORMALIZE_NONE, 2);
    rn_preprocess *three = make_preprocess(RN_NORMALIZE_NONE, 3);

    (void)state;
    assert_int_equal(rn_preprocess_photo(two, dst, &(rn_image){3, 1, 1, pixels}, &everything, NULL),
                     RN_EINVAL);
    assert_int_equal(rn_preprocess_sample(two, dst, pixels, &everything, NULL), RN_EINVAL);
    assert_int_equal(
        rn_preprocess_photo(three, dst, &(rn_image){2, 1, 1, pixels}, &everything, NULL),
        RN_EINVAL);
    assert_int_equal(
        rn_preprocess_photo(three, dst, &(rn_image){3, 1, 0, pixels}, &everything, NULL),
        RN_EINVAL);
    rn_preprocess_free(two);
    rn_preprocess_free(three);
}

static void test_allocation_failures(void **state)
{
    rn_image *image = make_picture(3, 31, 23);
    rn_preprocess *p = make_preprocess(RN_NORMALIZE_CHANNEL, 3);
    uint8_t planes[VOLUME] = {0};
    float dst[VOLUME];

    (void)state;
    for (int way = 0; way < 3; way++) {
        rn_status st = RN_ENOMEM;
        rn_augment augment = everything;
        augment.crop = way == 2 ? RN_CROP_PAD : RN_CROP_AREA;
        for (int which = 0; st != RN_OK; which++) {
            const rn_augment_where where = {SEED, 0, 5, NULL};
            fail_allocation plan;
            fail_allocation_start(&plan, which);
            st = way == 0 ? rn_preprocess_photo(p, dst, image, &augment, &where)
                          : rn_preprocess_sample(p, dst, planes, &augment, &where);
            fail_allocation_stop();
            assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
        }
    }
    rn_preprocess_free(p);
    rn_image_free(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_crop_and_size),
        cmocka_unit_test(test_resize_draws),
        cmocka_unit_test(test_area_draws),
        cmocka_unit_test(test_area_fallback),
        cmocka_unit_test(test_centre),
        cmocka_unit_test(test_depends_on_nothing_else),
        cmocka_unit_test(test_alternating_flip),
        cmocka_unit_test(test_pca_shift),
        cmocka_unit_test(test_erasing),
        cmocka_unit_test(test_jitter_range),
        cmocka_unit_test(test_sample),
        cmocka_unit_test(test_sample_is_photo_of_planes),
        cmocka_unit_test(test_pca_of_inputs),
        cmocka_unit_test(test_imagenet_constants),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_allocation_failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
