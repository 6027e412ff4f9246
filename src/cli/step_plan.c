#include "cli/step_plan.h"

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

rn_status cli_step_plan(rn_plan **out, const rn_graph *graph, rn_engine *engine,
                        rn_plan_options options, size_t limit)
{
    options.memory_limit = limit;
    options.momentum_beside = true; // of SGD
    return rn_plan_create(out, graph, engine, &options);
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
