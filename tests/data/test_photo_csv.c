#include "data/photo_files.h"

static rn_samples *open_list(const char *folder, const char *text, rn_split split)
{
    rn_samples *set;

    photo_text(folder, "list.csv", text);
    if (rn_data_open(&set, fixture_path(folder, "list.csv"), split) != RN_OK)
        fail_msg("%s", rn_error_message());
    return set;
}

#define EXPECT_LIST(text, status, ...)                                                             \
    do {                                                                                           \
        photo_text(folder, "list.csv", text);                                                      \
        EXPECT_OPEN(fixture_path(folder, "list.csv"), RN_SPLIT_TRAIN, status, __VA_ARGS__);        \
    } while (0)

static void test_names_are_classes(void **state)
{
    const char *folder = fixture_folder();
    static const char *const names[] = {"z/1.jpg", "a,b/\"2\".jpg", "c\nd.jpg", "e.jpg"};
    static const int32_t labels[] = {2, 0, 2, -1};

    (void)state;
    photo_files(folder,
                (const char *const[]){"z/1.jpg", "a,b/\"2\".jpg", "c\nd.jpg", "e.jpg", NULL});
    rn_samples *set = open_list(folder,
                                "\xef\xbb\xbflabel,extra,path\r\n"
                                "wolf,,z/1.jpg\r\n"
                                "\"big, \"\"bad\"\" cat\",,\"a,b/\"\"2\"\".jpg\"\r\n\r\n"
                                "wolf,\"\",\"c\nd.jpg\"\n"
                                ",x,e.jpg",
                                RN_SPLIT_TEST);
    assert_int_equal(set->classes, 2);
    rn_samples_free(set);
    set = open_list(folder,
                    "label,path\nwolf,z/1.jpg\n\"big, \"\"bad\"\" cat\",\"a,b/\"\"2\"\".jpg\"\n"
                    "wolf,\"c\nd.jpg\"\n,e.jpg\ncat,e.jpg\n",
                    RN_SPLIT_TRAIN);
    assert_int_equal(set->count, 5);
    assert_int_equal(set->classes, 3);
    assert_string_equal(set->label_names[0], "big, \"bad\" cat");
    assert_string_equal(set->label_names[2], "wolf");
    assert_string_equal(set->name, "list.csv");
    set->count = 4;
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(rn_photos_name(set->photos, i), names[i]);
        assert_int_equal(set->labels[i], labels[i]);
    }
    rn_photo photo;
    assert_int_equal(rn_photos_read(&photo, set->photos, 2), RN_OK);
    assert_memory_equal(photo.bytes, "c\nd.jpg", 7);
    rn_photo_release(&photo);
    rn_samples_free(set);
    fixture_remove(folder);
}

static void test_numbers_are_classes(void **state)
{
    const char *folder = fixture_folder();

    (void)state;
    rn_samples *set = open_list(folder, "path,label\nb.jpg,7\na.jpg,-1\nc.jpg,\n", RN_SPLIT_TRAIN);
    assert_int_equal(set->classes, 8);
    assert_string_equal(set->label_names[7], "7");
    assert_int_equal(set->labels[0], 7);
    assert_int_equal(set->labels[1], -1);
    assert_int_equal(set->labels[2], -1);
    rn_samples_free(set);
    set = open_list(folder, "path,label\na.jpg,\n", RN_SPLIT_TRAIN);
    assert_int_equal(set->classes, 1);
    assert_int_equal(set->labels[0], -1);
    rn_samples_free(set);
    set = open_list(folder, "path,label\na.jpg,10\nb.jpg,9\nc.jpg,x\n", RN_SPLIT_TRAIN);
    assert_int_equal(set->classes, 3); // names after all
    assert_string_equal(set->label_names[0], "10");
    assert_int_equal(set->labels[1], 1);
    rn_samples_free(set);
    fixture_remove(folder);
}

static void test_splits(void **state)
{
    const char *folder = fixture_folder();
    const char *text = "split,path,label\ntrain,1.jpg,a\nval,2.jpg,b\ntest,3.jpg,c\n"
                       "valid,4.jpg,a\nvalidation,5.jpg,a\ntrain,6.jpg,c\n";

    (void)state;
    rn_samples *train = open_list(folder, text, RN_SPLIT_TRAIN);
    rn_samples *test = open_list(folder, text, RN_SPLIT_TEST);
    assert_int_equal(train->count, 2);
    assert_int_equal(train->labels[1], 2);
    assert_int_equal(train->classes, 3);
    assert_string_equal(train->name, "list.csv train");
    assert_int_equal(test->count, 4);
    assert_int_equal(test->labels[0], 1);
    assert_int_equal(test->labels[3], 0);
    rn_samples_free(train);
    rn_samples_free(test);
    EXPECT_LIST("split,path,label\ntest,1.jpg,a\n", RN_ENOTFOUND, "train");
    EXPECT_LIST("split,path,label\nTrain,1.jpg,a\n", RN_EFORMAT, "line 2", "'Train'");
    fixture_remove(folder);
}

static void test_malformed_lists(void **state)
{
    const char *folder = fixture_folder();

    (void)state;
    EXPECT_LIST("", RN_EFORMAT, "header");
    EXPECT_LIST("\n\r\n", RN_EFORMAT, "header");
    EXPECT_LIST("path,class\n1.jpg,2\n", RN_EFORMAT, "'label'");
    EXPECT_LIST("label\n2\n", RN_EFORMAT, "'path'");
    EXPECT_LIST("path,label\n", RN_ENOTFOUND, "no picture");
    EXPECT_LIST("path,label\n\n1.jpg\n", RN_EFORMAT, "line 3", "1 fields", "2");
    EXPECT_LIST("path,label\n1.jpg,2,3\n", RN_EFORMAT, "line 2", "3 fields");
    EXPECT_LIST("path,label\n,2\n", RN_EFORMAT, "line 2", "empty");
    EXPECT_LIST("path,label\n\"1\n2.jpg\",x\n1.jpg,\"2\n", RN_EFORMAT, "line 4", "no end");
    EXPECT_LIST("path,label\n1\".jpg,2\n", RN_EFORMAT, "line 2", "quote");
    EXPECT_LIST("path,label\n\"1\"x,2\n", RN_EFORMAT, "line 2", "behind");
    EXPECT_LIST("path,label\n1\r.jpg,2\n", RN_EFORMAT, "line 2", "carriage return");
    fixture_write(folder, "list.csv", "path,label\n\0", 12);
    EXPECT_OPEN(fixture_path(folder, "list.csv"), RN_SPLIT_TRAIN, RN_EFORMAT, "byte 11", "NUL");
    EXPECT_OPEN(fixture_path(folder, "none.csv"), RN_SPLIT_TRAIN, RN_ENOTFOUND, "none.csv");
    fixture_remove(folder);
}

static void test_long_paths(void **state)
{
    const char *folder = fixture_folder();
    char longest[4097], text[4200];

    (void)state;
    memset(longest, 'p', 4096);
    longest[4096] = '\0';
    snprintf(text, sizeof text, "path,label\n1.jpg,a\n%s,b\n", longest);
    rn_samples *set = open_list(folder, text, RN_SPLIT_TRAIN);
    assert_int_equal(strlen(rn_photos_name(set->photos, 1)), 4096);
    assert_int_equal(set->labels[1], 1);
    rn_samples_free(set);
    snprintf(text, sizeof text, "path,label\n1.jpg,a\n%sp,b\n", longest);
    EXPECT_LIST(text, RN_EFORMAT,
                "list.csv', line 3: the path has 4097 bytes, expected at most 4096");
    fixture_remove(folder);
}

static void test_many_labels(void **state)
{
    const char *folder = fixture_folder();
    FILE *file = fopen(fixture_path(folder, "list.csv"), "w");
    rn_samples *set;

    (void)state;
    fprintf(file, "path,label\n");
    for (int i = 0; i < 20000; i++)
        fprintf(file, "%d.jpg,c%05d\n", i, i * 7919 % 3000);
    fclose(file);
    assert_int_equal(rn_data_open(&set, fixture_path(folder, "list.csv"), RN_SPLIT_TRAIN), RN_OK);
    assert_int_equal(set->classes, 3000);
    for (int i = 0; i < 20000; i++)
        assert_int_equal(set->labels[i], i * 7919 % 3000);
    rn_samples_free(set);
    fixture_remove(folder);
}

static void test_out_of_memory(void **state)
{
    const char *folder = fixture_folder();

    (void)state;
    photo_text(folder, "list.csv", "path,label\n1.jpg,a\n2.jpg,b\n");
    fixture_sweep_open(fixture_path(folder, "list.csv"), RN_SPLIT_TRAIN);
    fixture_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_classes),
        cmocka_unit_test(test_numbers_are_classes),
        cmocka_unit_test(test_splits),
        cmocka_unit_test(test_malformed_lists),
        cmocka_unit_test(test_long_paths),
        cmocka_unit_test(test_many_labels),
        cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
