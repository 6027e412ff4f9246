/** Where a training run stands: everything besides weights that resuming needs. */
#ifndef TRAIN_PROGRESS_H
#define TRAIN_PROGRESS_H

#include "resnet/train.h"

#define RN_EVALUATE_EVERY_MOST 1e300

enum { RN_TEST_NONE = -1, RN_TEST_UNKNOWN = -2 };

typedef struct rn_progress {
    uint64_t iteration;             // steps done
    uint64_t train_count;           // images trained on, to recognise another data set on resume
    int64_t data_sum;               // of the training set, for the same; -1: unknown
    int64_t test_sum;               // of the test set; RN_TEST_NONE, RN_TEST_UNKNOWN
    double evaluate_every;          // epochs; 0: unknown
    int threads;                    // bit-equality holds at the same count
    double best_error;              // percent
    double training_error;          // moving average over about 50 steps, percent; -1: none yet
    double epoch_wrong, epoch_seen; // of the running epoch
    // Sums since the last STEP event, so that a resumed run's next one says what an uninterrupted
    // run's would.
    double window_loss, window_wrong;
    uint64_t window_steps;
    int64_t last_count, last_wrong; // of the last evaluation; 0: none, or not known
    double last_loss;
    bool evaluation_due; // stopped before the evaluation that belongs to this step
    rn_schedule_state schedule;
} rn_progress;

/** As JSON text; the caller's (rn_free()). */
rn_status rn_progress_print(char **out, const rn_progress *progress);

/** RN_EFORMAT if a member is missing, of a wrong type or out of range. */
rn_status rn_progress_parse(rn_progress *progress, const char *json);

#endif
