/** What jobs left, read back. */
#ifndef REPRODUCE_OUTCOME_H
#define REPRODUCE_OUTCOME_H

#include "resnet/history.h"
#include "resnet/reproduce.h"

/** One job's. */
typedef struct rn_outcome {
    rn_job_state state;
    bool failed;              // it diverged, or its last process ended with an error
    char *message;            // why; NULL
    char *machine;            // that a step's cost was measured on; NULL
    char *left_out;           // why a step's cost was not measured; NULL
    double value[RN_METRICS]; // NaN: not there
    rn_history *history;      // NULL
    double *responses;        // deviation of each 3x3 layer's
    int response_count;
} rn_outcome;

/** Read one job's. Zeroes on failure; release with rn_outcome_release(). */
rn_status rn_outcome_read(rn_outcome *out, const rn_reproduction *reproduction, int job,
                          const char *folder);
void rn_outcome_release(rn_outcome *outcome);

/** Whether its training is done, whatever is left to be measured. */
bool rn_outcome_is_trained(const rn_outcome *outcome);

/** Of all jobs; the caller's (rn_outcomes_free()). */
rn_status rn_outcomes_read(rn_outcome **out, const rn_reproduction *reproduction,
                           const char *folder);
void rn_outcomes_free(rn_outcome *outcomes, const rn_reproduction *reproduction);

/** A value in the units of rn_metric_title(): MiB of bytes, thousands of millions of operations. */
double rn_metric_shown(rn_metric metric, double value);

/** What values are in before that: "%", "s", "bytes"; "" of what is counted or has none. Static. */
const char *rn_metric_unit(rn_metric metric);

/** A network's results over its seeds. */
typedef struct rn_statistics {
    int count;        // results
    int diverged;     // runs that did; in orderings of errors they are among the results
    double mean;      // NaN: no result
    double deviation; // of the sample; 0: of one result
    double low, high;
} rn_statistics;

rn_statistics rn_outcome_statistics(const rn_outcome *outcomes, const rn_reproduction *reproduction,
                                    int run, rn_metric metric);

/** The same in the units of rn_metric_title(). */
rn_statistics rn_statistics_shown(rn_statistics statistics, rn_metric metric);

/** The standard error of the difference of their means; a lone result tells nothing of its own. */
double rn_statistics_error(const rn_statistics *a, const rn_statistics *b);

/** The median of these results, of an even number of them between the two in the middle; NaN: none.
 */
double rn_outcome_median(const rn_outcome *outcomes, const rn_reproduction *reproduction, int run,
                         rn_metric metric);

/**
 * Statistics for orderings: a run that diverged failed to train, and counts with the error of
 * guessing among the classes.
 */
rn_statistics rn_outcome_statistics_for_order(const rn_outcome *outcomes,
                                              const rn_reproduction *reproduction, int run,
                                              rn_metric metric);

/**
 * Whether numbers may be compared with the paper's: at scale 1, on the data that the target needs,
 * of steps with its batch.
 */
bool rn_reproduction_is_comparable(const rn_reproduction *reproduction);
/** Whether the data are those that the target needs. */
bool rn_reproduction_has_its_data(const rn_reproduction *reproduction);

/**
 * Fit y = a + b x so that the sum of squares of the residuals' shares of y is least: deep networks
 * would else hide what is wrong at shallow ones.
 */
typedef struct rn_line {
    double a, b;
    double r_squared; // of the weighted squares
    double residual;  // the largest, in percent of the measured value; NaN: a value is 0
    int worst;        // whose
} rn_line;

rn_line rn_line_fit(const double *x, const double *y, int points);

typedef enum rn_verdict {
    RN_VERDICT_SHOWN,
    RN_VERDICT_CONTRADICTED,
    RN_VERDICT_UNDECIDED,    // within the margin or the deviation
    RN_VERDICT_ONE_RUN,      // not decided either: nothing says by how much a single run is off
    RN_VERDICT_INCOMPARABLE, // a number of the paper's, beside another scale or data
    RN_VERDICT_MISSING       // results are missing
} rn_verdict;

enum { RN_VERDICT_TEXT = 512 };

/** "shown". Static. */
const char *rn_verdict_name(rn_verdict verdict);

/** Whether a claim holds; `text` says the numbers. */
rn_verdict rn_claim_judge(char text[RN_VERDICT_TEXT], const rn_claim *claim,
                          const rn_reproduction *reproduction, const rn_outcome *outcomes);

#endif
