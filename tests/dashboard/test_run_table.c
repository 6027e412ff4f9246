#include "dashboard/run_table.h"

#include "dashboard/run_folders.h"

#include <fcntl.h>

static rn_run_table table;

// A look at the folder as if the last one were long ago.
static void look(void)
{
    table.updated = 0;
    ok(rn_run_table_update(&table));
}

static const rn_glance *glance_of(const char *name)
{
    const rn_listed_run *run = rn_run_table_find(&table, name);

    assert_non_null(run);
    return &run->glance;
}

static void runs_are_listed_with_their_last_values(void **state)
{
    (void)state;
    char version[RUN_VERSION];

    runs_write("r-110", "log.jsonl", RUNS_START RUNS_STEP RUNS_EVALUATION RUNS_END);
    runs_write("r-20", "log.jsonl", RUNS_START RUNS_STEP RUNS_STEP);
    runs_write("empty", "log.jsonl", "");
    runs_write("no-run", "notes.txt", "nothing");
    table = (rn_run_table){.descriptor = -1};
    ok(rn_run_table_open(&table, runs_folder, NULL));
    look();
    assert_int_equal(table.count, 3);
    assert_string_equal(table.runs[0].name, "empty");
    assert_string_equal(table.runs[1].name, "r-20"); // numbers by value
    const rn_glance *done = glance_of("r-110"), *running = glance_of("r-20");
    assert_int_equal(done->state, RN_HISTORY_DONE);
    assert_string_equal(done->model, "resnet-20");
    assert_true(done->stepped && done->evaluated && done->iteration == 100);
    assert_true(done->step.memory == 1000 && done->step.memory_peak == 2000);
    assert_true(done->evaluation.error == 50);
    assert_string_equal(done->set, "test");
    assert_int_equal(running->state, RN_HISTORY_RUNNING);
    assert_true(running->stepped && !running->evaluated && running->iterations == 100);
    assert_false(glance_of("empty")->stepped);

    strcpy(version, table.version);
    look();
    assert_string_equal(table.version, version); // nothing new
    runs_write("r-20", "log.jsonl", RUNS_START RUNS_STEP RUNS_EVALUATION);
    look();
    assert_string_not_equal(table.version, version);
    assert_true(glance_of("r-20")->evaluated);
    runs_write("r-3", "log.jsonl", RUNS_START);
    char path[128];
    snprintf(path, sizeof path, "%s/empty/log.jsonl", runs_folder);
    assert_int_equal(unlink(path), 0);
    look();
    assert_null(rn_run_table_find(&table, "empty"));
    assert_string_equal(table.runs[0].name, "r-3");
    rn_run_table_release(&table);
}

// However long the log, and whatever lies between: the last of each kind is found.
static void last_points_are_found_far_back(void **state)
{
    (void)state;
    enum { LINES = 3000 };
    const size_t line = strlen(RUNS_STEP);
    char *text = calloc(LINES * line + 2000, 1), *end = text;

    end = stpcpy(end, RUNS_START RUNS_EVALUATION);
    for (int i = 0; i < LINES; i++)
        end = stpcpy(end, i % 100 == 7 ? "{\"event\":\"step\",\"damaged\n" : RUNS_STEP);
    stpcpy(end, "{\"event\":\"step\",\"torn");
    runs_write("long", "log.jsonl", text);
    table = (rn_run_table){.descriptor = -1};
    ok(rn_run_table_open(&table, runs_folder, "long"));
    look();
    assert_int_equal(table.count, 1); // it alone
    assert_true(strlen(text) > 500000);
    assert_true(glance_of("long")->evaluated && glance_of("long")->stepped);
    assert_string_equal(glance_of("long")->model, "resnet-20");
    rn_run_table_release(&table);
    free(text);
}

static void links_lead_nowhere(void **state)
{
    (void)state;
    char outside[64] = "/tmp/resnet-outside-XXXXXX", path[256], target[256];

    assert_non_null(mkdtemp(outside));
    snprintf(target, sizeof target, "%s/log.jsonl", outside);
    ok(rn_file_write_atomic(target, RUNS_START, strlen(RUNS_START)));
    snprintf(path, sizeof path, "%s/linked-folder", runs_folder);
    assert_int_equal(symlink(outside, path), 0);
    runs_write("linked-log", "other", "");
    snprintf(path, sizeof path, "%s/linked-log/log.jsonl", runs_folder);
    assert_int_equal(symlink(target, path), 0);
    runs_write("pipe", "other", "");
    snprintf(path, sizeof path, "%s/pipe/log.jsonl", runs_folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    runs_write("plain", "log.jsonl", RUNS_START);
    table = (rn_run_table){.descriptor = -1};
    ok(rn_run_table_open(&table, runs_folder, NULL));
    look();
    assert_null(rn_run_table_find(&table, "linked-folder"));
    assert_null(rn_run_table_find(&table, "linked-log"));
    assert_null(rn_run_table_find(&table, "pipe"));
    assert_non_null(rn_run_table_find(&table, "plain"));
    assert_int_equal(rn_run_table_open_file(&table, "linked-folder", "log.jsonl"), -1);
    assert_int_equal(rn_run_table_open_file(&table, "linked-log", "log.jsonl"), -1);
    rn_run_table_release(&table);
    unlink(target);
    rmdir(outside);
}

static void allocation_failures_keep_the_table_whole(void **state)
{
    (void)state;
    fail_allocation plan;
    rn_status st;

    runs_write("a", "log.jsonl", RUNS_START RUNS_STEP RUNS_EVALUATION);
    runs_write("b", "log.jsonl", RUNS_START RUNS_STEP RUNS_EVALUATION RUNS_END);
    for (int k = 0;; k++) {
        table = (rn_run_table){.descriptor = -1};
        fail_allocation_start(&plan, k);
        st = rn_run_table_open(&table, runs_folder, NULL);
        if (st == RN_OK)
            st = rn_run_table_update(&table);
        fail_allocation_stop();
        assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
        if (plan.hit && table.descriptor >= 0)
            look(); // goes on where it was
        if (table.descriptor >= 0)
            assert_non_null(rn_run_table_find(&table, "b"));
        rn_run_table_release(&table);
        if (!plan.hit)
            break;
        assert_true(k < 1000);
    }
}

static void append_lines(const char *name, const char *line, int times)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s/log.jsonl", runs_folder, name);
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    for (int i = 0; i < times; i++)
        fputs(line, file);
    assert_int_equal(fclose(file), 0);
}

// As long as those of a network of 100 layers.
static const char *gradients_line(void)
{
    static char line[30000];

    snprintf(
        line, sizeof line,
        "{\"event\":\"gradients\",\"iteration\":50,\"epoch\":0.5,\"seconds\":2,\"text\":\"%0*d\","
        "\"norms\":{}}\n",
        20000, 0);
    return line;
}

// Megabytes of other lines may follow an evaluation.
static void what_was_seen_stays_while_lines_are_added(void **state)
{
    (void)state;
    runs_write("long", "log.jsonl", RUNS_START RUNS_STEP RUNS_EVALUATION);
    table = (rn_run_table){.descriptor = -1};
    ok(rn_run_table_open(&table, runs_folder, NULL));
    look();
    for (int i = 0; i < 3; i++) {
        append_lines("long", gradients_line(), 150);
        look();
        assert_true(glance_of("long")->evaluated && glance_of("long")->stepped);
        assert_true(glance_of("long")->evaluation.error == 50);
        assert_string_equal(glance_of("long")->set, "test");
    }
    runs_write("long", "log.jsonl", RUNS_START RUNS_STEP); // another log
    look();
    assert_false(glance_of("long")->evaluated);
    rn_run_table_release(&table);
}

static void evaluations_are_found_behind_gradients(void **state)
{
    (void)state;
    runs_write("long", "log.jsonl", RUNS_START RUNS_EVALUATION);
    runs_write("none", "log.jsonl", RUNS_START);
    for (int i = 0; i < 250; i++) { // five megabytes
        append_lines("long", RUNS_STEP, 1);
        append_lines("long", gradients_line(), 1);
        append_lines("none", gradients_line(), 1);
    }
    table = (rn_run_table){.descriptor = -1};
    ok(rn_run_table_open(&table, runs_folder, NULL));
    look();
    assert_true(glance_of("long")->stepped && glance_of("long")->evaluated);
    assert_true(glance_of("none")->iteration == 50 && !glance_of("none")->stepped);
    append_lines("none", RUNS_EVALUATION, 1); // what comes later is found wherever it is
    for (int i = 0; i < 20; i++)
        append_lines("none", gradients_line(), 1);
    look();
    assert_true(glance_of("none")->evaluated && !glance_of("none")->stepped);
    rn_run_table_release(&table);
}

static void intervals_between_lines_are_measured(void **state)
{
    (void)state;
#define STEP_AT(iteration, seconds)                                                                \
    "{\"event\":\"step\",\"iteration\":" #iteration ",\"epoch\":0.5,\"seconds\":" #seconds "}\n"
    runs_write("none", "log.jsonl", RUNS_START);
    runs_write("one", "log.jsonl", RUNS_START STEP_AT(1, 900));
    runs_write("three", "log.jsonl", RUNS_START STEP_AT(1, 10) STEP_AT(2, 1510) STEP_AT(3, 1610));
    table = (rn_run_table){.descriptor = -1};
    ok(rn_run_table_open(&table, runs_folder, NULL));
    look();
    assert_true(glance_of("none")->interval == 0);
    assert_true(glance_of("one")->interval == 900);
    assert_true(glance_of("three")->interval == 1500);
    rn_run_table_release(&table);
}

// Between two step lines evaluations and checkpoints say where a run is, and that time goes on.
static void the_last_line_says_where_a_run_is(void **state)
{
    (void)state;
#define LINE_AT(event, iteration, epoch, seconds, more)                                            \
    "{\"event\":\"" event "\",\"iteration\":" #iteration ",\"iterations\":100,\"epoch\":" #epoch   \
    ",\"seconds\":" #seconds more "}\n"
    runs_write("a", "log.jsonl",
               RUNS_START LINE_AT("step", 40, 0.8, 100, ",\"eta\":150")
                   LINE_AT("evaluation", 50, 1, 160, ",\"error\":9"));
    runs_write("b", "log.jsonl", RUNS_START LINE_AT("step", 40, 0.8, 100, ",\"eta\":150"));
    runs_write("late", "log.jsonl",
               LINE_AT("resume", 40, 0.8, 1, "") LINE_AT("step", 50, 1, 100, ",\"eta\":150")
                   LINE_AT("resume", 50, 1, 2, "") LINE_AT("checkpoint", 50, 1, 12, ""));
    table = (rn_run_table){.descriptor = -1};
    ok(rn_run_table_open(&table, runs_folder, NULL));
    look();
    assert_true(glance_of("a")->epoch == 1 && glance_of("a")->iteration == 50);
    assert_true(glance_of("a")->eta == 90);
    assert_true(glance_of("b")->epoch == 0.8 && glance_of("b")->eta == 150);
    assert_true(glance_of("late")->eta == 138);
    append_lines("b", LINE_AT("checkpoint", 50, 1, 120, ""), 1); // which is no point, but a place
    append_lines("b", LINE_AT("note", 0, 0, 1, ""), 1);          // of a process about to resume
    look();
    assert_true(glance_of("b")->epoch == 1 && glance_of("b")->eta == 130);
    rn_run_table_release(&table);
}

static void a_folder_made_again_is_noticed(void **state)
{
    (void)state;
    int before;

    runs_write("a", "log.jsonl", RUNS_START);
    table = (rn_run_table){.descriptor = -1};
    ok(rn_run_table_open(&table, runs_folder, NULL));
    look();
    before = table.descriptor;
    assert_int_equal(runs_remove(state), 0);
    assert_int_equal(rn_run_table_update(&table), RN_ENOTFOUND);
    assert_non_null(strstr(rn_error_message(), runs_folder));
    assert_int_equal(rn_run_table_update(&table), RN_ENOTFOUND); // as long as it is so
    ok(rn_folder_create(runs_folder));
    runs_write("b", "log.jsonl", RUNS_START);
    ok(rn_run_table_update(&table)); // at once
    assert_int_not_equal(table.descriptor, before);
    assert_null(rn_run_table_find(&table, "a"));
    assert_non_null(rn_run_table_find(&table, "b"));
    rn_run_table_release(&table);
}

// What takes long is done seldom.
static void looks_leave_the_processor_to_others(void **state)
{
    (void)state;
    runs_write("a", "log.jsonl", RUNS_START);
    table = (rn_run_table){.descriptor = -1};
    ok(rn_run_table_open(&table, runs_folder, NULL));
    look();
    assert_true(table.pause >= 0.5);
    table.pause = 100;
    table.updated = rn_clock() - 50;
    runs_write("b", "log.jsonl", RUNS_START);
    ok(rn_run_table_update(&table));
    assert_null(rn_run_table_find(&table, "b"));
    table.updated = rn_clock() - 101;
    ok(rn_run_table_update(&table));
    assert_non_null(rn_run_table_find(&table, "b"));
    rn_run_table_release(&table);
}

static void folders_that_cannot_be_read_are_named(void **state)
{
    (void)state;
    table = (rn_run_table){.descriptor = -1};
    assert_int_equal(rn_run_table_open(&table, "/nonexistent/x", NULL), RN_ENOTFOUND);
    assert_non_null(strstr(rn_error_message(), "'/nonexistent/x'"));
    rn_run_table_release(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(runs_are_listed_with_their_last_values, runs_make,
                                        runs_remove),
        cmocka_unit_test_setup_teardown(last_points_are_found_far_back, runs_make, runs_remove),
        cmocka_unit_test_setup_teardown(links_lead_nowhere, runs_make, runs_remove),
        cmocka_unit_test_setup_teardown(allocation_failures_keep_the_table_whole, runs_make,
                                        runs_remove),
        cmocka_unit_test_setup_teardown(what_was_seen_stays_while_lines_are_added, runs_make,
                                        runs_remove),
        cmocka_unit_test_setup_teardown(evaluations_are_found_behind_gradients, runs_make,
                                        runs_remove),
        cmocka_unit_test_setup_teardown(intervals_between_lines_are_measured, runs_make,
                                        runs_remove),
        cmocka_unit_test_setup_teardown(the_last_line_says_where_a_run_is, runs_make, runs_remove),
        cmocka_unit_test_setup_teardown(a_folder_made_again_is_noticed, runs_make, runs_remove),
        cmocka_unit_test_setup_teardown(looks_leave_the_processor_to_others, runs_make,
                                        runs_remove),
        cmocka_unit_test(folders_that_cannot_be_read_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
