/** Planning a reproduction: what steps take here, and the scale that a time allows. */
#ifndef CLI_REPRODUCE_PLAN_H
#define CLI_REPRODUCE_PLAN_H

#include "cli/child.h"

/** Measured costs of one reproduction; they are kept in FOLDER/calibration.json. */
typedef struct cli_calibration {
    const char *folder;
    bool quiet;
    rn_run_cost *costs; // one a network
} cli_calibration;

/** Measure what is not known yet: a few steps and forward passes of each network. */
rn_status cli_calibrate(cli_calibration *calibration, const rn_reproduction *reproduction);
void cli_calibration_release(cli_calibration *calibration);

/** Memory that a step of a network would take, without making one. */
rn_status cli_step_bytes(size_t *bytes, const rn_reproduction *reproduction, int run);

/** How a scale is chosen. */
typedef struct cli_budget {
    const char *target; // name or file
    double seconds;
    int processes;
    bool usual; // nobody asked for it: what even the least scale exceeds
} cli_budget;

/**
 * The largest scale whose estimate is within the budget.
 *
 * @param settings  In all but the scale, which is set.
 * @return RN_OK, also where the least scale takes longer than the usual budget: a note says how
 *         long, and settings->budget is NULL; RN_EINVAL (longer than another: says how long);
 *         RN_EINTERRUPTED.
 */
rn_status cli_budget_choose(rn_reproduce_settings *settings, const cli_budget *budget,
                            const char *folder, bool quiet);

/** Print the table of networks with their time and memory, and the totals of what is left. */
rn_status cli_reproduce_print_plan(const rn_reproduction *reproduction, const rn_run_cost *costs,
                                   int processes, const char *folder);

#endif
