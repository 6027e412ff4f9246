/** The children that do a reproduction's jobs, and what people see of them. */
#ifndef CLI_REPRODUCE_CREW_H
#define CLI_REPRODUCE_CREW_H

#include "cli/reproduce_jobs.h"

#include "resnet/history.h"

typedef enum cli_job_progress {
    CLI_JOB_WAITING,
    CLI_JOB_ELSEWHERE, // another caller has its lock
    CLI_JOB_RUNNING,
    CLI_JOB_FINISHED, // done, diverged, or tried in vain
} cli_job_progress;

/** A child at work. */
typedef struct cli_slot {
    cli_child child;
    int job; // -1: free
    int lock;
    rn_job_state state; // what is being done
    bool told;          // to stop
    double started;
    rn_history *history;
} cli_slot;

typedef struct cli_crew {
    const cli_reproduce_run *run;
    cli_slot *slots;
    cli_job_progress *jobs;
    int finished; // jobs
    bool waited;  // said that other callers are waited for
    bool drawn;   // the live line
    double looked, drew;
} cli_crew;

/** "runs", or "points" of measured steps. */
const char *cli_crew_subfolder(const cli_crew *crew);
const char *cli_crew_job_name(const cli_crew *crew, int job);

/** Print a line that stays. */
void cli_crew_say(cli_crew *crew, int job, const char *what);
/** "done, test error 8.75%" */
void cli_crew_describe(char *text, size_t size, const cli_crew *crew, int job);
/** Draw the live line, at most once a second and only on a terminal. */
void cli_crew_show(cli_crew *crew);
void cli_crew_clear_line(cli_crew *crew);

#endif
