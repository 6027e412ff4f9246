/** A model of made-up weights and seven generated images to measure it on. Header only. */
#ifndef TRAIN_MADE_MODEL_H
#define TRAIN_MADE_MODEL_H

#include "resnet/resnet.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { IMAGES = 7 };

static rn_samples *samples;

static inline int open_samples(void **state)
{
    (void)state;
    return rn_data_open(&samples, "shapes:train=13,test=7", RN_SPLIT_TEST) != RN_OK;
}

static inline int close_samples(void **state)
{
    (void)state;
    rn_samples_free(samples);
    return 0;
}

// Weights as a training might leave them: no statistic, gain or bias is 0 or 1.
static inline void make_model(rn_checkpoint *model, const char *spec)
{
    *model = (rn_checkpoint){0};
    assert_int_equal(rn_graph_create(&model->graph, spec, NULL), RN_OK);
    model->options = *rn_graph_options(model->graph);
    assert_int_equal(rn_weights_create(&model->weights, model->graph), RN_OK);
    rn_weights_initialise(model->weights, 3);
    for (int i = 0; i < rn_weights_count(model->weights); i++) {
        const rn_param *param = rn_weights_param(model->weights, i);
        for (size_t k = 0; k < param->count && param->dims == 1; k++)
            rn_weights_data(model->weights, i)[k] +=
                (float)((k * 7919 + (size_t)i * 31) % 100) / 150 - 0.3f;
    }
    assert_int_equal(rn_preprocess_measure(&model->preprocess, samples, RN_NORMALIZE_CHANNEL),
                     RN_OK);
}

static inline void drop_model(rn_checkpoint *model)
{
    rn_weights_free(model->weights);
    rn_preprocess_free(model->preprocess);
    rn_graph_free(model->graph);
}

/** A predictor with all images in its places. */
static inline rn_predictor *show_images(const rn_checkpoint *model, const char *layer)
{
    rn_predictor *predictor;
    size_t bytes = 3 * 32 * 32;

    assert_int_equal(
        rn_predictor_create_with(&predictor, model, &(rn_predictor_options){IMAGES, NULL, layer}),
        RN_OK);
    for (int i = 0; i < IMAGES; i++)
        rn_preprocess_apply(model->preprocess, rn_predictor_input(predictor, i),
                            samples->images + (size_t)i * bytes, NULL, 0, 0, 0);
    return predictor;
}

/** The outputs of one layer for all images, kept for itself by a plan of its own. */
static inline const float *layer_outputs(rn_predictor **predictor, const rn_checkpoint *model,
                                         const char *layer)
{
    const float *values;

    *predictor = show_images(model, layer);
    assert_int_equal(rn_predictor_features(*predictor, &values), RN_OK);
    return values;
}

#endif
