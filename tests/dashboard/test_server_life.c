// What the server is asked to bear, and its end.
#include "dashboard/server_client.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/resource.h>

// Names may be any bytes: what a page asks by tells them apart.
static void names_that_are_no_text_have_ids(void **state)
{
    (void)state;
    runs_write("\xfe", "log.jsonl", RUNS_START RUNS_STEP);
    runs_write("\xff", "log.jsonl", RUNS_START RUNS_STEP RUNS_END);
    port = start_server(NULL);
    cJSON *json = ask_json("/api/runs");
    const cJSON *runs = cJSON_GetObjectItem(json, "runs");
    assert_string_equal(text_of(cJSON_GetArrayItem(runs, 0), "id"), "%FE");
    assert_string_equal(text_of(cJSON_GetArrayItem(runs, 1), "id"), "%FF");
    assert_string_equal(text_of(cJSON_GetArrayItem(runs, 0), "name"),
                        text_of(cJSON_GetArrayItem(runs, 1), "name"));
    cJSON_Delete(json);
    cJSON_Delete(ask_json("/api/run?name=%FF"));
    rn_dashboard_free(dashboard);
}

// A log that would keep the server busy for minutes is refused, and others are answered.
static void huge_logs_are_refused(void **state)
{
    (void)state;
    char path[256];

    runs_write("one", "log.jsonl", RUNS_START RUNS_STEP);
    runs_write("huge", "log.jsonl", RUNS_START RUNS_STEP);
    snprintf(path, sizeof path, "%s/huge/log.jsonl", runs_folder);
    assert_int_equal(truncate(path, (off_t)60 << 30), 0); // holds nothing
    port = start_server(NULL);
    assert_error(ask("GET", "/api/run?name=huge", ""), 500, "too large");
    cJSON_Delete(ask_json("/api/run?name=one"));
    rn_dashboard_free(dashboard);
}

static void *finish(void *seconds)
{
    double start = rn_clock();

    rn_dashboard_finish(dashboard, NULL);
    *(double *)seconds = rn_clock() - start;
    return NULL;
}

// Whoever looks on sees how it ended.
static void open_pages_see_the_end(void **state)
{
    (void)state;
    const volatile sig_atomic_t stop = 1;
    double seconds = 0;
    char path[128];
    pthread_t thread;

    runs_write("one", "log.jsonl", RUNS_START RUNS_STEP);
    port = start_server(NULL);
    rn_dashboard_finish(dashboard, NULL); // nobody waits
    rn_dashboard_free(dashboard);
    port = start_server(NULL);
    cJSON *json = ask_json("/api/runs?page=p1");
    assert_false(cJSON_IsTrue(cJSON_GetObjectItem(json, "ending")));
    cJSON_Delete(json);
    rn_dashboard_finish(dashboard, &stop); // a signal has come
    runs_write("one", "log.jsonl", RUNS_START RUNS_STEP RUNS_END);
    assert_int_equal(pthread_create(&thread, NULL, finish, &seconds), 0);
    json = ask_json("/api/runs?page=p1"); // at once, though the folder was looked at just now
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(json, "ending")));
    usleep(200000);
    snprintf(path, sizeof path, "/api/runs?page=p1&since=%s", text_of(json, "version"));
    cJSON_Delete(json);
    json = ask_json(path);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(json, "unchanged")));
    cJSON_Delete(json);
    pthread_join(thread, NULL);
    assert_true(seconds >= 0.2 && seconds < RN_DASHBOARD_FINISH);
    rn_dashboard_free(dashboard);
}

// Niceness of the server's threads; -100: there is none.
static int server_niceness(void)
{
    int found = -100;
    DIR *tasks = opendir("/proc/self/task");

    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        int id = atoi(entry->d_name);
        if (id > 0 && id != getpid() && getpriority(PRIO_PROCESS, (id_t)id) > found)
            found = getpriority(PRIO_PROCESS, (id_t)id);
    }
    closedir(tasks);
    return found;
}

static void the_server_stands_behind_its_process(void **state)
{
    (void)state;
    int niceness = getpriority(PRIO_PROCESS, 0), expected = niceness + 13;

    assert_int_equal(setpriority(PRIO_PROCESS, 0, niceness + 3), 0);
    port = start_server(NULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask("GET", "/", ""), 200);
    assert_int_equal(server_niceness(), expected < 19 ? expected : 19);
    rn_dashboard_free(dashboard);
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_that_are_no_text_have_ids, runs_make, runs_remove),
        cmocka_unit_test_setup_teardown(huge_logs_are_refused, runs_make, runs_remove),
        cmocka_unit_test_setup_teardown(open_pages_see_the_end, runs_make, runs_remove),
        cmocka_unit_test_setup_teardown(the_server_stands_behind_its_process, runs_make,
                                        runs_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
