#include "base/memory.h"
#include "train/inference.h"

enum { MAX_BATCH = 1024 };

struct rn_predictor {
    const rn_checkpoint *model;
    rn_checkpoint *own; // NULL where the model is borrowed
    rn_inference *inference;
    float *probabilities;
};

rn_status rn_predictor_create_from(rn_predictor **out, const rn_checkpoint *model, int batch,
                                   const char *engine)
{
    rn_status st = RN_OK;
    rn_predictor *predictor = NULL;

    *out = NULL;
    if (batch < 1 || batch > MAX_BATCH)
        return rn_error(RN_EINVAL, "batch is %d, expected 1 to %d", batch, MAX_BATCH);
    RN_TRY(RN_NEW(&predictor, 1));
    predictor->model = model;
    RN_TRY(rn_inference_create(&predictor->inference, model->graph, engine, batch));
    RN_TRY(
        rn_inference_load(predictor->inference, model->ema != NULL ? model->ema : model->weights));
    RN_TRY(RN_NEW(&predictor->probabilities, (size_t)batch * (size_t)model->options.classes));
    *out = predictor;
    predictor = NULL; // now the caller's
out:
    rn_predictor_free(predictor);
    return st;
}

rn_status rn_predictor_create(rn_predictor **out, const char *path, int batch, const char *engine)
{
    rn_status st = RN_OK;
    rn_checkpoint *model = NULL;

    *out = NULL;
    RN_TRY(rn_model_load(&model, NULL, path, NULL));
    RN_TRY(rn_predictor_create_from(out, model, batch, engine));
    (*out)->own = model;
    model = NULL; // now the predictor's
out:
    rn_checkpoint_free(model);
    return st;
}

void rn_predictor_free(rn_predictor *predictor)
{
    if (predictor == NULL)
        return;
    rn_inference_free(predictor->inference);
    rn_checkpoint_free(predictor->own);
    rn_free(predictor->probabilities);
    rn_free(predictor);
}

rn_status rn_predictor_set(rn_predictor *predictor, int slot, const rn_image *image)
{
    int batch = rn_inference_batch(predictor->inference);

    if (slot < 0 || slot >= batch)
        return rn_error(RN_EINVAL, "slot is %d, expected 0 to %d", slot, batch - 1);
    return rn_preprocess_image(predictor->model->preprocess,
                               rn_inference_slot(predictor->inference, slot), image);
}

rn_status rn_predictor_run(rn_predictor *predictor, const float **probabilities)
{
    rn_status st = RN_OK;
    const float *logits;
    int classes = rn_predictor_classes(predictor);

    RN_TRY(rn_inference_run(predictor->inference, &logits));
    for (int i = 0; i < rn_inference_batch(predictor->inference); i++) {
        size_t row = (size_t)i * (size_t)classes;
        rn_softmax(predictor->probabilities + row, logits + row, classes);
    }
    *probabilities = predictor->probabilities;
out:
    return st;
}

int rn_predictor_classes(const rn_predictor *predictor)
{
    return predictor->model->options.classes;
}

const char *rn_predictor_label(const rn_predictor *predictor, int index)
{
    return predictor->model->label_names[index];
}
