// Every kind of network as an ONNX file, plain and folded, and back. With ONNX_FOLDER set, the
// files stay there with images and logits for slow_onnx.sh.
#include "base/file.h"
#include "base/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "store/onnx_models.h"
#include "store/temporary_folder.h"

enum { CLASSES = 5, MOST_BATCH = 7 };

static const char *place(const char *name)
{
    static char paths[4][512];
    static int next;
    const char *kept = getenv("ONNX_FOLDER");
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", kept == NULL ? folder : kept, name);
    return path;
}

static void keep(const char *name, int batch, const char *what, const float *values, size_t count)
{
    char file[64];

    snprintf(file, sizeof file, "%s.%s%d", name, what, batch);
    if (getenv("ONNX_FOLDER") != NULL)
        ONNX_TRY(rn_file_write_atomic(place(file), values, count * sizeof *values));
}

static void write_model(const rn_checkpoint *model, const char *name, bool fold, bool tell)
{
    cJSON *metadata = NULL;

    ONNX_TRY(rn_json_object(&metadata));
    if (tell)
        ONNX_TRY(rn_json_add_text(metadata, "resnet.model", rn_graph_model(model->graph)));
    ONNX_TRY(rn_onnx_write(place(name), model, model->weights, metadata, fold));
    cJSON_Delete(metadata);
}

static rn_foreign *read_model(const char *name)
{
    char *bytes = NULL;
    size_t size = 0;
    rn_foreign *foreign = NULL;

    ONNX_TRY(rn_file_read(&bytes, &size, place(name), (size_t)1 << 31));
    if (rn_onnx_parse(&foreign, bytes, size, NULL) != RN_OK)
        fail_msg("%s: %s", name, rn_error_message());
    return foreign;
}

static void check_weights(const rn_weights *a, const rn_weights *b)
{
    for (int i = 0; i < rn_weights_count(a); i++)
        assert_memory_equal(rn_weights_read(a, i), rn_weights_read(b, i),
                            rn_weights_param(a, i)->count * sizeof(float));
}

static double largest(const float *values, size_t count)
{
    double most = 0;

    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs((double)values[i]));
    return most;
}

static void check_close(const float *a, const float *b, size_t count, const char *name)
{
    double bound = 1e-5 * fmax(1, largest(a, count));

    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)a[i] - b[i]) <= bound))
            fail_msg("%s: logit %zu is %g, expected %g", name, i, b[i], a[i]);
}

// Logits of the model as it is, and of the folded file's weights; false where none can be computed.
static bool compare_folded(const rn_checkpoint *model, const rn_weights *folded, const char *name,
                           int batch)
{
    const rn_model_options *o = rn_graph_options(model->graph);
    size_t pixels = (size_t)(batch * o->channels * o->height * o->width);
    size_t count = (size_t)(batch * o->classes);
    float *images = calloc(pixels, sizeof *images), *values = calloc(2 * count, sizeof *values);

    onnx_fill(images, pixels, 11, -2, 2);
    bool computed = onnx_logits(values, model->graph, model->weights, images, batch);
    if (computed && onnx_logits(values + count, model->graph, folded, images, batch)) {
        check_close(values, values + count, count, name);
        keep(name, batch, "images", images, pixels);
        keep(name, batch, "logits", values, count);
    }
    free(images);
    free(values);
    return computed;
}

static void note(const char *name, const rn_checkpoint *model, bool computed)
{
    const rn_model_options *o = rn_graph_options(model->graph);
    FILE *list = getenv("ONNX_FOLDER") == NULL ? NULL : fopen(place("list"), "a");

    if (!computed)
        printf("%s: logits not compared: %s\n", rn_graph_model(model->graph), rn_error_message());
    if (list == NULL)
        return;
    fprintf(list, "%s %d %d %d %d\n", name, o->channels, o->height, o->classes, computed);
    fclose(list);
}

// With the spec told the file is read as just that, else as what computes the same.
static rn_weights *read_weights(const rn_checkpoint *model, const onnx_spec *spec, const char *name,
                                bool told)
{
    rn_foreign *foreign = read_model(name);
    const char *expected = rn_graph_model(model->graph);
    rn_weights *made = NULL;

    if (!told && spec->read != NULL)
        expected = spec->read;
    assert_string_equal(foreign->model, expected);
    assert_int_equal(foreign->options.classes, CLASSES);
    assert_int_equal(foreign->options.height, spec->size);
    ONNX_TRY(rn_weights_create(&made, model->graph));
    onnx_take(made, foreign);
    rn_foreign_free(foreign);
    return made;
}

static void check_spec(const onnx_spec *spec, int number)
{
    rn_checkpoint *model = onnx_model(spec->spec, CLASSES, spec->size);
    char plain[64], folded[64], name[32];

    if (model == NULL)
        return;
    snprintf(name, sizeof name, "model%d", number);
    snprintf(plain, sizeof plain, "%s.plain.onnx", name);
    snprintf(folded, sizeof folded, "%s.folded.onnx", name);
    for (int told = 0; told < 2; told++) {
        write_model(model, plain, false, told == 1);
        write_model(model, folded, true, told == 1);
        rn_weights *a = read_weights(model, spec, plain, told == 1);
        check_weights(model->weights, a);
        bool bn = strncmp(spec->spec, "vgg", 3) != 0 || strstr(spec->spec, "bn") != NULL;
        bool named = told == 1 || strncmp(spec->spec, "vgg", 3) != 0 || !bn;
        if (named) { // a folded VGG is one without batch norm
            rn_weights *b = read_weights(model, spec, folded, told == 1);
            bool computed = true;
            for (int batch = 1; told == 1 && batch <= MOST_BATCH; batch += MOST_BATCH - 1)
                computed = compare_folded(model, b, name, batch) && computed;
            if (told == 1)
                note(name, model, computed);
            rn_weights_free(b);
        }
        rn_weights_free(a);
    }
    if (getenv("ONNX_FOLDER") == NULL) {
        remove(place(plain));
        remove(place(folded));
    }
    onnx_model_free(model);
}

static void every_network_goes_out_and_comes_back(void **state)
{
    (void)state;
    for (int i = 0; i < ONNX_SPECS; i++)
        check_spec(&onnx_specs[i], i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_network_goes_out_and_comes_back),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
