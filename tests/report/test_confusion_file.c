// Confusion matrices read back.
#include "base/file.h"
#include "image/fail_allocation.h"
#include "resnet/report.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "store/temporary_folder.h"

static rn_confusion *confusion;

static rn_status read_text(const char *text)
{
    const char *path = in_folder("confusion.csv");

    assert_int_equal(rn_file_write_atomic(path, text, strlen(text)), RN_OK);
    return rn_confusion_read(&confusion, path);
}

static const char good[] =
    "label,\"tench, a fish\",\"b\"\"\"\n\"tench, a fish\",7,0\n\"b\"\"\",3,12\n";

static void what_eval_writes_is_read(void **state)
{
    (void)state;
    assert_int_equal(read_text(good), RN_OK);
    assert_int_equal(confusion->classes, 2);
    assert_string_equal(confusion->names[0], "tench, a fish");
    assert_string_equal(confusion->names[1], "b\"");
    assert_int_equal(confusion->counts[0], 7);
    assert_int_equal(confusion->counts[2], 3);
    assert_int_equal(confusion->counts[3], 12);
    rn_confusion_free(confusion);
    rn_confusion_free(NULL);
}

static void other_files_are_refused(void **state)
{
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"", "empty"},
        {"label\n", "names of 1 to 4096 classes"},
        {"file,rank\nx,1\n", "'file'"},
        {"label,a,b\na,1,2\n", "1 rows, expected 2"},
        {"label,a\na,1\na,1\n", "line 3: a row more"},
        {"label,a,b\na,1\n", "fields"},
        {"label,a,b\nb,1,2\na,1,2\n", "row of 'b', expected 'a'"},
        {"label,a\na,-1\n", "line 2: '-1', expected a count"},
        {"label,a\na,x\n", "'x'"},
        {"label,a\na,9999999999999999\n", "expected a count"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(read_text(cases[i].text), RN_EFORMAT);
        assert_null(confusion);
        if (strstr(rn_error_message(), cases[i].said) == NULL)
            fail_msg("'%s' is not said: %s", cases[i].said, rn_error_message());
    }
    assert_int_equal(rn_confusion_read(&confusion, "/nonexistent"), RN_ENOTFOUND);
}

static void allocation_failures_leave_nothing(void **state)
{
    fail_allocation plan = {0, true};
    int k = 0;

    (void)state;
    for (; plan.hit && k < 50; k++) {
        assert_int_equal(read_text(good), RN_OK);
        rn_confusion_free(confusion);
        fail_allocation_start(&plan, k);
        rn_status st = rn_confusion_read(&confusion, in_folder("confusion.csv"));
        fail_allocation_stop();
        assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
        assert_true((confusion == NULL) == plan.hit);
    }
    assert_in_range(k, 4, 49);
    rn_confusion_free(confusion);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_eval_writes_is_read),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(allocation_failures_leave_nothing),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
