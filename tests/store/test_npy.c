// NumPy arrays: the header that numpy.load() wants, whole files or none.
#include "resnet/store.h"

#include "base/file.h"
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/temporary_folder.h"

static char path[512];

// The header's text, after checking what stands around it; the values behind it.
static const char *load(char **bytes, const void **values)
{
    size_t size;

    assert_int_equal(rn_file_read(bytes, &size, path, 1 << 20), RN_OK);
    assert_memory_equal(*bytes, "\x93NUMPY\x01\x00", 8);
    size_t length = (size_t)(unsigned char)(*bytes)[8] + 256 * (size_t)(unsigned char)(*bytes)[9];
    assert_int_equal((10 + length) % 64, 0);
    assert_int_equal((*bytes)[10 + length - 1], '\n');
    *values = *bytes + 10 + length;
    return *bytes + 10;
}

static void rows_are_counted_in_the_end(void **state)
{
    (void)state;
    rn_npy *npy;
    char *bytes;
    const void *values;
    const float rows[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};
    static const char header[] =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 1, 2, 3), } ";

    assert_int_equal(rn_npy_create(&npy, path, RN_NPY_FLOAT32, 3, (const int[]){1, 2, 3}), RN_OK);
    assert_int_equal(rn_npy_append(npy, rows, 2), RN_OK);
    assert_int_equal(rn_npy_append(npy, rows + 12, 1), RN_OK);
    assert_false(rn_file_exists(path));
    assert_int_equal(rn_npy_commit(npy), RN_OK);
    rn_npy_free(npy);
    assert_memory_equal(load(&bytes, &values), header, sizeof header - 1);
    assert_memory_equal(values, rows, sizeof rows);
    rn_free(bytes);
    remove(path);
}

static void rows_may_be_numbers(void **state)
{
    (void)state;
    rn_npy *npy;
    char *bytes;
    const void *values;
    const int32_t labels[] = {7, -1};
    static const char header[] = "{'descr': '<i4', 'fortran_order': False, 'shape': (2,), } ";

    assert_int_equal(rn_npy_create(&npy, path, RN_NPY_INT32, 0, NULL), RN_OK);
    assert_int_equal(rn_npy_append(npy, labels, 2), RN_OK);
    assert_int_equal(rn_npy_commit(npy), RN_OK);
    rn_npy_free(npy);
    assert_memory_equal(load(&bytes, &values), header, sizeof header - 1);
    assert_memory_equal(values, labels, sizeof labels);
    rn_free(bytes);
    remove(path);
}

static void what_is_not_committed_leaves_nothing(void **state)
{
    (void)state;
    rn_npy *npy;
    assert_int_equal(rn_npy_create(&npy, path, RN_NPY_INT32, 0, NULL), RN_OK);
    rn_npy_free(npy);
    rn_npy_free(NULL);
    assert_false(rn_file_exists(path));
    assert_int_equal(folder_files(), 0);
    assert_int_equal(rn_npy_create(&npy, path, RN_NPY_INT32, 4, (const int[]){1, 1, 1, 1}),
                     RN_EINVAL);
    assert_int_equal(rn_npy_create(&npy, "/nowhere/at/all.npy", RN_NPY_INT32, 0, NULL),
                     RN_ENOTFOUND);
    assert_null(npy);
}

static int enter_folder(void **state)
{
    int failed = make_folder(state);

    strcpy(path, in_folder("a.npy"));
    return failed;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_counted_in_the_end),
        cmocka_unit_test(rows_may_be_numbers),
        cmocka_unit_test(what_is_not_committed_leaves_nothing),
    };

    return cmocka_run_group_tests_name("npy", tests, enter_folder, remove_folder);
}
