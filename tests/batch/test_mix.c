// Mixup and CutMix: what is drawn, and what becomes of a batch.
#include "base/random.h"
#include "batch/mix.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CHANNELS = 2, HEIGHT = 5, WIDTH = 7, VOLUME = CHANNELS * HEIGHT * WIDTH, MOST = 5 };

static bool same(const rn_mixing *a, const rn_mixing *b)
{
    return a->share == b->share && a->box == b->box && a->top == b->top && a->left == b->left &&
           a->height == b->height && a->width == b->width;
}

static void nothing_but_the_name_decides(void **state)
{
    const rn_mix mix = {.mixup = 0.4, .cutmix = 1};
    uint64_t number = (3ull << 32) + 5;
    rn_mixing first = rn_mixing_draw(&mix, 1, number, 32, 32);
    rn_mixing again = rn_mixing_draw(&mix, 1, number, 32, 32);
    rn_mixing other[] = {rn_mixing_draw(&mix, 2, number, 32, 32),
                         rn_mixing_draw(&mix, 1, 5, 32, 32),
                         rn_mixing_draw(&mix, 1, number + 1, 32, 32)};

    (void)state;
    assert_true(same(&first, &again));
    for (int i = 0; i < 3; i++)
        assert_false(same(&first, &other[i]));
}

// Where both are on, either comes about as often; where one is, always that one.
static void both_take_turns(void **state)
{
    enum { DRAWS = 4000 };
    static const rn_mix mixes[] = {{1, 0}, {0, 1}, {1, 1}};
    static const double expected[] = {0, 1, 0.5};

    (void)state;
    for (int m = 0; m < 3; m++) {
        int boxes = 0;
        assert_true(rn_mix_on(&mixes[m]));
        for (uint64_t i = 0; i < DRAWS; i++)
            boxes += rn_mixing_draw(&mixes[m], 9, i, 32, 32).box;
        assert_true(fabs((double)boxes / DRAWS - expected[m]) <
                    (expected[m] == 0.5 ? 4 * 0.5 / sqrt(DRAWS) : 1e-12));
    }
    assert_false(rn_mix_on(&(rn_mix){0}));
}

// Every box lies inside, the share is what it leaves, every pixel is reached, and what the edges
// cut off makes the mean share larger than lambda's 1/2.
static void boxes_are_what_the_paper_says(void **state)
{
    enum { DRAWS = 3000 };
    static int covered[HEIGHT][WIDTH];
    double mean = 0;

    (void)state;
    memset(covered, 0, sizeof covered);
    for (uint64_t i = 0; i < DRAWS; i++) {
        rn_mixing m = rn_mixing_draw(&(rn_mix){.cutmix = 1}, 10, i, HEIGHT, WIDTH);
        assert_true(m.top >= 0 && m.left >= 0 && m.height >= 0 && m.width >= 0);
        assert_true(m.top + m.height <= HEIGHT && m.left + m.width <= WIDTH);
        assert_float_equal(m.share, 1 - (float)(m.height * m.width) / (HEIGHT * WIDTH), 1e-6f);
        for (int y = 0; y < m.height; y++)
            for (int x = 0; x < m.width; x++)
                covered[m.top + y][m.left + x]++;
        mean += (double)m.share / DRAWS;
    }
    for (int i = 0; i < HEIGHT * WIDTH; i++)
        assert_true(covered[i / WIDTH][i % WIDTH] > DRAWS / 100);
    assert_true(mean > 0.55 && mean < 0.95);
}

// Away from the edges the share is lambda itself, and the box has the picture's own shape.
static void a_whole_box_leaves_lambda(void **state)
{
    enum { SIZE = 1000, DRAWS = 400 };
    int whole = 0;

    (void)state;
    for (uint32_t i = 0; i < DRAWS; i++) {
        rn_mixing m = rn_mixing_draw(&(rn_mix){.cutmix = 2}, 3, i, SIZE, 2 * SIZE);
        rn_stream stream;
        rn_stream_init(&stream, 3, RN_PURPOSE_MIX, 0, i);
        double lambda = rn_stream_beta(&stream, 2);
        bool inside =
            m.top > 0 && m.left > 0 && m.top + m.height < SIZE && m.left + m.width < 2 * SIZE;
        if (!inside)
            continue;
        whole++;
        assert_true(fabs((double)m.share - lambda) < 0.005);
        assert_true(abs(2 * m.height - m.width) <= 4);
    }
    assert_true(whole > DRAWS / 20);
}

// Mixup's share is the draw.
static void a_blend_has_lambda(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 20; i++) {
        rn_mixing m = rn_mixing_draw(&(rn_mix){.mixup = 0.3}, 6, i + (7ull << 32), HEIGHT, WIDTH);
        rn_stream stream;
        rn_stream_init(&stream, 6, RN_PURPOSE_MIX, 7, i);
        assert_true(m.share == (float)rn_stream_beta(&stream, 0.3));
    }
}

static float value(int sample, int at)
{
    return (float)sample * 1000 + (float)at;
}

static void fill(float *images, int32_t *labels, int count)
{
    for (int i = 0; i < count; i++) {
        labels[i] = 10 * i;
        for (int k = 0; k < VOLUME; k++)
            images[i * VOLUME + k] = value(i, k);
    }
}

static bool in_box(const rn_mixing *m, int at)
{
    int y = at / WIDTH % HEIGHT, x = at % WIDTH;

    return y >= m->top && y < m->top + m->height && x >= m->left && x < m->left + m->width;
}

// The formula, sample by sample, out of place.
static void check(const rn_mixing *m, int count)
{
    float images[MOST * VOLUME];
    int32_t labels[MOST], other[MOST];

    fill(images, labels, count);
    rn_mixing_apply(m, &(rn_mix_batch){images, labels, other, count, CHANNELS, HEIGHT, WIDTH});
    for (int i = 0; i < count; i++) {
        int j = count - 1 - i;
        assert_int_equal(other[i], labels[j]);
        assert_int_equal(labels[i], 10 * i);
        for (int k = 0; k < VOLUME; k++) {
            float a = value(i, k), b = value(j, k), share = m->share;
            if (m->box)
                share = in_box(m, k) ? 0 : 1;
            assert_float_equal(images[i * VOLUME + k], share * a + (1 - share) * b, 1e-3f);
        }
    }
}

static void every_sample_meets_its_mirror(void **state)
{
    (void)state;
    for (int count = 1; count <= MOST; count++) {
        for (int i = 0; i <= 4; i++)
            check(&(rn_mixing){.share = 0.25f * (float)i}, count);
        for (uint64_t i = 0; i < 20; i++) {
            rn_mixing m = rn_mixing_draw(&(rn_mix){.cutmix = 1}, 4, i, HEIGHT, WIDTH);
            check(&m, count);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_but_the_name_decides),
        cmocka_unit_test(both_take_turns),
        cmocka_unit_test(boxes_are_what_the_paper_says),
        cmocka_unit_test(a_whole_box_leaves_lambda),
        cmocka_unit_test(a_blend_has_lambda),
        cmocka_unit_test(every_sample_meets_its_mirror),
    };

    return cmocka_run_group_tests_name("mix", tests, NULL, NULL);
}
