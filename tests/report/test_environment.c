#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "plan/op.h"
#include "resnet/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

static void ok(rn_status st)
{
    if (st != RN_OK)
        fail_msg("%s", rn_error_message());
}

static const char *text_of(const cJSON *json, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));

    if (text == NULL || text[0] == '\0')
        fail_msg("'%s' is missing or empty", key);
    return text;
}

static double number_of(const cJSON *json, const char *key)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(json, key));
}

// "unknown", or 7 to 40 hexadecimal digits, then perhaps "-dirty".
static bool is_commit(const char *text)
{
    size_t digits = strspn(text, "0123456789abcdef");

    return strcmp(text, "unknown") == 0 ||
           (digits >= 7 && digits <= 40 &&
            (text[digits] == '\0' || strcmp(text + digits, "-dirty") == 0));
}

static void environment_names_machine_and_build(void **state)
{
    (void)state;
    const rn_engine engine = {.name = "cpu", .description = "cpu avx2, oneDNN 2.6.3"};
    char *text = NULL;
    cJSON *json = NULL;

    ok(rn_environment_print(&text, &engine));
    ok(rn_json_parse(&json, text, strlen(text), "environment"));
    assert_string_equal(text_of(json, "resnet"), RN_VERSION);
    assert_string_equal(text_of(json, "engine"), "cpu");
    assert_string_equal(text_of(json, "engine_description"), "cpu avx2, oneDNN 2.6.3");
    assert_true(is_commit(text_of(json, "commit")));
    assert_true(strncmp(text_of(json, "compiler"), "gcc 1", 5) == 0 ||
                strncmp(text_of(json, "compiler"), "clang ", 6) == 0);
    assert_true(strncmp(text_of(json, "kernel"), "Linux ", 6) == 0);
    assert_true(strspn(text_of(json, "kernel") + 6, "0123456789.") ==
                strlen(text_of(json, "kernel") + 6));
    text_of(json, "cpu");
    assert_true(number_of(json, "cpus") >= 1);
    assert_true(number_of(json, "threads") == rn_threads());
    assert_true(number_of(json, "memory_bytes") > 1 << 26);
    cJSON_Delete(json);
    rn_text_free(text);
    ok(rn_environment_print(&text, NULL));
    assert_null(strstr(text, "engine"));
    rn_text_free(text);
}

static void folder_gets_both_files(void **state)
{
    (void)state;
    char base[] = "/tmp/environment-XXXXXX", folder[64], path[96];
    rn_recipe recipe, back;

    assert_non_null(mkdtemp(base));
    snprintf(folder, sizeof folder, "%s/a/b", base);
    ok(rn_recipe_load(&recipe, "paper-cifar-110"));
    ok(rn_run_folder_describe(folder, &recipe, NULL));
    snprintf(path, sizeof path, "%s/recipe.json", folder);
    ok(rn_recipe_load(&back, path)); // the file can be used again
    assert_string_equal(back.name, "paper-cifar-110");
    assert_true(back.schedule.until_error == 80);
    unlink(path);
    snprintf(path, sizeof path, "%s/environment.json", folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    *strrchr(folder, '/') = '\0';
    rmdir(folder);
    rmdir(base);
    assert_int_equal(rn_run_folder_describe("/proc/none", &recipe, NULL), RN_ENOTFOUND);
}

// Write environment.json as another machine would have, and describe the folder anew.
static void go_on(const char *folder, const char *earlier)
{
    rn_recipe recipe;

    if (earlier != NULL)
        ok(rn_run_folder_write(folder, "environment.json", earlier));
    ok(rn_recipe_load(&recipe, "quick"));
    ok(rn_run_folder_describe(folder, &recipe, NULL));
}

static void what_a_run_ran_on_before_is_kept(void **state)
{
    static const char *const files[] = {"environment.json", "environment-1.json",
                                        "environment-2.json", "environment-3.json", "recipe.json"};
    char folder[] = "/tmp/environment-XXXXXX", path[64], *text;

    (void)state;
    assert_non_null(mkdtemp(folder));
    go_on(folder, NULL);
    go_on(folder, NULL); // as it was
    assert_int_equal(rn_run_folder_read(&text, folder, files[1]), RN_ENOTFOUND);
    go_on(folder, "{\"cpu\":\"A\"}\n");
    go_on(folder, "{\"cpu\":\"B\"}\n");
    go_on(folder, "{\"cpu\":\"A\"}\n"); // is known
    for (int i = 1; i <= 2; i++) {
        ok(rn_run_folder_read(&text, folder, files[i]));
        assert_string_equal(text, i == 1 ? "{\"cpu\":\"A\"}\n" : "{\"cpu\":\"B\"}\n");
        rn_text_free(text);
    }
    assert_int_equal(rn_run_folder_read(&text, folder, files[3]), RN_ENOTFOUND);
    ok(rn_run_folder_read(&text, folder, files[0]));
    assert_non_null(strstr(text, RN_VERSION));
    rn_text_free(text);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(environment_names_machine_and_build),
        cmocka_unit_test(folder_gets_both_files),
        cmocka_unit_test(what_a_run_ran_on_before_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
