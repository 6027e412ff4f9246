// Layer responses: moments of what convolutions give, behind their batch norms.
#include "resnet/measure.h"

#include "base/memory.h"
#include "train/traced.h"

#include <math.h>

/** Sums over what one convolution gave. */
typedef struct sums {
    double *value, *square; // [channels]
    double count;           // values of a channel
} sums;

typedef struct meter {
    rn_traced traced;
    rn_responses *out;
    sums *sums; // out->count of them
} meter;

// Setting up

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
    const rn_graph *graph = m->traced.model->graph;
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
    const rn_graph *graph = m->traced.model->graph;
    size_t nodes = (size_t)rn_graph_nodes(graph);

    RN_TRY(RN_NEW(&m->out->layers, nodes));
    RN_TRY(RN_NEW(&m->sums, nodes));
    for (int i = 0; i < rn_graph_nodes(graph); i++)
        if (rn_graph_node(graph, i)->kind == RN_NODE_CONV)
            RN_TRY(add_layer(m, i));
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
    rn_traced_close(&m->traced);
}

// One output

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
        for (int i = 0; i < m->traced.filled; i++)
            add_plane(s, c, values + ((size_t)i * (size_t)channels + (size_t)c) * area, area);
    s->count += (double)m->traced.filled * (double)area;
    return RN_OK;
}

// The result

// y = scale x + shift, of one channel of a batch norm in inference.
static void affine_of(double *scale, double *shift, const meter *m, const rn_node *norm,
                      int channel)
{
    const rn_weights *w = m->traced.weights;

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
    const rn_responses_options given = options == NULL ? (rn_responses_options){0} : *options;
    meter m = {.out = out};

    *out = (rn_responses){0};
    RN_TRY(rn_traced_open(&m.traced, model, samples,
                          &(rn_traced_options){.engine = given.engine,
                                               .batch = given.batch,
                                               .images = given.images,
                                               .ema = given.ema,
                                               .separate = true,
                                               .stop = given.stop}));
    out->images = m.traced.images;
    RN_TRY(find_layers(&m));
    RN_TRY(rn_traced_run(&m.traced, take_output, &m));
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
