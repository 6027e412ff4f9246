// The wire format: what is written reads back, and every malformed field is one clear line.
#include "base/memory.h"
#include "store/protobuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "store/temporary_folder.h"

static void expect_bytes(const rn_message *message, const char *expected, size_t size)
{
    char *bytes = NULL;
    size_t found = 0;
    rn_atomic_file file = {.descriptor = -1};

    assert_int_equal(rn_message_length(message), size);
    assert_int_equal(rn_atomic_file_open(&file, in_folder("m")), RN_OK);
    assert_int_equal(rn_message_write(message, &file), RN_OK);
    assert_int_equal(rn_atomic_file_commit(&file), RN_OK);
    assert_int_equal(rn_file_read(&bytes, &found, in_folder("m"), 4096), RN_OK);
    assert_int_equal(found, size);
    assert_memory_equal(bytes, expected, size);
    rn_free(bytes);
}

// The examples of protobuf's own documentation of its encoding, and numbers at the edges.
static void bytes_are_those_of_the_format(void **state)
{
    (void)state;
    rn_message message = {0}, inner = {0};
    static const char expected[] = "\x08\x96\x01"
                                   "\x12\x07testing"
                                   "\x1a\x03\x08\x96\x01"
                                   "\x25\0\0\x80\x3f"
                                   "\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                                   "\xaa\x01\x03"
                                   "abc"
                                   "\x30\0"
                                   "\x39\0\0\0\0\0\0\x04\xc0";

    rn_message_int(&message, 1, 150);
    rn_message_text(&message, 2, "testing");
    rn_message_int(&inner, 1, 150);
    rn_message_append(&message, 3, &inner);
    rn_message_float(&message, 4, 1);
    rn_message_int(&message, 5, -1);
    rn_message_refer(&message, 21, "abc", 3);
    rn_message_int(&message, 6, 0);
    rn_message_double(&message, 7, -2.5);
    expect_bytes(&message, expected, sizeof expected - 1);
    rn_message_release(&message);
}

// Referred parts at all depths, several in one message, empty ones among them.
static void parts_keep_their_place(void **state)
{
    (void)state;
    rn_message outer = {0}, middle = {0}, inner = {0}, more = {0};

    rn_message_refer(&inner, 1, "one", 3);
    rn_message_int(&inner, 2, 2);
    rn_message_refer(&inner, 3, "", 0);
    rn_message_refer(&middle, 1, "two", 3);
    rn_message_append(&middle, 2, &inner);
    rn_message_refer(&more, 9, "x", 1);
    rn_message_int(&outer, 1, 1);
    rn_message_append(&outer, 2, &middle);
    rn_message_join(&outer, &more);
    expect_bytes(&outer, "\x08\x01\x12\x10\x0a\x03two\x12\x09\x0a\x03one\x10\x02\x1a\x00\x4a\x01x",
                 23);
    rn_message_release(&outer);
}

static bool refuse(size_t bytes, void *context)
{
    (void)bytes;
    (void)context;
    return false;
}

static void want_of_memory_sticks(void **state)
{
    (void)state;
    rn_message message = {0}, inner = {0};
    rn_atomic_file file = {.descriptor = -1};

    rn_alloc_hook_set(refuse, NULL);
    rn_message_int(&inner, 1, 1);
    rn_alloc_hook_set(NULL, NULL);
    assert_int_equal(inner.status, RN_ENOMEM);
    rn_message_int(&inner, 1, 1);
    rn_message_append(&message, 1, &inner);
    rn_message_refer(&message, 2, "x", 1);
    assert_int_equal(message.status, RN_ENOMEM);
    assert_int_equal(rn_message_write(&message, &file), RN_ENOMEM);
    rn_message_release(&message);
}

static void every_kind_of_field_is_read(void **state)
{
    (void)state;
    static const char bytes[] = "\x08\x96\x01\x12\x02hi\x1d\x01\0\0\x80\x21\x01\0\0\0\0\0\0\x80";
    rn_proto proto = rn_proto_start(bytes, sizeof bytes - 1);
    rn_proto_field field;

    assert_int_equal(rn_proto_next(&proto, &field), RN_OK);
    assert_true(field.number == 1 && field.wire == RN_WIRE_VARINT && field.value == 150);
    assert_int_equal(rn_proto_next(&proto, &field), RN_OK);
    assert_true(field.number == 2 && field.wire == RN_WIRE_BYTES);
    assert_int_equal(rn_proto_size(&field.bytes), 2);
    assert_memory_equal(field.bytes.next, "hi", 2);
    assert_int_equal(rn_proto_next(&proto, &field), RN_OK);
    assert_true(field.number == 3 && field.wire == RN_WIRE_FIXED32 && field.value == 0x80000001u);
    assert_int_equal(rn_proto_next(&proto, &field), RN_OK);
    assert_true(field.number == 4 && field.wire == RN_WIRE_FIXED64 &&
                field.value == 0x8000000000000001u);
    assert_int_equal(rn_proto_next(&proto, &field), RN_OK);
    assert_int_equal(field.number, 0);
}

static void lists_are_packed_or_not(void **state)
{
    (void)state;
    static const char bytes[] = "\x0a\x03\x01\x96\x01\x08\x07\x0a\x00";
    static const uint64_t expected[] = {1, 150, 7};
    rn_proto proto = rn_proto_start(bytes, sizeof bytes - 1);
    rn_proto_field field;
    rn_proto_list list;
    size_t count = 0;

    for (;;) {
        uint64_t value;
        bool more = true;
        assert_int_equal(rn_proto_next(&proto, &field), RN_OK);
        if (field.number == 0)
            break;
        assert_int_equal(rn_proto_list_of(&list, &field, RN_WIRE_VARINT, "list"), RN_OK);
        while (rn_proto_list_next(&list, &value, &more) == RN_OK && more) {
            assert_true(count < 3);
            assert_int_equal(value, expected[count++]);
        }
    }
    assert_int_equal(count, 3);
    assert_int_equal(rn_proto_list_of(&list, &field, RN_WIRE_FIXED32, "list"), RN_EFORMAT);
}

static void malformed_fields_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *says;
    } cases[] = {
        {"\x08", 1, "cut short at byte 1"},
        {"\x08\x80", 2, "cut short at byte 1"},
        {"\x80", 1, "cut short at byte 0"},
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11, "more than 64 bits at byte 1"},
        {"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12, "more than 64 bits at byte 1"},
        {"\x00\x01", 2, "field number 0 at byte 0"},
        {"\x80\x80\x80\x80\x10\x01", 6, "field number 536870912 at byte 0"},
        {"\x0b", 1, "wire type 3 at byte 0"},
        {"\x0c", 1, "wire type 4 at byte 0"},
        {"\x0e", 1, "wire type 6 at byte 0"},
        {"\x0f", 1, "wire type 7 at byte 0"},
        {"\x0a\x05"
         "abcd",
         6, "a field of 5 bytes at byte 1, where 4 are left"},
        {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, "of 18446744073709551615 bytes"},
        {"\x0d\1\2\3", 4, "cut short at byte 1"},
        {"\x09\1\2\3\4\5\6\7", 8, "cut short at byte 1"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rn_proto proto = rn_proto_start(cases[i].bytes, cases[i].size);
        rn_proto_field field;
        assert_int_equal(rn_proto_next(&proto, &field), RN_EFORMAT);
        if (strstr(rn_error_message(), cases[i].says) == NULL)
            fail_msg("'%s' does not say '%s'", rn_error_message(), cases[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_those_of_the_format),
        cmocka_unit_test(parts_keep_their_place),
        cmocka_unit_test(want_of_memory_sticks),
        cmocka_unit_test(every_kind_of_field_is_read),
        cmocka_unit_test(lists_are_packed_or_not),
        cmocka_unit_test(malformed_fields_are_told),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
