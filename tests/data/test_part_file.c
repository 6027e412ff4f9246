#include "data/fixtures.h"

#include "data/part_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

// In the place of the C library's: what it shall answer.
static int lock_error;

int flock(int descriptor, int operation)
{
    (void)descriptor;
    assert_int_equal(operation, LOCK_EX | LOCK_NB);
    errno = lock_error;
    return lock_error == 0 ? 0 : -1;
}

static void test_locks(void **state)
{
    static const int none[] = {0, ENOLCK, ENOSYS, EOPNOTSUPP};
    const char *folder = fixture_folder();
    const char *path = fixture_path(folder, "x.part");
    int descriptor;

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        lock_error = none[i];
        assert_int_equal(rn_part_open(&descriptor, path), RN_OK);
        assert_int_equal(close(descriptor), 0);
    }
    lock_error = EWOULDBLOCK;
    fixture_expect(rn_part_open(&descriptor, path), RN_EIO, path, "another process", NULL);
    assert_int_equal(descriptor, -1);
    lock_error = 0;
    fixture_remove(folder);
}

static void test_what_is_no_file(void **state)
{
    const char *folder = fixture_folder();
    int descriptor;
    uint64_t size;

    (void)state;
    fixture_write(folder, "mine", "text", 4);
    assert_int_equal(symlink("mine", fixture_path(folder, "link.part")), 0);
    fixture_expect(rn_part_open(&descriptor, fixture_path(folder, "link.part")), RN_EIO,
                   "link.part' is a link", NULL);
    assert_int_equal(rn_file_size(&size, fixture_path(folder, "mine")), RN_OK);
    assert_int_equal(size, 4);
    assert_int_equal(mkfifo(fixture_path(folder, "pipe.part"), 0666), 0);
    fixture_expect(rn_part_open(&descriptor, fixture_path(folder, "pipe.part")), RN_EIO,
                   "not a regular file", NULL);
    fixture_expect(rn_part_open(&descriptor, fixture_path(folder, "none/x.part")), RN_ENOTFOUND,
                   "none/x.part", NULL);
    fixture_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_locks),
        cmocka_unit_test(test_what_is_no_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
