/** A target on its way to results: options, data, plan, runs. */
#ifndef CLI_REPRODUCE_RUN_H
#define CLI_REPRODUCE_RUN_H

#include "cli/options.h"

#include "resnet/reproduce.h"

/** One call. Start from zeroes; cli_reproduction_release(). */
typedef struct cli_reproduction {
    const char *word;  // a target's name or file, or a folder
    rn_target *target; // NULL where the word is a folder, and after it has begun
    rn_reproduction *reproduction;
    char *folder, *source, *data_name;
    rn_reproduce_settings asked;   // by options
    rn_reproduce_settings settled; // where something begins: with data and threads
    bool is_settled;
    double budget;            // seconds; 0: none
    const char *usual_budget; // where something begins and none is asked for; NULL: none
    const char *line;         // the whole command line
    const char *again;        // what goes on, before the folder's name: "resnet reproduce"
    int processes;
    bool plan_only, quiet;
} cli_reproduction;

/**
 * Find target and folder: `word` is a target, or the folder of a reproduction that has been begun.
 *
 * @param out     Folder that is asked for; NULL: PARENT/TARGET.
 */
rn_status cli_reproduction_find(cli_reproduction *c, const char *word, const char *out,
                                const char *parent);

/** The same, but `word` is a target, whatever folders there are. */
rn_status cli_reproduction_begin(cli_reproduction *c, const char *word, const char *out,
                                 const char *parent);

/** Read the options that all have: data, runs, budget, processes, threads, quiet. */
rn_status cli_reproduction_options(cli_reproduction *c, const cli_arguments *args);

/** Read the plan that the folder holds, without waiting for who works there. RN_ENOTFOUND: none. */
rn_status cli_reproduction_open(cli_reproduction *c);

/** Begin or go on, show the plan, and (unless plan_only) do what is left to do. Signals are caught:
 * RN_EINTERRUPTED, after how to go on has been said. */
rn_status cli_reproduction_run(cli_reproduction *c);

/** Write the reports. RN_EDIVERGED: some runs have no result; the reports are there. */
rn_status cli_reproduction_report(rn_report_counts *counts, const cli_reproduction *c);

void cli_reproduction_release(cli_reproduction *c);

#define CLI_REPRODUCTION_DATA_OPTION(text)                                                         \
    {                                                                                              \
        .name = "data", .letter = 'd', .kind = CLI_SOURCE, .argument = "SOURCE", .help = (text)    \
    }
#define CLI_REPRODUCTION_OPTIONS                                                                   \
    {.name = "runs",                                                                               \
     .letter = 'n',                                                                                \
     .kind = CLI_INTEGER,                                                                          \
     .argument = "N",                                                                              \
     .help = "runs of each network, with seeds 1 to N; by default as many as the target says",     \
     .low = 1,                                                                                     \
     .high = 1000},                                                                                \
        {.name = "processes",                                                                      \
         .letter = 'p',                                                                            \
         .kind = CLI_INTEGER,                                                                      \
         .argument = "N",                                                                          \
         .help = "runs side by side, which share the threads",                                     \
         .fallback = "1",                                                                          \
         .low = 1,                                                                                 \
         .high = 256},                                                                             \
        {.name = "quiet", .letter = 'q', .kind = CLI_FLAG, .help = "print the result only"},       \
        CLI_THREADS_OPTION

#endif
