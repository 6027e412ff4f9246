// ONNX files whose values lie in files beside them: found where the entries say, and nowhere else.
#include "base/allow_some.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "store/onnx_hostile.h"
#include "store/temporary_folder.h"

// What a tensor says of its place; NULL: nothing.
typedef struct place {
    const char *location, *offset, *length;
} place;

enum { VALUES = 4 };
static const int64_t FOUR[] = {VALUES};
static const float NUMBERS[] = {1.5f, -2, 3, 4, 5, 6, 7, 8};

static void add_entry(rn_message *tensor, const char *key, const char *value)
{
    rn_message entry = {0};

    if (value == NULL)
        return;
    rn_message_text(&entry, 1, key);
    rn_message_text(&entry, 2, value);
    rn_message_append(tensor, 13, &entry);
}

static rn_message tensor_at(const char *name, int type, place at)
{
    rn_message tensor = tensor_of(name, type, FOUR, 1);

    add_entry(&tensor, "location", at.location);
    add_entry(&tensor, "offset", at.offset);
    add_entry(&tensor, "length", at.length);
    add_entry(&tensor, "checksum", "of no use here");
    rn_message_int(&tensor, 14, 1);
    return tensor;
}

static void add_at(file *f, const char *name, int type, place at)
{
    rn_message tensor = tensor_at(name, type, at);

    rn_message_append(&f->graph, GRAPH_INITIALIZER, &tensor);
}

static file with(place at)
{
    file f = start();

    add_node(&f, "Relu", "x", "y", NULL);
    add_at(&f, "v", RN_ONNX_FLOAT, at);
    return f;
}

static void put(const char *name, const void *data, size_t bytes)
{
    ONNX_TRY(rn_file_write_atomic(in_folder(name), data, bytes));
}

// A model in the making and what it points into.
typedef struct opened {
    rn_onnx_model model;
    rn_onnx_files files;
    char *bytes;
} opened;

static rn_status read_model(opened *o, file f)
{
    size_t size;

    *o = (opened){.bytes = finish(&f, &size)};
    return rn_onnx_read(&o->model, o->bytes, size);
}

static rn_status fetch(opened *o, file f)
{
    rn_status st = read_model(o, f);

    return st == RN_OK ? rn_onnx_fetch(&o->files, &o->model, in_folder("model.onnx")) : st;
}

static void close_model(opened *o)
{
    rn_onnx_release(&o->model);
    rn_onnx_files_release(&o->files);
    rn_free(o->bytes);
}

static const rn_onnx_tensor *last_tensor(const opened *o)
{
    return &o->model.tensors[o->model.tensor_count - 1];
}

static void assert_floats(const opened *o, const float *expected)
{
    float values[VALUES];

    ONNX_TRY(rn_onnx_copy_floats(values, last_tensor(o)));
    assert_memory_equal(values, expected, sizeof values);
}

static void assert_refused(place at, rn_status status, const char *says)
{
    opened o;
    rn_status st = fetch(&o, with(at));

    if (st != status || strstr(rn_error_message(), says) == NULL)
        fail_msg("status %d '%s', expected %d '%s'", (int)st, rn_error_message(), (int)status,
                 says);
    assert_non_null(strstr(rn_error_message(), "tensor 'v'"));
    assert_null(strchr(rn_error_message(), '\n'));
    close_model(&o);
}

static void values_are_found_in_their_place(void **state)
{
    (void)state;
    static const struct {
        place at;
        size_t first; // of NUMBERS
    } places[] = {
        {{"data", "0", "16"}, 0},     {{"data", NULL, "16"}, 0},    {{"data", "16", "16"}, 4},
        {{"data", "8", "16"}, 2},     {{"data", "16", NULL}, 4},    {{"odd", "1", "16"}, 0},
        {{"a.b/c..d", "0", NULL}, 0}, {{"a.b/c..d", "0", "16"}, 0},
    };
    char odd[1 + VALUES * sizeof *NUMBERS];
    opened o;

    put("data", NUMBERS, sizeof NUMBERS);
    memcpy(odd + 1, NUMBERS, sizeof odd - 1);
    put("odd", odd, sizeof odd);
    assert_int_equal(mkdir(in_folder("a.b"), 0700), 0);
    put("a.b/c..d", NUMBERS, VALUES * sizeof *NUMBERS);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        ONNX_TRY(fetch(&o, with(places[i].at)));
        assert_floats(&o, NUMBERS + places[i].first);
        close_model(&o);
    }
    unlink(in_folder("a.b/c..d"));
}

// A file is read once, whatever the number of tensors in it; another stands beside it.
static void tensors_share_files(void **state)
{
    (void)state;
    static const int64_t integers[VALUES] = {1, -1, INT64_MAX, 4};
    int64_t got[VALUES];
    opened o;
    file f = with((place){"data", "0", "16"});

    put("data", NUMBERS, sizeof NUMBERS);
    put("integers", integers, sizeof integers);
    add_at(&f, "v2", RN_ONNX_FLOAT, (place){"data", "16", "16"});
    add_at(&f, "n", RN_ONNX_INT64, (place){"integers", NULL, NULL});
    add_at(&f, "v3", RN_ONNX_FLOAT, (place){"data", "4", "16"});
    add_at(&f, "unknown", 9999, (place){"data", "0", "3"}); // may stand there
    add_at(&f, "n2", RN_ONNX_INT64, (place){"integers", NULL, NULL});
    ONNX_TRY(fetch(&o, f));
    assert_int_equal(o.files.count, 2);
    assert_int_equal(o.files.bytes, sizeof NUMBERS + sizeof integers);
    ONNX_TRY(rn_onnx_copy_ints(got, last_tensor(&o)));
    assert_memory_equal(got, integers, sizeof got);
    close_model(&o);
}

// A stranger's model must not read the user's other files.
static void nothing_else_is_read(void **state)
{
    (void)state;
    static const char *const elsewhere[] = {
        "/etc/passwd", "../data", "..", ".",    "./data",      "a//data", "a/../data",
        "a/",          "/",       "a",  "link", "linked/data", "pipe",    "data/data",
    };

    put("data", NUMBERS, sizeof NUMBERS);
    assert_int_equal(mkdir(in_folder("a"), 0700), 0);
    assert_int_equal(symlink("data", in_folder("link")), 0);
    assert_int_equal(symlink(".", in_folder("linked")), 0);
    assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        assert_refused((place){elsewhere[i], NULL, NULL}, RN_EFORMAT,
                       "expected a regular file in the model's folder or below");
    assert_refused((place){"nothing\n", NULL, NULL}, RN_ENOTFOUND, "cannot open '/tmp/store-");
    assert_refused((place){"a/nothing", NULL, NULL}, RN_ENOTFOUND, "/a/nothing'");
    assert_refused((place){"", NULL, NULL}, RN_EFORMAT, "another file, which is not told");
    assert_refused((place){NULL, "0", NULL}, RN_EFORMAT, "another file, which is not told");
    refused(with((place){"data", NULL, NULL}), RN_EUNSUPPORTED, // the model has no place itself
            "tensor 'v': values lie in another file, 'data'");
}

static void names_of_any_length_are_refused(void **state)
{
    (void)state;
    char longest[20000];

    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_refused((place){longest, NULL, NULL}, RN_EIO, "File name too long");
    for (size_t i = 1; i < sizeof longest - 1; i += 2)
        longest[i] = '/';
    assert_refused((place){longest, NULL, NULL}, RN_ENOTFOUND, "No such file");
}

// A model may lie deeper than the system takes a path at once.
static void folders_lie_as_deep_as_models(void **state)
{
    (void)state;
    enum { DEPTH = 30, NAME = 200 };
    char name[NAME + 1], path[DEPTH * (NAME + 1) + 64], command[64];
    int at = open(folder, O_PATH | O_DIRECTORY), file_here;
    opened o;
    size_t length = (size_t)snprintf(path, sizeof path, "%s", folder);

    memset(name, 'a', NAME);
    name[NAME] = '\0';
    for (int i = 0; i < DEPTH; i++) {
        assert_int_equal(mkdirat(at, name, 0700), 0);
        int below = openat(at, name, O_PATH | O_DIRECTORY);
        close(at);
        at = below;
        length += (size_t)snprintf(path + length, sizeof path - length, "/%s", name);
    }
    snprintf(path + length, sizeof path - length, "/model.onnx");
    file_here = openat(at, "data", O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(file_here, NUMBERS, sizeof NUMBERS), sizeof NUMBERS);
    close(file_here);
    close(at);
    ONNX_TRY(read_model(&o, with((place){"data", "0", "16"})));
    ONNX_TRY(rn_onnx_fetch(&o.files, &o.model, path));
    assert_floats(&o, NUMBERS);
    close_model(&o);
    snprintf(command, sizeof command, "rm -rf '%s/'*", folder);
    assert_int_equal(system(command), 0);
}

static void places_outside_the_file_are_refused(void **state)
{
    (void)state;
    static const struct {
        place at;
        const char *says;
    } cases[] = {
        {{"data", "17", "16"}, "16 bytes from byte 17 of 'data', which has 32"},
        {{"data", "33", NULL}, "from byte 33 of 'data', which has 32"},
        {{"data", "9223372036854775807", "9223372036854775807"}, "of 'data', which has 32"},
        {{"data", "0", "9223372036854775807"}, "of 'data', which has 32"},
        {{"data", "32", NULL}, "0 bytes of float32, expected 4 values"},
        {{"data", "0", NULL}, "32 bytes of float32, expected 4 values"},
        {{"data", "0", "15"}, "15 bytes of float32, expected 4 values"},
        {{"data", "0", "17"}, "17 bytes of float32, expected 4 values"},
        {{"data", "-1", NULL}, "offset is '-1', expected a number of bytes"},
        {{"data", "0", "x"}, "length is 'x', expected a number of bytes"},
        {{"data", "", NULL}, "offset is '', expected a number of bytes"},
        {{"data", "9223372036854775808", NULL}, "expected a number of bytes"},
        {{"data", "000000000000000000000000000000", NULL}, "expected a number of bytes"},
        {{"empty", "0", NULL}, "0 bytes of float32, expected 4 values"},
    };

    put("data", NUMBERS, sizeof NUMBERS);
    put("empty", "", 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].at, RN_EFORMAT, cases[i].says);
}

// Only initializers lie in other files, and of those no values in the model.
static void values_stand_in_one_place(void **state)
{
    (void)state;
    file f = start();
    opened o;
    rn_message tensor = tensor_at("v", RN_ONNX_FLOAT, (place){"data", "0", "16"});

    put("data", NUMBERS, sizeof NUMBERS);
    add_node(&f, "Relu", "x", "y", NULL);
    rn_message_refer(&tensor, 9, NUMBERS, VALUES * sizeof *NUMBERS);
    rn_message_append(&f.graph, GRAPH_INITIALIZER, &tensor);
    assert_int_equal(fetch(&o, f), RN_EFORMAT);
    assert_non_null(strstr(rn_error_message(), "values both in raw_data and in another file"));
    close_model(&o);

    rn_message attribute = {0}, attributes = {0};
    tensor = tensor_at("v", RN_ONNX_FLOAT, (place){"data", "0", "16"});
    rn_message_text(&attribute, 1, "value");
    rn_message_append(&attribute, 5, &tensor);
    rn_message_int(&attribute, 20, RN_ONNX_ATTRIBUTE_TENSOR);
    rn_message_append(&attributes, 5, &attribute);
    f = start();
    add_node(&f, "Constant", "", "c", &attributes);
    add_node(&f, "Add", "x c", "y", NULL);
    refused(f, RN_EUNSUPPORTED, "values lie in another file, 'data'");
}

// The files may be of any size; as much as a model may have is read, and nothing of what is more.
static void memory_is_bounded(void **state)
{
    (void)state;
    int descriptor = open(in_folder("huge"), O_WRONLY | O_CREAT | O_EXCL, 0600);

    assert_true(descriptor >= 0);
    assert_int_equal(ftruncate(descriptor, (off_t)1 << 40), 0);
    close(descriptor);
    assert_refused((place){"huge", "0", "16"}, RN_EFORMAT,
                   "huge' has 1099511627776 bytes, expected at most 2147483647");
    put("data", NUMBERS, sizeof NUMBERS);
    assert_int_equal(truncate(in_folder("huge"), INT32_MAX), 0); // with the first file: too much
    file f = start();
    opened o;
    add_node(&f, "Relu", "x", "y", NULL);
    add_at(&f, "v0", RN_ONNX_FLOAT, (place){"data", "0", "16"});
    add_at(&f, "v", RN_ONNX_FLOAT, (place){"huge", "0", "16"});
    assert_int_equal(fetch(&o, f), RN_EFORMAT);
    assert_non_null(strstr(rn_error_message(), "expected at most 2147483615"));
    close_model(&o);
}

static void as_many_files_as_there_may_be(void **state)
{
    (void)state;
    char name[32];
    file f = start();
    opened o;

    add_node(&f, "Relu", "x", "y", NULL);
    put("0", NUMBERS, VALUES * sizeof *NUMBERS);
    for (int i = 0; i <= RN_ONNX_FILES; i++) {
        snprintf(name, sizeof name, "%d", i);
        if (i > 0)
            assert_int_equal(link(in_folder("0"), in_folder(name)), 0);
        add_at(&f, name, RN_ONNX_FLOAT, (place){name, NULL, NULL});
    }
    assert_int_equal(fetch(&o, f), RN_EUNSUPPORTED);
    assert_non_null(strstr(rn_error_message(), "tensor '4096': values lie in more than 4096"));
    close_model(&o);
}

static void want_of_memory_is_told(void **state)
{
    (void)state;
    rn_status st = RN_ENOMEM;
    int steps = 0;

    put("data", NUMBERS, sizeof NUMBERS);
    for (; st == RN_ENOMEM; steps++) {
        opened o;
        int left = steps;
        ONNX_TRY(read_model(&o, with((place){"data", "0", "16"})));
        rn_alloc_hook_set(allow_some, &left);
        st = rn_onnx_fetch(&o.files, &o.model, in_folder("model.onnx"));
        rn_alloc_hook_set(NULL, NULL);
        close_model(&o);
    }
    assert_int_equal(st, RN_OK);
    assert_true(steps > 4);
}

static int clean(void **state)
{
    (void)state;
    empty_folder();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(values_are_found_in_their_place, clean),
        cmocka_unit_test_teardown(tensors_share_files, clean),
        cmocka_unit_test_teardown(nothing_else_is_read, clean),
        cmocka_unit_test_teardown(names_of_any_length_are_refused, clean),
        cmocka_unit_test_teardown(folders_lie_as_deep_as_models, clean),
        cmocka_unit_test_teardown(places_outside_the_file_are_refused, clean),
        cmocka_unit_test_teardown(values_stand_in_one_place, clean),
        cmocka_unit_test_teardown(memory_is_bounded, clean),
        cmocka_unit_test_teardown(as_many_files_as_there_may_be, clean),
        cmocka_unit_test_teardown(want_of_memory_is_told, clean),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
