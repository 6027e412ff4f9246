// Model specs: a text is refused, or its graph has a canonical spec that gives it again.
#include "resnet/graph.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[1024];
    rn_graph *graph = NULL, *again = NULL;

    if (size >= sizeof text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (rn_graph_create(&graph, text, NULL) != RN_OK)
        return 0;
    if (rn_graph_create(&again, rn_graph_model(graph), NULL) != RN_OK ||
        strcmp(rn_graph_model(graph), rn_graph_model(again)) != 0 ||
        rn_graph_nodes(graph) != rn_graph_nodes(again) ||
        rn_graph_params(graph) != rn_graph_params(again))
        abort();
    rn_graph_free(again);
    rn_graph_free(graph);
    return 0;
}
