// Test-time augmentation: its views, and evaluations against means of single evaluations.
#include "train/inference.h"
#include "train/training.h"
#include "train/tta.h"

#include <math.h>

static void names_round_trip(void **state)
{
    rn_tta tta = RN_TTA_NONE;

    (void)state;
    for (int i = 0; i <= RN_TTA_FLIP_TRANSLATE; i++) {
        assert_int_equal(rn_tta_parse(&tta, rn_tta_name((rn_tta)i)), RN_OK);
        assert_int_equal(tta, i);
    }
    assert_null(rn_tta_name((rn_tta)3));
    assert_int_equal(rn_tta_parse(&tta, "mirror"), RN_EINVAL);
    assert_non_null(strstr(rn_error_message(), "expected none, flip or flip-translate"));
}

static void weights_add_up_to_one(void **state)
{
    static const int views[] = {1, 2, 6};

    (void)state;
    for (int i = 0; i <= RN_TTA_FLIP_TRANSLATE; i++) {
        float sum = 0, turned = 0;
        int count = 0;
        for (; rn_tta_view_at((rn_tta)i, count) != NULL; count++) {
            const rn_tta_view *v = rn_tta_view_at((rn_tta)i, count);
            sum += v->weight;
            turned += v->view.flip ? v->weight : 0;
        }
        assert_int_equal(count, views[i]);
        assert_true(sum == 1.0f && turned == (i == 0 ? 0.0f : 0.5f));
    }
}

static double loss_of(const rn_checkpoint *model, const rn_samples *samples, rn_tta tta)
{
    rn_evaluation result;

    if (rn_evaluate(&result, model, false, samples,
                    &(rn_evaluate_options){.batch = 7, .tta = tta}) != RN_OK)
        fail_msg("%s", rn_error_message());
    assert_int_equal(result.count, samples->count);
    double loss = result.loss;
    rn_evaluation_release(&result);
    return loss;
}

// The loss of the weighted mean of the views' logits, image by image.
static double expected_loss(const rn_checkpoint *model, const rn_samples *samples, rn_tta tta)
{
    size_t volume = 3 * 32 * 32;
    double total = 0;
    rn_inference *inference;

    assert_int_equal(rn_inference_create(&inference, model->graph, NULL, NULL, 1), RN_OK);
    assert_int_equal(rn_inference_load(inference, model->weights), RN_OK);
    for (size_t n = 0; n < samples->count; n++) {
        double mean[10] = {0}, sum = 0;
        for (int v = 0; rn_tta_view_at(tta, v) != NULL; v++) {
            const rn_tta_view *view = rn_tta_view_at(tta, v);
            const float *logits;
            rn_preprocess_view(model->preprocess, rn_inference_slot(inference, 0),
                               samples->images + n * volume, &view->view);
            assert_int_equal(rn_inference_run(inference, &logits), RN_OK);
            for (int k = 0; k < 10; k++)
                mean[k] += (double)view->weight * (double)logits[k];
        }
        for (int k = 0; k < 10; k++)
            sum += exp(mean[k]);
        total += log(sum) - mean[samples->labels[n]];
    }
    rn_inference_free(inference);
    return total / (double)samples->count;
}

static void evaluation_averages_logits(void **state)
{
    training t;
    rn_checkpoint *model = NULL;
    char path[128];

    (void)state;
    training_init(&t);
    t.recipe.tta = RN_TTA_FLIP;
    assert_int_equal(rn_train(&t.options, &t.result), RN_OK);
    snprintf(path, sizeof path, "%s/model.safetensors", t.folder);
    assert_int_equal(rn_model_load(&model, NULL, path, NULL), RN_OK);
    for (int i = 0; i <= RN_TTA_FLIP_TRANSLATE; i++)
        assert_true(fabs(loss_of(model, t.test, (rn_tta)i) -
                         expected_loss(model, t.test, (rn_tta)i)) < 1e-5);
    // the training's own evaluation is the recipe's
    assert_true(fabs(t.result.test_loss - loss_of(model, t.test, RN_TTA_FLIP)) < 1e-6);
    assert_true(fabs(t.result.test_loss - loss_of(model, t.test, RN_TTA_NONE)) > 1e-5);
    rn_evaluation bad;
    assert_int_equal(
        rn_evaluate(&bad, model, false, t.test, &(rn_evaluate_options){.tta = (rn_tta)3}),
        RN_EINVAL);
    rn_checkpoint_free(model);
    training_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_round_trip),
        cmocka_unit_test(weights_add_up_to_one),
        cmocka_unit_test(evaluation_averages_logits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
