// Status values and messages: one line, per thread, safe against hostile text.
#include "resnet/resnet.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void every_status_has_a_text(void **state)
{
    (void)state;
#define CHECK_TEXT(name, value, text)                                                              \
    assert_int_equal(name, value);                                                                 \
    assert_string_equal(rn_status_text(name), text);
    RN_STATUS_TABLE(CHECK_TEXT)
#undef CHECK_TEXT
    assert_string_equal(rn_status_text((rn_status)999), "unknown status");
    assert_string_equal(rn_status_text((rn_status)-1), "unknown status");
}

static void version_agrees_with_its_parts(void **state)
{
    char text[64];

    (void)state;
    snprintf(text, sizeof text, "%d.%d.%d", RN_VERSION_MAJOR, RN_VERSION_MINOR, RN_VERSION_PATCH);
    assert_string_equal(RN_VERSION, text);
}

static void error_formats_and_returns_its_code(void **state)
{
    (void)state;
    assert_int_equal(rn_error(RN_EIO, "'%s' has %d bytes", "a.bin", 7), RN_EIO);
    assert_string_equal(rn_error_message(), "'a.bin' has 7 bytes");
}

static void control_characters_become_question_marks(void **state)
{
    (void)state;
    rn_error(RN_EINVAL, "a\nb\x1b[31mc\x7f\rd");
    assert_string_equal(rn_error_message(), "a?b?[31mc??d");
    rn_error(RN_EINVAL, "a\xc2\x9b"
                        "b\u202ec\u2066d\u2028e\xe9\xf4\x90\x80\x80");
    assert_string_equal(rn_error_message(), "a?b?c?d?e?????");
    rn_error(RN_EINVAL, "größe"); // UTF-8 stays as it is
    assert_string_equal(rn_error_message(), "größe");
}

static void long_messages_are_cut(void **state)
{
    char text[3000];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    rn_error(RN_EINVAL, "%s", text);
    assert_int_equal(strlen(rn_error_message()), 1023);
    rn_error_prefix(RN_EINVAL, "%s", text);
    assert_int_equal(strlen(rn_error_message()), 1023);
}

// A path may be longer than a message: what is wrong with it is told all the same.
static void reasons_stay_behind_long_paths(void **state)
{
    char path[4096 + 1], text[2000];

    (void)state;
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    rn_error(RN_EFORMAT, "'%s' has 5 bytes", path);
    assert_int_equal(strlen(rn_error_message()), 1023);
    assert_non_null(strstr(rn_error_message(), "ppp...ppp"));
    assert_non_null(strstr(rn_error_message(), "' has 5 bytes"));
    rn_error(RN_EFORMAT, "header of 5 bytes");
    rn_error_prefix(RN_EFORMAT, "'%s'", path);
    assert_int_equal(strlen(rn_error_message()), 1023);
    assert_non_null(strstr(rn_error_message(), "ppp': header of 5 bytes"));
    for (size_t shift = 0; shift < 3; shift++) { // characters of three bytes are not cut in two
        text[0] = '\0';
        for (size_t i = 0; i < 600; i++)
            strcat(text, i < shift ? "x" : "\u20ac");
        rn_error(RN_EINVAL, "%s", text);
        assert_true(strlen(rn_error_message()) <= 1023 && strlen(rn_error_message()) > 1015);
        rn_error_prefix(RN_EINVAL, "%s", text);
        assert_null(strchr(rn_error_message(), '?'));
        rn_error(RN_EINVAL, "%s", rn_error_message()); // shows a half as '?'
        assert_null(strchr(rn_error_message(), '?'));
    }
}

static void prefix_stands_before_the_message(void **state)
{
    (void)state;
    rn_error(RN_EIO, "cannot read");
    assert_int_equal(rn_error_prefix(RN_EFORMAT, "file %d", 3), RN_EFORMAT);
    assert_string_equal(rn_error_message(), "file 3: cannot read");
}

static void arguments_may_point_into_the_message(void **state)
{
    (void)state;
    rn_error(RN_EIO, "inner");
    rn_error(RN_EIO, "outer: %s, again %s", rn_error_message(), rn_error_message());
    assert_string_equal(rn_error_message(), "outer: inner, again inner");
    rn_error_prefix(RN_EIO, "%s", rn_error_message());
    assert_string_equal(rn_error_message(), "outer: inner, again inner: outer: inner, again inner");
}

static rn_status fail_after(int *steps, int failing)
{
    rn_status st = RN_OK;

    for (*steps = 0; *steps < 5; (*steps)++)
        RN_TRY(*steps == failing ? rn_error(RN_EFORMAT, "step %d", *steps) : RN_OK);
out:
    return st;
}

static void try_stops_at_the_first_failure(void **state)
{
    int steps;

    (void)state;
    assert_int_equal(fail_after(&steps, 3), RN_EFORMAT);
    assert_int_equal(steps, 3);
    assert_string_equal(rn_error_message(), "step 3");
    assert_int_equal(fail_after(&steps, 9), RN_OK);
    assert_int_equal(steps, 5);
}

static void *fail_in_thread(void *fresh)
{
    *(bool *)fresh = rn_error_message()[0] == '\0';
    rn_error(RN_EIO, "the other thread's");
    return NULL;
}

static void messages_belong_to_their_thread(void **state)
{
    pthread_t thread;
    bool fresh = false;

    (void)state;
    rn_error(RN_EIO, "mine");
    assert_int_equal(pthread_create(&thread, NULL, fail_in_thread, &fresh), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(fresh);
    assert_string_equal(rn_error_message(), "mine");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_text),
        cmocka_unit_test(version_agrees_with_its_parts),
        cmocka_unit_test(error_formats_and_returns_its_code),
        cmocka_unit_test(control_characters_become_question_marks),
        cmocka_unit_test(long_messages_are_cut),
        cmocka_unit_test(reasons_stay_behind_long_paths),
        cmocka_unit_test(prefix_stands_before_the_message),
        cmocka_unit_test(arguments_may_point_into_the_message),
        cmocka_unit_test(try_stops_at_the_first_failure),
        cmocka_unit_test(messages_belong_to_their_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
