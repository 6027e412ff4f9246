/** Steps on demand, so that several programs can be measured in turn; for `bench`. */
#ifndef CLI_BENCH_SERVE_H
#define CLI_BENCH_SERVE_H

#include "resnet/base.h"

/** What is served: one step, and how long it took. */
typedef struct cli_bench_server {
    rn_status (*step)(void *context, double *seconds);
    void *context;
    double flops;  // of a step
    size_t loaded; // bytes of memory in use before there was a network; 0 if unknown
} cli_bench_server;

/**
 * Answer requests until standard input ends. One line in JSON says first that all is set up:
 *
 *     {"threads":2,"flops":3.1e+10,"loaded_bytes":9100000}
 *
 * Then each line on standard input, a number of steps, is answered with a line of their times in
 * the order in which they were made: {"seconds":[0.094,0.092]}. Between requests the thread sleeps.
 *
 * @return RN_OK; RN_EINVAL (a line is no number from 1 to 1000000); what a step returned.
 */
rn_status cli_bench_serve(const cli_bench_server *server);

#endif
