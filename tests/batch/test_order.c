#include "batch/order.h"
#include "image/fail_allocation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { COUNT = 53 };

static rn_order *create(size_t count, uint64_t seed)
{
    rn_order *order;

    assert_int_equal(rn_order_create(&order, count, seed), RN_OK);
    return order;
}

static void test_every_epoch_is_a_permutation(void **state)
{
    rn_order *order = create(COUNT, 3);
    rn_order_entry entries[COUNT], before[COUNT];

    (void)state;
    memset(before, 0, sizeof before);
    for (uint32_t epoch = 0; epoch < 20; epoch++) {
        bool seen[COUNT] = {false};
        assert_int_equal(rn_order_take(order, (uint64_t)epoch * COUNT, COUNT, entries), RN_OK);
        for (int i = 0; i < COUNT; i++) {
            assert_int_equal(entries[i].epoch, epoch);
            assert_false(seen[entries[i].sample]);
            seen[entries[i].sample] = true;
        }
        assert_memory_not_equal(entries, before, sizeof entries);
        memcpy(before, entries, sizeof entries);
    }
    rn_order_free(order);
}

static void test_pieces_equal_the_whole(void **state)
{
    enum { WHOLE = 5 * COUNT };
    rn_order *order = create(COUNT, 4);
    rn_order_entry whole[WHOLE], piece[WHOLE];

    (void)state;
    assert_int_equal(rn_order_take(order, 0, WHOLE, whole), RN_OK);
    for (int size = 1; size < WHOLE; size += 17) {
        for (int at = 0; at + size <= WHOLE; at += 13) {
            rn_order *fresh = create(COUNT, 4);
            assert_int_equal(rn_order_take(fresh, (uint64_t)at, size, piece), RN_OK);
            assert_memory_equal(piece, whole + at, (size_t)size * sizeof *piece);
            assert_int_equal(rn_order_take(order, (uint64_t)at, size, piece), RN_OK);
            assert_memory_equal(piece, whole + at, (size_t)size * sizeof *piece);
            rn_order_free(fresh);
        }
    }
    rn_order_free(order);
}

static void test_seeds_differ(void **state)
{
    rn_order *a = create(COUNT, 4), *b = create(COUNT, 5), *c = create(COUNT, 4 + (1ull << 32));
    rn_order_entry x[COUNT], y[COUNT], z[COUNT];

    (void)state;
    assert_int_equal(rn_order_take(a, 0, COUNT, x), RN_OK);
    assert_int_equal(rn_order_take(b, 0, COUNT, y), RN_OK);
    assert_int_equal(rn_order_take(c, 0, COUNT, z), RN_OK);
    assert_memory_not_equal(x, y, sizeof x);
    assert_memory_not_equal(x, z, sizeof x);
    rn_order_free(a);
    rn_order_free(b);
    rn_order_free(c);
}

static void test_drawn_once_an_epoch(void **state)
{
    rn_order *order = create(2, 1);
    rn_order_entry entry;

    (void)state;
    assert_int_equal(rn_order_take(order, 2, 1, &entry), RN_OK);
    order->items[1] = 99; // stays as long as nothing is drawn
    assert_int_equal(rn_order_take(order, 3, 1, &entry), RN_OK);
    assert_int_equal(entry.sample, 99);
    assert_int_equal(rn_order_take(order, 5, 1, &entry), RN_OK);
    assert_in_range(entry.sample, 0, 1);
    rn_order_free(order);
}

static void test_last_epoch(void **state)
{
    const uint64_t end = 3ull << 32; // of epoch 2^32 - 1
    rn_order *order = create(3, 1);
    rn_order_entry entries[4];

    (void)state;
    assert_int_equal(rn_order_take(order, end - 3, 3, entries), RN_OK);
    assert_int_equal(entries[0].epoch, UINT32_MAX);
    assert_int_equal(entries[0].sample + entries[1].sample + entries[2].sample, 3);
    assert_int_equal(rn_order_take(order, end - 3, 4, entries), RN_EINVAL);
    assert_int_equal(rn_order_take(order, UINT64_MAX, 1, entries), RN_EINVAL);
    rn_order_free(order);
}

static void test_refuses_counts(void **state)
{
    rn_order *order;

    (void)state;
    assert_int_equal(rn_order_create(&order, 0, 1), RN_EINVAL);
    assert_null(order);
    assert_int_equal(rn_order_create(&order, (size_t)UINT32_MAX + 1, 1), RN_EINVAL);
    assert_null(order);
}

static void test_allocation_failures(void **state)
{
    (void)state;
    for (int which = 0; which < 3; which++) {
        rn_order *order;
        fail_allocation plan;
        fail_allocation_start(&plan, which);
        rn_status st = rn_order_create(&order, COUNT, 1);
        fail_allocation_stop();
        assert_int_equal(st, which < 2 ? RN_ENOMEM : RN_OK);
        assert_true((order == NULL) == (which < 2));
        rn_order_free(order);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_epoch_is_a_permutation),
        cmocka_unit_test(test_pieces_equal_the_whole),
        cmocka_unit_test(test_seeds_differ),
        cmocka_unit_test(test_drawn_once_an_epoch),
        cmocka_unit_test(test_last_epoch),
        cmocka_unit_test(test_refuses_counts),
        cmocka_unit_test(test_allocation_failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
