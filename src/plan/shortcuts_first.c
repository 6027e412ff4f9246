// A projection is computed before its unit's residual branch. Backward then comes to it last: what
// it reads is needed late, and its gradient of the unit's input, often the larger one, lives
// shortly.
#include "plan/plan_struct.h"

#include "base/memory.h"

#include <string.h>

static bool gives(const rn_planned_op *op, int tensor)
{
    return tensor >= 0 && rn_planned_op_tensor(op, RN_ARG_DST) == tensor;
}

// The first of the ops that lead, each to the next and the last to op `end`'s second operand.
static int chain_start(const rn_plan *plan, int end)
{
    int wanted = rn_planned_op_tensor(&plan->ops[end], RN_ARG_SRC2), start = end;

    while (start > 0 && gives(&plan->ops[start - 1], wanted)) {
        start--;
        wanted = rn_planned_op_tensor(&plan->ops[start], RN_ARG_SRC);
        if (rn_planned_op_tensor(&plan->ops[start], RN_ARG_SRC2) >= 0)
            return end; // an addition is no shortcut
    }
    return start;
}

// Where what the chain from `start` on reads has been written.
static int earliest_place(const rn_plan *plan, int start)
{
    int source = rn_planned_op_tensor(&plan->ops[start], RN_ARG_SRC), place = start;

    if (plan->ops[start].desc.norm)
        return start; // reads a deferred batch norm, which gives no tensor
    while (place > 0 && !gives(&plan->ops[place - 1], source))
        place--;
    return place;
}

rn_status rn_plan_shortcuts_first(rn_plan *plan)
{
    rn_status st = RN_OK;
    rn_planned_op *moved = NULL;

    RN_TRY(RN_NEW(&moved, (size_t)plan->forward_count));
    for (int end = 0; end < plan->forward_count; end++) {
        int start = chain_start(plan, end);
        int place = start < end ? earliest_place(plan, start) : start;
        size_t count = (size_t)(end - start), before = (size_t)(start - place);
        memcpy(moved, plan->ops + start, count * sizeof *moved);
        memmove(plan->ops + place + count, plan->ops + place, before * sizeof *moved);
        memcpy(plan->ops + place, moved, count * sizeof *moved);
    }
out:
    rn_free(moved);
    return st;
}
