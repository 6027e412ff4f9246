// A scale below 1: factors, networks with fewer units or channels, shorter recipes.
#include "reproduce/scale.h"

#include "base/memory.h"
#include "graph/spec.h"

#include <math.h>
#include <string.h>

enum { CHANNELS = 8 }; // widths stay multiples of this, and at least this

// What a factor does to the cost: both sides of a convolution's weights shrink with the width.
static double cost_of(rn_scale_kind kind, double factor)
{
    return kind == RN_SCALE_WIDTH ? factor * factor : factor;
}

static double factor_for(rn_scale_kind kind, double cost)
{
    return kind == RN_SCALE_WIDTH ? sqrt(cost) : cost;
}

double rn_target_least_scale(const rn_target *target)
{
    double least = 1;

    for (int i = 0; i < target->scale_count; i++)
        least *= cost_of(target->scale[i].kind, target->scale[i].least);
    return least;
}

rn_status rn_scale_factors(double factor[RN_SCALES], const rn_target *target, double scale)
{
    double left = scale, least = rn_target_least_scale(target);

    for (int i = 0; i < RN_SCALES; i++)
        factor[i] = 1;
    if (scale < least * (1 - 1e-9))
        return rn_error(RN_EINVAL, "scale %g is below %g, the least of target '%s'", scale, least,
                        target->name);
    for (int i = 0; i < target->scale_count; i++) {
        const rn_scale_step *step = &target->scale[i];
        double wanted = factor_for(step->kind, left);
        factor[step->kind] = wanted > step->least ? wanted : step->least;
        left /= cost_of(step->kind, factor[step->kind]);
    }
    return RN_OK;
}

static int units_of(const rn_spec *spec)
{
    int units = 0;

    for (int i = 0; i < spec->units.count; i++)
        units += spec->units.values[i];
    return units;
}

static void shrink_units(rn_spec *spec, double factor)
{
    for (int i = 0; i < spec->units.count; i++) {
        int *units = &spec->units.values[i];
        *units = (int)lround(*units * factor);
        *units = *units < 1 ? 1 : *units;
    }
}

static void add_unit_everywhere(rn_spec *spec)
{
    for (int i = 0; i < spec->units.count; i++)
        spec->units.values[i]++;
}

static int shrink_channels(int channels, double factor)
{
    int fewer = CHANNELS * (int)lround(channels * factor / CHANNELS);

    if (fewer < CHANNELS)
        fewer = CHANNELS;
    return fewer < channels ? fewer : channels;
}

static void shrink_widths(rn_spec *spec, double factor)
{
    if (factor == 1)
        return;
    spec->width = shrink_channels(spec->width, factor);
    for (int i = 0; i < spec->widths.count; i++)
        spec->widths.values[i] = shrink_channels(spec->widths.values[i], factor);
}

/** A network before and after. */
typedef struct shrunk_net {
    int before, channels; // units; channels of the first stage
    rn_spec spec;
} shrunk_net;

// Rounding may make one network of two; then the deeper one gets more units, and who is deeper
// still with it.
static void keep_apart(shrunk_net *nets, int count)
{
    for (int floor = -1, below = 0;;) { // units before; after, of the one just handled
        int next = -1;
        for (int i = 0; i < count; i++)
            if (nets[i].before > floor && (next < 0 || nets[i].before < next))
                next = nets[i].before;
        if (next < 0)
            return;
        int most = 0;
        for (int i = 0; i < count; i++) {
            if (nets[i].before != next)
                continue;
            while (units_of(&nets[i].spec) <= below)
                add_unit_everywhere(&nets[i].spec);
            most = units_of(&nets[i].spec) > most ? units_of(&nets[i].spec) : most;
        }
        floor = next;
        below = most;
    }
}

static rn_status read_specs(shrunk_net *nets, const rn_target *target,
                            const double factor[RN_SCALES])
{
    rn_status st = RN_OK;

    for (int i = 0; i < target->run_count; i++) {
        rn_spec *spec = &nets[i].spec;
        RN_TRY(rn_spec_parse(spec, target->runs[i].model));
        nets[i].before = units_of(spec);
        nets[i].channels = rn_stage_width(spec, 1);
        if (factor[RN_SCALE_DEPTH] < 1)
            shrink_units(spec, factor[RN_SCALE_DEPTH]);
        shrink_widths(spec, factor[RN_SCALE_WIDTH]);
    }
    if (factor[RN_SCALE_DEPTH] < 1)
        keep_apart(nets, target->run_count);
out:
    return st;
}

// A general name, so that the shortest that fits is found.
static rn_status write_spec(char **out, rn_spec *spec)
{
    const char *name = spec->family == RN_FAMILY_VGG ? "vgg" : "resnet";

    memset(spec->name, 0, sizeof spec->name);
    memcpy(spec->name, name, strlen(name));
    return rn_spec_format(out, spec);
}

static rn_status measure_network(double *multiply_adds, int *depth, const char *model,
                                 const rn_model_options *network)
{
    rn_status st;
    rn_graph *graph = NULL;

    RN_TRY(rn_graph_create(&graph, model, network));
    *depth = rn_graph_depth(graph);
    *multiply_adds = 0;
    for (int i = 0; i < rn_graph_nodes(graph); i++)
        *multiply_adds += (double)rn_node_multiply_adds(graph, i);
out:
    rn_graph_free(graph);
    return st;
}

static bool changes_networks(const double factor[RN_SCALES])
{
    return factor[RN_SCALE_DEPTH] < 1 || factor[RN_SCALE_WIDTH] < 1;
}

static rn_status fill_run(rn_scaled_run *run, const char *whole, shrunk_net *net, bool changed,
                          const rn_model_options *network)
{
    rn_status st;

    run->units = units_of(&net->spec);
    run->channels = rn_stage_width(&net->spec, 1);
    run->whole.units = net->before;
    run->whole.channels = net->channels;
    RN_TRY(changed ? write_spec(&run->model, &net->spec) : rn_strdup(&run->model, whole));
    RN_TRY(measure_network(&run->multiply_adds, &run->depth, run->model, network));
    run->whole.multiply_adds = run->multiply_adds;
    run->whole.depth = run->depth;
    if (changed)
        RN_TRY(measure_network(&run->whole.multiply_adds, &run->whole.depth, whole, network));
out:
    return st;
}

rn_status rn_scale_models(rn_scaled_run *runs, const rn_target *target,
                          const double factor[RN_SCALES], const rn_model_options *network)
{
    rn_status st;
    shrunk_net *nets = NULL;

    RN_TRY(RN_NEW(&nets, (size_t)target->run_count));
    RN_TRY(read_specs(nets, target, factor));
    for (int i = 0; i < target->run_count; i++)
        RN_TRY(
            fill_run(&runs[i], target->runs[i].model, &nets[i], changes_networks(factor), network));
out:
    rn_free(nets);
    return st;
}

static uint64_t shorten(uint64_t steps, double factor)
{
    double left = round((double)steps * factor);

    return left < 1 ? 1 : (uint64_t)left;
}

void rn_scale_recipe(rn_recipe *recipe, double length, double data)
{
    rn_schedule *schedule = &recipe->schedule;
    double factor = length * data;

    if (factor == 1)
        return;
    if (recipe->iterations > 0)
        recipe->iterations = shorten(recipe->iterations, factor);
    recipe->epochs *= length;
    for (int i = 0; i < schedule->milestones; i++) {
        schedule->milestone[i] = shorten(schedule->milestone[i], factor);
        if (i > 0 && schedule->milestone[i] <= schedule->milestone[i - 1]) // they must rise
            schedule->milestone[i] = schedule->milestone[i - 1] + 1;
    }
    if (schedule->warmup >= 1) // else a share of the training
        schedule->warmup = schedule->warmup * factor < 1 ? 1 : round(schedule->warmup * factor);
}
