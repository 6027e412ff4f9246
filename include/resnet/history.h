/**
 * Runs read back: what a training wrote into its folder (report.h), as arrays.
 */
#ifndef RESNET_HISTORY_H
#define RESNET_HISTORY_H

#include "resnet/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A "step" line. A number that the line lacks, or has as null, is NaN: here and below. */
typedef struct rn_history_step {
    int64_t iteration;
    double epoch;
    double seconds;     // of training that led here, over all processes of the run
    double loss, error; // means since the line before; error in percent, as in rn_event
    double lr, images_per_second;
    double data_wait;           // share of the time, 0 .. 1
    double eta;                 // seconds
    double memory, memory_peak; // bytes of the process, then and at most
} rn_history_step;

/** An "evaluation" line. */
typedef struct rn_history_evaluation {
    int64_t iteration;
    double epoch, seconds;
    double loss, error;   // error in percent
    int64_t count, wrong; // -1: the line does not say
    const char *set;      // rn_event's; "" if the line does not say
} rn_history_evaluation;

/** A "note" line. */
typedef struct rn_history_note {
    int64_t iteration;
    double epoch, seconds;
    const char *text;
} rn_history_note;

/** One layer's norm in a "gradients" line. */
typedef struct rn_history_norm {
    int layer; // rn_history.layers[layer]
    double value;
} rn_history_norm;

/** A "gradients" line: rn_history.norms[first] .. norms[first + count - 1]. */
typedef struct rn_history_gradients {
    int64_t iteration;
    double epoch, seconds;
    size_t first, count;
} rn_history_gradients;

typedef enum rn_history_state {
    RN_HISTORY_RUNNING, // no "end" line: runs, or was killed (compare `modified` with the clock)
    RN_HISTORY_STOPPED, // interrupted; may be resumed
    RN_HISTORY_FAILED,  // `message` says why
    RN_HISTORY_DONE
} rn_history_state;

/** "running", "stopped", "failed", "done". Static; NULL if out of range. */
RN_API const char *rn_history_state_name(rn_history_state state);

/**
 * A run folder read back. Plain data, to be read only; every pointer is borrowed from the history
 * until rn_history_refresh() or rn_history_free(). Texts are never NULL unless it says so.
 */
typedef struct rn_history {
    const char *folder; // as given
    const char *name;   // its last component: "cifar-20" of "runs/cifar-20/"
    const char *model;  // spec, from the log or else from run.json; "" if neither says
    const char *recipe; // name, from recipe.json; "" if there is none
    const char *recipe_json, *environment_json; // the files' texts; NULL: none

    rn_history_state state;
    const char *message;         // of a run that failed or was stopped
    const char *started, *ended; // "2026-11-23T14:22:32Z", of the last process; ended "" if it runs
    int64_t modified;            // when the log was last written to, in seconds since 1970
    int64_t iteration;           // of the last line
    int64_t iterations;          // of the whole run; 0: unknown
    int resumed;                 // how often
    double seconds;              // of training until the last line, over all processes of the run

    const rn_history_step *steps; // in the order of their iterations, as is what follows
    size_t step_count;
    const rn_history_evaluation *evaluations; // each set at most once an iteration
    size_t evaluation_count;
    const rn_history_note *notes; // all, in the log's order
    size_t note_count;
    const rn_history_gradients *gradients;
    size_t gradients_count;
    const rn_history_norm *norms;
    size_t norm_count;
    const char *const *layers; // of all "gradients" lines
    size_t layer_count;

    size_t damaged;       // lines that are no such JSON; they are left out
    size_t first_damaged; // the first one's number, from 1; 0: none

    struct rn_history_reader *reader; // private
} rn_history;

/**
 * Read a run folder: log.jsonl, and what there is of recipe.json, environment.json and run.json.
 *
 * Unknown events and keys are passed over; a damaged line is counted and left out; a last line
 * without its newline is not there yet. A line longer than 16 MiB counts as damaged. Where a
 * resumed or restarted run repeats iterations, what it says replaces what stood from there on, and
 * `seconds` goes on from the point where it resumed. Memory is bounded by a few times the log's
 * size.
 *
 * @param[out] out  The caller's (rn_history_free()); NULL on failure.
 * @param folder    Run folder.
 * @return RN_OK; RN_ENOTFOUND (no folder, or none that has a log.jsonl); RN_EIO; RN_EFORMAT (not a
 *         line of it can be read, though there are some); RN_ENOMEM.
 */
RN_API rn_status rn_history_read(rn_history **out, const char *folder);

/**
 * Read what was appended since; where the log is another one or became shorter, all of it.
 *
 * @param[out] changed  Whether anything is new; NULL: not asked.
 * @return As rn_history_read(). After a failure the history is valid, and holds whole lines only.
 */
RN_API rn_status rn_history_refresh(rn_history *history, bool *changed);
RN_API void rn_history_free(rn_history *history);

/** Paths of run folders. */
typedef struct rn_run_list {
    char **folders;
    size_t count;
} rn_run_list;

/**
 * The runs that a folder means: itself if it holds a log.jsonl, else its sub-folders that do (of a
 * reproduction's, which holds a plan.json, those of its folder "runs"), in the order of their
 * names (numbers in them by value: "resnet-20" before "resnet-110").
 *
 * @param[out] list  Release with rn_run_list_release(); zeroes on failure.
 * @return RN_OK; RN_ENOTFOUND (no such folder, or no run in it); RN_EIO; RN_ENOMEM.
 */
RN_API rn_status rn_run_list_read(rn_run_list *list, const char *folder);
RN_API void rn_run_list_release(rn_run_list *list);

#ifdef __cplusplus
}
#endif
#endif
