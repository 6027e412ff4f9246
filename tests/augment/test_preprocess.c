#include "base/random.h"
#include "image/fail_allocation.h"
#include "resnet/augment.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { CHANNELS = 3, HEIGHT = 7, WIDTH = 5, COUNT = 11, VOLUME = CHANNELS * HEIGHT * WIDTH };

static uint8_t bytes[COUNT * VOLUME];
static rn_samples set = {.count = COUNT,
                         .channels = CHANNELS,
                         .height = HEIGHT,
                         .width = WIDTH,
                         .images = bytes,
                         .name = "random"};

static int make_set(void **state)
{
    rn_stream stream;

    (void)state;
    rn_stream_init(&stream, 1, RN_PURPOSE_TEST, 0, 0);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)rn_stream_below(&stream, 256);
    for (size_t n = 0; n < COUNT; n++)
        bytes[n * VOLUME + 8] = 77; // one pixel that is always the same
    return 0;
}

static void test_names(void **state)
{
    rn_normalize normalize = RN_NORMALIZE_NONE;

    (void)state;
    for (int i = 0; i <= RN_NORMALIZE_IMAGENET; i++) {
        assert_int_equal(rn_normalize_parse(&normalize, rn_normalize_name((rn_normalize)i)), 0);
        assert_int_equal(normalize, i);
    }
    assert_null(rn_normalize_name((rn_normalize)6));
    assert_null(rn_normalize_name((rn_normalize)-1));
    assert_int_equal(rn_normalize_parse(&normalize, "pixels"), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "did you mean 'pixel'"));
    assert_int_equal(rn_normalize_parse(&normalize, "zzzzzzzzzz"), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "channel-mean"));
    assert_int_equal(rn_normalize_parse(&normalize, ""), RN_EINVAL);
}

// Two passes in double over value / 255, entry by entry.
static void naive_moments(bool by_channel, size_t entry, double *mean, double *deviation)
{
    size_t plane = HEIGHT * WIDTH, from = by_channel ? entry * plane : entry;
    size_t group = by_channel ? plane : 1;
    double sum = 0, square = 0, n = (double)(COUNT * group);

    for (size_t k = 0; k < COUNT * group; k++)
        sum += bytes[k / group * VOLUME + from + k % group] / 255.0;
    *mean = sum / n;
    for (size_t k = 0; k < COUNT * group; k++) {
        double off = bytes[k / group * VOLUME + from + k % group] / 255.0 - *mean;
        square += off * off;
    }
    *deviation = fmax(sqrt(square / n), 1 / 255.0);
}

static void check_measured(rn_normalize normalize, bool by_channel, bool mean_only)
{
    rn_preprocess *made;

    assert_int_equal(rn_preprocess_measure(&made, &set, normalize), RN_OK);
    assert_int_equal(made->entries, by_channel ? CHANNELS : VOLUME);
    for (size_t i = 0; i < made->entries; i++) {
        double mean, deviation;
        naive_moments(by_channel, i, &mean, &deviation);
        assert_true(fabs(made->mean[i] - mean) < 1e-7);
        assert_true(fabs(made->deviation[i] - (mean_only ? 1 : deviation)) < 1e-7);
    }
    rn_preprocess_free(made);
}

static void test_measure(void **state)
{
    rn_samples empty = set;
    rn_preprocess *made;

    (void)state;
    check_measured(RN_NORMALIZE_CHANNEL, true, false);
    check_measured(RN_NORMALIZE_PIXEL, false, false);
    check_measured(RN_NORMALIZE_CHANNEL_MEAN, true, true);
    check_measured(RN_NORMALIZE_PIXEL_MEAN, false, true);
    assert_int_equal(rn_preprocess_measure(&made, &set, RN_NORMALIZE_NONE), RN_OK);
    assert_int_equal(made->entries, 0);
    assert_non_null(made->mean);
    assert_non_null(made->deviation);
    rn_preprocess_free(made);
    empty.count = 0;
    assert_int_equal(rn_preprocess_measure(&made, &empty, RN_NORMALIZE_PIXEL), RN_EINVAL);
    assert_null(made);
    assert_int_equal(rn_preprocess_measure(&made, &set, (rn_normalize)17), RN_EINVAL);
    assert_null(made);
}

static void refuse(rn_normalize normalize, int channels, int height, const float *mean,
                   const float *deviation)
{
    rn_preprocess *made = (rn_preprocess *)bytes;

    assert_int_equal(rn_preprocess_create(&made, normalize, channels, height, 1, mean, deviation),
                     RN_EINVAL);
    assert_null(made);
    assert_null(strchr(rn_error_message(), '\n'));
}

static void test_create_refuses(void **state)
{
    const float good[2] = {0.5f, 0.5f}, nan[2] = {0.5f, NAN}, zero[2] = {1, 0}, minus[2] = {1, -1};
    const float infinite[2] = {INFINITY, 1};

    (void)state;
    refuse(RN_NORMALIZE_CHANNEL, 2, 1, nan, good);
    refuse(RN_NORMALIZE_CHANNEL, 2, 1, good, nan);
    refuse(RN_NORMALIZE_CHANNEL, 2, 1, good, zero);
    refuse(RN_NORMALIZE_CHANNEL, 2, 1, good, minus);
    refuse(RN_NORMALIZE_CHANNEL, 2, 1, good, infinite);
    refuse(RN_NORMALIZE_CHANNEL_MEAN, 2, 1, good, good);
    refuse(RN_NORMALIZE_CHANNEL, 0, 1, good, good);
    refuse(RN_NORMALIZE_CHANNEL, 2, 0, good, good);
    refuse(RN_NORMALIZE_CHANNEL, 2, 65537, good, good);
    refuse((rn_normalize)9, 2, 1, good, good);
}

// The contract, pixel by pixel.
static float naive_input(const rn_preprocess *p, const uint8_t *image, int c, int y, int x)
{
    if (y < 0 || y >= HEIGHT || x < 0 || x >= WIDTH)
        return 0.0f;
    size_t at = (size_t)((c * HEIGHT + y) * WIDTH + x);
    size_t entry = p->entries == CHANNELS ? (size_t)c : at;
    float value = (float)image[at] / 255.0f;
    return p->entries == 0 ? value : (value - p->mean[entry]) / p->deviation[entry];
}

static void check_apply(const rn_preprocess *p, const rn_augment *augment, uint32_t sample)
{
    const uint8_t *image = bytes + sample * VOLUME;
    float dst[VOLUME + 1];
    rn_stream stream;
    int pad = augment == NULL ? 0 : augment->pad;

    dst[VOLUME] = 42.0f;
    rn_preprocess_apply(p, dst, image, augment, 99, 3, sample);
    rn_stream_init(&stream, 99, RN_PURPOSE_AUGMENT, 3, sample);
    int top = (int)rn_stream_below(&stream, (uint32_t)(2 * pad + 1)) - pad;
    int left = (int)rn_stream_below(&stream, (uint32_t)(2 * pad + 1)) - pad;
    bool flip = rn_stream_below(&stream, 2) == 1 && augment != NULL && augment->flip;
    for (int i = 0; i < VOLUME; i++) {
        int x = i % WIDTH, y = i / WIDTH % HEIGHT, c = i / WIDTH / HEIGHT;
        x = flip ? WIDTH - 1 - x : x;
        assert_true(dst[i] == naive_input(p, image, c, y + top, x + left));
    }
    assert_true(dst[VOLUME] == 42.0f);
}

static void test_apply(void **state)
{
    (void)state;
    for (int normalize = 0; normalize <= RN_NORMALIZE_PIXEL_MEAN; normalize++) {
        rn_preprocess *p;
        assert_int_equal(rn_preprocess_measure(&p, &set, (rn_normalize)normalize), RN_OK);
        for (uint32_t n = 0; n < COUNT; n++)
            check_apply(p, NULL, n);
        for (int pad = 0; pad <= 9; pad++) { // also wider than the image
            for (uint32_t n = 0; n < COUNT; n++) {
                check_apply(p, &(rn_augment){.pad = pad, .flip = false}, n);
                check_apply(p, &(rn_augment){.pad = pad, .flip = true}, n);
            }
        }
        rn_preprocess_free(p);
    }
}

// Every crop and both flips must come, each about as often as the others.
static void test_draws_are_uniform(void **state)
{
    enum { PAD = 2, PLACES = 5, DRAWS = 50 * 200 };
    const uint8_t image[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9}; // 3 x 3: a crop names itself
    int seen[PLACES][PLACES][2] = {{{0}}};
    rn_preprocess *p;

    (void)state;
    assert_int_equal(rn_preprocess_create(&p, RN_NORMALIZE_NONE, 1, 3, 3, NULL, NULL), RN_OK);
    for (uint32_t n = 0; n < DRAWS; n++) {
        float dst[9];
        int found = 0;
        rn_preprocess_apply(p, dst, image, &(rn_augment){.pad = PAD, .flip = true}, 5, n / 1000,
                            n % 1000);
        for (int i = 0; i < PLACES * PLACES * 2; i++) {
            int top = i / 2 / PLACES - PAD, left = i / 2 % PLACES - PAD, same = 1;
            for (int k = 0; k < 9; k++) {
                int y = k / 3 + top, x = (i % 2 != 0 ? 2 - k % 3 : k % 3) + left;
                bool inside = y >= 0 && y < 3 && x >= 0 && x < 3;
                same &= dst[k] == (inside ? (float)image[y * 3 + x] / 255.0f : 0.0f);
            }
            if (same) {
                seen[top + PAD][left + PAD][i % 2]++;
                found++;
            }
        }
        assert_int_equal(found, 1);
    }
    for (int i = 0; i < PLACES * PLACES * 2; i++) // 200 expected, standard deviation 14
        assert_in_range(seen[i / 2 / PLACES][i / 2 % PLACES][i % 2], 140, 260);
    rn_preprocess_free(p);
}

static void test_known_draws(void **state)
{
    const uint8_t image[4] = {10, 20, 30, 40};
    float first[4], again[4];
    rn_preprocess *p;
    int differ = 0;

    (void)state;
    assert_int_equal(rn_preprocess_create(&p, RN_NORMALIZE_NONE, 1, 2, 2, NULL, NULL), RN_OK);
    for (uint32_t n = 0; n < 100; n++) {
        rn_augment augment = {.pad = 4, .flip = true};
        rn_preprocess_apply(p, first, image, &augment, 7, 1, n);
        rn_preprocess_apply(p, again, image, &augment, 7, 1, n);
        assert_memory_equal(first, again, sizeof first);
        rn_preprocess_apply(p, again, image, &augment, 7, 2, n);
        differ += memcmp(first, again, sizeof first) != 0;
    }
    assert_true(differ > 20); // another epoch, other crops; many are empty here
    rn_preprocess_free(p);
}

// By folding the position until it lies inside.
static int naive_reflection(int at, int size)
{
    while (at < 0 || at >= size)
        at = at < 0 ? -at : 2 * (size - 1) - at;
    return at;
}

static void check_reflected(const rn_preprocess *p, int top, int left, bool flip)
{
    const uint8_t *image = bytes + 3 * VOLUME;
    float dst[VOLUME];

    rn_preprocess_view(p, dst, image, &(rn_view){top, left, flip, RN_PAD_REFLECT});
    for (int i = 0; i < VOLUME; i++) {
        int x = i % WIDTH, y = i / WIDTH % HEIGHT, c = i / WIDTH / HEIGHT;
        x = flip ? WIDTH - 1 - x : x;
        assert_true(dst[i] == naive_input(p, image, c, naive_reflection(y + top, HEIGHT),
                                          naive_reflection(x + left, WIDTH)));
    }
}

static void test_reflect(void **state)
{
    const uint8_t pixel = 51;
    float one;
    rn_preprocess *p;

    (void)state;
    for (int normalize = 0; normalize <= RN_NORMALIZE_PIXEL_MEAN; normalize++) {
        assert_int_equal(rn_preprocess_measure(&p, &set, (rn_normalize)normalize), RN_OK);
        for (int top = -17; top <= 17; top++) // also more than once across the image
            for (int left = -12; left <= 12; left++)
                check_reflected(p, top, left, (top + left) % 2 != 0);
        rn_preprocess_free(p);
    }
    assert_int_equal(rn_preprocess_create(&p, RN_NORMALIZE_NONE, 1, 1, 1, NULL, NULL), RN_OK);
    rn_preprocess_view(p, &one, &pixel, &(rn_view){3, -2, true, RN_PAD_REFLECT});
    assert_true(one == 51.0f / 255.0f);
    rn_preprocess_free(p);
    assert_string_equal(rn_pad_mode_name(RN_PAD_REFLECT), "reflect");
    assert_null(rn_pad_mode_name((rn_pad_mode)2));
}

// The crop is every epoch's own; the side is that of epoch 0 in even epochs, the other in odd ones.
static void test_alternating_flip(void **state)
{
    const rn_augment plain = {.pad = 2, .flip = true};
    rn_augment alternate = plain;
    int mirrored = 0;
    rn_preprocess *p;

    (void)state;
    alternate.alternate_flip = true;
    assert_int_equal(rn_preprocess_create(&p, RN_NORMALIZE_NONE, 3, HEIGHT, WIDTH, NULL, NULL), 0);
    for (uint32_t n = 0; n < 200; n++) {
        rn_stream stream;
        rn_stream_init(&stream, 9, RN_PURPOSE_AUGMENT, 0, n);
        bool flip = (rn_stream_below(&stream, 5), rn_stream_below(&stream, 5),
                     rn_stream_below(&stream, 2) == 1);
        mirrored += flip;
        for (uint32_t epoch = 0; epoch < 4; epoch++) {
            float got[VOLUME], expected[VOLUME];
            rn_view view = {.flip = flip != (epoch % 2 == 1)};
            rn_stream_init(&stream, 9, RN_PURPOSE_AUGMENT, epoch, n);
            view.top = (int)rn_stream_below(&stream, 5) - 2;
            view.left = (int)rn_stream_below(&stream, 5) - 2;
            rn_preprocess_apply(p, got, bytes, &alternate, 9, epoch, n);
            rn_preprocess_view(p, expected, bytes, &view);
            assert_memory_equal(got, expected, sizeof got);
            if (epoch == 0) {
                rn_preprocess_apply(p, expected, bytes, &plain, 9, 0, n);
                assert_memory_equal(got, expected, sizeof got);
            }
        }
    }
    assert_in_range(mirrored, 70, 130);
    rn_preprocess_free(p);
}

static void test_allocation_failures(void **state)
{
    rn_status st = RN_ENOMEM;
    int which;

    (void)state;
    for (which = 0; st != RN_OK; which++) {
        rn_preprocess *made;
        fail_allocation plan;
        fail_allocation_start(&plan, which);
        st = rn_preprocess_measure(&made, &set, RN_NORMALIZE_PIXEL);
        fail_allocation_stop();
        assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
        assert_true((made == NULL) == (st != RN_OK));
        rn_preprocess_free(made);
    }
    assert_int_equal(which, 8); // four of measuring, three of creating, one clean run
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_measure),
        cmocka_unit_test(test_create_refuses),
        cmocka_unit_test(test_apply),
        cmocka_unit_test(test_draws_are_uniform),
        cmocka_unit_test(test_known_draws),
        cmocka_unit_test(test_reflect),
        cmocka_unit_test(test_alternating_flip),
        cmocka_unit_test(test_allocation_failures),
    };

    return cmocka_run_group_tests(tests, make_set, NULL);
}
