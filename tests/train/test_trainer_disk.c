// Disks that refuse for a while: the training is worth more than one checkpoint.
#include "train/training.h"

#include "base/file_size_limit.h"

/** Steps from `from` on, up to before `to`, nothing long can be written. */
typedef struct full_disk {
    training t; // first: the context of its events
    uint64_t from, to;
} full_disk;

static void disk_event(const rn_event *event, void *context)
{
    full_disk *disk = context;

    if (event->kind == RN_EVENT_STEP && event->iteration == disk->from)
        limit_file_size(1000);
    if (event->kind == RN_EVENT_STEP && event->iteration == disk->to)
        limit_file_size(RLIM_INFINITY);
    training_event(event, &disk->t);
}

static void disk_init(full_disk *disk, uint64_t from, uint64_t to)
{
    training_init(&disk->t);
    disk->from = from;
    disk->to = to;
    disk->t.options.on_event = disk_event;
    disk->t.options.context = disk;
}

static bool has(const training *t, const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", t->folder, name);
    return rn_file_exists(path);
}

static void full_disk_does_not_end_a_training(void **state)
{
    training whole;
    full_disk disk;

    (void)state;
    training_init(&whole);
    training_run(&whole, RN_OK);
    disk_init(&disk, 3, 11);
    training_run(&disk.t, RN_OK);
    assert_int_equal(disk.t.notes, 3); // checkpoint 4, and the best weights of steps 5 and 10
    assert_false(has(&disk.t, "checkpoint-4.safetensors"));
    assert_false(has(&disk.t, "checkpoint-8.safetensors"));
    assert_true(has(&disk.t, "checkpoint-12.safetensors"));
    assert_same_file(&whole, &disk.t, "model.safetensors");
    training_release(&disk.t);
    training_release(&whole);
}

// At the end there is nothing to wait for, and without a first checkpoint nothing to rely on.
static void what_a_training_ends_or_begins_with_must_be_kept(void **state)
{
    full_disk disk;

    (void)state;
    disk_init(&disk, 13, 99);
    training_run(&disk.t, RN_EIO);
    limit_file_size(RLIM_INFINITY);
    assert_non_null(strstr(rn_error_message(), "checkpoint-14.safetensors"));
    assert_true(has(&disk.t, "checkpoint-12.safetensors"));
    disk.from = disk.to = 0;
    disk.t.options.resume = true;
    training_run(&disk.t, RN_OK);
    training_release(&disk.t);

    disk_init(&disk, 99, 99);
    limit_file_size(1000);
    training_run(&disk.t, RN_EIO);
    limit_file_size(RLIM_INFINITY);
    assert_non_null(strstr(rn_error_message(), "checkpoint-0.safetensors"));
    training_release(&disk.t);
}

static void note_over_the_message(const rn_event *event, void *context)
{
    training_event(event, context);
    rn_error(RN_EIO, "cannot write the log");
}

// Who hears of the end may fail, too, as a log does on a full disk.
static void reason_of_a_failure_outlives_its_log(void **state)
{
    training t;

    (void)state;
    training_init(&t);
    t.options.on_event = note_over_the_message;
    t.recipe.schedule.lr = 1000;
    training_run(&t, RN_EDIVERGED);
    assert_non_null(strstr(rn_error_message(), "try a lower lr"));
    training_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_disk_does_not_end_a_training),
        cmocka_unit_test(what_a_training_ends_or_begins_with_must_be_kept),
        cmocka_unit_test(reason_of_a_failure_outlives_its_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
