#include "data/photo_packs.h"

#include "data/checksum.h"

/** What rn_data_verify() reported. */
typedef struct findings {
    int good, wrong;
    char last_wrong[1024], last_good[1024];
} findings;

static void collect(const char *file, bool ok, const char *finding, void *context)
{
    findings *f = context;

    assert_non_null(file);
    if (ok) {
        assert_memory_equal(finding, "ok", 2);
        f->good++;
        snprintf(f->last_good, sizeof f->last_good, "%s", finding);
    } else {
        f->wrong++;
        snprintf(f->last_wrong, sizeof f->last_wrong, "%s", finding);
    }
}

static void test_checksums(void **state)
{
    char *folder = fixture_folder();
    const char *path = fixture_path(folder, "abc");

    (void)state;
    fixture_write(folder, "abc", "abc", 3); // RFC 1321 and FIPS 180-4 give these sums
    assert_int_equal(rn_checksum_check(path, "md5:900150983cd24fb0d6963f7d28e17f72"), RN_OK);
    assert_int_equal(
        rn_checksum_check(
            path, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        RN_OK);
    fixture_expect(rn_checksum_check(path, "md5:900150983cd24fb0d6963f7d28e17f73"), RN_EFORMAT,
                   "MD5 sum is 900150983cd24fb0d6963f7d28e17f72, expected", NULL);
    fixture_expect(rn_checksum_check(path, "md5:9001"), RN_EINVAL, "'md5:9001'", NULL);
    fixture_expect(rn_checksum_check(path, "md5:900150983CD24FB0D6963F7D28E17F72"), RN_EINVAL,
                   NULL);
    fixture_expect(rn_checksum_check(path, NULL), RN_EINVAL, "(none)", NULL);
    fixture_expect(rn_checksum_check(folder, "md5:900150983cd24fb0d6963f7d28e17f72"), RN_EIO,
                   "a folder", NULL);
    fixture_remove(folder);
}

static void test_shapes(void **state)
{
    findings f = {0};

    (void)state;
    assert_int_equal(rn_data_verify("shapes", collect, &f), RN_OK);
    assert_int_equal(f.good, 1);
    assert_int_equal(f.wrong, 0);
}

static void test_cifar10_that_is_not_the_official_one(void **state)
{
    char *folder = fixture_folder();
    findings f = {0};

    (void)state;
    fixture_write(folder, "data_batch_1.bin", "", 0);
    fixture_resize(folder, "data_batch_1.bin", 3073);
    fixture_write(folder, "test_batch.bin", "", 0);
    fixture_resize(folder, "test_batch.bin", 30730000); // right size and labels, wrong content
    fixture_expect(rn_data_verify(folder, collect, &f), RN_EFORMAT, "7 of 7 files are wrong",
                   "data_batch_1.bin", "1 records, expected 10000", NULL);
    assert_int_equal(f.wrong, 7);
    fixture_write(folder, "batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj", 19);
    f = (findings){0};
    fixture_expect(rn_data_verify(folder, collect, &f), RN_EFORMAT, "6 of 7", NULL);
    assert_int_equal(f.good, 1);
    assert_non_null(strstr(f.last_wrong, "test_batch.bin': MD5 sum is"));
    assert_non_null(strstr(f.last_wrong, "expected 803d5f7f4d78ea53de84dbe85f74fb6d"));
    fixture_remove(folder);
}

static void test_idx(void **state)
{
    static const uint8_t images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4};
    uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 9, 0};
    char *folder = fixture_folder();
    findings f = {0};

    (void)state;
    fixture_write(folder, "train-images-idx3-ubyte", images, sizeof images);
    fixture_write(folder, "train-labels-idx1-ubyte", labels, sizeof labels);
    fixture_write(folder, "t10k-images-idx3-ubyte", images, sizeof images);
    fixture_expect(rn_data_verify(folder, collect, &f), RN_EFORMAT, "1 of 4 files",
                   "t10k-labels-idx1-ubyte", NULL);
    fixture_write(folder, "t10k-labels-idx1-ubyte", labels, sizeof labels);
    f = (findings){0};
    assert_int_equal(rn_data_verify(folder, collect, &f), RN_OK);
    assert_int_equal(f.good, 4);
    labels[9] = 10;
    fixture_write(folder, "t10k-labels-idx1-ubyte", labels, sizeof labels);
    fixture_expect(rn_data_verify(folder, NULL, NULL), RN_EFORMAT, "label 1 is 10", NULL);
    labels[7] = 1;
    fixture_write(folder, "t10k-labels-idx1-ubyte", labels, sizeof labels - 1);
    fixture_expect(rn_data_verify(folder, NULL, NULL), RN_EFORMAT, "2 test images, but 1 labels",
                   NULL);
    fixture_remove(folder);
}

static void test_photos(void **state)
{
    const char *folder = fixture_folder();
    findings f = {0};

    (void)state;
    photo_jpeg(folder, "set/a/1.jpg", 20, 20, 1);
    photo_jpeg(folder, "set/b/1.jpg", 30, 10, 2);
    assert_int_equal(rn_data_verify(fixture_path(folder, "set"), collect, &f), RN_OK);
    assert_int_equal(f.good, 1); // one set, though it is both splits
    assert_string_equal(f.last_good, "ok: 2 pictures");
    fixture_resize(folder, "set/b/1.jpg", 100);
    photo_text(folder, "set/a/2.png", "");
    f = (findings){0};
    fixture_expect(rn_data_verify(fixture_path(folder, "set"), collect, &f), RN_EFORMAT,
                   "2 of 3 files", "a/2.png", NULL);
    assert_int_equal(f.good, 0);
    assert_int_equal(f.wrong, 2);
    assert_non_null(strstr(f.last_wrong, "b/1.jpg"));
    fixture_remove(folder);
}

static void test_without_memory(void **state)
{
    static const uint8_t images[] = {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2};
    static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 1, 9};
    char *folder = fixture_folder();
    rn_status st = RN_ENOMEM;

    (void)state;
    fixture_write(folder, "train-images-idx3-ubyte", images, sizeof images);
    fixture_write(folder, "train-labels-idx1-ubyte", labels, sizeof labels);
    fixture_write(folder, "t10k-images-idx3-ubyte", images, sizeof images);
    fixture_write(folder, "t10k-labels-idx1-ubyte", labels, sizeof labels);
    for (long k = 0; st != RN_OK; k++) {
        long left = k;
        findings f = {0};
        rn_alloc_hook_set(fixture_allow, &left);
        st = rn_data_verify(folder, collect, &f);
        rn_alloc_hook_set(NULL, NULL);
        assert_true(st == RN_OK || st == RN_ENOMEM);
        assert_int_equal(f.wrong, 0);
    }
    fixture_remove(folder);
}

static void test_no_such_folder(void **state)
{
    (void)state;
    fixture_expect(rn_data_verify("/nowhere", collect, NULL), RN_ENOTFOUND, "/nowhere", NULL);
}

static void test_real_cifar10(void **state)
{
    const char *real = fixture_real_data();
    findings f = {0};

    (void)state;
    if (real == NULL || !rn_folder_exists(fixture_path(real, "cifar-10-batches-bin"))) {
        print_message("skipped: no cifar-10-batches-bin in RESNET_DATA\n");
        return;
    }
    assert_int_equal(rn_data_verify(real, collect, &f), RN_OK);
    assert_int_equal(f.good, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checksums),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_cifar10_that_is_not_the_official_one),
        cmocka_unit_test(test_idx),
        cmocka_unit_test(test_photos),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_no_such_folder),
        cmocka_unit_test(test_real_cifar10),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
