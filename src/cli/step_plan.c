#include "cli/step_plan.h"

#include <string.h>

cli_step_memory cli_step_memory_of(const rn_plan *plan)
{
    cli_step_memory memory = {.plan = rn_plan_memory_use(plan)};
    double flops = cli_step_flops(plan) - memory.plan.flops;

    memory.momentum = memory.plan.gradients; // one value for each, in the same layout
    memory.total = memory.plan.arena + memory.plan.parameters + memory.momentum;
    memory.repeated = flops > 0 ? 100 * memory.plan.flops / flops : 0;
    return memory;
}

double cli_step_flops(const rn_plan *plan)
{
    double flops = 0;

    for (int i = 0; i < rn_plan_ops(plan); i++)
        flops += rn_plan_op_at(plan, i).flops;
    return flops;
}

static rn_status set_type(rn_plan_options *options, rn_range **ranges, const rn_graph *graph,
                          const char *type)
{
    rn_status st;

    if (strcmp(type, "int8") != 0)
        return rn_dtype_parse(&options->dtype, type);
    if (options->training)
        return rn_error(RN_EINVAL, "'--dtype int8' is for inference: add '--inference'");
    RN_TRY(rn_ranges_create(ranges, graph));
    for (int i = 0; i < rn_graph_nodes(graph); i++)
        (*ranges)[i] = (rn_range){0, 4};
    options->ranges = *ranges;
out:
    return st;
}

rn_status cli_step_plan(rn_plan **out, const rn_graph *graph, rn_engine *engine,
                        rn_plan_options options, const char *type, size_t limit)
{
    rn_status st;
    rn_range *ranges = NULL;

    *out = NULL;
    options.memory_limit = limit;
    options.momentum_beside = true; // of SGD
    if (type != NULL)
        RN_TRY(set_type(&options, &ranges, graph, type));
    st = rn_plan_create(out, graph, engine, &options);
out:
    rn_ranges_free(ranges);
    return st;
}

const char *cli_step_type_name(const rn_plan *plan)
{
    const rn_plan_options *options = rn_plan_options_of(plan);

    for (int i = 0; i < rn_plan_ops(plan); i++)
        if (strstr(rn_plan_op_at(plan, i).implementation, "int8") != NULL)
            return "int8";
    return rn_dtype_name(options->dtype);
}

cJSON *cli_plan_op_json(const rn_plan_op *op)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "name", op->name);
    cJSON_AddStringToObject(json, "op", op->op);
    cJSON_AddStringToObject(json, "implementation", op->implementation);
    cJSON_AddStringToObject(json, "layout", op->layout);
    cJSON_AddItemToObject(json, "shape", cJSON_CreateIntArray(op->shape, 4));
    cli_json_add(json, "bytes", (double)op->bytes);
    cli_json_add(json, "flops", op->flops);
    cJSON_AddBoolToObject(json, "backward", op->backward);
    return json;
}

void cli_step_memory_json(cJSON *json, const cli_step_memory *memory)
{
    cli_json_add(json, "arena_bytes", (double)memory->plan.arena);
    cli_json_add(json, "unshared_bytes", (double)memory->plan.unshared);
    cli_json_add(json, "arena_if_all_kept_bytes", (double)memory->plan.kept);
    cli_json_add(json, "parameter_bytes", (double)memory->plan.parameters);
    cli_json_add(json, "gradient_bytes", (double)memory->plan.gradients);
    cli_json_add(json, "momentum_bytes", (double)memory->momentum);
    cli_json_add(json, "planned_bytes", (double)memory->total);
    cli_json_add(json, "repeated_ops", memory->plan.recomputed);
    cli_json_add(json, "repeated_flops", memory->plan.flops);
    cli_json_add(json, "repeated_percent", memory->repeated);
}
