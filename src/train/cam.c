// Class activation maps (Zhou et al. 2016), and the layers that they and embeddings come from.
#include "train/predictor.h"

#include <string.h>

static int find_last(const rn_graph *graph, rn_node_kind kind)
{
    for (int i = rn_graph_nodes(graph) - 1; i > 0; i--)
        if (rn_graph_node(graph, i)->kind == kind)
            return i;
    return -1;
}

// What a node reads, past what does nothing in inference.
static int source_of(const rn_graph *graph, int index)
{
    int source = rn_graph_node(graph, index)->inputs[0];

    while (rn_graph_node(graph, source)->kind == RN_NODE_DROPOUT)
        source = rn_graph_node(graph, source)->inputs[0];
    return source;
}

const char *rn_embedding_layer(const rn_graph *graph)
{
    int pool = find_last(graph, RN_NODE_AVERAGE_POOL);
    int linear = find_last(graph, RN_NODE_LINEAR);

    return rn_graph_node(graph, pool >= 0 ? pool : source_of(graph, linear))->name;
}

static bool gives_logits(const rn_graph *graph, int node)
{
    int loss = find_last(graph, RN_NODE_CROSS_ENTROPY);

    return loss >= 0 && rn_graph_node(graph, loss)->inputs[0] == node;
}

rn_status rn_cam_layer(const char **layer, const rn_graph *graph)
{
    int linear = find_last(graph, RN_NODE_LINEAR);
    const char *model = rn_graph_model(graph);

    *layer = NULL;
    if (linear < 0 || !gives_logits(graph, linear))
        return rn_error(RN_EUNSUPPORTED,
                        "'%s' has no class activation maps: its logits do not "
                        "come from a linear layer",
                        model);
    const rn_node *pool = rn_graph_node(graph, source_of(graph, linear));
    if (pool->kind != RN_NODE_AVERAGE_POOL)
        return rn_error(RN_EUNSUPPORTED,
                        "'%s' has no class activation maps: its last linear layer "
                        "reads '%s' (%s), expected a global average pool",
                        model, pool->name, rn_node_kind_name(pool->kind));
    const rn_node *maps = rn_graph_node(graph, pool->inputs[0]);
    if (maps->kind == RN_NODE_MAX_POOL || maps->height * maps->width == 1)
        return rn_error(RN_EUNSUPPORTED,
                        "'%s' has no class activation maps: its global average is "
                        "over '%s' (%s) of %d x %d, expected a map",
                        model, maps->name, rn_node_kind_name(maps->kind), maps->height,
                        maps->width);
    *layer = maps->name;
    return RN_OK;
}

static rn_status check(const rn_predictor *predictor, int slot, int label)
{
    rn_status st = RN_OK;
    const char *layer;
    int batch = rn_inference_batch(predictor->inference);

    RN_TRY(rn_cam_layer(&layer, predictor->model->graph));
    if (predictor->layer == NULL || strcmp(predictor->layer->name, layer) != 0)
        st = rn_error(RN_EINVAL, "predictor shows '%s', class activation maps need '%s'",
                      predictor->layer != NULL ? predictor->layer->name : "no layer", layer);
    else if (slot < 0 || slot >= batch)
        st = rn_error(RN_EINVAL, "slot is %d, expected 0 to %d", slot, batch - 1);
    else if (label < 0 || label >= rn_predictor_classes(predictor))
        st = rn_error(RN_EINVAL, "class is %d, expected 0 to %d", label,
                      rn_predictor_classes(predictor) - 1);
out:
    return st;
}

rn_status rn_predictor_cam(const rn_predictor *predictor, int slot, int label, float *map)
{
    rn_status st = RN_OK;

    RN_TRY(check(predictor, slot, label));
    const rn_graph *graph = predictor->model->graph;
    const rn_node *layer = predictor->layer;
    const rn_node *linear = rn_graph_node(graph, find_last(graph, RN_NODE_LINEAR));
    size_t channels = (size_t)layer->channels;
    size_t area = (size_t)layer->height * (size_t)layer->width;
    const float *weights =
        rn_weights_read(rn_predictor_weights(predictor), linear->weight) + (size_t)label * channels;
    const float *features = predictor->output + (size_t)slot * channels * area;
    memset(map, 0, area * sizeof *map);
    for (size_t k = 0; k < channels; k++)
        for (size_t i = 0; i < area; i++)
            map[i] += weights[k] * features[k * area + i];
out:
    return st;
}
