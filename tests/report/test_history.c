// Runs read back: what was written is what is read, whatever happened to the log since.
#include "base/file.h"
#include "image/fail_allocation.h"
#include "resnet/history.h"
#include "resnet/report.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "store/temporary_folder.h"

static void ok(rn_status st)
{
    if (st != RN_OK)
        fail_msg("%s", rn_error_message());
}

static void put(const char *name, const char *text)
{
    ok(rn_file_write_atomic(in_folder(name), text, strlen(text)));
}

static void append(const char *text)
{
    FILE *log = fopen(in_folder("log.jsonl"), "a");

    assert_non_null(log);
    fputs(text, log);
    fclose(log);
}

static rn_history *opened(void)
{
    rn_history *history;

    ok(rn_history_read(&history, folder));
    return history;
}

static rn_history *of_log(const char *text)
{
    empty_folder();
    put("log.jsonl", text);
    return opened();
}

#define STEP(i, seconds, loss)                                                                     \
    "{\"event\":\"step\",\"iteration\":" #i                                                        \
    ",\"iterations\":100,\"epoch\":0.5,\"seconds\":" #seconds ",\"loss\":" #loss                   \
    ",\"error\":50,\"lr\":0.1}\n"
#define START(i) "{\"event\":\"start\",\"iteration\":" #i ",\"seconds\":0,\"text\":\"resnet-20\"}\n"
#define RESUME(i) "{\"event\":\"resume\",\"iteration\":" #i ",\"seconds\":0,\"text\":\"x\"}\n"
#define TEST(i, seconds, wrong)                                                                    \
    "{\"event\":\"evaluation\",\"iteration\":" #i ",\"seconds\":" #seconds                         \
    ",\"loss\":1,\"error\":2,\"set\":\"test\",\"count\":10,\"wrong\":" #wrong "}\n"

static void write_run(void)
{
    const rn_event events[] = {
        {.kind = RN_EVENT_START, .iterations = 200, .text = "resnet-20:shortcut=B"},
        {.kind = RN_EVENT_NOTE, .text = "a \"note\"\n\xc3\xa9"},
        {.kind = RN_EVENT_STEP,
         .iteration = 50,
         .iterations = 200,
         .epoch = 0.1 + 0.2,
         .seconds = 1.5,
         .loss = NAN,
         .error = 75.25,
         .lr = 0.1,
         .images_per_second = 1234.5,
         .data_wait = 0.25,
         .eta = 7},
        {.kind = RN_EVENT_EVALUATION,
         .iteration = 50,
         .iterations = 200,
         .seconds = 2,
         .loss = 1.25,
         .error = 45,
         .set = "test (ema)",
         .count = 10,
         .wrong = 4},
        {.kind = RN_EVENT_END, .iteration = 50, .status = RN_EDIVERGED, .text = "too much"},
    };
    rn_run_log *log = NULL;

    ok(rn_run_log_open(&log, folder));
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        ok(rn_run_log_write(log, &events[i]));
    rn_run_log_close(log);
}

static void what_a_run_wrote_is_read(void **state)
{
    (void)state;
    empty_folder();
    write_run();
    put("recipe.json", "{\"name\":\"quick\"}");
    put("environment.json", "{\"cpu\":\"x\"}");
    rn_history *h = opened();
    assert_string_equal(h->model, "resnet-20:shortcut=B");
    assert_string_equal(h->recipe, "quick");
    assert_string_equal(h->environment_json, "{\"cpu\":\"x\"}");
    assert_string_equal(h->folder, folder);
    assert_string_equal(h->name, strrchr(folder, '/') + 1);
    assert_int_equal(h->state, RN_HISTORY_FAILED);
    assert_string_equal(rn_history_state_name(h->state), "failed");
    assert_string_equal(h->message, "too much");
    assert_int_equal(strlen(h->started), strlen("2026-11-23T14:22:32Z"));
    assert_int_equal(strlen(h->ended), strlen(h->started));
    assert_true(h->modified > 1700000000);
    assert_int_equal(h->iterations, 200);
    assert_int_equal(h->iteration, 50);
    assert_int_equal(h->step_count, 1);
    const rn_history_step *step = h->steps;
    assert_int_equal(step->iteration, 50);
    assert_true(step->epoch == 0.1 + 0.2 && step->seconds == 1.5 && isnan(step->loss));
    assert_true(step->error == 75.25 && step->lr == 0.1 && step->images_per_second == 1234.5);
    assert_true(step->data_wait == 0.25 && step->eta == 7);
    assert_int_equal(h->evaluation_count, 1);
    assert_string_equal(h->evaluations[0].set, "test (ema)");
    assert_true(h->evaluations[0].loss == 1.25 && h->evaluations[0].error == 45);
    assert_int_equal(h->evaluations[0].count, 10);
    assert_int_equal(h->evaluations[0].wrong, 4);
    assert_int_equal(h->note_count, 1);
    assert_string_equal(h->notes[0].text, "a \"note\"\n\xc3\xa9");
    assert_int_equal(h->damaged, 0);
    rn_history_free(h);
    rn_history_free(NULL);
}

static void committed_results_are_read(void **state)
{
    rn_history *h;

    (void)state;
    ok(rn_history_read(&h, TEST_SOURCE_DIR "/docs/results/cifar10-resnet-20-quick/"));
    assert_string_equal(h->name, "cifar10-resnet-20-quick");
    assert_int_equal(h->state, RN_HISTORY_DONE);
    assert_int_equal(h->step_count, 235);
    assert_int_equal(h->evaluation_count, 30);
    assert_true(h->evaluations[29].error == 9.6 && h->evaluations[29].wrong == 960);
    assert_true(h->steps[0].loss == 2.0399483687013085);
    rn_history_free(h);
}

// Steps 30 and 40 were lost with the process; the second one starts at 20 and writes "start" too.
static void resumed_run_replaces_what_it_repeats(void **state)
{
    rn_history *h = of_log(START(0) STEP(10, 1, 9) TEST(10, 2, 9) STEP(20, 3, 8) TEST(20, 4, 8)
                               STEP(30, 5, 7) STEP(40, 6, 6) TEST(40, 7, 6) RESUME(20) START(20)
                                   TEST(20, 1, 5) STEP(30, 2, 4));

    (void)state;
    assert_int_equal(h->step_count, 3);
    assert_true(h->steps[1].loss == 8 && h->steps[2].loss == 4);
    assert_true(h->steps[2].seconds == 4 + 2 && h->seconds == 4 + 2);
    assert_int_equal(h->evaluation_count, 2);
    assert_int_equal(h->evaluations[1].wrong, 5);
    assert_int_equal(h->resumed, 1);
    assert_int_equal(h->state, RN_HISTORY_RUNNING);
    rn_history_free(h);
    // Without the lines that say so: the numbers alone.
    h = of_log(STEP(10, 1, 9) STEP(20, 2, 8) TEST(20, 3, 8) STEP(30, 4, 7) STEP(20, 5, 6));
    assert_int_equal(h->step_count, 2);
    assert_true(h->steps[1].loss == 6);
    rn_history_free(h);
    // A start from nothing.
    h = of_log(START(0) STEP(10, 1, 9) TEST(10, 2, 9) START(0) STEP(10, 5, 3));
    assert_int_equal(h->step_count, 1);
    assert_int_equal(h->evaluation_count, 0);
    assert_true(h->steps[0].seconds == 5 && h->seconds == 5);
    rn_history_free(h);
}

// Notes of a process that is about to resume say iteration 0, and so does its end if it cannot.
static void notes_and_ends_forget_nothing(void **state)
{
    rn_history *h = of_log(START(0) STEP(10, 1, 9) TEST(
        10, 2,
        9) "{\"event\":\"note\",\"iteration\":0,\"text\":\"other data\"}\n"
           "{\"event\":\"end\",\"iteration\":0,\"status\":\"interrupted\",\"text\":\"why\"}\n");

    (void)state;
    assert_int_equal(h->step_count, 1);
    assert_int_equal(h->evaluation_count, 1);
    assert_int_equal(h->note_count, 1);
    assert_int_equal(h->state, RN_HISTORY_STOPPED);
    assert_string_equal(h->message, "why");
    assert_true(h->seconds == 2);
    rn_history_free(h);
}

static void damage_is_counted_and_left_out(void **state)
{
    rn_history *h = of_log(STEP(10, 1, 9) "{\"event\":\"step\",\"iter\n" STEP(
        20, 2,
        8) "\n{}\n{\"event\":7}\n"
           "{\"event\":\"step\"}\n"
           "{\"event\":\"step\",\"iteration\":1.5}\n{\"event\":\"step\",\"iteration\":-1}\n"
           "{\"event\":\"step\",\"iteration\":1e300}\n"
           "{\"event\":\"news\",\"what\":[1,2]}\n{\"event\":\"step\",\"iteration\":30,\"new\":{}}\n"
           "{\"event\":\"step\",\"iteration\":40");

    (void)state;
    assert_int_equal(h->step_count, 3);
    assert_true(isnan(h->steps[2].loss) && isnan(h->steps[2].seconds));
    assert_int_equal(h->damaged, 8);
    assert_int_equal(h->first_damaged, 2);
    rn_history_free(h);
    empty_folder();
    put("log.jsonl", "no log\nat all\n");
    assert_int_equal(rn_history_read(&h, folder), RN_EFORMAT);
    assert_null(h);
    assert_non_null(strstr(rn_error_message(), "none of its 2 lines"));
    h = of_log(""); // a run that is about to start
    assert_int_equal(h->step_count + h->damaged, 0);
    rn_history_free(h);
}

static void refresh_reads_what_is_new(void **state)
{
    rn_history *h = of_log(START(0) STEP(10, 1, 9) "{\"event\":\"step\",\"itera");
    bool changed = true;

    (void)state;
    assert_int_equal(h->step_count, 1);
    ok(rn_history_refresh(h, &changed));
    assert_false(changed);
    append("tion\":20}\n"); // the torn line's rest
    ok(rn_history_refresh(h, &changed));
    assert_true(changed);
    assert_int_equal(h->step_count, 2);
    assert_int_equal(h->steps[1].iteration, 20);
    assert_int_equal(h->damaged, 0);
    // Shorter: another run.
    put("log.jsonl", START(0));
    ok(rn_history_refresh(h, &changed));
    assert_true(changed);
    assert_int_equal(h->step_count, 0);
    // Longer, in the same file, but another.
    int file = open(in_folder("log.jsonl"), O_WRONLY | O_TRUNC);
    const char *other = STEP(5, 1, 1) STEP(6, 1, 1) STEP(7, 1, 1);
    assert_int_equal(write(file, other, strlen(other)), strlen(other));
    close(file);
    ok(rn_history_refresh(h, &changed));
    assert_int_equal(h->step_count, 3);
    assert_string_equal(h->model, "");
    // Gone: what was read stays.
    unlink(in_folder("log.jsonl"));
    assert_int_equal(rn_history_refresh(h, &changed), RN_ENOTFOUND);
    assert_false(changed);
    assert_int_equal(h->step_count, 3);
    rn_history_free(h);
}

// Byte by byte, as a tail may see it: the same as at once.
static void any_split_gives_the_same(void **state)
{
    const char *text =
        START(0) STEP(10, 1, 9) TEST(10, 2, 9) STEP(20, 3, 8) RESUME(10) STEP(20, 1, 7);
    rn_history *h = of_log(START(0));

    (void)state;
    put("log.jsonl", "");
    for (size_t i = 0; i < strlen(text); i++) {
        append((char[]){text[i], '\0'});
        ok(rn_history_refresh(h, NULL));
    }
    assert_int_equal(h->step_count, 2);
    assert_true(h->steps[1].loss == 7 && h->steps[1].seconds == 3);
    assert_int_equal(h->evaluation_count, 1);
    rn_history_free(h);
}

static void gradients_are_read(void **state)
{
    rn_history *h =
        of_log("{\"event\":\"gradients\",\"iteration\":1,\"norms\":{\"a\":1,\"b\":2}}\n"
               "{\"event\":\"gradients\",\"iteration\":2,\"norms\":{\"b\":3,\"c\":null,\"a\":4}}\n"
               "{\"event\":\"gradients\",\"iteration\":2,\"norms\":{\"b\":5}}\n"
               "{\"event\":\"gradients\",\"iteration\":3}\n");

    (void)state;
    assert_int_equal(h->gradients_count, 3);
    assert_int_equal(h->layer_count, 3);
    assert_string_equal(h->layers[2], "c");
    assert_int_equal(h->gradients[0].count, 2);
    assert_int_equal(h->gradients[1].count, 1); // the later of two lines about iteration 2
    const rn_history_norm *norm = &h->norms[h->gradients[1].first];
    assert_string_equal(h->layers[norm->layer], "b");
    assert_true(norm->value == 5);
    assert_int_equal(h->gradients[2].count, 0);
    assert_int_equal(h->norm_count, 3);
    rn_history_free(h);
}

// 200,000 names: those beyond 65,536 are left out, and finding one takes no walk over the others.
static void names_are_bounded(void **state)
{
    FILE *log;
    rn_history *h;

    (void)state;
    empty_folder();
    log = fopen(in_folder("log.jsonl"), "w");
    fputs("{\"event\":\"gradients\",\"iteration\":1,\"norms\":{\"x\":0", log);
    for (int i = 0; i < 200000; i++)
        fprintf(log, ",\"layer%d\":%d", i, i);
    fputs("}}\n", log);
    fclose(log);
    h = opened();
    assert_int_equal(h->layer_count, 65536);
    assert_int_equal(h->norm_count, 65536);
    assert_string_equal(h->layers[65535], "layer65534");
    rn_history_free(h);
}

// Longer than what is read at once, and longer than what is kept.
static void long_lines_are_read_or_left_out(void **state)
{
    FILE *log;
    rn_history *h;

    (void)state;
    empty_folder();
    log = fopen(in_folder("log.jsonl"), "w");
    fprintf(log, "%s{\"event\":\"note\",\"iteration\":1,\"text\":\"%0*d\"}\n", STEP(1, 1, 1),
            1000000, 0);
    fprintf(log, "{\"event\":\"note\",\"iteration\":1,\"text\":\"%0*d\"}\n%s", 40000000, 0,
            STEP(2, 2, 2));
    fclose(log);
    h = opened();
    assert_int_equal(h->step_count, 2);
    assert_int_equal(h->note_count, 1);
    assert_int_equal(strlen(h->notes[0].text), 1000000);
    assert_int_equal(h->damaged, 1);
    assert_int_equal(h->first_damaged, 3);
    rn_history_free(h);
}

static void companions_may_be_missing_or_damaged(void **state)
{
    rn_history *h = of_log(STEP(1, 1, 1));

    (void)state;
    assert_string_equal(h->recipe, "");
    assert_string_equal(h->model, "");
    assert_null(h->recipe_json);
    put("recipe.json", "{\"name\":3}");
    put("environment.json", "nonsense");
    put("run.json", "{\"model\":\"vgg-16\"}");
    append(STEP(2, 2, 2));
    ok(rn_history_refresh(h, NULL));
    assert_null(h->recipe_json);
    assert_null(h->environment_json);
    assert_string_equal(h->model, "vgg-16");
    rn_history_free(h);
}

static void unusable_places_are_named(void **state)
{
    rn_history *h;

    (void)state;
    empty_folder();
    assert_int_equal(rn_history_read(&h, "/nonexistent"), RN_ENOTFOUND);
    assert_non_null(strstr(rn_error_message(), "no folder '/nonexistent'"));
    assert_int_equal(rn_history_read(&h, folder), RN_ENOTFOUND);
    assert_non_null(strstr(rn_error_message(), "holds no log.jsonl"));
    assert_int_equal(mkfifo(in_folder("log.jsonl"), 0666), 0);
    assert_int_equal(rn_history_read(&h, folder), RN_EIO);
    unlink(in_folder("log.jsonl"));
    assert_int_equal(mkdir(in_folder("log.jsonl"), 0777), 0);
    assert_int_equal(rn_history_read(&h, folder), RN_EIO);
    assert_null(h);
    rmdir(in_folder("log.jsonl"));
    assert_null(rn_history_state_name((rn_history_state)4));
}

static void allocation_failures_leave_nothing(void **state)
{
    rn_history *h = NULL;
    fail_allocation plan = {0, true};
    int k = 0;

    (void)state;
    empty_folder();
    write_run();
    put("recipe.json", "{\"name\":\"quick\"}");
    append("{\"event\":\"gradients\",\"iteration\":60,\"norms\":{\"a\":1,\"b\":2}}\n");
    for (; plan.hit && k < 200; k++) {
        assert_null(h);
        fail_allocation_start(&plan, k);
        rn_status st = rn_history_read(&h, folder);
        fail_allocation_stop();
        assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
    }
    assert_true(k > 20);
    assert_non_null(h);
    // A failed refresh loses no line.
    append("{\"event\":\"note\",\"iteration\":70,\"text\":\"x\"}\n");
    fail_allocation_start(&plan, 1);
    assert_int_equal(rn_history_refresh(h, NULL), RN_ENOMEM);
    fail_allocation_stop();
    ok(rn_history_refresh(h, NULL));
    assert_int_equal(h->note_count, 2);
    assert_int_equal(h->step_count, 1);
    rn_history_free(h);
}

// Runs in a folder

static void make_run(const char *name)
{
    char path[300];

    assert_int_equal(mkdir(in_folder(name), 0777), 0);
    snprintf(path, sizeof path, "%s/log.jsonl", name);
    put(path, "");
}

static void remove_run(const char *name)
{
    char path[300];

    snprintf(path, sizeof path, "%s/log.jsonl", name);
    unlink(in_folder(path));
    rmdir(in_folder(name));
}

static void runs_of_a_folder_are_listed(void **state)
{
    static const char *const names[] = {"resnet-110", "resnet-20", "a"};
    static const char *const sorted[] = {"a", "resnet-20", "resnet-110"};
    rn_run_list list;
    fail_allocation plan = {0, true};

    (void)state;
    empty_folder();
    assert_int_equal(rn_run_list_read(&list, folder), RN_ENOTFOUND);
    assert_non_null(strstr(rn_error_message(), "no run in"));
    assert_int_equal(rn_run_list_read(&list, "/nonexistent"), RN_ENOTFOUND);
    for (int i = 0; i < 3; i++)
        make_run(names[i]);
    assert_int_equal(mkdir(in_folder("other"), 0777), 0);
    put("file", "");
    for (int k = 0; plan.hit && k < 50; k++) {
        fail_allocation_start(&plan, k);
        rn_status st = rn_run_list_read(&list, folder);
        fail_allocation_stop();
        assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
        assert_int_equal(list.count, plan.hit ? 0 : 3);
    }
    for (int i = 0; i < 3; i++)
        assert_string_equal(list.folders[i], in_folder(sorted[i]));
    rn_run_list_release(&list);
    ok(rn_run_list_read(&list, in_folder("a")));
    assert_int_equal(list.count, 1);
    assert_string_equal(list.folders[0], in_folder("a"));
    rn_run_list_release(&list);
    for (int i = 0; i < 3; i++)
        remove_run(names[i]);
    rmdir(in_folder("other"));
}

// A reproduction has its runs in a folder of its own; another folder named so is none.
static void runs_of_a_reproduction_are_listed(void **state)
{
    rn_run_list list;

    (void)state;
    empty_folder();
    assert_int_equal(mkdir(in_folder("runs"), 0777), 0);
    make_run("runs/a");
    assert_int_equal(rn_run_list_read(&list, folder), RN_ENOTFOUND);
    put("plan.json", "{}");
    ok(rn_run_list_read(&list, folder));
    assert_int_equal(list.count, 1);
    assert_string_equal(list.folders[0], in_folder("runs/a"));
    rn_run_list_release(&list);
    remove_run("runs/a");
    rmdir(in_folder("runs"));
    unlink(in_folder("plan.json"));
}

// Steps since the last line of steps.
static void checkpoints_and_ends_say_where_a_run_is(void **state)
{
    rn_history *h = of_log(START(0) STEP(
        10, 1, 9) "{\"event\":\"checkpoint\",\"iteration\":12,\"epoch\":1.5,\"seconds\":3}\n");

    (void)state;
    assert_int_equal(h->iteration, 12);
    assert_int_equal(h->step_count, 1);
    rn_history_free(h);
    h = of_log(START(0) STEP(
        10, 1, 9) "{\"event\":\"end\",\"iteration\":14,\"status\":\"interrupted\"}\n");
    assert_int_equal(h->iteration, 14);
    rn_history_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_run_wrote_is_read),
        cmocka_unit_test(committed_results_are_read),
        cmocka_unit_test(checkpoints_and_ends_say_where_a_run_is),
        cmocka_unit_test(runs_of_a_reproduction_are_listed),
        cmocka_unit_test(resumed_run_replaces_what_it_repeats),
        cmocka_unit_test(notes_and_ends_forget_nothing),
        cmocka_unit_test(damage_is_counted_and_left_out),
        cmocka_unit_test(refresh_reads_what_is_new),
        cmocka_unit_test(any_split_gives_the_same),
        cmocka_unit_test(gradients_are_read),
        cmocka_unit_test(names_are_bounded),
        cmocka_unit_test(long_lines_are_read_or_left_out),
        cmocka_unit_test(companions_may_be_missing_or_damaged),
        cmocka_unit_test(unusable_places_are_named),
        cmocka_unit_test(allocation_failures_leave_nothing),
        cmocka_unit_test(runs_of_a_folder_are_listed),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
