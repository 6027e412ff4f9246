#include <math.h>
#include <stdarg.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "store/torch.h"
#include "store/torch_files.h"

typedef struct expected_tensor {
    const char *name;
    const char *type;
    int dims;
    uint64_t shape[4];
} expected_tensor;

static const char *sample(const char *name)
{
    static char path[1024];

    snprintf(path, sizeof path, "%s/tests/store/torch_samples/%s.pt", TEST_SOURCE_DIR, name);
    return path;
}

// make_torch_samples.py: element i of a float tensor is (i - 3) / 4, in C order.
static void check_tensor(const rn_foreign_tensor *found, const expected_tensor *expected)
{
    const rn_tensor *tensor = &found->tensor;
    size_t count = 1;

    assert_string_equal(tensor->name, expected->name);
    assert_string_equal(found->type, expected->type);
    assert_int_equal(tensor->dims, expected->dims);
    for (int d = 0; d < tensor->dims; d++) {
        assert_int_equal(tensor->shape[d], expected->shape[d]);
        count *= tensor->shape[d];
    }
    assert_int_equal(tensor->count, count);
    if (strstr(expected->type, "float") == NULL) {
        assert_null(tensor->data);
        return;
    }
    assert_non_null(tensor->data);
    for (size_t i = 0; i < count; i++) {
        float wanted = strcmp(tensor->name, "expanded") == 0 ? -0.75f : ((float)i - 3) / 4;
        if (torch_element(tensor, i) != wanted)
            fail_msg("%s[%zu] is %g, expected %g", tensor->name, i,
                     (double)torch_element(tensor, i), (double)wanted);
    }
}

static void check_file(const char *name, const expected_tensor *expected, size_t count)
{
    rn_foreign *foreign = load_torch(sample(name));

    assert_null(foreign->model);
    assert_null(foreign->metadata);
    assert_int_equal(foreign->count, count);
    for (size_t i = 0; i < count; i++)
        check_tensor(&foreign->tensors[i], &expected[i]);
    rn_foreign_free(foreign);
}

static void every_type_and_stride_is_read(void **state)
{
    static const expected_tensor expected[] = {
        {"float32", "float32", 2, {2, 3}},
        {"float64", "float64", 2, {2, 3}},
        {"float16", "float16", 1, {5}},
        {"bfloat16", "bfloat16", 1, {7}},
        {"scalar", "float32", 0, {0}},
        {"empty", "float32", 2, {0, 4}},
        {"transposed", "float32", 2, {3, 5}},
        {"channels_last", "float32", 4, {2, 3, 2, 2}},
        {"slice", "float32", 2, {3, 4}},
        {"slice_half", "float16", 2, {2, 3}},
        {"row", "float32", 1, {4}},
        {"same", "float32", 2, {2, 3}},
        {"expanded", "float32", 2, {4, 3}},
        {"parameter", "float32", 2, {4, 2}},
        {"odd_stride", "float32", 2, {1, 4}},
        {"int64", "int64", 1, {2}},
        {"int32", "int32", 1, {2}},
        {"int16", "int16", 1, {2}},
        {"int8", "int8", 1, {2}},
        {"uint8", "uint8", 1, {2}},
        {"bool", "bool", 1, {2}},
    };

    (void)state;
    check_file("zip", expected, sizeof expected / sizeof *expected);
    check_file("legacy", expected, sizeof expected / sizeof *expected);
}

// The state dict is found, and all else in the file is passed over.
static void containers_and_protocols_are_read(void **state)
{
    static const expected_tensor expected[] = {
        {"a", "float32", 2, {2, 2}},
        {"b", "float16", 1, {3}},
    };
    static const expected_tensor wrapped[] = {
        {"module.a", "float32", 2, {2, 2}},
        {"module.b", "float16", 1, {3}},
        {"module.num_batches_tracked", "int64", 0, {0}},
    };
    static const expected_tensor compiled[] = {
        {"module._orig_mod.a", "float32", 2, {2, 2}},
        {"module._orig_mod.b", "float16", 1, {3}},
    };
    static const char *const two[] = {
        "small", "no_crc",           "rewritten",        "protocol5",
        "model", "model_state_dict", "protocol1_legacy", "protocol4_legacy"};
    static const char *const three[] = {"checkpoint", "checkpoint_legacy", "checkpoint_protocol4"};

    (void)state;
    for (size_t i = 0; i < sizeof two / sizeof *two; i++)
        check_file(two[i], expected, 2);
    for (size_t i = 0; i < sizeof three / sizeof *three; i++)
        check_file(three[i], wrapped, 3);
    check_file("net", compiled, 2);
}

static void tensors_with_attributes_are_read(void **state)
{
    static const expected_tensor expected[] = {
        {"a", "float32", 2, {2, 2}}, {"b", "float16", 1, {3}}, {"words", "uint16", 1, {3}}};

    (void)state;
    check_file("attributes", expected, 3);
}

static void what_is_no_state_dict_is_refused(void **state)
{
    static const struct {
        const char *name;
        rn_status status;
        const char *message;
    } cases[] = {
        {"big_endian", RN_EFORMAT, "byte order 'big', expected 'little'"},
        {"compressed", RN_EFORMAT,
         "zip entry 'saved/byteorder' is compressed (method 8), expected it stored as PyTorch "
         "does"},
        {"no_tensors", RN_EFORMAT,
         "no tensors in the dict saved, nor in a 'state_dict', 'model', 'model_state_dict' or "
         "'net' within"},
        {"list", RN_EFORMAT, "the object saved is not a dict, expected a state dict"},
        {"module_object", RN_EFORMAT,
         "pickle at byte 2: GLOBAL names 'torch.nn.modules.linear.Linear', which is not allowed: "
         "no state dict needs it"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rn_foreign *foreign = NULL;
        assert_int_equal(parse_torch(&foreign, sample(cases[i].name)), cases[i].status);
        assert_string_equal(rn_error_message(), cases[i].message);
        assert_null(foreign);
    }
}

static void formats_are_recognised(void **state)
{
    static const char tar[512] = {[257] = 'u', 's', 't', 'a', 'r'};
    static const char safetensors[] = "\x80\x02\0\0\0\0\0\0{\"__metadata__\":{}}";
    static const char onnx[] = "\x08\x08\x12\x07pytorch";
    rn_foreign *foreign = NULL;

    (void)state;
    assert_true(rn_torch_recognise("PK\3\4", 4));
    assert_true(rn_torch_recognise("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20", 10));
    assert_true(rn_torch_recognise(tar, sizeof tar));
    assert_false(rn_torch_recognise(safetensors, sizeof safetensors - 1));
    assert_false(rn_torch_recognise(onnx, sizeof onnx - 1));
    assert_false(rn_torch_recognise("", 0));
    assert_false(rn_torch_recognise("PK\3", 3));
    assert_int_equal(parse_torch_copy(&foreign, tar, sizeof tar), RN_EUNSUPPORTED);
    assert_non_null(strstr(rn_error_message(), "tar archive"));
    assert_int_equal(parse_torch_copy(&foreign, onnx, sizeof onnx - 1), RN_EFORMAT);
    assert_non_null(strstr(rn_error_message(), "neither a zip archive nor a pickle"));
}

// IEEE 754 binary16, as its definition has it.
static float half_value(unsigned half)
{
    int exponent = (int)(half >> 10 & 31), fraction = (int)(half & 1023);
    double value = exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);

    if (exponent == 31)
        value = fraction == 0 ? (double)INFINITY : (double)NAN;
    return (float)(half & 0x8000 ? -value : value);
}

static void every_half_is_converted(void **state)
{
    enum { COUNT = 1 << 16 };
    static const rn_torch_dtype dtype = {"float16", 2, RN_TORCH_FLOAT16};
    static uint16_t halves[COUNT];
    static float floats[COUNT];
    const rn_torch_layout layout = {.type = &dtype,
                                    .data = (const char *)halves,
                                    .dims = 2,
                                    .shape = {COUNT / 2, 2},
                                    .stride = {2, 1},
                                    .count = COUNT};

    (void)state;
    for (unsigned i = 0; i < COUNT; i++)
        halves[i] = (uint16_t)i;
    rn_torch_convert(floats, &layout);
    for (unsigned i = 0; i < COUNT; i++) {
        float expected = half_value(i);
        if (isnan(expected))
            assert_true(isnan(floats[i]));
        else
            assert_memory_equal(&floats[i], &expected, sizeof expected);
    }
}

typedef struct trained {
    const char *file;
    size_t tensors, elements;
    uint32_t crc32;              // of all values in the file's order, little-endian float32
    float first, last, variance; // of conv1.weight, linear.bias; of bn1.running_var
} trained;

// The numbers are what torch.load() of PyTorch 2.15 and zlib.crc32() of Python give.
static void check_trained(const char *folder, const trained *expected)
{
    char path[1024];
    size_t elements = 0;
    uint32_t crc = 0;

    snprintf(path, sizeof path, "%s/weights/%s", folder, expected->file);
    if (!rn_file_exists(path)) {
        print_message("skipped: no '%s'\n", path);
        skip();
    }
    rn_foreign *foreign = load_torch(path);
    assert_int_equal(foreign->count, expected->tensors);
    for (size_t i = 0; i < foreign->count; i++) {
        const rn_tensor *tensor = &foreign->tensors[i].tensor;
        assert_string_equal(foreign->tensors[i].type, "float32");
        crc = rn_crc32(crc, tensor->data, tensor->count * sizeof(float));
        elements += tensor->count;
    }
    assert_int_equal(elements, expected->elements);
    assert_int_equal(crc, expected->crc32);
    const rn_tensor *conv = &find_torch(foreign, "module.conv1.weight")->tensor;
    const rn_tensor *bias = &find_torch(foreign, "module.linear.bias")->tensor;
    const rn_tensor *variance = &find_torch(foreign, "module.bn1.running_var")->tensor;
    assert_int_equal(conv->dims, 4);
    assert_true(conv->shape[0] == 16 && conv->shape[1] == 3 && conv->shape[2] == 3 &&
                conv->shape[3] == 3);
    assert_int_equal(bias->shape[0], 10);
    assert_true(torch_element(conv, 0) == expected->first);
    assert_true(torch_element(bias, 9) == expected->last);
    assert_true(torch_element(variance, 15) == expected->variance);
    assert_string_equal(foreign->tensors[0].tensor.name, "module.conv1.weight");
    assert_string_equal(foreign->tensors[foreign->count - 1].tensor.name, "module.linear.bias");
    rn_foreign_free(foreign);
}

static void trained_files_are_read(void **state)
{
    static const trained files[] = {
        {"resnet20-12fca82f.th", 97, 271098, 0x1d128e52, -0x1.1afee2p-3f, -0x1.14bee2p-2f,
         0x1.474a62p+3f},
        {"resnet32-d509ac18.th", 157, 466426, 0x31025ec2, 0x1.9d3d4p-2f, -0x1.615f96p-4f,
         0x1.fd92d4p+1f},
    };
    const char *folder = getenv("RESNET_DATA");

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        check_trained(folder != NULL ? folder : TEST_SOURCE_DIR "/../shared/data", &files[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_and_stride_is_read),
        cmocka_unit_test(containers_and_protocols_are_read),
        cmocka_unit_test(tensors_with_attributes_are_read),
        cmocka_unit_test(what_is_no_state_dict_is_refused),
        cmocka_unit_test(formats_are_recognised),
        cmocka_unit_test(every_half_is_converted),
        cmocka_unit_test(trained_files_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
