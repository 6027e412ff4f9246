// ONNX files that PyTorch and others wrote (make_onnx.py): the network, and logits as PyTorch's.
#include "base/file.h"
#include "base/memory.h"
#include "store/onnx_derive.h"
#include "store/onnx_match.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "store/onnx_expected.h"
#include "store/onnx_models.h"
#include "store/temporary_folder.h"

enum { FILES = sizeof onnx_expected / sizeof *onnx_expected, BATCH = 2, CLASSES = 3 };

static const char *path_of(const char *name)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/tests/store/onnx/%s", TEST_SOURCE_DIR, name);
    return path;
}

static char *read_bytes(const char *name, size_t *size)
{
    char *bytes = NULL;

    ONNX_TRY(rn_file_read(&bytes, size, path_of(name), 1 << 20));
    return bytes;
}

static void derive(rn_derived *out, const char *name)
{
    rn_onnx_model model;
    rn_onnx_files files = {0};
    rn_net net;
    size_t size;
    char *bytes = read_bytes(name, &size);

    ONNX_TRY(rn_onnx_read(&model, bytes, size));
    ONNX_TRY(rn_onnx_fetch(&files, &model, path_of(name)));
    if (rn_net_lower(&net, &model) != RN_OK || rn_net_derive(out, &net) != RN_OK)
        fail_msg("%s: %s", name, rn_error_message());
    rn_net_release(&net);
    rn_onnx_release(&model);
    rn_onnx_files_release(&files);
    rn_free(bytes);
}

static void structure_tells_the_spec(void **state)
{
    (void)state;
    rn_derived derived;

    for (int i = 0; i < FILES; i++) {
        derive(&derived, onnx_expected[i].file);
        if (strcmp(derived.specs[0], onnx_expected[i].spec) != 0)
            fail_msg("%s: %s", onnx_expected[i].file, derived.specs[0]);
    }
    derive(&derived, "script-vgg.onnx");
    assert_string_equal(derived.specs[0], "vgg:convs=1,1;bn=no");
}

static void check_logits(const rn_foreign *foreign, int row)
{
    int size = onnx_expected[row].size;
    rn_model_options options = foreign->options;
    float images[BATCH * 3 * 32 * 32], logits[BATCH * CLASSES];
    rn_graph *graph = NULL;
    rn_weights *weights = NULL;

    options.height = options.width = size; // one file leaves them open
    ONNX_TRY(rn_graph_create(&graph, foreign->model, &options));
    ONNX_TRY(rn_weights_create(&weights, graph));
    onnx_take(weights, foreign);
    onnx_fill(images, (size_t)(BATCH * 3 * size * size), 9, -2, 2);
    if (!onnx_logits(logits, graph, weights, images, BATCH))
        fail_msg("%s: %s", foreign->model, rn_error_message());
    for (int i = 0; i < BATCH * CLASSES; i++)
        if (!(fabsf(logits[i] - onnx_expected[row].logits[i]) <= onnx_expected[row].tolerance))
            fail_msg("%s: logit %d is %g, expected %g", onnx_expected[row].file, i,
                     (double)logits[i], (double)onnx_expected[row].logits[i]);
    rn_weights_free(weights);
    rn_graph_free(graph);
}

static void logits_are_pytorchs(void **state)
{
    (void)state;
    rn_foreign *foreign = NULL;
    rn_graph *graph = NULL;

    for (int i = 0; i < FILES; i++) {
        size_t size;
        if (rn_graph_create(&graph, onnx_expected[i].spec, NULL) != RN_OK) {
            printf("skipped: %s: %s\n", onnx_expected[i].file, rn_error_message());
            continue;
        }
        rn_graph_free(graph);
        const char *name = onnx_expected[i].file;
        char *bytes = read_bytes(name, &size);
        if (rn_onnx_parse(&foreign, bytes, size, path_of(name)) != RN_OK)
            fail_msg("%s: %s", name, rn_error_message());
        assert_int_equal(foreign->options.classes, CLASSES);
        assert_int_equal(foreign->options.channels, 3);
        check_logits(foreign, i);
        rn_foreign_free(foreign);
    }
}

// The file with "resnet.options" in its metadata, which a message may have at its end.
static void write_with_options(const char *path, const char *name, const char *options)
{
    rn_message entry = {0}, added = {0};
    rn_atomic_file file = {.descriptor = -1};
    size_t size;
    char *bytes = read_bytes(name, &size);

    rn_message_text(&entry, 1, "resnet.options");
    rn_message_text(&entry, 2, options);
    rn_message_append(&added, 14, &entry);
    ONNX_TRY(rn_atomic_file_open(&file, path));
    ONNX_TRY(rn_atomic_file_write(&file, bytes, size));
    ONNX_TRY(rn_message_write(&added, &file));
    ONNX_TRY(rn_atomic_file_commit(&file));
    rn_message_release(&added);
    rn_free(bytes);
}

static void assert_sizes(const char *path, const rn_import_options *told, int height, int width)
{
    rn_checkpoint *loaded = NULL;

    ONNX_TRY(rn_model_load(&loaded, NULL, path, told));
    assert_int_equal(loaded->options.height, height);
    assert_int_equal(loaded->options.width, width);
    rn_checkpoint_free(loaded);
}

// First the graph, then what is told, metadata, the model's usual size.
static void the_size_is_found_in_turn(void **state)
{
    (void)state;
    const rn_import_options told = {.height = 64, .width = 48}, same = {.height = 8, .width = 8};
    rn_checkpoint *loaded = NULL;
    const char *path = in_folder("open.onnx");

    write_with_options(path, "bfloat.onnx", "{}");
    assert_sizes(path, NULL, 32, 32);
    assert_sizes(path, &told, 64, 48);
    write_with_options(path, "bfloat.onnx", "{\"height\":24,\"width\":40}");
    assert_sizes(path, NULL, 24, 40);
    assert_sizes(path, &told, 64, 48);
    write_with_options(path, "script-plain.onnx", "{\"height\":24,\"width\":40}");
    assert_sizes(path, &same, 8, 8);
    assert_int_equal(rn_model_load(&loaded, NULL, path, &told), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "input of 64 x 48 told, the file says 8 x 8"));
}

// What each program wrote must not matter: the float types and where values stand.
// A half-precision file whose inputs stay float32 has one behind them; values are float32 here.
static void casts_between_floats_change_nothing(void **state)
{
    static const char to_float[] = "\x0a\x02to\x18\x01";
    static const struct {
        char type;
        rn_status expected;
    } cases[] = {{1, RN_OK}, {10, RN_OK}, {11, RN_OK}, {16, RN_OK}, {7, RN_EUNSUPPORTED}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rn_foreign *foreign = NULL;
        size_t size;
        char *bytes = read_bytes("biased.onnx", &size);
        char *to = memmem(bytes, size, to_float, sizeof to_float - 1);
        assert_non_null(to);
        to[sizeof to_float - 2] = cases[i].type;
        assert_int_equal(rn_onnx_parse(&foreign, bytes, size, NULL), cases[i].expected);
        if (cases[i].expected != RN_OK)
            assert_non_null(strstr(rn_error_message(), "(Cast): it converts to type 7, expected"));
        rn_foreign_free(foreign);
    }
}

static void types_are_told(void **state)
{
    (void)state;
    static const char *const files[] = {"half.onnx", "bfloat.onnx", "double.onnx"};
    static const char *const types[] = {"float16", "bfloat16", "float64"};

    for (size_t i = 0; i < 3; i++) {
        size_t size;
        rn_onnx_model model;
        char *bytes = read_bytes(files[i], &size);
        ONNX_TRY(rn_onnx_read(&model, bytes, size));
        assert_string_equal(rn_onnx_type_name(model.tensors[0].type), types[i]);
        rn_onnx_release(&model);
        rn_free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structure_tells_the_spec),
        cmocka_unit_test(logits_are_pytorchs),
        cmocka_unit_test(the_size_is_found_in_turn),
        cmocka_unit_test(casts_between_floats_change_nothing),
        cmocka_unit_test(types_are_told),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
