#include "dashboard/history_cache.h"

#include "dashboard/run_folders.h"

#include <fcntl.h>

static atomic_bool stop;
static rn_history_cache cache;
static history_guard guard;

static int setup(void **state)
{
    if (runs_make(state) != 0)
        return 1;
    atomic_store(&stop, false);
    guard = (history_guard){.root = open(runs_folder, O_RDONLY | O_DIRECTORY),
                            .bytes = LARGEST_LOG,
                            .points = MOST_POINTS,
                            .stop = &stop};
    return guard.root < 0;
}

static int teardown(void **state)
{
    rn_history_cache_release(&cache);
    close(guard.root);
    return runs_remove(state);
}

static void histories_grow_with_their_logs(void **state)
{
    (void)state;
    const rn_history *history;

    runs_write("a", "log.jsonl", RUNS_START RUNS_STEP);
    runs_write("a", "recipe.json", "{\"name\":\"quick\"}");
    ok(rn_history_cache_get(&cache, &history, &guard, "a"));
    assert_int_equal(history->step_count, 1);
    assert_string_equal(history->recipe, "quick");
    runs_write("a", "log.jsonl", RUNS_START RUNS_STEP RUNS_EVALUATION RUNS_END);
    ok(rn_history_cache_get(&cache, &history, &guard, "a"));
    assert_int_equal(history->evaluation_count, 1);
    assert_int_equal(cache.count, 1);
}

static void norms_are_left_out(void **state)
{
    (void)state;
    const rn_history *history;

    runs_write("a", "log.jsonl",
               RUNS_START RUNS_STEP "{\"event\":\"gradients\",\"iteration\":60,\"epoch\":0.6,"
                                    "\"seconds\":3,\"norms\":{\"conv1\":1}}\n");
    ok(rn_history_cache_get(&cache, &history, &guard, "a"));
    assert_int_equal(history->norm_count, 0);
    assert_int_equal(history->iteration, 60);
}

static void large_logs_are_refused(void **state)
{
    (void)state;
    const rn_history *history;

    runs_write("a", "log.jsonl", RUNS_START RUNS_STEP RUNS_EVALUATION);
    guard.bytes = 100;
    assert_int_equal(rn_history_cache_get(&cache, &history, &guard, "a"), RN_EFORMAT);
    assert_non_null(strstr(rn_error_message(), "too large"));
    assert_null(history);
    rn_history_cache_release(&cache);
    guard.bytes = LARGEST_LOG;
    guard.points = 1;
    assert_int_equal(rn_history_cache_get(&cache, &history, &guard, "a"), RN_EFORMAT);
    assert_non_null(strstr(rn_error_message(), "too large"));
}

// Whoever asks again is answered without the log being read: it would be read whole each time.
static void refused_logs_are_not_read_again(void **state)
{
    (void)state;
    const rn_history *history;

    runs_write("a", "log.jsonl", RUNS_START RUNS_STEP);
    guard.points = 1;
    ok(rn_history_cache_get(&cache, &history, &guard, "a"));
    runs_write("a", "log.jsonl", RUNS_START RUNS_STEP RUNS_EVALUATION); // it grows
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rn_history_cache_get(&cache, &history, &guard, "a"), RN_EFORMAT);
        assert_non_null(strstr(rn_error_message(), "too large"));
        assert_null(history);
        guard.points = MOST_POINTS; // what is read again would be taken
    }
    runs_write("b", "log.jsonl", RUNS_START);
    ok(rn_history_cache_get(&cache, &history, &guard, "b"));
    runs_write("a", "log.jsonl", RUNS_START RUNS_STEP); // another one, shorter
    ok(rn_history_cache_get(&cache, &history, &guard, "a"));
    assert_int_equal(history->step_count, 1);
}

static void reading_can_be_stopped(void **state)
{
    (void)state;
    const rn_history *history;

    runs_write("a", "log.jsonl", RUNS_START RUNS_STEP);
    atomic_store(&stop, true);
    assert_int_equal(rn_history_cache_get(&cache, &history, &guard, "a"), RN_EINTERRUPTED);
}

// What lies outside of the folder is not read: neither a run, nor a log, nor what is beside it.
static void links_are_not_followed(void **state)
{
    (void)state;
    const rn_history *history;
    char from[256], to[256];

    runs_write("outside", "recipe.json", "{\"name\":\"secret\"}");
    runs_write("outside", "log.jsonl", RUNS_START);
    runs_write("a", "log.jsonl", RUNS_START);
    snprintf(to, sizeof to, "%s/outside/recipe.json", runs_folder);
    snprintf(from, sizeof from, "%s/a/recipe.json", runs_folder);
    assert_int_equal(symlink(to, from), 0);
    ok(rn_history_cache_get(&cache, &history, &guard, "a"));
    assert_string_equal(history->recipe, "");
    assert_null(history->recipe_json);
    snprintf(from, sizeof from, "%s/b", runs_folder);
    assert_int_equal(symlink("outside", from), 0);
    assert_int_not_equal(rn_history_cache_get(&cache, &history, &guard, "b"), RN_OK);
    runs_write("c", "other", "");
    snprintf(from, sizeof from, "%s/c/log.jsonl", runs_folder);
    assert_int_equal(symlink("../outside/log.jsonl", from), 0);
    assert_int_not_equal(rn_history_cache_get(&cache, &history, &guard, "c"), RN_OK);
}

static void allocation_failures_leave_nothing(void **state)
{
    (void)state;
    const rn_history *history;
    fail_allocation plan = {.hit = true};

    runs_write("a", "log.jsonl", RUNS_START RUNS_STEP RUNS_EVALUATION RUNS_END);
    for (int k = 0; plan.hit; k++) {
        fail_allocation_start(&plan, k);
        rn_status st = rn_history_cache_get(&cache, &history, &guard, "a");
        fail_allocation_stop();
        assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
        assert_true((history != NULL) == (st == RN_OK) && k < 1000);
        rn_history_cache_release(&cache);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(histories_grow_with_their_logs, setup, teardown),
        cmocka_unit_test_setup_teardown(norms_are_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(large_logs_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(refused_logs_are_not_read_again, setup, teardown),
        cmocka_unit_test_setup_teardown(reading_can_be_stopped, setup, teardown),
        cmocka_unit_test_setup_teardown(links_are_not_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(allocation_failures_leave_nothing, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
