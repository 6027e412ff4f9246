#include "resnet/base.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static void memory_that_is_touched_counts(void **state)
{
    (void)state;
    const size_t size = (size_t)64 << 20, slack = 4 << 20; // the system counts by the batch
    rn_memory_use before = rn_process_memory();
    char *block = malloc(size);

    assert_non_null(block);
    memset(block, 1, size);
    assert_int_equal(block[size / 2], 1);
    rn_memory_use with = rn_process_memory();
    assert_true(before.resident > 0 && before.peak + slack >= before.resident);
    assert_true(with.resident >= before.resident + size / 4 * 3);
    assert_true(with.peak + slack >= with.resident);
    free(block);
    assert_true(rn_process_memory().peak + slack >= with.resident);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(memory_that_is_touched_counts)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
