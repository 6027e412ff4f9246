// A fixed-seed training is pinned: where it starts, where it ends, and that it repeats bit for bit.
#include "train/losses.h"

#include <math.h>

static void print_losses(const training *t, const losses *l)
{
    printf("  loss");
    for (int i = 0; i < STEPS; i += 6)
        printf(" %.6f", l->loss[i]);
    printf(", last %d %.4f; test error %lld of %lld\n", TAIL, tail_mean(l),
           (long long)t->result.test_wrong, (long long)t->result.test_count);
}

static void assert_near(double found, double expected, double bound)
{
    if (!(fabs(found - expected) <= bound))
        fail_msg("loss %.6f, expected %.6f within %g", found, expected, bound);
}

// The first loss pins data, augmentation, order and initialisation; the end, learning itself: the
// ranges hold for any rounding (seen: 0.002 between AVX2 and AVX-512).
static void assert_pinned(const losses *l)
{
    assert_near(l->loss[0], 2.865527, 1e-4);
    assert_near(l->loss[6], 2.2901, 0.01);
    assert_near(tail_mean(l), 1.028, 0.1); // AVX2 1.0276, AVX-512 1.0290
}

static void training_is_pinned_and_repeats_bit_for_bit(void **state)
{
    training a, b;
    losses first, again;

    (void)state;
    init(&a, &first);
    train(&a, &first);
    print_losses(&a, &first);
    assert_pinned(&first);
    init(&b, &again);
    b.options.workers = 3; // the number of data threads must not matter
    train(&b, &again);
    assert_memory_equal(first.loss, again.loss, sizeof first.loss);
    assert_same_file(&a, &b, "model.safetensors");
    training_release(&a);
    training_release(&b);
}

// Whole pictures are recognised by a network that has only seen them mixed; its loss stays above
// that of plain training (1.03), as two labels cannot both be certain.
static void mixed_pictures_teach(void **state)
{
    training t;
    losses l;

    (void)state;
    init(&t, &l);
    t.recipe.mix = (rn_mix){.mixup = 0.2, .cutmix = 1};
    t.options.test = t.train;
    t.options.evaluate_every = STEPS;
    train(&t, &l);
    print_losses(&t, &l);
    assert_near(tail_mean(&l), 1.6, 0.3);
    assert_true(t.result.test_count == 96 && t.result.test_wrong < 58); // 37; chance is 86
    training_release(&t);
}

static void another_seed_takes_another_way(void **state)
{
    training a, b;
    losses first, other;

    (void)state;
    init(&a, &first);
    a.recipe.iterations = 1;
    init(&b, &other);
    b.recipe.iterations = 1;
    b.recipe.seed++;
    assert_int_equal(rn_train(&a.options, &a.result), RN_OK);
    assert_int_equal(rn_train(&b.options, &b.result), RN_OK);
    assert_true(first.loss[0] != other.loss[0]);
    training_release(&a);
    training_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_is_pinned_and_repeats_bit_for_bit),
        cmocka_unit_test(mixed_pictures_teach),
        cmocka_unit_test(another_seed_takes_another_way),
    };

    return cmocka_run_group_tests_name("convergence", tests, NULL, NULL);
}
