// JSON: syntax, types, ranges and keys are checked, and each message says where.
#include "base/json.h"
#include "base/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static cJSON *parsed(const char *text)
{
    cJSON *json = NULL;

    if (rn_json_parse(&json, text, strlen(text), "test") != RN_OK)
        fail_msg("'%s': %s", text, rn_error_message());
    assert_non_null(json);
    return json;
}

static void objects_are_parsed(void **state)
{
    (void)state;
    cJSON_Delete(parsed("{}"));
    cJSON_Delete(parsed(" \n{\"a\": [1, 2.5e3, true, null, \"t\"], \"b\": {}} \n"));
}

static void malformed_text_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "}",
        "{\"a\"}",
        "{\"a\":}",
        "{,}",
        "{a:1}",
        "{\"a\":1,}",
        "{\"a\":1}x",
        "{\"a\":1} {}",
        "{\"a\":nan}",
        "{\"a\":+1}",
        "{\"a\":0x10}",
        "{\"a\":\"\\q\"}",
        "{\"a\":\"",
        "{\"a\":[1,2}",
        "{'a':1}",
        "{\"a\":Infinity}",
        "{\"a\":1 \"b\":2}",
        "// c\n{}",
        "{\"a\":tru}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cJSON *json = (cJSON *)&json;
        if (rn_json_parse(&json, bad[i], strlen(bad[i]), "recipe 'x'") != RN_EFORMAT)
            fail_msg("'%s' was taken", bad[i]);
        assert_null(json);
        assert_non_null(strstr(rn_error_message(), "recipe 'x': JSON syntax error at byte "));
    }
}

// What follows a NUL in a text would be lost.
static void no_text_has_a_nul(void **state)
{
    static const char nul[] = "{\"a\": \"b\\u0000c\"}";
    cJSON *json = NULL;

    (void)state;
    assert_int_equal(rn_json_parse(&json, nul, strlen(nul), "test"), RN_EFORMAT);
    assert_string_equal(rn_error_message(), "test: JSON has the escape \\u0000 in a text");
    assert_null(json);
    cJSON_Delete(parsed("{\"a\": \"\\\\u0000 \\u00e9\"}")); // a backslash, then letters
}

static void the_message_names_the_byte(void **state)
{
    cJSON *json = NULL;

    (void)state;
    assert_int_equal(rn_json_parse(&json, "{\"a\": ?}", 8, "file 'f'"), RN_EFORMAT);
    assert_string_equal(rn_error_message(), "file 'f': JSON syntax error at byte 6");
}

static void only_objects_are_taken(void **state)
{
    static const char *const others[] = {"[]", "1", "\"a\"", "true", "null"};

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        cJSON *json = NULL;
        assert_int_equal(rn_json_parse(&json, others[i], strlen(others[i]), "test"), RN_EFORMAT);
        assert_string_equal(rn_error_message(), "test: JSON is not an object");
        assert_null(json);
    }
}

static void nul_bytes_and_repeated_keys_are_refused(void **state)
{
    cJSON *json = NULL;

    (void)state;
    assert_int_equal(rn_json_parse(&json, "{}\0{}", 5, "test"), RN_EFORMAT);
    assert_string_equal(rn_error_message(), "test: JSON holds a NUL byte");
    assert_int_equal(rn_json_parse(&json, "{}\0", 3, "test"), RN_EFORMAT);
    json = parsed("{\"lr\": 1, \"b\": 2, \"lr\": 3}");
    assert_int_equal(rn_json_known_keys(json, (const char *const[]){"lr", "b"}, 2, "test"),
                     RN_EFORMAT);
    assert_string_equal(rn_error_message(), "test: key 'lr' stands twice");
    cJSON_Delete(json);
}

static void deep_nesting_is_refused(void **state)
{
    enum { DEPTH = 100000 };
    static char text[DEPTH * 5 + 1];
    cJSON *json = NULL;

    (void)state;
    for (int i = 0; i < DEPTH; i++)
        memcpy(text + i * 5, "{\"a\":", 5);
    assert_int_equal(rn_json_parse(&json, text, DEPTH * 5, "test"), RN_EFORMAT);
    assert_null(json);
}

static void doubles_have_type_and_range(void **state)
{
    cJSON *json = parsed("{\"lr\": 0.1, \"text\": \"1\", \"huge\": 1e999}");
    double value = 7.0;

    (void)state;
    assert_int_equal(rn_json_double(json, "absent", 0, 1, &value, "test"), RN_OK);
    assert_true(value == 7.0);
    assert_int_equal(rn_json_double(json, "lr", 0.1, 0.1, &value, "test"), RN_OK);
    assert_true(value == 0.1);
    assert_int_equal(rn_json_double(json, "lr", 1, 1000, &value, "recipe 'x'"), RN_EFORMAT);
    assert_string_equal(rn_error_message(), "recipe 'x': 'lr' is 0.1, expected 1 to 1000");
    assert_int_equal(rn_json_double(json, "text", 0, 1, &value, "test"), RN_EFORMAT);
    assert_string_equal(rn_error_message(), "test: 'text' is not a number");
    assert_int_equal(rn_json_double(json, "huge", 0, 1e300, &value, "test"), RN_EFORMAT);
    assert_int_equal(rn_json_double(json, "LR", 1, 2, &value, "test"), RN_OK); // another key
    assert_true(value == 0.1);
    cJSON_Delete(json);
}

static void integers_are_whole(void **state)
{
    cJSON *json = parsed("{\"n\": 128, \"half\": 0.5, \"exact\": 9007199254740992, "
                         "\"inexact\": 1e17, \"minus\": -3}");
    int64_t value = 7;

    (void)state;
    assert_int_equal(rn_json_int64(json, "n", 1, 128, &value, "test"), RN_OK);
    assert_int_equal(value, 128);
    assert_int_equal(rn_json_int64(json, "exact", 0, INT64_MAX, &value, "test"), RN_OK);
    assert_true(value == (int64_t)1 << 53);
    assert_int_equal(rn_json_int64(json, "minus", -3, 0, &value, "test"), RN_OK);
    assert_int_equal(value, -3);
    assert_int_equal(rn_json_int64(json, "half", 0, 9, &value, "test"), RN_EFORMAT);
    assert_string_equal(rn_error_message(), "test: 'half' is 0.5, expected a whole number");
    assert_int_equal(rn_json_int64(json, "inexact", 0, INT64_MAX, &value, "test"), RN_EFORMAT);
    assert_int_equal(rn_json_int64(json, "n", 1, 127, &value, "test"), RN_EFORMAT);
    assert_int_equal(value, -3);
    cJSON_Delete(json);
}

// An absent key, and one that differs in case, must leave the default, whatever it is.
static void absent_integers_keep_their_default(void **state)
{
    cJSON *json = parsed("{\"SEED\": 1}");
    int64_t value = INT64_MAX;

    (void)state;
    assert_int_equal(rn_json_int64(json, "seed", 0, INT64_MAX, &value, "test"), RN_OK);
    assert_true(value == INT64_MAX);
    assert_int_equal(rn_json_int64(json, "absent", 0, INT64_MAX, &value, "test"), RN_OK);
    assert_true(value == INT64_MAX);
    cJSON_Delete(json);
}

static void flags_and_texts_have_their_type(void **state)
{
    cJSON *json = parsed("{\"yes\": true, \"no\": false, \"one\": 1, \"name\": \"a\\u00e4\\n\"}");
    bool flag = true;
    const char *text = "default";

    (void)state;
    assert_int_equal(rn_json_bool(json, "no", &flag, "test"), RN_OK);
    assert_false(flag);
    assert_int_equal(rn_json_bool(json, "absent", &flag, "test"), RN_OK);
    assert_false(flag);
    assert_int_equal(rn_json_bool(json, "yes", &flag, "test"), RN_OK);
    assert_true(flag);
    assert_int_equal(rn_json_bool(json, "one", &flag, "test"), RN_EFORMAT);
    assert_string_equal(rn_error_message(), "test: 'one' is not true or false");
    assert_int_equal(rn_json_text(json, "absent", &text, "test"), RN_OK);
    assert_string_equal(text, "default");
    assert_int_equal(rn_json_text(json, "name", &text, "test"), RN_OK);
    assert_string_equal(text, "a\u00e4\n");
    assert_int_equal(rn_json_text(json, "one", &text, "test"), RN_EFORMAT);
    cJSON_Delete(json);
}

static void unknown_keys_are_named(void **state)
{
    static const char *const keys[] = {"momentum", "lr"};
    cJSON *json = parsed("{\"lr\": 1, \"momentun\": 2}");

    (void)state;
    assert_int_equal(rn_json_known_keys(json, keys, 2, "recipe 'x'"), RN_EFORMAT);
    assert_string_equal(rn_error_message(),
                        "recipe 'x': unknown key 'momentun'; did you mean 'momentum'?");
    assert_int_equal(rn_json_known_keys(json, keys + 1, 1, "recipe 'x'"), RN_EFORMAT);
    assert_string_equal(rn_error_message(), "recipe 'x': unknown key 'momentun'");
    assert_int_equal(rn_json_known_keys(json, (const char *const[]){"lr", "momentun"}, 2, "x"),
                     RN_OK);
    cJSON_Delete(json);
}

static bool fail_always(size_t bytes, void *context)
{
    (void)bytes;
    (void)context;
    return false;
}

static void what_is_printed_is_parsed_again(void **state)
{
    cJSON *json = parsed("{\"a\":[1,2.5],\"b\":\"t\"}");
    char *text = NULL;

    (void)state;
    assert_int_equal(rn_json_print(&text, json, false), RN_OK);
    assert_string_equal(text, "{\"a\":[1,2.5],\"b\":\"t\"}");
    rn_free(text);
    assert_int_equal(rn_json_print(&text, json, true), RN_OK);
    assert_non_null(strchr(text, '\n'));
    cJSON *again = parsed(text);
    assert_true(cJSON_Compare(json, again, true));
    rn_free(text);
    rn_alloc_hook_set(fail_always, NULL);
    assert_int_equal(rn_json_print(&text, json, true), RN_ENOMEM);
    rn_alloc_hook_set(NULL, NULL);
    assert_null(text);
    cJSON_Delete(again);
    cJSON_Delete(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_parsed),
        cmocka_unit_test(malformed_text_is_refused),
        cmocka_unit_test(no_text_has_a_nul),
        cmocka_unit_test(the_message_names_the_byte),
        cmocka_unit_test(only_objects_are_taken),
        cmocka_unit_test(nul_bytes_and_repeated_keys_are_refused),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(doubles_have_type_and_range),
        cmocka_unit_test(integers_are_whole),
        cmocka_unit_test(absent_integers_keep_their_default),
        cmocka_unit_test(flags_and_texts_have_their_type),
        cmocka_unit_test(unknown_keys_are_named),
        cmocka_unit_test(what_is_printed_is_parsed_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
