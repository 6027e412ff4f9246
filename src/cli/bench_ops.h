/** Ops of a step for `bench`: their times, and how near they come to the machine's limits. */
#ifndef CLI_BENCH_OPS_H
#define CLI_BENCH_OPS_H

#include "cli/json_output.h"

#include "resnet/resnet.h"

/** Begin and end of each op of one step, on rn_clock(). */
typedef struct cli_op_span {
    double begin, end;
} cli_op_span;

/** Times of a plan's ops, and of the optimiser's update as one op more. */
typedef struct cli_op_times {
    const rn_plan *plan; // NULL: nothing is timed
    int ops, forward;    // of the plan; of its forward list
    int count;           // with the update, in training
    int steps;           // kept
    cli_op_span *now;    // of the step that runs
    cli_op_span *fastest_step;
    double fastest;     // seconds of that step
    double *best, *sum; // seconds of each op
} cli_op_times;

/** Release with cli_op_times_release(), also after a failure. The plan is borrowed. */
rn_status cli_op_times_init(cli_op_times *times, const rn_plan *plan);
void cli_op_times_release(cli_op_times *times);

/** Run the forward or backward list, op by op. */
rn_status cli_op_times_run(cli_op_times *times, rn_run *run, bool backward);

/** The step is over: the update began and ended then, the whole took so long. */
void cli_op_times_keep(cli_op_times *times, cli_op_span update, double seconds);

/** An op, or several alike, beside what the machine allows. */
typedef struct cli_op_cost {
    rn_plan_op op;     // of several: the first; bytes and flops of one
    int first, count;  // index of the op in its step; how many are alike
    double best, mean; // seconds of all these
    double share;      // of the step, all ops at their best: 0 .. 1
    double limit;      // seconds that the machine needs at least, cli_op_limit(); 0 if unknown
    bool memory_bound; // what that limit comes from; else the rate of multiply-adds
    size_t alive;      // most bytes of the arena in use meanwhile
} cli_op_cost;

/** Costs of a step: one for each op, in order; and the same, like ops together, longest first. */
typedef struct cli_op_costs {
    cli_op_cost *ops, *groups;
    int op_count, group_count;
    double best, limit; // sums over the ops, seconds
    int fullest;        // op of the plan with most of the arena in use
} cli_op_costs;

/**
 * By the roofline model (Williams et al. 2009) an op takes at least the longer of flops / peak and
 * bytes / rate of memory. Caches may beat the second. 0 where peaks are unknown.
 */
double cli_op_limit(const rn_plan_op *op, const rn_peaks *peaks, bool *memory_bound);

/** Release with cli_op_costs_release(), also after a failure. Texts are borrowed from the plan. */
rn_status cli_op_costs_init(cli_op_costs *costs, const cli_op_times *times, const rn_peaks *peaks);
void cli_op_costs_release(cli_op_costs *costs);

/** A table of ops or groups. */
void cli_op_costs_print(const cli_op_costs *costs, bool grouped);

/** rn_peaks_measure(); zeroes and RN_OK where the processor has none of these instructions. */
rn_status cli_peaks_measure(rn_peaks *peaks);

/** The machine's limits, how near a step of `flops` and `seconds` comes, and the fullest op. */
void cli_limits_print(const rn_peaks *peaks, const cli_op_costs *costs, double flops,
                      double seconds);

/** "peaks" (null if unknown), "limit_seconds", "alive_peak_bytes" with its op, "ops". */
void cli_limits_json(cJSON *json, const rn_peaks *peaks, const cli_op_costs *costs);

/** Before anything is measured: RN_EINVAL if no trace should be written there; as
 * cli_check_writable(). */
rn_status cli_trace_check(const char *path);

/** Write the fastest step as a Chrome trace (chrome://tracing, Perfetto), atomically. */
rn_status cli_trace_write(const char *path, const cli_op_times *times, const cli_op_costs *costs,
                          const char *title);

#endif
