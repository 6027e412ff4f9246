#include "base/file.h"
#include "store/import.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/model_sample.h"
#include "store/temporary_folder.h"

static void formats_have_names(void **context)
{
    (void)context;
    assert_string_equal(rn_file_format_name(RN_FILE_RESNET), "resnet");
    assert_string_equal(rn_file_format_name(RN_FILE_SAFETENSORS), "safetensors");
    assert_string_equal(rn_file_format_name(RN_FILE_TORCH), "torch");
    assert_string_equal(rn_file_format_name(RN_FILE_ONNX), "onnx");
    assert_null(rn_file_format_name(RN_FILE_UNKNOWN));
    assert_null(rn_file_format_name((rn_file_format)5));
    assert_null(rn_file_format_name((rn_file_format)-1));
}

// Formats whose files hold everything: what is loaded is what was saved.
static void round_trip(rn_file_format format, rn_normalize normalize, bool ema, bool last)
{
    rn_checkpoint *c = sample_model(normalize, ema), *back = NULL;
    rn_export_options options = {.format = format, .last = last};
    rn_origin origin;

    ok(rn_model_save(c, in_folder("a"), &options));
    ok(rn_model_load(&back, &origin, in_folder("a"), NULL));
    assert_int_equal(origin.format, format);
    assert_false(origin.inferred_model || origin.assumed_preprocess);
    assert_string_equal(back->model, c->model);
    assert_true(back->options.height == 9 && back->options.width == 7);
    assert_same_weights(back->weights, ema && !last ? c->ema : c->weights);
    assert_same_preprocess(back->preprocess, c->preprocess);
    for (int i = 0; i < 3; i++)
        assert_string_equal(back->label_names[i], c->label_names[i]);
    assert_true(back->ema == NULL && back->momentum == NULL && back->state == NULL);
    rn_checkpoint_free(back);
    rn_checkpoint_free(c);
}

static void whole_formats_read_back(void **context)
{
    (void)context;
    static const rn_file_format formats[] = {RN_FILE_RESNET, RN_FILE_SAFETENSORS, RN_FILE_ONNX};

    for (int i = 0; i < 3; i++) {
        round_trip(formats[i], RN_NORMALIZE_CHANNEL, true, false);
        round_trip(formats[i], RN_NORMALIZE_CHANNEL, true, true);
        round_trip(formats[i], RN_NORMALIZE_CHANNEL_MEAN, false, false);
        round_trip(formats[i], RN_NORMALIZE_PIXEL, false, true);
        round_trip(formats[i], RN_NORMALIZE_PIXEL_MEAN, false, false);
        round_trip(formats[i], RN_NORMALIZE_NONE, false, false);
    }
}

// A PyTorch file has weights only; what it lacks can be told.
static void torch_files_keep_the_weights(void **context)
{
    (void)context;
    rn_checkpoint *c = sample_model(RN_NORMALIZE_CHANNEL, true), *back = NULL;
    const rn_import_options told = {.height = 9,
                                    .width = 7,
                                    .mean = c->preprocess->mean,
                                    .deviation = c->preprocess->deviation,
                                    .channels = 2,
                                    .label_names = (const char *const *)c->label_names,
                                    .classes = 3};
    rn_origin origin;

    ok(rn_model_save(c, in_folder("a.pth"), NULL));
    ok(rn_model_load(&back, &origin, in_folder("a.pth"), &told));
    assert_int_equal(origin.format, RN_FILE_TORCH);
    assert_true(origin.inferred_model && !origin.assumed_preprocess);
    assert_string_equal(back->model, c->model);
    assert_same_weights(back->weights, c->ema);
    assert_same_preprocess(back->preprocess, c->preprocess);
    assert_string_equal(back->label_names[1], c->label_names[1]);
    rn_checkpoint_free(back);
    ok(rn_model_load(&back, &origin, in_folder("a.pth"), NULL));
    assert_true(origin.assumed_preprocess);
    assert_int_equal(back->preprocess->normalize, RN_NORMALIZE_NONE); // not 3 channels
    rn_checkpoint_free(back);
    rn_checkpoint_free(c);
}

// A state dict that load_state_dict() takes: the parameters under their names and nothing else.
static void state_dicts_hold_parameters_only(void **context)
{
    (void)context;
    rn_checkpoint *c = sample_model(RN_NORMALIZE_PIXEL, true);
    rn_safetensors *file = NULL;

    ok(rn_model_save(c, in_folder("a"), &(rn_export_options){.format = RN_FILE_SAFETENSORS}));
    ok(rn_safetensors_open(&file, in_folder("a")));
    assert_int_equal(rn_safetensors_count(file), rn_graph_params(c->graph));
    for (int i = 0; i < rn_graph_params(c->graph); i++) {
        const rn_param *param = rn_graph_param(c->graph, i);
        const rn_tensor *tensor = rn_safetensors_find(file, param->name);
        assert_non_null(tensor);
        assert_int_equal(tensor->dims, param->dims);
    }
    assert_string_equal(rn_safetensors_metadata(file, "format"), "pt");
    assert_null(rn_safetensors_metadata(file, RN_META_VERSION));
    rn_safetensors_free(file);
    rn_checkpoint_free(c);
}

static void endings_say_the_format(void **context)
{
    (void)context;
    static const struct {
        const char *name;
        rn_file_format format; // UNKNOWN: refused
    } cases[] = {{"m.safetensors", RN_FILE_RESNET},
                 {"m.SafeTensors", RN_FILE_RESNET},
                 {"m.pth", RN_FILE_TORCH},
                 {"m.pt", RN_FILE_TORCH},
                 {"m.th", RN_FILE_TORCH},
                 {"m.onnx", RN_FILE_ONNX},
                 {"m.bin", RN_FILE_UNKNOWN},
                 {"pth", RN_FILE_UNKNOWN},
                 {"m", RN_FILE_UNKNOWN}};
    rn_checkpoint *c = sample_model(RN_NORMALIZE_NONE, false), *back = NULL;
    rn_origin origin;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rn_status st = rn_model_save(c, in_folder(cases[i].name), NULL);
        if (cases[i].format == RN_FILE_UNKNOWN) {
            assert_int_equal(st, RN_EINVAL);
            assert_non_null(strstr(rn_error_message(), "its ending says no format"));
            assert_false(rn_file_exists(in_folder(cases[i].name)));
        } else if (st == RN_OK) {
            ok(rn_model_load(&back, &origin, in_folder(cases[i].name), NULL));
            assert_int_equal(origin.format, cases[i].format);
            rn_checkpoint_free(back);
        } else { // a stub, which leaves nothing
            assert_int_equal(st, RN_EUNSUPPORTED);
            assert_false(rn_file_exists(in_folder(cases[i].name)));
        }
    }
    assert_int_equal(
        rn_model_save(c, in_folder("m.safetensors"), &(rn_export_options){.fold_batch_norm = true}),
        RN_EINVAL);
    assert_int_equal(rn_model_save(c, in_folder("m"), &(rn_export_options){.format = 9}),
                     RN_EINVAL);
    rn_checkpoint_free(c);
}

static void other_files_are_refused(void **context)
{
    (void)context;
    static const struct {
        const char *bytes;
        size_t size;
        rn_status status;
        const char *message;
    } cases[] = {
        {"", 0, RN_EFORMAT, "no model file: it has 0 bytes"},
        {"a", 1, RN_EFORMAT, "no model file: it has 1 byte"},
        {"hello, world", 12, RN_EFORMAT, "it begins with 68 65 6c 6c, expected safetensors"},
        {"\x89PNG\r\n\x1a\n", 8, RN_EFORMAT, "it begins with 89 50 4e 47"},
        {"\xff\xff\xff\xff\xff\0\0\0{}", 10, RN_EFORMAT, "claims a header of 1099511627775 bytes"},
        {"\0\0\0\6\0\0\0\0{}", 10, RN_EFORMAT,
         "claims a header of 100663296 bytes in a file of 10"},
        {"\0\0\0\0\0\0\0\1{}", 10, RN_EFORMAT, "it begins with 00 00 00 00"},
        {"\2\0\0\0\0\0\0\0{}", 10, RN_EUNSUPPORTED, "the file holds no tensors"},
        {"\2\0\0\0\0\0\0\0{x", 10, RN_EFORMAT, "JSON syntax error"},
        {"\2\0\0\0\0\0\0\0{}x", 11, RN_EFORMAT, "1 bytes of data, expected 0"},
    };
    rn_checkpoint *c = NULL;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ok(rn_file_write_atomic(in_folder("x"), cases[i].bytes, cases[i].size));
        rn_status st = rn_model_load(&c, NULL, in_folder("x"), NULL);
        if (st != cases[i].status || strstr(rn_error_message(), cases[i].message) == NULL)
            fail_msg("case %zu: status %d, '%s'", i, (int)st, rn_error_message());
        assert_non_null(strstr(rn_error_message(), in_folder("x")));
        assert_null(c);
    }
    assert_int_equal(rn_model_load(&c, NULL, in_folder("none"), NULL), RN_ENOTFOUND);
    assert_int_equal(rn_model_load(&c, NULL, folder, NULL), RN_EIO);
}

// A sparse file of 5 GiB with these first bytes.
static void make_large(const char *path, const char *head, size_t bytes)
{
    ok(rn_file_write_atomic(path, head, bytes));
    assert_int_equal(truncate(path, (off_t)5 << 30), 0);
}

static bool refuse_large(size_t bytes, void *context)
{
    size_t *wanted = context;

    *wanted = bytes > *wanted ? bytes : *wanted;
    return bytes < (size_t)1 << 30;
}

// Before memory is taken: `resnet summary FILM` must not read the film.
static void large_files_are_judged_by_their_first_bytes(void **context)
{
    (void)context;
    static const struct {
        const char *head;
        size_t bytes;
        const char *message;
    } cases[] = {
        {"\x1a\x45\xdf\xa3", 4, "it begins with 1a 45 df a3"},
        {"\0\0\0\6\0\0\0\0{", 9, "header of 100663296 bytes, expected at most 16777216"},
    };
    rn_checkpoint *c = NULL;
    size_t wanted = 0;

    rn_alloc_hook_set(refuse_large, &wanted);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make_large(in_folder("x"), cases[i].head, cases[i].bytes);
        assert_int_equal(rn_model_load(&c, NULL, in_folder("x"), NULL), RN_EFORMAT);
        assert_non_null(strstr(rn_error_message(), cases[i].message));
    }
    assert_true(wanted < (size_t)1 << 20);
    make_large(in_folder("x"), "\x40\0\0\0\0\0\0\0{", 9); // any size may be a model's
    assert_int_equal(rn_model_load(&c, NULL, in_folder("x"), NULL), RN_ENOMEM);
    assert_true(wanted > (size_t)5 << 30);
    wanted = 0;
    assert_int_equal(rn_checkpoint_load(&c, in_folder("x")), RN_ENOMEM);
    assert_true(wanted > (size_t)5 << 30);
    rn_alloc_hook_set(NULL, NULL);
}

// As folders with pictures may be called: the file is JSON all the same, and reads back.
static void labels_become_utf8(void **context)
{
    (void)context;
    static const rn_file_format formats[] = {RN_FILE_RESNET, RN_FILE_SAFETENSORS, RN_FILE_ONNX};
    rn_checkpoint *c = sample_model(RN_NORMALIZE_NONE, false), *back = NULL;

    c->label_names[0][0] = '\xe9';
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        ok(rn_model_save(c, in_folder("a"), &(rn_export_options){.format = formats[i]}));
        ok(rn_model_load(&back, NULL, in_folder("a"), NULL));
        assert_string_equal(back->label_names[0], "\xef\xbf\xbd"
                                                  "at \"tom\"");
        assert_string_equal(back->label_names[1], c->label_names[1]);
        rn_checkpoint_free(back);
    }
    rn_checkpoint_free(c);
}

static void labels_are_one_list(void **context)
{
    (void)context;
    static const char *const bad[] = {"[\"a\"] junk", "[\"a\\u0000\"]", "[\"a\",\"b\"]", "{}", "["};
    char **labels = NULL;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cJSON *metadata = NULL;
        ok(rn_json_object(&metadata));
        ok(rn_json_add_text(metadata, RN_META_LABELS, bad[i]));
        assert_int_equal(rn_meta_labels(&labels, metadata, 1), RN_EFORMAT);
        assert_null(labels);
        cJSON_Delete(metadata);
    }
}

// A damaged file of ours is none of another program's.
static void damage_is_found(void **context)
{
    (void)context;
    rn_checkpoint *c = sample_model(RN_NORMALIZE_CHANNEL, false), *back = NULL;
    char *bytes = NULL;
    size_t size = 0;

    for (int format = RN_FILE_RESNET; format <= RN_FILE_SAFETENSORS; format++) {
        ok(rn_model_save(c, in_folder("a"),
                         &(rn_export_options){.format = (rn_file_format)format}));
        ok(rn_file_read(&bytes, &size, in_folder("a"), 1 << 24));
        for (size_t at = 0; at < size; at += at < 2000 ? 13 : 9973) {
            bytes[at] ^= 4;
            ok(rn_file_write_atomic(in_folder("b"), bytes, size));
            assert_int_equal(rn_model_load(&back, NULL, in_folder("b"), NULL), RN_EFORMAT);
            assert_null(back);
            bytes[at] ^= 4;
        }
        rn_free(bytes);
    }
    rn_checkpoint_free(c);
}

static void own_files_contradict_what_is_told(void **context)
{
    (void)context;
    rn_checkpoint *c = sample_model(RN_NORMALIZE_CHANNEL, false), *back = NULL;
    const char *labels[] = {c->label_names[0], c->label_names[1], "dog"};
    const rn_import_options agreed = {.model = "resnet-8:shortcut=B",
                                      .height = 9,
                                      .width = 7,
                                      .mean = c->preprocess->mean,
                                      .channels = 2,
                                      .deviation = c->preprocess->deviation};
    const rn_import_options wrong[] = {
        {.model = "resnet-8:shortcut=C"},
        {.height = 9, .width = 9},
        {.mean = c->preprocess->mean, .channels = 2},
        {.label_names = labels, .classes = 3},
    };

    ok(rn_model_save(c, in_folder("a.safetensors"), NULL));
    ok(rn_model_load(&back, NULL, in_folder("a.safetensors"), &agreed));
    rn_checkpoint_free(back);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(rn_model_load(&back, NULL, in_folder("a.safetensors"), &wrong[i]),
                         RN_EINVAL);
    assert_non_null(
        strstr(rn_error_message(), "label 'dog' told for class 2, the file says 'a\\b"));
    rn_checkpoint_free(c);
}

static void fresh_models_are_as_training_begins(void **context)
{
    (void)context;
    rn_checkpoint *c = NULL, *other = NULL;
    rn_weights *expected = NULL;
    const rn_model_options options = {.classes = 7, .channels = 1, .height = 12, .width = 8};

    ok(rn_model_create(&c, "resnet-14", &options, 9));
    ok(rn_weights_create(&expected, c->graph));
    rn_weights_initialise(expected, 9);
    assert_same_weights(c->weights, expected);
    assert_string_equal(c->model, "resnet-14");
    assert_string_equal(c->label_names[6], "6");
    assert_int_equal(c->preprocess->normalize, RN_NORMALIZE_NONE);
    assert_true(c->options.classes == 7 && c->preprocess->height == 12);
    assert_int_equal(rn_model_create(&other, "resnet-15", NULL, 1), RN_EINVAL);
    assert_null(other);
    rn_weights_free(expected);
    rn_checkpoint_free(c);
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
    rn_checkpoint *c = NULL;
    rn_status st = RN_ENOMEM;

    rn_alloc_hook_set(count_down, NULL);
    for (int step = 0; st == RN_ENOMEM && step < 500; step++) {
        assert_null(c);
        allocations_left = step;
        st = rn_model_create(&c, "resnet-8", NULL, 1);
    }
    rn_alloc_hook_set(NULL, NULL);
    ok(st);
    empty_folder();
    rn_alloc_hook_set(count_down, NULL);
    st = RN_ENOMEM;
    for (int step = 0; st == RN_ENOMEM && step < 500; step++) {
        assert_int_equal(folder_files(), 0);
        allocations_left = step;
        st = rn_model_save(c, in_folder("a"), &(rn_export_options){.format = RN_FILE_SAFETENSORS});
    }
    rn_alloc_hook_set(NULL, NULL);
    ok(st);
    rn_checkpoint_free(c);
}

static void full_disk_leaves_the_old_file(void **context)
{
    (void)context;
    rn_checkpoint *c = sample_model(RN_NORMALIZE_NONE, false), *back = NULL;

    empty_folder();
    for (int format = RN_FILE_RESNET; format <= RN_FILE_ONNX; format++) {
        const rn_export_options options = {.format = (rn_file_format)format};
        if (rn_model_save(c, in_folder("a"), &options) == RN_EUNSUPPORTED)
            continue;
        limit_file_size(5000);
        rn_status st = rn_model_save(c, in_folder("a"), &options);
        limit_file_size(RLIM_INFINITY);
        assert_int_equal(st, RN_EIO);
        assert_int_equal(folder_files(), 1);
        ok(rn_model_load(&back, NULL, in_folder("a"), NULL));
        rn_checkpoint_free(back);
    }
    rn_checkpoint_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_have_names),
        cmocka_unit_test(whole_formats_read_back),
        cmocka_unit_test(torch_files_keep_the_weights),
        cmocka_unit_test(state_dicts_hold_parameters_only),
        cmocka_unit_test(endings_say_the_format),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(labels_become_utf8),
        cmocka_unit_test(labels_are_one_list),
        cmocka_unit_test(large_files_are_judged_by_their_first_bytes),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(own_files_contradict_what_is_told),
        cmocka_unit_test(fresh_models_are_as_training_begins),
        cmocka_unit_test(allocation_failures_leave_nothing),
        cmocka_unit_test(full_disk_leaves_the_old_file),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
