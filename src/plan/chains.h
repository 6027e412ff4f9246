/** What the forward list is made of: how nodes depend on each other, and which become one op. */
#ifndef PLAN_CHAINS_H
#define PLAN_CHAINS_H

#include "plan/plan_struct.h"

const rn_node *rn_planner_node(const rn_planner *planner, int index);

/** Whether a node is computed as in training: not in inference, and not where frozen. */
bool rn_planner_trains(const rn_planner *planner, int index);

/** Whether a batch norm there normalises by the batch's own mean and variance. */
bool rn_planner_of_batch(const rn_planner *planner, int index);

/** The only reader of a node if it has the kind, else -1; after rn_planner_find_chains(). */
int rn_planner_sole_consumer(const rn_planner *planner, int index, rn_node_kind kind);

/** The convolution at `index`, as far as its kernel depends on it. */
rn_op_desc rn_planner_conv_desc(const rn_planner *planner, int index);

/** Whether the engine has a kernel for it that takes statistics of its results. */
bool rn_planner_takes_statistics(const rn_planner *planner, const rn_op_desc *desc);

/**
 * Fill in planner->consumers, consumer, chain and inside. The fused op of a BN, in inference and
 * before an addition of a convolution, ends at the ReLU (or addition) that follows it: all operands
 * exist there. Of two that meet in an addition, the first takes it.
 */
void rn_planner_find_chains(rn_planner *planner);

#endif
