#include "base/file.h"
#include "base/json_write.h"
#include "base/memory.h"
#include "store/checkpoint.h"
#include "store/safetensors.h"

#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "store/temporary_folder.h"

// An odd input and class count, names that JSON must escape.
static const rn_model_options options = {.classes = 3, .channels = 2, .height = 9, .width = 7};
static char *labels[] = {"cat \"tom\"", "h\xc3\xa9ron", "a\\b\n"};

static void ok(rn_status st)
{
    if (st != RN_OK)
        fail_msg("%s", rn_error_message());
}

static rn_weights *weights_of(const rn_graph *graph, uint64_t seed)
{
    rn_weights *weights = NULL;

    ok(rn_weights_create(&weights, graph));
    rn_weights_initialise(weights, seed);
    return weights;
}

static rn_preprocess *preprocess_of(rn_normalize normalize)
{
    enum { MOST = 2 * 9 * 7 };
    float mean[MOST], deviation[MOST];
    rn_preprocess *preprocess = NULL;

    for (int i = 0; i < MOST; i++) {
        mean[i] = 0.1f * (float)i;
        deviation[i] = normalize == RN_NORMALIZE_PIXEL_MEAN ? 1.0f : 0.3f + (float)i;
    }
    ok(rn_preprocess_create(&preprocess, normalize, 2, 9, 7, mean, deviation));
    return preprocess;
}

static rn_checkpoint *sample(bool training, rn_normalize normalize)
{
    rn_checkpoint *c = NULL;

    ok(RN_NEW(&c, 1));
    ok(rn_graph_create(&c->graph, "resnet-8:shortcut=B", &options));
    c->options = *rn_graph_options(c->graph);
    ok(rn_strdup(&c->model, rn_graph_model(c->graph)));
    c->weights = weights_of(c->graph, 1);
    c->preprocess = preprocess_of(normalize);
    ok(RN_NEW(&c->label_names, 3));
    for (int i = 0; i < 3; i++)
        ok(rn_strdup(&c->label_names[i], labels[i]));
    if (!training)
        return c;
    c->momentum = weights_of(c->graph, 2);
    c->ema = weights_of(c->graph, 3);
    ok(RN_NEW(&c->ranges, (size_t)rn_graph_nodes(c->graph)));
    for (int i = 0; i < rn_graph_nodes(c->graph); i++) // of every third
        c->ranges[i] = (rn_range){i % 3 == 1 ? -0.1f * (float)i : 1, i % 3 == 1 ? 1.0f / 3 : 0};
    ok(rn_strdup(&c->recipe, "{\"lr\": 0.1}"));
    ok(rn_strdup(&c->state, "{\"iteration\":77}"));
    return c;
}

static void assert_same_weights(const rn_weights *a, const rn_weights *b, bool trained_only)
{
    assert_int_equal(rn_weights_count(a), rn_weights_count(b));
    for (int i = 0; i < rn_weights_count(a); i++) {
        size_t count = rn_weights_param(a, i)->count;
        if (!trained_only || rn_param_trained(rn_weights_param(a, i)))
            assert_memory_equal(rn_weights_read(a, i), rn_weights_read(b, i),
                                count * sizeof(float));
        else
            for (size_t j = 0; j < count; j++)
                assert_true(rn_weights_read(b, i)[j] == 0);
    }
}

static void assert_same_preprocess(const rn_preprocess *a, const rn_preprocess *b)
{
    assert_int_equal(a->normalize, b->normalize);
    assert_int_equal(a->entries, b->entries);
    assert_true(a->channels == b->channels && a->height == b->height && a->width == b->width);
    assert_memory_equal(a->mean, b->mean, a->entries * sizeof(float));
    assert_memory_equal(a->deviation, b->deviation, a->entries * sizeof(float));
}

static void round_trip(bool training, rn_normalize normalize)
{
    rn_checkpoint *c = sample(training, normalize), *back = NULL;

    rn_weights_data(c->weights, 0)[5] = NAN; // a diverged network can be looked at, too
    ok(rn_checkpoint_save(c, in_folder("a")));
    ok(rn_checkpoint_load(&back, in_folder("a")));
    assert_string_equal(back->model, "resnet-8:shortcut=B");
    assert_memory_equal(&back->options, &c->options, sizeof c->options);
    assert_same_weights(c->weights, back->weights, false);
    assert_same_preprocess(c->preprocess, back->preprocess);
    for (int i = 0; i < 3; i++)
        assert_string_equal(back->label_names[i], labels[i]);
    assert_int_equal(back->momentum != NULL, training);
    assert_int_equal(back->ema != NULL, training);
    if (training) {
        assert_same_weights(c->momentum, back->momentum, true);
        assert_same_weights(c->ema, back->ema, false);
        assert_string_equal(back->recipe, c->recipe);
        assert_string_equal(back->state, c->state);
        assert_memory_equal(back->ranges, c->ranges,
                            (size_t)rn_graph_nodes(c->graph) * sizeof *c->ranges);
    } else {
        assert_true(back->recipe == NULL && back->state == NULL && back->ranges == NULL);
    }
    rn_checkpoint_free(back);
    rn_checkpoint_free(c);
}

static void everything_reads_back(void **state)
{
    (void)state;
    round_trip(true, RN_NORMALIZE_CHANNEL);
    round_trip(true, RN_NORMALIZE_PIXEL_MEAN);
    round_trip(false, RN_NORMALIZE_PIXEL);
    round_trip(false, RN_NORMALIZE_NONE);
}

static void saving_what_was_loaded_gives_the_same_bytes(void **state)
{
    (void)state;
    rn_checkpoint *c = sample(true, RN_NORMALIZE_CHANNEL), *back = NULL;
    char *a = NULL, *b = NULL;
    size_t a_size, b_size;

    ok(rn_checkpoint_save(c, in_folder("a")));
    ok(rn_checkpoint_load(&back, in_folder("a")));
    ok(rn_checkpoint_save(back, in_folder("b")));
    ok(rn_file_read(&a, &a_size, in_folder("a"), 1 << 24));
    ok(rn_file_read(&b, &b_size, in_folder("b"), 1 << 24));
    assert_int_equal(a_size, b_size);
    assert_memory_equal(a, b, a_size);
    rn_free(a);
    rn_free(b);
    rn_checkpoint_free(c);
    rn_checkpoint_free(back);
}

static void change_byte(int descriptor, off_t at, int mask)
{
    unsigned char byte;

    assert_int_equal(pread(descriptor, &byte, 1, at), 1);
    byte = (unsigned char)(byte ^ mask);
    assert_int_equal(pwrite(descriptor, &byte, 1, at), 1);
}

// Every byte of length, header and the first tensors, then every 997th; the whole of a small file
// byte by byte is in test_safetensors.c.
static void damage_is_found(void **state)
{
    (void)state;
    rn_checkpoint *c = sample(false, RN_NORMALIZE_CHANNEL), *back = NULL;
    uint64_t size = 0;

    ok(rn_checkpoint_save(c, in_folder("a")));
    ok(rn_file_size(&size, in_folder("a")));
    int descriptor = open(in_folder("a"), O_RDWR);
    for (uint64_t at = 0; at < size; at += at < 3000 ? 1 : 997) {
        change_byte(descriptor, (off_t)at, 1 << (at % 8));
        if (rn_checkpoint_load(&back, in_folder("a")) != RN_EFORMAT)
            fail_msg("change of byte %llu is not found", (unsigned long long)at);
        assert_null(back);
        change_byte(descriptor, (off_t)at, 1 << (at % 8));
    }
    ok(rn_checkpoint_load(&back, in_folder("a")));
    rn_checkpoint_free(back);
    for (uint64_t length = size; length-- > 0; length -= length > 3000 ? 997 : 0) {
        assert_int_equal(ftruncate(descriptor, (off_t)length), 0);
        assert_int_equal(rn_checkpoint_load(&back, in_folder("a")), RN_EFORMAT);
    }
    close(descriptor);
    rn_checkpoint_free(c);
}

static void full_disk_leaves_the_old_file(void **state)
{
    (void)state;
    rn_checkpoint *c = sample(true, RN_NORMALIZE_CHANNEL), *back = NULL;
    uint64_t size = 0;

    empty_folder();
    ok(rn_checkpoint_save_in(c, folder, 5, 2));
    ok(rn_file_size(&size, in_folder("checkpoint-5.safetensors")));
    limit_file_size(size - 1);
    rn_status same = rn_checkpoint_save_in(c, folder, 5, 2);
    rn_status next = rn_checkpoint_save_in(c, folder, 6, 2);
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(same, RN_EIO);
    assert_int_equal(next, RN_EIO);
    assert_int_equal(folder_files(), 1);
    ok(rn_checkpoint_load(&back, in_folder("checkpoint-5.safetensors")));
    rn_checkpoint_free(back);
    rn_checkpoint_free(c);
}

static void incomplete_checkpoints_are_not_saved(void **state)
{
    (void)state;
    rn_checkpoint *c = sample(false, RN_NORMALIZE_NONE);
    rn_preprocess *preprocess = c->preprocess, *other = NULL;

    c->preprocess = NULL;
    assert_int_equal(rn_checkpoint_save(c, in_folder("x")), RN_EINVAL);
    ok(rn_preprocess_create(&other, RN_NORMALIZE_NONE, 2, 9, 8, NULL, NULL));
    c->preprocess = other;
    assert_int_equal(rn_checkpoint_save(c, in_folder("x")), RN_EINVAL);
    assert_int_equal(rn_checkpoint_save_in(c, folder, 1, 0), RN_EINVAL);
    assert_false(rn_file_exists(in_folder("x")));
    rn_preprocess_free(other);
    c->preprocess = preprocess;
    rn_checkpoint_free(c);
}

// The parts of a file that a test changes before it is written, checksums and all.
typedef struct parts {
    cJSON *metadata;
    rn_tensor tensors[160];
    size_t count;
} parts;

static void take_apart(parts *p, const rn_safetensors *file)
{
    static const char *const keys[] = {RN_META_VERSION,    RN_META_MODEL,  RN_META_OPTIONS,
                                       RN_META_PREPROCESS, RN_META_LABELS, RN_META_RECIPE};

    ok(rn_json_object(&p->metadata));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *value = rn_safetensors_metadata(file, keys[i]);
        if (value != NULL)
            ok(rn_json_add_text(p->metadata, keys[i], value));
    }
    p->count = rn_safetensors_count(file);
    for (size_t i = 0; i < p->count; i++)
        p->tensors[i] = *rn_safetensors_tensor(file, i);
}

typedef struct rewrite {
    const char *key, *value; // metadata to replace; NULL value: to remove
    const char *tensor;      // to rename (value NULL in `renamed`: to drop) or reshape
    const char *renamed;
    bool reshape;
    const char *message; // NULL: must load
} rewrite;

static const rewrite rewrites[] = {
    {.message = NULL},
    {.key = RN_META_MODEL, .message = "metadata 'resnet.model' is missing: not a model file"},
    {.key = RN_META_MODEL, .value = "resnet-9", .message = "depth 9"},
    {.key = RN_META_MODEL, .value = "resnet-14:shortcut=B", .message = "is missing"},
    {.key = RN_META_MODEL, .value = "resnet-8", .message = "has no place in 'resnet-8'"},
    {.key = RN_META_MODEL, .value = "resnet-1202", .message = "is missing"},
    {.key = RN_META_VERSION, .value = "2", .message = "format version is '2', expected '1'"},
    {.key = RN_META_VERSION, .message = "checksums but no version"},
    {.key = RN_META_OPTIONS, .value = "[]", .message = "resnet.options: JSON is not an object"},
    {.key = RN_META_OPTIONS, .value = "{\"classes\":0}", .message = "'classes' is 0"},
    {.key = RN_META_OPTIONS, .value = "{\"class\":3}", .message = "did you mean 'classes'?"},
    {.key = RN_META_OPTIONS,
     .value = "{\"classes\":4,\"channels\":2,\"height\":9,\"width\":7}",
     .message = "tensor 'fc.weight' has shape 3x64, expected shape 4x64"},
    {.key = RN_META_OPTIONS,
     .value = "{\"classes\":3,\"channels\":2,\"height\":99999,\"width\":7}",
     .message = "height is 99999"},
    {.key = RN_META_PREPROCESS, .value = "{\"normalize\":\"chanel\"}", .message = "chanel"},
    {.key = RN_META_PREPROCESS, .value = "{\"normalize\":\"imagenet\"}", .message = "'channel'"},
    {.key = RN_META_PREPROCESS, .value = "{\"normalize\":3}", .message = "not a text"},
    {.key = RN_META_PREPROCESS,
     .value = "{\"normalize\":\"none\"}",
     .message = "'preprocess.mean' has no place"},
    {.key = RN_META_PREPROCESS,
     .value = "{\"normalize\":\"pixel\"}",
     .message = "tensor 'preprocess.mean' has shape 2, expected shape 2x9x7"},
    {.key = RN_META_PREPROCESS,
     .value = "{\"normalize\":\"channel-mean\"}",
     .message = "deviation 0"},
    {.key = RN_META_LABELS, .value = "[\"a\",\"b\"]", .message = "not a list of 3 texts"},
    {.key = RN_META_LABELS, .value = "[\"a\",\"b\",3]", .message = "label 2 is not a text"},
    {.key = RN_META_LABELS, .value = "x", .message = "resnet.labels: JSON syntax error at byte 0"},
    {.key = RN_META_RANGES, .value = "{\"layer1.0.relu1\":[0,2.5]}", .message = NULL},
    {.key = RN_META_RANGES, .value = "{}", .message = NULL},
    {.key = RN_META_RANGES, .value = "[1]", .message = "resnet.ranges: JSON is not an object"},
    {.key = RN_META_RANGES, .value = "{\"layer9\":[0,1]}", .message = "no 'layer9'"},
    {.key = RN_META_RANGES, .value = "{\"input\":[0,1]}", .message = "no 'input'"},
    {.key = RN_META_RANGES,
     .value = "{\"layer1.0.relu1\":[0,1,2]}",
     .message = "'layer1.0.relu1' is not two numbers"},
    {.key = RN_META_RANGES,
     .value = "{\"layer1.0.relu1\":[0,\"1\"]}",
     .message = "'layer1.0.relu1' is not two numbers"},
    {.key = RN_META_RANGES, .value = "{\"layer1.0.relu1\":7}", .message = "is not two numbers"},
    {.key = RN_META_RANGES, .value = "{\"layer1.0.relu1\":[2,1]}", .message = "is 2 to 1"},
    {.key = RN_META_RANGES, .value = "{\"layer1.0.relu1\":[-2,-1]}", .message = "is -2 to -1"},
    {.key = RN_META_RANGES, .value = "{\"layer1.0.relu1\":[0,1e99]}", .message = "1e+99"},
    {.key = RN_META_RANGES,
     .value = "{\"layer1.0.relu1\":[0,1],\"layer1.0.relu1\":[0,2]}",
     .message = "resnet.ranges: 'layer1.0.relu1' stands twice"},
    {.key = RN_META_RECIPE, .value = "x", .message = "resnet.recipe: JSON syntax error"},
    {.key = RN_META_LABELS, .message = NULL},
    {.tensor = "fc.bias", .renamed = "fc.bis", .message = "tensor 'fc.bias' is missing"},
    {.tensor = "fc.bias", .message = "tensor 'fc.bias' is missing"},
    {.tensor = "fc.weight",
     .reshape = true,
     .message = "tensor 'fc.weight' has shape 192, expected shape 3x64"},
    {.tensor = "momentum.fc.bias", .message = "tensor 'momentum.fc.bias' is missing"},
    {.tensor = "momentum.fc.bias",
     .renamed = "momentum.bn1.running_mean",
     .message = "tensor 'momentum.fc.bias' is missing"},
    {.tensor = "ema.bn1.running_var", .message = "tensor 'ema.bn1.running_var' is missing"},
    {.tensor = "preprocess.mean", .message = "tensor 'preprocess.mean' is missing"},
};

static void apply(parts *p, const rewrite *r)
{
    if (r->key != NULL)
        cJSON_DeleteItemFromObjectCaseSensitive(p->metadata, r->key);
    if (r->key != NULL && r->value != NULL)
        ok(rn_json_add_text(p->metadata, r->key, r->value));
    for (size_t i = 0; r->tensor != NULL && i < p->count; i++) {
        rn_tensor *tensor = &p->tensors[i];
        if (strcmp(tensor->name, r->tensor) != 0)
            continue;
        if (r->reshape)
            *tensor = (rn_tensor){tensor->name, 1, {tensor->count}, tensor->count, tensor->data};
        else if (r->renamed != NULL)
            tensor->name = r->renamed;
        else
            *tensor = p->tensors[--p->count];
        return;
    }
}

static void wrong_contents_are_named(void **state)
{
    (void)state;
    rn_checkpoint *c = sample(true, RN_NORMALIZE_CHANNEL), *back = NULL;
    rn_safetensors *file = NULL;

    ok(rn_checkpoint_save(c, in_folder("a")));
    ok(rn_safetensors_open(&file, in_folder("a")));
    for (size_t i = 0; i < sizeof rewrites / sizeof *rewrites; i++) {
        const rewrite *r = &rewrites[i];
        parts p = {0};
        take_apart(&p, file);
        apply(&p, r);
        ok(rn_safetensors_write(in_folder("b"), p.metadata, p.tensors, p.count));
        rn_status st = rn_checkpoint_load(&back, in_folder("b"));
        if (st != (r->message == NULL ? RN_OK : RN_EFORMAT))
            fail_msg("case %zu: status %d, %s", i, (int)st, rn_error_message());
        if (r->message != NULL && (strstr(rn_error_message(), r->message) == NULL ||
                                   strstr(rn_error_message(), in_folder("b")) == NULL))
            fail_msg("case %zu: '%s' lacks '%s'", i, rn_error_message(), r->message);
        rn_checkpoint_free(back);
        cJSON_Delete(p.metadata);
    }
    rn_safetensors_free(file);
    rn_checkpoint_free(c);
}

static char *replace_once(char *at, const char *from, const char *to)
{
    char *found = strstr(at, from);

    assert_non_null(found);
    memcpy(found, to, strlen(from));
    return found;
}

// As if by another program: our checksums and version are not there. Weights and model suffice.
static void foreign_files_need_the_model(void **state)
{
    (void)state;
    rn_checkpoint *c = sample(false, RN_NORMALIZE_CHANNEL), *back = NULL;
    char *bytes = NULL;
    size_t size = 0;

    ok(rn_checkpoint_save(c, in_folder("a")));
    ok(rn_file_read(&bytes, &size, in_folder("a"), 1 << 24));
    replace_once(bytes + 8, RN_SAFETENSORS_HEADER_CRC, "another.header_crc32");
    replace_once(bytes + 8, RN_SAFETENSORS_TENSORS_CRC, "another.tensors_crc32");
    replace_once(bytes + 8, RN_META_VERSION, "another.format_versio");
    replace_once(bytes + 8, RN_META_LABELS, "another.label");
    ok(rn_file_write_atomic(in_folder("b"), bytes, size));
    ok(rn_checkpoint_load(&back, in_folder("b")));
    assert_same_weights(c->weights, back->weights, false);
    assert_string_equal(back->label_names[2], "2");
    rn_checkpoint_free(back);
    replace_once(bytes + 8, RN_META_MODEL, "another.mode");
    ok(rn_file_write_atomic(in_folder("b"), bytes, size));
    assert_int_equal(rn_checkpoint_load(&back, in_folder("b")), RN_EFORMAT);
    assert_non_null(strstr(rn_error_message(), "metadata 'resnet.model' is missing"));
    rn_free(bytes);
    rn_checkpoint_free(c);
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
    rn_checkpoint *c = sample(true, RN_NORMALIZE_PIXEL), *back = NULL;
    rn_status st = RN_ENOMEM;
    int step = 0;

    empty_folder();
    rn_alloc_hook_set(count_down, NULL);
    for (; st == RN_ENOMEM && step < 500; step++) {
        assert_int_equal(folder_files(), 0);
        allocations_left = step;
        st = rn_checkpoint_save(c, in_folder("a"));
    }
    assert_int_equal(st, RN_OK);
    assert_true(step > 5);
    for (st = RN_ENOMEM, step = 0; st == RN_ENOMEM && step < 500; step++) {
        assert_null(back);
        allocations_left = step;
        st = rn_checkpoint_load(&back, in_folder("a"));
    }
    rn_alloc_hook_set(NULL, NULL);
    assert_int_equal(st, RN_OK);
    assert_true(step > 20);
    rn_checkpoint_free(back);
    rn_checkpoint_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_reads_back),
        cmocka_unit_test(saving_what_was_loaded_gives_the_same_bytes),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(full_disk_leaves_the_old_file),
        cmocka_unit_test(incomplete_checkpoints_are_not_saved),
        cmocka_unit_test(wrong_contents_are_named),
        cmocka_unit_test(foreign_files_need_the_model),
        cmocka_unit_test(allocation_failures_leave_nothing),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
