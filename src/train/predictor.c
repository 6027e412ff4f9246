#include "train/predictor.h"

#include "base/memory.h"

#include <string.h>

enum { MAX_BATCH = 1024 };

static size_t layer_floats(const rn_node *layer)
{
    return (size_t)layer->channels * (size_t)layer->height * (size_t)layer->width;
}

static rn_status unknown_layer(const rn_graph *graph, const char *name)
{
    rn_status st = RN_OK;
    const char **names = NULL;
    size_t count = 0;

    RN_TRY(RN_NEW(&names, (size_t)rn_graph_nodes(graph)));
    for (int i = 1; i < rn_graph_nodes(graph); i++)
        if (rn_graph_node(graph, i)->kind != RN_NODE_CROSS_ENTROPY)
            names[count++] = rn_graph_node(graph, i)->name;
    const char *nearest = rn_nearest(name, names, count);
    st = nearest != NULL ? rn_error(RN_ENOTFOUND,
                                    "network '%s' has no layer '%s'; did you mean "
                                    "'%s'?",
                                    rn_graph_model(graph), name, nearest)
                         : rn_error(RN_ENOTFOUND, "network '%s' has no layer '%s'",
                                    rn_graph_model(graph), name);
out:
    rn_free(names);
    return st;
}

// Index of the layer of this name; 0 where there is no name.
static rn_status find_layer(int *index, const rn_graph *graph, const char *name)
{
    int found = name == NULL ? 0 : rn_graph_find_node(graph, name);

    *index = 0;
    if (name == NULL)
        return RN_OK;
    if (found < 1 || rn_graph_node(graph, found)->kind == RN_NODE_CROSS_ENTROPY)
        return unknown_layer(graph, name);
    *index = found;
    return RN_OK;
}

const rn_weights *rn_predictor_weights(const rn_predictor *predictor)
{
    const rn_checkpoint *model = predictor->model;

    return model->ema != NULL ? model->ema : model->weights;
}

rn_status rn_predictor_create_with(rn_predictor **out, const rn_checkpoint *model,
                                   const rn_predictor_options *options)
{
    rn_status st = RN_OK;
    rn_predictor *predictor = NULL;
    int batch = options->batch == 0 ? 1 : options->batch, layer;

    *out = NULL;
    if (batch < 1 || batch > MAX_BATCH)
        return rn_error(RN_EINVAL, "batch is %d, expected 1 to %d", batch, MAX_BATCH);
    RN_TRY(find_layer(&layer, model->graph, options->layer));
    RN_TRY(RN_NEW(&predictor, 1));
    predictor->model = model;
    RN_TRY(rn_inference_create_showing(&predictor->inference, model->graph, model->ranges,
                                       options->engine, batch, layer));
    RN_TRY(rn_inference_load(predictor->inference, rn_predictor_weights(predictor)));
    RN_TRY(RN_NEW(&predictor->probabilities, (size_t)batch * (size_t)model->options.classes));
    if (layer > 0) {
        predictor->layer = rn_graph_node(model->graph, layer);
        RN_TRY(RN_NEW(&predictor->output, (size_t)batch * layer_floats(predictor->layer)));
    }
    *out = predictor;
    predictor = NULL; // now the caller's
out:
    rn_predictor_free(predictor);
    return st;
}

rn_status rn_predictor_create_from(rn_predictor **out, const rn_checkpoint *model, int batch,
                                   const char *engine)
{
    *out = NULL;
    if (batch < 1)
        return rn_error(RN_EINVAL, "batch is %d, expected 1 to %d", batch, MAX_BATCH);
    return rn_predictor_create_with(out, model,
                                    &(rn_predictor_options){.batch = batch, .engine = engine});
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
    rn_free(predictor->output);
    rn_free(predictor);
}

float *rn_predictor_input(rn_predictor *predictor, int slot)
{
    return rn_inference_slot(predictor->inference, slot);
}

rn_status rn_predictor_set(rn_predictor *predictor, int slot, const rn_image *image)
{
    int batch = rn_inference_batch(predictor->inference);

    if (slot < 0 || slot >= batch)
        return rn_error(RN_EINVAL, "slot is %d, expected 0 to %d", slot, batch - 1);
    return rn_preprocess_image(predictor->model->preprocess, rn_predictor_input(predictor, slot),
                               image);
}

rn_status rn_predictor_run(rn_predictor *predictor, const float **probabilities)
{
    rn_status st = RN_OK;
    int classes = rn_predictor_classes(predictor);

    RN_TRY(rn_inference_run(predictor->inference, &predictor->logits));
    for (int i = 0; i < rn_inference_batch(predictor->inference); i++) {
        size_t row = (size_t)i * (size_t)classes;
        rn_softmax(predictor->probabilities + row, predictor->logits + row, classes);
    }
    if (predictor->layer != NULL)
        RN_TRY(rn_inference_output(predictor->inference, predictor->output));
    *probabilities = predictor->probabilities;
out:
    return st;
}

void rn_predictor_shape(const rn_predictor *predictor, int shape[3])
{
    const rn_node *layer = predictor->layer;

    shape[0] = layer != NULL ? layer->channels : 0;
    shape[1] = layer != NULL ? layer->height : 0;
    shape[2] = layer != NULL ? layer->width : 0;
}

rn_status rn_predictor_features(rn_predictor *predictor, const float **values)
{
    rn_status st = RN_OK;

    *values = NULL;
    RN_TRY(rn_inference_run_to_output(predictor->inference));
    RN_TRY(rn_inference_output(predictor->inference, predictor->output));
    *values = predictor->output;
out:
    return st;
}

const float *rn_predictor_logits(const rn_predictor *predictor)
{
    return predictor->logits;
}

int rn_predictor_classes(const rn_predictor *predictor)
{
    return predictor->model->options.classes;
}

const char *rn_predictor_label(const rn_predictor *predictor, int index)
{
    return predictor->model->label_names[index];
}
