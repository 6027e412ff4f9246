// Running statistics measured anew: against double precision computed here, against one batch's
// own, between engines, threads and batch sizes; and what a network gains by them.
#include "train/training.h"

#include "batch/order.h"
#include "graph/build.h"

#include <math.h>

enum { IMAGES = 10, CHANNELS = 16, SIDE = 32, AREA = SIDE * SIDE, SEED = 5 };

typedef struct fixture {
    rn_checkpoint *model;
    rn_samples *samples;
} fixture;

static rn_status label(char **out, int index)
{
    return rn_format(out, "%d", index);
}

// A resnet-8 with random weights, gains and biases, whose running statistics are good for nothing.
static fixture make(void)
{
    fixture f = {0};
    rn_checkpoint *model = NULL;

    assert_int_equal(rn_data_open(&f.samples, "shapes:train=10,test=10", RN_SPLIT_TRAIN), RN_OK);
    assert_int_equal(f.samples->count, IMAGES);
    assert_int_equal(RN_NEW(&model, 1), RN_OK);
    assert_int_equal(rn_graph_create(&model->graph, "resnet-8", NULL), RN_OK);
    model->options = *rn_graph_options(model->graph);
    assert_int_equal(rn_strdup(&model->model, "resnet-8"), RN_OK);
    assert_int_equal(rn_weights_create(&model->weights, model->graph), RN_OK);
    rn_weights_initialise(model->weights, 3);
    assert_int_equal(rn_preprocess_measure(&model->preprocess, f.samples, RN_NORMALIZE_CHANNEL),
                     RN_OK);
    assert_int_equal(RN_NEW(&model->label_names, (size_t)model->options.classes), RN_OK);
    for (int i = 0; i < model->options.classes; i++)
        assert_int_equal(label(&model->label_names[i], i), RN_OK);
    for (int i = 0; i < rn_weights_count(model->weights); i++) {
        const rn_param *param = rn_weights_param(model->weights, i);
        float *data = rn_weights_data(model->weights, i);
        for (size_t k = 0; k < param->count; k++) {
            if (param->kind == RN_PARAM_BN_GAIN)
                data[k] = 0.5f + 0.25f * (float)(k % 5);
            else if (param->kind == RN_PARAM_BN_BIAS)
                data[k] = 0.1f * (float)(k % 7) - 0.2f;
            else if (!rn_param_trained(param))
                data[k] = k % 3 == 0 ? NAN : 1e9f;
        }
    }
    f.model = model;
    return f;
}

static void drop(fixture *f)
{
    rn_checkpoint_free(f->model);
    rn_samples_free(f->samples);
}

static const float *values(const rn_checkpoint *model, const char *name)
{
    int index = rn_graph_find_param(model->graph, name);

    assert_true(index >= 0);
    return rn_weights_read(model->weights, index);
}

static void recalibrate(fixture *f, const rn_recalibrate_options *options, rn_recalibration *out)
{
    if (rn_recalibrate(out, f->model, f->samples, options) != RN_OK)
        fail_msg("%s", rn_error_message());
}

// What the library must do, in double and by definition.

typedef struct activations {
    int count;      // images
    double *values; // [count][CHANNELS][AREA]
} activations;

static activations new_activations(int count)
{
    activations a = {.count = count};

    assert_int_equal(RN_NEW(&a.values, (size_t)count * CHANNELS * AREA), RN_OK);
    return a;
}

// 3x3, stride 1, zero padding 1
static void convolve(activations *dst, const double *src, int channels, const float *weights)
{
    for (int n = 0; n < dst->count; n++)
        for (int o = 0; o < CHANNELS; o++)
            for (int p = 0; p < AREA; p++) {
                double sum = 0;
                for (int c = 0; c < channels; c++)
                    for (int k = 0; k < 9; k++) {
                        int y = p / SIDE + k / 3 - 1, x = p % SIDE + k % 3 - 1;
                        if (y >= 0 && y < SIDE && x >= 0 && x < SIDE)
                            sum += src[(n * channels + c) * AREA + y * SIDE + x] *
                                   (double)weights[(o * channels + c) * 9 + k];
                    }
                dst->values[(n * CHANNELS + o) * AREA + p] = sum;
            }
}

static void measure(const activations *a, int channel, double *mean, double *variance)
{
    double sum = 0, squares = 0, count = (double)a->count * AREA;

    for (int n = 0; n < a->count; n++)
        for (int p = 0; p < AREA; p++)
            sum += a->values[(n * CHANNELS + channel) * AREA + p];
    *mean = sum / count;
    for (int n = 0; n < a->count; n++)
        for (int p = 0; p < AREA; p++)
            squares += pow(a->values[(n * CHANNELS + channel) * AREA + p] - *mean, 2);
    *variance = squares / count;
}

static void normalise_and_rectify(activations *a, const float *gain, const float *bias)
{
    for (int c = 0; c < CHANNELS; c++) {
        double mean, variance;
        measure(a, c, &mean, &variance);
        for (int n = 0; n < a->count; n++)
            for (int p = 0; p < AREA; p++) {
                double *x = &a->values[(n * CHANNELS + c) * AREA + p];
                *x = fmax(0,
                          (double)gain[c] * (*x - mean) / sqrt(variance + 1e-5) + (double)bias[c]);
            }
    }
}

/** Sums over batches of n mean, and n (variance + mean^2), of bn1 and layer1.0.bn1. */
typedef struct pooled {
    double mean[2][CHANNELS], square[2][CHANNELS], images;
} pooled;

static void pool(pooled *sums, int layer, const activations *a)
{
    for (int c = 0; c < CHANNELS; c++) {
        double mean, variance;
        measure(a, c, &mean, &variance);
        sums->mean[layer][c] += a->count * mean;
        sums->square[layer][c] += a->count * (variance + mean * mean);
    }
}

static void pool_batch(pooled *sums, const fixture *f, const rn_order_entry *entries, int count)
{
    float image[3 * AREA];
    double *input = NULL;
    activations first = new_activations(count), second = new_activations(count);

    assert_int_equal(RN_NEW(&input, (size_t)count * 3 * AREA), RN_OK);
    for (int i = 0; i < count; i++) {
        rn_preprocess_apply(f->model->preprocess, image,
                            f->samples->images + (size_t)entries[i].sample * 3 * AREA, NULL, 0, 0,
                            0);
        for (int k = 0; k < 3 * AREA; k++)
            input[i * 3 * AREA + k] = (double)image[k];
    }
    convolve(&first, input, 3, values(f->model, "conv1.weight"));
    pool(sums, 0, &first);
    normalise_and_rectify(&first, values(f->model, "bn1.weight"), values(f->model, "bn1.bias"));
    convolve(&second, first.values, CHANNELS, values(f->model, "layer1.0.conv1.weight"));
    pool(sums, 1, &second);
    sums->images += count;
    rn_free(first.values);
    rn_free(second.values);
    rn_free(input);
}

static void near(double found, double expected, double scale)
{
    if (!(fabs(found - expected) <= 2e-6 * scale))
        fail_msg("found %.9g, expected %.9g", found, expected);
}

static void agrees(const rn_checkpoint *model, const pooled *sums, int layer, const char *mean_name,
                   const char *variance_name)
{
    const float *means = values(model, mean_name), *variances = values(model, variance_name);
    double m = sums->images * AREA;

    for (int c = 0; c < CHANNELS; c++) {
        double mean = sums->mean[layer][c] / sums->images;
        double variance = (sums->square[layer][c] / sums->images - mean * mean) * m / (m - 1);
        near((double)means[c], mean, fabs(mean) + sqrt(variance));
        near((double)variances[c], variance, variance);
    }
}

// Ten images: 10, 5 + 5, and 4 + 3 + 3, every one counted once.
static void equals_double_precision(void **state)
{
    static const int most[] = {10, 7, 4};
    static const int expected[3][3] = {{1, 10, 10}, {2, 5, 5}, {3, 3, 4}};
    const char *engines[] = {"ref", "cpu"};

    (void)state;
    for (int k = 0; k < 6; k++) {
        fixture f = make();
        rn_recalibrate_options options = {
            .engine = engines[k % 2], .batch = most[k / 2], .seed = SEED};
        rn_recalibration result;
        recalibrate(&f, &options, &result);
        assert_int_equal(result.images, IMAGES);
        assert_int_equal(result.batches, expected[k / 2][0]);
        assert_int_equal(result.smallest, expected[k / 2][1]);
        assert_int_equal(result.largest, expected[k / 2][2]);

        rn_order *order = NULL;
        rn_order_entry entries[IMAGES];
        pooled sums = {0};
        assert_int_equal(rn_order_create(&order, IMAGES, SEED), RN_OK);
        assert_int_equal(rn_order_take(order, 0, IMAGES, entries), RN_OK);
        for (int b = 0, done = 0; b < result.batches; b++) {
            int count = b < IMAGES % result.batches ? result.largest : result.smallest;
            pool_batch(&sums, &f, entries + done, count);
            done += count;
        }
        agrees(f.model, &sums, 0, "bn1.running_mean", "bn1.running_var");
        agrees(f.model, &sums, 1, "layer1.0.bn1.running_mean", "layer1.0.bn1.running_var");
        rn_order_free(order);
        rn_recalibration_release(&result);
        drop(&f);
    }
}

// The statistics that one forward pass over the whole set leaves.
static void statistics_of_one_batch(const fixture *f, const rn_order_entry *entries,
                                    rn_weights *out)
{
    rn_engine *engine = NULL;
    rn_plan *plan = NULL;
    rn_run *run = NULL;
    rn_plan_options options = {.batch = IMAGES, .batch_statistics = true};

    assert_int_equal(rn_engine_create(&engine, NULL), RN_OK);
    assert_int_equal(rn_plan_create(&plan, f->model->graph, engine, &options), RN_OK);
    assert_int_equal(rn_run_create(&run, plan), RN_OK);
    assert_int_equal(rn_plan_memory_use(plan).gradients, 0);
    rn_weights_initialise(out, 1); // finite statistics, which must not be seen in the result
    for (int i = 0; i < rn_weights_count(out); i++)
        if (rn_param_trained(rn_weights_param(out, i)))
            memcpy(rn_weights_data(out, i), rn_weights_read(f->model->weights, i),
                   rn_weights_param(out, i)->count * sizeof(float));
    assert_int_equal(rn_run_load(run, out), RN_OK);
    for (int i = 0; i < IMAGES; i++)
        rn_preprocess_apply(f->model->preprocess, rn_run_input(run) + i * 3 * AREA,
                            f->samples->images + (size_t)entries[i].sample * 3 * AREA, NULL, 0, 0,
                            0);
    assert_int_equal(rn_run_forward(run), RN_OK);
    assert_int_equal(rn_run_store(run, RN_SLOT_VALUE, out), RN_OK);
    rn_run_free(run);
    rn_plan_free(plan);
    rn_engine_free(engine);
}

static void one_batch_gives_its_own_statistics(void **state)
{
    fixture f = make();
    rn_order *order = NULL;
    rn_order_entry entries[IMAGES];
    rn_weights *expected = NULL;
    rn_recalibration result;

    (void)state;
    assert_int_equal(rn_order_create(&order, IMAGES, SEED), RN_OK);
    assert_int_equal(rn_order_take(order, 0, IMAGES, entries), RN_OK);
    assert_int_equal(rn_weights_create(&expected, f.model->graph), RN_OK);
    statistics_of_one_batch(&f, entries, expected);
    recalibrate(&f, &(rn_recalibrate_options){.seed = SEED}, &result);
    assert_int_equal(result.layers, 9 - 2); // a stem and three units of two
    for (int i = 0; i < rn_weights_count(expected); i++)
        assert_memory_equal(rn_weights_read(f.model->weights, i), rn_weights_read(expected, i),
                            rn_weights_param(expected, i)->count * sizeof(float));
    for (int i = 0; i < result.layers; i++)
        assert_true(isinf(result.changes[i].mean) && isinf(result.changes[i].variance));
    assert_string_equal(result.changes[0].name, "bn1");
    assert_int_equal(result.changes[6].channels, 64);
    rn_recalibration_release(&result);

    // A second time nothing moves.
    recalibrate(&f, &(rn_recalibrate_options){.seed = SEED}, &result);
    for (int i = 0; i < result.layers; i++)
        assert_true(result.changes[i].mean < 1e-6 && result.changes[i].variance < 1e-6);
    rn_recalibration_release(&result);
    rn_weights_free(expected);
    rn_order_free(order);
    drop(&f);
}

static void close_statistics(const fixture *a, const fixture *b, double tolerance, int layers)
{
    const rn_graph *graph = a->model->graph;

    for (int i = 0; i < rn_graph_nodes(graph) && layers > 0; i++) {
        const rn_node *node = rn_graph_node(graph, i);
        if (node->kind != RN_NODE_BATCH_NORM)
            continue;
        layers--;
        const float *means[2] = {rn_weights_read(a->model->weights, node->running_mean),
                                 rn_weights_read(b->model->weights, node->running_mean)};
        const float *variances[2] = {rn_weights_read(a->model->weights, node->running_variance),
                                     rn_weights_read(b->model->weights, node->running_variance)};
        for (int c = 0; c < node->channels; c++) {
            double unit = (double)variances[0][c] + 1e-5;
            assert_true(fabs((double)(means[0][c] - means[1][c])) <= tolerance * sqrt(unit));
            assert_true(fabs((double)(variances[0][c] - variances[1][c])) <= tolerance * unit);
        }
    }
}

static void engines_threads_and_batch_sizes_agree(void **state)
{
    const rn_recalibrate_options reference = {.engine = "ref", .batch = 4, .seed = SEED};
    rn_recalibration result;
    fixture whole = make();
    int threads = rn_threads();

    (void)state;
    recalibrate(&whole, &reference, &result);
    rn_recalibration_release(&result);
    for (int t = 1; t <= 3; t++) {
        fixture f = make();
        assert_int_equal(rn_threads_set(t), RN_OK);
        recalibrate(&f, &(rn_recalibrate_options){.batch = 4, .seed = SEED}, &result);
        close_statistics(&whole, &f, 2e-5, 7);
        rn_recalibration_release(&result);
        drop(&f);
    }
    assert_int_equal(rn_threads_set(threads), RN_OK);
    for (int batch = 3; batch <= 10; batch += 7) {
        fixture f = make();
        recalibrate(&f, &(rn_recalibrate_options){.batch = batch, .seed = SEED + 1}, &result);
        close_statistics(&whole, &f, 2e-6, 1); // what is before any batch norm: to rounding
        close_statistics(&whole, &f, 0.5, 7);  // behind: batches of three are small
        rn_recalibration_release(&result);
        drop(&f);
    }
    drop(&whole);
}

static void draws_and_augments_by_seed(void **state)
{
    const rn_augment augment = {.pad = 4, .flip = true};
    const rn_recalibrate_options options[] = {
        {.images = 6, .seed = 1},
        {.images = 6, .seed = 1},
        {.images = 6, .seed = 2},
        {.images = 6, .seed = 1, .augment = &augment},
    };
    float first[4];

    (void)state;
    for (int i = 0; i < 4; i++) {
        fixture f = make();
        rn_recalibration result;
        recalibrate(&f, &options[i], &result);
        assert_int_equal(result.images, 6);
        first[i] = values(f.model, "bn1.running_var")[1];
        rn_recalibration_release(&result);
        drop(&f);
    }
    assert_true(first[0] == first[1]);
    assert_true(first[0] != first[2]);
    assert_true(first[0] != first[3]);
}

// Trained, broken, mended.
static void broken_network_gets_its_accuracy_back(void **state)
{
    training t;
    rn_checkpoint *model = NULL;
    rn_evaluation before, broken, after;
    rn_recalibration result;

    (void)state;
    training_init(&t);
    t.recipe.iterations = 32;
    t.recipe.batch = 12;
    t.recipe.sgd.ema = 0;
    t.recipe.augment = (rn_augment){0};
    t.recipe.schedule.kind = RN_SCHEDULE_CONSTANT;
    t.options.checkpoint_every = 1000;
    t.options.evaluate_every = 1000;
    if (rn_train(&t.options, &t.result) != RN_OK)
        fail_msg("%s", rn_error_message());
    char path[128];
    snprintf(path, sizeof path, "%s/model.safetensors", t.folder);
    assert_int_equal(rn_checkpoint_load(&model, path), RN_OK);
    assert_int_equal(rn_evaluate(&before, model, false, t.train, NULL), RN_OK);
    for (int i = 0; i < rn_weights_count(model->weights); i++) {
        const rn_param *param = rn_weights_param(model->weights, i);
        for (size_t k = 0; k < param->count && !rn_param_trained(param); k++)
            rn_weights_data(model->weights, i)[k] = k % 2 == 0 ? 3.0f : 0.01f;
    }
    assert_int_equal(rn_evaluate(&broken, model, false, t.train, NULL), RN_OK);
    assert_int_equal(rn_recalibrate(&result, model, t.train, NULL), RN_OK);
    assert_int_equal(rn_evaluate(&after, model, false, t.train, NULL), RN_OK);
    print_message("wrong of %d: %d trained, %d broken, %d mended\n", (int)before.count,
                  (int)before.wrong, (int)broken.wrong, (int)after.wrong);
    assert_true(before.wrong * 4 < before.count * 3); // it has learnt something: chance is 9 in 10
    assert_true(broken.wrong > before.wrong + before.count / 10);
    // The moving average lags behind weights that are still learning; the new statistics do not.
    assert_true(after.wrong <= before.wrong);
    rn_recalibration_release(&result);
    rn_evaluation_release(&before);
    rn_evaluation_release(&broken);
    rn_evaluation_release(&after);
    rn_checkpoint_free(model);
    training_release(&t);
}

static void refuse(fixture *f, const rn_recalibrate_options *options, rn_status expected,
                   const char *message)
{
    rn_recalibration result;
    float before = values(f->model, "bn1.running_var")[1];

    assert_int_equal(rn_recalibrate(&result, f->model, f->samples, options), expected);
    if (strstr(rn_error_message(), message) == NULL)
        fail_msg("'%s' is not said: %s", message, rn_error_message());
    assert_null(result.changes);
    assert_true(values(f->model, "bn1.running_var")[1] == before);
}

static void what_cannot_be_done_changes_nothing(void **state)
{
    fixture f = make();
    volatile sig_atomic_t stop = 1;

    (void)state;
    refuse(&f, &(rn_recalibrate_options){.batch = -1}, RN_EINVAL, "batch is -1");
    refuse(&f, &(rn_recalibrate_options){.batch = 65537}, RN_EINVAL, "expected 1 to 65536");
    refuse(&f, &(rn_recalibrate_options){.images = 11}, RN_EINVAL, "11 images are wanted");
    refuse(&f, &(rn_recalibrate_options){.ema = true}, RN_EINVAL, "EMA");
    refuse(&f, &(rn_recalibrate_options){.engine = "none"}, RN_EINVAL, "none");
    refuse(&f, &(rn_recalibrate_options){.stop = &stop}, RN_EINTERRUPTED, "after 0 of 10");
    f.samples->classes++;
    refuse(&f, NULL, RN_EINVAL, "11 classes, the model has 10");
    f.samples->classes--;
    int conv = rn_graph_find_param(f.model->graph, "layer2.0.conv1.weight");
    rn_weights_data(f.model->weights, conv)[0] = NAN;
    refuse(&f, NULL, RN_EDIVERGED, "'layer2.0.bn1'");
    for (int i = 0; i < f.model->graph->node_count; i++) // as in a VGG without it
        if (f.model->graph->nodes[i].kind == RN_NODE_BATCH_NORM)
            f.model->graph->nodes[i].kind = RN_NODE_RELU;
    refuse(&f, NULL, RN_EINVAL, "no batch norm");
    drop(&f);
}

static void moving_average_has_statistics_of_its_own(void **state)
{
    fixture f = make();
    rn_recalibration result;

    (void)state;
    assert_int_equal(rn_weights_create(&f.model->ema, f.model->graph), RN_OK);
    rn_weights_initialise(f.model->ema, 4);
    recalibrate(&f, &(rn_recalibrate_options){.ema = true}, &result);
    int index = rn_graph_find_param(f.model->graph, "bn1.running_var");
    assert_true(isnan(rn_weights_read(f.model->weights, index)[0]));
    assert_true(rn_weights_read(f.model->ema, index)[0] != 1.0f);
    assert_true(isfinite(result.changes[0].mean) && result.changes[0].variance > 0);
    rn_recalibration_release(&result);
    drop(&f);
}

static void plans_have_one_kind_of_statistics(void **state)
{
    fixture f = make();
    rn_engine *engine = NULL;
    rn_plan *plan = NULL;
    rn_plan_options options = {.batch = 2, .training = true, .batch_statistics = true};

    (void)state;
    assert_int_equal(rn_engine_create(&engine, "ref"), RN_OK);
    assert_int_equal(rn_plan_create(&plan, f.model->graph, engine, &options), RN_EINVAL);
    assert_null(plan);
    rn_engine_free(engine);
    drop(&f);
}

static bool fail_at(size_t bytes, void *context)
{
    int *left = context;

    (void)bytes;
    return __atomic_fetch_sub(left, 1, __ATOMIC_RELAXED) > 0;
}

static void every_allocation_may_fail(void **state)
{
    fixture f = make();
    rn_recalibration result;
    rn_recalibrate_options options = {.engine = "ref", .images = 1};
    rn_status st = RN_ENOMEM;

    (void)state;
    // Most of them happen while planning, which has its own test: step over these faster.
    for (int allowed = 0; st != RN_OK; allowed += allowed < 40 ? 1 : 9) {
        int left = allowed;
        rn_alloc_hook_set(fail_at, &left);
        st = rn_recalibrate(&result, f.model, f.samples, &options);
        rn_alloc_hook_set(NULL, NULL);
        if (st != RN_OK) {
            assert_int_equal(st, RN_ENOMEM);
            assert_null(result.changes);
            assert_true(values(f.model, "bn1.running_var")[1] == 1e9f);
        }
    }
    rn_recalibration_release(&result);
    drop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_double_precision),
        cmocka_unit_test(one_batch_gives_its_own_statistics),
        cmocka_unit_test(engines_threads_and_batch_sizes_agree),
        cmocka_unit_test(draws_and_augments_by_seed),
        cmocka_unit_test(broken_network_gets_its_accuracy_back),
        cmocka_unit_test(what_cannot_be_done_changes_nothing),
        cmocka_unit_test(moving_average_has_statistics_of_its_own),
        cmocka_unit_test(plans_have_one_kind_of_statistics),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests_name("recalibrate", tests, NULL, NULL);
}
