#include <math.h>
#include <stdarg.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/allow_some.h"
#include "store/temporary_folder.h"
#include "store/torch_files.h"

static const float scalar[1] = {-0.0f};
static const float matrix[6] = {1, 2.5f, -3, INFINITY, NAN, 1e-42f};
static const float kernel[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static const rn_tensor tiny[] = {
    {.name = "scalar", .dims = 0, .count = 1, .data = scalar},
    {.name = "layer1.0.matrix", .dims = 2, .shape = {2, 3}, .count = 6, .data = matrix},
    {.name = "empty", .dims = 3, .shape = {2, 0, 3}, .count = 0, .data = scalar},
    {.name = "vast", .dims = 2, .shape = {0, (uint64_t)1 << 40}, .count = 0, .data = scalar},
    {.name = "\xc3\xa9\n", .dims = 4, .shape = {2, 2, 1, 4}, .count = 16, .data = kernel},
};

enum { TINY = sizeof tiny / sizeof *tiny };

static void what_is_written_reads_back(void **state)
{
    (void)state;
    assert_int_equal(rn_torch_write(in_folder("a.pth"), tiny, TINY), RN_OK);
    rn_foreign *foreign = load_torch(in_folder("a.pth"));
    assert_int_equal(foreign->count, TINY);
    for (size_t i = 0; i < TINY; i++) {
        const rn_tensor *tensor = &foreign->tensors[i].tensor;
        assert_string_equal(foreign->tensors[i].type, "float32");
        assert_string_equal(tensor->name, tiny[i].name);
        assert_int_equal(tensor->dims, tiny[i].dims);
        assert_memory_equal(tensor->shape, tiny[i].shape, sizeof tensor->shape);
        assert_int_equal(tensor->count, tiny[i].count);
        assert_non_null(tensor->data);
        assert_memory_equal(tensor->data, tiny[i].data, tensor->count * sizeof(float));
    }
    rn_foreign_free(foreign);
    assert_int_equal(folder_files(), 1);
    empty_folder();
}

// PyTorch maps records where they lie, on multiples of 64 bytes.
static void records_are_aligned(void **state)
{
    char *bytes = NULL;
    size_t size = 0;

    (void)state;
    assert_int_equal(rn_torch_write(in_folder("a"), tiny, TINY), RN_OK);
    assert_int_equal(rn_file_read(&bytes, &size, in_folder("a"), 1 << 20), RN_OK);
    for (size_t i = 0; i < TINY; i++) {
        size_t wanted = tiny[i].count * sizeof(float);
        const char *found = wanted > 8 ? memmem(bytes, size, tiny[i].data, wanted) : bytes;
        assert_non_null(found);
        assert_int_equal((found - bytes) % 64, 0);
    }
    rn_free(bytes);
}

static void equal_weights_give_equal_bytes(void **state)
{
    char *bytes[2] = {NULL, NULL};
    size_t size[2] = {0, 0};

    (void)state;
    assert_int_equal(rn_torch_write(in_folder("a"), tiny, TINY), RN_OK);
    assert_int_equal(rn_torch_write(in_folder("b"), tiny, TINY), RN_OK);
    assert_int_equal(rn_file_read(&bytes[0], &size[0], in_folder("a"), 1 << 20), RN_OK);
    assert_int_equal(rn_file_read(&bytes[1], &size[1], in_folder("b"), 1 << 20), RN_OK);
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(bytes[0], bytes[1], size[0]);
    rn_free(bytes[0]);
    rn_free(bytes[1]);
}

// A changed byte is found by a checksum, or is one of the padding and the fields nobody reads (the
// local header's checksum and sizes, dates, versions): then the weights are the same as before.
static void no_changed_byte_changes_weights(void **state)
{
    char *bytes = NULL;
    size_t size = 0, found = 0;

    (void)state;
    assert_int_equal(rn_torch_write(in_folder("a"), tiny, 2), RN_OK);
    assert_int_equal(rn_file_read(&bytes, &size, in_folder("a"), 1 << 20), RN_OK);
    for (size_t i = 0; i < size; i++) {
        rn_foreign *foreign = NULL;
        bytes[i] = (char)(bytes[i] ^ 0x41);
        rn_status st = parse_torch_copy(&foreign, bytes, size);
        bytes[i] = (char)(bytes[i] ^ 0x41);
        found += st != RN_OK;
        if (st != RN_OK) {
            assert_true(st == RN_EFORMAT && foreign == NULL);
            continue;
        }
        assert_int_equal(foreign->count, 2);
        for (size_t t = 0; t < 2; t++) {
            assert_string_equal(foreign->tensors[t].tensor.name, tiny[t].name);
            assert_memory_equal(foreign->tensors[t].tensor.data, tiny[t].data,
                                tiny[t].count * sizeof(float));
        }
        rn_foreign_free(foreign);
    }
    assert_true(found > size / 2);
    rn_free(bytes);
}

static void too_much_is_refused_before_anything_is_written(void **state)
{
    const uint64_t half = (uint64_t)1 << 29; // elements: 2 GiB
    const rn_tensor large[] = {
        {.name = "a", .dims = 1, .shape = {half}, .count = half, .data = scalar},
        {.name = "b", .dims = 2, .shape = {2, half / 2}, .count = half, .data = scalar}};
    const rn_tensor wrong = {.name = "c", .dims = 1, .shape = {2}, .count = 1, .data = scalar};
    rn_tensor *many = calloc(65532, sizeof *many);

    (void)state;
    empty_folder();
    assert_int_equal(rn_torch_write(in_folder("a"), large, 2), RN_EUNSUPPORTED);
    assert_non_null(strstr(rn_error_message(), "/a': tensor 'b' and those before it need more than "
                                               "the 4 GiB that a file of PyTorch holds here"));
    assert_int_equal(rn_torch_write(in_folder("a"), &wrong, 1), RN_EINVAL);
    assert_string_equal(rn_error_message(), "tensor 'c': 1 elements are not what its shape has");
    assert_int_equal(rn_torch_write(in_folder("a"), many, 65532), RN_EUNSUPPORTED);
    assert_non_null(strstr(rn_error_message(),
                           "/a' would have 65532 tensors, a file of PyTorch holds at most 65531"));
    assert_int_equal(folder_files(), 0);
    free(many);
}

// The most that one file can hold, and nothing where there was no tensor at all.
static void counts_at_the_limits_are_written(void **state)
{
    enum { MANY = 65531 };
    rn_tensor *many = calloc(MANY, sizeof *many);
    char(*names)[16] = calloc(MANY, sizeof *names);
    rn_foreign *foreign = NULL;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "%d", i);
        many[i] = (rn_tensor){
            .name = names[i], .dims = 1, .shape = {1}, .count = 1, .data = &kernel[i % 16]};
    }
    assert_int_equal(rn_torch_write(in_folder("a"), many, MANY), RN_OK);
    foreign = load_torch(in_folder("a"));
    assert_int_equal(foreign->count, MANY);
    assert_string_equal(foreign->tensors[MANY - 1].tensor.name, "65530");
    assert_true(torch_element(&foreign->tensors[MANY - 1].tensor, 0) == kernel[65530 % 16]);
    rn_foreign_free(foreign);
    assert_int_equal(rn_torch_write(in_folder("a"), NULL, 0), RN_OK);
    assert_int_equal(parse_torch(&foreign, in_folder("a")), RN_EFORMAT);
    free(names);
    free(many);
}

static void a_full_disk_leaves_the_old_file(void **state)
{
    (void)state;
    empty_folder();
    assert_int_equal(rn_torch_write(in_folder("a"), tiny, 1), RN_OK);
    limit_file_size(512);
    assert_int_equal(rn_torch_write(in_folder("a"), tiny, TINY), RN_EIO);
    limit_file_size(RLIM_INFINITY);
    rn_foreign *foreign = load_torch(in_folder("a"));
    assert_int_equal(foreign->count, 1);
    rn_foreign_free(foreign);
    assert_int_equal(folder_files(), 1);
}

static void every_failed_allocation_is_reported(void **state)
{
    rn_status st = RN_ENOMEM;

    (void)state;
    empty_folder();
    for (int allowed = 0; st == RN_ENOMEM; allowed++) {
        int left = allowed;
        rn_alloc_hook_set(allow_some, &left);
        st = rn_torch_write(in_folder("a"), tiny, TINY);
        rn_alloc_hook_set(NULL, NULL);
        assert_true(st == RN_ENOMEM || (st == RN_OK && allowed > 8));
        assert_int_equal(folder_files(), st == RN_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(records_are_aligned),
        cmocka_unit_test(equal_weights_give_equal_bytes),
        cmocka_unit_test(no_changed_byte_changes_weights),
        cmocka_unit_test(too_much_is_refused_before_anything_is_written),
        cmocka_unit_test(counts_at_the_limits_are_written),
        cmocka_unit_test(a_full_disk_leaves_the_old_file),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
