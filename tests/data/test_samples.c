#include "data/fixtures.h"

#include "data/samples.h"

// Class c has 3 + 7 c images; an image's bytes name it.
static rn_samples *make_uneven(int classes)
{
    rn_samples *samples;
    size_t count = 0, at = 0;

    for (int c = 0; c < classes; c++)
        count += 3 + 7 * (size_t)c;
    assert_int_equal(
        rn_samples_create(&samples, &(rn_samples_shape){count, 3, 2, 5, classes}, "uneven"), RN_OK);
    for (int round = 0; at < count; round++) {
        for (int c = 0; c < classes; c++) {
            if (round >= 3 + 7 * c)
                continue;
            memset(samples->images + at * 30, (int)at, 30);
            samples->labels[at++] = c;
        }
    }
    return samples;
}

static void count_classes(size_t counts[], const rn_samples *samples)
{
    for (int c = 0; c < samples->classes; c++)
        counts[c] = 0;
    for (size_t i = 0; i < samples->count; i++)
        counts[samples->labels[i]]++;
}

static void test_create(void **state)
{
    rn_samples *samples;
    rn_samples_shape wrong[] = {{0, 3, 2, 2, 2}, {1, 0, 2, 2, 2},
                                {1, 3, 0, 2, 2}, {1, 3, 2, -1, 2},
                                {1, 3, 2, 2, 0}, {(size_t)UINT32_MAX + 1, 1, 1, 1, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        samples = (rn_samples *)&wrong;
        assert_int_equal(rn_samples_create(&samples, &wrong[i], "x"), RN_EINVAL);
        assert_null(samples);
    }
    assert_int_equal(rn_samples_create(&samples, &(rn_samples_shape){7, 3, 5, 4, 12}, "x"), RN_OK);
    assert_string_equal(samples->label_names[11], "11");
    assert_int_equal(rn_samples_image_bytes(samples), 60);
    rn_samples_free(samples);
    rn_samples_free(NULL);
}

static void test_hold_out_is_proportional_and_a_partition(void **state)
{
    enum { CLASSES = 7, HELD = 33 };
    rn_samples *samples = make_uneven(CLASSES), *held = NULL;
    size_t total = samples->count, before[CLASSES], kept[CLASSES], taken[CLASSES];
    bool seen[256] = {false};

    (void)state;
    count_classes(before, samples);
    assert_int_equal(rn_samples_hold_out(&held, samples, HELD, 5), RN_OK);
    assert_int_equal(held->count, HELD);
    assert_int_equal(samples->count, total - HELD);
    count_classes(kept, samples);
    count_classes(taken, held);
    for (int c = 0; c < CLASSES; c++) {
        double share = (double)HELD * (double)before[c] / (double)total;
        assert_int_equal(kept[c] + taken[c], before[c]);
        assert_true((double)taken[c] > share - 1 && (double)taken[c] < share + 1);
    }
    const rn_samples *sets[] = {samples, held};
    for (int s = 0; s < 2; s++) {
        for (size_t i = 0; i < sets[s]->count; i++) {
            uint8_t id = sets[s]->images[i * 30];
            assert_memory_equal(sets[s]->images + i * 30, sets[s]->images + i * 30 + 15, 15);
            assert_false(seen[id]);
            seen[id] = true;
            if (i > 0) // the order is kept
                assert_true(id > sets[s]->images[(i - 1) * 30]);
        }
    }
    assert_string_equal(held->label_names[6], "6");
    rn_samples_free(samples);
    rn_samples_free(held);
}

static void test_hold_out_depends_on_the_seed_alone(void **state)
{
    rn_samples *first, *again, *other, *sets[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        sets[i] = make_uneven(5);
        assert_int_equal(rn_samples_hold_out(i == 0   ? &first
                                             : i == 1 ? &again
                                                      : &other,
                                             sets[i], 21, (uint64_t)i / 2),
                         RN_OK);
    }
    assert_memory_equal(first->images, again->images, 21 * 30);
    assert_memory_not_equal(first->images, other->images, 21 * 30);
    for (int i = 0; i < 3; i++)
        rn_samples_free(sets[i]);
    rn_samples_free(first);
    rn_samples_free(again);
    rn_samples_free(other);
}

static void test_hold_out_refuses_none_and_all(void **state)
{
    rn_samples *samples = make_uneven(3), *held = samples;

    (void)state;
    fixture_expect(rn_samples_hold_out(&held, samples, 0, 1), RN_EINVAL, "expected 1 to 29", NULL);
    assert_null(held);
    fixture_expect(rn_samples_hold_out(&held, samples, 30, 1), RN_EINVAL, "30 images", NULL);
    assert_int_equal(rn_samples_hold_out(&held, samples, 29, 1), RN_OK);
    assert_int_equal(samples->count, 1);
    rn_samples_free(held);
    rn_samples_free(samples);
}

static void test_hold_out_without_memory_changes_nothing(void **state)
{
    rn_samples *samples = make_uneven(3), *same = make_uneven(3), *held = NULL;
    rn_status st = RN_ENOMEM;

    (void)state;
    for (long k = 0; st != RN_OK; k++) {
        long left = k;
        assert_int_equal(samples->count, same->count);
        assert_memory_equal(samples->images, same->images, same->count * 30);
        rn_alloc_hook_set(fixture_allow, &left);
        st = rn_samples_hold_out(&held, samples, 10, 1);
        rn_alloc_hook_set(NULL, NULL);
        assert_true(st == RN_OK || (st == RN_ENOMEM && held == NULL));
    }
    assert_int_equal(samples->count, 20);
    rn_samples_free(held);
    rn_samples_free(samples);
    rn_samples_free(same);
}

static void test_label_names(void **state)
{
    char *folder = fixture_folder();
    rn_label_names names;
    char longest[103];

    (void)state;
    fixture_write(folder, "n", "cat\r\ndog\nT-shirt/top\n\n\n", 23);
    assert_int_equal(rn_label_names_read(&names, fixture_path(folder, "n"), 3), RN_OK);
    assert_string_equal(names.names[0], "cat");
    assert_string_equal(names.names[2], "T-shirt/top");
    rn_label_names_release(&names);
    fixture_expect(rn_label_names_read(&names, fixture_path(folder, "n"), 4), RN_EFORMAT,
                   "has 3 label names, expected 4", NULL);
    fixture_write(folder, "n", "cat\n\ndog", 8);
    fixture_expect(rn_label_names_read(&names, fixture_path(folder, "n"), 0), RN_EFORMAT,
                   "line 2 is empty", NULL);
    fixture_write(folder, "n", "cat\nd\x1bg", 7);
    fixture_expect(rn_label_names_read(&names, fixture_path(folder, "n"), 0), RN_EFORMAT, "line 2",
                   NULL);
    fixture_write(folder, "n", "cat\0dog", 7);
    fixture_expect(rn_label_names_read(&names, fixture_path(folder, "n"), 0), RN_EFORMAT,
                   "byte 3 is NUL", NULL);
    fixture_write(folder, "n", "", 0);
    fixture_expect(rn_label_names_read(&names, fixture_path(folder, "n"), 0), RN_EFORMAT,
                   "0 label names", NULL);
    memset(longest, 'x', sizeof longest);
    fixture_write(folder, "n", longest, 101);
    fixture_expect(rn_label_names_read(&names, fixture_path(folder, "n"), 0), RN_EFORMAT, "line 1",
                   NULL);
    fixture_remove(folder);
}

static void test_label_names_become_utf8(void **state)
{
    const rn_samples_shape shape = {1, 1, 1, 1, 3};
    const char *const names[] = {"caf\xe9", "caf\xe8", "caf\xc3\xa9"};
    rn_samples *samples;

    (void)state;
    assert_int_equal(rn_samples_create(&samples, &shape, "set"), RN_OK);
    assert_int_equal(rn_samples_set_label_names(samples, names), RN_OK);
    assert_string_equal(samples->label_names[0], "caf\xef\xbf\xbd");
    assert_string_equal(samples->label_names[1], samples->label_names[0]);
    assert_string_equal(samples->label_names[2], names[2]);
    rn_samples_free(samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_hold_out_is_proportional_and_a_partition),
        cmocka_unit_test(test_hold_out_depends_on_the_seed_alone),
        cmocka_unit_test(test_hold_out_refuses_none_and_all),
        cmocka_unit_test(test_hold_out_without_memory_changes_nothing),
        cmocka_unit_test(test_label_names),
        cmocka_unit_test(test_label_names_become_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
