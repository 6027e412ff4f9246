#include "base/file.h"
#include "store/import.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/model_sample.h"
#include "store/temporary_folder.h"

static rn_weights *resnet_8(const char *model)
{
    rn_graph *graph = NULL;
    rn_weights *weights;

    ok(rn_graph_create(&graph, model, NULL));
    weights = sample_weights(graph, 5);
    rn_graph_free(graph);
    return weights;
}

static void write_file(foreign_file *f)
{
    size_t size = 0;
    char *bytes = foreign_finish(f, &size);

    ok(rn_file_write_atomic(in_folder("x"), bytes, size));
    rn_free(bytes);
}

static rn_checkpoint *load(rn_origin *origin, const rn_import_options *options)
{
    rn_checkpoint *c = NULL;

    ok(rn_model_load(&c, origin, in_folder("x"), options));
    return c;
}

static void assert_refused(rn_status expected, const char *message,
                           const rn_import_options *options)
{
    rn_checkpoint *c = NULL;
    rn_status st = rn_model_load(&c, NULL, in_folder("x"), options);

    if (st != expected || strstr(rn_error_message(), message) == NULL)
        fail_msg("status %d, '%s' lacks '%s'", (int)st, rn_error_message(), message);
    assert_null(c);
    assert_null(strchr(rn_error_message(), '\n'));
    if (strstr(rn_error_message(), in_folder("x")) == NULL)
        fail_msg("the file is not named: %s", rn_error_message());
}

// The values of the first channel in three other float types, each exactly a float32.
static void float_types_are_converted(void **context)
{
    (void)context;
    static const char *const types[] = {"F16", "BF16", "F64"};
    rn_weights *weights = resnet_8("resnet-8");
    rn_origin origin;
    double doubles[16];
    uint16_t halves[16], brains[16];
    const void *values[] = {halves, brains, doubles};
    const size_t bytes[] = {sizeof halves, sizeof brains, sizeof doubles};

    for (int i = 0; i < 16; i++) { // 1 + i/16: the fraction's upper bits
        doubles[i] = 1 + i / 16.0;
        halves[i] = (uint16_t)(15 << 10 | i << 6);
        brains[i] = (uint16_t)(127 << 7 | i << 3);
    }
    for (int type = 0; type < 3; type++) {
        foreign_file *f = calloc(1, sizeof *f);
        foreign_put(f, "bn1.weight", types[type], "16", values[type], bytes[type]);
        foreign_put_weights(f, weights, "bn1.weight");
        foreign_put(f, "bn1.num_batches_tracked", "I64", "", "\7\0\0\0\0\0\0\0", 8);
        foreign_put(f, "some.counter", "I32", "1", "\7\0\0\0", 4);
        foreign_metadata(f, "\"format\":\"pt\"");
        write_file(f);
        rn_checkpoint *c = load(&origin, NULL);
        int gain = rn_graph_find_param(c->graph, "bn1.weight");
        for (int i = 0; i < 16; i++)
            assert_true(rn_weights_read(c->weights, gain)[i] == (float)doubles[i]);
        memcpy(rn_weights_data(c->weights, gain), rn_weights_read(weights, gain), 64);
        assert_same_weights(c->weights, weights);
        assert_string_equal(c->model, "resnet-8");
        assert_int_equal(origin.format, RN_FILE_SAFETENSORS);
        assert_true(origin.inferred_model && origin.assumed_preprocess);
        rn_checkpoint_free(c);
    }
    rn_weights_free(weights);
}

static void put_resnet_8(foreign_file *f, const char *model)
{
    rn_weights *weights = resnet_8(model);

    foreign_put_weights(f, weights, NULL);
    rn_weights_free(weights);
}

static void what_is_not_said_is_assumed_or_told(void **context)
{
    (void)context;
    static const float mean[] = {0.5f, 0.4f, 0.3f}, deviation[] = {0.25f, 0.2f, 0.125f};
    const char *labels[10] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    rn_import_options told = {.mean = mean,
                              .channels = 3,
                              .label_names = labels,
                              .classes = 10,
                              .height = 40,
                              .width = 24};
    rn_origin origin;
    foreign_file *f = calloc(1, sizeof *f);
    rn_checkpoint *c;

    put_resnet_8(f, "resnet-8:shortcut=B");
    write_file(f);
    c = load(&origin, NULL);
    assert_true(origin.assumed_preprocess);
    assert_int_equal(c->preprocess->normalize, RN_NORMALIZE_CHANNEL);
    assert_true(c->preprocess->mean[0] == 0.485f && c->preprocess->deviation[2] == 0.225f);
    assert_string_equal(c->label_names[9], "9");
    assert_string_equal(c->model, "resnet-8:shortcut=B");
    assert_int_equal(c->options.width, 32);
    rn_checkpoint_free(c);

    c = load(&origin, &told);
    assert_false(origin.assumed_preprocess);
    assert_int_equal(c->preprocess->normalize, RN_NORMALIZE_CHANNEL_MEAN);
    assert_true(c->preprocess->mean[2] == 0.3f && c->preprocess->deviation[2] == 1);
    assert_string_equal(c->label_names[9], "j");
    assert_true(c->options.height == 40 && c->options.width == 24);
    rn_checkpoint_free(c);

    told.deviation = deviation;
    c = load(&origin, &told);
    assert_int_equal(c->preprocess->normalize, RN_NORMALIZE_CHANNEL);
    assert_true(c->preprocess->deviation[2] == 0.125f);
    rn_checkpoint_free(c);
}

// Without parameters in its shortcuts a residual network has the names of a plain one.
static void a_told_model_is_taken(void **context)
{
    (void)context;
    foreign_file *f = calloc(1, sizeof *f);
    rn_origin origin;
    rn_checkpoint *c;

    put_resnet_8(f, "plain-8");
    write_file(f);
    c = load(&origin, NULL);
    assert_string_equal(c->model, "resnet-8");
    assert_true(origin.inferred_model);
    rn_checkpoint_free(c);
    c = load(&origin, &(rn_import_options){.model = "plain-8"});
    assert_string_equal(c->model, "plain-8");
    assert_false(origin.inferred_model);
    rn_checkpoint_free(c);
    assert_refused(RN_EINVAL, "as 'resnet-14': tensor 'layer1.1.conv1.weight' is missing",
                   &(rn_import_options){.model = "resnet-14"});
    assert_refused(RN_EINVAL, "tensor 'layer2.0.downsample.0.weight' is missing",
                   &(rn_import_options){.model = "resnet-8:shortcut=B"});
    assert_refused(RN_EINVAL, "unknown model 'resnt-8'", &(rn_import_options){.model = "resnt-8"});
}

static void options_without_sense_are_refused(void **context)
{
    (void)context;
    static const float one[] = {1, 1};
    static const char *const two[] = {"a", "b"};
    foreign_file *f = calloc(1, sizeof *f);

    put_resnet_8(f, "resnet-8");
    write_file(f);
    assert_refused(RN_EINVAL, "mean and deviation of 2 channels told, the model has 3",
                   &(rn_import_options){.mean = one, .channels = 2});
    assert_refused(RN_EINVAL, "a deviation is told without a mean",
                   &(rn_import_options){.deviation = one, .channels = 2});
    assert_refused(RN_EINVAL, "2 labels told, the model has 10 classes",
                   &(rn_import_options){.label_names = two, .classes = 2});
    assert_refused(RN_EINVAL, "input of 32 x 0 told", &(rn_import_options){.height = 32});
}

static void metadata_say_the_rest(void **context)
{
    (void)context;
    static const float mean[] = {0.5f, 0.25f, 0.75f}, other[] = {0.5f, 0.25f, 0.125f};
    foreign_file *f = calloc(1, sizeof *f);
    const char *labels[10] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "ten\xff"};
    rn_origin origin;
    rn_checkpoint *c;

    foreign_metadata(
        f, "\"resnet.model\":\"plain-8\",\"resnet.options\":\"{\\\"height\\\":24}\","
           "\"resnet.preprocess\":\"{\\\"normalize\\\":\\\"channel-mean\\\",\\\"mean\\\":[0.5,0.25,"
           "0.75],\\\"deviation\\\":[1,1,1]}\"");
    put_resnet_8(f, "plain-8");
    write_file(f);
    c = load(
        &origin,
        &(rn_import_options){
            .model = "plain-8", .mean = mean, .channels = 3, .label_names = labels, .classes = 10});
    assert_string_equal(c->model, "plain-8");
    assert_true(c->options.height == 24 && c->options.width == 32 && c->options.classes == 10);
    assert_false(origin.inferred_model || origin.assumed_preprocess);
    assert_int_equal(c->preprocess->normalize, RN_NORMALIZE_CHANNEL_MEAN);
    assert_true(c->preprocess->mean[2] == 0.75f);
    assert_string_equal(c->label_names[9], "ten\xef\xbf\xbd"); // as it is saved
    rn_checkpoint_free(c);
    assert_refused(RN_EINVAL, "model 'resnet-8' told, the file says 'plain-8'",
                   &(rn_import_options){.model = "resnet-8"});
    assert_refused(RN_EINVAL, "a mean is told, the file says another",
                   &(rn_import_options){.mean = other, .channels = 3});
    assert_refused(RN_EINVAL, "input of 32 x 32 told, the file says 24 x 32",
                   &(rn_import_options){.height = 32, .width = 32});
}

typedef struct wrong_file {
    const char *metadata;            // or NULL
    const char *name, *type, *shape; // one more tensor, in the place of that of its name
    size_t bytes;                    // of it
    rn_status status;
    const char *message;
} wrong_file;

#define PREPROCESS(text) "\"resnet.preprocess\":\"{" text "}\""

static const wrong_file wrong_files[] = {
    {.name = "conv1.weight", .status = RN_EUNSUPPORTED, .message = "no known network"},
    {.name = "bn1.weight",
     .status = RN_EFORMAT,
     .message = "as 'resnet-8': tensor 'bn1.weight' is missing"},
    {.name = "fc.bias",
     .type = "F32",
     .shape = "5",
     .bytes = 20,
     .status = RN_EFORMAT,
     .message = "tensor 'fc.bias' has shape 5, expected shape 10"},
    {.name = "fc.bias",
     .type = "F32",
     .shape = "10,1",
     .bytes = 40,
     .status = RN_EFORMAT,
     .message = "tensor 'fc.bias' has shape 10x1, expected shape 10"},
    {.name = "fc.bias",
     .type = "F16",
     .shape = "",
     .bytes = 2,
     .status = RN_EFORMAT,
     .message = "tensor 'fc.bias' has no dimensions, expected shape 10"},
    {.name = "fc.bias",
     .type = "I32",
     .shape = "10",
     .bytes = 40,
     .status = RN_EFORMAT,
     .message = "tensor 'fc.bias' has type int32, expected a float"},
    {.name = "fc.bias",
     .type = "F8_E4M3",
     .shape = "10",
     .bytes = 10,
     .status = RN_EFORMAT,
     .message = "has type float8_e4m3fn"},
    {.name = "layer1.0.se.weight",
     .type = "F32",
     .shape = "1",
     .bytes = 4,
     .status = RN_EFORMAT,
     .message = "as 'resnet-8': tensor 'layer1.0.se.weight' has no place in it"},
    {.name = "linear.bias",
     .type = "F32",
     .shape = "10",
     .bytes = 40,
     .status = RN_EFORMAT,
     .message = "tensor 'fc.bias' appears twice"},
    {.name = "conv1.weight",
     .type = "F32",
     .shape = "16,4294967296,3,0",
     .status = RN_EUNSUPPORTED,
     .message = "kernel of 3 x 0"},
    {.name = "fc.weight",
     .type = "F32",
     .shape = "1000000,0",
     .status = RN_EFORMAT,
     .message = "tensor 'fc.weight' has shape 1000000x0, expected shape 1000000x64"},
    {.name = "fc.weight",
     .type = "F32",
     .shape = "4294967297,0",
     .status = RN_EFORMAT,
     .message = "tensor 'fc.weight' has shape 4294967297x0, expected shape 10x64"},
    {.metadata = "\"resnet.model\":\"resnet-1202\"",
     .status = RN_EFORMAT,
     .message = "as 'resnet-1202': tensor 'layer1.1.conv1.weight' is missing"},
    {.metadata = "\"resnet.model\":\"resnet-9\"", .status = RN_EFORMAT, .message = "depth 9"},
    {.metadata = "\"resnet.options\":\"{\\\"height\\\":-1}\"",
     .status = RN_EFORMAT,
     .message = "'height' is -1"},
    {.metadata = PREPROCESS("\\\"normalize\\\":\\\"channel\\\""),
     .status = RN_EFORMAT,
     .message = "tensor 'preprocess.mean' is missing"},
    {.metadata = PREPROCESS("\\\"normalize\\\":\\\"channel\\\",\\\"mean\\\":[1,2],\\\"deviation\\\""
                            ":[1,2,3]"),
     .status = RN_EFORMAT,
     .message = "'mean' is not a list of 3 numbers"},
    {.metadata = PREPROCESS("\\\"normalize\\\":\\\"channel\\\",\\\"mean\\\":[1,2,3]"),
     .status = RN_EFORMAT,
     .message = "'deviation' is missing"},
    {.metadata = PREPROCESS("\\\"normalize\\\":\\\"channel\\\",\\\"mean\\\":[1,2,\\\"a\\\"],"
                            "\\\"deviation\\\":[1,2,3]"),
     .status = RN_EFORMAT,
     .message = "something else than numbers"},
    {.metadata = PREPROCESS("\\\"normalize\\\":\\\"channel\\\",\\\"mean\\\":[1,2,3],"
                            "\\\"deviation\\\":[1,0,3]"),
     .status = RN_EFORMAT,
     .message = "deviation 1 is 0"},
    {.metadata = "\"resnet.labels\":\"[1]\"",
     .status = RN_EFORMAT,
     .message = "not a list of 10 texts"},
    {.metadata = "\"resnet.format_version\":\"1\",\"resnet.model\":\"resnet-8\"",
     .status = RN_EFORMAT,
     .message = "a version but no checksums"},
};

static size_t allocated;

static bool add_up(size_t bytes, void *context)
{
    (void)context;
    allocated += bytes;
    return true;
}

// Each is refused in one line, with memory of the order of the file's size, whatever it claims.
static void wrong_contents_are_named(void **context)
{
    (void)context;
    static const char zeroes[64];
    rn_weights *weights = resnet_8("resnet-8");

    for (size_t i = 0; i < sizeof wrong_files / sizeof *wrong_files; i++) {
        const wrong_file *w = &wrong_files[i];
        foreign_file *f = calloc(1, sizeof *f);
        if (w->metadata != NULL)
            foreign_metadata(f, w->metadata);
        if (w->type != NULL)
            foreign_put(f, w->name, w->type, w->shape, zeroes, w->bytes);
        foreign_put_weights(f, weights, w->name);
        write_file(f);
        allocated = 0;
        rn_alloc_hook_set(add_up, NULL);
        assert_refused(w->status, w->message, NULL);
        rn_alloc_hook_set(NULL, NULL);
        // 320 kB of weights, twice; the graph of 1202 layers takes 8 MiB on the way there.
        if (allocated > ((size_t)1 << (strstr(w->message, "1202") ? 24 : 21)))
            fail_msg("%s: %zu bytes allocated", w->message, allocated);
    }
    rn_weights_free(weights);
}

// A header of the largest size, full of tensors without elements.
static void a_large_header_costs_its_size(void **context)
{
    (void)context;
    enum { TENSORS = 100000, TEXT = 80 };
    char *bytes = NULL, *next;
    rn_checkpoint *c = NULL;

    ok(rn_alloc((void **)&bytes, (size_t)TENSORS * TEXT + 16, 1));
    next = bytes + 8;
    for (int i = 0; i < TENSORS; i++)
        next += snprintf(next, TEXT,
                         "%c\"layer1.%d.conv1.weight\":{\"dtype\":\"F32\",\"shape\":[0],"
                         "\"data_offsets\":[0,0]}",
                         i == 0 ? '{' : ',', i);
    next += snprintf(next, 8, "}");
    uint64_t length = (uint64_t)(next - bytes - 8);
    memcpy(bytes, &length, sizeof length);
    ok(rn_file_write_atomic(in_folder("x"), bytes, (size_t)length + 8));
    allocated = 0;
    rn_alloc_hook_set(add_up, NULL);
    assert_int_equal(rn_model_load(&c, NULL, in_folder("x"), NULL), RN_EUNSUPPORTED);
    rn_alloc_hook_set(NULL, NULL);
    assert_true(allocated < 8 * length + 65536);
    rn_free(bytes);
}

static int allocations_left;

static bool count_down(size_t bytes, void *context)
{
    (void)bytes;
    (void)context;
    return allocations_left-- > 0;
}

static void allocation_failures_leave_nothing(void **context)
{
    (void)context;
    foreign_file *f = calloc(1, sizeof *f);
    rn_status st = RN_ENOMEM;
    rn_checkpoint *c = NULL;
    const char *labels[10] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    const rn_import_options told = {.label_names = labels, .classes = 10, .model = "resnet-8"};
    int step = 0;

    foreign_metadata(f, "\"resnet.model\":\"resnet-8\",\"format\":\"pt\"");
    foreign_put(f, "bn1.num_batches_tracked", "F16", "1", "\0\0", 2);
    put_resnet_8(f, "resnet-8");
    write_file(f);
    rn_alloc_hook_set(count_down, NULL);
    for (; st == RN_ENOMEM && step < 1000; step++) {
        assert_null(c);
        allocations_left = step;
        st = rn_model_load(&c, NULL, in_folder("x"), &told);
    }
    rn_alloc_hook_set(NULL, NULL);
    ok(st);
    assert_true(step > 30);
    rn_checkpoint_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(float_types_are_converted),
        cmocka_unit_test(what_is_not_said_is_assumed_or_told),
        cmocka_unit_test(a_told_model_is_taken),
        cmocka_unit_test(options_without_sense_are_refused),
        cmocka_unit_test(metadata_say_the_rest),
        cmocka_unit_test(wrong_contents_are_named),
        cmocka_unit_test(a_large_header_costs_its_size),
        cmocka_unit_test(allocation_failures_leave_nothing),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
