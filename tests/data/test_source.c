#include "data/fixtures.h"

#include "data/source.h"

static void test_shapes_options(void **state)
{
    rn_source source;

    (void)state;
    assert_int_equal(rn_source_resolve(&source, "shapes"), RN_OK);
    assert_int_equal(source.format, RN_FORMAT_SHAPES);
    assert_int_equal(source.shapes.train, 10000);
    assert_int_equal(source.shapes.test, 2000);
    assert_int_equal(source.shapes.seed, 1);
    assert_int_equal(rn_source_resolve(&source, "shapes:seed=7,test=33"), RN_OK);
    assert_int_equal(source.shapes.train, 10000);
    assert_int_equal(source.shapes.test, 33);
    assert_int_equal(source.shapes.seed, 7);
    rn_source_release(&source);
}

static void test_shapes_nonsense(void **state)
{
    (void)state;
    EXPECT_OPEN("shapes:trian=5", RN_SPLIT_TRAIN, RN_EINVAL, "trian", "did you mean 'train'?");
    EXPECT_OPEN("shapes:colour=5", RN_SPLIT_TRAIN, RN_EINVAL, "colour", "train, test or seed");
    EXPECT_OPEN("shapes:train=0", RN_SPLIT_TRAIN, RN_EINVAL, "'0'", "1 to 1000000");
    EXPECT_OPEN("shapes:train=1000001", RN_SPLIT_TRAIN, RN_EINVAL, "1 to 1000000");
    EXPECT_OPEN("shapes:test=ten", RN_SPLIT_TRAIN, RN_EINVAL, "'ten'");
    EXPECT_OPEN("shapes:test=", RN_SPLIT_TRAIN, RN_EINVAL, "'test' is ''");
    EXPECT_OPEN("shapes:seed=-1", RN_SPLIT_TRAIN, RN_EINVAL, "'-1'");
    EXPECT_OPEN("shapes:", RN_SPLIT_TRAIN, RN_EINVAL, "key=value");
    EXPECT_OPEN("shapes:test=5,,", RN_SPLIT_TRAIN, RN_EINVAL, "key=value");
    EXPECT_OPEN("shapes:test", RN_SPLIT_TRAIN, RN_EINVAL, "'test' is not of the form key=value");
}

static void test_no_such_folder(void **state)
{
    (void)state;
    EXPECT_OPEN("shape", RN_SPLIT_TRAIN, RN_ENOTFOUND, "'shape'", "did you mean 'shapes'?");
    EXPECT_OPEN("shpaes:seed=3", RN_SPLIT_TRAIN, RN_ENOTFOUND, "did you mean 'shapes'?");
    EXPECT_OPEN("/nowhere/at\nall", RN_SPLIT_TRAIN, RN_ENOTFOUND, "'/nowhere/at?all'", "'shapes'");
    EXPECT_OPEN("", RN_SPLIT_TRAIN, RN_ENOTFOUND, "no folder ''");
    EXPECT_OPEN("/etc/passwd", RN_SPLIT_TRAIN, RN_ENOTFOUND, "not a folder");
    EXPECT_OPEN("/etc/passwd/x", RN_SPLIT_TRAIN, RN_ENOTFOUND, "/etc/passwd/x");
}

static void test_nothing_known_in_the_folder(void **state)
{
    char *folder = fixture_folder();
    char source[128];

    (void)state;
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_ENOTFOUND, folder, "data_batch_1.bin", "train.bin",
                "train-images-idx3-ubyte[.gz]", "cifar-10-batches-bin");
    assert_int_equal(mkdir(fixture_path(folder, "cifar-10-batches-py"), 0777), 0);
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_ENOTFOUND, "Python version");
    fixture_write(folder, "data_batch_1.bin", "x", 1);
    snprintf(source, sizeof source, "%s:labels=coarse", folder);
    EXPECT_OPEN(source, RN_SPLIT_TRAIN, RN_EINVAL, "not CIFAR-100");
    fixture_remove(folder);
}

static void test_two_data_sets(void **state)
{
    char *folder = fixture_folder();

    (void)state;
    assert_int_equal(mkdir(fixture_path(folder, "cifar-10-batches-bin"), 0777), 0);
    assert_int_equal(mkdir(fixture_path(folder, "cifar-100-binary"), 0777), 0);
    fixture_write(folder, "cifar-10-batches-bin/test_batch.bin", "x", 1);
    fixture_write(folder, "cifar-100-binary/test.bin", "x", 1);
    EXPECT_OPEN(folder, RN_SPLIT_TEST, RN_EINVAL, "cifar-10-batches-bin", "cifar-100-binary",
                "both hold");
    fixture_write(folder, "test_batch.bin", "x", 1); // the folder itself comes first
    EXPECT_OPEN(folder, RN_SPLIT_TEST, RN_EFORMAT, "has 1 bytes");
    fixture_write(folder, "train.bin", "x", 1);
    EXPECT_OPEN(folder, RN_SPLIT_TEST, RN_EINVAL, "both hold");
    fixture_remove(folder);
}

// A folder whose name ends like an option is still a folder.
static void test_folder_with_a_colon(void **state)
{
    char *folder = fixture_folder();
    char odd[128];

    (void)state;
    snprintf(odd, sizeof odd, "%s/x:labels=coarse", folder);
    assert_int_equal(mkdir(odd, 0777), 0);
    EXPECT_OPEN(odd, RN_SPLIT_TEST, RN_ENOTFOUND, "no known data set", odd);
    fixture_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes_options), cmocka_unit_test(test_shapes_nonsense),
        cmocka_unit_test(test_no_such_folder), cmocka_unit_test(test_nothing_known_in_the_folder),
        cmocka_unit_test(test_two_data_sets),  cmocka_unit_test(test_folder_with_a_colon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
