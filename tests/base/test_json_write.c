#include "base/json_write.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static void numbers_read_back_bit_for_bit(void **state)
{
    (void)state;
    const double values[] = {0,
                             -0.0,
                             1,
                             0.1,
                             0.1 + 0.2,
                             1.0 / 3,
                             1e-4,
                             DBL_MAX,
                             DBL_MIN,
                             4.9e-324,
                             0x1p53,
                             -123456.789,
                             0.010000000000000002,
                             nextafter(1, 2)};

    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[RN_NUMBER_TEXT];
        rn_json_number_text(text, values[i]);
        double back = strtod(text, NULL);
        assert_memory_equal(&back, &values[i], sizeof back);
    }
}

static void numbers_are_short_and_valid_json(void **state)
{
    (void)state;
    char text[RN_NUMBER_TEXT];

    rn_json_number_text(text, 0.1);
    assert_string_equal(text, "0.1");
    rn_json_number_text(text, NAN);
    assert_string_equal(text, "null");
    rn_json_number_text(text, -INFINITY);
    assert_string_equal(text, "null");
    rn_json_number_text(text, -DBL_MAX / 3);
    assert_true(strlen(text) < RN_NUMBER_TEXT - 1);
}

static void members_come_in_order(void **state)
{
    (void)state;
    cJSON *json = NULL;

    assert_int_equal(rn_json_object(&json), RN_OK);
    assert_int_equal(rn_json_add_number(json, "b", 0.1 + 0.2), RN_OK);
    assert_int_equal(rn_json_add_text(json, "a", "x\n\"y"), RN_OK);
    assert_int_equal(rn_json_add_bool(json, "c", true), RN_OK);
    assert_int_equal(rn_json_add_item(json, "d", NULL), RN_ENOMEM);
    char *text = cJSON_PrintUnformatted(json);
    assert_string_equal(text, "{\"b\":0.30000000000000004,\"a\":\"x\\n\\\"y\",\"c\":true}");
    cJSON_free(text);
    cJSON_Delete(json);
}

// As a folder may be called, and U+FFFD stands for in JSON.
static void texts_are_utf8(void **state)
{
    (void)state;
    cJSON *json = NULL;

    assert_int_equal(rn_json_object(&json), RN_OK);
    assert_int_equal(rn_json_add_text(json, "a", "caf\xe9 caf\xc3\xa9 \xe2\x82"), RN_OK);
    char *text = cJSON_PrintUnformatted(json);
    assert_string_equal(text, "{\"a\":\"caf\ufffd caf\u00e9 \ufffd\ufffd\"}");
    cJSON_free(text);
    cJSON_Delete(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_read_back_bit_for_bit),
        cmocka_unit_test(numbers_are_short_and_valid_json),
        cmocka_unit_test(members_come_in_order),
        cmocka_unit_test(texts_are_utf8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
