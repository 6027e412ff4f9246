// Nearest names and strict numbers.
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char *const names[] = {"resnet-20", "resnet-56", "plain-20", "preact-164"};
enum { NAMES = sizeof names / sizeof *names };

static void near_words_are_found(void **state)
{
    (void)state;
    assert_string_equal(rn_nearest("resnet20", names, NAMES), "resnet-20");
    assert_string_equal(rn_nearest("resnte-56", names, NAMES), "resnet-56");
    assert_string_equal(rn_nearest("plain-2", names, NAMES), "plain-20");
    assert_string_equal(rn_nearest("preact-164", names, NAMES), "preact-164");
    assert_string_equal(rn_nearest("shwo", (const char *const[]){"pack", "show"}, 2), "show");
    assert_string_equal(rn_nearest("fgi6", (const char *const[]){"fig1", "fig6"}, 2), "fig6");
}

static void far_words_are_not(void **state)
{
    char longest[200];

    (void)state;
    assert_null(rn_nearest("vgg", names, NAMES));
    assert_null(rn_nearest("hswo", (const char *const[]){"show"}, 1)); // two swaps in four
    assert_null(rn_nearest("", names, NAMES));
    assert_null(rn_nearest("resnet-20", names, 0));
    memset(longest, 'r', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_null(rn_nearest(longest, names, NAMES));
    assert_null(rn_nearest("r", (const char *const[]){longest}, 1));
}

static void hints_are_questions_or_nothing(void **state)
{
    char hint[RN_HINT_BYTES];

    (void)state;
    assert_string_equal(rn_text_hint(hint, "plain-2", names, NAMES), "; did you mean 'plain-20'?");
    assert_string_equal(rn_text_hint(hint, "vgg", names, NAMES), "");
}

static void doubles_are_read_whole(void **state)
{
    static const struct {
        const char *text;
        double value;
    } good[] = {{"0.1", 0.1}, {"-3", -3}, {"1e-4", 1e-4}, {".5", 0.5}, {"+2.", 2}, {"1E2", 100}};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        double value = -99;
        assert_true(rn_text_double(good[i].text, -1000, 1000, &value));
        assert_true(value == good[i].value);
    }
}

static void nonsense_is_no_double(void **state)
{
    static const char *const bad[] = {"",      " 1",  "1 ",      "nan",  "inf", "-inf", "infinity",
                                      "0x10",  "1e",  "1e999",   "1,5",  "-",   "+",    ".",
                                      "1.2.3", "--1", "-nan(2)", "1001", "abc", "1abc", "-1001"};
    double value = 7;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(rn_text_double(bad[i], -1000, 1000, &value));
    assert_true(value == 7.0);
    assert_true(rn_text_double("1000", -1000, 1000, &value)); // both bounds belong
    assert_true(rn_text_double("-1000", -1000, 1000, &value));
}

static void integers_are_read_whole(void **state)
{
    int64_t value = -99;

    (void)state;
    assert_true(rn_text_int64("128", 1, 65536, &value));
    assert_int_equal(value, 128);
    assert_true(rn_text_int64("010", 0, 100, &value)); // decimal, not octal
    assert_int_equal(value, 10);
    assert_true(rn_text_int64("-9223372036854775808", INT64_MIN, INT64_MAX, &value));
    assert_true(value == INT64_MIN);
    assert_true(rn_text_int64("+9223372036854775807", INT64_MIN, INT64_MAX, &value));
    assert_true(value == INT64_MAX);
}

static void nonsense_is_no_integer(void **state)
{
    static const char *const bad[] = {"",
                                      " 1",
                                      "1 ",
                                      "0x10",
                                      "1.0",
                                      "1e3",
                                      "abc",
                                      "-",
                                      "--1",
                                      "+-1",
                                      "0",
                                      "101",
                                      "9223372036854775808",
                                      "1;"};
    int64_t value = 7;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(rn_text_int64(bad[i], 1, 100, &value));
    assert_false(rn_text_int64("9223372036854775808", INT64_MIN, INT64_MAX, &value));
    assert_int_equal(value, 7);
}

static void text_becomes_one_line(void **state)
{
    char out[32];

    (void)state;
    assert_int_equal(rn_text_escape(out, sizeof out, "a\nb\tc\rd\\e\x1b\x7f\xc3\xa9"), 23);
    assert_string_equal(out, "a\\nb\\tc\\rd\\\\e\\x1b\\x7f\xc3\xa9");
    rn_text_escape(out, sizeof out, "caf\xe9 \xc2\x9b \xe2\x80\xae"); // Latin-1, CSI, an override
    assert_string_equal(out, "caf\\xe9 \\xc2\\x9b \\xe2\\x80\\xae");
    rn_text_escape(out, 7,
                   "12\xe2\x82\xac"
                   "456"); // a character is not cut in two
    assert_string_equal(out, "12...");
    assert_int_equal(rn_text_escape(out, 8, "1234567"), 7);
    assert_string_equal(out, "1234567");
    assert_int_equal(rn_text_escape(out, 8, "12345678"), 8);
    assert_string_equal(out, "1234...");
    rn_text_escape(out, 8, "123\n5678"); // an escape is not cut in two
    assert_string_equal(out, "123...");
    rn_text_escape(out, 4, "12345");
    assert_string_equal(out, "...");
}

static void text_becomes_utf8(void **state)
{
    char *out;

    (void)state;
    assert_int_equal(rn_text_repair(&out, "caf\xe9 caf\xc3\xa9\xc3"), RN_OK);
    assert_string_equal(out, "caf\xef\xbf\xbd caf\xc3\xa9\xef\xbf\xbd");
    rn_text_free(out);
    assert_int_equal(rn_text_repair(&out, ""), RN_OK);
    assert_string_equal(out, "");
    rn_text_free(out);
    rn_text_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(near_words_are_found),   cmocka_unit_test(hints_are_questions_or_nothing),
        cmocka_unit_test(far_words_are_not),      cmocka_unit_test(doubles_are_read_whole),
        cmocka_unit_test(nonsense_is_no_double),  cmocka_unit_test(integers_are_read_whole),
        cmocka_unit_test(nonsense_is_no_integer), cmocka_unit_test(text_becomes_one_line),
        cmocka_unit_test(text_becomes_utf8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
