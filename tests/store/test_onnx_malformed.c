// Hostile ONNX files: each is one clear line, in memory of the order of the file.
#include "base/memory.h"
#include "store/onnx_write.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "store/onnx_hostile.h"

static void files_of_other_kinds(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\x89PNG\r\n\x1a\n", "PK\3\4", "hello, world",
                                        "{\"a\":1}"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *bytes = NULL;
        ONNX_TRY(rn_strdup(&bytes, texts[i]));
        expect(bytes, strlen(texts[i]), RN_EFORMAT, "");
    }
    refused((file){0}, RN_EFORMAT, "graph has no output");
}

static void names_are_defined_once_and_somewhere(void **state)
{
    (void)state;
    file f = start();
    add_node(&f, "Relu", "nowhere", "y", NULL);
    refused(f, RN_EFORMAT, "node 'y' (Relu): input 'nowhere' is defined nowhere");
    f = start();
    add_node(&f, "Relu", "x", "z", NULL);
    refused(f, RN_EFORMAT, "graph output 'y' is defined nowhere");
    f = start();
    add_node(&f, "Relu", "x", "y", NULL);
    add_node(&f, "Relu", "x", "y", NULL);
    refused(f, RN_EFORMAT, "value 'y' is defined twice");
    f = start();
    add_floats(&f, "w", KERNEL, 4);
    refused(f, RN_EFORMAT, "value 'w' is defined twice");
    f = start();
    add_node(&f, "Relu", "x", "x", NULL);
    refused(f, RN_EFORMAT, "value 'x' is defined twice");
    f = start();
    add_port(&f, GRAPH_INPUT, "z", IMAGE, 4);
    refused(f, RN_EUNSUPPORTED, "graph has inputs 'x' and 'z', expected one");
    f = start();
    add_port(&f, GRAPH_OUTPUT, "z", IMAGE, 4);
    refused(f, RN_EUNSUPPORTED, "graph has more than one output");
}

static void cycles(void **state)
{
    (void)state;
    file f = start();
    add_node(&f, "Relu", "y", "y", NULL);
    refused(f, RN_EFORMAT, "node 'y' (Relu): it depends on its own output");
    f = start();
    add_node(&f, "Add", "x c", "a", NULL);
    add_node(&f, "Relu", "a", "b2", NULL);
    add_node(&f, "Relu", "b2", "c", NULL);
    add_node(&f, "Relu", "c", "y", NULL);
    refused(f, RN_EFORMAT, "it depends on its own output");
}

static void operators_that_no_network_has(void **state)
{
    (void)state;
    static const char *const unknown[] = {"If",   "Loop", "Scan", "LSTM", "QuantizeLinear",
                                          "conv", ""};

    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        file f = start();
        add_node(&f, unknown[i], "x", "y", NULL);
        refused(f, *unknown[i] ? RN_EUNSUPPORTED : RN_EFORMAT,
                *unknown[i] ? "the operator is not known" : "no operator");
    }
    file f = start();
    rn_message node = {0}, function = {0};
    add_words(&node, 1, "x");
    add_words(&node, 2, "y");
    rn_message_text(&node, 4, "Conv");
    rn_message_text(&node, 7, "com.microsoft");
    rn_message_append(&f.graph, GRAPH_NODE, &node);
    refused(f, RN_EUNSUPPORTED, "operators of domain 'com.microsoft' are not known");
    f = start();
    rn_message_text(&function, 1, "f");
    rn_message_append(&f.model, MODEL_FUNCTIONS, &function);
    refused(f, RN_EUNSUPPORTED, "functions of their own");
    f = start();
    rn_message_text(&f.graph, GRAPH_SPARSE, "");
    refused(f, RN_EUNSUPPORTED, "sparse initializers");
}

static void shapes_that_cannot_be(void **state)
{
    (void)state;
    static const struct {
        int64_t shape[4];
        const char *says;
    } cases[] = {
        {{(int64_t)1 << 62, 4, 1, 1}, "too large a tensor"},
        {{(int64_t)1 << 62, (int64_t)1 << 62, 1, 1}, "too large a tensor"},
        {{-1, 3, 3, 3}, "dimension 0 is -1"},
        {{2, INT64_MIN, 3, 3}, "dimension 1 is -9223372036854775808"},
        {{2, 3, 3, 4}, "54 bytes of float32, expected 72 values"},
        {{0, 3, 3, 3}, "54 bytes of float32, expected 0 values"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file f = start();
        rn_message tensor = tensor_of("v", RN_ONNX_FLOAT, cases[i].shape, 4);
        static const char zeroes[54];
        rn_message_refer(&tensor, 9, zeroes, sizeof zeroes);
        rn_message_append(&f.graph, GRAPH_INITIALIZER, &tensor);
        refused(f, RN_EFORMAT, cases[i].says);
    }
    static const int64_t many[] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    file f = start();
    add_floats(&f, "v", many, 9);
    refused(f, RN_EFORMAT, "more than 8 dimensions");
    static const int64_t huge[] = {1, 3, 2147483647, 8}, flat[] = {1, 3};
    f = (file){0};
    add_port(&f, GRAPH_INPUT, "x", huge, 4);
    add_port(&f, GRAPH_OUTPUT, "x", huge, 4);
    refused(f, RN_EFORMAT, "graph input 'x' has 2147483647 at dimension 2");
    f = (file){0};
    add_port(&f, GRAPH_INPUT, "x", flat, 2);
    add_port(&f, GRAPH_OUTPUT, "x", flat, 2);
    refused(f, RN_EUNSUPPORTED, "graph input 'x' has 2 dimensions, expected 4");
    f = (file){0};
    add_port(&f, GRAPH_INPUT, "x", many, 5);
    refused(f, RN_EUNSUPPORTED, "more than 4 dimensions");
}

static void small_tensors_are_short(void **state)
{
    (void)state;
    const int64_t one = 1;
    file f = start();
    rn_message tensor = tensor_of("v", RN_ONNX_FLOAT, &one, 1);

    rn_message_float(&tensor, 4, 1);
    for (int i = 0; i < 100; i++)
        rn_message_refer(&tensor, 4, "", 0); // lists of nothing
    rn_message_append(&f.graph, GRAPH_INITIALIZER, &tensor);
    refused(f, RN_EFORMAT, "tensor 'v': 105 fields for 1 values, expected at most 65");
}

static void weights_of_wrong_types_and_ranks(void **state)
{
    (void)state;
    file f = start();
    rn_message tensor = tensor_of("i", RN_ONNX_INT64, KERNEL, 4);
    static const int64_t zeroes[54];
    rn_message_refer(&tensor, 9, zeroes, sizeof zeroes);
    rn_message_append(&f.graph, GRAPH_INITIALIZER, &tensor);
    add_node(&f, "Conv", "x i", "y", NULL);
    refused(f, RN_EUNSUPPORTED, "node 'y' (Conv): tensor 'i' has int64, expected floats");
    f = start();
    tensor = tensor_of("s", 8, KERNEL, 1);
    rn_message_append(&f.graph, GRAPH_INITIALIZER, &tensor);
    add_node(&f, "Conv", "x s", "y", NULL);
    refused(f, RN_EUNSUPPORTED, "tensor 's' has another type, expected floats");
    f = start();
    add_node(&f, "Conv", "x b", "y", NULL);
    refused(f, RN_EFORMAT, "tensor 'b' has 1 dimensions, expected 4");
    f = start();
    add_node(&f, "Conv", "x", "y", NULL);
    refused(f, RN_EFORMAT, "node 'y' (Conv): input 1 is missing");
    f = start();
    add_node(&f, "Conv", "x x", "y", NULL);
    refused(f, RN_EUNSUPPORTED, "input 1 is not a constant tensor");
    f = start();
    add_node(&f, "Conv", "w w", "y", NULL);
    refused(f, RN_EUNSUPPORTED, "input 0 is not computed from the graph's input");
    f = start();
    add_node(&f, "Gemm", "x w", "y", NULL);
    refused(f, RN_EUNSUPPORTED, "input 0 has 4 dimensions, expected 2");
    f = start();
    add_node(&f, "Identity", "w", "y", NULL);
    refused(f, RN_EUNSUPPORTED, "graph output 'y' does not depend on the input");
    f = start();
    add_node(&f, "Relu", "x", "y", NULL);
    refused(f, RN_EUNSUPPORTED, "node 'y' (Relu): it gives the output, expected a linear layer");
}

static void windows_that_no_network_has(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t value;
        int count;
        const char *says;
    } lists[] = {
        {"strides", 0, 2, "stride 0"},
        {"strides", (int64_t)1 << 62, 2, "strides is 4611686018427387904"},
        {"strides", 2, 3, "strides has 3 numbers, expected 2"},
        {"pads", -1, 4, "pads is -1"},
        {"pads", 3, 4, "pad 3"},
        {"dilations", 2, 2, "dilation is 2"},
        {"kernel_shape", 5, 2, "kernel_shape is 5, the weights' 3"},
        {"kernel_shape", 1, 9, "more than 8 numbers"},
        {"group", 1, 2, "attribute 'group': its type is 7, expected 2"},
        {"colour", 1, 2, "attribute 'colour' is not known"},
    };

    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        file f = start();
        rn_message attribute = ints(lists[i].name, lists[i].value, lists[i].count);
        size_t size;
        add_node(&f, "Conv", "x w", "y", &attribute);
        char *bytes = finish(&f, &size);
        rn_foreign *foreign = NULL;
        assert_true(rn_onnx_parse(&foreign, bytes, size, NULL) != RN_OK);
        if (strstr(rn_error_message(), lists[i].says) == NULL)
            fail_msg("'%s' does not say '%s'", rn_error_message(), lists[i].says);
    }
    file f = start();
    rn_message group = integer("group", 3);
    add_node(&f, "Conv", "x w", "y", &group);
    refused(f, RN_EUNSUPPORTED, "group is 3, expected 1");
    f = start();
    rn_message twice = integer("group", 1), again = integer("group", 1);
    rn_message_join(&twice, &again);
    add_node(&f, "Conv", "x w", "y", &twice);
    refused(f, RN_EFORMAT, "attribute 'group': it stands twice");
    f = start();
    rn_message kernel = ints("kernel_shape", 9, 2);
    add_node(&f, "MaxPool", "x", "y", &kernel);
    refused(f, RN_EFORMAT, "a 9 x 9 window does not fit a map of 8 x 8");
}

static void metadata_have_keys_once(void **state)
{
    (void)state;
    file f = start();
    for (int i = 0; i < 2; i++) {
        rn_message entry = {0};
        rn_message_text(&entry, 1, "k");
        rn_message_append(&f.model, MODEL_METADATA, &entry);
    }
    refused(f, RN_EFORMAT, "metadata 'k' stands twice");
    f = start();
    rn_message entry = {0}, opset = {0};
    rn_message_append(&f.model, MODEL_METADATA, &entry);
    refused(f, RN_EFORMAT, "metadata without a key");
    f = start();
    rn_message_int(&opset, 2, 6);
    rn_message_append(&f.model, MODEL_OPSET, &opset);
    refused(f, RN_EUNSUPPORTED, "operator set 6, expected 7 or later");
}

static void metadata_are_short(void **state)
{
    (void)state;
    enum { HALF = 8 << 20 };
    char *text = test_malloc(HALF);
    file f = start();

    memset(text, 'x', HALF);
    for (int i = 0; i < 2; i++) {
        rn_message entry = {0};
        rn_message_text(&entry, 1, i == 0 ? "first" : "second");
        rn_message_refer(&entry, 2, text, HALF);
        rn_message_append(&f.model, MODEL_METADATA, &entry);
    }
    refused(f, RN_EUNSUPPORTED,
            "metadata 'second' and those before it have more than 16777216 bytes");
    test_free(text);
}

// How much is asked for at once, and in all.
typedef struct meter {
    size_t total;
} meter;

static bool count_bytes(size_t bytes, void *context)
{
    ((meter *)context)->total += bytes;
    return true;
}

static void refused_cheaply(file f, const char *says)
{
    size_t size;
    char *bytes = finish(&f, &size);
    meter used = {0};
    rn_foreign *foreign = NULL;

    rn_alloc_hook_set(count_bytes, &used);
    rn_status st = rn_onnx_parse(&foreign, bytes, size, NULL);
    rn_alloc_hook_set(NULL, NULL);
    assert_true(st != RN_OK);
    if (strstr(rn_error_message(), says) == NULL)
        fail_msg("'%s' does not say '%s'", rn_error_message(), says);
    if (used.total > 64 * size + 100000)
        fail_msg("%zu bytes asked for a file of %zu", used.total, size);
}

static void memory_is_of_the_order_of_the_file(void **state)
{
    (void)state;
    enum { MANY = 1000000 };
    static const struct {
        uint32_t number;
        const char *says;
    } empty[] = {
        {GRAPH_NODE, "node 0 '': no operator"},
        {GRAPH_INITIALIZER, "initializer 2 has no name"},
        {GRAPH_INPUT, "graph input '': no name"},
        {2, "node 'y' (Relu): it gives the output"}, // the graph's name, again and again
    };

    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        file f = start();
        if (empty[i].number == 2)
            add_node(&f, "Relu", "x", "y", NULL);
        for (int k = 0; k < MANY; k++)
            rn_message_text(&f.graph, empty[i].number, "");
        refused_cheaply(f, empty[i].says);
    }
    file f = start();
    for (int i = 0; i < 100001; i++)
        add_node(&f, "R", "x", "-", NULL);
    refused_cheaply(f, "graph has more than 100000 nodes");
    f = start();
    add_node(&f, "Sum", "x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x", "y",
             NULL);
    refused_cheaply(f, "more than 32 inputs or outputs");
    f = start();
    for (int i = 0; i < 1001; i++) {
        rn_message entry = {0};
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        rn_message_text(&entry, 1, key);
        rn_message_append(&f.model, MODEL_METADATA, &entry);
    }
    refused_cheaply(f, "more than 1000 metadata_props");
}

// A long chain must not take a deep stack, and an addition of everything to itself not forever.
static void long_and_wide_graphs(void **state)
{
    (void)state;
    char from[32] = "x", to[32], both[80];
    file f = start();

    for (int i = 0; i < 50000; i++) {
        snprintf(to, sizeof to, "v%d", i);
        snprintf(both, sizeof both, "%s %s", from, from);
        add_node(&f, i % 2 ? "Add" : "Relu", i % 2 ? both : from, to, NULL);
        memcpy(from, to, sizeof from);
    }
    add_node(&f, "Relu", from, "y", NULL);
    refused_cheaply(f, "it gives the output, expected a linear layer");
}

// conv - ReLU, from `at`, which is counted up; all convolutions of a kind share their weights.
static void add_shared(file *f, int64_t in, int64_t out, int stride, int *at)
{
    char inputs[64], made[32], active[32];
    rn_message strides = ints("strides", stride, 2), pads = ints("pads", 1, 4);

    snprintf(inputs, sizeof inputs, "v%d w%d-%d b%d", *at, (int)in, (int)out, (int)out);
    snprintf(made, sizeof made, "c%d", *at);
    snprintf(active, sizeof active, "v%d", ++*at);
    rn_message_join(&strides, &pads);
    add_node(f, "Conv", inputs, made, &strides);
    add_node(f, "Relu", made, active, NULL);
}

// plain-N of 1/100 of its weights.
static file shared_weights(int units)
{
    static const int64_t widths[] = {3, 16, 32, 64}, linear[] = {5, 64};
    file f = {0};
    int at = 0;
    char name[32];

    add_port(&f, GRAPH_INPUT, "v0", IMAGE, 4);
    add_port(&f, GRAPH_OUTPUT, "y", SCORES, 2);
    for (int s = 1; s < 4; s++) {
        for (int k = s - 1; k <= s; k++) {
            const int64_t shape[] = {widths[s], widths[k], 3, 3};
            snprintf(name, sizeof name, "w%d-%d", (int)widths[k], (int)widths[s]);
            add_floats(&f, name, shape, 4);
        }
        snprintf(name, sizeof name, "b%d", (int)widths[s]);
        add_floats(&f, name, &widths[s], 1);
        if (s == 1)
            add_shared(&f, 3, 16, 1, &at);
        for (int i = 0; i < 2 * units; i++)
            add_shared(&f, i == 0 && s > 1 ? widths[s - 1] : widths[s], widths[s],
                       i == 0 && s > 1 ? 2 : 1, &at);
    }
    add_floats(&f, "l", linear, 2);
    snprintf(name, sizeof name, "v%d", at);
    add_node(&f, "GlobalAveragePool", name, "p", NULL);
    add_node(&f, "Flatten", "p", "q", NULL);
    rn_message transposed = integer("transB", 1);
    add_node(&f, "Gemm", "q l", "y", &transposed);
    return f;
}

static void weights_that_layers_share(void **state)
{
    (void)state;
    rn_foreign *foreign = NULL;
    size_t size;
    file f = shared_weights(5);
    char *bytes = finish(&f, &size);

    ONNX_TRY(
        rn_onnx_parse(&foreign, bytes, size, NULL)); // a few bytes more: read, the weights repeated
    assert_string_equal(foreign->model, "plain-32");
    rn_foreign_free(foreign);
    refused_cheaply(shared_weights(60), "layers share weights, which plain-362 does not");
}

static char *small_file(size_t *size)
{
    char path[512], *bytes = NULL;

    snprintf(path, sizeof path, "%s/tests/store/onnx/script-preact.onnx", TEST_SOURCE_DIR);
    ONNX_TRY(rn_file_read(&bytes, size, path, 1 << 20));
    return bytes;
}

static rn_status parse_copy(const char *bytes, size_t size)
{
    char *copy = NULL;
    rn_foreign *foreign = NULL;

    ONNX_TRY(rn_alloc((void **)&copy, size, 1));
    memcpy(copy, bytes, size);
    rn_status st = rn_onnx_parse(&foreign, copy, size, NULL);
    assert_true((foreign != NULL) == (st == RN_OK));
    rn_foreign_free(foreign);
    return st;
}

static void every_truncation_is_found(void **state)
{
    (void)state;
    size_t size;
    char *bytes = small_file(&size);

    for (size_t length = 0; length < size; length++) {
        rn_status st = parse_copy(bytes, length);
        // The operator set's number stands last: without it the model is still whole.
        if (st != RN_EFORMAT && length < size - 8)
            fail_msg("%zu of %zu bytes: status %d, '%s'", length, size, (int)st,
                     rn_error_message());
    }
    rn_free(bytes);
}

// A changed byte may be a changed weight: it must do no harm, and any error be of these kinds.
static void changed_bytes_do_no_harm(void **state)
{
    (void)state;
    static const unsigned char masks[] = {0x01, 0x08, 0x80, 0xff};
    size_t size;
    char *bytes = small_file(&size);

    for (size_t i = 0; i < size; i++) {
        for (size_t m = 0; m < sizeof masks; m++) {
            bytes[i] = (char)(bytes[i] ^ masks[m]);
            rn_status st = parse_copy(bytes, size);
            if (st != RN_OK && st != RN_EFORMAT && st != RN_EUNSUPPORTED)
                fail_msg("byte %zu changed by %02x: status %d, '%s'", i, masks[m], (int)st,
                         rn_error_message());
            bytes[i] = (char)(bytes[i] ^ masks[m]);
        }
    }
    rn_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_other_kinds),
        cmocka_unit_test(names_are_defined_once_and_somewhere),
        cmocka_unit_test(cycles),
        cmocka_unit_test(operators_that_no_network_has),
        cmocka_unit_test(shapes_that_cannot_be),
        cmocka_unit_test(small_tensors_are_short),
        cmocka_unit_test(weights_of_wrong_types_and_ranks),
        cmocka_unit_test(windows_that_no_network_has),
        cmocka_unit_test(metadata_have_keys_once),
        cmocka_unit_test(metadata_are_short),
        cmocka_unit_test(memory_is_of_the_order_of_the_file),
        cmocka_unit_test(long_and_wide_graphs),
        cmocka_unit_test(weights_that_layers_share),
        cmocka_unit_test(every_truncation_is_found),
        cmocka_unit_test(changed_bytes_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
