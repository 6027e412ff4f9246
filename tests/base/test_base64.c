#include "base/base64.h"

#include "base/memory.h"
#include "image/fail_allocation.h"

#include <stdarg.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static void assert_encoded(const char *bytes, size_t size, const char *expected)
{
    char *text = NULL;

    assert_int_equal(rn_base64_encode(&text, (const uint8_t *)bytes, size), RN_OK);
    assert_string_equal(text, expected);
    rn_free(text);
}

// RFC 4648, section 10, and bytes that reach every digit's end.
static void vectors_of_the_rfc(void **state)
{
    (void)state;
    static const char *const expected[] = {"",         "Zg==",     "Zm8=",    "Zm9v",
                                           "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};

    for (size_t i = 0; i < 7; i++)
        assert_encoded("foobar", i, expected[i]);
    assert_encoded("\xff\xff\xfe\x00\x10\x83", 6, "///+ABCD");
}

static void no_memory_is_said(void **state)
{
    (void)state;
    fail_allocation plan;
    char *text = NULL;

    fail_allocation_start(&plan, 0);
    assert_int_equal(rn_base64_encode(&text, (const uint8_t *)"a", 1), RN_ENOMEM);
    fail_allocation_stop();
    assert_null(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(vectors_of_the_rfc),
                                       cmocka_unit_test(no_memory_is_said)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
