// Lists with as many labels as there may be, and more.
#include "data/photo_files.h"

// Repeated labels do not count, however many rows there are.
static void test_most_labels(void **state)
{
    const char *folder = fixture_folder();
    const char *path = fixture_path(folder, "list.csv");
    FILE *file = fopen(path, "w");
    rn_samples *set;

    (void)state;
    fprintf(file, "path,label\n");
    for (int i = 0; i < 1200000; i++)
        fprintf(file, "1.jpg,c%d\n", i % 600000);
    fflush(file);
    assert_int_equal(rn_data_open(&set, path, RN_SPLIT_TRAIN), RN_OK);
    assert_int_equal(set->classes, 600000);
    rn_samples_free(set);
    for (int i = 600000; i <= 1000000; i++)
        fprintf(file, "1.jpg,c%d\n", i);
    fclose(file);
    EXPECT_OPEN(path, RN_SPLIT_TRAIN, RN_EFORMAT, path, "line 1600002", "over 1000000 classes");
    fixture_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_most_labels)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
