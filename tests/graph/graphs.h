/** What the tests of graphs share: build, count, compare. */
#ifndef TEST_GRAPH_GRAPHS_H
#define TEST_GRAPH_GRAPHS_H

#include "resnet/graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static inline rn_graph *build(const char *model, const rn_model_options *options)
{
    rn_graph *graph = NULL;

    if (rn_graph_create(&graph, model, options) != RN_OK)
        fail_msg("%s: %s", model, rn_error_message());
    return graph;
}

static inline void refuses(const char *model, const rn_model_options *options, const char *part)
{
    rn_graph *graph = (rn_graph *)1;

    if (rn_graph_create(&graph, model, options) != RN_EINVAL)
        fail_msg("'%s' is not refused", model);
    assert_null(graph);
    if (strstr(rn_error_message(), part) == NULL)
        fail_msg("'%s' does not say '%s'", rn_error_message(), part);
}

static inline int64_t trained_parameters(const rn_graph *graph)
{
    int64_t count = 0;

    for (int i = 0; i < rn_graph_nodes(graph); i++)
        count += rn_node_parameters(graph, i);
    return count;
}

static inline int64_t multiply_adds(const rn_graph *graph)
{
    int64_t count = 0;

    for (int i = 0; i < rn_graph_nodes(graph); i++)
        count += rn_node_multiply_adds(graph, i);
    return count;
}

static inline bool same_node(const rn_node *a, const rn_node *b)
{
    return a->kind == b->kind && strcmp(a->name, b->name) == 0 && a->inputs[0] == b->inputs[0] &&
           a->inputs[1] == b->inputs[1] && a->channels == b->channels && a->height == b->height &&
           a->width == b->width && a->depth == b->depth && a->kernel == b->kernel &&
           a->stride == b->stride && a->pad == b->pad && a->channel_offset == b->channel_offset &&
           a->scale == b->scale && a->rate == b->rate && a->complement == b->complement &&
           a->stage == b->stage && a->unit == b->unit && a->weight == b->weight &&
           a->bias == b->bias;
}

static inline bool same_graph(const rn_graph *a, const rn_graph *b)
{
    if (rn_graph_nodes(a) != rn_graph_nodes(b) || rn_graph_params(a) != rn_graph_params(b))
        return false;
    for (int i = 0; i < rn_graph_nodes(a); i++)
        if (!same_node(rn_graph_node(a, i), rn_graph_node(b, i)))
            return false;
    for (int i = 0; i < rn_graph_params(a); i++) {
        const rn_param *p = rn_graph_param(a, i), *q = rn_graph_param(b, i);
        if (p->kind != q->kind || strcmp(p->name, q->name) != 0 || p->initial != q->initial ||
            p->identity != q->identity || memcmp(p->shape, q->shape, sizeof p->shape) != 0)
            return false;
    }
    return true;
}

/** The graph's canonical spec gives the same graph and is its own canonical spec. */
static inline void check_canonical(const rn_graph *graph)
{
    rn_graph *again = build(rn_graph_model(graph), rn_graph_options(graph));

    assert_string_equal(rn_graph_model(again), rn_graph_model(graph));
    if (!same_graph(again, graph))
        fail_msg("'%s' gives another graph", rn_graph_model(graph));
    rn_graph_free(again);
}

#endif
