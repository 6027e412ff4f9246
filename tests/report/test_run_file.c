// Texts of a run folder.
#include "base/memory.h"
#include "resnet/report.h"
#include "resnet/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], nested[96], file[128];

static int enter(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/resnet-run-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(nested, sizeof nested, "%s/a/b", folder);
    snprintf(file, sizeof file, "%s/note.json", nested);
    return 0;
}

static int leave(void **state)
{
    char parent[96];

    (void)state;
    unlink(file);
    rmdir(nested);
    snprintf(parent, sizeof parent, "%s/a", folder);
    rmdir(parent);
    return rmdir(folder);
}

static void what_is_written_is_read(void **state)
{
    char *text;

    (void)state;
    assert_int_equal(rn_run_folder_read(&text, nested, "note.json"), RN_ENOTFOUND);
    assert_null(text);
    assert_int_equal(rn_run_folder_write(nested, "note.json", "{\"a\": 1}"), RN_OK);
    assert_int_equal(rn_run_folder_write(nested, "note.json", "{}\n"), RN_OK);
    assert_int_equal(rn_run_folder_read(&text, nested, "note.json"), RN_OK);
    assert_string_equal(text, "{}\n");
    rn_text_free(text);
}

static void places_that_are_no_folder_are_named(void **state)
{
    (void)state;
    assert_int_equal(rn_run_folder_write(nested, "note.json", "x"), RN_OK);
    assert_int_equal(rn_run_folder_write(file, "note.json", "y"), RN_EIO);
    assert_non_null(strstr(rn_error_message(), "note.json"));
}

static bool fail_at(size_t bytes, void *context)
{
    int *left = context;

    (void)bytes;
    return (*left)-- != 0;
}

static void failed_allocations_leave_nothing(void **state)
{
    (void)state;
    for (int k = 0; k < 100; k++) {
        int left = k, again = k;
        char *text = NULL;
        rn_alloc_hook_set(fail_at, &left);
        rn_status written = rn_run_folder_write(nested, "note.json", "text");
        rn_alloc_hook_set(fail_at, &again);
        rn_status read = written == RN_OK ? rn_run_folder_read(&text, nested, "note.json") : RN_OK;
        rn_alloc_hook_set(NULL, NULL);
        assert_true(written == RN_OK || written == RN_ENOMEM);
        assert_true(read == RN_OK || (read == RN_ENOMEM && text == NULL));
        rn_text_free(text);
        if (written == RN_OK && read == RN_OK)
            return;
    }
    fail_msg("writing never succeeded");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_is_read),
        TEST(places_that_are_no_folder_are_named),
        TEST(failed_allocations_leave_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
