// Evaluation over views and ensembles, against a loop that runs each view by itself.
#include "train/evaluate_views.h"
#include "train/inference.h"
#include "train/training.h"

#include "base/random.h"
#include "image/fail_allocation.h"
#include "image/image.h"

#include <math.h>

enum { COUNT = 7, HEIGHT = 21, WIDTH = 34, CLASSES = 6, VOLUME = 3 * HEIGHT * WIDTH };

static uint8_t pixels[COUNT * VOLUME];
static int32_t labels[COUNT];
static char *names[CLASSES] = {"ant", "bee", "cat", "dog", "elk", "fox"};
static rn_samples set = {.count = COUNT,
                         .channels = 3,
                         .height = HEIGHT,
                         .width = WIDTH,
                         .classes = CLASSES,
                         .images = pixels,
                         .labels = labels,
                         .label_names = names,
                         .name = "numbers"};
static rn_checkpoint *models[2];
static const rn_views some_scales = {
    .protocol = RN_PROTOCOL_MULTI_SCALE, .scales = {17, 24, 16}, .scale_count = 3, .mirror = true};

static rn_checkpoint *make_model(const char *spec, rn_normalize normalize, int side, uint64_t seed)
{
    const rn_model_options options = {CLASSES, 3, side, side};
    const size_t entries = normalize == RN_NORMALIZE_CHANNEL ? 3 : 3 * (size_t)side * (size_t)side;
    float *mean, *deviation;
    rn_checkpoint *model;

    assert_int_equal(rn_model_create(&model, spec, &options, seed), RN_OK);
    assert_int_equal(RN_NEW(&mean, entries), RN_OK);
    assert_int_equal(RN_NEW(&deviation, entries), RN_OK);
    for (size_t i = 0; i < entries; i++) {
        mean[i] = 0.4f + 0.01f * (float)(i % 7) + 0.01f * (float)seed;
        deviation[i] = 0.25f + 0.01f * (float)(i % 5);
    }
    rn_preprocess_free(model->preprocess);
    assert_int_equal(
        rn_preprocess_create(&model->preprocess, normalize, 3, side, side, mean, deviation), RN_OK);
    rn_free(mean);
    rn_free(deviation);
    for (int i = 0; i < CLASSES; i++) {
        rn_free(model->label_names[i]);
        assert_int_equal(rn_strdup(&model->label_names[i], names[i]), RN_OK);
    }
    return model;
}

static int setup(void **state)
{
    rn_stream stream;

    (void)state;
    rn_stream_init(&stream, 1, RN_PURPOSE_TEST, 0, 0);
    for (size_t i = 0; i < sizeof pixels; i++) // patches, so that sizes do not blur all into gray
        pixels[i] = i % 4 == 0 ? (uint8_t)rn_stream_below(&stream, 256) : pixels[i - 1];
    for (int i = 0; i < COUNT; i++)
        labels[i] = i * 5 % CLASSES;
    models[0] = make_model("resnet-8:width=4", RN_NORMALIZE_CHANNEL, 32, 1);
    models[1] = make_model("preact-8:width=4", RN_NORMALIZE_CHANNEL, 24, 2);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rn_checkpoint_free(models[0]);
    rn_checkpoint_free(models[1]);
    return 0;
}

// What the evaluation should find, computed view by view with a plan of its own each.
typedef struct reference {
    double sum[COUNT][CLASSES];
    int parts;
} reference;

static rn_image *picture_of(size_t index)
{
    rn_image *image;

    assert_int_equal(rn_image_create(&image, 3, WIDTH, HEIGHT), RN_OK);
    for (size_t c = 0; c < 3; c++)
        for (size_t i = 0; i < HEIGHT * WIDTH; i++)
            image->pixels[i * 3 + c] = pixels[index * VOLUME + c * HEIGHT * WIDTH + i];
    return image;
}

static void run_view(double *sum, const rn_checkpoint *model, size_t index, const rn_cut *cut,
                     const rn_evaluate_views_options *how)
{
    const rn_model_options options = {CLASSES, 3, cut->height, cut->width};
    rn_image *image = picture_of(index), *resized;
    rn_inference *inference;
    rn_graph *graph;
    const float *logits;
    float row[CLASSES];

    assert_int_equal(rn_image_resize(&resized, image,
                                     &(rn_resize_options){.width = cut->resized_width,
                                                          .height = cut->resized_height,
                                                          .filter = how->views.filter}),
                     RN_OK);
    assert_int_equal(rn_graph_create(&graph, model->model, &options), RN_OK);
    assert_int_equal(rn_inference_create(&inference, graph, NULL, "ref", 1), RN_OK);
    assert_int_equal(rn_inference_load(inference, model->weights), RN_OK);
    assert_int_equal(
        rn_preprocess_cut(model->preprocess, rn_inference_slot(inference, 0), resized, cut), RN_OK);
    assert_int_equal(rn_inference_run(inference, &logits), RN_OK);
    memcpy(row, logits, sizeof row);
    if (how->average == RN_AVERAGE_SOFTMAX)
        rn_softmax(row, logits, CLASSES);
    for (int k = 0; k < CLASSES; k++)
        sum[k] += (double)row[k];
    rn_inference_free(inference);
    rn_graph_free(graph);
    rn_image_free(image);
    rn_image_free(resized);
}

static void compute_reference(reference *r, int members, const rn_evaluate_views_options *how)
{
    rn_cut cuts[RN_MAX_CUTS];
    int count;

    memset(r, 0, sizeof *r);
    assert_int_equal(rn_views_list(cuts, &count, &how->views, HEIGHT, WIDTH), RN_OK);
    r->parts = members * count;
    for (size_t i = 0; i < COUNT; i++)
        for (int m = 0; m < members; m++)
            for (int v = 0; v < count; v++)
                run_view(r->sum[i], models[m], i, &cuts[v], how);
}

typedef struct seen {
    float scores[COUNT][CLASSES];
    size_t count;
    rn_status answer; // of the visit
} seen;

static rn_status visit(const rn_picture_scores *scores, void *context)
{
    seen *s = context;

    assert_int_equal(scores->index, s->count);
    assert_int_equal(scores->label, labels[scores->index]);
    assert_null(scores->error);
    memcpy(s->scores[s->count++], scores->scores, sizeof s->scores[0]);
    return s->answer == RN_OK ? RN_OK : rn_error(s->answer, "enough");
}

static double naive_loss(const double *mean, int label, rn_average average)
{
    double sum = 0;

    if (average == RN_AVERAGE_SOFTMAX)
        return -log(mean[label]);
    for (int k = 0; k < CLASSES; k++)
        sum += exp(mean[k]);
    return log(sum) - mean[label];
}

static void check_evaluation(const rn_evaluation *e, const seen *s, const reference *r,
                             rn_average average)
{
    double loss = 0;
    int64_t wrong = 0, wrong_top5 = 0;

    assert_int_equal(s->count, COUNT);
    for (int i = 0; i < COUNT; i++) {
        double mean[CLASSES];
        int higher = 0;
        for (int k = 0; k < CLASSES; k++) {
            mean[k] = r->sum[i][k] / r->parts;
            assert_true(fabs(mean[k] - (double)s->scores[i][k]) < 1e-5);
        }
        for (int k = 0; k < CLASSES; k++)
            higher += mean[k] > mean[labels[i]];
        wrong += higher > 0;
        wrong_top5 += higher > 4;
        loss += naive_loss(mean, labels[i], average) / COUNT;
    }
    assert_int_equal(e->count, COUNT);
    assert_int_equal(e->wrong, wrong);
    assert_int_equal(e->wrong_top5, wrong_top5);
    assert_int_equal(e->skipped, 0);
    assert_int_equal(e->classes, CLASSES);
    assert_true(fabs(e->loss - loss) < 1e-5);
}

static void check_confusion(const rn_evaluation *e)
{
    int64_t rows[CLASSES] = {0}, right = 0;

    for (int i = 0; i < CLASSES; i++) {
        for (int j = 0; j < CLASSES; j++)
            rows[i] += e->confusion[i * CLASSES + j];
        right += e->confusion[i * CLASSES + i];
    }
    for (int i = 0; i < COUNT; i++)
        rows[labels[i]]--;
    for (int i = 0; i < CLASSES; i++)
        assert_int_equal(rows[i], 0);
    assert_int_equal(right, e->count - e->wrong);
}

static void compare(int members, rn_views views, rn_average average, int batch)
{
    static reference r;
    static seen s;
    const rn_member member[] = {{models[0], false}, {models[1], false}};
    rn_evaluate_views_options options = {.views = views,
                                         .average = average,
                                         .batch = batch,
                                         .workers = 2,
                                         .confusion = true,
                                         .on_picture = visit,
                                         .context = &s};
    rn_evaluation e;

    compute_reference(&r, members, &options);
    s = (seen){.count = 0};
    if (rn_evaluate_views(&e, member, members, &set, &options) != RN_OK)
        fail_msg("%s", rn_error_message());
    check_evaluation(&e, &s, &r, average);
    check_confusion(&e);
    assert_int_equal(e.views, COUNT * r.parts / members);
    rn_evaluation_release(&e);
}

static void test_protocols(void **state)
{
    (void)state;
    compare(1, (rn_views){.protocol = RN_PROTOCOL_WHOLE}, RN_AVERAGE_SOFTMAX, 0);
    compare(1,
            (rn_views){
                .protocol = RN_PROTOCOL_SINGLE, .resize = 19, .crop_height = 16, .crop_width = 16},
            RN_AVERAGE_SOFTMAX, 3);
    compare(
        1,
        (rn_views){.protocol = RN_PROTOCOL_TEN, .resize = 18, .crop_height = 15, .crop_width = 15},
        RN_AVERAGE_SOFTMAX, 7);
    compare(1, some_scales, RN_AVERAGE_SOFTMAX, 4);
    rn_views bicubic = some_scales;
    bicubic.filter = RN_RESIZE_BICUBIC;
    compare(1, bicubic, RN_AVERAGE_LOGITS, 4096);
}

static void test_ensemble(void **state)
{
    (void)state;
    compare(2, some_scales, RN_AVERAGE_SOFTMAX, 5);
    compare(
        2,
        (rn_views){.protocol = RN_PROTOCOL_TEN, .resize = 18, .crop_height = 16, .crop_width = 16},
        RN_AVERAGE_LOGITS, 1);
}

// One view of the size of the model is what rn_evaluate() sees.
static void test_as_usual(void **state)
{
    rn_samples *shapes;
    rn_checkpoint *model;
    rn_evaluation usual, views;
    const rn_model_options options = {10, 3, 32, 32};

    (void)state;
    assert_int_equal(rn_data_open(&shapes, "shapes:train=10,test=70", RN_SPLIT_TEST), RN_OK);
    assert_int_equal(rn_model_create(&model, "resnet-8", &options, 3), RN_OK);
    assert_int_equal(rn_evaluate(&usual, model, false, shapes, NULL), RN_OK);
    assert_int_equal(rn_evaluate_views(&views, &(rn_member){model, false}, 1, shapes, NULL), RN_OK);
    assert_int_equal(views.count, usual.count);
    assert_int_equal(views.wrong, usual.wrong);
    assert_int_equal(views.wrong_top5, usual.wrong_top5);
    assert_true(fabs(views.loss - usual.loss) < 1e-4 * usual.loss);
    rn_samples_free(shapes);
    rn_checkpoint_free(model);
}

static void refuse(const rn_member *members, int count, rn_evaluate_views_options options,
                   const char *message)
{
    rn_evaluation e;

    assert_int_equal(rn_evaluate_views(&e, members, count, &set, &options), RN_EINVAL);
    if (strstr(rn_error_message(), message) == NULL)
        fail_msg("'%s' is not in '%s'", message, rn_error_message());
    assert_int_equal(e.count, 0);
    assert_null(e.confusion);
}

static void test_refused(void **state)
{
    const rn_member member[] = {{models[0], false}, {models[1], false}};
    const rn_member ema = {models[0], true};
    rn_checkpoint *each_pixel = make_model("resnet-8", RN_NORMALIZE_PIXEL, 16, 3);
    rn_checkpoint *other = make_model("resnet-8", RN_NORMALIZE_CHANNEL, 16, 3);
    const rn_member mixed[] = {{models[0], false}, {other, false}};
    const rn_evaluate_views_options none = {0};

    (void)state;
    refuse(member, 0, none, "0 models");
    refuse(member, 33, none, "33 models");
    refuse(&ema, 1, none, "no averaged (EMA) weights");
    refuse(member, 1, (rn_evaluate_views_options){.batch = 4097}, "batch is 4097");
    refuse(member, 1, (rn_evaluate_views_options){.workers = 65}, "decoding threads is 65");
    refuse(member, 1, (rn_evaluate_views_options){.average = (rn_average)2}, "average 2");
    refuse(member, 1, (rn_evaluate_views_options){.engine = "abacus"}, "abacus");
    refuse(member, 1,
           (rn_evaluate_views_options){
               .views = {.protocol = RN_PROTOCOL_TEN, .crop_height = -1, .crop_width = -1}},
           "side of the crop is -1");
    refuse(&(rn_member){each_pixel, false}, 1, (rn_evaluate_views_options){.views = some_scales},
           "each pixel of 16 x 16");
    rn_free(other->label_names[2]);
    assert_int_equal(rn_strdup(&other->label_names[2], "cow"), RN_OK);
    refuse(mixed, 2, none, "class 2 is 'cow' in model 2 and 'cat' in the first");
    rn_checkpoint_free(each_pixel);
    rn_checkpoint_free(other);
}

static void test_stops(void **state)
{
    const rn_member member = {models[0], false};
    const volatile sig_atomic_t stop = 1;
    seen s = {.answer = RN_EIO};
    rn_evaluation e;

    (void)state;
    assert_int_equal(
        rn_evaluate_views(&e, &member, 1, &set, &(rn_evaluate_views_options){.stop = &stop}),
        RN_EINTERRUPTED);
    assert_int_equal(
        rn_evaluate_views(&e, &member, 1, &set,
                          &(rn_evaluate_views_options){.on_picture = visit, .context = &s}),
        RN_EIO);
    assert_string_equal(rn_error_message(), "enough");
    assert_int_equal(s.count, 1);
}

// A set may have some of a model's classes, in an order of its own.
static void test_class_names(void **state)
{
    static char *some[] = {"fox", "bee"};
    static int32_t two[COUNT] = {0, 1, 1};
    const rn_member member = {models[0], false};
    rn_samples part = set;
    rn_evaluation e;

    (void)state;
    part.classes = 2;
    part.label_names = some;
    part.labels = two;
    assert_int_equal(
        rn_evaluate_views(&e, &member, 1, &part, &(rn_evaluate_views_options){.confusion = true}),
        RN_OK);
    int64_t foxes = 0, bees = 0;
    for (int k = 0; k < CLASSES; k++) {
        foxes += e.confusion[5 * CLASSES + k];
        bees += e.confusion[1 * CLASSES + k];
    }
    assert_int_equal(foxes, COUNT - 2);
    assert_int_equal(bees, 2);
    rn_evaluation_release(&e);
    some[1] = "bear";
    assert_int_equal(rn_evaluate_views(&e, &member, 1, &part, NULL), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "of which none is called 'bear'"));
    some[1] = "bee";
    two[4] = -1;
    assert_int_equal(rn_evaluate_views(&e, &member, 1, &part, NULL), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "image 4 has no label"));
    two[4] = 0;
}

// One plan does, whose weights are loaded anew each time.
static void test_planned(void **state)
{
    rn_view_plans *plans;
    rn_evaluation usual, planned;
    const rn_member member = {models[0], false};
    const rn_evaluate_views_options options = {.views = {.protocol = RN_PROTOCOL_SINGLE,
                                                         .resize = 19,
                                                         .crop_height = 16,
                                                         .crop_width = 16},
                                               .batch = 4};

    (void)state;
    assert_true(COUNT % 4 != 0);
    assert_int_equal(rn_view_plans_create(&plans, models[0], models[0]->weights, NULL, 0), RN_OK);
    for (int i = 0; i < 2; i++) {
        float *weights = rn_weights_data(models[0]->weights, 0);
        weights[0] += 1;
        assert_int_equal(rn_evaluate_views(&usual, &member, 1, &set, &options), RN_OK);
        if (rn_evaluate_planned(&planned, &member, &set, &options, plans) != RN_OK)
            fail_msg("%s", rn_error_message());
        assert_int_equal(planned.count, usual.count);
        assert_int_equal(planned.wrong, usual.wrong);
        assert_int_equal(planned.views, usual.views);
        assert_true(fabs(planned.loss - usual.loss) < 1e-5 * usual.loss);
        assert_int_equal(rn_view_plans_count(plans), 1);
        rn_evaluation_release(&usual);
        rn_evaluation_release(&planned);
    }
    rn_view_plans_free(plans);
}

static void test_plans_are_bounded(void **state)
{
    static const rn_view_shape shapes[] = {{1, 32, 40}, {1, 40, 32}, {2, 32, 40}, {1, 33, 33}};
    rn_view_plans *plans;
    rn_inference *first, *again;

    (void)state;
    assert_int_equal(rn_view_plans_create(&plans, models[0], models[0]->weights, NULL, SIZE_MAX),
                     RN_OK);
    assert_int_equal(rn_view_plans_get(plans, &first, shapes[0]), RN_OK);
    size_t one = rn_view_plans_memory(plans);
    for (int i = 1; i < 4; i++)
        assert_int_equal(rn_view_plans_get(plans, &again, shapes[i]), RN_OK);
    assert_int_equal(rn_view_plans_count(plans), 4);
    assert_true(rn_view_plans_memory(plans) > 4 * one / 2);
    assert_int_equal(rn_view_plans_get(plans, &again, shapes[0]), RN_OK);
    assert_ptr_equal(again, first);
    for (int i = 1; i <= 70; i++)
        assert_int_equal(rn_view_plans_get(plans, &again, (rn_view_shape){1, 16, 16 + i}), RN_OK);
    assert_true(rn_view_plans_count(plans) <= 64);
    rn_view_plans_free(plans);

    assert_int_equal(rn_view_plans_create(&plans, models[0], models[0]->weights, NULL, 1), RN_OK);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(rn_view_plans_get(plans, &again, shapes[i]), RN_OK);
        assert_int_equal(rn_view_plans_count(plans), 1); // the one in use
        assert_int_equal(rn_inference_batch(again), shapes[i].batch);
    }
    rn_view_plans_free(plans);
}

static void test_plans_refused(void **state)
{
    rn_view_plans *plans;
    rn_inference *inference;
    fail_allocation plan;

    (void)state;
    assert_int_equal(rn_view_plans_create(&plans, models[0], models[0]->weights, NULL, 1), RN_OK);
    assert_int_equal(rn_view_plans_get(plans, &inference, (rn_view_shape){1, 4097, 96}), RN_EINVAL);
    assert_null(inference);
    assert_non_null(strstr(rn_error_message(), "input of 96 x 4097"));
    assert_int_equal(rn_view_plans_count(plans), 0);
    rn_view_plans_free(plans);
    for (int k = 0;; k++) {
        assert_int_equal(rn_view_plans_create(&plans, models[0], models[0]->weights, "ref", 1),
                         RN_OK);
        fail_allocation_start(&plan, k);
        rn_status st = rn_view_plans_get(plans, &inference, (rn_view_shape){1, 17, 19});
        fail_allocation_stop();
        assert_int_equal(st == RN_OK, !plan.hit);
        assert_int_equal(rn_view_plans_count(plans), plan.hit ? 0 : 1);
        rn_view_plans_free(plans);
        if (!plan.hit)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_protocols),     cmocka_unit_test(test_ensemble),
        cmocka_unit_test(test_as_usual),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_stops),         cmocka_unit_test(test_class_names),
        cmocka_unit_test(test_planned),       cmocka_unit_test(test_plans_are_bounded),
        cmocka_unit_test(test_plans_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
