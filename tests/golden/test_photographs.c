// What a network sees of photographs, and averages over such views, against torchvision and PyTorch
// (tests/golden/photo_peer.py).
//
//     golden_test_photographs               compare with tests/golden/photographs.json
//     golden_test_photographs PICTURE FILE  write how the views of a picture are cut, and the views
#include "golden/golden.h"
#include "golden/made_pictures.h"
#include "resnet/resnet.h"

#include <unistd.h>

enum { CROP = 224, PLANE = CROP * CROP, VIEW = 3 * PLANE, VIEWS = 11, SAMPLES = 8 };
enum { AVERAGED = 2, CLASSES = 10 };

#define TRY(expr)                                                                                  \
    do {                                                                                           \
        if ((expr) != RN_OK)                                                                       \
            fail_msg("%s: %s", #expr, rn_error_message());                                         \
    } while (0)

// In gray levels: of one value, and on average.
static const double MOST = 1 + 1e-3, MEAN = 0.3;
static const double AVERAGE = 1e-4; // of a probability; of a logit relative to the largest

static rn_preprocess *imagenet(int side)
{
    rn_preprocess *preprocess;

    TRY(rn_preprocess_create(&preprocess, RN_NORMALIZE_IMAGENET, 3, side, side, NULL, NULL));
    return preprocess;
}

// The centre, then ten crops.
static void list_cuts(rn_cut cuts[VIEWS], int height, int width)
{
    rn_cut list[RN_MAX_CUTS];
    int count;

    TRY(rn_views_list(list, &count, &(rn_views){.protocol = RN_PROTOCOL_SINGLE}, height, width));
    assert_int_equal(count, 1);
    cuts[0] = list[0];
    TRY(rn_views_list(list, &count, &(rn_views){.protocol = RN_PROTOCOL_TEN}, height, width));
    assert_int_equal(count, VIEWS - 1);
    memcpy(cuts + 1, list, sizeof *list * (VIEWS - 1));
}

// All of `count` views that share one size of the picture.
static void make_views(float *views, const rn_image *image, const rn_cut *cuts, int count)
{
    const rn_resize_options options = {
        .width = cuts->resized_width, .height = cuts->resized_height, .channels = 3};
    rn_preprocess *preprocess = imagenet(CROP);
    rn_image *resized;

    TRY(rn_image_resize(&resized, image, &options));
    for (int v = 0; v < count; v++)
        TRY(rn_preprocess_cut(preprocess, views + (size_t)v * VIEW, resized, &cuts[v]));
    rn_image_free(resized);
    rn_preprocess_free(preprocess);
}

// ---- what photo_peer.py asks for
// -----------------------------------------------------------------

// The picture that training's loader would decode to make this view.
static rn_image *open_reduced(const char *path, const rn_cut *cut)
{
    const rn_decode_options options = {.cover_width = cut->resized_width,
                                       .cover_height = cut->resized_height};
    rn_image *image;
    char *bytes;
    size_t size;

    TRY(rn_file_read(&bytes, &size, path, (size_t)1 << 30));
    TRY(rn_image_decode(&image, (const uint8_t *)bytes, size, &options));
    rn_free(bytes);
    return image;
}

static int export_views(const char *picture, const char *path)
{
    static float views[(VIEWS + 1) * VIEW];
    rn_cut cuts[VIEWS];
    rn_image *image;
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    TRY(rn_image_open(&image, picture));
    list_cuts(cuts, image->height, image->width);
    make_views(views, image, cuts, VIEWS);
    rn_image_free(image);
    image = open_reduced(picture, cuts);
    make_views(views + VIEWS * VIEW, image, cuts, 1);
    rn_image_free(image);
    for (int v = 0; v < VIEWS; v++) {
        const int32_t numbers[] = {cuts[v].resized_height, cuts[v].resized_width, cuts[v].top,
                                   cuts[v].left, cuts[v].mirror};
        assert_int_equal(fwrite(numbers, sizeof numbers, 1, file), 1);
    }
    assert_int_equal(fwrite(views, sizeof views, 1, file), 1);
    return fclose(file);
}

// ---- views, compared with what is committed
// ------------------------------------------------------

typedef struct gray_levels {
    double largest, sum; // of differences
    int count;
} gray_levels;

// One view and its row: mean and samples of each channel.
static void compare_view(gray_levels *found, const cJSON *row, const char *name, const float *view)
{
    static const double mean[] = {0.485, 0.456, 0.406}, deviation[] = {0.229, 0.224, 0.225};
    const cJSON *item = row->child;
    char stream_name[256];

    assert_int_equal(cJSON_GetArraySize(row), 3 * (1 + SAMPLES));
    for (int c = 0; c < 3; c++, view += PLANE) {
        double sum = 0, expected = item->valuedouble;
        for (int i = 0; i < PLANE; i++)
            sum += 255 * ((double)view[i] * deviation[c] + mean[c]);
        if (!(fabs(sum / PLANE - expected) <= MEAN))
            fail_msg("%s, channel %d: mean %.3f, torchvision's is %.3f", name, c, sum / PLANE,
                     expected);
        snprintf(stream_name, sizeof stream_name, "%s/%d", name, c);
        rn_stream positions = derived_stream(MADE_SEED, stream_name, GOLDEN_EPOCH_POSITIONS);
        item = item->next;
        for (int k = 0; k < SAMPLES; k++, item = item->next) {
            double value = (double)view[rn_stream_below(&positions, PLANE)];
            double off = fabs(255 * (value * deviation[c] + mean[c]) - item->valuedouble);
            if (!(off <= MOST))
                fail_msg("%s, channel %d, sample %d: %.3f gray levels off", name, c, k, off);
            found->largest = fmax(found->largest, off);
            found->sum += off;
            found->count++;
        }
    }
}

static void expect_close(const gray_levels *found, const char *what)
{
    print_message("%s: %d values, largest difference %.4f, mean %.5f gray levels\n", what,
                  found->count, found->largest, found->sum / found->count);
    assert_true(found->count > 0 && found->sum / found->count <= MEAN);
}

static void test_made_pictures(void **state)
{
    static float views[VIEWS * VIEW];
    cJSON *golden = golden_open("photographs");
    const cJSON *rows = golden_member(golden, "made");
    gray_levels found = {0};
    rn_cut cuts[VIEWS];
    char name[64];

    (void)state;
    assert_int_equal(cJSON_GetArraySize(rows), MADE_PICTURES);
    for (int i = 0; i < MADE_PICTURES; i++) {
        rn_image *image = made_picture(i);
        list_cuts(cuts, image->height, image->width);
        make_views(views, image, cuts, VIEWS);
        for (int v = 0; v < VIEWS; v++) {
            const cJSON *row = cJSON_GetArrayItem(cJSON_GetArrayItem(rows, i), v);
            snprintf(name, sizeof name, "picture %d/view %d", i, v);
            compare_view(&found, row, name, views + v * VIEW);
        }
        rn_image_free(image);
    }
    expect_close(&found, "made pictures");
    cJSON_Delete(golden);
}

static void test_photographs(void **state)
{
    static float view[VIEW];
    const char *data = getenv("RESNET_DATA");
    cJSON *golden = golden_open("photographs");
    const cJSON *row;
    gray_levels found = {0};
    rn_cut cuts[VIEWS];
    rn_image *image;
    char path[4096];

    (void)state;
    cJSON_ArrayForEach(row, golden_member(golden, "photographs"))
    {
        snprintf(path, sizeof path, "%s/imagenet-sample/%s",
                 data != NULL ? data : TEST_SOURCE_DIR "/../shared/data", row->string);
        if (found.count == 0 && access(path, R_OK) != 0) {
            cJSON_Delete(golden);
            skip();
        }
        TRY(rn_image_open(&image, path));
        list_cuts(cuts, image->height, image->width);
        make_views(view, image, cuts, 1);
        compare_view(&found, row, row->string, view);
        rn_image_free(image);
    }
    expect_close(&found, "photographs");
    cJSON_Delete(golden);
}

// ---- averages over views
// -------------------------------------------------------------------------

static const int averaged[AVERAGED] = {0, 5}; // of the made pictures

// In a folder that is called as the model's first class.
static rn_samples *save_pictures(const char *folder)
{
    rn_samples *set;
    char path[128];

    snprintf(path, sizeof path, "%s/0", folder);
    TRY(rn_folder_create(path));
    for (int i = 0; i < AVERAGED; i++) {
        rn_image *image = made_picture(averaged[i]);
        snprintf(path, sizeof path, "%s/0/%d.png", folder, i);
        TRY(rn_image_save(image, path));
        rn_image_free(image);
    }
    TRY(rn_data_open(&set, folder, RN_SPLIT_TEST));
    assert_int_equal(set->count, AVERAGED);
    return set;
}

static void remove_pictures(const char *folder)
{
    char path[128];

    for (int i = 0; i < AVERAGED; i++) {
        snprintf(path, sizeof path, "%s/0/%d.png", folder, i);
        assert_int_equal(unlink(path), 0);
    }
    snprintf(path, sizeof path, "%s/0", folder);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static rn_checkpoint *make_model(void)
{
    const rn_model_options options = {CLASSES, 3, 32, 32};
    rn_checkpoint *model;

    TRY(rn_model_create(&model, "resnet-8", &options, MADE_SEED));
    derived_weights(model->weights, MADE_SEED, 0);
    rn_preprocess_free(model->preprocess);
    model->preprocess = imagenet(32);
    return model;
}

typedef struct expectation {
    const cJSON *rows;
    bool relative;
    double largest; // difference
    int pictures;
} expectation;

static rn_status compare_scores(const rn_picture_scores *scores, void *context)
{
    expectation *e = context;
    const cJSON *row = cJSON_GetArrayItem(e->rows, (int)scores->index);
    double largest = 0, scale = e->relative ? 0 : 1;

    assert_int_equal(cJSON_GetArraySize(row), CLASSES);
    for (int k = 0; k < CLASSES; k++) {
        double expected = cJSON_GetArrayItem(row, k)->valuedouble;
        assert_true(isfinite(scores->scores[k]));
        largest = fmax(largest, fabs((double)scores->scores[k] - expected));
        scale = e->relative ? fmax(scale, fabs(expected)) : scale;
    }
    e->largest = fmax(e->largest, largest / scale);
    e->pictures++;
    return RN_OK;
}

typedef struct averaging {
    const rn_samples *set;
    const rn_checkpoint *model;
    const cJSON *golden;
} averaging;

static void compare_averages(const averaging *a, rn_views views, rn_average average)
{
    const char *name = rn_protocol_name(views.protocol);
    const char *kind = average == RN_AVERAGE_SOFTMAX ? "softmax" : "logits";
    expectation e = {.rows = golden_member(golden_member(a->golden, name), kind),
                     .relative = average == RN_AVERAGE_LOGITS};
    const rn_evaluate_views_options options = {
        .views = views, .average = average, .on_picture = compare_scores, .context = &e};
    rn_evaluation evaluation;

    TRY(rn_evaluate_views(&evaluation, &(rn_member){a->model, false}, 1, a->set, &options));
    print_message("%s, %s: largest difference %.2g\n", name, kind, e.largest);
    assert_int_equal(e.pictures, AVERAGED);
    assert_true(e.largest <= AVERAGE);
    rn_evaluation_release(&evaluation);
}

static void test_averages(void **state)
{
    const rn_views ten = {.protocol = RN_PROTOCOL_TEN};
    const rn_views scales = {.protocol = RN_PROTOCOL_MULTI_SCALE, .mirror = true};
    char folder[] = "/tmp/resnet-views-XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(folder));
    cJSON *golden = golden_open("photographs");
    rn_samples *set = save_pictures(folder);
    rn_checkpoint *model = make_model();
    const averaging a = {set, model, golden_member(golden, "averages")};
    compare_averages(&a, ten, RN_AVERAGE_SOFTMAX);
    compare_averages(&a, ten, RN_AVERAGE_LOGITS);
    compare_averages(&a, scales, RN_AVERAGE_SOFTMAX);
    rn_checkpoint_free(model);
    rn_samples_free(set);
    cJSON_Delete(golden);
    remove_pictures(folder);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_made_pictures),
        cmocka_unit_test(test_photographs),
        cmocka_unit_test(test_averages),
    };

    if (argc == 3)
        return export_views(argv[1], argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
