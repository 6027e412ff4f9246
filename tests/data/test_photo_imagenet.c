#include "data/photo_files.h"

// n02 is the devkit's class 1, n03 its class 2, n01 its class 3.
static const char kit_order[] = "n02 kit fox, Vulpes macrotis\nn03 English setter\r\nn01 tench\n";

static const char *const val_names[] = {
    "ILSVRC2012_val_00000001.JPEG", "ILSVRC2012_val_00000002.JPEG", "ILSVRC2012_val_00000003.JPEG"};

static void make_train(const char *folder, const char *below)
{
    static const char *const classes[] = {"n01", "n02", "n03"};
    char name[128];

    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s/%s/%s_1.JPEG", below, classes[i], classes[i]);
        photo_text(folder, name, name);
    }
}

static void make_val(const char *folder, const char *below)
{
    char name[128];

    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", below, val_names[i]);
        photo_text(folder, name, name);
    }
}

static void expect_val(const char *source, const int32_t *labels, const char *first_name)
{
    rn_samples *set;

    if (rn_data_open(&set, source, RN_SPLIT_TEST) != RN_OK)
        fail_msg("%s", rn_error_message());
    assert_int_equal(set->count, 3);
    assert_int_equal(set->classes, 3);
    assert_string_equal(set->label_names[0], first_name);
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(strstr(rn_photos_name(set->photos, i), val_names[i]));
        assert_int_equal(set->labels[i], labels[i]);
    }
    rn_samples_free(set);
}

static void test_ground_truth(void **state)
{
    const char *folder = fixture_folder();
    rn_samples *set;

    (void)state;
    make_train(folder, "ILSVRC2012_img_train");
    make_val(folder, "ILSVRC2012_img_val/");
    EXPECT_OPEN(folder, RN_SPLIT_TEST, RN_ENOTFOUND, "LOC_val_solution.csv", "ground_truth");
    photo_text(folder, "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt",
               "3\n1\n2\n");
    EXPECT_OPEN(folder, RN_SPLIT_TEST, RN_ENOTFOUND, "meta.mat", "classes.txt");
    photo_text(folder, "classes.txt", kit_order);
    expect_val(folder, (const int32_t[]){0, 1, 2}, "tench");
    assert_int_equal(rn_data_open(&set, folder, RN_SPLIT_TRAIN), RN_OK);
    photo_expect(set, 3,
                 (const char *const[]){"ILSVRC2012_img_train/n01/n01_1.JPEG",
                                       "ILSVRC2012_img_train/n02/n02_1.JPEG",
                                       "ILSVRC2012_img_train/n03/n03_1.JPEG"},
                 (const int32_t[]){0, 1, 2});
    assert_string_equal(set->label_names[1], "kit fox, Vulpes macrotis");
    assert_string_equal(set->label_names[2], "English setter");
    rn_samples_free(set);
    fixture_sweep_open(folder, RN_SPLIT_TEST);
    fixture_remove(folder);
}

static void test_wrong_ground_truth(void **state)
{
    static const struct {
        const char *text, *said;
    } cases[] = {{"1\n2\n", "2 lines for 3 pictures"},
                 {"1\n2\n3\n1\n", "over 3 lines"},
                 {"1\n4\n3\n", "line 2"},
                 {"1\n2\nx\n", "line 3"},
                 {"", "0 lines"},
                 {"1\n\n3\n", "line 2"}};
    const char *folder = fixture_folder();

    (void)state;
    make_val(folder, "");
    photo_text(folder, "classes.txt", kit_order);
    for (int i = 0; i < 6; i++) {
        photo_text(folder, "ILSVRC2012_validation_ground_truth.txt", cases[i].text);
        EXPECT_OPEN(folder, RN_SPLIT_TEST, RN_EFORMAT, cases[i].said, "ground_truth.txt");
    }
    fixture_remove(folder);
}

// The list that everybody has is in another order than the devkit's numbers.
static void test_sorted_list_is_refused(void **state)
{
    const char *folder = fixture_folder();
    FILE *file = fopen(fixture_path(folder, "synset_words.txt"), "w");

    (void)state;
    for (int i = 0; i < 1000; i++)
        fprintf(file, "n%08d thing\n", i);
    fclose(file);
    make_val(folder, "");
    photo_text(folder, "ILSVRC2012_validation_ground_truth.txt", "1\n2\n3\n");
    EXPECT_OPEN(folder, RN_SPLIT_TEST, RN_EFORMAT, "synset_words.txt", "meta.mat");
    fixture_remove(folder);
}

static void test_flat_folder_alone(void **state)
{
    const char *folder = fixture_folder();

    (void)state;
    make_val(folder, "ILSVRC2012_img_val/");
    photo_text(folder, "classes.txt", kit_order);
    photo_text(folder, "ILSVRC2012_validation_ground_truth.txt", "1\n2\n3\n");
    expect_val(fixture_path(folder, "ILSVRC2012_img_val"), (const int32_t[]){1, 2, 0}, "tench");
    fixture_remove(folder);
}

static void test_solution(void **state)
{
    const char *folder = fixture_folder();
    static const char good[] = "ImageId,PredictionString\n"
                               "ILSVRC2012_val_00000003,n01 1 2 3 4 n01 5 6 7 8 \n"
                               "ILSVRC2012_val_00000001,n03 1 2 3 4 \n"
                               "ILSVRC2012_val_00000002,n02 1 2 3 4 \n";

    (void)state;
    make_train(folder, "ILSVRC/Data/CLS-LOC/train");
    make_val(folder, "ILSVRC/Data/CLS-LOC/val/");
    photo_text(folder, "LOC_val_solution.csv", good);
    expect_val(folder, (const int32_t[]){2, 1, 0}, "n01");
    photo_text(folder, "classes.txt", "n01 other\nn02 things\n"); // n03 is missing: passed over
    photo_text(folder, "LOC_synset_mapping.txt", "n01 tench, Tinca tinca\nn02 fox\nn03 setter\n");
    expect_val(folder, (const int32_t[]){2, 1, 0}, "tench, Tinca tinca");
    fixture_sweep_open(folder, RN_SPLIT_TEST);
    photo_text(folder, "LOC_val_solution.csv", "ImageId,PredictionString\nx,n01\n");
    EXPECT_OPEN(folder, RN_SPLIT_TEST, RN_EFORMAT, "no label for", val_names[0]);
    photo_text(folder, "LOC_val_solution.csv",
               "ImageId,PredictionString\nILSVRC2012_val_00000001,n09 1\n");
    EXPECT_OPEN(folder, RN_SPLIT_TEST, RN_EFORMAT, "'n09'");
    photo_text(folder, "LOC_val_solution.csv", "ImageId,Prediction\nx,n01\n");
    EXPECT_OPEN(folder, RN_SPLIT_TEST, RN_EFORMAT, "PredictionString");
    fixture_remove(folder);
}

static void test_solution_without_training_set(void **state)
{
    const char *folder = fixture_folder();

    (void)state;
    make_val(folder, "");
    photo_text(folder, "LOC_val_solution.csv",
               "ImageId,PredictionString\nILSVRC2012_val_00000001,n03 1\n"
               "ILSVRC2012_val_00000002,n02\nILSVRC2012_val_00000003,n01 2\n");
    expect_val(folder, (const int32_t[]){2, 1, 0}, "n01");
    fixture_remove(folder);
}

static void test_real_pictures(void **state)
{
    const char *data = fixture_real_data();
    char path[512];
    rn_samples *set;

    (void)state;
    snprintf(path, sizeof path, "%s/imagenet-sample", data == NULL ? "" : data);
    if (data == NULL || !rn_folder_exists(path))
        skip();
    assert_int_equal(rn_data_open(&set, path, RN_SPLIT_TRAIN), RN_OK);
    assert_true(set->count >= 100);
    assert_string_equal(set->name, "imagenet-sample");
    for (size_t i = 0; i < set->count; i++) {
        rn_photo photo;
        assert_int_equal(rn_photos_read(&photo, set->photos, i), RN_OK);
        assert_true(photo.size > 1000 && photo.bytes[0] == 0xff && photo.bytes[1] == 0xd8);
        rn_photo_release(&photo);
    }
    rn_samples_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ground_truth),
        cmocka_unit_test(test_wrong_ground_truth),
        cmocka_unit_test(test_sorted_list_is_refused),
        cmocka_unit_test(test_flat_folder_alone),
        cmocka_unit_test(test_solution),
        cmocka_unit_test(test_solution_without_training_set),
        cmocka_unit_test(test_real_pictures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
