/**
 * A plan's backward list with forward ops repeated in it, so that their results need not be kept
 * (Chen et al. 2016, "Training deep nets with sublinear memory cost").
 */
#ifndef PLAN_RECOMPUTE_H
#define PLAN_RECOMPUTE_H

#include "plan/plan_struct.h"

/**
 * Which forward ops' results are dropped after their last forward reader.
 *
 * Before op `deep_end` all are, but those at cut points (where one tensor alone leads from what is
 * before to what is behind) which lie more than `segment` dropped bytes apart: Chen's algorithm 3.
 * From there to `cheap_end`, those that a chain of at most `chain` cheap ops restores: no
 * convolution or linear layer is repeated, and nothing is kept that the backward list would not
 * read anyway.
 */
typedef struct rn_drop_rule {
    int deep_end, cheap_end;
    size_t segment;
    int chain;
    size_t least; // bytes; a cheap op's result that takes fewer is kept
} rn_drop_rule;

/** A plan, and its list under some rule. Arrays are by forward op where nothing else is said. */
typedef struct rn_recompute {
    const rn_plan *plan; // repeats nothing
    rn_plan trial;       // owns ops and tensors; all else is the plan's
    int *producer;       // by tensor: the forward op that gives it, -1 if none or never dropped
    int *copy;           // by tensor: the trial's tensor with the value repeated, -1 if none
    bool *read_back;     // the backward list reads the result
    bool *cut;           // the result is a cut point
    bool *dropped, *wanted;
    bool *held;        // the cheap op's result is kept whatever the rule says
    bool *other_held;  // another such choice, to compare with
    int *links;        // cheap ops that restore the result from what is kept; 0: it is kept
    rn_kernel **again; // BATCH_NORM_AGAIN of each BATCH_NORM_TRAIN
    size_t *live;      // for rn_plan_peak()
} rn_recompute;

/** Of a training plan; rn_recompute_release() in any case. */
rn_status rn_recompute_init(rn_recompute *r, const rn_plan *plan);
void rn_recompute_release(rn_recompute *r);

/** Write the list under a rule into r->trial; returns the peak of the bytes that live at once. */
size_t rn_recompute_apply(rn_recompute *r, const rn_drop_rule *rule);

/** Give the trial's list, which has been placed, to the plan that it was made from. */
void rn_recompute_accept(rn_recompute *r, rn_plan *plan);

#endif
