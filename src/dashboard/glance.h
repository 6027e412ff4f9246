/** What a log's first and last lines say: enough for a list of many runs. */
#ifndef DASHBOARD_GLANCE_H
#define DASHBOARD_GLANCE_H

#include "resnet/history.h"

#include <sys/types.h>

enum { GLANCE_TEXT = 256, GLANCE_SET = 32 };

/** Texts are cut to their room. */
typedef struct rn_glance {
    rn_history_state state;
    char model[GLANCE_TEXT], message[GLANCE_TEXT];
    int64_t iteration, iterations;
    double epoch;   // at `iteration`
    double seconds; // of the last line, on the clock of `step`
    double eta; // seconds from then on, where stepped; less than 0: more than expected have passed
    bool stepped, evaluated;
    rn_history_step step;             // the last
    rn_history_evaluation evaluation; // the last of `set`, which stands for its name
    char set[GLANCE_SET];
    double interval; // seconds between its last lines, the longest of some; 0: unknown
} rn_glance;

/**
 * Read both ends of an open log of `size` bytes: at most two megabytes, whatever its length, and
 * eight times as much where most of it is norms of gradients, which are passed over, as damaged
 * lines are.
 *
 * @param[in,out] out  What an earlier call gave, of the same log of `known` bytes: points that lie
 *                     further back are kept, and what was not found then is not looked for again.
 * @param known        0: there was none.
 * @return RN_OK; RN_EIO; RN_ENOMEM.
 */
rn_status rn_glance_read(rn_glance *out, int log, off_t size, off_t known);

#endif
