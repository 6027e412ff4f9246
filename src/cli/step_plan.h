/** The plan of a step within a memory limit, and what it takes; for `plan` and `bench`. */
#ifndef CLI_STEP_PLAN_H
#define CLI_STEP_PLAN_H

#include "cli/json_output.h"

#include "resnet/plan.h"

typedef struct cli_step_memory {
    rn_plan_memory plan;
    size_t momentum; // of SGD; 0 for inference
    size_t total;    // of a step: arena, parameters, gradients, momentum
    double repeated; // flops computed again, in percent of those of the step without them
} cli_step_memory;

/**
 * Plan so that a step with its optimiser takes at most `limit` bytes; 0: no limit.
 *
 * @param type  What `--dtype` says: "float32", "bfloat16", or "int8" (inference) with ranges made
 *              up, so that what is computed takes its time and means nothing. NULL: options.dtype.
 */
rn_status cli_step_plan(rn_plan **out, const rn_graph *graph, rn_engine *engine,
                        rn_plan_options options, const char *type, size_t limit);

/** The type that a step was planned with, in the same words. */
const char *cli_step_type_name(const rn_plan *plan);

cli_step_memory cli_step_memory_of(const rn_plan *plan);

/** All flops of the plan's ops. */
double cli_step_flops(const rn_plan *plan);

/** What the plan says of an op: name, kind, implementation, layout, shape, bytes, flops. */
cJSON *cli_plan_op_json(const rn_plan_op *op);

void cli_step_memory_json(cJSON *json, const cli_step_memory *memory);

#endif
