// Random streams: Philox's published answers, and the distributions drawn from them.
#include "base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

// Known answers of the Random123 distribution (Salmon et al. 2011), philox4x32 with 10 rounds.
static void philox_gives_the_published_answers(void **state)
{
    static const struct {
        uint32_t counter[4], key[2], expected[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t out[4];
        rn_philox(out, cases[i].counter, cases[i].key);
        assert_memory_equal(out, cases[i].expected, sizeof out);
    }
}

static void a_stream_is_the_blocks_of_its_name(void **state)
{
    rn_stream stream;
    const uint32_t key[2] = {0x89abcdefu, 0x01234567u};

    (void)state;
    rn_stream_init(&stream, 0x0123456789abcdefu, RN_PURPOSE_TEST, 3, 17);
    for (uint32_t block = 0; block < 5; block++) {
        uint32_t out[4];
        rn_philox(out, (const uint32_t[4]){block, 17, 3, RN_PURPOSE_TEST}, key);
        for (int i = 0; i < 4; i++)
            assert_int_equal(rn_stream_bits(&stream), out[i]);
    }
}

static uint32_t first_bits(uint64_t seed, rn_purpose purpose, uint32_t epoch, uint32_t sample)
{
    rn_stream stream;

    rn_stream_init(&stream, seed, purpose, epoch, sample);
    return rn_stream_bits(&stream);
}

static void every_part_of_the_name_counts(void **state)
{
    uint32_t base = first_bits(1, RN_PURPOSE_TEST, 1, 1);

    (void)state;
    assert_int_equal(base, first_bits(1, RN_PURPOSE_TEST, 1, 1));
    assert_int_not_equal(base, first_bits(2, RN_PURPOSE_TEST, 1, 1));
    assert_int_not_equal(base, first_bits(1 + (1ull << 32), RN_PURPOSE_TEST, 1, 1));
    assert_int_not_equal(base, first_bits(1, RN_PURPOSE_INIT, 1, 1));
    assert_int_not_equal(base, first_bits(1, RN_PURPOSE_TEST, 2, 1));
    assert_int_not_equal(base, first_bits(1, RN_PURPOSE_TEST, 1, 2));
}

static void purposes_keep_their_numbers(void **state)
{
    (void)state;
    assert_int_equal(RN_PURPOSE_INIT, 1);
    assert_int_equal(RN_PURPOSE_ORDER, 2);
    assert_int_equal(RN_PURPOSE_AUGMENT, 3);
    assert_int_equal(RN_PURPOSE_SHAPES, 4);
    assert_int_equal(RN_PURPOSE_DROPOUT, 5);
    assert_int_equal(RN_PURPOSE_SPLIT, 6);
    assert_int_equal(RN_PURPOSE_TEST, 7);
    assert_int_equal(RN_PURPOSE_MIX, 8);
}

static void uniform_fills_its_range(void **state)
{
    enum { DRAWS = 100000, BINS = 16 };
    rn_stream stream;
    int bins[BINS] = {0};
    double sum = 0.0;

    (void)state;
    rn_stream_init(&stream, 5, RN_PURPOSE_TEST, 0, 0);
    for (int i = 0; i < DRAWS; i++) {
        float u = rn_stream_uniform(&stream);
        assert_true(u >= 0.0f && u < 1.0f);
        bins[(int)(u * BINS)]++;
        sum += (double)u;
    }
    double chi2 = 0.0;
    for (int i = 0; i < BINS; i++)
        chi2 += pow(bins[i] - (double)DRAWS / BINS, 2.0) / ((double)DRAWS / BINS);
    assert_true(chi2 < 37.7); // 15 degrees of freedom, 99.9 %
    assert_true(fabs(sum / DRAWS - 0.5) < 4.0 / sqrt(12.0 * DRAWS));
}

// A bound just above 2^32 * 2/3 makes a plain modulo hit its lower half twice as often.
static void below_is_unbiased(void **state)
{
    const uint32_t bound = 0xaaaaaaabu;
    enum { DRAWS = 20000 };
    rn_stream stream;
    int lower = 0;

    (void)state;
    rn_stream_init(&stream, 6, RN_PURPOSE_TEST, 0, 0);
    for (int i = 0; i < DRAWS; i++) {
        uint32_t drawn = rn_stream_below(&stream, bound);
        assert_true(drawn < bound);
        lower += drawn < bound / 2;
    }
    assert_true(fabs(lower - DRAWS / 2.0) < 4.0 * sqrt(DRAWS / 4.0));
    // The multiply-shift without rejection would give every even value twice as often.
    int odd = 0;
    for (int i = 0; i < DRAWS; i++)
        odd += rn_stream_below(&stream, bound) % 2 == 1;
    assert_true(fabs(odd - DRAWS / 2.0) < 4.0 * sqrt(DRAWS / 4.0));
}

static void small_bounds_reach_every_value(void **state)
{
    rn_stream stream;

    (void)state;
    rn_stream_init(&stream, 7, RN_PURPOSE_TEST, 0, 0);
    for (uint32_t bound = 1; bound <= 11; bound++) {
        int seen[11] = {0};
        for (int i = 0; i < 2000; i++)
            seen[rn_stream_below(&stream, bound)]++;
        for (uint32_t value = 0; value < 11; value++)
            assert_int_equal(seen[value] > 0, value < bound);
    }
}

static void normal_has_its_moments(void **state)
{
    enum { DRAWS = 100000 };
    rn_stream stream;
    double moment[5] = {0};

    (void)state;
    rn_stream_init(&stream, 8, RN_PURPOSE_TEST, 0, 0);
    for (int i = 0; i < DRAWS; i++) {
        double x = (double)rn_stream_normal(&stream);
        assert_true(isfinite(x));
        for (int k = 1; k <= 4; k++)
            moment[k] += pow(x, k) / DRAWS;
    }
    // Four standard deviations of each: 1, 2, 15 and 96 over the draws.
    assert_true(fabs(moment[1]) < 4.0 * sqrt(1.0 / DRAWS));
    assert_true(fabs(moment[2] - 1.0) < 4.0 * sqrt(2.0 / DRAWS));
    assert_true(fabs(moment[3]) < 4.0 * sqrt(15.0 / DRAWS));
    assert_true(fabs(moment[4] - 3.0) < 4.0 * sqrt(96.0 / DRAWS));
}

// Distributions of Beta(alpha, alpha) that have a closed form.
static double beta_share_below(double alpha, double x)
{
    if (alpha == 0.5)
        return asin(sqrt(x)) / asin(1);
    return alpha == 1 ? x : x * x * (3 - 2 * x); // 2
}

// Kolmogorov-Smirnov on a grid.
static void beta_has_its_distribution(void **state)
{
    enum { DRAWS = 40000, GRID = 64 };
    static const double alphas[] = {0.5, 1, 2};

    (void)state;
    for (size_t a = 0; a < sizeof alphas / sizeof *alphas; a++) {
        int bins[GRID] = {0};
        double below = 0;
        rn_stream stream;
        rn_stream_init(&stream, 11, RN_PURPOSE_TEST, 0, (uint32_t)a);
        for (int i = 0; i < DRAWS; i++) {
            double x = rn_stream_beta(&stream, alphas[a]);
            assert_true(x >= 0 && x <= 1);
            bins[x < 1 ? (int)(x * GRID) : GRID - 1]++;
        }
        for (int i = 0; i < GRID; i++) {
            below += (double)bins[i] / DRAWS;
            double expected = beta_share_below(alphas[a], (i + 1.0) / GRID);
            assert_true(fabs(below - expected) < 1.95 / sqrt(DRAWS)); // 99.9 %
        }
    }
}

// Mean 1/2, variance 1 / (8 alpha + 4), from alphas that leave nearly all at 0 and 1 to narrow
// ones.
static void beta_has_its_moments(void **state)
{
    enum { DRAWS = 40000 };
    static const double alphas[] = {5e-324, 1e-308, 1e-9, 1e-3, 0.1, 0.2, 1, 3, 100};

    (void)state;
    for (size_t a = 0; a < sizeof alphas / sizeof *alphas; a++) {
        double mean = 0, spread = 0, fourth = 0, variance = 1 / (8 * alphas[a] + 4);
        rn_stream stream;
        rn_stream_init(&stream, 12, RN_PURPOSE_TEST, 0, (uint32_t)a);
        for (int i = 0; i < DRAWS; i++) {
            double x = rn_stream_beta(&stream, alphas[a]), square = (x - 0.5) * (x - 0.5);
            mean += x / DRAWS;
            spread += square / DRAWS;
            fourth += square * square / DRAWS;
        }
        assert_true(fabs(mean - 0.5) < 4 * sqrt(variance / DRAWS));
        assert_true(fabs(spread - variance) <
                    4 * sqrt((fourth - variance * variance) / DRAWS) + 1e-9);
    }
}

static void shuffle_permutes(void **state)
{
    enum { COUNT = 1001 };
    rn_stream stream;
    uint32_t items[COUNT];
    bool seen[COUNT] = {false};
    int fixed = 0;

    (void)state;
    for (uint32_t i = 0; i < COUNT; i++)
        items[i] = i;
    rn_stream_init(&stream, 9, RN_PURPOSE_TEST, 0, 0);
    rn_stream_shuffle(&stream, items, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_true(items[i] < COUNT && !seen[items[i]]);
        seen[items[i]] = true;
        fixed += items[i] == i;
    }
    assert_true(fixed < 10); // one is expected
    rn_stream_shuffle(&stream, items, 0);
    rn_stream_shuffle(&stream, items, 1);
}

static void shuffles_of_three_are_equally_likely(void **state)
{
    enum { DRAWS = 12000 };
    rn_stream stream;
    int seen[27] = {0};

    (void)state;
    rn_stream_init(&stream, 10, RN_PURPOSE_TEST, 0, 0);
    for (int i = 0; i < DRAWS; i++) {
        uint32_t items[3] = {0, 1, 2};
        rn_stream_shuffle(&stream, items, 3);
        seen[items[0] * 9 + items[1] * 3 + items[2]]++;
    }
    int orders = 0;
    for (int i = 0; i < 27; i++) {
        orders += seen[i] > 0;
        if (seen[i] > 0)
            assert_true(fabs(seen[i] - DRAWS / 6.0) < 4.0 * sqrt(DRAWS * 5.0 / 36.0));
    }
    assert_int_equal(orders, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_answers),
        cmocka_unit_test(a_stream_is_the_blocks_of_its_name),
        cmocka_unit_test(every_part_of_the_name_counts),
        cmocka_unit_test(purposes_keep_their_numbers),
        cmocka_unit_test(uniform_fills_its_range),
        cmocka_unit_test(below_is_unbiased),
        cmocka_unit_test(small_bounds_reach_every_value),
        cmocka_unit_test(normal_has_its_moments),
        cmocka_unit_test(beta_has_its_distribution),
        cmocka_unit_test(beta_has_its_moments),
        cmocka_unit_test(shuffle_permutes),
        cmocka_unit_test(shuffles_of_three_are_equally_likely),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
