#include "base/file.h"
#include "base/memory.h"
#include "resnet/store.h"

#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <setjmp.h>

#include <cmocka.h>

#include "store/temporary_folder.h"

static rn_checkpoint sample;

static void ok(rn_status st)
{
    if (st != RN_OK)
        fail_msg("%s", rn_error_message());
}

static int make_sample(void **state)
{
    const rn_model_options options = {.classes = 2, .channels = 1, .height = 5, .width = 5};
    static char *labels[] = {"no", "yes"};

    ok(rn_graph_create(&sample.graph, "plain-8", &options));
    ok(rn_weights_create(&sample.weights, sample.graph));
    ok(rn_preprocess_create(&sample.preprocess, RN_NORMALIZE_NONE, 1, 5, 5, NULL, NULL));
    sample.label_names = labels;
    return make_folder(state);
}

static int free_sample(void **state)
{
    rn_graph_free(sample.graph);
    rn_weights_free(sample.weights);
    rn_preprocess_free(sample.preprocess);
    return remove_folder(state);
}

static bool has(uint64_t iteration)
{
    char name[64];

    snprintf(name, sizeof name, "checkpoint-%llu.safetensors", (unsigned long long)iteration);
    return rn_file_exists(in_folder(name));
}

static void put(const char *name, const char *text)
{
    ok(rn_file_write_atomic(in_folder(name), text, strlen(text)));
}

static void only_the_newest_are_kept(void **state)
{
    (void)state;
    const char *const others[] = {
        "best.safetensors",          "model.safetensors",
        "checkpoint-.safetensors",   "checkpoint-1.safetensor",
        "checkpoint-01.safetensors", "checkpoint-+1.safetensors",
        "checkpoint-1.safetensorsx", "xcheckpoint-1.safetensors",
        "checkpoint-1 .safetensors", "checkpoint-18446744073709551616.safetensors"};
    enum { OTHERS = sizeof others / sizeof *others };

    empty_folder();
    for (int i = 0; i < OTHERS; i++)
        put(others[i], "x");
    for (uint64_t i = 0; i <= 12; i++) // as text, 9 comes after 12
        ok(rn_checkpoint_save_in(&sample, folder, i, 3));
    assert_true(has(10) && has(11) && has(12));
    assert_int_equal(folder_files(), OTHERS + 3);
    ok(rn_checkpoint_save_in(&sample, folder, 13, 1));
    assert_true(has(13));
    assert_int_equal(folder_files(), OTHERS + 1);
}

static void what_was_just_saved_stays(void **state)
{
    (void)state;
    empty_folder();
    ok(rn_checkpoint_save_in(&sample, folder, 900, 2));
    ok(rn_checkpoint_save_in(&sample, folder, 901, 2));
    ok(rn_checkpoint_save_in(&sample, folder, 5, 2));
    assert_true(has(5) && has(900) && has(901));
    ok(rn_checkpoint_save_in(&sample, folder, 6, 2));
    assert_true(has(6) && !has(5));
}

static void orphans_are_removed(void **state)
{
    (void)state;
    empty_folder();
    put("checkpoint-7.safetensors.tmp-resnet-0123abcd", "torn");
    put("features.npy.tmp-resnet-00000000", "torn");
    put("notes.md.tmp12", "mine");
    put("x.safetensors.tmp", "mine");
    ok(rn_checkpoint_save_in(&sample, folder, 8, 3));
    assert_false(rn_file_exists(in_folder("checkpoint-7.safetensors.tmp-resnet-0123abcd")));
    assert_false(rn_file_exists(in_folder("features.npy.tmp-resnet-00000000")));
    assert_true(has(8));
    assert_int_equal(folder_files(), 3);
}

static void load_newest(rn_status expected, const char *name, int skipped_expected)
{
    rn_checkpoint *loaded = (rn_checkpoint *)&sample;
    char *path = (char *)"";
    int skipped = -1;
    rn_status st = rn_checkpoint_load_newest(&loaded, &path, &skipped, folder);

    if (st != expected)
        fail_msg("status %d: %s", (int)st, rn_error_message());
    assert_int_equal(skipped, skipped_expected);
    if (st == RN_OK)
        assert_string_equal(path, in_folder(name));
    else
        assert_true(loaded == NULL && path == NULL);
    rn_checkpoint_free(loaded);
    rn_text_free(path);
}

static void damaged_ones_are_passed_over(void **state)
{
    (void)state;
    empty_folder();
    load_newest(RN_ENOTFOUND, NULL, 0);
    assert_non_null(strstr(rn_error_message(), "no checkpoint-N.safetensors in"));
    for (uint64_t i = 8; i <= 11; i++)
        ok(rn_checkpoint_save_in(&sample, folder, i, 9));
    put("best.safetensors", "x");
    load_newest(RN_OK, "checkpoint-11.safetensors", 0);
    put("checkpoint-11.safetensors", "damaged");
    load_newest(RN_OK, "checkpoint-10.safetensors", 1);
    put("checkpoint-10.safetensors", "");
    load_newest(RN_OK, "checkpoint-9.safetensors", 2);
    assert_non_null(strstr(rn_error_message(), "checkpoint-11.safetensors"));
    assert_int_equal(mkdir(in_folder("checkpoint-100.safetensors"), 0777), 0);
    load_newest(RN_OK, "checkpoint-9.safetensors", 3);
    put("checkpoint-9.safetensors", "damaged");
    put("checkpoint-8.safetensors", "damaged");
    load_newest(RN_EFORMAT, NULL, 5);
    assert_non_null(strstr(rn_error_message(), "none of the 5 checkpoints"));
    assert_non_null(strstr(rn_error_message(), "checkpoint-100.safetensors"));
}

static void missing_folder_is_said(void **state)
{
    (void)state;
    rn_checkpoint *loaded = NULL;
    char *path = NULL;
    int skipped = 0;

    assert_int_equal(rn_checkpoint_load_newest(&loaded, &path, &skipped, in_folder("none")),
                     RN_ENOTFOUND);
    put("file", "x");
    assert_int_equal(rn_checkpoint_load_newest(&loaded, &path, &skipped, in_folder("file")),
                     RN_EIO);
    assert_int_equal(rn_checkpoint_save_in(&sample, in_folder("file/sub"), 1, 1), RN_EIO);
    ok(rn_checkpoint_save_in(&sample, in_folder("new"), 1, 1));
    assert_true(rn_file_exists(in_folder("new/checkpoint-1.safetensors")));
    remove(in_folder("new/checkpoint-1.safetensors"));
}

static int allocations_left;

static bool count_down(size_t bytes, void *context)
{
    (void)bytes;
    (void)context;
    return allocations_left-- > 0;
}

// Also with a damaged file in the way: running out of memory is not damage.
static void allocation_failures_are_not_damage(void **state)
{
    (void)state;
    rn_checkpoint *loaded = NULL;
    char *path = NULL;
    int skipped = 0, step = 0;
    rn_status st = RN_ENOMEM;

    empty_folder();
    ok(rn_checkpoint_save_in(&sample, folder, 1, 1));
    put("checkpoint-2.safetensors", "damaged");
    rn_alloc_hook_set(count_down, NULL);
    for (; st == RN_ENOMEM && step < 500; step++) {
        assert_true(loaded == NULL && path == NULL);
        allocations_left = step;
        st = rn_checkpoint_load_newest(&loaded, &path, &skipped, folder);
    }
    rn_alloc_hook_set(NULL, NULL);
    assert_int_equal(st, RN_OK);
    assert_int_equal(skipped, 1);
    rn_checkpoint_free(loaded);
    rn_text_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_newest_are_kept),
        cmocka_unit_test(what_was_just_saved_stays),
        cmocka_unit_test(orphans_are_removed),
        cmocka_unit_test(damaged_ones_are_passed_over),
        cmocka_unit_test(missing_folder_is_said),
        cmocka_unit_test(allocation_failures_are_not_damage),
    };

    return cmocka_run_group_tests(tests, make_sample, free_sample);
}
