// Events files for TensorBoard, read back byte by byte.
#include "base/file.h"
#include "image/fail_allocation.h"
#include "report/event_file.h"
#include "resnet/report.h"
#include "store/protobuf.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/temporary_folder.h"

enum { MOST = 64 };

/** What a test looks at of one event. */
typedef struct seen_event {
    double time;
    int64_t step;
    char version[32];
    int session; // status
    struct {
        char tag[64];
        float number;
        char text[64]; // the first bytes of
    } values[16];
    int count; // of values
} seen_event;

typedef struct seen_file {
    char name[300];
    size_t size;
    seen_event events[MOST];
    int count;
} seen_file;

static rn_recipe recipe;

static void ok(rn_status st)
{
    if (st != RN_OK)
        fail_msg("%s", rn_error_message());
}

// The k-th events file of the folder in the order of names; false if there are fewer.
static bool find_file(char name[300], int k)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort), found = 0;

    for (int i = 0; i < count; i++) {
        if (strncmp(entries[i]->d_name, "events.out.tfevents.", 20) == 0 && found++ == k)
            snprintf(name, 300, "%s", entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return found > k;
}

static rn_proto_field next(rn_proto *proto)
{
    rn_proto_field field;

    ok(rn_proto_next(proto, &field));
    return field;
}

static void copy_text(char *to, size_t size, const rn_proto *bytes)
{
    snprintf(to, size, "%.*s", (int)rn_proto_size(bytes), (const char *)bytes->next);
}

// TensorProto: a string in a vector of length 1.
static void see_tensor(rn_proto tensor, char text[64])
{
    for (rn_proto_field f; (f = next(&tensor)).number != 0;) {
        if (f.number == 1)
            assert_int_equal(f.value, 7); // DT_STRING
        if (f.number == 2) {
            assert_int_equal(rn_proto_size(&f.bytes), 4);
            assert_memory_equal(f.bytes.next, "\x12\x02\x08\x01", 4);
        }
        if (f.number == 8)
            copy_text(text, 64, &f.bytes);
    }
}

static void see_value(rn_proto value, seen_event *event)
{
    int i = event->count++;

    for (rn_proto_field f; (f = next(&value)).number != 0;) {
        if (f.number == 1)
            copy_text(event->values[i].tag, 64, &f.bytes);
        if (f.number == 2)
            memcpy(&event->values[i].number, &(uint32_t){(uint32_t)f.value}, sizeof(float));
        if (f.number == 8)
            see_tensor(f.bytes, event->values[i].text);
        if (f.number == 9)
            assert_memory_equal(f.bytes.next, "\x0a\x06\x0a\x04text", 8);
    }
}

static void see_event(rn_proto message, seen_event *event)
{
    for (rn_proto_field f; (f = next(&message)).number != 0;) {
        if (f.number == 1)
            memcpy(&event->time, &f.value, sizeof event->time);
        else if (f.number == 2)
            event->step = (int64_t)f.value;
        else if (f.number == 3)
            copy_text(event->version, sizeof event->version, &f.bytes);
        else if (f.number == 7)
            event->session = (int)next(&f.bytes).value;
        else
            for (rn_proto_field v; (v = next(&f.bytes)).number != 0;)
                see_value(v.bytes, event);
    }
}

static uint32_t masked(const void *data, size_t size)
{
    uint32_t sum = rn_crc32c(data, size);

    return ((sum >> 15) | (sum << 17)) + 0xa282ead8u;
}

static void see_file(seen_file *file, int k)
{
    char *bytes;
    size_t size;
    uint64_t length;
    uint32_t sums[2];

    memset(file, 0, sizeof *file);
    assert_true(find_file(file->name, k));
    ok(rn_file_read(&bytes, &size, in_folder(file->name), 1 << 20));
    file->size = size;
    for (size_t at = 0; at < size; at += 16 + length) {
        assert_true(size - at >= 16);
        memcpy(&length, bytes + at, 8);
        memcpy(&sums[0], bytes + at + 8, 4);
        assert_int_equal(sums[0], masked(bytes + at, 8));
        assert_true(size - at - 16 >= length);
        memcpy(&sums[1], bytes + at + 12 + length, 4);
        assert_int_equal(sums[1], masked(bytes + at + 12, length));
        assert_true(file->count < MOST);
        see_event(rn_proto_start(bytes + at + 12, length), &file->events[file->count++]);
    }
    rn_free(bytes);
}

// RFC 3720, appendix B.4, and the check value that catalogues of CRCs have.
static void sums_are_the_known_ones(void **state)
{
    (void)state;
    unsigned char block[32] = {0};

    assert_int_equal(rn_crc32c("", 0), 0);
    assert_int_equal(rn_crc32c("123456789", 9), 0xe3069283u);
    assert_int_equal(rn_crc32c(block, 32), 0x8a9136aau);
    memset(block, 0xff, 32);
    assert_int_equal(rn_crc32c(block, 32), 0x62a8ab43u);
    for (int i = 0; i < 32; i++)
        block[i] = (unsigned char)i;
    assert_int_equal(rn_crc32c(block, 32), 0x46dd794eu);
}

static void write_events(const rn_event *events, int count)
{
    rn_tensorboard *board;

    ok(rn_tensorboard_open(&board, folder, &recipe));
    for (int i = 0; i < count; i++)
        ok(rn_tensorboard_write(board, &events[i]));
    rn_tensorboard_close(board);
}

static const rn_param_norm norms[] = {{"conv1.weight", 0.25, 4}, {"fc.bias", INFINITY, 0}};

static void assert_value(const seen_event *event, int i, const char *tag, double number)
{
    assert_true(i < event->count);
    assert_string_equal(event->values[i].tag, tag);
    if (isnan(number))
        assert_true(isnan(event->values[i].number));
    else
        assert_true(event->values[i].number == (float)number);
}

static void events_hold_what_their_kind_has(void **state)
{
    (void)state;
    static seen_file file;
    const rn_event events[] = {
        {.kind = RN_EVENT_START, .text = "resnet-20"},
        {.kind = RN_EVENT_STEP,
         .iteration = 50,
         .loss = NAN,
         .error = 88.125,
         .lr = 0.1,
         .images_per_second = INFINITY,
         .data_wait = 0.01,
         .memory = 3e7},
        {.kind = RN_EVENT_GRADIENTS, .iteration = 50, .norms = norms, .norm_count = 2},
        {.kind = RN_EVENT_EVALUATION, .iteration = 391, .loss = 1.25, .error = 45.5, .set = "test"},
        {.kind = RN_EVENT_EVALUATION, .iteration = 782, .loss = 2, .set = "validation (ema)"},
        {.kind = RN_EVENT_NOTE, .text = "nothing of this"},
        {.kind = RN_EVENT_CHECKPOINT, .text = "nor of this"},
        {.kind = RN_EVENT_END, .status = RN_EINTERRUPTED},
    };

    write_events(events, 8);
    see_file(&file, 0);
    assert_int_equal(file.count, 7);
    const seen_event *e = file.events;
    assert_string_equal(e[0].version, "brain.Event:2");
    assert_true(e[0].time > 1.7e9 && e[6].time >= e[0].time && e[6].time < e[0].time + 60);
    assert_true(e[1].session == 1 && e[1].step == 0 && e[1].count == 0);
    assert_true(e[2].count == 1);
    assert_string_equal(e[2].values[0].tag, "recipe/text_summary");
    assert_memory_equal(e[2].values[0].text, "resnet-20\n\n```\n{", 16);
    assert_true(e[3].step == 50 && e[3].count == 6);
    assert_value(&e[3], 0, "train/loss", NAN);
    assert_value(&e[3], 1, "train/error", 88.125);
    assert_value(&e[3], 2, "lr", 0.1);
    assert_value(&e[3], 3, "images_per_second", INFINITY);
    assert_value(&e[3], 4, "data_wait", 0.01);
    assert_value(&e[3], 5, "memory", 3e7f);
    assert_true(e[4].step == 50 && e[4].count == 4);
    assert_value(&e[4], 0, "gradients/conv1.weight", 0.25);
    assert_value(&e[4], 1, "weights/conv1.weight", 4);
    assert_value(&e[4], 2, "gradients/fc.bias", INFINITY);
    assert_value(&e[4], 3, "weights/fc.bias", 0);
    assert_true(e[5].step == 391 && e[5].count == 2);
    assert_value(&e[5], 0, "test/loss", 1.25);
    assert_value(&e[5], 1, "test/error", 45.5);
    assert_true(e[6].step == 782);
    assert_value(&e[6], 0, "validation/loss", 2);
    empty_folder();
}

// A second process within the same second, and even a clock that went back: later by name.
static void resumed_runs_come_after(void **state)
{
    (void)state;
    static seen_file file;
    const rn_event start = {.kind = RN_EVENT_START, .iteration = 40, .text = "x"};
    FILE *future = fopen(in_folder("events.out.tfevents.4000000000.elsewhere"), "w");

    assert_non_null(future);
    fclose(future);
    for (int i = 0; i < 3; i++)
        write_events(&start, 1);
    for (int i = 1; i < 4; i++) {
        char prefix[64];
        see_file(&file, i);
        snprintf(prefix, sizeof prefix, "events.out.tfevents.%lld.", 4000000000LL + i);
        assert_memory_equal(file.name, prefix, strlen(prefix));
        assert_string_equal(file.events[0].version, "brain.Event:2");
        assert_true(file.events[1].session == 1 && file.events[1].step == 41);
    }
    empty_folder();
}

// Any number of bytes may still fit: the file never ends within a record.
static void full_disk_leaves_whole_records(void **state)
{
    (void)state;
    static seen_file file;
    const rn_event step = {.kind = RN_EVENT_STEP, .iteration = 1};
    rn_tensorboard *board;

    ok(rn_tensorboard_open(&board, folder, &recipe));
    see_file(&file, 0);
    rlim_t before = file.size;
    for (rlim_t room = 0; room < 100; room += 9) {
        limit_file_size(before + room);
        rn_status st = rn_tensorboard_write(board, &step);
        limit_file_size(RLIM_INFINITY);
        assert_int_equal(st, RN_EIO);
        assert_non_null(strstr(rn_error_message(), file.name));
        see_file(&file, 0);
        assert_int_equal(file.size, before);
    }
    ok(rn_tensorboard_write(board, &step));
    rn_tensorboard_close(board);
    see_file(&file, 0);
    assert_int_equal(file.count, 2);
    empty_folder();
    limit_file_size(5);
    rn_status st = rn_tensorboard_open(&board, folder, &recipe);
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(st, RN_EIO);
    assert_null(board);
    assert_false(find_file(file.name, 0));
}

static void unusable_places_are_named(void **state)
{
    (void)state;
    rn_tensorboard *board;

    assert_int_equal(rn_tensorboard_open(&board, in_folder("none"), &recipe), RN_ENOTFOUND);
    assert_null(board);
    assert_non_null(strstr(rn_error_message(), in_folder("none")));
    rn_tensorboard_close(NULL);
}

static void allocation_failures_leave_nothing(void **state)
{
    (void)state;
    static seen_file file;
    rn_tensorboard *board = NULL;
    fail_allocation plan = {.hit = true};
    const rn_event events[] = {
        {.kind = RN_EVENT_START, .text = "x"},
        {.kind = RN_EVENT_STEP},
        {.kind = RN_EVENT_GRADIENTS, .norms = norms, .norm_count = 2},
    };

    for (int which = 0; plan.hit; which++) {
        assert_false(find_file(file.name, 0));
        fail_allocation_start(&plan, which);
        rn_status st = rn_tensorboard_open(&board, folder, &recipe);
        fail_allocation_stop();
        assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
        assert_true((board == NULL) == plan.hit);
    }
    for (int i = 0; i < 3; i++) {
        plan.hit = true;
        for (int which = 0; plan.hit; which++) {
            fail_allocation_start(&plan, which);
            rn_status st = rn_tensorboard_write(board, &events[i]);
            fail_allocation_stop();
            assert_int_equal(st, plan.hit ? RN_ENOMEM : RN_OK);
        }
    }
    rn_tensorboard_close(board);
    see_file(&file, 0); // every record is whole
    assert_int_equal(file.events[file.count - 1].count, 4);
    empty_folder();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_the_known_ones),
        cmocka_unit_test(events_hold_what_their_kind_has),
        cmocka_unit_test(resumed_runs_come_after),
        cmocka_unit_test(full_disk_leaves_whole_records),
        cmocka_unit_test(unusable_places_are_named),
        cmocka_unit_test(allocation_failures_leave_nothing),
    };

    if (rn_recipe_load(&recipe, "quick") != RN_OK)
        return 1;
    return cmocka_run_group_tests_name("tensorboard", tests, make_folder, remove_folder);
}
