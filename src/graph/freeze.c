// Which part of a network is frozen, by the names of its stages.
#include "resnet/graph.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {"none",   "stem",   "stage1", "stage2", "stage3", "stage4",
                                    "stage5", "stage6", "stage7", "stage8", "all"};

enum { NAMES = sizeof names / sizeof *names };

_Static_assert(NAMES == RN_FREEZE_ALL + 1, "a name for each");

const char *rn_freeze_name(rn_freeze freeze)
{
    return (unsigned)freeze < NAMES ? names[freeze] : NULL;
}

rn_status rn_freeze_parse(rn_freeze *out, const char *name)
{
    for (int i = 0; i < NAMES; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (rn_freeze)i;
            return RN_OK;
        }
    return rn_error(RN_EINVAL,
                    "'%s' is no part to freeze, expected none, stem, stage1 to stage%d or all",
                    name, RN_MAX_STAGES);
}

// Ends of the parts in nodes; stage 0 is the stem, whose end is 0 where there is none.
typedef struct parts {
    int ends[RN_MAX_STAGES + 1];
    int stages;
    int head;
} parts;

// Residual networks number their nodes; the stem is what precedes the first number.
static void find_numbered(parts *p, const rn_graph *graph)
{
    for (int i = 0; i < p->head; i++) {
        int stage = rn_graph_node(graph, i)->stage;
        if (stage == 0)
            continue;
        if (p->stages == 0)
            p->ends[0] = i;
        p->stages = stage;
        p->ends[stage] = i + 1;
    }
}

// VGG: a stage and its pool.
static void find_pooled(parts *p, const rn_graph *graph)
{
    for (int i = 0; i < p->head && p->stages < RN_MAX_STAGES; i++)
        if (rn_graph_node(graph, i)->kind == RN_NODE_MAX_POOL)
            p->ends[++p->stages] = i + 1;
}

static int find_head(const rn_graph *graph)
{
    int i = rn_graph_nodes(graph) - 1;

    while (i > 0 && rn_graph_node(graph, i)->kind != RN_NODE_LINEAR)
        i--;
    while (i > 0 && rn_graph_node(graph, i - 1)->kind == RN_NODE_DROPOUT)
        i--;
    return i;
}

rn_status rn_graph_frozen_nodes(const rn_graph *graph, rn_freeze until, int *nodes)
{
    parts p = {.head = find_head(graph)};
    int stage = (int)until - RN_FREEZE_STEM;

    *nodes = 0;
    if (until == RN_FREEZE_NONE)
        return RN_OK;
    find_numbered(&p, graph);
    if (p.stages == 0)
        find_pooled(&p, graph);
    if (until == RN_FREEZE_ALL)
        *nodes = p.head;
    else if (stage >= 0 && stage <= p.stages)
        *nodes = p.ends[stage];
    if (*nodes == 0)
        return rn_error(
            RN_EINVAL, "'%s' has no part '%s' to freeze, expected %sstage1 to stage%d or all",
            rn_graph_model(graph), rn_freeze_name(until) != NULL ? rn_freeze_name(until) : "?",
            p.ends[0] > 0 ? "stem, " : "", p.stages);
    return RN_OK;
}
