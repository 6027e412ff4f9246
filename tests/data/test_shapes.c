#include "data/fixtures.h"

#include "data/outlines.h"
#include "data/shapes.h"

#include <math.h>
#include <zlib.h>

enum { BYTES = 3 * 32 * 32 };

// A checksum of the bytes: they must be the same with every compiler, option and processor, or
// results on "shapes" could not be compared. To change the pictures is to make another data set.
static void test_bytes_are_pinned(void **state)
{
    uint8_t image[BYTES];
    uint32_t train = 0, test = 0;

    (void)state;
    for (uint32_t i = 0; i < 40; i++) {
        rn_shapes_draw(image, 1, RN_SPLIT_TRAIN, i);
        train = (uint32_t)crc32(train, image, BYTES);
        rn_shapes_draw(image, 1, RN_SPLIT_TEST, i);
        test = (uint32_t)crc32(test, image, BYTES);
    }
    assert_int_equal(train, 0xcfd91697);
    assert_int_equal(test, 0x26448b81);
}

static void test_threads_and_counts_do_not_matter(void **state)
{
    rn_samples *one, *many;
    int threads = rn_threads();

    (void)state;
    assert_int_equal(rn_threads_set(1), RN_OK);
    assert_int_equal(rn_data_open(&one, "shapes:train=57,seed=9", RN_SPLIT_TRAIN), RN_OK);
    assert_int_equal(rn_threads_set(3), RN_OK);
    assert_int_equal(rn_data_open(&many, "shapes:train=91,seed=9", RN_SPLIT_TRAIN), RN_OK);
    assert_int_equal(rn_threads_set(threads), RN_OK);
    assert_int_equal(one->count, 57);
    assert_int_equal(many->count, 91);
    assert_memory_equal(one->images, many->images, 57 * BYTES);
    assert_memory_equal(one->labels, many->labels, 57 * sizeof *one->labels);
    rn_samples_free(one);
    rn_samples_free(many);
}

static void test_seeds_and_splits_differ(void **state)
{
    uint8_t first[BYTES], second[BYTES];

    (void)state;
    rn_shapes_draw(first, 1, RN_SPLIT_TRAIN, 4);
    rn_shapes_draw(second, 2, RN_SPLIT_TRAIN, 4);
    assert_memory_not_equal(first, second, BYTES);
    rn_shapes_draw(second, 1, RN_SPLIT_TEST, 4);
    assert_memory_not_equal(first, second, BYTES);
    rn_shapes_draw(second, 1, RN_SPLIT_TRAIN, 14);
    assert_memory_not_equal(first, second, BYTES);
}

static void test_set(void **state)
{
    static const char *const names[] = {"circle", "square",   "triangle", "star",    "ring",
                                        "cross",  "crescent", "heart",    "hexagon", "arrow"};
    rn_samples *samples;

    (void)state;
    assert_int_equal(rn_data_open(&samples, "shapes:test=101", RN_SPLIT_TEST), RN_OK);
    assert_int_equal(samples->count, 101);
    assert_int_equal(samples->channels, 3);
    assert_int_equal(samples->width, 32);
    assert_string_equal(samples->name, "shapes test (seed 1)");
    for (int c = 0; c < 10; c++)
        assert_string_equal(samples->label_names[c], names[c]);
    for (int i = 0; i < 101; i++)
        assert_int_equal(samples->labels[i], i % 10);
    rn_samples_free(samples);
}

static void test_without_memory(void **state)
{
    (void)state;
    fixture_sweep_open("shapes:train=3,seed=5", RN_SPLIT_TRAIN);
}

// Every figure has an inside, lies within the radius that its pose reckons with, and its distance
// grows by at most as much as the place moves (so that edges are blended over one pixel).
static void test_outlines(void **state)
{
    const float step = 0.01f;

    (void)state;
    for (int outline = 0; outline < RN_OUTLINE_COUNT; outline++) {
        int inside = 0;
        for (int i = 0; i < 300 * 300; i++) {
            rn_point p = {(float)(i % 300 - 150) * step, (float)(i / 300 - 150) * step};
            rn_point next = {p.x + step, p.y};
            float distance = rn_outline_distance((rn_outline)outline, p);
            float moved = rn_outline_distance((rn_outline)outline, next) - distance;
            assert_true(fabsf(moved) <= step * 1.01f);
            if (distance < 0) {
                inside++;
                assert_true(p.x * p.x + p.y * p.y < 1.15f * 1.15f);
            }
        }
        assert_true(inside > 6000 && inside < 30000); // 0.6 .. 3 of the square's area of 9
    }
}

static void test_directions(void **state)
{
    (void)state;
    for (int i = -300; i <= 300; i++) {
        rn_point way = rn_direction((float)i / 100);
        assert_true(fabs(way.x - cos(i * 0.06283185307179586)) < 1e-5);
        assert_true(fabs(way.y - sin(i * 0.06283185307179586)) < 1e-5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_are_pinned),
        cmocka_unit_test(test_threads_and_counts_do_not_matter),
        cmocka_unit_test(test_seeds_and_splits_differ),
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_outlines),
        cmocka_unit_test(test_directions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
