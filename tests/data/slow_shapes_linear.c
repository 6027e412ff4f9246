/**
 * "shapes" is a real task: softmax regression on the pixels, the best that a linear classifier can
 * do, must stay below half of the test images, while a ResNet-20 comes to about 98 % of them.
 */
#include "data/fixtures.h"

#include <math.h>

enum { INPUTS = 3072, CLASSES = 10, LANES = 16, EPOCHS = 10 };

typedef struct classifier {
    float mean[INPUTS];
    float weights[INPUTS][LANES]; // LANES: classes, padded for the compiler's vectors
    float velocity[INPUTS][LANES];
    float bias[LANES];
} classifier;

static void center(classifier *model, const rn_samples *samples)
{
    for (size_t i = 0; i < samples->count; i++)
        for (int p = 0; p < INPUTS; p++)
            model->mean[p] += (float)samples->images[i * INPUTS + (size_t)p] / 255;
    for (int p = 0; p < INPUTS; p++)
        model->mean[p] /= (float)samples->count;
}

static void forward(const classifier *model, const uint8_t *image, float x[INPUTS],
                    float scores[LANES])
{
    memcpy(scores, model->bias, sizeof model->bias);
    for (int p = 0; p < INPUTS; p++) {
        x[p] = (float)image[p] / 255 - model->mean[p];
        for (int c = 0; c < LANES; c++)
            scores[c] += x[p] * model->weights[p][c];
    }
}

// scores become softmax(scores) - onehot(label): the loss's gradient by the scores.
static void to_gradient(float scores[LANES], int label)
{
    float largest = scores[0], sum = 0;

    for (int c = 1; c < CLASSES; c++)
        largest = scores[c] > largest ? scores[c] : largest;
    for (int c = 0; c < CLASSES; c++)
        sum += scores[c] = expf(scores[c] - largest);
    for (int c = 0; c < LANES; c++)
        scores[c] = c < CLASSES ? scores[c] / sum - (c == label) : 0;
}

// SGD on single images, with momentum spread over about ten of them.
static void train(classifier *model, const rn_samples *samples, size_t i, float rate)
{
    float x[INPUTS], gradient[LANES];

    forward(model, samples->images + i * INPUTS, x, gradient);
    to_gradient(gradient, samples->labels[i]);
    for (int c = 0; c < LANES; c++)
        model->bias[c] -= rate * gradient[c];
    for (int p = 0; p < INPUTS; p++) {
        for (int c = 0; c < LANES; c++) {
            model->velocity[p][c] = 0.9f * model->velocity[p][c] + x[p] * gradient[c];
            model->weights[p][c] -= rate * (model->velocity[p][c] + 1e-3f * model->weights[p][c]);
        }
    }
}

static double accuracy(const classifier *model, const rn_samples *samples)
{
    size_t right = 0;

    for (size_t i = 0; i < samples->count; i++) {
        float x[INPUTS], scores[LANES];
        int best = 0;
        forward(model, samples->images + i * INPUTS, x, scores);
        for (int c = 1; c < CLASSES; c++)
            best = scores[c] > scores[best] ? c : best;
        right += best == samples->labels[i];
    }
    return (double)right / (double)samples->count;
}

static void test_linear_classifier_fails(void **state)
{
    static classifier model;
    rn_samples *training, *test;

    (void)state;
    assert_int_equal(rn_data_open(&training, "shapes", RN_SPLIT_TRAIN), RN_OK);
    assert_int_equal(rn_data_open(&test, "shapes", RN_SPLIT_TEST), RN_OK);
    center(&model, training);
    for (int epoch = 0; epoch < EPOCHS; epoch++)
        for (size_t i = 0; i < training->count; i++) // the classes take turns
            train(&model, training, i, 1e-3f / (float)(1 + epoch));
    double seen = accuracy(&model, training), unseen = accuracy(&model, test);
    print_message("linear classifier: %.1f %% of training images, %.1f %% of test images\n",
                  100 * seen, 100 * unseen);
    assert_true(seen > 0.15); // it does learn something
    assert_true(unseen < 0.5);
    rn_samples_free(training);
    rn_samples_free(test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_linear_classifier_fails)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
