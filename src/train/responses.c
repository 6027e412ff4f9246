// Layer responses: moments of what convolutions give, behind their batch norms.
#include "base/memory.h"
#include "train/inference.h"

#include <math.h>

enum { DEFAULT_BATCH = 128, MAX_BATCH = 65536 };

/** Sums over what one convolution gave. */
typedef struct sums {
    double *value, *square; // [channels]
    double count;           // values of a channel
} sums;

typedef struct meter {
    const rn_checkpoint *model;
    const rn_weights *weights;
    const rn_samples *samples;
    const rn_responses_options *options;
    rn_responses *out;
    sums *sums; // out->count of them
    rn_engine *engine;
    rn_plan *plan;
    rn_run *run;
    int batch, filled; // images in the batch that runs
} meter;

// Setting up

static rn_status check(const meter *m)
{
    const rn_responses_options *options = m->options;
    const rn_samples *samples = m->samples;

    if (options->batch < 0 || options->batch > MAX_BATCH)
        return rn_error(RN_EINVAL, "batch is %d, expected 1 to %d", options->batch, MAX_BATCH);
    if (options->ema && m->model->ema == NULL)
        return rn_error(RN_EINVAL, "the model file has no averaged (EMA) weights");
    if (samples->count == 0)
        return rn_error(RN_EINVAL, "%s has no images", samples->name);
    if (options->images > samples->count)
        return rn_error(RN_EINVAL, "%llu images are wanted, %s has %zu",
                        (unsigned long long)options->images, samples->name, samples->count);
    return rn_check_size(m->model, samples);
}

// The only node that reads node `index`; NULL if there are more, or none.
static const rn_node *sole_reader(const rn_graph *graph, int index)
{
    const rn_node *reader = NULL;

    for (int i = index + 1; i < rn_graph_nodes(graph); i++) {
        const rn_node *node = rn_graph_node(graph, i);
        if (node->inputs[0] != index && node->inputs[1] != index)
            continue;
        if (reader != NULL)
            return NULL;
        reader = node;
    }
    return reader;
}

static rn_status add_layer(meter *m, int index)
{
    rn_status st = RN_OK;
    const rn_graph *graph = m->model->graph;
    const rn_node *conv = rn_graph_node(graph, index), *reader = sole_reader(graph, index);
    bool normalised = reader != NULL && reader->kind == RN_NODE_BATCH_NORM;
    sums *s = &m->sums[m->out->count];

    m->out->layers[m->out->count++] =
        (rn_response){.conv = conv, .measured = normalised ? reader : conv};
    RN_TRY(RN_NEW(&s->value, (size_t)conv->channels));
    RN_TRY(RN_NEW(&s->square, (size_t)conv->channels));
out:
    return st;
}

static rn_status find_layers(meter *m)
{
    rn_status st = RN_OK;
    const rn_graph *graph = m->model->graph;
    size_t nodes = (size_t)rn_graph_nodes(graph);

    RN_TRY(RN_NEW(&m->out->layers, nodes));
    RN_TRY(RN_NEW(&m->sums, nodes));
    for (int i = 0; i < rn_graph_nodes(graph); i++)
        if (rn_graph_node(graph, i)->kind == RN_NODE_CONV)
            RN_TRY(add_layer(m, i));
out:
    return st;
}

static rn_status set_up(meter *m)
{
    rn_status st = RN_OK;
    uint64_t batch = m->options->batch == 0 ? DEFAULT_BATCH : (uint64_t)m->options->batch;

    m->out->images = m->options->images == 0 ? m->samples->count : m->options->images;
    m->batch = (int)(batch < m->out->images ? batch : m->out->images);
    m->weights = m->options->ema ? m->model->ema : m->model->weights;
    RN_TRY(find_layers(m));
    RN_TRY(rn_engine_create(&m->engine, m->options->engine));
    RN_TRY(rn_plan_create(&m->plan, m->model->graph, m->engine,
                          &(rn_plan_options){.batch = m->batch, .separate = true}));
    RN_TRY(rn_run_create(&m->run, m->plan));
    RN_TRY(rn_run_load(m->run, m->weights));
out:
    return st;
}

static void release(meter *m)
{
    for (int i = 0; m->sums != NULL && i < m->out->count; i++) {
        rn_free(m->sums[i].value);
        rn_free(m->sums[i].square);
    }
    rn_free(m->sums);
    rn_run_free(m->run);
    rn_plan_free(m->plan);
    rn_engine_free(m->engine);
}

// One batch

static rn_status fill_slot(const meter *m, int slot, uint64_t number)
{
    rn_status st = RN_OK;
    const rn_samples *s = m->samples;
    const rn_model_options *model = &m->model->options;
    size_t values = (size_t)model->channels * (size_t)model->height * (size_t)model->width;
    size_t index = (size_t)(number * s->count / m->out->images); // a set has below 2^32 images
    float *input = rn_run_input(m->run) + (size_t)slot * values;
    rn_image *image = NULL;

    if (s->photos == NULL) {
        rn_preprocess_apply(m->model->preprocess, input, s->images + index * values, NULL, 0, 0, 0);
        return RN_OK;
    }
    RN_TRY(rn_photos_decode(&image, s->photos, index, NULL));
    RN_TRY(rn_preprocess_image(m->model->preprocess, input, image));
out:
    rn_image_free(image);
    return st;
}

// A failure's message belongs to the thread that had it, so the first is tried again in this one.
static rn_status fill_input(const meter *m, uint64_t first)
{
    int failed = m->filled;

#pragma omp parallel for schedule(dynamic) reduction(min : failed)
    for (int i = 0; i < m->filled; i++)
        if (fill_slot(m, i, first + (uint64_t)i) != RN_OK && i < failed)
            failed = i;
    return failed < m->filled ? fill_slot(m, failed, first + (uint64_t)failed) : RN_OK;
}

static void add_plane(sums *s, int channel, const float *values, size_t area)
{
    double value = 0, square = 0;

    for (size_t i = 0; i < area; i++) {
        value += (double)values[i];
        square += (double)values[i] * (double)values[i];
    }
    s->value[channel] += value;
    s->square[channel] += square;
}

// Each channel is summed by one thread, image by image: the same sums whatever their number.
static rn_status take_output(const rn_node *node, const int shape[4], const float *values,
                             void *context)
{
    meter *m = context;
    int layer = 0, channels = shape[1];
    size_t area = (size_t)shape[2] * (size_t)shape[3];

    while (layer < m->out->count && m->out->layers[layer].conv != node)
        layer++;
    if (layer == m->out->count)
        return RN_OK;
    sums *s = &m->sums[layer];
#pragma omp parallel for schedule(static)
    for (int c = 0; c < channels; c++)
        for (int i = 0; i < m->filled; i++)
            add_plane(s, c, values + ((size_t)i * (size_t)channels + (size_t)c) * area, area);
    s->count += (double)m->filled * (double)area;
    return RN_OK;
}

static rn_status run_batches(meter *m)
{
    rn_status st = RN_OK;

    for (uint64_t first = 0; first < m->out->images; first += (uint64_t)m->batch) {
        uint64_t left = m->out->images - first;
        if (m->options->stop != NULL && *m->options->stop)
            return rn_error(RN_EINTERRUPTED, "interrupted after %llu images",
                            (unsigned long long)first);
        m->filled = left < (uint64_t)m->batch ? (int)left : m->batch; // the rest is not counted
        RN_TRY(fill_input(m, first));
        RN_TRY(rn_run_trace(m->run, take_output, m));
    }
out:
    return st;
}

// The result

// y = scale x + shift, of one channel of a batch norm in inference.
static void affine_of(double *scale, double *shift, const meter *m, const rn_node *norm,
                      int channel)
{
    const rn_weights *w = m->weights;

    *scale =
        (double)rn_weights_read(w, norm->weight)[channel] /
        sqrt((double)rn_weights_read(w, norm->running_variance)[channel] + (double)norm->epsilon);
    *shift = (double)rn_weights_read(w, norm->bias)[channel] -
             *scale * (double)rn_weights_read(w, norm->running_mean)[channel];
}

static void finish_layer(const meter *m, int index)
{
    rn_response *layer = &m->out->layers[index];
    const sums *s = &m->sums[index];
    double value = 0, square = 0, all = s->count * layer->conv->channels;

    for (int c = 0; c < layer->conv->channels; c++) {
        double scale = 1, shift = 0;
        if (layer->measured != layer->conv)
            affine_of(&scale, &shift, m, layer->measured, c);
        value += scale * s->value[c] + s->count * shift;
        square += scale * scale * s->square[c] + 2 * scale * shift * s->value[c] +
                  s->count * shift * shift;
    }
    layer->mean = value / all;
    double variance = square / all - layer->mean * layer->mean;
    layer->deviation = variance < 0 ? 0 : sqrt(variance); // rounding, where all values are equal
}

rn_status rn_responses_measure(rn_responses *out, const rn_checkpoint *model,
                               const rn_samples *samples, const rn_responses_options *options)
{
    rn_status st = RN_OK;
    const rn_responses_options defaults = {0};
    meter m = {.model = model,
               .samples = samples,
               .out = out,
               .options = options == NULL ? &defaults : options};

    *out = (rn_responses){0};
    RN_TRY(check(&m));
    RN_TRY(set_up(&m));
    RN_TRY(run_batches(&m));
    for (int i = 0; i < out->count; i++)
        finish_layer(&m, i);
out:
    release(&m);
    if (st != RN_OK)
        rn_responses_release(out);
    return st;
}

void rn_responses_release(rn_responses *responses)
{
    rn_free(responses->layers);
    *responses = (rn_responses){0};
}
