#include "data/photo_files.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>

static rn_samples *open_set(const char *source, rn_split split)
{
    rn_samples *set;

    if (rn_data_open(&set, source, split) != RN_OK)
        fail_msg("%s", rn_error_message());
    assert_null(set->images);
    assert_int_equal(set->channels, 3);
    assert_int_equal(set->height, 0);
    assert_int_equal(set->width, 0);
    return set;
}

static void test_one_folder_is_both_splits(void **state)
{
    const char *folder = fixture_folder();
    static const char *const names[] = {"a/1.jpg",  "a/B.JPEG",  "a/deep/er/c.png",
                                        "a/z.webp", "a-b/1.ppm", "c d/x.PGM"};
    static const int32_t labels[] = {0, 0, 0, 0, 1, 2};

    (void)state;
    photo_files(folder, (const char *const[]){"c d/x.PGM", "a-b/1.ppm", "a/z.webp", "a/B.JPEG",
                                              "a/deep/er/c.png", "a/1.jpg", "a/.hidden.jpg",
                                              ".git/x.jpg", "a/.cache/y.jpg", "a/notes.txt",
                                              "stray.jpg", "README", "a/jpg", NULL});
    for (int i = 0; i < 2; i++) {
        rn_samples *set = open_set(folder, i == 0 ? RN_SPLIT_TRAIN : RN_SPLIT_TEST);
        photo_expect(set, 6, names, labels);
        assert_int_equal(set->classes, 3);
        assert_string_equal(set->label_names[0], "a");
        assert_string_equal(set->label_names[1], "a-b");
        assert_string_equal(set->label_names[2], "c d");
        assert_string_equal(set->name, strrchr(folder, '/') + 1);
        rn_samples_free(set);
    }
    fixture_remove(folder);
}

static void test_splits(void **state)
{
    static const char *const tests[] = {"val", "validation", "valid", "test", "ILSVRC2012_img_val"};
    static const int32_t labels[] = {1};

    (void)state;
    for (int i = 0; i < 5; i++) {
        const char *folder = fixture_folder();
        char name[64];
        snprintf(name, sizeof name, "%s/b/v.jpg", tests[i]);
        photo_files(folder, (const char *const[]){"train/b/1.jpg", "train/a/1.jpg", name, NULL});
        rn_samples *train = open_set(folder, RN_SPLIT_TRAIN);
        rn_samples *test = open_set(folder, RN_SPLIT_TEST);
        photo_expect(train, 2, (const char *const[]){"train/a/1.jpg", "train/b/1.jpg"},
                     (const int32_t[]){0, 1});
        photo_expect(test, 1, (const char *const[]){name}, labels);
        assert_int_equal(test->classes, 2);
        assert_non_null(strstr(train->name, " train"));
        assert_non_null(strstr(test->name, " test"));
        rn_samples_free(train);
        rn_samples_free(test);
        fixture_remove(folder);
    }
}

static void test_empty_classes_and_strangers(void **state)
{
    const char *folder = fixture_folder();

    (void)state;
    photo_files(folder, (const char *const[]){"train/a/1.jpg", "train/b/none.txt", "train/c/1.jpg",
                                              "val/b/1.jpg", NULL});
    rn_samples *set = open_set(folder, RN_SPLIT_TEST);
    photo_expect(set, 1, (const char *const[]){"val/b/1.jpg"}, (const int32_t[]){1});
    assert_int_equal(set->classes, 3);
    rn_samples_free(set);
    photo_files(folder, (const char *const[]){"val/d/1.jpg", NULL});
    EXPECT_OPEN(folder, RN_SPLIT_TEST, RN_EFORMAT, "'val/d'", "'train'");
    fixture_remove(folder);

    folder = fixture_folder();
    photo_files(folder, (const char *const[]){"train/a/1.jpg", NULL});
    EXPECT_OPEN(folder, RN_SPLIT_TEST, RN_ENOTFOUND, "no test pictures", "validation");
    fixture_remove(folder);

    folder = fixture_folder();
    photo_files(folder, (const char *const[]){"train/a/x.txt", "docs/readme.txt", NULL});
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_ENOTFOUND, "no picture in them");
    fixture_remove(folder);

    folder = fixture_folder();
    photo_files(folder, (const char *const[]){"docs/readme.txt", NULL});
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_ENOTFOUND, "data_batch_1.bin", ".webp",
                "ILSVRC2012_img_val");
    fixture_remove(folder);
}

static void link_to(const char *folder, const char *target, const char *name)
{
    assert_int_equal(symlink(target, fixture_path(folder, name)), 0);
}

static void test_links(void **state)
{
    const char *folder = fixture_folder();
    static const char *const names[] = {"a/1.jpg", "a/dead.jpg", "a/more/2.jpg",
                                        "b/1.jpg", "b/dead.jpg", "b/more/2.jpg"};
    rn_photo photo;

    (void)state;
    photo_files(folder, (const char *const[]){"a/1.jpg", "a/more/2.jpg", NULL});
    link_to(folder, "..", "a/up");
    link_to(folder, ".", "a/self");
    link_to(folder, "/", "a/top");
    link_to(folder, "more", "a/twice");
    link_to(folder, "nothing", "a/dead.jpg");
    link_to(folder, "dead", "a/dead");
    link_to(folder, "a", "b");
    rn_samples *set = open_set(folder, RN_SPLIT_TRAIN);
    assert_int_equal(set->count, 6);
    for (int i = 0; i < 6; i++)
        assert_string_equal(rn_photos_name(set->photos, (size_t)i), names[i]);
    fixture_expect(rn_photos_read(&photo, set->photos, 1), RN_ENOTFOUND, "a/dead.jpg", NULL);
    assert_null(photo.bytes);
    fixture_expect(rn_photos_read(&photo, set->photos, 6), RN_EINVAL, "6", NULL);
    rn_samples_free(set);
    fixture_remove(folder);
}

// The folders between the set's and a class' hold other classes.
static void test_links_upwards_add_no_other_class(void **state)
{
    static const char *const bases[] = {"train", "ILSVRC/Data/CLS-LOC/train"};
    static const char *const targets[] = {"..", "../..", "../../..", "../../../.."};

    (void)state;
    for (int i = 0; i < 2; i++) {
        const char *folder = fixture_folder();
        char names[2][64], link[64];
        snprintf(names[0], sizeof names[0], "%s/a/1.jpg", bases[i]);
        snprintf(names[1], sizeof names[1], "%s/b/1.jpg", bases[i]);
        photo_files(folder, (const char *const[]){names[0], names[1], NULL});
        for (int j = 0; j < 4; j++) {
            snprintf(link, sizeof link, "%s/a/up%d", bases[i], j);
            link_to(folder, targets[j], link);
        }
        rn_samples *set = open_set(folder, RN_SPLIT_TRAIN);
        photo_expect(set, 2, (const char *const[]){names[0], names[1]}, (const int32_t[]){0, 1});
        rn_samples_free(set);
        fixture_remove(folder);
    }
}

static void test_what_is_no_file_is_refused(void **state)
{
    const char *folder = fixture_folder();
    rn_photo photo;

    (void)state;
    photo_files(folder, (const char *const[]){"a/1.jpg", NULL});
    assert_int_equal(mkfifo(fixture_path(folder, "a/2.jpg"), 0600), 0);
    rn_samples *set = open_set(folder, RN_SPLIT_TRAIN);
    assert_int_equal(set->count, 2);
    fixture_expect(rn_photos_read(&photo, set->photos, 1), RN_EIO, "a/2.jpg", "regular", NULL);
    fixture_resize(folder, "a/1.jpg", ((off_t)256 << 20) + 1);
    fixture_expect(rn_photos_read(&photo, set->photos, 0), RN_EFORMAT, "268435457", NULL);
    rn_samples_free(set);
    fixture_remove(folder);
}

static void test_hostile_names(void **state)
{
    const char *folder = fixture_folder();
    static const char *const names[] = {"a\nb/\x1b[31m.jpg", "a\nb/%s%n.jpg", "a\nb/\\n.jpg"};
    static const int32_t labels[] = {0, 0, 0};
    rn_photo photo;

    (void)state;
    photo_files(folder, (const char *const[]){names[0], names[1], names[2], NULL});
    rn_samples *set = open_set(folder, RN_SPLIT_TRAIN);
    photo_expect(set, 3, names, labels);
    assert_int_equal(unlink(fixture_path(folder, names[0])), 0);
    fixture_expect(rn_photos_read(&photo, set->photos, 0), RN_ENOTFOUND, "a\\nb/\\x1b[31m.jpg",
                   NULL);
    rn_samples_free(set);
    fixture_remove(folder);
}

// Folders in folders until a name below `folder` has `bytes` bytes; the picture's name is last.
static void make_deep(const char *folder, size_t bytes)
{
    char part[201] = "", name[256];
    int at = open(folder, O_PATH | O_DIRECTORY), next;

    memset(part, 'd', 200);
    while (bytes > 201 + 10) {
        assert_true(mkdirat(at, part, 0700) == 0 || errno == EEXIST);
        next = openat(at, part, O_PATH | O_DIRECTORY);
        assert_true(next >= 0);
        close(at);
        at = next;
        bytes -= 201;
    }
    snprintf(name, sizeof name, "%.*s.jpg", (int)bytes - 4, part);
    int file = openat(at, name, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(file, "deep", 4), 4);
    close(file);
    close(at);
}

static void test_long_names(void **state)
{
    const char *folder = fixture_folder();
    char command[128];
    rn_photo photo;

    (void)state;
    make_deep(folder, 4096);
    photo_files(folder, (const char *const[]){"a/1.jpg", NULL});
    rn_samples *set = open_set(folder, RN_SPLIT_TRAIN);
    assert_int_equal(set->count, 2);
    assert_int_equal(strlen(rn_photos_name(set->photos, 1)), 4096);
    assert_int_equal(rn_photos_read(&photo, set->photos, 1), RN_OK);
    assert_memory_equal(photo.bytes, "deep", 4);
    rn_photo_release(&photo);
    rn_samples_free(set);
    make_deep(folder, 4097);
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_EFORMAT, "4097 bytes", "4096");
    snprintf(command, sizeof command, "rm -rf '%s'", folder); // nftw() stops at PATH_MAX
    assert_int_equal(system(command), 0);
}

static void test_hold_out(void **state)
{
    const char *folder = fixture_folder();
    rn_samples *held;

    (void)state;
    photo_files(folder, (const char *const[]){"a/1.jpg", "a/2.jpg", "b/1.jpg", "b/2.jpg", NULL});
    rn_samples *set = open_set(folder, RN_SPLIT_TRAIN);
    assert_int_equal(rn_samples_hold_out(&held, set, 2, 1), RN_OK);
    assert_int_equal(set->count, 2);
    assert_int_equal(held->count, 2);
    for (int i = 0; i < 2; i++) {
        const char *kept = rn_photos_name(set->photos, (size_t)i);
        const char *moved = rn_photos_name(held->photos, (size_t)i);
        assert_int_equal(kept[0], "ab"[i]);
        assert_int_equal(moved[0], "ab"[i]);
        assert_string_not_equal(kept, moved);
        assert_int_equal(set->labels[i], i);
        assert_int_equal(held->labels[i], i);
    }
    rn_samples_free(set); // what is held out stays readable
    rn_photo photo;
    assert_int_equal(rn_photos_read(&photo, held->photos, 1), RN_OK);
    assert_memory_equal(photo.bytes, rn_photos_name(held->photos, 1), photo.size);
    rn_photo_release(&photo);
    held->labels[0] = -1;
    rn_samples *none;
    fixture_expect(rn_samples_hold_out(&none, held, 1, 1), RN_EINVAL, "without label", NULL);
    fixture_expect(rn_samples_require_images(held), RN_EINVAL, "encoded", NULL);
    rn_samples_free(held);
    fixture_remove(folder);
}

static void *read_all(void *context)
{
    const rn_photos *photos = context;

    for (size_t i = 0; i < 50 * rn_photos_count(photos); i++) {
        rn_photo photo;
        const char *name = rn_photos_name(photos, i % rn_photos_count(photos));
        if (rn_photos_read(&photo, photos, i % rn_photos_count(photos)) != RN_OK ||
            photo.size != strlen(name) || memcmp(photo.bytes, name, photo.size) != 0)
            return context;
        rn_photo_release(&photo);
    }
    return NULL;
}

static void test_threads_read_at_once(void **state)
{
    const char *folder = fixture_folder();
    pthread_t threads[4];

    (void)state;
    photo_files(folder, (const char *const[]){"a/1.jpg", "b/22.jpg", "c/333.jpg", NULL});
    rn_samples *set = open_set(folder, RN_SPLIT_TRAIN);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_all, set->photos), 0);
    for (int i = 0; i < 4; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    rn_samples_free(set);
    fixture_remove(folder);
}

static void test_out_of_memory(void **state)
{
    const char *folder = fixture_folder();

    (void)state;
    photo_files(folder,
                (const char *const[]){"train/a/1.jpg", "train/a/x/2.jpg", "val/a/1.jpg", NULL});
    fixture_sweep_open(folder, RN_SPLIT_TRAIN);
    fixture_sweep_open(folder, RN_SPLIT_TEST);
    fixture_remove(folder);
}

// Of the folder above, a file that is no list of classes is somebody else's.
static void test_strange_files_above(void **state)
{
    const char *folder = fixture_folder();
    rn_samples *set;

    (void)state;
    photo_files(folder, (const char *const[]){"set/a/1.jpg", "set/b/1.jpg", NULL});
    fixture_write(folder, "classes.txt", "a\0b", 3);
    assert_int_equal(mkdir(fixture_path(folder, "synset_words.txt"), 0777), 0);
    photo_text(folder, "LOC_synset_mapping.txt", "a ape\nb bear\n");
    assert_int_equal(rn_data_open(&set, fixture_path(folder, "set"), RN_SPLIT_TRAIN), RN_OK);
    assert_string_equal(set->label_names[1], "bear");
    rn_samples_free(set);
    fixture_write(folder, "set/classes.txt", "a\0b", 3);
    EXPECT_OPEN(fixture_path(folder, "set"), RN_SPLIT_TRAIN, RN_EFORMAT, "/classes.txt': byte 1");
    fixture_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_folder_is_both_splits),
        cmocka_unit_test(test_splits),
        cmocka_unit_test(test_empty_classes_and_strangers),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_links_upwards_add_no_other_class),
        cmocka_unit_test(test_what_is_no_file_is_refused),
        cmocka_unit_test(test_hostile_names),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_hold_out),
        cmocka_unit_test(test_threads_read_at_once),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_strange_files_above),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
