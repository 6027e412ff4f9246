#include "data/archives.h"

#include "data/unpack.h"

#include <dirent.h>

static made_archive made;
static const char batch[2 * 3073] = {3, 1, 4, 1, 5};

/** The archive in a file beside the folder that it is unpacked to. */
typedef struct fixture {
    char root[128], file[160], target[160];
} fixture;

static fixture begin(void)
{
    fixture f;

    snprintf(f.root, sizeof f.root, "%s", fixture_folder());
    snprintf(f.file, sizeof f.file, "%s/a.tar.gz", f.root);
    snprintf(f.target, sizeof f.target, "%s/into", f.root);
    assert_int_equal(mkdir(f.target, 0777), 0);
    return f;
}

static rn_status unpack(const fixture *f)
{
    fixture_write(f->root, "a.tar.gz", made.bytes, made.size);
    return rn_unpack(f->file, f->target);
}

static int entries(const char *folder)
{
    int count = 0;
    DIR *dir = opendir(folder);

    assert_non_null(dir);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count - 2; // "." and ".."
}

static void test_good(void **state)
{
    const member members[] = {
        {.path = "cifar-10-batches-bin/", .type = AE_IFDIR},
        {.path = "cifar-10-batches-bin/readme.html", .data = "hello", .size = 5},
        {.path = "cifar-10-batches-bin/test_batch.bin", .data = batch, .size = sizeof batch}};
    fixture f = begin();
    rn_samples *samples;

    (void)state;
    archive_make(&made, members, 3);
    assert_int_equal(unpack(&f), RN_OK);
    assert_int_equal(entries(f.target), 1);
    assert_int_equal(entries(fixture_path(f.target, "cifar-10-batches-bin")), 1); // no readme
    assert_int_equal(rn_data_open(&samples, f.target, RN_SPLIT_TEST), RN_OK);
    assert_int_equal(samples->count, 2);
    assert_int_equal(samples->labels[0], 3);
    assert_int_equal(samples->images[0], 1);
    rn_samples_free(samples);
    assert_int_equal(unpack(&f), RN_OK); // over what is there
    fixture_remove(f.root);
}

static void test_hostile_members(void **state)
{
    static const struct {
        member bad;
        const char *text;
    } cases[] = {
        {{.path = "/tmp/test_batch.bin", .data = "x", .size = 1}, "unsafe path"},
        {{.path = "../test_batch.bin", .data = "x", .size = 1}, "unsafe path '../test_batch.bin'"},
        {{.path = "x/../test_batch.bin", .data = "x", .size = 1}, "unsafe path"},
        {{.path = "x/..", .data = "x", .size = 1}, "unsafe path"},
        {{.path = "x/y/test_batch.bin", .data = "x", .size = 1}, "unsafe path"},
        {{.path = ".hidden/test_batch.bin", .data = "x", .size = 1}, "unsafe path"},
        {{.path = "x\ny", .data = "x", .size = 1}, "unsafe path"},
        {{.path = "x/test.bin", .type = AE_IFLNK, .symlink = "/etc/passwd"}, "neither file nor"},
        {{.path = "x", .type = AE_IFLNK, .symlink = ".."}, "neither file nor folder"},
        {{.path = "x/test.bin", .hardlink = "/etc/passwd"}, "neither file nor folder"},
        {{.path = "x/test.bin", .type = AE_IFIFO}, "neither file nor folder"},
        {{.path = "x/test.bin", .type = AE_IFCHR}, "neither file nor folder"},
    };
    fixture f = begin();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const member members[] = {{.path = "x/train.bin", .data = batch, .size = sizeof batch},
                                  cases[i].bad};
        archive_make(&made, members, 2);
        fixture_expect(unpack(&f), RN_EFORMAT, cases[i].text, NULL);
        assert_int_equal(entries(f.target), 0); // the good member before it is not there either
    }
    assert_int_equal(entries(f.root), 2);
    fixture_remove(f.root);
}

static void test_too_large_and_nothing_known(void **state)
{
    static const char large[(1 << 16) + 1];
    const member names = {.path = "x/batches.meta.txt", .data = large, .size = sizeof large};
    const member other = {.path = "x/other.bin", .data = "x", .size = 1};
    fixture f = begin();

    (void)state;
    archive_make(&made, &names, 1);
    fixture_expect(unpack(&f), RN_EFORMAT, "has 65537 bytes, expected at most 65536", NULL);
    archive_make(&made, &other, 1);
    fixture_expect(unpack(&f), RN_EFORMAT, "none of the files", NULL);
    archive_make(&made, NULL, 0);
    fixture_expect(unpack(&f), RN_EFORMAT, "none of the files", NULL);
    assert_int_equal(entries(f.target), 0);
    fixture_remove(f.root);
}

static void test_many_members(void **state)
{
    static member members[101];
    fixture f = begin();

    (void)state;
    for (int i = 0; i < 101; i++)
        members[i] = (member){.path = "x/test.bin", .data = "x", .size = 1};
    archive_make(&made, members, 101);
    fixture_expect(unpack(&f), RN_EFORMAT, "more than 100 entries", NULL);
    fixture_remove(f.root);
}

static void test_damaged(void **state)
{
    static char noise[8192];
    const member good = {.path = "x/test.bin", .data = noise, .size = sizeof noise};
    fixture f = begin();

    (void)state;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)(i * i / 7 * 2654435761u >> 13);
    archive_make(&made, &good, 1);
    size_t size = made.size;
    for (made.size = 0; made.size < size - 40; made.size += 97) {
        fixture_expect(unpack(&f), RN_EFORMAT, NULL);
        assert_int_equal(entries(f.target), 0);
    }
    made.size = size;
    made.bytes[0] = 'x';
    fixture_expect(unpack(&f), RN_EFORMAT, "bad archive", NULL);
    fixture_expect(rn_unpack(f.root, f.target), RN_EIO, "a folder", NULL);
    fixture_expect(rn_unpack("/nowhere", f.target), RN_ENOTFOUND, "/nowhere", NULL);
    // a file that opens, but cannot be read
    fixture_expect(rn_unpack("/proc/self/mem", f.target), RN_EIO, "/proc/self/mem", NULL);
    fixture_remove(f.root);
}

static void test_without_memory(void **state)
{
    const member good = {.path = "x/test.bin", .data = "x", .size = 1};
    fixture f = begin();
    rn_status st = RN_ENOMEM;

    (void)state;
    archive_make(&made, &good, 1);
    fixture_write(f.root, "a.tar.gz", made.bytes, made.size);
    for (long k = 0; st != RN_OK; k++) {
        long left = k;
        rn_alloc_hook_set(fixture_allow, &left);
        st = rn_unpack(f.file, f.target);
        rn_alloc_hook_set(NULL, NULL);
        assert_true(st == RN_OK || st == RN_ENOMEM);
        assert_true(k < 100);
    }
    assert_int_equal(entries(fixture_path(f.target, "x")), 1); // no temporaries are left
    fixture_remove(f.root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_hostile_members),
        cmocka_unit_test(test_too_large_and_nothing_known),
        cmocka_unit_test(test_many_members),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
