// Files that lie: each gives one clear line, and takes memory of the order of its size.
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/allow_some.h"
#include "store/pickle.h"
#include "store/torch_files.h"

#define TEN(x) x x x x x x x x x x
#define M TEN("mmmmmmmmmm")
#define N TEN("nnnnnnnnnn")

/** A sample of tests/fuzz/make_torch_corpus.py and what is wrong with it; NULL: nothing. */
typedef struct hostile {
    const char *name;
    const char *message;
} hostile;

static const hostile samples[] = {
    {"append_to_dict", "pickle at byte 50: APPEND on a value that is no list"},
    {"below_mark", "pickle at byte 51: APPEND without a container"},
    {"build_on_number", "pickle at byte 51: BUILD on a value that is no object"},
    {"cycle", NULL},
    {"cycle_list", "the object saved is not a dict, expected a state dict"},
    {"dict_odd", "pickle at byte 50: DICT of a key without a value"},
    {"ext1", "pickle at byte 48: opcode EXT1 is not allowed"},
    {"ext4", "pickle at byte 48: opcode EXT4 is not allowed"},
    {"frame_long", "pickle at byte 48: FRAME of 9223372036854775808 bytes, 2 are left"},
    {"global_eval", "pickle at byte 48: GLOBAL names '__builtin__.eval', which is not allowed: no "
                    "state dict needs it"},
    {"global_getattr", "pickle at byte 48: GLOBAL names 'builtins.getattr', which is not allowed: "
                       "no state dict needs it"},
    {"global_long",
     "pickle at byte 48: GLOBAL names '" M "." N "', which is not allowed: no state dict needs it"},
    {"global_no_newline", "pickle at byte 48: GLOBAL without the newline that ends it"},
    {"global_posix_system", "pickle at byte 48: GLOBAL names 'posix.system', which is not allowed: "
                            "no state dict needs it"},
    {"id_key", "the key of a storage is no text"},
    {"id_module", "a persistent id is not ('storage', ...)"},
    {"id_no_tuple", "a persistent id is not ('storage', ...)"},
    {"id_type", "the type of a storage is none that is known"},
    {"inst", "pickle at byte 49: opcode STRING is not allowed"},
    {"inst_first", "pickle at byte 49: opcode INST is not allowed"},
    {"keys_no_list", "the fifth pickle is not the list of storages"},
    {"legacy", NULL},
    {"legacy_objects", NULL},
    {"legacy_pairs", NULL},
    {"legacy_view", NULL},
    {"magic_alone", "pickle at byte 15: it ends without a STOP"},
    {"magic_wrong", "a pickle, but none that begins a file of PyTorch"},
    {"mark_missing", "pickle at byte 48: TUPLE without a MARK"},
    {"memo_empty", "pickle at byte 48: BINGET of memo slot 5, which is empty"},
    {"memo_far",
     "pickle at byte 49: LONG_BINPUT names memo slot 2147483648, expected below 8 here"},
    {"memo_nothing", "pickle at byte 48: BINPUT needs 1 on the stack, found 0"},
    {"name_nul", "the name of tensor 0 has a NUL in it"},
    {"key_long", "the key of a storage has 1025 bytes, expected at most 1024"},
    {"name_long", "the name of tensor 0 has 1025 bytes, expected at most 1024"},
    {"name_stripped_twice", "tensor 'module.a' appears twice"},
    {"name_twice", "tensor 'a' appears twice"},
    {"newobj_ex", "pickle at byte 48: opcode NEWOBJ_EX is not allowed"},
    {"no_tensors", "no tensors in the dict saved, nor in a 'state_dict', 'model', "
                   "'model_state_dict' or 'net' within"},
    {"obj", "pickle at byte 49: GLOBAL names 'posix.system', which is not allowed: no state dict "
            "needs it"},
    {"obj_allowed", "pickle at byte 74: opcode OBJ is not allowed"},
    {"pairs_again", "pickle at byte 181: more than the 405 items that its size allows for"},
    {"pairs_wrong", "pickle at byte 78: REDUCE of a dict, item 0 is no pair"},
    {"parameter_cycle", "no tensors in the dict saved, nor in a 'state_dict', 'model', "
                        "'model_state_dict' or 'net' within"},
    {"persid", "pickle at byte 48: opcode PERSID is not allowed"},
    {"protocol9", "pickle at byte 46: protocol 9, expected 1 to 5"},
    {"reduce_constant", "pickle at byte 64: REDUCE calls 'torch.float32', which is not allowed: no "
                        "state dict needs it"},
    {"reduce_no_arguments", "pickle at byte 63: it ends without a STOP"},
    {"reduce_no_tuple", "pickle at byte 74: REDUCE with arguments that are no tuple"},
    {"reduce_number", "pickle at byte 51: REDUCE calls a value that is no global"},
    {"root_number", "the object saved is not a dict, expected a state dict"},
    {"set_odd", "pickle at byte 51: SETITEMS of a key without a value"},
    {"set_on_list", "pickle at byte 51: SETITEM on a value that is no dict"},
    {"stack_empty", "pickle at byte 48: STOP needs 1 on the stack, found 0"},
    {"stack_global_numbers", "pickle at byte 52: STACK_GLOBAL of a name that is no text"},
    {"stack_global_system", "pickle at byte 60: STACK_GLOBAL names 'os.system', which is not "
                            "allowed: no state dict needs it"},
    {"storage_cut", "storage '0' needs 16 bytes, 15 are left"},
    {"storage_differs", "storage '0' has 5 elements, expected 4"},
    {"storage_huge", "storage '0' needs 4611686018427387904 bytes, 16 are left"},
    {"storage_huger", "storage '0' has a size that is out of range"},
    {"storage_missing", "tensor 'a': storage '0' is missing"},
    {"storage_negative", "storage '0' has a size that is out of range"},
    {"storage_stray", "storage '7' belongs to nothing"},
    {"storage_twice", "storage '0' appears twice"},
    {"storage_two_ways", "storage '0' is described in two ways"},
    {"system_big_endian", "byte order 'big', expected 'little'"},
    {"system_wrong", "the third pickle is not a dict of the system's traits"},
    {"tensor_beyond",
     "tensor 'a': its offset, shape and strides reach beyond the 4 elements of its storage"},
    {"tensor_dims", "tensor 'a': its shape has 9 numbers, expected at most 8"},
    {"tensor_expanded", NULL},
    {"tensor_expanded_far", "tensor 'a' and those before it have 4398046511104 elements, more than "
                            "a file of 246 bytes may "
                            "be expanded to"},
    {"tensor_negative_view", "tensor 'a': it is a conjugate or negative view"},
    {"tensor_no_arguments", "tensor 'a': its storage is none"},
    {"tensor_no_shape", "tensor 'a': its shape is no tuple"},
    {"tensor_of_nothing", "tensor 'a': its storage is none"},
    {"tensor_offset",
     "tensor 'a': its offset, shape and strides reach beyond the 4 elements of its storage"},
    {"tensor_offset_huge",
     "tensor 'a': its offset, shape and strides reach beyond the 4 elements of its storage"},
    {"tensor_offset_negative", "tensor 'a': its offset is not a whole number of 0 or more"},
    {"tensor_shape_huge", "tensor 'a': its shape has too many elements"},
    {"tensor_shape_huger", "tensor 'a': its shape has too many elements"},
    {"tensor_shape_negative",
     "tensor 'a': number 0 of its shape is not a whole number of 0 or more"},
    {"tensor_stride_huge",
     "tensor 'a': its offset, shape and strides reach beyond the 4 elements of its storage"},
    {"tensor_stride_negative",
     "tensor 'a': number 0 of its strides is not a whole number of 0 or more"},
    {"tensor_stride_wraps",
     "tensor 'a': its offset, shape and strides reach beyond the 4 elements of its storage"},
    {"tensor_strides", "tensor 'a': it has 2 dimensions and 1 strides"},
    {"tensor_types", NULL},
    {"tensor_v3", NULL},
    {"tensor_v3_type", "tensor 'a': its type is none that is known"},
    {"tensors_share",
     "tensor 'a25' and those before it have 26000 elements, more than a file of 4609 "
     "bytes may be expanded to"},
    {"text_long", "pickle at byte 48: BINUNICODE needs 4294967295 bytes, 2 are left"},
    {"text_longer", "pickle at byte 48: BINUNICODE8 needs 18446744073709551615 bytes, 2 are left"},
    {"tuple_empty_stack", "pickle at byte 48: TUPLE3 needs 3 on the stack, found 0"},
    {"unknown_opcode", "pickle at byte 48: no opcode is 0xff"},
    {"version_wrong", "the second pickle is not version 1001"},
    {"view_beyond", "tensor 'a': a view of storage '0' has elements 3 to 5 of 4"},
    {"view_wrong", "the view of a storage is not (key, offset, size)"},
    {"zip", NULL},
    {"zip64", NULL},
    {"zip64_differs", "zip archive: its two end records differ"},
    {"zip64_huge", "zip archive: a directory of 1152921504606846976 entries in 9223372036854775808 "
                   "bytes at byte 9223372036854775808 does not fit into it"},
    {"zip64_place", "zip archive: no ZIP64 end record at byte 18446744073709551615"},
    {"zip64_sizes", NULL},
    {"zip64_sizes_huge",
     "zip entry 's/data/0': 9223372036854775808 bytes at byte 227 reach beyond 243"},
    {"zip64_sizes_missing", "zip entry 's/data/0' lacks its 64-bit sizes"},
    {"zip64_sizes_short", "zip entry 's/data/0' lacks its 64-bit sizes"},
    {"zip_big_endian", "byte order 'big', expected 'little'"},
    {"zip_bomb",
     "zip entry 's/data.pkl' is compressed (method 8), expected it stored as PyTorch does"},
    {"zip_comment", NULL},
    {"zip_crc", "zip entry 's/data/0' has checksum 8ba71454, expected 00000001: it is damaged"},
    {"zip_crc_none", NULL},
    {"zip_cut", "zip archive without its central directory: it is cut short"},
    {"zip_data_short", "record 'data/0' has 8 bytes, expected 16 of float32"},
    {"zip_directory_elsewhere", "zip archive: no entry at byte 0 of its directory"},
    {"zip_directory_long",
     "zip archive: a directory of 4 entries in 4294967294 bytes at byte 331 does not fit into it"},
    {"zip_directory_outside",
     "zip archive: a directory of 4 entries in 222 bytes at byte 4294967294 does not fit into it"},
    {"zip_encrypted", "zip entry 's/data/0' is encrypted"},
    {"zip_entry_elsewhere", "zip entry 's/data/0': no local header at byte 1"},
    {"zip_entry_long", "zip entry 's/data/0': 1048576 bytes at byte 227 reach beyond 243"},
    {"zip_entry_outside", "zip entry 's/data/0': no local header at byte 4294967294"},
    {"zip_entry_padding", NULL},
    {"zip_entry_renamed", "zip entry 's/data/0' has another name in its local header"},
    {"zip_entry_same_place", "zip entry 's/data/0' has another name in its local header"},
    {"zip_entry_sizes", "zip entry 's/data/0' has 16 bytes stored as 8"},
    {"zip_entry_twice", "zip entry 's/data/0' appears twice"},
    {"zip_key_long", "the key of a storage has 2000 bytes, expected at most 1024"},
    {"zip_key_up", "zip archive without the record 'data/../x'"},
    {"zip_many",
     "zip archive: a directory of 60000 entries in 222 bytes at byte 331 does not fit into it"},
    {"zip_name_dots", NULL},
    {"zip_name_empty", "zip entry '' has a name that is not allowed"},
    {"zip_name_nul", "zip entry 's/a' has a name that is not allowed"},
    {"zip_name_root", "zip entry '/etc/x' has a name that is not allowed"},
    {"zip_name_up", "zip entry 's/../x' has a name that is not allowed"},
    {"zip_no_data", "zip archive without the record 'data/0'"},
    {"zip_no_end", "zip archive without its central directory: it is cut short"},
    {"zip_no_folder", "zip archive without a folder, no file of PyTorch"},
    {"zip_no_pickle", "zip archive without 's/data.pkl', no file of PyTorch"},
    {"zip_one_more",
     "zip archive: a directory of 5 entries in 222 bytes at byte 331 does not fit into it"},
    {"zip_other_folder", "zip archive without the record 'data/0'"},
    {"zip_overlap", "zip entries 's/data/0' and 's/data/1' overlap"},
    {"zip_script", "a TorchScript archive, expected a state dict"},
    {"zip_system",
     "pickle at byte 2: GLOBAL names 'os.system', which is not allowed: no state dict needs it"},
    {"zip_tiny", "zip archive of 4 bytes, expected at least 22"},
    {"zip_types", NULL},
    {"zip_unchecked", NULL},
    {"zip_without_entries", "zip archive without a folder, no file of PyTorch"},
};

/** What a call allocates, all in all. */
static size_t allocated;

static bool count_bytes(size_t bytes, void *context)
{
    (void)context;
    allocated += bytes;
    return true;
}

// Arrays that double count more than they hold, and a small file takes a few blocks.
static size_t fair_share(size_t size)
{
    return 64 * size + 48 * 1024;
}

static const char *corpus(const char *name)
{
    static char path[1024];

    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/torch/%s", TEST_SOURCE_DIR, name);
    return path;
}

static void check_one_line(void)
{
    const char *message = rn_error_message();

    assert_true(strlen(message) > 10);
    for (; *message != '\0'; message++)
        assert_true((unsigned char)*message >= ' ' && *message != 127);
}

// Read every float, so that a sanitizer sees where they lie.
static void touch(const rn_foreign *foreign)
{
    float sum = 0;

    for (size_t t = 0; t < foreign->count; t++) {
        const rn_tensor *tensor = &foreign->tensors[t].tensor;
        for (size_t i = 0; tensor->data != NULL && i < tensor->count; i++)
            sum += torch_element(tensor, i);
    }
    assert_true(sum == sum || sum != sum);
}

// Read bytes that may be damaged anywhere; true if they make a file.
static bool read_damaged(const char *bytes, size_t size)
{
    rn_foreign *foreign = NULL;

    allocated = 0;
    rn_alloc_hook_set(count_bytes, NULL);
    rn_status st = parse_torch_copy(&foreign, bytes, size);
    rn_alloc_hook_set(NULL, NULL);
    if (allocated > fair_share(size))
        fail_msg("%zu bytes took %zu", size, allocated);
    if (st == RN_OK) {
        touch(foreign);
        rn_foreign_free(foreign);
        return true;
    }
    assert_true(st == RN_EFORMAT || st == RN_EUNSUPPORTED);
    assert_null(foreign);
    check_one_line();
    return false;
}

static void each_lie_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        const hostile *sample = &samples[i];
        char *bytes = NULL;
        size_t size = 0;
        assert_int_equal(rn_file_read(&bytes, &size, corpus(sample->name), 1 << 20), RN_OK);
        bool good = read_damaged(bytes, size);
        rn_free(bytes);
        if (good != (sample->message == NULL))
            fail_msg("'%s' is %s", sample->name, good ? "accepted" : rn_error_message());
        if (!good && strcmp(rn_error_message(), sample->message) != 0)
            fail_msg("'%s': \"%s\", expected \"%s\"", sample->name, rn_error_message(),
                     sample->message);
    }
}

static void check_values(const char *name, const char *tensor, const float *expected, size_t count)
{
    rn_foreign *foreign = load_torch(corpus(name));
    const rn_tensor *found = &find_torch(foreign, tensor)->tensor;

    assert_int_equal(found->count, count);
    for (size_t i = 0; i < count; i++) {
        float value = torch_element(found, i);
        assert_memory_equal(&value, &expected[i], sizeof value);
    }
    rn_foreign_free(foreign);
}

static void odd_but_honest_files_are_read(void **state)
{
    static const float all[] = {1, 2, 3, 4}, view[] = {2, 3}, halves[] = {1, -2};
    static const float large[] = {1, INFINITY}, small[] = {1, 0x1p-24f};
    float expanded[400];

    (void)state;
    for (size_t i = 0; i < 400; i++)
        expanded[i] = all[i % 4];
    check_values("legacy", "a", all, 4);
    check_values("legacy_pairs", "a", all, 4);
    check_values("legacy_objects", "a", all, 4);
    check_values("legacy_objects", "b", all, 4);
    check_values("legacy_view", "a", view, 2);
    check_values("cycle", "a", all, 4);
    check_values("zip", "a", all, 4);
    check_values("zip64", "a", all, 4);
    check_values("zip64_sizes", "a", all, 4);
    check_values("zip_crc_none", "a", all, 4);
    check_values("tensor_expanded", "a", expanded, 400);
    check_values("tensor_v3", "a", halves, 2);
    check_values("tensor_types", "d", large, 2);
    check_values("tensor_types", "h", small, 2);
}

static const char *const honest[] = {"legacy", "legacy_view", "zip", "zip64", "zip64_sizes"};

static void every_truncation_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof honest / sizeof *honest; i++) {
        char *bytes = NULL;
        size_t size = 0;
        assert_int_equal(rn_file_read(&bytes, &size, corpus(honest[i]), 1 << 20), RN_OK);
        for (size_t length = 0; length < size; length++) {
            if (read_damaged(bytes, length))
                fail_msg("'%s' of %zu bytes, not %zu, is accepted", honest[i], length, size);
        }
        assert_true(read_damaged(bytes, size));
        rn_free(bytes);
    }
}

static void every_changed_byte_is_survived(void **state)
{
    static const unsigned char masks[] = {0x01, 0x80, 0xff, 0x20, 0x7f};

    (void)state;
    for (size_t i = 0; i < sizeof honest / sizeof *honest; i++) {
        char *bytes = NULL;
        size_t size = 0;
        assert_int_equal(rn_file_read(&bytes, &size, corpus(honest[i]), 1 << 20), RN_OK);
        for (size_t at = 0; at < size; at++) {
            for (size_t m = 0; m < sizeof masks; m++) {
                bytes[at] = (char)(bytes[at] ^ masks[m]);
                read_damaged(bytes, size);
                bytes[at] = (char)(bytes[at] ^ masks[m]);
            }
        }
        rn_free(bytes);
    }
}

// A million of one opcode after what a legacy file begins with.
static void repeat(const char *begin, char opcode, const char *end, const char *message)
{
    enum { TIMES = 1000000 };
    static const size_t prologue = 46; // bytes of the first three pickles
    size_t size = prologue + strlen(begin) + TIMES + strlen(end), legacy = 0;
    char *bytes = NULL, *start = NULL;

    assert_int_equal(rn_file_read(&start, &legacy, corpus("legacy"), 1 << 20), RN_OK);
    assert_int_equal(rn_alloc((void **)&bytes, size, 1), RN_OK);
    memcpy(bytes, start, prologue);
    memcpy(bytes + prologue, begin, strlen(begin));
    memset(bytes + prologue + strlen(begin), opcode, TIMES);
    memcpy(bytes + size - strlen(end), end, strlen(end));
    assert_false(read_damaged(bytes, size));
    if (strstr(rn_error_message(), message) == NULL)
        fail_msg("\"%s\", expected \"%s\"", rn_error_message(), message);
    rn_free(start);
    rn_free(bytes);
}

static void depth_and_number_are_bounded(void **state)
{
    (void)state;
    repeat("\x80\2N", '\x85', ".\x80\2].", "is not a dict"); // ((((...))))
    repeat("\x80\2", ']', ".", "ends without a STOP");       // the next pickle is missing
    repeat("\x80\2", '}', ".", "ends without a STOP");
    repeat("\x80\2", '(', ".", "STOP needs 1 on the stack");
    repeat("\x80\2", 'N', ".", "ends without a STOP");
    repeat("\x80\2]", 'a', ".", "APPEND without a container");
    repeat("\x80\2N", '\x94', ".\x80\2].", "is not a dict"); // MEMOIZE
    repeat("\x80\2", ')', "t.", "TUPLE without a MARK");
    repeat("\x80\2(", ')', "t.\x80\2].", "is not a dict");
    repeat("\x80\2(", '}', "l.\x80\2].", "is not a dict");
    repeat("\x80\2(", '}', "d.\x80\2].", "no tensors");
    repeat("\x80\2}", '(', "u.", "SETITEMS without a container");
}

static void long_pickles_are_refused(void **state)
{
    static const size_t size = RN_PICKLE_BYTES + 1024;
    char *bytes = NULL, *start = NULL;
    size_t legacy = 0;
    rn_foreign *foreign = NULL;

    (void)state;
    assert_int_equal(rn_file_read(&start, &legacy, corpus("legacy"), 1 << 20), RN_OK);
    assert_int_equal(rn_alloc((void **)&bytes, size, 1), RN_OK);
    memcpy(bytes, start, 46);
    memset(bytes + 46, '(', size - 46);
    for (size_t i = 46; i + 1 < size; i += 2) // PROTO 2, which leaves nothing behind
        memcpy(bytes + i, "\x80\2", 2);
    assert_int_equal(rn_torch_parse(&foreign, bytes, size), RN_EFORMAT);
    assert_non_null(strstr(rn_error_message(), "it is longer than 16777216 bytes"));
    rn_free(start);
}

static void every_failed_allocation_is_reported(void **state)
{
    static const char *const names[] = {"zip", "legacy", "tensor_types", "legacy_pairs"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        rn_status st = RN_ENOMEM;
        char *bytes = NULL;
        size_t size = 0;
        for (int allowed = 0; st == RN_ENOMEM; allowed++) {
            rn_foreign *foreign = NULL;
            int left = allowed;
            assert_int_equal(rn_file_read(&bytes, &size, corpus(names[i]), 1 << 20), RN_OK);
            rn_alloc_hook_set(allow_some, &left);
            st = rn_torch_parse(&foreign, bytes, size);
            rn_alloc_hook_set(NULL, NULL);
            assert_true(st == RN_ENOMEM ? foreign == NULL : st == RN_OK && allowed > 10);
            rn_foreign_free(foreign);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_lie_is_named),
        cmocka_unit_test(odd_but_honest_files_are_read),
        cmocka_unit_test(every_truncation_is_found),
        cmocka_unit_test(every_changed_byte_is_survived),
        cmocka_unit_test(depth_and_number_are_bounded),
        cmocka_unit_test(long_pickles_are_refused),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
