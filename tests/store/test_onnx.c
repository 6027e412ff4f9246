// ONNX files of our own: what is written reads back, folding is exact to rounding, bytes are
// pinned.
#include "base/allow_some.h"
#include "base/file.h"
#include "store/onnx_write.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "store/onnx_models.h"
#include "store/temporary_folder.h"

enum { CLASSES = 5, SIZE = 8, BATCH = 2 };

static cJSON *metadata_of(const rn_checkpoint *model)
{
    cJSON *metadata = NULL;

    ONNX_TRY(rn_json_object(&metadata));
    if (model != NULL)
        ONNX_TRY(rn_json_add_text(metadata, "resnet.model", rn_graph_model(model->graph)));
    ONNX_TRY(rn_json_add_text(metadata, "resnet.labels", "[\"a\",\"\\\"b\\\"\",\"\xc3\xa9\"]"));
    return metadata;
}

static char *written(size_t *size, const rn_checkpoint *model, const cJSON *metadata, bool fold)
{
    char *bytes = NULL;

    ONNX_TRY(rn_onnx_write(in_folder("model.onnx"), model, model->weights, metadata, fold));
    ONNX_TRY(rn_file_read(&bytes, size, in_folder("model.onnx"), 1 << 24));
    return bytes;
}

static rn_foreign *there_and_back(const rn_checkpoint *model, const cJSON *metadata, bool fold)
{
    size_t size;
    rn_foreign *foreign = NULL;
    char *bytes = written(&size, model, metadata, fold);

    if (rn_onnx_parse(&foreign, bytes, size, NULL) != RN_OK)
        fail_msg("%s: %s", rn_graph_model(model->graph), rn_error_message());
    return foreign;
}

static void what_is_written_reads_back(void **state)
{
    (void)state;
    for (int i = 0; i < ONNX_SPECS; i++) {
        rn_checkpoint *model =
            onnx_specs[i].size > 16 ? NULL : onnx_model(onnx_specs[i].spec, CLASSES, SIZE);
        rn_weights *weights = NULL;
        if (model == NULL)
            continue;
        cJSON *metadata = metadata_of(NULL);
        rn_foreign *foreign = there_and_back(model, metadata, false);
        const char *expected =
            onnx_specs[i].read == NULL ? rn_graph_model(model->graph) : onnx_specs[i].read;
        assert_string_equal(foreign->model, expected);
        assert_int_equal(foreign->options.classes, CLASSES);
        assert_int_equal(foreign->options.height, SIZE);
        char *text = cJSON_PrintUnformatted(metadata);
        assert_string_equal(foreign->metadata, text);
        cJSON_free(text);
        ONNX_TRY(rn_weights_create(&weights, model->graph));
        onnx_take(weights, foreign);
        for (int p = 0; p < rn_weights_count(weights); p++)
            assert_memory_equal(rn_weights_read(weights, p), rn_weights_read(model->weights, p),
                                rn_weights_param(weights, p)->count * sizeof(float));
        rn_weights_free(weights);
        rn_foreign_free(foreign);
        cJSON_Delete(metadata);
        onnx_model_free(model);
    }
}

static void check_folded(const char *spec)
{
    float images[BATCH * 3 * SIZE * SIZE], a[BATCH * CLASSES], b[BATCH * CLASSES];
    rn_checkpoint *model = onnx_model(spec, CLASSES, SIZE);
    rn_weights *weights = NULL;
    cJSON *metadata = metadata_of(NULL);
    rn_foreign *foreign = there_and_back(model, metadata, true);

    assert_string_equal(foreign->model, rn_graph_model(model->graph));
    ONNX_TRY(rn_weights_create(&weights, model->graph));
    onnx_take(weights, foreign);
    onnx_fill(images, BATCH * 3 * SIZE * SIZE, 4, -2, 2);
    assert_true(onnx_logits(a, model->graph, model->weights, images, BATCH));
    assert_true(onnx_logits(b, model->graph, weights, images, BATCH));
    for (int i = 0; i < BATCH * CLASSES; i++)
        if (!(fabsf(a[i] - b[i]) <= 1e-5f * fmaxf(1, fabsf(a[i]))))
            fail_msg("%s: logit %d is %g, folded %g", spec, i, (double)a[i], (double)b[i]);
    rn_weights_free(weights);
    rn_foreign_free(foreign);
    cJSON_Delete(metadata);
    onnx_model_free(model);
}

static void folding_changes_nothing_but_the_rounding(void **state)
{
    (void)state;
    check_folded("resnet-8");
    check_folded("resnet-8:shortcut=B");
    check_folded("plain-8");
}

static void pin(const rn_checkpoint *model, bool fold, size_t size, uint32_t crc)
{
    size_t found, again;
    cJSON *metadata = metadata_of(model);
    char *bytes = written(&found, model, metadata, fold),
         *second = written(&again, model, metadata, fold);

    assert_int_equal(found, again);
    assert_memory_equal(bytes, second, found);
    if (found != size || rn_crc32(0, bytes, found) != crc)
        fail_msg("%zu bytes with checksum %08x, expected %zu, %08x", found,
                 (unsigned)rn_crc32(0, bytes, found), size, (unsigned)crc);
    rn_free(bytes);
    rn_free(second);
    cJSON_Delete(metadata);
}

// The files with these checksums pass onnx's checker and run (slow_onnx.sh).
static void bytes_are_pinned(void **state)
{
    (void)state;
    rn_checkpoint *model = onnx_model("resnet-8", CLASSES, SIZE);

    for (int i = 0; i < rn_weights_count(model->weights); i++)
        onnx_fill(rn_weights_data(model->weights, i), rn_weights_param(model->weights, i)->count,
                  (uint32_t)i, 0.25f, 1);
    pin(model, false, 306878, 0x499ccfa5);
    pin(model, true, 302293, 0x55adc642);
    onnx_model_free(model);
}

// The file says one thing and its graph another: the graph is right.
static void metadata_do_not_overrule_the_graph(void **state)
{
    (void)state;
    static const char *const wrong[] = {"resnet-14", "plain-8", "no such network",
                                        "resnet-8:shortcut=C", ""};
    rn_checkpoint *model = onnx_model("resnet-8", CLASSES, SIZE);

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cJSON *metadata = NULL;
        ONNX_TRY(rn_json_object(&metadata));
        ONNX_TRY(rn_json_add_text(metadata, "resnet.model", wrong[i]));
        rn_foreign *foreign = there_and_back(model, metadata, true);
        assert_string_equal(foreign->model, "resnet-8");
        rn_foreign_free(foreign);
        cJSON_Delete(metadata);
    }
    cJSON *metadata = NULL;
    rn_checkpoint *loaded = NULL;
    ONNX_TRY(rn_json_object(&metadata));
    ONNX_TRY(rn_json_add_text(metadata, "resnet.model", "resnet-8"));
    ONNX_TRY(rn_json_add_text(metadata, "resnet.options", "{\"height\":24,\"width\":24}"));
    rn_foreign_free(there_and_back(model, metadata, false));
    ONNX_TRY(rn_model_load(&loaded, NULL, in_folder("model.onnx"), NULL));
    assert_true(loaded->options.height == SIZE && loaded->options.width == SIZE);
    rn_checkpoint_free(loaded);
    cJSON_Delete(metadata);
    onnx_model_free(model);
}

static void what_protobuf_cannot_hold_is_refused(void **state)
{
    (void)state;
    rn_message message = {0};
    float one = 0;

    rn_message_refer(&message, 7, &one, ((size_t)1 << 31) - 6); // never read
    assert_int_equal(rn_message_length(&message), (size_t)1 << 31);
    assert_int_equal(rn_onnx_write_message(in_folder("huge.onnx"), &message), RN_EUNSUPPORTED);
    assert_non_null(strstr(rn_error_message(), "huge.onnx' would have 2147483648 bytes"));
    assert_false(rn_file_exists(in_folder("huge.onnx")));
    rn_message_release(&message);
}

static void unfit_arguments_are_refused(void **state)
{
    (void)state;
    rn_checkpoint *model = onnx_model("resnet-8", CLASSES, SIZE);
    cJSON *metadata = NULL;

    ONNX_TRY(rn_json_object(&metadata));
    ONNX_TRY(rn_json_add_number(metadata, "a", 1));
    assert_int_equal(rn_onnx_write(in_folder("x"), model, model->weights, metadata, false),
                     RN_EINVAL);
    assert_int_equal(rn_onnx_write(in_folder("no/x"), model, model->weights, NULL, false),
                     RN_ENOTFOUND);
    assert_int_equal(rn_onnx_write(in_folder("x"), model, NULL, NULL, false), RN_EINVAL);
    assert_false(rn_file_exists(in_folder("x")));
    cJSON_Delete(metadata);
    onnx_model_free(model);
}

static void a_full_disk_leaves_the_old_file(void **state)
{
    (void)state;
    rn_checkpoint *model = onnx_model("resnet-8", CLASSES, SIZE);
    char *bytes = NULL;
    size_t size;

    empty_folder();
    ONNX_TRY(rn_file_write_atomic(in_folder("m.onnx"), "old", 3));
    limit_file_size(100000);
    assert_int_equal(rn_onnx_write(in_folder("m.onnx"), model, model->weights, NULL, true), RN_EIO);
    limit_file_size(RLIM_INFINITY);
    ONNX_TRY(rn_file_read(&bytes, &size, in_folder("m.onnx"), 1 << 20));
    assert_memory_equal(bytes, "old", 4);
    assert_int_equal(folder_files(), 1);
    rn_free(bytes);
    onnx_model_free(model);
}

// Every allocation fails in turn: no crash, no leak, no file, and the code that says why.
static void want_of_memory_is_told(void **state)
{
    (void)state;
    rn_checkpoint *model = onnx_model("resnet-8:shortcut=B", CLASSES, SIZE);
    cJSON *metadata = metadata_of(model);
    rn_status st = RN_ENOMEM;
    size_t size;
    char *bytes = written(&size, model, metadata, true);
    int steps = 0;

    empty_folder();
    for (; st == RN_ENOMEM; steps++) {
        int left = steps;
        rn_alloc_hook_set(allow_some, &left);
        st = rn_onnx_write(in_folder("m.onnx"), model, model->weights, metadata, true);
        rn_alloc_hook_set(NULL, NULL);
        assert_int_equal(folder_files(), st == RN_OK);
    }
    assert_int_equal(st, RN_OK);
    assert_true(steps > 50);
    for (st = RN_ENOMEM, steps = 0; st == RN_ENOMEM; steps++) {
        int left = steps;
        rn_foreign *foreign = NULL;
        char *copy = NULL;
        ONNX_TRY(rn_alloc((void **)&copy, size, 1));
        memcpy(copy, bytes, size);
        rn_alloc_hook_set(allow_some, &left);
        st = rn_onnx_parse(&foreign, copy, size, NULL);
        rn_alloc_hook_set(NULL, NULL);
        assert_true((foreign != NULL) == (st == RN_OK));
        rn_foreign_free(foreign);
    }
    assert_int_equal(st, RN_OK);
    assert_true(steps > 50);
    rn_free(bytes);
    cJSON_Delete(metadata);
    onnx_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(folding_changes_nothing_but_the_rounding),
        cmocka_unit_test(bytes_are_pinned),
        cmocka_unit_test(metadata_do_not_overrule_the_graph),
        cmocka_unit_test(what_protobuf_cannot_hold_is_refused),
        cmocka_unit_test(unfit_arguments_are_refused),
        cmocka_unit_test(a_full_disk_leaves_the_old_file),
        cmocka_unit_test(want_of_memory_is_told),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
