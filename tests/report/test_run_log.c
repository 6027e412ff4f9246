#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "resnet/report.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/file_size_limit.h"

static char folder[] = "/tmp/report-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/log.jsonl", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void ok(rn_status st)
{
    if (st != RN_OK)
        fail_msg("%s", rn_error_message());
}

static void assert_contents(const char *expected)
{
    char *text = NULL;
    size_t size;

    ok(rn_file_read(&text, &size, path, 1 << 20));
    assert_string_equal(text, expected);
    rn_free(text);
}

static void write_events(const rn_event *events, size_t count)
{
    rn_run_log *log = NULL;

    ok(rn_run_log_open(&log, folder));
    for (size_t i = 0; i < count; i++)
        ok(rn_run_log_write(log, &events[i]));
    rn_run_log_close(log);
}

static const rn_event note = {.kind = RN_EVENT_NOTE, .iteration = 1, .text = "a\n\"b\"\x01"};
#define NOTE_LINE                                                                                  \
    "{\"event\":\"note\",\"iteration\":1,\"iterations\":0,\"epoch\":0,\"seconds\":0,"              \
    "\"text\":\"a\\n\\\"b\\\"\\u0001\"}\n"

static const rn_param_norm norms[] = {{"conv1.weight", 0.25, 4}, {"fc.bias", NAN, 0}};

static void lines_hold_what_their_kind_has(void **state)
{
    (void)state;
    const rn_event events[] = {
        {.kind = RN_EVENT_STEP,
         .iteration = 50,
         .iterations = 64000,
         .epoch = 0.128,
         .seconds = 2.5,
         .loss = NAN,
         .error = 88.125,
         .lr = 0.1 + 0.2,
         .images_per_second = INFINITY,
         .data_wait = 0.01,
         .eta = 3600,
         .memory = 1 << 30,
         .memory_peak = 1.5e9,
         .wrong = 5,
         .set = "not of this kind"},
        {.kind = RN_EVENT_EVALUATION,
         .iteration = 391,
         .iterations = 64000,
         .epoch = 1,
         .seconds = 20,
         .loss = 1.25,
         .error = 45.5,
         .set = "test (ema)",
         .count = 10000,
         .wrong = 4550},
        {.kind = RN_EVENT_GRADIENTS, .iteration = 391, .norms = norms, .norm_count = 2},
        note,
    };

    unlink(path);
    write_events(events, sizeof events / sizeof *events);
    assert_contents(
        "{\"event\":\"step\",\"iteration\":50,\"iterations\":64000,\"epoch\":0.128,"
        "\"seconds\":2.5,\"loss\":null,\"error\":88.125,\"lr\":0.30000000000000004,"
        "\"images_per_second\":null,\"data_wait\":0.01,\"eta\":3600,\"memory\":1073741824,"
        "\"memory_peak\":1500000000}\n"
        "{\"event\":\"evaluation\",\"iteration\":391,\"iterations\":64000,\"epoch\":1,"
        "\"seconds\":20,\"loss\":1.25,\"error\":45.5,\"set\":\"test (ema)\",\"count\":10000,"
        "\"wrong\":4550}\n"
        "{\"event\":\"gradients\",\"iteration\":391,\"iterations\":0,\"epoch\":0,\"seconds\":0,"
        "\"norms\":{\"conv1.weight\":0.25,\"fc.bias\":null},"
        "\"weights\":{\"conv1.weight\":4,\"fc.bias\":0}}\n" NOTE_LINE);
}

static void ends_have_time_and_status(void **state)
{
    (void)state;
    const rn_event events[] = {{.kind = RN_EVENT_START, .text = "resnet-20"},
                               {.kind = RN_EVENT_END, .status = RN_EINTERRUPTED}};
    char *text = NULL;
    size_t size;

    unlink(path);
    write_events(events, 2);
    ok(rn_file_read(&text, &size, path, 1 << 20));
    int year = 0, length = 0;
    assert_int_equal(sscanf(text,
                            "{\"event\":\"start\",\"time\":\"%4d-%*2d-%*2dT%*2d:%*2d:%*2dZ\",%n",
                            &year, &length),
                     1);
    assert_true(year >= 2024 && length > 0);
    assert_non_null(strstr(text, "\"text\":\"resnet-20\"}\n"));
    assert_non_null(strstr(text, "\"status\":\"interrupted\"}\n"));
    rn_free(text);
}

static void put(const char *text)
{
    ok(rn_file_write_atomic(path, text, strlen(text)));
}

static void torn_last_line_is_cut_off(void **state)
{
    (void)state;
    char *longer = NULL;

    put("{}\n{\"event\":\"st");
    write_events(&note, 1);
    assert_contents("{}\n" NOTE_LINE);
    put("{\"event\":\"st");
    write_events(&note, 1);
    assert_contents(NOTE_LINE);
    put("");
    write_events(&note, 1);
    write_events(&note, 1);
    assert_contents(NOTE_LINE NOTE_LINE);
    // Longer than the blocks that are read from the end, newline at a block's very start.
    ok(rn_alloc((void **)&longer, 3 * 4096 + 4, 1));
    memset(longer, 'x', 3 * 4096 + 3);
    memcpy(longer, "{}\n", 3);
    for (size_t cut = 0; cut < 4; cut++) {
        longer[3 * 4096 + 3 - cut] = '\0';
        put(longer);
        write_events(&note, 0);
        assert_contents("{}\n");
    }
    rn_free(longer);
}

// Any number of bytes may still fit: the log never ends within a line.
static void full_disk_leaves_whole_lines(void **state)
{
    (void)state;
    rn_run_log *log = NULL;

    put("");
    ok(rn_run_log_open(&log, folder));
    ok(rn_run_log_write(log, &note));
    for (rlim_t room = 0; room < sizeof NOTE_LINE - 1; room += 9) {
        limit_file_size(sizeof NOTE_LINE - 1 + room);
        rn_status st = rn_run_log_write(log, &note);
        limit_file_size(RLIM_INFINITY);
        assert_int_equal(st, RN_EIO);
        assert_non_null(strstr(rn_error_message(), path));
        assert_contents(NOTE_LINE);
    }
    ok(rn_run_log_write(log, &note));
    assert_contents(NOTE_LINE NOTE_LINE);
    rn_run_log_close(log);
}

static void unusable_places_are_named(void **state)
{
    (void)state;
    rn_run_log *log = NULL;
    rn_event odd = {.kind = (rn_event_kind)99};

    assert_int_equal(rn_run_log_open(&log, "/nonexistent/x"), RN_ENOTFOUND);
    assert_null(log);
    unlink(path);
    assert_int_equal(mkfifo(path, 0666), 0);
    assert_int_equal(rn_run_log_open(&log, folder), RN_EIO);
    unlink(path);
    assert_int_equal(mkdir(path, 0777), 0);
    assert_int_equal(rn_run_log_open(&log, folder), RN_EIO);
    rmdir(path);
    ok(rn_run_log_open(&log, folder));
    assert_int_equal(rn_run_log_write(log, &odd), RN_EINVAL);
    rn_run_log_close(log);
    rn_run_log_close(NULL);
}

static int allocations_left;

static bool count_down(size_t bytes, void *context)
{
    (void)bytes;
    (void)context;
    return allocations_left-- > 0;
}

static void allocation_failures_leave_nothing(void **state)
{
    (void)state;
    rn_run_log *log = NULL;
    rn_status st = RN_ENOMEM;
    int step = 0;

    put("");
    rn_alloc_hook_set(count_down, NULL);
    for (; st == RN_ENOMEM && step < 50; step++) {
        assert_null(log);
        allocations_left = step;
        st = rn_run_log_open(&log, folder);
    }
    assert_int_equal(st, RN_OK);
    for (st = RN_ENOMEM, step = 0; st == RN_ENOMEM && step < 50; step++) {
        allocations_left = step;
        st = rn_run_log_write(log, &note);
    }
    rn_alloc_hook_set(NULL, NULL);
    assert_int_equal(st, RN_OK);
    assert_contents(NOTE_LINE);
    rn_run_log_close(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_hold_what_their_kind_has),
        cmocka_unit_test(ends_have_time_and_status),
        cmocka_unit_test(torn_last_line_is_cut_off),
        cmocka_unit_test(full_disk_leaves_whole_lines),
        cmocka_unit_test(unusable_places_are_named),
        cmocka_unit_test(allocation_failures_leave_nothing),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
