/** What a history is made of while its log is being read. */
#ifndef REPORT_HISTORY_READER_H
#define REPORT_HISTORY_READER_H

#include "report/log_line.h"
#include "resnet/history.h"

#include <stdatomic.h>

#include <sys/types.h>

enum { HISTORY_HEAD = 128 };

/** Bounds of what is read where a folder's owner is not trusted, or someone waits. */
typedef struct history_guard {
    int root;                // open folder of run folders: no link in it is followed
    off_t bytes;             // the largest log
    size_t points;           // the most steps, evaluations and notes
    const atomic_bool *stop; // makes reading fail when it becomes true
} history_guard;

/** Names with numbers from 0, found by hashing. */
typedef struct history_names {
    char **names;
    size_t count, room;
    int *table; // number + 1; 0: free
    size_t slots;
} history_names;

/** Index of a name, which is added if it is new. -1: there are too many already. */
rn_status history_names_find(history_names *names, log_span name, int *index);
void history_names_release(history_names *names);

typedef struct rn_history_reader {
    const history_guard *guard; // NULL: none
    // The part of the file that has been read: whole lines only.
    dev_t device;
    ino_t inode;
    off_t done;
    size_t lines, damaged, first_damaged;
    char head[HISTORY_HEAD]; // its first bytes, by which another log of the same inode is known
    size_t head_size;
    int64_t modified;

    rn_history_state state;
    char *folder, *name;
    char *log_model, *run_model; // that the log and run.json name; NULL: not
    char *recipe, *recipe_json, *environment_json;
    char *message, *started, *ended; // NULL: not said
    int64_t iteration, iterations;
    double epoch; // at `iteration`
    int resumed;
    double before;  // seconds of the processes before this one
    double seconds; // until the last line, those included

    rn_history_step *steps;
    size_t step_count, step_room;
    rn_history_evaluation *evaluations;
    size_t evaluation_count, evaluation_room;
    rn_history_note *notes; // texts are its own
    size_t note_count, note_room;
    rn_history_gradients *gradients;
    size_t gradients_count, gradients_room;
    rn_history_norm *norms;
    size_t norm_count, norm_room;
    history_names sets, layers;
} rn_history_reader;

/**
 * Take in one line, without its newline (which may be read behind it).
 *
 * @param[out] damaged  The line is no JSON object, or lacks what its kind must have.
 * @return RN_OK; RN_ENOMEM: as if the line had not been there.
 */
rn_status history_take_line(rn_history_reader *reader, log_span line, bool *damaged);

/**
 * As rn_history_read(), of the folder `name` within guard->root; norms of gradients are left out.
 *
 * @param guard  Must outlive the history.
 * @return As there; RN_EFORMAT also if the log is too large; RN_EINTERRUPTED.
 */
rn_status history_read_guarded(rn_history **out, const char *name, const history_guard *guard);

/** Forget all that came from the log. */
void history_forget_log(rn_history_reader *reader);

/** The same, and free what held it. */
void history_reader_release(rn_history_reader *reader);

#endif
