// Lines of JSON, read where they lie: what is accepted is what JSON's grammar accepts.
#include "base/json.h"
#include "image/fail_allocation.h"
#include "report/log_line.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// Members of a line, or -1 if it is damaged. The bytes have no NUL behind them.
static int members(const char *text, size_t size)
{
    char *bytes = malloc(size + 1);
    log_member member;
    int count = 0;

    memcpy(bytes, text, size);
    bytes[size] = '\n';
    log_scan scan = log_scan_begin((log_span){bytes, size});
    while (log_scan_next(&scan, &member))
        count++;
    free(bytes);
    return scan.damaged ? -1 : count;
}

static const char *const texts[] = {
    "{}",
    " { } ",
    "{\"a\":1}",
    "{\"a\":1,\"b\":[1,{\"c\":[]},null,true,false,\"x\"],\"c\":-0.5e-3}",
    "{ \"a\" : \"\\u00e9\\n\\\"\\\\\\/\" ,\t\"b\":{} }\r",
    "{\"a\":0}",
    "{\"a\":-0}",
    "{\"a\":10.25E+2}",
    "{\"a\":1e999}",
    "",
    " ",
    "{",
    "}",
    "[]",
    "1",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{,}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":1}x",
    "{\"a\":1}{}",
    "{a:1}",
    "{\"a\":01}",
    "{\"a\":+1}",
    "{\"a\":.5}",
    "{\"a\":1.}",
    "{\"a\":1e}",
    "{\"a\":-}",
    "{\"a\":0x10}",
    "{\"a\":nan}",
    "{\"a\":Infinity}",
    "{\"a\":tru}",
    "{\"a\":nullx}",
    "{\"a\":\"x}",
    "{\"a\":\"\\x\"}",
    "{\"a\":\"\\u12g4\"}",
    "{\"a\":\"\\u12",
    "{\"a\":\"\t\"}",
    "{\"a\":[1,2}",
    "{\"a\":[1,]}",
    "{\"a\":{\"b\":1]}",
};

// cJSON lets pass what JSON forbids: control characters in texts, "+1", ".5", leading zeroes.
static bool is_lenient(const char *text)
{
    static const char *const known[] = {"{\"a\":01}", "{\"a\":+1}",         "{\"a\":.5}",
                                        "{\"a\":1.}", "{\"a\":1e}",         "{\"a\":\"\t\"}",
                                        "{\"a\":-}",  "{\"a\":\"\\u12g4\"}"};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i], text) == 0)
            return true;
    return false;
}

static void grammar_is_that_of_the_other_reader(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        cJSON *json = NULL;
        int expected = -1;
        if (rn_json_parse(&json, texts[i], strlen(texts[i]), "x") == RN_OK && !is_lenient(texts[i]))
            expected = cJSON_GetArraySize(json);
        if (members(texts[i], strlen(texts[i])) != expected)
            fail_msg("'%s': %d members, expected %d", texts[i], members(texts[i], strlen(texts[i])),
                     expected);
        cJSON_Delete(json);
    }
}

// Whatever is cut off or put in: no byte beyond the line is read (ASan), and nothing hangs.
static void any_damage_ends(void **state)
{
    const char *whole = texts[3];
    char copy[128];

    (void)state;
    for (size_t cut = 0; cut < strlen(whole); cut++)
        assert_int_equal(members(whole, cut), -1);
    for (size_t at = 0; at < strlen(whole); at++)
        for (int byte = 0; byte < 256; byte++) {
            strcpy(copy, whole);
            copy[at] = (char)byte;
            assert_true(members(copy, strlen(whole)) >= -1);
        }
    assert_int_equal(members("{\"a\":\"\\\0\"}", 10), -1);
    assert_int_equal(members("{\"a\":\"\0\"}", 9), -1);
}

static void depth_is_bounded(void **state)
{
    static char text[200000];

    (void)state;
    for (int depth = 1; depth < 40; depth++) {
        char *end = text + sprintf(text, "{\"a\":");
        memset(end, '[', (size_t)depth);
        memset(end + depth, ']', (size_t)depth);
        strcpy(end + 2 * depth, "}");
        assert_int_equal(members(text, strlen(text)), depth <= 31 ? 1 : -1);
    }
    memset(text, '[', sizeof text);
    memcpy(text, "{\"a\":", 5);
    assert_int_equal(members(text, sizeof text), -1);
}

static void values_are_found(void **state)
{
    const char *line = "{\"n\":-12.5e1,\"t\":\"a\\tb\",\"o\":{\"k\":2},\"l\":[1],\"z\":null,"
                       "\"i\":1e999}";
    static const log_kind kinds[] = {LOG_NUMBER, LOG_TEXT,  LOG_OBJECT,
                                     LOG_OTHER,  LOG_OTHER, LOG_NUMBER};
    static const char *const values[] = {"-12.5e1", "a\\tb", "{\"k\":2}", "[1]", "null", "1e999"};
    log_scan scan = log_scan_begin((log_span){line, strlen(line)});
    log_member member;

    (void)state;
    for (int i = 0; i < 6; i++) {
        assert_true(log_scan_next(&scan, &member));
        assert_int_equal(member.kind, kinds[i]);
        assert_true(log_span_is(member.value, values[i]));
        assert_int_equal(member.key.length, 1);
        assert_true(i == 0 ? member.number == -125 : isnan(member.number));
    }
    assert_false(log_scan_next(&scan, &member));
    assert_false(scan.damaged);
}

static void assert_text(const char *escaped, const char *expected)
{
    char *text;

    assert_int_equal(log_span_text(&text, (log_span){escaped, strlen(escaped)}), RN_OK);
    assert_string_equal(text, expected);
    rn_free(text);
}

static void escapes_become_utf8(void **state)
{
    char *text;
    fail_allocation plan;

    (void)state;
    assert_text("", "");
    assert_text("\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t");
    assert_text("\\u0041\\u00e9\\u20AC", "A\xc3\xa9\xe2\x82\xac");
    assert_text("\\ud83d\\ude00!", "\xf0\x9f\x98\x80!");
    assert_text("\\ud83d", "?");
    assert_text("\\ud83dx\\ude00", "?x?");
    assert_text("\\ud83d\\u0041", "?A");
    assert_text("a\\u0000b", "a?b");
    assert_int_equal(log_span_text(&text, (log_span){NULL, 0}), RN_OK);
    assert_string_equal(text, "");
    rn_free(text);
    fail_allocation_start(&plan, 0);
    assert_int_equal(log_span_text(&text, (log_span){"a", 1}), RN_ENOMEM);
    fail_allocation_stop();
    assert_null(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grammar_is_that_of_the_other_reader),
        cmocka_unit_test(any_damage_ends),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(values_are_found),
        cmocka_unit_test(escapes_become_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
