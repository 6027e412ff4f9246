#include "cli/bench_ops.h"

#include <stdlib.h>
#include <string.h>

static int count_forward(const rn_plan *plan)
{
    int count = 0;

    while (count < rn_plan_ops(plan) && !rn_plan_op_at(plan, count).backward)
        count++;
    return count;
}

rn_status cli_op_times_init(cli_op_times *times, const rn_plan *plan)
{
    size_t count = (size_t)rn_plan_ops(plan) + rn_plan_options_of(plan)->training;

    *times = (cli_op_times){.plan = plan, .ops = rn_plan_ops(plan), .count = (int)count};
    times->forward = count_forward(plan);
    times->now = calloc(count, sizeof *times->now);
    times->fastest_step = calloc(count, sizeof *times->fastest_step);
    times->best = calloc(count, sizeof *times->best);
    times->sum = calloc(count, sizeof *times->sum);
    if (times->now != NULL && times->fastest_step != NULL && times->best != NULL &&
        times->sum != NULL)
        return RN_OK;
    return rn_error(RN_ENOMEM, "no memory for the times of %zu ops", count);
}

void cli_op_times_release(cli_op_times *times)
{
    free(times->now);
    free(times->fastest_step);
    free(times->best);
    free(times->sum);
    *times = (cli_op_times){0};
}

rn_status cli_op_times_run(cli_op_times *times, rn_run *run, bool backward)
{
    rn_status st = RN_OK;
    int from = backward ? times->forward : 0, to = backward ? times->ops : times->forward;
    double before = rn_clock();

    for (int i = from; i < to; i++) {
        RN_TRY(rn_run_op(run, i));
        times->now[i].begin = before;
        before = times->now[i].end = rn_clock();
    }
out:
    return st;
}

void cli_op_times_keep(cli_op_times *times, cli_op_span update, double seconds)
{
    if (times->count > times->ops)
        times->now[times->ops] = update;
    for (int i = 0; i < times->count; i++) {
        double took = times->now[i].end - times->now[i].begin;
        times->sum[i] += took;
        if (times->steps == 0 || took < times->best[i])
            times->best[i] = took;
    }
    if (times->steps == 0 || seconds < times->fastest) {
        times->fastest = seconds;
        memcpy(times->fastest_step, times->now, (size_t)times->count * sizeof *times->now);
    }
    times->steps++;
}

// SGD reads value, momentum and gradient, and writes the first two; multiplies and adds thrice.
static rn_plan_op update_op(const rn_plan *plan)
{
    size_t bytes = rn_plan_memory_use(plan).gradients;

    return (rn_plan_op){.op = "update",
                        .name = "parameters",
                        .implementation = "sgd",
                        .layout = "native",
                        .shape = {1, (int)(bytes / sizeof(float)), 1, 1},
                        .bytes = 5 * bytes,
                        .flops = 6.0 * (double)bytes / sizeof(float),
                        .backward = true};
}

double cli_op_limit(const rn_plan_op *op, const rn_peaks *peaks, bool *memory_bound)
{
    *memory_bound = false;
    if (peaks->flops <= 0 || peaks->memory <= 0)
        return 0;
    double compute = op->flops / peaks->flops, memory = (double)op->bytes / peaks->memory;
    *memory_bound = memory > compute;
    return *memory_bound ? memory : compute;
}

static cli_op_cost cost_of(const cli_op_times *times, const rn_peaks *peaks, int i)
{
    cli_op_cost cost = {.first = i, .count = 1, .best = times->best[i]};

    cost.op = i < times->ops ? rn_plan_op_at(times->plan, i) : update_op(times->plan);
    cost.mean = times->steps > 0 ? times->sum[i] / times->steps : 0;
    cost.limit = cli_op_limit(&cost.op, peaks, &cost.memory_bound);
    return cost;
}

static bool same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static bool alike(const rn_plan_op *a, const rn_plan_op *b)
{
    return same(a->op, b->op) && same(a->implementation, b->implementation) &&
           memcmp(a->shape, b->shape, sizeof a->shape) == 0 && a->bytes == b->bytes &&
           a->flops >= b->flops && a->flops <= b->flops;
}

static void add_to_groups(cli_op_costs *costs, const cli_op_cost *cost)
{
    int g = 0;

    while (g < costs->group_count && !alike(&costs->groups[g].op, &cost->op))
        g++;
    if (g == costs->group_count) {
        costs->groups[costs->group_count++] = *cost;
        return;
    }
    cli_op_cost *group = &costs->groups[g];
    group->count++;
    group->best += cost->best;
    group->mean += cost->mean;
    group->limit += cost->limit;
    group->share += cost->share;
    group->alive = cost->alive > group->alive ? cost->alive : group->alive;
}

static int longest_first(const void *a, const void *b)
{
    const cli_op_cost *x = a, *y = b;

    if (x->best < y->best || x->best > y->best)
        return x->best > y->best ? -1 : 1;
    return x->first - y->first;
}

// After the last op nothing but parameters is needed, so an update has none of the arena.
static rn_status fill_alive(cli_op_costs *costs, const rn_plan *plan)
{
    rn_status st;
    size_t *alive = calloc((size_t)costs->op_count, sizeof *alive);

    if (alive == NULL)
        return rn_error(RN_ENOMEM, "no memory for %d ops", costs->op_count);
    RN_TRY(rn_plan_alive(plan, alive));
    for (int i = 0; i < costs->op_count; i++) {
        costs->ops[i].alive = alive[i];
        if (alive[i] > alive[costs->fullest])
            costs->fullest = i;
    }
out:
    free(alive);
    return st;
}

rn_status cli_op_costs_init(cli_op_costs *costs, const cli_op_times *times, const rn_peaks *peaks)
{
    rn_status st;

    *costs = (cli_op_costs){.op_count = times->count};
    costs->ops = calloc((size_t)times->count, sizeof *costs->ops);
    costs->groups = calloc((size_t)times->count, sizeof *costs->groups);
    if (costs->ops == NULL || costs->groups == NULL)
        return rn_error(RN_ENOMEM, "no memory for the costs of %d ops", times->count);
    for (int i = 0; i < times->count; i++) {
        costs->ops[i] = cost_of(times, peaks, i);
        costs->best += costs->ops[i].best;
        costs->limit += costs->ops[i].limit;
    }
    RN_TRY(fill_alive(costs, times->plan));
    for (int i = 0; i < times->count; i++) {
        costs->ops[i].share = costs->best > 0 ? costs->ops[i].best / costs->best : 0;
        add_to_groups(costs, &costs->ops[i]);
    }
    qsort(costs->groups, (size_t)costs->group_count, sizeof *costs->groups, longest_first);
out:
    return st;
}

void cli_op_costs_release(cli_op_costs *costs)
{
    free(costs->ops);
    free(costs->groups);
    *costs = (cli_op_costs){0};
}
