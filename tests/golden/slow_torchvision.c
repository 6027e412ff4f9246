// The ImageNet networks on real photographs against torchvision: logits of derived weights,
// compared with golden values that torchvision gave for the same weights
// (tests/golden/torchvision_peer.py).
//
//     golden_slow_torchvision               compare with tests/golden/torchvision.json
//     golden_slow_torchvision MODEL FOLDER  write MODEL's files, its input and our logits there
//     golden_slow_torchvision --list        the models
#include "golden/golden.h"
#include "resnet/resnet.h"

enum { PHOTOGRAPHS = 8, SIDE = 224, CLASSES = 1000, SEED = 11 };

#define TRY(expr)                                                                                  \
    do {                                                                                           \
        if ((expr) != RN_OK)                                                                       \
            fail_msg("%s: %s", #expr, rn_error_message());                                         \
    } while (0)

static const double bound = 1e-4; // relative to the largest logit

static const struct {
    const char *spec, *torchvision;
} models[] = {
    {"resnet-18", "resnet18"},
    {"resnet-34", "resnet34"},
    {"resnet-50:stride=3x3", "resnet50"},
    {"resnet-101:stride=3x3", "resnet101"},
    {"resnet-152:stride=3x3", "resnet152"},
    {"vgg-11", "vgg11"},
    {"vgg-13", "vgg13"},
    {"vgg-16", "vgg16"},
    {"vgg-19", "vgg19"},
    {"vgg-11-bn", "vgg11_bn"},
    {"vgg-13-bn", "vgg13_bn"},
    {"vgg-16-bn", "vgg16_bn"},
    {"vgg-19-bn", "vgg19_bn"},
};

#define LENGTH(array) (sizeof(array) / sizeof *(array))

static const char *const photographs[PHOTOGRAPHS] = {
    "n01440764/n01440764_tench.JPEG",
    "n02002724/n02002724_black_stork.JPEG", // smaller than the input
    "n02111277/n02111277_Newfoundland.JPEG", "n02500267/n02500267_indri.JPEG",
    "n03109150/n03109150_corkscrew.JPEG",    "n04118538/n04118538_rugby_ball.JPEG",
    "n04532670/n04532670_viaduct.JPEG", // gray
    "n04553703/n04553703_washbasin.JPEG",
};

// Gains of the last BN of each residual branch are made small, or activations grow from unit to
// unit as no trained network's do.
static void derive(rn_checkpoint *model)
{
    bool bottleneck = rn_graph_find_param(model->graph, "layer1.0.conv3.weight") != RN_NO_PARAM;
    const char *last = bottleneck ? ".bn3.weight" : ".bn2.weight";

    derived_weights(model->weights, SEED, 0);
    for (int i = 0; i < rn_weights_count(model->weights); i++) {
        const rn_param *param = rn_weights_param(model->weights, i);
        size_t length = strlen(param->name), tail = strlen(last);
        if (length < tail || strcmp(param->name + length - tail, last) != 0)
            continue;
        for (size_t c = 0; c < param->count; c++)
            rn_weights_data(model->weights, i)[c] *= 0.25f;
    }
}

static const char *data_folder(void)
{
    const char *folder = getenv("RESNET_DATA");

    return folder != NULL ? folder : TEST_SOURCE_DIR "/../shared/data";
}

static rn_preprocess *imagenet_preprocess(void)
{
    static const float mean[] = {0.485f, 0.456f, 0.406f}, deviation[] = {0.229f, 0.224f, 0.225f};
    rn_preprocess *preprocess;

    TRY(rn_preprocess_create(&preprocess, RN_NORMALIZE_CHANNEL, 3, SIDE, SIDE, mean, deviation));
    return preprocess;
}

// The networks' input, [PHOTOGRAPHS][3][SIDE][SIDE]; NULL where the photographs are absent.
static float *read_photographs(void)
{
    rn_preprocess *preprocess = imagenet_preprocess();
    size_t floats = 3 * (size_t)SIDE * SIDE;
    float *input;

    TRY(RN_NEW(&input, PHOTOGRAPHS * floats));
    for (int i = 0; i < PHOTOGRAPHS; i++) {
        char path[4096];
        rn_image *image;
        snprintf(path, sizeof path, "%s/imagenet-sample/%s", data_folder(), photographs[i]);
        if (rn_image_open(&image, path) != RN_OK) {
            print_message("%s\n", rn_error_message());
            rn_free(input);
            input = NULL;
            break;
        }
        TRY(rn_preprocess_image(preprocess, input + (size_t)i * floats, image));
        rn_image_free(image);
    }
    rn_preprocess_free(preprocess);
    return input;
}

static rn_checkpoint *make_model(const char *spec)
{
    rn_checkpoint *model;

    TRY(rn_model_create(&model, spec, NULL, SEED));
    rn_preprocess_free(model->preprocess);
    model->preprocess = imagenet_preprocess();
    derive(model);
    return model;
}

static void compute_logits(const rn_checkpoint *model, const float *input, float *logits)
{
    rn_engine *engine;
    rn_plan *plan;
    rn_run *run;

    TRY(rn_engine_create(&engine, NULL));
    TRY(rn_plan_create(&plan, model->graph, engine, &(rn_plan_options){.batch = PHOTOGRAPHS}));
    TRY(rn_run_create(&run, plan));
    TRY(rn_run_load(run, model->weights));
    memcpy(rn_run_input(run), input, PHOTOGRAPHS * 3 * SIDE * SIDE * sizeof *input);
    TRY(rn_run_forward(run));
    memcpy(logits, rn_run_logits(run), PHOTOGRAPHS * CLASSES * sizeof *logits);
    rn_run_free(run);
    rn_plan_free(plan);
    rn_engine_free(engine);
}

// ---- the export that torchvision_peer.py asks for
// -------------------------------------------------------

static void save(const rn_checkpoint *model, const char *folder, const char *name,
                 rn_file_format format, bool fold)
{
    const rn_export_options options = {.format = format, .fold_batch_norm = fold};
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (rn_model_save(model, path, &options) != RN_OK)
        fail_msg("%s: %s", path, rn_error_message());
}

static void write_floats(const char *folder, const char *name, const float *values, size_t count)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(values, sizeof *values, count, file) != count || fclose(file) != 0)
        fail_msg("cannot write '%s'", path);
}

static int export_model(const char *spec, const char *folder)
{
    rn_checkpoint *model = make_model(spec);
    float *input = read_photographs(), *logits;

    if (input == NULL)
        return 77;
    TRY(RN_NEW(&logits, PHOTOGRAPHS * CLASSES));
    compute_logits(model, input, logits);
    write_floats(folder, "input.f32", input, PHOTOGRAPHS * 3 * SIDE * SIDE);
    write_floats(folder, "logits.f32", logits, PHOTOGRAPHS * CLASSES);
    save(model, folder, "model.pth", RN_FILE_TORCH, false);
    save(model, folder, "model.safetensors", RN_FILE_SAFETENSORS, false);
    save(model, folder, "model.onnx", RN_FILE_ONNX, false);
    save(model, folder, "folded.onnx", RN_FILE_ONNX, true);
    rn_free(logits);
    rn_free(input);
    rn_checkpoint_free(model);
    return 0;
}

static int list(void)
{
    for (size_t i = 0; i < LENGTH(models); i++)
        printf("%s %s\n", models[i].spec, models[i].torchvision);
    for (int i = 0; i < PHOTOGRAPHS; i++)
        printf("photograph %s\n", photographs[i]);
    return 0;
}

// ---- the comparison with what is committed
// ----------------------------------------------------------

static void compare_model(const cJSON *golden, const char *spec, const float *input)
{
    rn_checkpoint *model = make_model(spec);
    float *logits;
    golden_report report = {.worst_part = "", .seed = SEED};
    const cJSON *rows = golden_member(golden_member(golden, "models"), spec);

    TRY(RN_NEW(&logits, PHOTOGRAPHS * CLASSES));
    compute_logits(model, input, logits);
    assert_int_equal(cJSON_GetArraySize(rows), PHOTOGRAPHS);
    for (int i = 0; i < PHOTOGRAPHS; i++)
        golden_compare(&report, cJSON_GetArrayItem(rows, i), photographs[i],
                       logits + (size_t)i * CLASSES, CLASSES);
    print_message("%-24s %9.2g (%s%s)\n", spec, report.relative, report.worst, report.worst_part);
    if (report.relative > bound)
        fail_msg("%s: logits differ from torchvision's by %g of the largest, expected at most %g",
                 spec, report.relative, bound);
    rn_free(logits);
    rn_checkpoint_free(model);
}

static void logits_are_torchvisions(void **state)
{
    float *input = read_photographs();
    (void)state;

    if (input == NULL) {
        print_message("skipped: no photographs\n");
        skip();
    }
    cJSON *golden = golden_open("torchvision");
    for (size_t i = 0; i < LENGTH(models); i++)
        compare_model(golden, models[i].spec, input);
    cJSON_Delete(golden);
    rn_free(input);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(logits_are_torchvisions)};

    if (argc == 2 && strcmp(argv[1], "--list") == 0)
        return list();
    if (argc == 3)
        return export_model(argv[1], argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
