// Batch norms that are part of the convolutions before them, as ONNX exporters leave them: read
// back they have gain 1, mean 0 and variance 1 - epsilon. Beside such a model the other is compared
// in the same form.
#include "train/compare.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

// Nodes that read each node's output; the caller's.
static rn_status count_readers(int **readers, const rn_graph *graph)
{
    rn_status st = RN_OK;
    int nodes = rn_graph_nodes(graph);

    RN_TRY(RN_NEW(readers, (size_t)nodes));
    for (int i = 0; i < nodes; i++)
        for (int k = 0; k < 2; k++) {
            int input = rn_graph_node(graph, i)->inputs[k];
            if (input >= 0)
                (*readers)[input]++;
        }
out:
    return st;
}

// The convolution that a batch norm can become part of, or NULL.
static const rn_node *foldable(const rn_graph *graph, const int *readers, int index)
{
    const rn_node *norm = rn_graph_node(graph, index);

    if (norm->kind != RN_NODE_BATCH_NORM || readers[norm->inputs[0]] != 1)
        return NULL;
    const rn_node *conv = rn_graph_node(graph, norm->inputs[0]);
    return conv->kind == RN_NODE_CONV ? conv : NULL;
}

static bool all_equal(const rn_weights *weights, int param, float value)
{
    const float *values = rn_weights_read(weights, param);

    for (size_t i = 0; i < rn_weights_param(weights, param)->count; i++)
        if (values[i] != value)
            return false;
    return true;
}

static bool does_nothing_but_shift(const rn_weights *weights, const rn_node *norm)
{
    return all_equal(weights, norm->weight, 1) && all_equal(weights, norm->running_mean, 0) &&
           all_equal(weights, norm->running_variance, 1 - norm->epsilon);
}

static bool is_folded(const rn_graph *graph, const int *readers, const rn_weights *weights)
{
    bool any = false;

    for (int i = 0; i < rn_graph_nodes(graph); i++) {
        if (foldable(graph, readers, i) == NULL)
            continue;
        if (!does_nothing_but_shift(weights, rn_graph_node(graph, i)))
            return false;
        any = true;
    }
    return any;
}

// gain (w x + b - mean) / sqrt(variance + epsilon) + bias, with all but w and bias gone.
static void fold(rn_weights *weights, const rn_node *conv, const rn_node *norm)
{
    float *weight = rn_weights_data(weights, conv->weight);
    float *start = conv->bias == RN_NO_PARAM ? NULL : rn_weights_data(weights, conv->bias);
    float *gain = rn_weights_data(weights, norm->weight);
    float *shift = rn_weights_data(weights, norm->bias);
    float *mean = rn_weights_data(weights, norm->running_mean);
    float *variance = rn_weights_data(weights, norm->running_variance);
    size_t row = rn_weights_param(weights, conv->weight)->count / (size_t)conv->channels;

    for (int c = 0; c < conv->channels; c++) {
        double scale = (double)gain[c] / sqrt((double)variance[c] + (double)norm->epsilon);
        double from = start == NULL ? 0 : (double)start[c];
        for (size_t i = 0; i < row; i++, weight++)
            *weight = (float)((double)*weight * scale);
        shift[c] = (float)((from - (double)mean[c]) * scale + (double)shift[c]);
        gain[c] = 1;
        mean[c] = 0;
        variance[c] = 1 - norm->epsilon;
        if (start != NULL)
            start[c] = 0;
    }
}

static rn_status fold_all(rn_weights **out, const rn_graph *graph, const int *readers,
                          const rn_weights *weights)
{
    rn_status st = RN_OK;

    RN_TRY(rn_weights_create(out, graph));
    for (int i = 0; i < rn_weights_count(weights); i++)
        memcpy(rn_weights_data(*out, i), rn_weights_read(weights, i),
               rn_weights_param(weights, i)->count * sizeof(float));
    for (int i = 0; i < rn_graph_nodes(graph); i++) {
        const rn_node *conv = foldable(graph, readers, i);
        if (conv != NULL)
            fold(*out, conv, rn_graph_node(graph, i));
    }
out:
    return st;
}

rn_status rn_compare_fold(rn_comparison *out, const rn_checkpoint *const models[2],
                          const rn_weights *weights[2])
{
    rn_status st = RN_OK;
    const rn_graph *graph = models[0]->graph; // the structures are equal
    int *readers = NULL;

    RN_TRY(count_readers(&readers, graph));
    bool a = is_folded(graph, readers, weights[0]), b = is_folded(graph, readers, weights[1]);
    if (a != b) {
        int other = a ? 1 : 0;
        RN_TRY(fold_all(&out->folded, models[other]->graph, readers, weights[other]));
        out->folded_model = other;
        weights[other] = out->folded;
    }
out:
    rn_free(readers);
    return st;
}
