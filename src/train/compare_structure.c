// Where two networks begin to be different ones: both are spelled, aspect by aspect, until the
// spellings differ.
#include "train/compare.h"

#include <stdio.h>
#include <string.h>

typedef enum aspect {
    ASPECT_KIND,
    ASPECT_OUTPUT,
    ASPECT_WINDOW,
    ASPECT_INPUTS,
    ASPECT_CONSTANTS,
    ASPECTS
} aspect;

// In inference dropout hands on what it reads.
static bool is_nothing(const rn_node *node)
{
    return node->kind == RN_NODE_DROPOUT;
}

static int next_node(const rn_graph *graph, int index)
{
    do
        index++;
    while (index < rn_graph_nodes(graph) && is_nothing(rn_graph_node(graph, index)));
    return index;
}

static const char *input_name(const rn_graph *graph, int index)
{
    while (is_nothing(rn_graph_node(graph, index)))
        index = rn_graph_node(graph, index)->inputs[0];
    return rn_graph_node(graph, index)->name;
}

static void spell_inputs(char *text, size_t size, const rn_graph *graph, const rn_node *node)
{
    if (node->inputs[0] < 0)
        snprintf(text, size, "'%s' reads nothing", node->name);
    else if (node->inputs[1] < 0)
        snprintf(text, size, "'%s' reads '%s'", node->name, input_name(graph, node->inputs[0]));
    else
        snprintf(text, size, "'%s' reads '%s' and '%s'", node->name,
                 input_name(graph, node->inputs[0]), input_name(graph, node->inputs[1]));
}

static void spell_constants(char *text, size_t size, const rn_node *node)
{
    switch (node->kind) {
    case RN_NODE_BATCH_NORM:
        snprintf(text, size, "'%s' has epsilon %.9g", node->name, (double)node->epsilon);
        break;
    case RN_NODE_SCALE:
        snprintf(text, size, "'%s' scales by %.9g", node->name, (double)node->scale);
        break;
    case RN_NODE_DROP_BRANCH:
        snprintf(text, size, "'%s' drops at rate %.9g", node->name, (double)node->rate);
        break;
    case RN_NODE_GATE:
        snprintf(text, size, "'%s' multiplies by %s", node->name,
                 node->complement ? "1 - the gate" : "the gate");
        break;
    case RN_NODE_SHORTCUT_PAD:
        snprintf(text, size, "'%s' has %d channels of zeroes in front", node->name,
                 node->channel_offset);
        break;
    case RN_NODE_CONV:
    case RN_NODE_LINEAR:
        snprintf(text, size, "'%s' has %s bias", node->name,
                 node->bias == RN_NO_PARAM ? "no" : "a");
        break;
    default:
        text[0] = '\0';
    }
}

static void spell(char *text, size_t size, const rn_graph *graph, int index, aspect what)
{
    const rn_node *node = index < rn_graph_nodes(graph) ? rn_graph_node(graph, index) : NULL;

    if (node == NULL) {
        snprintf(text, size, "nothing follows");
        return;
    }
    switch (what) {
    case ASPECT_KIND:
        snprintf(text, size, "'%s' is %s", node->name, rn_node_kind_name(node->kind));
        break;
    case ASPECT_OUTPUT:
        snprintf(text, size, "'%s' gives %d x %d x %d", node->name, node->channels, node->height,
                 node->width);
        break;
    case ASPECT_WINDOW:
        snprintf(text, size, "'%s' has a window of %d x %d, stride %d, padding %d", node->name,
                 node->kernel, node->kernel, node->stride, node->pad);
        break;
    case ASPECT_INPUTS:
        spell_inputs(text, size, graph, node);
        break;
    case ASPECT_CONSTANTS:
    case ASPECTS:
        spell_constants(text, size, node);
    }
}

void rn_compare_structure(char texts[2][RN_MAX_DIFFERENCE], const rn_graph *a, const rn_graph *b)
{
    int i = 0, j = 0;

    while (i < rn_graph_nodes(a) || j < rn_graph_nodes(b)) {
        for (aspect what = ASPECT_KIND; what < ASPECTS; what++) {
            spell(texts[0], sizeof texts[0], a, i, what);
            spell(texts[1], sizeof texts[1], b, j, what);
            if (strcmp(texts[0], texts[1]) != 0)
                return;
        }
        i = next_node(a, i);
        j = next_node(b, j);
    }
    texts[0][0] = texts[1][0] = '\0';
}
