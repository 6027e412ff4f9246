// Eigenvectors of known and of random matrices; patches that are white after the first convolution.
#include "base/random.h"
#include "train/training.h"
#include "train/whiten.h"

#include <math.h>

static void two_by_two(void **state)
{
    double a[4] = {2, 1, 1, 2}, values[2], vectors[4];

    (void)state;
    rn_symmetric_eigen(a, 2, values, vectors);
    assert_true(fabs(values[0] - 3) < 1e-14 && fabs(values[1] - 1) < 1e-14);
    assert_true(fabs(fabs(vectors[0]) - sqrt(0.5)) < 1e-14 &&
                fabs(vectors[0] - vectors[1]) < 1e-14);
    assert_true(fabs(vectors[2] + vectors[3]) < 1e-14);
}

static void degenerate(void **state)
{
    double zero[9] = {0}, one[1] = {-5}, values[3], vectors[9];

    (void)state;
    rn_symmetric_eigen(zero, 3, values, vectors);
    for (int i = 0; i < 9; i++)
        assert_true(vectors[i] == (i % 4 == 0) && values[i % 3] == 0);
    rn_symmetric_eigen(one, 1, values, vectors);
    assert_true(values[0] == -5 && vectors[0] == 1);
}

// A v = e v, orthonormal, falling: for random symmetric matrices.
static void random_matrices(void **state)
{
    enum { N = 27 };
    static double a[N * N], kept[N * N], values[N], vectors[N * N];
    rn_stream stream;

    (void)state;
    rn_stream_init(&stream, 4, RN_PURPOSE_TEST, 0, 0);
    for (int trial = 0; trial < 20; trial++) {
        for (int i = 0; i < N; i++)
            for (int j = 0; j <= i; j++)
                kept[i * N + j] = kept[j * N + i] = (double)rn_stream_normal(&stream);
        memcpy(a, kept, sizeof a);
        rn_symmetric_eigen(a, N, values, vectors);
        for (int i = 0; i < N; i++) {
            const double *v = vectors + i * N;
            assert_true(i == 0 || values[i] <= values[i - 1]);
            for (int r = 0; r < N; r++) {
                double image = 0, dot = 0;
                for (int k = 0; k < N; k++) {
                    image += kept[r * N + k] * v[k];
                    dot += v[k] * vectors[r * N + k];
                }
                assert_true(fabs(image - values[i] * v[r]) < 1e-11);
                assert_true(fabs(dot - (r == i)) < 1e-12);
            }
        }
    }
}

typedef struct model {
    rn_graph *graph;
    rn_weights *weights, *fresh;
    rn_preprocess *preprocess;
} model;

static void make_model(model *m, const char *spec, const rn_samples *samples)
{
    assert_int_equal(rn_graph_create(&m->graph, spec, NULL), RN_OK);
    assert_int_equal(rn_weights_create(&m->weights, m->graph), RN_OK);
    assert_int_equal(rn_weights_create(&m->fresh, m->graph), RN_OK);
    rn_weights_initialise(m->weights, 3);
    rn_weights_initialise(m->fresh, 3);
    assert_int_equal(rn_preprocess_measure(&m->preprocess, samples, RN_NORMALIZE_CHANNEL), RN_OK);
}

static void release_model(model *m)
{
    rn_weights_free(m->weights);
    rn_weights_free(m->fresh);
    rn_graph_free(m->graph);
    rn_preprocess_free(m->preprocess);
}

// Second moment of what two filters give over all patches of the first `images`.
static double moment(const model *m, const rn_samples *s, int images, int a, int b)
{
    const float *filters = rn_weights_read(m->weights, 0);
    static float image[3 * 32 * 32];
    double sum = 0;

    for (int n = 0; n < images; n++) {
        rn_preprocess_apply(m->preprocess, image, s->images + (size_t)n * 3072, NULL, 0, 0, 0);
        for (int at = 0; at < 900; at++) {
            double x = 0, y = 0;
            for (int k = 0; k < 27; k++) {
                int row = at / 30 + k % 9 / 3, column = at % 30 + k % 3;
                double value = (double)image[k / 9 * 1024 + row * 32 + column];
                x += (double)filters[a * 27 + k] * value;
                y += (double)filters[b * 27 + k] * value;
            }
            sum += x * y;
        }
    }
    return sum / 900 / images;
}

static void outputs_are_white(void **state)
{
    rn_samples *samples;
    model m;

    (void)state;
    assert_int_equal(rn_data_open(&samples, "shapes:train=40,test=1", RN_SPLIT_TRAIN), RN_OK);
    make_model(&m, "resnet-8:width=64", samples);
    assert_int_equal(
        rn_whiten(m.weights, m.preprocess, samples, &(rn_whiten_options){.images = 30}), RN_OK);
    for (int a = 0; a < 4; a++) {
        double own = moment(&m, samples, 30, a, a);
        assert_true(own < 1 && own > 0.95); // e / (e + epsilon)
        assert_true(fabs(moment(&m, samples, 30, a, a + 1)) < 1e-4);
        assert_true(fabs(moment(&m, samples, 30, a, 27 + a) + own) < 1e-4);
    }
    const float *filters = rn_weights_read(m.weights, 0), *fresh = rn_weights_read(m.fresh, 0);
    assert_memory_equal(filters + 54 * 27, fresh + 54 * 27, 10 * 27 * sizeof *fresh);
    for (int i = 1; i < rn_weights_count(m.weights); i++) // all else as it was
        assert_memory_equal(rn_weights_read(m.weights, i), rn_weights_read(m.fresh, i),
                            rn_weights_param(m.weights, i)->count * sizeof(float));
    volatile sig_atomic_t stop = 1;
    assert_int_equal(rn_whiten(m.weights, m.preprocess, samples,
                               &(rn_whiten_options){.images = 30, .stop = &stop}),
                     RN_EINTERRUPTED);
    // fewer channels than values: the largest eigenvalues; more images than there are: all
    release_model(&m);
    make_model(&m, "resnet-8", samples);
    assert_int_equal(
        rn_whiten(m.weights, m.preprocess, samples, &(rn_whiten_options){.images = 5000}), RN_OK);
    double own = moment(&m, samples, 40, 0, 0);
    assert_true(own < 1 && own > 0.95 && fabs(moment(&m, samples, 40, 7, 15) + 1) < 0.2);
    release_model(&m);
    rn_samples_free(samples);
}

static void misfits_are_refused(void **state)
{
    rn_samples *samples;
    model m;

    (void)state;
    assert_int_equal(rn_data_open(&samples, "shapes:train=4,test=1", RN_SPLIT_TRAIN), RN_OK);
    make_model(&m, "resnet-8", samples);
    samples->channels = 1;
    assert_int_equal(rn_whiten(m.weights, m.preprocess, samples, &(rn_whiten_options){.images = 4}),
                     RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "have no patches for 'conv1.weight'"));
    samples->channels = 3;
    release_model(&m);
    rn_samples_free(samples);
}

// In a training: frozen filters are the same at the end, after a stop and a resumption as well.
static void training_keeps_frozen_filters(void **state)
{
    training t, whole;
    rn_checkpoint *net = NULL;
    char path[128];

    (void)state;
    training_init(&t);
    t.recipe.whiten = 50;
    t.recipe.sgd.frozen[RN_GROUP_STEM] = true;
    t.recipe.sgd.lookahead = 3;
    t.recipe.augment.alternate_flip = true;
    t.recipe.augment.pad_mode = RN_PAD_REFLECT;
    training_init(&whole);
    whole.recipe = t.recipe;
    assert_int_equal(rn_train(&whole.options, &whole.result), RN_OK);
    t.stop_at = 7;
    assert_int_equal(rn_train(&t.options, &t.result), RN_EINTERRUPTED);
    t.stop = 0;
    t.stop_at = 0;
    t.options.resume = true;
    assert_int_equal(rn_train(&t.options, &t.result), RN_OK);
    assert_same_file(&whole, &t, "checkpoint-14.safetensors");
    assert_same_file(&whole, &t, "model.safetensors");
    snprintf(path, sizeof path, "%s/model.safetensors", t.folder);
    assert_int_equal(rn_checkpoint_load(&net, path), RN_OK);
    rn_weights *expected = NULL;
    assert_int_equal(rn_weights_create(&expected, net->graph), RN_OK);
    rn_weights_initialise(expected, t.recipe.seed);
    assert_int_equal(
        rn_whiten(expected, net->preprocess, t.train, &(rn_whiten_options){.images = 50}), RN_OK);
    assert_memory_equal(rn_weights_read(expected, 0), rn_weights_read(net->weights, 0),
                        16 * 27 * sizeof(float));
    rn_weights_free(expected);
    rn_checkpoint_free(net);
    training_release(&t);
    training_release(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_by_two),          cmocka_unit_test(degenerate),
        cmocka_unit_test(random_matrices),     cmocka_unit_test(outputs_are_white),
        cmocka_unit_test(misfits_are_refused), cmocka_unit_test(training_keeps_frozen_filters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
