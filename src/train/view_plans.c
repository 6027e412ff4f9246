#include "train/view_plans.h"

#include "base/memory.h"

#include <string.h>

enum { MOST_PLANS = 64 };

typedef struct view_plan {
    rn_view_shape shape;
    rn_graph *graph;
    rn_inference *inference;
} view_plan;

struct rn_view_plans {
    const rn_checkpoint *model;
    const rn_weights *weights;
    const char *engine;
    size_t memory;
    int count;
    view_plan plans[MOST_PLANS]; // the one last used first
};

static void release(view_plan *plan)
{
    rn_inference_free(plan->inference);
    rn_graph_free(plan->graph);
    *plan = (view_plan){0};
}

rn_status rn_view_plans_create(rn_view_plans **out, const rn_checkpoint *model,
                               const rn_weights *weights, const char *engine, size_t memory)
{
    rn_status st = RN_NEW(out, 1);

    if (st == RN_OK) {
        (*out)->model = model;
        (*out)->weights = weights;
        (*out)->engine = engine;
        (*out)->memory = memory;
    }
    return st;
}

void rn_view_plans_free(rn_view_plans *plans)
{
    if (plans == NULL)
        return;
    for (int i = 0; i < plans->count; i++)
        release(&plans->plans[i]);
    rn_free(plans);
}

rn_status rn_view_plans_load(rn_view_plans *plans)
{
    rn_status st = RN_OK;

    for (int i = 0; i < plans->count; i++)
        RN_TRY(rn_inference_load(plans->plans[i].inference, plans->weights));
out:
    return st;
}

int rn_view_plans_count(const rn_view_plans *plans)
{
    return plans != NULL ? plans->count : 0;
}

size_t rn_view_plans_memory(const rn_view_plans *plans)
{
    size_t bytes = 0;

    for (int i = 0; i < rn_view_plans_count(plans); i++)
        bytes += rn_inference_memory(plans->plans[i].inference);
    return bytes;
}

static rn_status make(view_plan *plan, const rn_view_plans *plans, rn_view_shape shape)
{
    rn_status st = RN_OK;
    rn_model_options options = plans->model->options;

    options.height = shape.height;
    options.width = shape.width;
    plan->shape = shape;
    RN_TRY(rn_graph_create(&plan->graph, rn_graph_model(plans->model->graph), &options));
    RN_TRY(rn_inference_create(&plan->inference, plan->graph, plans->model->ranges, plans->engine,
                               shape.batch));
    RN_TRY(rn_inference_load(plan->inference, plans->weights));
out:
    if (st != RN_OK) {
        rn_error_prefix(st, "input of %d x %d", shape.width, shape.height);
        release(plan);
    }
    return st;
}

static void drop_last(rn_view_plans *plans)
{
    release(&plans->plans[--plans->count]);
}

static void put_first(rn_view_plans *plans, view_plan plan, int from)
{
    memmove(plans->plans + 1, plans->plans, (size_t)from * sizeof plan);
    plans->plans[0] = plan;
}

static bool same_shape(rn_view_shape a, rn_view_shape b)
{
    return a.batch == b.batch && a.height == b.height && a.width == b.width;
}

static int find(const rn_view_plans *plans, rn_view_shape shape)
{
    int i = 0;

    while (i < plans->count && !same_shape(plans->plans[i].shape, shape))
        i++;
    return i;
}

rn_status rn_view_plans_get(rn_view_plans *plans, rn_inference **out, rn_view_shape shape)
{
    rn_status st = RN_OK;
    view_plan plan = {0};
    int at = find(plans, shape);

    *out = NULL;
    if (at < plans->count) {
        put_first(plans, plans->plans[at], at);
    } else {
        if (plans->count == MOST_PLANS)
            drop_last(plans);
        RN_TRY(make(&plan, plans, shape));
        put_first(plans, plan, plans->count++);
        while (plans->count > 1 && rn_view_plans_memory(plans) > plans->memory)
            drop_last(plans);
    }
    *out = plans->plans[0].inference;
out:
    return st;
}
