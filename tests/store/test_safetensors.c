#include "base/file.h"
#include "base/json_write.h"
#include "base/memory.h"
#include "store/safetensors.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "store/temporary_folder.h"

static const float scalar[1] = {-0.0f};
static const float matrix[6] = {1, 2.5f, -3, INFINITY, NAN, 1e-42f};
static const float vector[1] = {0x1.fffffep127f};

static const rn_tensor tiny[] = {
    {.name = "scalar", .dims = 0, .count = 1, .data = scalar},
    {.name = "a.matrix", .dims = 2, .shape = {2, 3}, .count = 6, .data = matrix},
    {.name = "\"odd\"\n", .dims = 1, .shape = {1}, .count = 1, .data = vector},
};

enum { TINY = sizeof tiny / sizeof *tiny };

static rn_status write_tiny(const char *path)
{
    cJSON *metadata = cJSON_CreateObject();

    rn_status st = rn_json_add_text(metadata, "resnet.model", "resnet-8");
    if (st == RN_OK)
        st = rn_safetensors_write(path, metadata, tiny, TINY);
    cJSON_Delete(metadata);
    return st;
}

static char *read_tiny(size_t *size)
{
    char *bytes = NULL;

    if (write_tiny(in_folder("tiny")) != RN_OK ||
        rn_file_read(&bytes, size, in_folder("tiny"), 1 << 20) != RN_OK)
        fail_msg("%s", rn_error_message());
    return bytes;
}

static rn_status parse_copy(const char *bytes, size_t size, rn_safetensors **out)
{
    char *copy = NULL;

    assert_int_equal(rn_alloc((void **)&copy, size, 1), RN_OK);
    memcpy(copy, bytes, size);
    return rn_safetensors_parse(out, copy, size);
}

static void what_is_written_reads_back(void **state)
{
    (void)state;
    rn_safetensors *file = NULL;

    assert_int_equal(write_tiny(in_folder("tiny")), RN_OK);
    if (rn_safetensors_open(&file, in_folder("tiny")) != RN_OK)
        fail_msg("%s", rn_error_message());
    assert_true(rn_safetensors_checked(file));
    assert_int_equal(rn_safetensors_count(file), TINY);
    for (size_t i = 0; i < TINY; i++) {
        const rn_tensor *t = rn_safetensors_tensor(file, i);
        assert_string_equal(t->name, tiny[i].name);
        assert_ptr_equal(t, rn_safetensors_find(file, tiny[i].name));
        assert_int_equal(t->dims, tiny[i].dims);
        assert_memory_equal(t->shape, tiny[i].shape, sizeof t->shape);
        assert_int_equal(t->count, tiny[i].count);
        assert_memory_equal(t->data, tiny[i].data, t->count * sizeof(float));
    }
    assert_null(rn_safetensors_find(file, "scala"));
    assert_string_equal(rn_safetensors_metadata(file, "resnet.model"), "resnet-8");
    assert_null(rn_safetensors_metadata(file, "Resnet.model"));
    rn_safetensors_free(file);
}

// These bytes load in Python's safetensors 0.8.0; no time, path or order of chance is in them.
static void bytes_are_pinned(void **state)
{
    (void)state;
    size_t size = 0;
    char *bytes = read_tiny(&size);
    const char expected[] =
        "{\"__metadata__\":{\"resnet.header_crc32\":\"f7033de9\",\"resnet.tensors_crc32\":"
        "\"ccfc5c3c994a1bdf29c4e494\",\"resnet.model\":\"resnet-8\"},"
        "\"scalar\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
        "\"a.matrix\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[4,28]},"
        "\"\\\"odd\\\"\\n\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[28,32]}}";

    assert_int_equal(size % 8, 0);
    assert_true(size >= 8 + sizeof expected - 1 + 32 && size < 8 + sizeof expected - 1 + 32 + 8);
    if (memcmp(bytes + 8, expected, sizeof expected - 1) != 0)
        fail_msg("%.*s", (int)size - 40, bytes + 8);
    rn_free(bytes);
}

static void every_changed_byte_is_found(void **state)
{
    (void)state;
    size_t size = 0;
    char *bytes = read_tiny(&size);
    rn_safetensors *file = NULL;

    for (size_t i = 0; i < size; i++) {
        for (int mask = 1; mask < 256; mask++) {
            bytes[i] = (char)(bytes[i] ^ mask);
            if (parse_copy(bytes, size, &file) != RN_EFORMAT)
                fail_msg("byte %zu changed by %02x is not found", i, (unsigned)mask);
            assert_null(file);
            bytes[i] = (char)(bytes[i] ^ mask);
        }
    }
    assert_int_equal(parse_copy(bytes, size, &file), RN_OK);
    rn_safetensors_free(file);
    rn_free(bytes);
}

static void every_wrong_length_is_found(void **state)
{
    (void)state;
    size_t size = 0;
    char *bytes = read_tiny(&size), longer[2048] = "";
    rn_safetensors *file = NULL;

    for (size_t length = 0; length < size; length++)
        assert_int_equal(parse_copy(bytes, length, &file), RN_EFORMAT);
    memcpy(longer, bytes, size);
    for (size_t length = size + 1; length < size + 20; length++)
        assert_int_equal(parse_copy(longer, length, &file), RN_EFORMAT);
    rn_free(bytes);
}

// Written by Python's safetensors.numpy.save: offsets in an order of its own, no checksums.
static void foreign_file_is_read(void **state)
{
    (void)state;
    static const char bytes[] =
        "\xa0\0\0\0\0\0\0\0{\"__metadata__\":{\"resnet.model\":\"resnet-8\"},"
        "\"a\":{\"dtype\":\"F32\",\"shape\":[1,3],\"data_offsets\":[0,12]},"
        "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[12,20]}}     "
        "\0\0\0\0\0\0\x80?\0\0\0@\0\0\xc0?\0\0\0\xc0";
    rn_safetensors *file = NULL;

    if (parse_copy(bytes, sizeof bytes - 1, &file) != RN_OK)
        fail_msg("%s", rn_error_message());
    assert_false(rn_safetensors_checked(file));
    assert_int_equal(rn_safetensors_count(file), 2);
    const rn_tensor *a = rn_safetensors_find(file, "a"), *b = rn_safetensors_find(file, "b");
    assert_true(a->dims == 2 && a->shape[0] == 1 && a->shape[1] == 3 && b->dims == 1);
    assert_memory_equal(a->data, ((const float[]){0, 1, 2}), 12);
    assert_memory_equal(b->data, ((const float[]){1.5f, -2}), 8);
    assert_string_equal(rn_safetensors_metadata(file, "resnet.model"), "resnet-8");
    rn_safetensors_free(file);
}

// Every half there is, against its definition; then values of the other types.
static void floats_become_float32(void **state)
{
    (void)state;
    const rn_element_type *half = rn_element_type_find("F16"),
                          *brain = rn_element_type_find("BF16");
    const rn_element_type *twice = rn_element_type_find("F64");
    const double doubles[] = {1.5, -0.1, 1e300, -0.0, NAN};
    float values[5];

    for (unsigned bits = 0; bits < 1 << 16; bits++) {
        unsigned exponent = bits >> 10 & 31, fraction = bits & 1023;
        uint16_t stored = (uint16_t)bits;
        double expected =
            exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, (int)exponent - 25);
        half->convert(values, (const char *)&stored, 1);
        if (exponent == 31)
            assert_true(fraction == 0 ? isinf(values[0]) : isnan(values[0]));
        else
            assert_true(fabs((double)values[0]) == expected);
        assert_int_equal(signbit(values[0]) != 0, bits >> 15);
        brain->convert(values, (const char *)&stored, 1);
        uint32_t single = bits << 16;
        assert_memory_equal(values, &single, sizeof single);
    }
    twice->convert(values, (const char *)doubles, 5);
    assert_true(values[0] == 1.5f && values[1] == -0.1f && isinf(values[2]) && signbit(values[3]));
    assert_true(isnan(values[4]));
    assert_null(rn_element_type_find("f32"));
    assert_null(rn_element_type_find("I64")->convert);
}

typedef struct header_case {
    const char *header;
    size_t data_bytes;
    const char *message; // NULL: accepted
} header_case;

#define ONE(dtype, shape, offsets)                                                                 \
    "\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets
#define X(shape, offsets) "{\"x\":{" ONE("\"F32\"", shape, offsets) "}}"

static const header_case header_cases[] = {
    {"{}", 0, NULL},
    {"{}   ", 0, NULL},
    {X("[2]", "[0,8]"), 8, NULL},
    {X("[]", "[0,4]"), 4, NULL},
    {X("[0,5]", "[0,0]"), 0, NULL},
    {"{\"x\":{" ONE("\"F32\"", "[1]", "[0,4]") "},\"e\":{" ONE("\"F32\"", "[0]", "[0,0]") "}}", 4,
     NULL},
    {"{}", 4, "4 bytes of data, expected 0"},
    {" {}", 0, "not the '{'"},
    {"[]", 0, "not the '{'"},
    {"{\"x\":1}", 0, "tensor 'x' is not an object"},
    {"{", 0, "syntax error"},
    {"{}x", 0, "syntax error"},
    {X("[2]", "[0,4]"), 4, "tensor 'x' has 4 bytes, expected 8 for its shape"},
    {X("[2]", "[0,8]"), 7, "tensor 'x' has bytes 0 to 8 of 7"},
    {X("[2]", "[0,8]"), 9, "9 bytes of data, expected 8"},
    {X("[2]", "[4,12]"), 12, "tensor 'x' starts at data byte 4, expected 0"},
    {X("[0]", "[8,4]"), 8, "tensor 'x' has bytes 8 to 4"},
    {X("[2]", "[0]"), 8, "two whole numbers"},
    {X("[2]", "[0,8,9]"), 8, "two whole numbers"},
    {X("[2]", "[0,8.5]"), 9, "two whole numbers"},
    {X("[2]", "[-8,0]"), 8, "two whole numbers"},
    {X("[2]", "[0,1e300]"), 8, "two whole numbers"},
    {X("[2.5]", "[0,8]"), 8, "dimension 0"},
    {X("[-2]", "[0,8]"), 8, "dimension 0"},
    {X("[\"2\"]", "[0,8]"), 8, "dimension 0"},
    {X("[4294967296,4294967296]", "[0,0]"), 0, "dimension 1"},
    {X("[4611686018427387904]", "[0,0]"), 0, "dimension 0"},
    {X("[2147483648,2147483648]", "[0,0]"), 0, "too many elements"},
    {X("[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, "more than 8 dimensions"},
    {X("2", "[0,8]"), 8, "'shape' is missing"},
    {"{\"x\":{" ONE("\"F16\"", "[2]", "[0,4]") "}}", 4, NULL},
    {"{\"x\":{" ONE("\"F16\"", "[2]", "[0,8]") "}}", 8, "has 8 bytes, expected 4"},
    {"{\"x\":{" ONE("\"I64\"", "[]", "[0,8]") "}}", 8, NULL},
    {"{\"x\":{" ONE("\"F64\"", "[2305843009213693951]", "[0,0]") "}}", 0, "dimension 0"},
    {"{\"x\":{" ONE("\"F64\"", "[2147483648,1073741824]", "[0,0]") "}}", 0, "too many elements"},
    {"{\"x\":{" ONE("\"F33\"", "[2]", "[0,8]") "}}", 8, "unknown type 'F33'"},
    {"{\"x\":{" ONE("5", "[2]", "[0,8]") "}}", 8, "'dtype' is not a text"},
    {"{\"x\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "a member too many or too few"},
    {"{\"x\":{" ONE("\"F32\"", "[1]", "[0,4]") ",\"shape\":[1]}}", 4, "'shape' stands twice"},
    {"{\"x\":{" ONE("\"F32\"", "[1]", "[0,4]") ",\"more\":1}}", 4, "unknown key 'more'"},
    {"{\"x\":{" ONE("\"F32\"", "[1]", "[0,4]") "},\"x\":{" ONE("\"F32\"", "[1]", "[4,8]") "}}", 8,
     "tensor 'x' appears twice"},
    {"{\"x\":{" ONE("\"F32\"", "[1]", "[0,4]") "},\"y\":{" ONE("\"F32\"", "[1]", "[0,4]") "}}", 4,
     "tensor 'y' starts at data byte 0, expected 4"},
    {"{\"x\":{" ONE("\"F32\"", "[2]", "[0,8]") "},\"y\":{" ONE("\"F32\"", "[1]", "[4,8]") "}}", 8,
     "tensor 'y' starts at data byte 4, expected 8"},
    {"{\"__metadata__\":3}", 0, "'__metadata__' is not an object"},
    {"{\"__metadata__\":{\"a\":3}}", 0, "metadata 'a' is not a text"},
    {"{\"__metadata__\":{\"a\":\"b\",\"a\":\"b\"}}", 0, "metadata 'a' appears twice"},
    {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "appears twice"},
    {"{\"__metadata__\":{\"resnet.tensors_crc32\":\"\"}}", 0,
     "metadata 'resnet.header_crc32' is missing"},
    {"{\"__metadata__\":{\"resnet.tensors_crc32\":\"\",\"resnet.header_crc32\":\"00000000\"}}", 0,
     "is not at its place"},
    {"{\"__metadata__\":{\"resnet.header_crc32\":\"00000000\",\"resnet.tensors_crc32\":\"\"}}", 0,
     "header has checksum"},
};

static rn_status parse_parts(const char *header, size_t length, size_t data_bytes,
                             rn_safetensors **out)
{
    size_t size = 8 + length + data_bytes;
    char *bytes = NULL;

    assert_int_equal(rn_alloc((void **)&bytes, size, 1), RN_OK);
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)((uint64_t)length >> (8 * i));
    memcpy(bytes + 8, header, length);
    return rn_safetensors_parse(out, bytes, size);
}

static void malformed_headers_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof header_cases / sizeof *header_cases; i++) {
        const header_case *c = &header_cases[i];
        rn_safetensors *file = NULL;
        rn_status st = parse_parts(c->header, strlen(c->header), c->data_bytes, &file);
        if (st != (c->message == NULL ? RN_OK : RN_EFORMAT))
            fail_msg("%s: status %d, %s", c->header, (int)st, rn_error_message());
        if (c->message != NULL && strstr(rn_error_message(), c->message) == NULL)
            fail_msg("'%s' lacks '%s'", rn_error_message(), c->message);
        rn_safetensors_free(file);
    }
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    enum { DEPTH = 1000000 };
    static char header[DEPTH + 5] = "{\"x\":";
    rn_safetensors *file = NULL;

    memset(header + 5, '[', DEPTH);
    assert_int_equal(parse_parts(header, sizeof header, 0, &file), RN_EFORMAT);
    assert_null(file);
}

static void wrong_header_lengths_are_refused(void **state)
{
    (void)state;
    const uint64_t lengths[] = {
        0, 1, 3, 100, RN_SAFETENSORS_HEADER + 1, UINT64_MAX, UINT64_MAX - 7, UINT64_C(1) << 63};
    rn_safetensors *file = NULL;

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char bytes[10] = "";
        memcpy(bytes, &lengths[i], 8);
        memcpy(bytes + 8, "{}", 2);
        assert_int_equal(parse_copy(bytes, sizeof bytes, &file), RN_EFORMAT);
    }
}

static void writer_refuses_what_is_inconsistent(void **state)
{
    (void)state;
    const rn_tensor wrong[] = {
        {.name = "x", .dims = 1, .shape = {2}, .count = 1, .data = matrix},
        {.name = "x", .dims = 9, .count = 1, .data = matrix},
        {.name = "x", .dims = 2, .shape = {1ull << 32, 1ull << 32}, .count = 0, .data = matrix},
    };
    cJSON *metadata = cJSON_CreateObject();

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(rn_safetensors_write(in_folder("wrong"), metadata, &wrong[i], 1),
                         RN_EINVAL);
    assert_int_equal(rn_safetensors_write(in_folder("empty"), metadata, NULL, 0), RN_OK);
    cJSON_Delete(metadata);
    assert_false(rn_file_exists(in_folder("wrong")));
}

// Whatever the number of bytes that still fit, the old file stays and nothing else.
static void writer_refuses_too_much_metadata(void **state)
{
    (void)state;
    char *text = test_malloc(RN_SAFETENSORS_HEADER + 1);
    cJSON *metadata = cJSON_CreateObject();

    memset(text, 'x', RN_SAFETENSORS_HEADER);
    text[RN_SAFETENSORS_HEADER] = '\0';
    cJSON_AddStringToObject(metadata, "labels", text);
    assert_int_equal(rn_safetensors_write(in_folder("long"), metadata, tiny, TINY),
                     RN_EUNSUPPORTED);
    assert_non_null(strstr(rn_error_message(), "/long': header of 16777"));
    assert_non_null(strstr(rn_error_message(), " bytes, expected at most 16777216"));
    assert_false(rn_file_exists(in_folder("long")));
    cJSON_Delete(metadata);
    test_free(text);
}

static void full_disk_leaves_the_old_file(void **state)
{
    (void)state;
    size_t size = 0, after = 0;
    empty_folder();
    char *before = read_tiny(&size), *now = NULL;

    for (size_t room = 0; room < size; room += 7) {
        limit_file_size(room);
        rn_status st = write_tiny(in_folder("tiny"));
        limit_file_size(RLIM_INFINITY);
        assert_int_equal(st, RN_EIO);
        assert_non_null(strstr(rn_error_message(), in_folder("tiny")));
        assert_int_equal(folder_files(), 1);
        assert_int_equal(rn_file_read(&now, &after, in_folder("tiny"), 1 << 20), RN_OK);
        assert_int_equal(after, size);
        assert_memory_equal(now, before, size);
        rn_free(now);
    }
    rn_free(before);
}

static void unusable_paths_are_named(void **state)
{
    (void)state;
    rn_safetensors *file = NULL;

    assert_int_equal(write_tiny(in_folder("missing/tiny")), RN_ENOTFOUND);
    assert_int_equal(rn_safetensors_open(&file, in_folder("none")), RN_ENOTFOUND);
    assert_int_equal(rn_safetensors_open(&file, folder), RN_EIO);
    assert_int_equal(rn_file_write_atomic(in_folder("short"), "abc", 3), RN_OK);
    assert_int_equal(rn_safetensors_open(&file, in_folder("short")), RN_EFORMAT);
    assert_non_null(strstr(rn_error_message(), in_folder("short")));
}

static int allocations_left;

static bool count_down(size_t bytes, void *context)
{
    (void)bytes;
    (void)context;
    return allocations_left-- > 0;
}

static void allocation_failures_leave_nothing(void **state)
{
    (void)state;
    rn_safetensors *file = NULL;
    rn_status st = RN_ENOMEM;
    int step = 0;

    empty_folder();
    rn_alloc_hook_set(count_down, NULL);
    for (; st == RN_ENOMEM && step < 100; step++) {
        assert_int_equal(folder_files(), 0);
        allocations_left = step;
        st = write_tiny(in_folder("tiny"));
    }
    assert_int_equal(st, RN_OK);
    assert_true(step > 3);
    for (st = RN_ENOMEM, step = 0; st == RN_ENOMEM && step < 100; step++) {
        assert_null(file);
        allocations_left = step;
        st = rn_safetensors_open(&file, in_folder("tiny"));
    }
    rn_alloc_hook_set(NULL, NULL);
    assert_int_equal(st, RN_OK);
    assert_true(step > 5);
    rn_safetensors_free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(bytes_are_pinned),
        cmocka_unit_test(every_changed_byte_is_found),
        cmocka_unit_test(every_wrong_length_is_found),
        cmocka_unit_test(foreign_file_is_read),
        cmocka_unit_test(floats_become_float32),
        cmocka_unit_test(malformed_headers_are_refused),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(wrong_header_lengths_are_refused),
        cmocka_unit_test(writer_refuses_what_is_inconsistent),
        cmocka_unit_test(writer_refuses_too_much_metadata),
        cmocka_unit_test(full_disk_leaves_the_old_file),
        cmocka_unit_test(unusable_paths_are_named),
        cmocka_unit_test(allocation_failures_leave_nothing),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
