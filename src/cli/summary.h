/** What `resnet summary` prints of networks. */
#ifndef CLI_SUMMARY_H
#define CLI_SUMMARY_H

#include "resnet/resnet.h"

typedef struct cli_totals {
    int64_t parameters, multiply_adds, statistics;
} cli_totals;

cli_totals cli_summary_totals(const rn_graph *graph);

/** A line for each node and the totals. `all`: also those of units like the one before. */
void cli_summary_print(const rn_graph *graph, bool all);

/** The totals of several networks, a line each. */
void cli_summary_compare(const rn_graph *const *graphs, int count);

/** The networks that have a name, by family. */
rn_status cli_summary_models(void);

#endif
