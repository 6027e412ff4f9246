#include "data/fixtures.h"

#include <math.h>

enum { RECORD = 3073, RECORD100 = 3074 };

static const int batch_records[5] = {3, 1, 4, 1, 5};

// Image number n of the set: label n % 10, then bytes that differ by place and image.
static uint8_t pixel(int n, int at)
{
    return (uint8_t)(n * 31 + at * 7 + at / 1024);
}

static void write_records(const char *folder, const char *name, int first, int count)
{
    static uint8_t bytes[8 * RECORD];

    for (int i = 0; i < count; i++) {
        bytes[i * RECORD] = (uint8_t)((first + i) % 10);
        for (int at = 0; at < RECORD - 1; at++)
            bytes[i * RECORD + 1 + at] = pixel(first + i, at);
    }
    fixture_write(folder, name, bytes, (size_t)count * RECORD);
}

static void write_cifar10(const char *folder)
{
    int first = 0;
    char name[32];

    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "data_batch_%d.bin", i + 1);
        write_records(folder, name, first, batch_records[i]);
        first += batch_records[i];
    }
    write_records(folder, "test_batch.bin", 100, 2);
}

static void check_cifar10(const char *source)
{
    rn_samples *samples;

    assert_int_equal(rn_data_open(&samples, source, RN_SPLIT_TRAIN), RN_OK);
    assert_int_equal(samples->count, 14);
    assert_int_equal(samples->channels, 3);
    assert_int_equal(samples->height, 32);
    assert_int_equal(samples->width, 32);
    assert_int_equal(samples->classes, 10);
    assert_string_equal(samples->name, "CIFAR-10 train");
    for (int n = 0; n < 14; n++) {
        assert_int_equal(samples->labels[n], n % 10);
        for (int at = 0; at < RECORD - 1; at++)
            assert_int_equal(samples->images[n * (RECORD - 1) + at], pixel(n, at));
    }
    rn_samples_free(samples);
}

static void test_reads_all_batches_in_order(void **state)
{
    char *folder = fixture_folder();
    rn_samples *samples;
    static const char names[] = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\n"
                                "truck\n\n";

    (void)state;
    write_cifar10(folder);
    check_cifar10(folder);
    assert_int_equal(rn_data_open(&samples, folder, RN_SPLIT_TEST), RN_OK);
    assert_int_equal(samples->count, 2);
    assert_int_equal(samples->images[3072], pixel(101, 0));
    assert_string_equal(samples->label_names[3], "3");
    rn_samples_free(samples);
    fixture_write(folder, "batches.meta.txt", names, sizeof names - 1);
    assert_int_equal(rn_data_open(&samples, folder, RN_SPLIT_TEST), RN_OK);
    assert_string_equal(samples->label_names[0], "airplane");
    assert_string_equal(samples->label_names[9], "truck");
    rn_samples_free(samples);
    fixture_write(folder, "batches.meta.txt", names, 20);
    EXPECT_OPEN(folder, RN_SPLIT_TEST, RN_EFORMAT, "batches.meta.txt", "expected 10");
    fixture_remove(folder);
}

static void test_finds_the_usual_sub_folder(void **state)
{
    char *folder = fixture_folder();
    char below[128];

    (void)state;
    snprintf(below, sizeof below, "%s/cifar-10-batches-bin", folder);
    assert_int_equal(mkdir(below, 0777), 0);
    write_cifar10(below);
    check_cifar10(folder);
    check_cifar10(below);
    fixture_remove(folder);
}

static void test_wrong_sizes(void **state)
{
    char *folder = fixture_folder();

    (void)state;
    write_cifar10(folder);
    fixture_resize(folder, "data_batch_3.bin", 4 * RECORD - 1);
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_EFORMAT, "data_batch_3.bin", "12291 bytes",
                "multiple of 3073");
    fixture_resize(folder, "data_batch_3.bin", 4 * RECORD + 1);
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_EFORMAT, "data_batch_3.bin", "12293 bytes");
    fixture_resize(folder, "data_batch_3.bin", 0);
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_EFORMAT, "data_batch_3.bin", "has 0 bytes");
    fixture_resize(folder, "data_batch_3.bin", 10001L * RECORD);
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_EFORMAT, "data_batch_3.bin", "at most 30730000");
    fixture_resize(folder, "data_batch_3.bin", (off_t)1 << 40); // sparse: must not be read
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_EFORMAT, "data_batch_3.bin");
    assert_int_equal(unlink(fixture_path(folder, "data_batch_3.bin")), 0);
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_ENOTFOUND, "data_batch_3.bin");
    fixture_remove(folder);
}

static void test_wrong_label(void **state)
{
    char *folder = fixture_folder();
    static uint8_t bytes[3 * RECORD];

    (void)state;
    write_cifar10(folder);
    bytes[2 * RECORD] = 10;
    fixture_write(folder, "data_batch_5.bin", bytes, sizeof bytes);
    EXPECT_OPEN(folder, RN_SPLIT_TRAIN, RN_EFORMAT, "data_batch_5.bin", "byte 6146 is 10",
                "expected 0 to 9");
    fixture_remove(folder);
}

static void test_not_a_file(void **state)
{
    char *folder = fixture_folder();

    (void)state;
    write_cifar10(folder);
    assert_int_equal(unlink(fixture_path(folder, "test_batch.bin")), 0);
    assert_int_equal(mkdir(fixture_path(folder, "test_batch.bin"), 0777), 0);
    EXPECT_OPEN(folder, RN_SPLIT_TEST, RN_EIO, "test_batch.bin", "a folder");
    assert_int_equal(rmdir(fixture_path(folder, "test_batch.bin")), 0);
    assert_int_equal(mkfifo(fixture_path(folder, "test_batch.bin"), 0666), 0);
    EXPECT_OPEN(folder, RN_SPLIT_TEST, RN_EIO, "test_batch.bin", "a pipe or device");
    fixture_remove(folder);
}

static void test_unreadable(void **state)
{
    char *folder = fixture_folder();

    (void)state;
    write_cifar10(folder);
    assert_int_equal(chmod(fixture_path(folder, "test_batch.bin"), 0), 0);
    if (geteuid() == 0)
        print_message("skipped: root may read everything\n");
    else
        EXPECT_OPEN(folder, RN_SPLIT_TEST, RN_EIO, "test_batch.bin", "Permission denied");
    fixture_remove(folder);
}

static void write_cifar100(const char *folder)
{
    static uint8_t bytes[3 * RECORD100];
    char names[20 * 8] = "";

    for (int i = 0; i < 3; i++) {
        memset(bytes + i * RECORD100, 40 + i, RECORD100);
        bytes[i * RECORD100] = (uint8_t)(17 + i);
        bytes[i * RECORD100 + 1] = (uint8_t)(97 + i);
    }
    fixture_write(folder, "train.bin", bytes, sizeof bytes);
    fixture_write(folder, "test.bin", bytes, RECORD100);
    for (int i = 0; i < 20; i++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "super%d\n", i);
    fixture_write(folder, "coarse_label_names.txt", names, strlen(names));
}

static void test_cifar100_fine_and_coarse(void **state)
{
    char *folder = fixture_folder();
    char source[128];
    rn_samples *samples;

    (void)state;
    write_cifar100(folder);
    assert_int_equal(rn_data_open(&samples, folder, RN_SPLIT_TRAIN), RN_OK);
    assert_int_equal(samples->classes, 100);
    assert_int_equal(samples->labels[2], 99);
    assert_string_equal(samples->label_names[99], "99");
    assert_int_equal(samples->images[2 * 3072], 42);
    assert_int_equal(samples->images[3 * 3072 - 1], 42);
    rn_samples_free(samples);
    snprintf(source, sizeof source, "%s:labels=coarse", folder);
    assert_int_equal(rn_data_open(&samples, source, RN_SPLIT_TRAIN), RN_OK);
    assert_int_equal(samples->classes, 20);
    assert_int_equal(samples->labels[2], 19);
    assert_string_equal(samples->label_names[19], "super19");
    rn_samples_free(samples);
    snprintf(source, sizeof source, "%s:labels=medium", folder);
    EXPECT_OPEN(source, RN_SPLIT_TRAIN, RN_EINVAL, "medium", "coarse or fine");
    fixture_remove(folder);
}

static void test_cifar100_wrong_labels(void **state)
{
    char *folder = fixture_folder();
    static uint8_t bytes[2 * RECORD100];

    (void)state;
    write_cifar100(folder);
    bytes[RECORD100] = 20; // the coarse label is checked even where the fine one is taken
    fixture_write(folder, "test.bin", bytes, sizeof bytes);
    EXPECT_OPEN(folder, RN_SPLIT_TEST, RN_EFORMAT, "test.bin", "byte 3074 is 20", "0 to 19");
    bytes[RECORD100] = 0;
    bytes[RECORD100 + 1] = 100;
    fixture_write(folder, "test.bin", bytes, sizeof bytes);
    EXPECT_OPEN(folder, RN_SPLIT_TEST, RN_EFORMAT, "test.bin", "byte 3075 is 100", "0 to 99");
    fixture_remove(folder);
}

static void test_without_memory(void **state)
{
    char *folder = fixture_folder();

    (void)state;
    write_cifar10(folder);
    fixture_sweep_open(folder, RN_SPLIT_TRAIN);
    fixture_remove(folder);
}

static void test_real_cifar10(void **state)
{
    static const double means[3] = {0.49140, 0.48216, 0.44653};
    const char *real = fixture_real_data();
    rn_samples *samples = NULL;
    uint64_t sums[3] = {0};
    size_t per_class[10] = {0};

    (void)state;
    if (real == NULL || rn_data_open(&samples, real, RN_SPLIT_TRAIN) != RN_OK ||
        strcmp(samples->name, "CIFAR-10 train") != 0) {
        print_message("skipped: no CIFAR-10 in RESNET_DATA\n");
        rn_samples_free(samples);
        return;
    }
    assert_int_equal(samples->count, 50000);
    for (size_t i = 0; i < 50000; i++) {
        per_class[samples->labels[i]]++;
        for (size_t at = 0; at < 3072; at++)
            sums[at / 1024] += samples->images[i * 3072 + at];
    }
    for (int c = 0; c < 10; c++)
        assert_int_equal(per_class[c], 5000);
    for (int c = 0; c < 3; c++)
        assert_true(fabs((double)sums[c] / (255.0 * 50000 * 1024) - means[c]) < 1e-5);
    assert_string_equal(samples->label_names[9], "truck");
    rn_samples_free(samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_all_batches_in_order),
        cmocka_unit_test(test_finds_the_usual_sub_folder),
        cmocka_unit_test(test_wrong_sizes),
        cmocka_unit_test(test_wrong_label),
        cmocka_unit_test(test_not_a_file),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_cifar100_fine_and_coarse),
        cmocka_unit_test(test_cifar100_wrong_labels),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_real_cifar10),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
