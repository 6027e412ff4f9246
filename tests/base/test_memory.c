// Memory: alignment, zeroes, overflow, growth, and every failure through the allocation hook.
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static bool all_zero(const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

static void memory_is_aligned_and_zero(void **state)
{
    const size_t sizes[] = {0, 1, 63, 64, 65, 4097};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *memory = NULL;
        assert_int_equal(rn_alloc(&memory, sizes[i], 1), RN_OK);
        assert_non_null(memory); // also for 0 bytes
        assert_int_equal((uintptr_t)memory % RN_ALIGNMENT, 0);
        assert_true(all_zero(memory, sizes[i]));
        memset(memory, 0xa5, sizes[i]); // the next round must not see this
        rn_free(memory);
    }
    rn_free(NULL);
}

static void overflow_is_out_of_memory(void **state)
{
    const size_t counts[][2] = {{SIZE_MAX, 2},
                                {2, SIZE_MAX},
                                {SIZE_MAX / 8 + 1, 8},
                                {SIZE_MAX - RN_ALIGNMENT + 1, 1},
                                {SIZE_MAX, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        void *memory = &memory;
        assert_int_equal(rn_alloc(&memory, counts[i][0], counts[i][1]), RN_ENOMEM);
        assert_null(memory);
        assert_non_null(strstr(rn_error_message(), "out of memory"));
    }
}

typedef struct countdown {
    int left, calls;
    size_t bytes;
} countdown;

static bool fail_at_zero(size_t bytes, void *context)
{
    countdown *count = context;

    count->calls++;
    count->bytes = bytes;
    return count->left-- != 0;
}

static void the_hook_sees_and_fails_allocations(void **state)
{
    countdown count = {.left = 1};
    int *first = NULL, *second = NULL;

    (void)state;
    rn_alloc_hook_set(fail_at_zero, &count);
    assert_int_equal(RN_NEW(&first, 100), RN_OK);
    assert_true(count.bytes >= 100 * sizeof *first);
    assert_int_equal(RN_NEW(&second, 1), RN_ENOMEM);
    rn_alloc_hook_set(NULL, NULL);
    assert_null(second);
    assert_int_equal(count.calls, 2);
    assert_int_equal(RN_NEW(&second, 1), RN_OK);
    assert_int_equal(count.calls, 2);
    rn_free(first);
    rn_free(second);
}

static void growing_keeps_items_and_zeroes_new_ones(void **state)
{
    int *items = NULL;
    size_t capacity = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        size_t before = capacity;
        assert_int_equal(rn_grow((void **)&items, &capacity, (size_t)i + 1, sizeof *items), RN_OK);
        assert_true(capacity > (size_t)i && capacity >= before);
        for (size_t j = before; j < capacity; j++)
            assert_int_equal(items[j], 0);
        items[i] = i + 1;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(items[i], i + 1);
    assert_true(capacity <= 2000);
    rn_free(items);
}

static void failed_growth_changes_nothing(void **state)
{
    countdown count = {.left = 0};
    int *items = NULL;
    size_t capacity = 0;

    (void)state;
    assert_int_equal(rn_grow((void **)&items, &capacity, 3, sizeof *items), RN_OK);
    items[2] = 42;
    int *kept = items;
    size_t room = capacity;
    rn_alloc_hook_set(fail_at_zero, &count);
    assert_int_equal(rn_grow((void **)&items, &capacity, room + 1, sizeof *items), RN_ENOMEM);
    rn_alloc_hook_set(NULL, NULL);
    assert_int_equal(rn_grow((void **)&items, &capacity, SIZE_MAX, sizeof *items), RN_ENOMEM);
    assert_ptr_equal(items, kept);
    assert_int_equal(capacity, room);
    assert_int_equal(items[2], 42);
    rn_free(items);
}

static void texts_are_copied_and_formatted(void **state)
{
    char *text = NULL;

    (void)state;
    assert_int_equal(rn_strdup(&text, "50% of %s"), RN_OK);
    assert_string_equal(text, "50% of %s");
    rn_free(text);
    assert_int_equal(rn_format(&text, "%s-%d%s", "resnet", 20, ""), RN_OK);
    assert_string_equal(text, "resnet-20");
    rn_free(text);
    assert_int_equal(rn_format(&text, "%5000d", 7), RN_OK);
    assert_int_equal(strlen(text), 5000);
    rn_free(text);
}

static void failed_texts_are_null(void **state)
{
    countdown count = {.left = 0};
    char unused = 0, *text = &unused;

    (void)state;
    rn_alloc_hook_set(fail_at_zero, &count);
    assert_int_equal(rn_strdup(&text, "a"), RN_ENOMEM);
    assert_null(text);
    count.left = 0;
    text = &unused;
    assert_int_equal(rn_format(&text, "%d", 1), RN_ENOMEM);
    assert_null(text);
    rn_alloc_hook_set(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_aligned_and_zero),
        cmocka_unit_test(overflow_is_out_of_memory),
        cmocka_unit_test(the_hook_sees_and_fails_allocations),
        cmocka_unit_test(growing_keeps_items_and_zeroes_new_ones),
        cmocka_unit_test(failed_growth_changes_nothing),
        cmocka_unit_test(texts_are_copied_and_formatted),
        cmocka_unit_test(failed_texts_are_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
